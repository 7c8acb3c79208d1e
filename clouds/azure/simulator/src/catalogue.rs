//! The regions and machine sizes of the simulated Azure. Pure data.
//!
//! Sources: <https://learn.microsoft.com/azure/reliability/regions-list>,
//! <https://learn.microsoft.com/azure/virtual-machines/sizes/overview>.

/// One region.
#[derive(Debug)]
pub(crate) struct Region {
    /// `koreacentral`.
    pub(crate) name: &'static str,
    /// `Korea Central`.
    pub(crate) display_name: &'static str,
    /// Where its data stay.
    pub(crate) geography: &'static str,
    /// Whether it has the zones 1, 2 and 3.
    pub(crate) zonal: bool,
}

impl Region {
    /// Its zones.
    pub(crate) fn zones(&self) -> &'static [&'static str] {
        if self.zonal { &["1", "2", "3"] } else { &[] }
    }
}

/// All regions.
#[rustfmt::skip]
pub(crate) const REGIONS: [Region; 10] = [
    Region { name: "koreacentral", display_name: "Korea Central", geography: "Korea", zonal: true },
    Region { name: "koreasouth", display_name: "Korea South", geography: "Korea", zonal: false },
    Region { name: "japaneast", display_name: "Japan East", geography: "Japan", zonal: true },
    Region { name: "southeastasia", display_name: "Southeast Asia", geography: "Asia Pacific", zonal: true },
    Region { name: "eastus", display_name: "East US", geography: "United States", zonal: true },
    Region { name: "eastus2", display_name: "East US 2", geography: "United States", zonal: true },
    Region { name: "westus2", display_name: "West US 2", geography: "United States", zonal: true },
    Region { name: "westeurope", display_name: "West Europe", geography: "Europe", zonal: true },
    Region { name: "northeurope", display_name: "North Europe", geography: "Europe", zonal: true },
    Region { name: "germanywestcentral", display_name: "Germany West Central", geography: "Germany", zonal: true },
];

/// The region of this name, written as people write it too (`Korea Central`).
pub(crate) fn region(name: &str) -> Option<&'static Region> {
    let name = name.replace(' ', "").to_ascii_lowercase();
    REGIONS.iter().find(|region| region.name == name)
}

/// One machine size.
#[derive(Debug)]
pub(crate) struct Size {
    /// `Standard_D2s_v5`.
    pub(crate) name: &'static str,
    /// The quota that its processors count against.
    pub(crate) family: &'static str,
    /// Virtual processors.
    pub(crate) cpu: u32,
    /// Memory in GiB.
    pub(crate) memory_gib: u32,
    /// Graphics processors.
    pub(crate) gpus: u32,
    /// `x64` or `Arm64`, as Azure writes it.
    pub(crate) architecture: &'static str,
    /// Whether premium disks can be attached.
    pub(crate) premium: bool,
    /// GiB of the cache on which an ephemeral system disk fits; 0 where there is none.
    pub(crate) cache_gib: u32,
}

/// All sizes.
#[rustfmt::skip]
pub(crate) const SIZES: [Size; 14] = [
    Size { name: "Standard_B2s", family: "standardBSFamily", cpu: 2, memory_gib: 4, gpus: 0, architecture: "x64", premium: true, cache_gib: 0 },
    Size { name: "Standard_B2ms", family: "standardBSFamily", cpu: 2, memory_gib: 8, gpus: 0, architecture: "x64", premium: true, cache_gib: 0 },
    Size { name: "Standard_B4ms", family: "standardBSFamily", cpu: 4, memory_gib: 16, gpus: 0, architecture: "x64", premium: true, cache_gib: 0 },
    Size { name: "Standard_DS2_v2", family: "standardDSv2Family", cpu: 2, memory_gib: 7, gpus: 0, architecture: "x64", premium: true, cache_gib: 86 },
    Size { name: "Standard_D2s_v3", family: "standardDSv3Family", cpu: 2, memory_gib: 8, gpus: 0, architecture: "x64", premium: true, cache_gib: 50 },
    Size { name: "Standard_D2s_v5", family: "standardDSv5Family", cpu: 2, memory_gib: 8, gpus: 0, architecture: "x64", premium: true, cache_gib: 0 },
    Size { name: "Standard_D4s_v5", family: "standardDSv5Family", cpu: 4, memory_gib: 16, gpus: 0, architecture: "x64", premium: true, cache_gib: 0 },
    Size { name: "Standard_D8s_v5", family: "standardDSv5Family", cpu: 8, memory_gib: 32, gpus: 0, architecture: "x64", premium: true, cache_gib: 0 },
    Size { name: "Standard_D4ds_v5", family: "standardDDSv5Family", cpu: 4, memory_gib: 16, gpus: 0, architecture: "x64", premium: true, cache_gib: 100 },
    Size { name: "Standard_D2as_v5", family: "standardDASv5Family", cpu: 2, memory_gib: 8, gpus: 0, architecture: "x64", premium: true, cache_gib: 0 },
    Size { name: "Standard_D2ps_v5", family: "standardDPSv5Family", cpu: 2, memory_gib: 8, gpus: 0, architecture: "Arm64", premium: true, cache_gib: 0 },
    Size { name: "Standard_E4s_v5", family: "standardESv5Family", cpu: 4, memory_gib: 32, gpus: 0, architecture: "x64", premium: true, cache_gib: 0 },
    Size { name: "Standard_F4s_v2", family: "standardFSv2Family", cpu: 4, memory_gib: 8, gpus: 0, architecture: "x64", premium: true, cache_gib: 64 },
    Size { name: "Standard_NC4as_T4_v3", family: "Standard NCASv3_T4 Family", cpu: 4, memory_gib: 28, gpus: 1, architecture: "x64", premium: true, cache_gib: 64 },
];

/// The size of this name; Azure does not mind capitals.
pub(crate) fn size(name: &str) -> Option<&'static Size> {
    SIZES.iter().find(|size| size.name.eq_ignore_ascii_case(name))
}
