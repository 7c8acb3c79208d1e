//! The provider: makes a driver of a connection, once everything about the connection has been found right.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use pmks_driver::{
    Capabilities, ConnectionSpecification, Credential, Driver, DriverError, Environment, House, Provider,
    Result, validate_settings,
};
use pmks_model::Findings;
use pmks_transport::{AllowedHost, Client, ClientOptions, NoSigner, Redaction, Signer};

use crate::api::{Api, TokenApi, machine_url};
use crate::capabilities::CAPABILITIES;
use crate::credential::{FORMS, PRIVATE_KEY, SERVICE_ACCOUNT_KEY};
use crate::driver::{GcpDriver, Here, Settings};
use crate::endpoints::Endpoints;
use crate::identity::{
    Assertion, Bearer, Found, Origin, ServiceAccount, Subject, Tokens, ambient, service_account,
};
use crate::{PROVIDER, credential, errors, names};

/// Google Cloud.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gcp;

#[async_trait]
impl Provider for Gcp {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check(&self, connection: &ConnectionSpecification, _: &Environment) -> Findings {
        let (_, mut findings) = known(connection);
        if let Err(wrong) = connection.credential.form(FORMS) {
            findings.extend(wrong);
        }
        findings
    }

    async fn connect(&self, connection: &ConnectionSpecification, house: &House) -> Result<Arc<dyn Driver>> {
        Ok(Arc::new(driver(connection, house).await?))
    }

    fn wrong_credential(&self, right: &Credential) -> Option<Credential> {
        credential::wrong(right)
    }
}

/// The settings, and everything that is wrong beside the credential, without asking anybody.
fn known(connection: &ConnectionSpecification) -> (Settings, Findings) {
    let mut findings = validate_settings(&connection.settings, &CAPABILITIES);
    places(connection, &mut findings);
    let settings = Settings::of(&connection.settings);
    settings.check(&mut findings);
    Endpoints::check(&connection.endpoints, &mut findings);
    (settings, findings)
}

async fn driver(connection: &ConnectionSpecification, house: &House) -> Result<GcpDriver> {
    let (settings, mut findings) = known(connection);
    let given = match (connection.credential.form(FORMS), &connection.credential) {
        (Err(wrong), _) => {
            findings.extend(wrong);
            None
        }
        (Ok(_), Credential::Ambient) => None,
        (Ok(_), given @ Credential::Values(_)) => of_values(given, &mut findings),
    };
    findings.into_result().map_err(invalid)?;
    let endpoints = Arc::new(Endpoints::new(&connection.endpoints));
    let found = match given {
        Some(found) => found,
        None => ambient(&house.environment).await?,
    };
    let maker = Maker { connection, house, endpoints: &endpoints };
    let tokens = maker.token_api(&found.origin)?;
    let project = project(&settings, &found, &tokens, house).await?;
    let acting = found.origin.acting_for(settings.impersonate_service_account.as_deref());
    let tokens = Arc::new(Tokens::new(Found { origin: acting, ..found }, tokens));
    let signer: Arc<dyn Signer> = Arc::new(Bearer(Arc::clone(&tokens)));
    let client = maker.client(Arc::clone(&signer), endpoints.hosts(), Redaction::default(), &project)?;
    let private = Redaction::default().without_bodies();
    let private = maker.client(signer, endpoints.hosts(), private, &project)?;
    Ok(GcpDriver {
        api: Api::new(client, private, Arc::clone(&endpoints), &project),
        here: Arc::new(Here {
            region: connection.region.clone(),
            zone: connection.zone.clone(),
            pace: connection.pace.max(1),
            tokens,
            transport: house.transport.clone(),
            place_is_known: AtomicBool::new(false),
        }),
    })
}

/// What a credential that was given holds; `None` beside findings.
fn of_values(credential: &Credential, findings: &mut Findings) -> Option<Found> {
    let value = |field: &str| credential.get(field).unwrap_or_default();
    let whole = value(SERVICE_ACCOUNT_KEY);
    if !whole.is_empty() {
        let found = service_account(whole, &format!("credential.{SERVICE_ACCOUNT_KEY}"));
        return found.map_err(|wrong| findings.extend(wrong)).ok();
    }
    if !names::is_address(value("clientEmail").trim()) {
        let says = "must be a service account's address, such as name@project.iam.gserviceaccount.com";
        findings.add("credential.clientEmail", says);
    }
    let project = value("projectId").trim().to_owned();
    if !names::is_project(&project) {
        let says = "must be a project's id, such as my-project-123; not its number";
        findings.add("credential.projectId", says);
    }
    let account = ServiceAccount::new(value("clientEmail"), value(PRIVATE_KEY), None);
    if account.is_none() {
        findings.add(format!("credential.{PRIVATE_KEY}"), "is no RSA key in PEM");
    }
    let origin = Origin::ServiceAccount(account?);
    Some(Found { origin, project: Some(project), quota_project: None })
}

/// The project that the connection is about: the setting, the credential's own, the environment's, the machine's.
async fn project(settings: &Settings, found: &Found, tokens: &TokenApi, house: &House) -> Result<String> {
    let environment = || {
        let names = ["GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"];
        names.iter().find_map(|name| house.environment.get(name)).map(str::to_owned)
    };
    let known = settings.project_id.clone().or_else(|| found.project.clone()).or_else(environment);
    let project = match (known, found.origin.innermost()) {
        (Some(project), _) => project,
        (None, Origin::Machine { host }) => tokens.machine_project(host).await.map_err(|error| {
            let says =
                "neither the environment nor a file holds a credential, and no metadata server answers";
            invalid(finding("credential.ambient", says)).caused_by(error)
        })?,
        (None, _) => {
            let says = "is required: the credential names no project, and neither does GOOGLE_CLOUD_PROJECT";
            return Err(invalid(finding("settings.projectId", says)));
        }
    };
    if names::is_project(&project) {
        Ok(project)
    } else {
        // Whatever stands there instead is not repeated: it may be a whole key.
        let says = "what the credential or the environment names is no project's id, such as my-project-123";
        Err(invalid(finding("settings.projectId", says)))
    }
}

/// What the clients of one connection have in common.
struct Maker<'a> {
    connection: &'a ConnectionSpecification,
    house: &'a House,
    endpoints: &'a Arc<Endpoints>,
}

impl Maker<'_> {
    fn token_api(&self, origin: &Origin) -> Result<TokenApi> {
        let who = origin.principal().unwrap_or_else(|| "machine".to_owned());
        let mut hosts = self.endpoints.hosts();
        let mut subject = None;
        let mut asserting = None;
        match origin.innermost() {
            Origin::ServiceAccount(account) => {
                let signer: Arc<dyn Signer> = Arc::new(Assertion(account.clone()));
                asserting = Some(self.client(signer, hosts.clone(), Redaction::default(), &who)?);
            }
            Origin::Machine { host } => hosts.extend(machine_url(host).as_ref().map(AllowedHost::origin_of)),
            Origin::External(external) => {
                if let Subject::Url { url, .. } = &external.subject {
                    let hosts = vec![AllowedHost::origin_of(url)];
                    let hidden = Redaction::default().without_bodies();
                    subject = Some(self.client(Arc::new(NoSigner), hosts, hidden, &who)?);
                }
            }
            Origin::AuthorizedUser(_) | Origin::Impersonated { .. } => {}
        }
        let client = self.client(Arc::new(NoSigner), hosts, Redaction::default(), &who)?;
        Ok(TokenApi { client, asserting, subject, endpoints: Arc::clone(self.endpoints) })
    }

    /// A client that uses that account's request budget: Google counts by project.
    fn client(
        &self,
        signer: Arc<dyn Signer>,
        hosts: Vec<AllowedHost>,
        redaction: Redaction,
        account: &str,
    ) -> Result<Client> {
        let mut options = ClientOptions::new(PROVIDER, signer);
        account.clone_into(&mut options.account);
        options.buckets = CAPABILITIES.budget();
        options.ca_certificate.clone_from(&self.connection.ca_certificate);
        options.pace = self.connection.pace.max(1);
        options.allowed_hosts = hosts;
        options.classify = errors::verdict;
        options.redaction = redaction;
        let made = self.house.transport.client(options);
        made.map_err(|error| errors::TABLE.of_transport("connect", pmks_driver::Effect::Read, error))
    }
}

fn places(connection: &ConnectionSpecification, findings: &mut Findings) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let region = connection.region.as_str();
    if region.is_empty()
        || region.len() > 40
        || !region.chars().all(plain)
        || names::region_of(region) != region
    {
        findings.add("region", "must be a region's name, such as asia-northeast3");
    } else if let Some(zone) = &connection.zone
        && (names::region_of(zone) != region || zone == region)
    {
        findings.add("zone", format!("must be a zone of {region}, such as {region}-a"));
    }
}

fn finding(field: &str, says: &str) -> Findings {
    let mut findings = Findings::default();
    findings.add(field, says);
    findings
}

fn invalid(findings: Findings) -> DriverError {
    DriverError::invalid(PROVIDER, findings)
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
