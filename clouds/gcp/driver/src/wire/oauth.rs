//! What Google's token services answer. Every one of these holds a secret: none has a `Debug`.
//!
//! Sources: <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>,
//! <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>,
//! <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// A token of the OAuth endpoint, of the Security Token Service, or of an instance's metadata server.
#[derive(Deserialize)]
pub(crate) struct Token {
    /// The token.
    pub(crate) access_token: SecretString,
    /// For how many seconds it is good.
    #[serde(default)]
    pub(crate) expires_in: Option<u64>,
}

/// A token of a service account that somebody acts for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GeneratedToken {
    /// The token.
    pub(crate) access_token: SecretString,
    /// When it ends, as RFC 3339 has it.
    pub(crate) expire_time: String,
}

/// Asks for a token of a service account.
#[derive(Serialize)]
pub(crate) struct GenerateAccessToken<'a> {
    /// What it is to be good for.
    pub(crate) scope: &'a [&'a str],
    /// For how long, such as `3600s`.
    pub(crate) lifetime: &'a str,
}
