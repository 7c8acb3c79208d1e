//! What a driver is made from.

use std::collections::BTreeMap;

use pmks_transport::{Transport, Url};
use serde::{Deserialize, Serialize};

use crate::{Credential, Environment};

/// A connection, as a provider needs it to make a driver.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionSpecification {
    /// Its name, for messages.
    pub name: String,
    /// The region.
    pub region: String,
    /// The zone, where the user named one.
    pub zone: Option<String>,
    /// Who acts.
    pub credential: Credential,
    /// Endpoints that replace the real cloud's, by service or `all`.
    pub endpoints: BTreeMap<String, Url>,
    /// PEM certificates to trust beside the public ones.
    pub ca_certificate: Option<String>,
    /// The provider's own settings, already checked against the capabilities.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// How many times faster than the real cloud this one works; 1 for a real cloud.
    pub pace: u32,
}

/// What the house gives to every driver.
#[derive(Clone, Debug)]
pub struct House {
    /// The one way out.
    pub transport: Transport,
    /// The variables that a credential chain may read; empty unless the connection is ambient.
    pub environment: Environment,
    /// This installation's mark.
    pub installation: String,
}
