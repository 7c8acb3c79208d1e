//! What stands under the identifier of a network, subnet, security group or key pair. Identifiers are made of names, so that
//! it may be another one than is meant. Never changes anything.

use pmks_driver::Result;
use pmks_model::Tags;

use crate::incarnations;
use crate::wire::{compute, network as wire};

/// What stands there.
pub(super) struct Standing {
    /// What tells it from a later one of its name; empty where Azure does not say.
    pub(super) incarnation: String,
    /// Its provisioning state; empty where it has none.
    pub(super) state: String,
    /// Its tags.
    pub(super) tags: Tags,
}

/// What was read; `None`: it is gone.
pub(super) fn standing<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(error) if error.is_not_found() => Ok(None),
        answer => answer.map(Some),
    }
}

impl From<wire::VirtualNetwork> for Standing {
    fn from(found: wire::VirtualNetwork) -> Self {
        let incarnation = incarnations::network(&found).to_owned();
        Self { incarnation, state: found.properties.provisioning_state, tags: found.tags }
    }
}

/// Subnets have no tags, and nothing but their names.
impl From<wire::Subnet> for Standing {
    fn from(found: wire::Subnet) -> Self {
        Self { incarnation: String::new(), state: found.properties.provisioning_state, tags: Tags::new() }
    }
}

impl From<wire::SecurityGroup> for Standing {
    fn from(found: wire::SecurityGroup) -> Self {
        let incarnation = incarnations::security_group(&found).to_owned();
        Self { incarnation, state: found.properties.provisioning_state, tags: found.tags }
    }
}

impl From<compute::SshPublicKey> for Standing {
    fn from(found: compute::SshPublicKey) -> Self {
        Self { incarnation: incarnations::key_pair(&found), state: String::new(), tags: found.tags }
    }
}
