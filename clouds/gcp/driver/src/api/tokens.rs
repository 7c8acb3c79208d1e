//! The calls that give tokens. They read, whatever their method: asking twice changes nothing.

use http::{HeaderName, HeaderValue, Method, header};
use pmks_driver::{DriverError, Effect, ErrorKind, Result};
use pmks_transport::{Call, Client, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use std::sync::Arc;

use crate::endpoints::Endpoints;
use crate::identity::{AuthorizedUser, External, SCOPES, bearer};
use crate::wire::oauth::{GenerateAccessToken, GeneratedToken, Token};
use crate::{PROVIDER, errors};

/// Google's token services as one connection sees them.
#[derive(Clone, Debug)]
pub(crate) struct TokenApi {
    /// Signs nothing: these calls carry their own proofs.
    pub(crate) client: Client,
    /// Signs by a service account's key, where there is one.
    pub(crate) asserting: Option<Client>,
    /// Reads what is behind the URL of an external credential, and keeps no record of it.
    pub(crate) subject: Option<Client>,
    /// Where the services are.
    pub(crate) endpoints: Arc<Endpoints>,
}

impl TokenApi {
    /// A token for the service account whose key signs.
    ///
    /// Source: <https://developers.google.com/identity/protocols/oauth2/service-account#makingrequest>
    pub(crate) async fn token_by_assertion(&self) -> Result<Token> {
        let call = self.call("oauth2", "oauth2.token", &["token"])?;
        self.json(self.asserting.as_ref().unwrap_or(&self.client), call).await
    }

    /// A token for somebody who let a client act for them.
    ///
    /// Source: <https://developers.google.com/identity/protocols/oauth2/web-server#offline>
    pub(crate) async fn token_by_refresh(&self, user: &AuthorizedUser) -> Result<Token> {
        let call = self.call("oauth2", "oauth2.token", &["token"])?.form(&[
            ("grant_type", "refresh_token"),
            ("client_id", &user.client_id),
            ("client_secret", user.client_secret.expose_secret()),
            ("refresh_token", user.refresh_token.expose_secret()),
        ]);
        self.json(&self.client, call).await
    }

    /// A token for an identity of another provider.
    ///
    /// Source: <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>
    pub(crate) async fn exchange_token(&self, external: &External, subject: &SecretString) -> Result<Token> {
        let call = self.call("sts", "sts.token", &["v1", "token"])?.form(&[
            ("audience", external.audience.as_str()),
            ("grantType", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requestedTokenType", "urn:ietf:params:oauth:token-type:access_token"),
            ("scope", SCOPES[0]),
            ("subjectTokenType", &external.subject_token_type),
            ("subjectToken", subject.expose_secret()),
        ]);
        self.json(&self.client, call).await
    }

    /// A token for a service account that `token` may act for.
    ///
    /// Source: <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>
    pub(crate) async fn generate_access_token(
        &self,
        email: &str,
        token: &SecretString,
    ) -> Result<GeneratedToken> {
        let action = "iamcredentials.generateAccessToken";
        let body = GenerateAccessToken { scope: &SCOPES, lifetime: "3600s" };
        let call = self
            .call("iamcredentials", action, &["v1", "projects", "-", "serviceAccounts", email])?
            .custom_method("generateAccessToken")
            .json(&body)
            .map_err(|error| errors::TABLE.of_transport(action, Effect::Read, error))?;
        let proof = bearer(token).ok_or_else(|| {
            let says = "the access token cannot stand in a header";
            DriverError::new(ErrorKind::Unauthenticated, PROVIDER, says).with_action(action)
        })?;
        let answer = self.json(&self.client, call.header(header::AUTHORIZATION, proof)).await;
        answer.map_err(|error| errors::of_impersonation(email, error))
    }

    /// A token for the service account of the machine that this runs on.
    ///
    /// Source: <https://cloud.google.com/compute/docs/access/authenticate-workloads#applications>
    pub(crate) async fn machine_token(&self, host: &str) -> Result<Token> {
        let call = machine(host, "metadata.token", "instance/service-accounts/default/token")?;
        self.json(&self.client, call.query("scopes", &SCOPES.join(","))).await
    }

    /// The address of that service account.
    pub(crate) async fn machine_email(&self, host: &str) -> Result<String> {
        self.machine_text(machine(host, "metadata.email", "instance/service-accounts/default/email")?).await
    }

    /// The project of that machine.
    pub(crate) async fn machine_project(&self, host: &str) -> Result<String> {
        self.machine_text(machine(host, "metadata.project", "project/project-id")?).await
    }

    /// What is behind the URL of an external credential.
    pub(crate) async fn subject_token(
        &self,
        url: &Url,
        headers: &[(String, String)],
    ) -> Result<SecretString> {
        let action = "external.subjectToken";
        let mut call = Call::new("external", action, Effect::Read, Method::GET, url.clone());
        for (name, value) in headers {
            let unusable = || {
                let says = format!("the credential asks for a header {name:?} that cannot be sent");
                DriverError::new(ErrorKind::Unauthenticated, PROVIDER, says).with_action(action)
            };
            let name: HeaderName = name.parse().map_err(|_| unusable())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| unusable())?;
            value.set_sensitive(true);
            call = call.header(name, value);
        }
        let response = send(self.subject.as_ref().unwrap_or(&self.client), call).await?;
        Ok(SecretString::from(String::from_utf8_lossy(&response.body).into_owned()))
    }

    fn call(&self, service: &'static str, action: &'static str, segments: &[&str]) -> Result<Call> {
        let base = self.endpoints.of(service).ok_or_else(|| {
            let message = format!("no endpoint of {service} is known");
            DriverError::new(ErrorKind::Unexpected, PROVIDER, message).with_action(action)
        })?;
        Ok(Call::new(service, action, Effect::Read, Method::POST, base.clone()).below(segments))
    }

    async fn json<T: DeserializeOwned>(&self, client: &Client, call: Call) -> Result<T> {
        let action = call.action();
        let response = send(client, call).await?;
        serde_json::from_slice(&response.body).map_err(|error| {
            // What serde says may quote the answer, and the answer is a secret.
            let says = format!("line {}, column {} of the answer", error.line(), error.column());
            errors::TABLE.unreadable(action, Effect::Read, &response, says)
        })
    }

    async fn machine_text(&self, call: Call) -> Result<String> {
        let response = send(&self.client, call).await?;
        Ok(String::from_utf8_lossy(&response.body).trim().to_owned())
    }
}

/// A call of a machine's metadata server.
fn machine(host: &str, action: &'static str, what: &str) -> Result<Call> {
    let base = machine_url(host).ok_or_else(|| {
        let says = format!("{host:?} is no host of a metadata server");
        DriverError::new(ErrorKind::Unauthenticated, PROVIDER, says).with_action(action)
    })?;
    let flavor = HeaderName::from_static("metadata-flavor");
    let segments: Vec<&str> = what.split('/').collect();
    let call = Call::new("metadata", action, Effect::Read, Method::GET, base).below(&segments);
    Ok(call.header(flavor, HeaderValue::from_static("Google")))
}

/// Where a machine's metadata server is. It speaks plain HTTP.
pub(crate) fn machine_url(host: &str) -> Option<Url> {
    let url = Url::parse(&format!("http://{host}/computeMetadata/v1")).ok()?;
    (url.username().is_empty() && url.query().is_none() && url.fragment().is_none()).then_some(url)
}

async fn send(client: &Client, call: Call) -> Result<Response> {
    let (action, effect) = (call.action(), call.effect());
    let response =
        client.send(call).await.map_err(|error| errors::TABLE.of_transport(action, effect, error))?;
    if response.status.is_success() {
        Ok(response)
    } else {
        Err(errors::of_answer(action, effect, &response))
    }
}
