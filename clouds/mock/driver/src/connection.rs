//! The provider: makes a driver of a connection, once everything about the connection has been found right.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use pmks_driver::{
    Capabilities, ConnectionSpecification, Credential, Driver, DriverError, Environment, ErrorKind, House,
    Provider, Result, validate_settings,
};
use pmks_model::Findings;
use pmks_transport::{AllowedHost, ClientOptions, SignContext, SignError, Signer, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::api::Api;
use crate::capabilities::{CAPABILITIES, MOCK_NAME};
use crate::driver::MockDriver;
use crate::{PROVIDER, errors};

/// Where the cloud of a connection is that names no endpoint: within the process that works on it.
#[async_trait]
pub trait Home: Send + Sync {
    /// Its URL. Begins the cloud where it has not begun.
    ///
    /// # Errors
    /// Why it cannot be begun.
    async fn url(&self) -> std::result::Result<Url, String>;
}

/// The Mock cloud.
#[derive(Clone, Default)]
pub struct Mock {
    home: Option<Arc<dyn Home>>,
}

impl Mock {
    /// One whose connections need no endpoint.
    pub fn at_home(home: Arc<dyn Home>) -> Self {
        Self { home: Some(home) }
    }

    /// Where the cloud is, and whether it is the one within the process.
    async fn endpoint(&self, connection: &ConnectionSpecification) -> Result<(Url, bool)> {
        let named = connection.endpoints.get(PROVIDER).or_else(|| connection.endpoints.get("all"));
        match (named, &self.home) {
            (Some(url), _) => Ok((url.clone(), false)),
            (None, Some(home)) => home.url().await.map(|url| (url, true)).map_err(|why| {
                DriverError::new(
                    ErrorKind::Unavailable,
                    PROVIDER,
                    format!("the Mock cloud does not begin: {why}"),
                )
            }),
            (None, None) => {
                let mut findings = Findings::default();
                findings.add("endpoints.all", "is required: there is no Mock cloud in this process");
                Err(DriverError::invalid(PROVIDER, findings))
            }
        }
    }
}

#[async_trait]
impl Provider for Mock {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check(&self, connection: &ConnectionSpecification, _: &Environment) -> Findings {
        let mut findings = validate_settings(&connection.settings, &CAPABILITIES);
        if let Err(wrong) = connection.credential.form(CAPABILITIES.credential_forms) {
            findings.extend(wrong);
        }
        match &connection.credential {
            Credential::Ambient => {
                findings.add("credential.ambient", "the Mock cloud has no chain of its own");
            }
            given
                if given
                    .get(MOCK_NAME)
                    .is_some_and(|name| !name.bytes().all(|byte| byte.is_ascii_graphic())) =>
            {
                findings
                    .add("credential.mockName", "must be letters, digits and signs of ASCII, without spaces");
            }
            Credential::Values(_) => {}
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_place = |text: &str| (1..=64).contains(&text.len()) && text.chars().all(plain);
        if !is_place(&connection.region) {
            findings.add("region", "must be a name such as mercury or default");
        }
        if connection.zone.as_deref().is_some_and(|zone| !is_place(zone)) {
            findings.add("zone", "must be a zone of the region, such as mercury-z1");
        }
        for (service, url) in &connection.endpoints {
            let field = format!("endpoints.{service}");
            if !matches!(service.as_str(), PROVIDER | "all") {
                findings.add(field, "is not known here; known are all, mock");
            } else if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
                findings.add(field, "must be an http or https URL without a query");
            } else if !url.username().is_empty() || url.password().is_some() {
                findings.add(field, "must not hold a user name or password");
            }
        }
        findings
    }

    async fn connect(&self, connection: &ConnectionSpecification, house: &House) -> Result<Arc<dyn Driver>> {
        let findings = self.check(connection, &house.environment);
        findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
        let (endpoint, at_home) = self.endpoint(connection).await?;
        let name = SecretString::from(connection.credential.get(MOCK_NAME).unwrap_or_default());
        let mut options = ClientOptions::new(PROVIDER, Arc::new(Bearer(name)));
        options.buckets = CAPABILITIES.budget();
        options.ca_certificate.clone_from(&connection.ca_certificate);
        options.pace = connection.pace.max(1);
        options.allowed_hosts = vec![AllowedHost::origin_of(&endpoint)];
        options.classify = errors::verdict;
        let made = house.transport.client(options);
        let client =
            made.map_err(|error| errors::TABLE.of_transport("connect", pmks_driver::Effect::Read, error))?;
        let api = Api::new(client, &endpoint, &connection.region);
        let zone = connection.zone.as_deref().map(Arc::from);
        Ok(Arc::new(MockDriver { api, region: Arc::from(connection.region.as_str()), zone, at_home }))
    }

    fn wrong_credential(&self, right: &Credential) -> Option<Credential> {
        let name = right.get(MOCK_NAME)?;
        Some(Credential::from_values([(MOCK_NAME.to_owned(), format!("wrong-{name}"))]))
    }
}

/// Shows the name.
struct Bearer(SecretString);

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")
    }
}

#[async_trait]
impl Signer for Bearer {
    async fn sign(
        &self,
        request: &mut Request<Bytes>,
        _: SignContext<'_>,
    ) -> std::result::Result<(), SignError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0.expose_secret()))
            .map_err(|_| SignError::credential("the name cannot stand in a header"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn fields(region: &str, name: &str, endpoint: Option<&str>) -> Vec<String> {
        let endpoints = endpoint.map(|url| ("all".to_owned(), url.parse().unwrap()));
        let connection = ConnectionSpecification {
            name: "m".to_owned(),
            region: region.to_owned(),
            zone: None,
            credential: Credential::from_values([(MOCK_NAME.to_owned(), name.to_owned())]),
            endpoints: endpoints.into_iter().collect(),
            ca_certificate: None,
            settings: BTreeMap::new(),
            pace: 1,
        };
        let findings = Mock::default().check(&connection, &Environment::default());
        findings.iter().map(|finding| finding.field.clone()).collect()
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        assert!(fields("default", "mock_name00", None).is_empty());
        assert_eq!(fields("a/b", "mock_name00", None), ["region"]);
        assert_eq!(fields("mars", "two words", None), ["credential.mockName"]);
        assert_eq!(fields("mars", "", None), ["credential.mockName"]);
        assert_eq!(fields("mars", "m", Some("ftp://127.0.0.1/")), ["endpoints.all"]);
        assert_eq!(fields("mars", "m", Some("http://u:p@127.0.0.1/")), ["endpoints.all"]);
    }
}
