//! Connections, validations, prerequisites.

use pmks_api as api;
use pmks_core::{ConnectionView, PrerequisiteView, ValidationView};
use pmks_driver::{AccountIdentity, Prerequisite, PrerequisiteState};

use super::{problem, time};

/// A connection.
pub(crate) fn connection(view: ConnectionView) -> api::Connection {
    api::Connection {
        name: view.name,
        provider: view.provider,
        region: view.region,
        zone: view.zone,
        pace: view.pace,
        credential: api::CredentialValues(view.credential),
        secrets: view.secrets,
        endpoints: view.endpoints,
        ca_certificate: view.ca_certificate,
        settings: view.settings,
        uid: view.uid,
        account: view.account.map(account),
        created_at: time(view.created_at),
        updated_at: time(view.updated_at),
    }
}

fn account(identity: AccountIdentity) -> api::Account {
    api::Account { account: identity.account, principal: identity.principal }
}

/// What a validation found.
pub(crate) fn validation(view: ValidationView) -> api::Validation {
    api::Validation {
        valid: view.valid,
        account: view.account.map(account),
        error: view.error.as_ref().map(problem),
        prerequisites: view.prerequisites.into_iter().map(prerequisite).collect(),
        missed: view.missed.iter().map(problem).collect(),
    }
}

/// The prerequisites of an account or cluster.
pub(crate) fn prerequisites(view: PrerequisiteView) -> api::Prerequisites {
    api::Prerequisites {
        prerequisites: view.prerequisites.into_iter().map(prerequisite).collect(),
        observed_at: time(view.observed_at),
    }
}

fn prerequisite(prerequisite: Prerequisite) -> api::Prerequisite {
    let (state, by, missing, why) = match prerequisite.state {
        PrerequisiteState::Satisfied { by } => {
            (api::PrerequisiteState::Satisfied, Some(by), Vec::new(), None)
        }
        PrerequisiteState::Missing { what } => (api::PrerequisiteState::Missing, None, what, None),
        PrerequisiteState::Unknown { why } => (api::PrerequisiteState::Unknown, None, Vec::new(), Some(why)),
    };
    api::Prerequisite {
        name: prerequisite.name,
        says: prerequisite.says,
        state,
        by,
        missing,
        why,
        fix: prerequisite.fix,
    }
}
