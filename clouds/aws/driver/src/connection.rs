//! The provider: makes a driver of a connection, once everything about the connection has been found right.

use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::Credentials as Keys;
use pmks_driver::{
    Capabilities, ConnectionSpecification, Credential, Driver, DriverError, House, Provider, Result,
    validate_settings,
};
use pmks_model::Findings;
use pmks_transport::{Bucket, Buckets, ClientOptions};

use crate::api::Api;
use crate::capabilities::CAPABILITIES;
use crate::credential::{FORMS, KeySource, SigV4, StaticKeys};
use crate::driver::{AwsDriver, Here, Settings};
use crate::endpoints::Endpoints;
use crate::{PROVIDER, errors};

/// Amazon Web Services.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aws;

#[async_trait]
impl Provider for Aws {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn connect(&self, connection: &ConnectionSpecification, house: &House) -> Result<Arc<dyn Driver>> {
        Ok(Arc::new(driver(connection, house)?))
    }
}

fn driver(connection: &ConnectionSpecification, house: &House) -> Result<AwsDriver> {
    let mut findings = validate_settings(&connection.settings, &CAPABILITIES);
    if let Err(wrong) = connection.credential.form(FORMS) {
        findings.extend(wrong);
    }
    zone_of_region(connection, &mut findings);
    findings.into_result().map_err(|findings| DriverError::invalid(PROVIDER, findings))?;
    let endpoints = Arc::new(Endpoints::new(&connection.region, &connection.endpoints)?);
    let keys = key_source(connection);
    let mut options = ClientOptions::new(PROVIDER, Arc::new(SigV4(Arc::clone(&keys))));
    options.account.clone_from(&connection.name);
    options.region = Some(connection.region.clone());
    options.buckets = buckets();
    options.ca_certificate.clone_from(&connection.ca_certificate);
    options.pace = connection.pace.max(1);
    options.allowed_hosts = endpoints.hosts();
    options.classify = errors::verdict;
    let client = house
        .transport
        .client(options)
        .map_err(|error| errors::of_transport("connect", pmks_driver::Effect::Read, error))?;
    Ok(AwsDriver {
        api: Api::new(client, endpoints),
        here: Arc::new(Here {
            zone: connection.zone.clone(),
            settings: Settings::of(&connection.settings),
            installation: house.installation.clone(),
            pace: connection.pace.max(1),
            keys,
            transport: house.transport.clone(),
        }),
    })
}

fn zone_of_region(connection: &ConnectionSpecification, findings: &mut Findings) {
    if let Some(zone) = &connection.zone
        && !zone.starts_with(&connection.region)
    {
        findings
            .add("zone", format!("must be a zone of {}, such as {}a", connection.region, connection.region));
    }
}

fn key_source(connection: &ConnectionSpecification) -> Arc<dyn KeySource> {
    let value = |field| connection.credential.get(field).unwrap_or_default().to_owned();
    let session = match &connection.credential {
        Credential::Values(_) => connection.credential.get("sessionToken").map(str::to_owned),
        Credential::Ambient => None,
    };
    Arc::new(StaticKeys(Keys::new(
        value("accessKeyId"),
        value("secretAccessKey"),
        session,
        None,
        "connection",
    )))
}

fn buckets() -> Buckets {
    CAPABILITIES.buckets.iter().fold(Buckets::default(), |buckets, entry| {
        let bucket = Bucket::new(entry.burst, entry.per_second);
        if entry.action.is_empty() {
            buckets.service(entry.service, bucket)
        } else {
            buckets.action(entry.action, bucket)
        }
    })
}
