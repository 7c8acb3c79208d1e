//! What a cloud offers.

use pmks_api as api;
use pmks_core::Dated;
use pmks_model::{GpuKind, Image, KubernetesVersion, MachineType, Region};

use super::{key_values, time, word};

/// A list with the time of its reading.
pub(crate) fn discovered<V, B>(dated: Dated<V>, body: impl Fn(V) -> B) -> api::Discovered<B> {
    api::Discovered {
        items: dated.items.into_iter().map(body).collect(),
        observed_at: time(dated.observed_at),
        next_page_token: None,
    }
}

/// A Kubernetes version.
pub(crate) fn version(version: KubernetesVersion) -> api::KubernetesVersion {
    api::KubernetesVersion {
        version: version.version.to_string(),
        default: version.default,
        support: word(&version.support),
        end_of_standard_support: version.end_of_standard_support,
        end_of_extended_support: version.end_of_extended_support,
    }
}

/// A machine type.
pub(crate) fn machine_type(machine_type: MachineType) -> api::MachineType {
    api::MachineType {
        name: machine_type.name,
        vcpus: machine_type.vcpus,
        memory_mib: machine_type.memory_mib,
        architecture: machine_type.architecture,
        clock_ghz: machine_type.clock_ghz,
        gpus: machine_type.gpus,
        gpu_kinds: machine_type.gpu_kinds.into_iter().map(gpu_kind).collect(),
        zones: machine_type.zones,
        key_value_list: key_values(machine_type.key_value_list),
    }
}

fn gpu_kind(kind: GpuKind) -> api::GpuKind {
    api::GpuKind {
        count: kind.count,
        manufacturer: kind.manufacturer,
        model: kind.model,
        memory_mib: kind.memory_mib,
    }
}

/// An image.
pub(crate) fn image(image: Image) -> api::Image {
    api::Image {
        name: image.name,
        display_name: image.display_name,
        description: image.description,
        architecture: image.architecture,
        operating_system: image.operating_system,
        disk_type: image.disk_type,
        disk_size_gib: image.disk_size_gib,
        default: image.default,
    }
}

/// A region.
pub(crate) fn region(region: Region) -> api::Region {
    let zones = region.zones.into_iter().map(|zone| zone.name).collect();
    api::Region { name: region.name, display_name: region.display_name, zones }
}
