//! Who acts: the credential forms, and the bearer token that every request carries. Shows no secret.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use pmks_driver::{Field, Form};
use pmks_transport::{Renewal, SignContext, SignError, Signer};
use secrecy::ExposeSecret;

use crate::token_source::Tokens;

const fn field(
    name: &'static str,
    secret: bool,
    env: &'static str,
    spider: &'static str,
    help: &'static str,
) -> Field {
    Field { name, secret, required: true, env, help, spider }
}

const TENANT: Field =
    field("tenantId", false, "AZURE_TENANT_ID", "TenantId", "the directory (tenant) of the application");
const CLIENT: Field =
    field("clientId", false, "AZURE_CLIENT_ID", "ClientId", "the application's (client) ID");
const SUBSCRIPTION: Field =
    field("subscriptionId", false, "AZURE_SUBSCRIPTION_ID", "SubscriptionId", "the subscription to work in");

/// The ways to prove who acts.
pub(crate) const FORMS: &[Form] = &[
    Form {
        name: "clientSecret",
        help: "an application with a client secret",
        fields: &[
            TENANT,
            CLIENT,
            field(
                "clientSecret",
                true,
                "AZURE_CLIENT_SECRET",
                "ClientSecret",
                "the application's client secret",
            ),
            SUBSCRIPTION,
        ],
    },
    Form {
        name: "clientCertificate",
        help: "an application with a certificate",
        fields: &[
            TENANT,
            CLIENT,
            field("clientCertificate", true, "", "", "PEM text: the certificate, and its RSA private key"),
            SUBSCRIPTION,
        ],
    },
    Form {
        name: "federatedToken",
        help: "an application that trusts a token of another identity provider",
        fields: &[
            TENANT,
            CLIENT,
            field("federatedToken", true, "", "", "the identity provider's token"),
            SUBSCRIPTION,
        ],
    },
];

/// Puts the token for one audience on requests.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    /// Where tokens come from.
    pub(crate) tokens: Arc<Tokens>,
    /// What the token is for, as a scope.
    pub(crate) scope: String,
}

#[async_trait]
impl Signer for Bearer {
    async fn sign(&self, request: &mut Request<Bytes>, context: SignContext<'_>) -> Result<(), SignError> {
        let token = self.tokens.token(&self.scope, context.now).await?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.secret.expose_secret()))
            .map_err(|error| SignError::credential("the token cannot stand in a header").caused_by(error))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
        Ok(())
    }

    async fn refused(&self, request: &Request<Bytes>, context: SignContext<'_>) -> Renewal {
        let Some(token) = carried(request) else { return Renewal::Never };
        self.tokens.refused(&self.scope, token, context.now).await
    }

    async fn accepted(&self, request: &Request<Bytes>) {
        if let Some(token) = carried(request) {
            self.tokens.accepted(&self.scope, token).await;
        }
    }
}

/// The token on a request.
fn carried(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_told_by_its_fields() {
        let secrets: Vec<&str> = FORMS
            .iter()
            .flat_map(|form| form.fields)
            .filter(|field| field.secret)
            .map(|field| field.name)
            .collect();
        assert_eq!(secrets, ["clientSecret", "clientCertificate", "federatedToken"]);
        let spider: Vec<&str> = FORMS.first().unwrap().fields.iter().map(|field| field.spider).collect();
        assert_eq!(spider, ["TenantId", "ClientId", "ClientSecret", "SubscriptionId"]);
    }
}
