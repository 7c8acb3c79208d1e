//! The calls of STS.

use pmks_driver::{Effect, Result};

use super::Api;
use crate::query::{Query, QueryService};
use crate::wire::sts;

/// How long the keys of a role live, in seconds: the least that a role surely allows.
const ROLE_SECONDS: &str = "3600";

impl Api {
    /// Who signs.
    ///
    /// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
    pub(crate) async fn get_caller_identity(&self) -> Result<sts::CallerIdentity> {
        self.query(Query::new(QueryService::Sts, "sts.GetCallerIdentity", Effect::Read)).await
    }

    /// Keys of a role, asked for with the client's own.
    ///
    /// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
    pub(crate) async fn assume_role(
        &self,
        role: &str,
        session: &str,
        external_id: Option<&str>,
    ) -> Result<sts::AssumedRole> {
        let query = Query::new(QueryService::Sts, "sts.AssumeRole", Effect::Read)
            .field("RoleArn", role)
            .field("RoleSessionName", session)
            .field("DurationSeconds", ROLE_SECONDS)
            .field_some("ExternalId", external_id);
        self.query(query).await
    }

    /// Keys of a role, asked for with an identity provider's token; not signed.
    ///
    /// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
    pub(crate) async fn assume_role_with_web_identity(
        &self,
        role: &str,
        session: &str,
        token: &str,
    ) -> Result<sts::AssumedRole> {
        let query = Query::new(QueryService::Sts, "sts.AssumeRoleWithWebIdentity", Effect::Read)
            .field("RoleArn", role)
            .field("RoleSessionName", session)
            .field("DurationSeconds", ROLE_SECONDS)
            .field("WebIdentityToken", token);
        self.query(query).await
    }
}
