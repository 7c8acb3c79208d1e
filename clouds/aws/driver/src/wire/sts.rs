//! What STS answers.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/Welcome.html>

use serde::Deserialize;

/// `GetCallerIdentityResult`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CallerIdentity {
    #[serde(rename = "Account")]
    pub(crate) account: String,
    #[serde(rename = "Arn")]
    pub(crate) arn: String,
}

/// `AssumeRoleResult` and `AssumeRoleWithWebIdentityResult`.
#[derive(Deserialize)]
pub(crate) struct AssumedRole {
    #[serde(rename = "Credentials")]
    pub(crate) credentials: RoleKeys,
}

/// Short-lived keys. No `Debug`: they are secrets.
#[derive(Deserialize)]
pub(crate) struct RoleKeys {
    #[serde(rename = "AccessKeyId")]
    pub(crate) access_key_id: String,
    #[serde(rename = "SecretAccessKey")]
    pub(crate) secret_access_key: String,
    #[serde(rename = "SessionToken")]
    pub(crate) session_token: String,
    #[serde(rename = "Expiration")]
    pub(crate) expiration: String,
}
