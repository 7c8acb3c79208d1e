//! Where tokens come from: Microsoft Entra, asked with what the connection holds, or a machine's own managed identity.
//! Tokens stay in memory, one for each audience, asked for once at a time, and are renewed before they end, or when
//! Azure refuses them.
//!
//! Resource Manager authenticates a request before it sends it to a resource provider, so that nothing of what is
//! answered 401 was done: <https://learn.microsoft.com/azure/azure-resource-manager/management/overview#consistent-management-layer>.
//! Azure's own libraries send it again with another token, whatever its method:
//! <https://learn.microsoft.com/python/api/azure-core/azure.core.pipeline.policies.bearertokencredentialpolicy>.
//!
//! Sources: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>,
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use pmks_driver::{Credential, DriverError, Effect, Environment, House, Result};
use pmks_model::{Findings, Says};
use pmks_transport::{
    AllowedHost, Call, Client, ClientOptions, NoSigner, Redaction, Renewable, Renewal, Response, SignError,
    Transport, Url, below,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::assertion::Certificate;
use crate::endpoints::Endpoints;
use crate::wire::login;
use crate::{PROVIDER, errors};

/// How long before their end tokens are renewed: longer than any call takes.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// The instance's metadata service.
const METADATA_SERVICE: &str = "http://169.254.169.254/";
/// The version of the metadata document that names the login endpoint.
const METADATA_VERSION: &str = "2022-09-01";

/// What proves who acts.
#[derive(Clone)]
pub(crate) enum Origin {
    /// An application's secret.
    Secret {
        /// Where the application lives.
        application: Application,
        /// Its secret.
        secret: SecretString,
    },
    /// An application's certificate.
    Certificate {
        /// Where the application lives.
        application: Application,
        /// Its certificate and key.
        certificate: Box<Certificate>,
    },
    /// Another identity provider's token, which the application trusts.
    Federated {
        /// Where the application lives.
        application: Application,
        /// The token.
        token: FederatedToken,
    },
    /// The machine's own identity.
    Managed {
        /// The identity's client ID, where the machine has several.
        client: Option<String>,
        /// Who hands out tokens.
        service: Url,
        /// The header that the service wants, where it is not the instance's own.
        header: Option<SecretString>,
    },
}

/// An application in a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    /// The tenant.
    pub(crate) tenant: String,
    /// The application's client ID.
    pub(crate) client: String,
}

/// An identity provider's token.
#[derive(Clone)]
pub(crate) enum FederatedToken {
    /// As given.
    Value(SecretString),
    /// In a file that the machine keeps fresh; ambient connections alone name one.
    File(String),
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret { .. } => "Secret",
            Self::Certificate { .. } => "Certificate",
            Self::Federated { .. } => "Federated",
            Self::Managed { .. } => "Managed",
        })
    }
}

impl Origin {
    /// The origin of a connection's tokens. Reads an ambient certificate's file, and asks nobody.
    ///
    /// # Errors
    /// `InvalidRequest` for a certificate that cannot be used, and an ambient connection that has nothing to go by.
    pub(crate) fn of(credential: &Credential, house: &House) -> Result<Self> {
        let Credential::Values(_) = credential else { return ambient(&house.environment) };
        let value = |field: &str| credential.get(field).unwrap_or_default().to_owned();
        let application = Application { tenant: value("tenantId"), client: value("clientId") };
        if credential.get("clientSecret").is_some() {
            return Ok(Self::Secret { application, secret: SecretString::from(value("clientSecret")) });
        }
        if credential.get("clientCertificate").is_some() {
            let pem = SecretString::from(value("clientCertificate"));
            return of_certificate(application, &pem, "credential.clientCertificate");
        }
        let token = FederatedToken::Value(SecretString::from(value("federatedToken")));
        Ok(Self::Federated { application, token })
    }
}

impl Origin {
    /// Who acts, for people and for the request budget.
    pub(crate) fn principal(&self) -> String {
        match self {
            Self::Secret { application, .. }
            | Self::Certificate { application, .. }
            | Self::Federated { application, .. } => application.client.clone(),
            Self::Managed { client, .. } => client.clone().unwrap_or_else(|| "managed identity".to_owned()),
        }
    }
}

fn of_certificate(application: Application, pem: &SecretString, field: &str) -> Result<Origin> {
    match Certificate::read(pem) {
        Ok(certificate) => Ok(Origin::Certificate { application, certificate: Box::new(certificate) }),
        Err(says) => Err(refused(field, says)),
    }
}

/// What the environment holds, in the order in which Azure's own libraries look: an application's secret or
/// certificate, a workload's federated token, a managed identity.
///
/// Source: <https://learn.microsoft.com/dotnet/api/azure.identity.environmentcredential>,
/// <https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html>
fn ambient(environment: &Environment) -> Result<Origin> {
    let value = |name: &str| environment.get(name).map(str::to_owned);
    let client = value("AZURE_CLIENT_ID");
    if let (Some(tenant), Some(client)) = (value("AZURE_TENANT_ID"), client.clone()) {
        let application = Application { tenant, client };
        if let Some(secret) = value("AZURE_CLIENT_SECRET") {
            return Ok(Origin::Secret { application, secret: SecretString::from(secret) });
        }
        if let Some(path) = value("AZURE_CLIENT_CERTIFICATE_PATH") {
            let field = "credential.ambient";
            let text = std::fs::read_to_string(&path)
                .map_err(|error| refused(field, format!("AZURE_CLIENT_CERTIFICATE_PATH: {path}: {error}")))?;
            return of_certificate(application, &SecretString::from(text), field);
        }
        if let Some(path) = value("AZURE_FEDERATED_TOKEN_FILE") {
            return Ok(Origin::Federated { application, token: FederatedToken::File(path) });
        }
    }
    let service = value("IDENTITY_ENDPOINT");
    let header = value("IDENTITY_HEADER").map(SecretString::from);
    let base = match (&service, &header) {
        (Some(endpoint), Some(_)) => endpoint.clone(),
        _ => value("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or_else(|| METADATA_SERVICE.to_owned()),
    };
    let service = Url::parse(&base)
        .map_err(|error| refused("credential.ambient", format!("{base} is no URL: {error}")))?;
    let header = header.filter(|_| environment.get("IDENTITY_ENDPOINT").is_some());
    Ok(Origin::Managed { client, service, header })
}

fn refused(field: &str, says: impl Into<Says>) -> DriverError {
    let mut findings = Findings::default();
    findings.add(field, says);
    DriverError::invalid(PROVIDER, findings)
}

/// A token, and until when it holds.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// The token itself.
    pub(crate) secret: SecretString,
    /// Its end.
    pub(crate) end: Timestamp,
}

/// The tokens of one connection.
#[derive(Debug)]
pub(crate) struct Tokens {
    origin: Origin,
    transport: Transport,
    setting: Setting,
    kept: Mutex<BTreeMap<String, Arc<Renewable<Token>>>>,
    /// Who gives tokens, once the metadata document has named them.
    authority: Mutex<Option<Authority>>,
}

/// Who gives tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Authority {
    /// Where, without the tenant.
    login: Url,
    /// What Resource Manager's tokens are for, where its metadata document says so.
    audience: Option<String>,
}

impl Authority {
    /// Whether it is Active Directory Federation Services, as an Azure Stack Hub without Entra has it: a login endpoint
    /// that ends so. They know neither tenants nor versions, and take a resource; in scopes they do from 2019 on alone.
    ///
    /// Sources: <https://learn.microsoft.com/azure-stack/user/azure-stack-version-profiles-azurecli2>,
    /// <https://learn.microsoft.com/windows-server/identity/ad-fs/overview/ad-fs-openid-connect-oauth-concepts>,
    /// <https://github.com/AzureAD/microsoft-authentication-library-for-dotnet>, `AdfsAuthority`
    fn is_ad_fs(&self) -> bool {
        let last = self.login.path().trim_end_matches('/').rsplit('/').next();
        last.is_some_and(|last| last.eq_ignore_ascii_case("adfs"))
    }

    fn token_url(&self, tenant: &str) -> Url {
        if self.is_ad_fs() {
            below(&self.login, &["oauth2", "token"])
        } else {
            below(&self.login, &[tenant, "oauth2", "v2.0", "token"])
        }
    }

    /// What the token is asked to be for, as this authority takes it; `usual` is what Resource Manager's are for
    /// elsewhere.
    fn wanted(&self, scope: &str, usual: &str) -> (&'static str, String) {
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        let resource = match &self.audience {
            Some(own) if resource == usual => own,
            _ => resource,
        };
        if self.is_ad_fs() {
            ("resource", resource.to_owned())
        } else {
            ("scope", format!("{resource}/.default"))
        }
    }
}

/// What a connection says of the way to the token endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Where Azure is.
    pub(crate) endpoints: Arc<Endpoints>,
    /// An authority to trust beside the machine's, as PEM.
    pub(crate) ca_certificate: Option<String>,
    /// How many times faster than the real cloud this one works.
    pub(crate) pace: u32,
}

impl Tokens {
    /// Tokens of that origin. Asks nobody.
    pub(crate) fn new(origin: Origin, transport: Transport, setting: Setting) -> Self {
        Self { origin, transport, setting, kept: Mutex::default(), authority: Mutex::default() }
    }

    /// A token for that scope (`https://management.azure.com/.default`) that is valid at `now` and for some time after.
    ///
    /// # Errors
    /// [`SignError`] where there is none: temporary where nobody answered.
    pub(crate) async fn token(&self, scope: &str, now: Timestamp) -> std::result::Result<Token, SignError> {
        let renew = async {
            let token = self.asked(scope, now).await?;
            let end = token.end;
            Ok((token, end))
        };
        self.of_scope(scope).await.at(now, |error: &SignError| error.temporary, renew).await
    }

    /// Azure refused a call that carried this token of that scope: whether there is, or will be, another.
    pub(crate) async fn refused(&self, scope: &str, token: &str, now: Timestamp) -> Renewal {
        self.of_scope(scope).await.refused(now, |kept| kept.secret.expose_secret() == token).await
    }

    /// Azure carried out a call with this token of that scope.
    pub(crate) async fn accepted(&self, scope: &str, token: &str) {
        self.of_scope(scope).await.accepted(|kept| kept.secret.expose_secret() == token).await;
    }

    async fn of_scope(&self, scope: &str) -> Arc<Renewable<Token>> {
        let mut kept = self.kept.lock().await;
        let one = kept.entry(scope.to_owned()).or_insert_with(|| Arc::new(Renewable::new(RENEWED_BEFORE)));
        Arc::clone(one)
    }

    async fn asked(&self, scope: &str, now: Timestamp) -> std::result::Result<Token, SignError> {
        match &self.origin {
            Origin::Managed { client, service, header } => {
                self.of_machine(scope, client.as_deref(), service, header.as_ref(), now).await
            }
            Origin::Secret { application, secret } => {
                let proof = [("client_secret", secret.clone())];
                self.of_application(application, scope, &proof, now).await
            }
            Origin::Certificate { application, certificate } => {
                let authority = self.authority().await?;
                let audience = authority.token_url(&application.tenant);
                let assertion =
                    certificate.assertion(&application.client, audience.as_str(), now).map_err(|error| {
                        SignError::credential("nothing can be signed with the certificate").caused_by(error)
                    })?;
                self.of_application(application, scope, &asserted(assertion), now).await
            }
            Origin::Federated { application, token } => {
                let assertion = read(token).await?;
                self.of_application(application, scope, &asserted(assertion), now).await
            }
        }
    }

    async fn of_application(
        &self,
        application: &Application,
        scope: &str,
        proof: &[(&'static str, SecretString)],
        now: Timestamp,
    ) -> std::result::Result<Token, SignError> {
        let authority = self.authority().await?;
        let url = authority.token_url(&application.tenant);
        let (name, wanted) = authority.wanted(scope, self.setting.endpoints.audience());
        let mut fields =
            vec![("grant_type", "client_credentials"), ("client_id", &application.client), (name, &wanted)];
        fields.extend(proof.iter().map(|(name, value)| (*name, value.expose_secret())));
        // It changes nothing at Azure: a lost answer is simply asked for again.
        let call = Call::new("login", "login.Token", Effect::Read, Method::POST, url).form(&fields);
        let response = self.send(call, &authority.login).await?;
        let answer: login::Token = read_answer(&response)?;
        let end = now.checked_add(SignedDuration::from_secs(answer.expires_in.0)).unwrap_or(now);
        Ok(Token { secret: SecretString::from(answer.value), end })
    }

    async fn of_machine(
        &self,
        scope: &str,
        client: Option<&str>,
        service: &Url,
        header: Option<&SecretString>,
        now: Timestamp,
    ) -> std::result::Result<Token, SignError> {
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        let (url, version) = match header {
            Some(_) => (service.clone(), "2019-08-01"),
            None => (below(service, &["metadata", "identity", "oauth2", "token"]), "2018-02-01"),
        };
        let mut call = Call::new("login", "login.ManagedIdentity", Effect::Read, Method::GET, url)
            .query("api-version", version)
            .query("resource", resource);
        call = match header {
            None => call.header(HeaderName::from_static("metadata"), HeaderValue::from_static("true")),
            Some(secret) => {
                let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(|error| {
                    SignError::credential("IDENTITY_HEADER is no header").caused_by(error)
                })?;
                value.set_sensitive(true);
                call.header(HeaderName::from_static("x-identity-header"), value)
            }
        };
        if let Some(client) = client {
            call = call.query("client_id", client);
        }
        let response = self.send(call, service).await?;
        let answer: login::Token = read_answer(&response)?;
        let end = match answer.expires_on {
            Some(login::Number(at)) => Timestamp::from_second(at).unwrap_or(now),
            None => now.checked_add(SignedDuration::from_secs(answer.expires_in.0)).unwrap_or(now),
        };
        Ok(Token { secret: SecretString::from(answer.value), end })
    }

    /// Where tokens are asked for: as the connection says, else as the resource manager's metadata document does.
    async fn authority(&self) -> std::result::Result<Authority, SignError> {
        let endpoints = &self.setting.endpoints;
        if let Some(login) = endpoints.login() {
            return Ok(Authority { login: login.clone(), audience: None });
        }
        let mut found = self.authority.lock().await;
        if let Some(authority) = &*found {
            return Ok(authority.clone());
        }
        let manager = endpoints.resource_manager();
        let url = below(manager, &["metadata", "endpoints"]);
        let call = Call::new("resourceManager", "metadata.Endpoints", Effect::Read, Method::GET, url)
            .query("api-version", METADATA_VERSION);
        let response = self.send(call, manager).await?;
        let document: login::Metadata = read_answer(&response)?;
        let text = document.login_endpoint().unwrap_or_default();
        let login = Url::parse(text).map_err(|error| {
            SignError::credential("the resource manager's metadata document names no login endpoint")
                .caused_by(error)
        })?;
        let authority = Authority { login, audience: document.audience().map(str::to_owned) };
        *found = Some(authority.clone());
        Ok(authority)
    }

    async fn send(&self, call: Call, origin: &Url) -> std::result::Result<Response, SignError> {
        let action = call.action();
        let client = self.client(origin)?;
        let answer = client.send(call).await;
        let response = answer
            .map_err(|error| SignError::unavailable(format!("{action} was not answered")).caused_by(error))?;
        if response.status.is_success() { Ok(response) } else { Err(errors::of_login(action, &response)) }
    }

    /// A client for that origin alone. What it sends and gets is nothing but secrets: no body is recorded.
    fn client(&self, origin: &Url) -> std::result::Result<Client, SignError> {
        let mut options = ClientOptions::new(PROVIDER, Arc::new(NoSigner));
        "login".clone_into(&mut options.account);
        options.ca_certificate.clone_from(&self.setting.ca_certificate);
        options.pace = self.setting.pace;
        options.limits.total = Duration::from_secs(20);
        options.allowed_hosts = vec![AllowedHost::origin_of(origin)];
        options.redaction = Redaction::default().without_bodies();
        self.transport.client(options).map_err(|error| {
            SignError::credential("the connection's certificate authority cannot be used").caused_by(error)
        })
    }
}

fn asserted(assertion: SecretString) -> [(&'static str, SecretString); 2] {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    [("client_assertion_type", SecretString::from(kind.to_owned())), ("client_assertion", assertion)]
}

async fn read(token: &FederatedToken) -> std::result::Result<SecretString, SignError> {
    match token {
        FederatedToken::Value(token) => Ok(token.clone()),
        FederatedToken::File(path) => {
            let unread = |error| SignError::unavailable(format!("{path} cannot be read")).caused_by(error);
            let text = tokio::fs::read_to_string(path).await.map_err(unread)?;
            Ok(SecretString::from(text.trim().to_owned()))
        }
    }
}

fn read_answer<T: for<'a> Deserialize<'a>>(response: &Response) -> std::result::Result<T, SignError> {
    serde_json::from_slice(&response.body)
        // The cause would quote the answer, which holds the token.
        .map_err(|_| SignError::unavailable("the token endpoint's answer cannot be read"))
}

#[cfg(test)]
#[path = "token_source_tests.rs"]
mod tests;
