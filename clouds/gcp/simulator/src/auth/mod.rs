//! Who calls: service accounts and their keys, users, federated identities, and the access tokens given to them.
//!
//! Sources: <https://developers.google.com/identity/protocols/oauth2/service-account>,
//! <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>,
//! <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>.

mod bearer;
mod events;
mod impersonation;
mod jwt;
mod metadata;
mod service_key;
mod state;
mod sts;
mod token_endpoint;

pub(crate) use bearer::{Access, holder, verify};
pub(crate) use events::{credentials_move, from_event, project_is_made};
pub(crate) use impersonation::generate_access_token;
pub(crate) use metadata::answer as metadata;
pub(crate) use service_key::ServiceKey;
pub(crate) use state::{Principal, ServiceAccount, State, resources};
pub(crate) use sts::exchange;
pub(crate) use token_endpoint::{token, token_info};

/// The scope that opens everything.
pub(crate) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

#[cfg(test)]
pub(crate) mod tests {
    //! What tests of the front door need of keys.

    pub(crate) use super::jwt::tests::sign;
    pub(crate) use super::service_key::tests::key_of;
}
