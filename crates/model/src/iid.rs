//! The two names of everything: ours and the cloud's.

use serde::{Deserialize, Serialize};

/// What a resource is called by its user and by its cloud.
///
/// The field names are those of CB-Spider's Driver API (`NameId`, `SystemId`), in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Iid {
    /// Our name: what the user chose, or the cloud's identifier where the user chose none.
    pub name_id: String,
    /// The cloud's own identifier; empty until the cloud has given one.
    pub system_id: String,
}

impl Iid {
    /// Both names at once.
    pub fn new(name_id: impl Into<String>, system_id: impl Into<String>) -> Self {
        Self { name_id: name_id.into(), system_id: system_id.into() }
    }

    /// A resource known only by the cloud's identifier: it serves as the name too.
    pub fn unnamed(system_id: impl Into<String>) -> Self {
        let system_id = system_id.into();
        Self { name_id: system_id.clone(), system_id }
    }
}

/// Whether two texts are one identifier of a cloud. Azure's, which begin with a slash, know no case, and Azure itself
/// writes them in several; at others a name in another case is another thing's.
///
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
pub fn is_same_identifier(one: &str, other: &str) -> bool {
    one == other || (one.starts_with('/') && one.eq_ignore_ascii_case(other))
}
