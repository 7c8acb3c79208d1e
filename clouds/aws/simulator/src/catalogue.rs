//! The regions and zones of the simulated AWS. Pure data.
//!
//! Source: <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>.

/// One region.
#[derive(Debug)]
pub(crate) struct CatalogueRegion {
    /// `ap-northeast-2`.
    pub(crate) name: &'static str,
    /// The prefix of its zones' ids.
    pub(crate) zone_id: &'static str,
    /// The letters of its zones.
    pub(crate) zones: &'static str,
}

impl CatalogueRegion {
    /// Its zones: name and id.
    pub(crate) fn zones(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let numbered = (1..).zip(self.zones.chars());
        numbered.map(|(number, letter)| {
            (format!("{}{letter}", self.name), format!("{}-az{number}", self.zone_id))
        })
    }
}

/// All regions.
pub(crate) const REGIONS: [CatalogueRegion; 8] = [
    CatalogueRegion { name: "ap-northeast-1", zone_id: "apne1", zones: "acd" },
    CatalogueRegion { name: "ap-northeast-2", zone_id: "apne2", zones: "abcd" },
    CatalogueRegion { name: "ap-southeast-1", zone_id: "apse1", zones: "abc" },
    CatalogueRegion { name: "eu-central-1", zone_id: "euc1", zones: "abc" },
    CatalogueRegion { name: "eu-west-1", zone_id: "euw1", zones: "abc" },
    CatalogueRegion { name: "us-east-1", zone_id: "use1", zones: "abcdef" },
    CatalogueRegion { name: "us-east-2", zone_id: "use2", zones: "abc" },
    CatalogueRegion { name: "us-west-2", zone_id: "usw2", zones: "abcd" },
];

/// The region of this name.
pub(crate) fn region(name: &str) -> Option<&'static CatalogueRegion> {
    REGIONS.iter().find(|region| region.name == name)
}

/// The id of a zone.
pub(crate) fn zone_id(region_name: &str, zone: &str) -> Option<String> {
    region(region_name)?.zones().find(|(name, _)| name == zone).map(|(_, id)| id)
}
