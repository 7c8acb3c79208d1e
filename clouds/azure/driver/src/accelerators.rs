//! What the accelerators of a size are, as its name says it. Pure.

use pmks_model::GpuKind;

/// The accelerators of a size. What they are is said by the names of sizes alone, which have it between the letters of
/// their features and their version (`Standard_NC4as_T4_v3`); of older sizes, and of the memory, nothing is said.
///
/// Source: <https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions>, «Accelerator type»
pub(crate) fn gpu_kind(size: &str, count: u32) -> GpuKind {
    let parts: Vec<&str> = size.split('_').collect();
    let named = match parts.as_slice() {
        [_, _, .., accelerator, version] if is_version(version) && !is_version(accelerator) => *accelerator,
        _ => "",
    };
    // Names say no makers: they follow from the models.
    let manufacturer = match named {
        "" => "",
        name if name.starts_with("MI") || name == "V710" => "AMD",
        name if MODELS_OF_NVIDIA.contains(&name) => "NVIDIA",
        _ => "",
    };
    GpuKind { count, manufacturer: manufacturer.to_owned(), model: named.to_owned(), memory_mib: None }
}

/// The models of NVIDIA's by which sizes are called.
///
/// Source: <https://learn.microsoft.com/azure/virtual-machines/sizes/overview#gpu-accelerated>
const MODELS_OF_NVIDIA: [&str; 8] = ["T4", "A10", "A100", "H100", "H200", "GB200", "GB300", "RTXPRO6000BSE"];

/// `v3`
fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accelerators_are_what_the_name_of_the_size_says() {
        for (size, manufacturer, model) in [
            ("Standard_NC4as_T4_v3", "NVIDIA", "T4"),
            ("Standard_NC24ads_A100_v4", "NVIDIA", "A100"),
            ("Standard_ND96isr_MI300X_v5", "AMD", "MI300X"),
            ("Standard_ND128isr_NDR_GB200_v6", "NVIDIA", "GB200"),
            ("Standard_ND96isr_NEW9_v7", "", "NEW9"),
            ("Standard_NC6s_v3", "", ""),
            ("Standard_NV6", "", ""),
        ] {
            let kind = gpu_kind(size, 2);
            assert_eq!((kind.manufacturer.as_str(), kind.model.as_str()), (manufacturer, model), "{size}");
            assert_eq!((kind.count, kind.memory_mib), (2, None));
        }
    }
}
