//! `Microsoft.Resources`: subscriptions, locations, resource groups, resource providers.
//!
//! Source: <https://learn.microsoft.com/rest/api/resources/>

use pmks_model::Tags;
use serde::Deserialize;

use super::or_default;

/// A subscription.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Subscription {
    #[serde(rename = "subscriptionId")]
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    pub(crate) display_name: String,
    pub(crate) state: String,
}

/// A region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Location {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) metadata: LocationMetadata,
    #[serde(deserialize_with = "or_default")]
    pub(crate) availability_zone_mappings: Vec<ZoneMapping>,
}

/// What kind of region it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct LocationMetadata {
    pub(crate) region_type: String,
}

/// A zone as the subscription names it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ZoneMapping {
    pub(crate) logical_zone: String,
}

/// A resource group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ResourceGroup {
    pub(crate) id: String,
    pub(crate) location: String,
    pub(crate) properties: ResourceGroupProperties,
}

/// What a resource group is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ResourceGroupProperties {
    pub(crate) provisioning_state: String,
}

/// A resource provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Provider {
    pub(crate) registration_state: String,
}

/// Any resource of a group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GenericResource {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: Tags,
}
