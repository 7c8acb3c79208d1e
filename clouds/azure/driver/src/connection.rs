//! The provider: makes a driver of a connection, once everything about the connection has been found right.

use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::{
    Capabilities, ConnectionSpecification, Credential, Driver, DriverError, Environment, House, Provider,
    Result, gather, validate_settings,
};
use pmks_model::Findings;
use pmks_transport::{ClientOptions, Redaction};

use crate::api::Api;
use crate::arm_id::is_uuid;
use crate::capabilities::CAPABILITIES;
use crate::credential::{Bearer, FORMS};
use crate::driver::{AzureDriver, Here, Settings};
use crate::endpoints::{Cloud, Endpoints};
use crate::token_source::{Origin, Setting, Tokens};
use crate::{PROVIDER, errors};

/// An application that no tenant has.
const NOBODYS_APPLICATION: &str = "00000000-0000-4000-8000-000000000000";

/// Microsoft Azure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Azure;

#[async_trait]
impl Provider for Azure {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check(&self, connection: &ConnectionSpecification, environment: &Environment) -> Findings {
        Known::of(connection, environment).findings
    }

    async fn connect(&self, connection: &ConnectionSpecification, house: &House) -> Result<Arc<dyn Driver>> {
        Ok(Arc::new(driver(connection, house)?))
    }

    /// Other letters in a certificate would make it none: it is said to be another application's.
    fn wrong_credential(&self, right: &Credential) -> Option<Credential> {
        right.get("clientCertificate")?;
        let value = |field: &str| match field {
            "clientId" => NOBODYS_APPLICATION.to_owned(),
            field => right.get(field).unwrap_or_default().to_owned(),
        };
        let fields = right.fields().into_iter();
        Some(Credential::from_values(fields.map(|field| (field.to_owned(), value(field)))))
    }
}

/// What a connection says, read without asking anybody, and everything wrong with it.
struct Known {
    settings: Settings,
    subscription: String,
    endpoints: Result<Option<Endpoints>>,
    findings: Findings,
}

impl Known {
    fn of(connection: &ConnectionSpecification, environment: &Environment) -> Self {
        let mut findings = validate_settings(&connection.settings, &CAPABILITIES);
        if let Err(wrong) = connection.credential.form(FORMS) {
            findings.extend(wrong);
        }
        check_names(connection, &mut findings);
        let settings = Settings::of(&connection.settings, &connection.region);
        check_places(connection, &settings, &mut findings);
        let subscription = subscription(connection, environment, &settings, &mut findings);
        let cloud = Cloud::of(settings.cloud.as_deref());
        let made = Endpoints::new(&connection.region, cloud, &connection.endpoints);
        let endpoints = gather(made, &mut findings);
        Self { settings, subscription, endpoints, findings }
    }
}

fn driver(connection: &ConnectionSpecification, house: &House) -> Result<AzureDriver> {
    let Known { settings, subscription, endpoints, mut findings } = Known::of(connection, &house.environment);
    let endpoints = endpoints?;
    let origin = gather(Origin::of(&connection.credential, house), &mut findings)?;
    let (Some(endpoints), Some(origin), true) = (endpoints, origin, findings.is_empty()) else {
        return Err(DriverError::invalid(PROVIDER, findings));
    };
    let endpoints = Arc::new(endpoints);
    let principal = origin.principal();
    let setting = Setting {
        endpoints: Arc::clone(&endpoints),
        ca_certificate: connection.ca_certificate.clone(),
        pace: connection.pace.max(1),
    };
    let tokens = Arc::new(Tokens::new(origin, house.transport.clone(), setting));
    let scope = format!("{}/.default", endpoints.audience());
    let mut options = ClientOptions::new(PROVIDER, Arc::new(Bearer { tokens: Arc::clone(&tokens), scope }));
    // ARM counts by subscription, principal and region.
    options.account = format!("{subscription}/{principal}/{}", connection.region);
    options.region = Some(connection.region.clone());
    options.buckets = CAPABILITIES.budget();
    options.ca_certificate.clone_from(&connection.ca_certificate);
    options.pace = connection.pace.max(1);
    options.allowed_hosts = endpoints.hosts();
    options.redaction = Redaction::default();
    let made = house.transport.client(options);
    let client =
        made.map_err(|error| errors::TABLE.of_transport("connect", pmks_driver::Effect::Read, error))?;
    Ok(AzureDriver {
        api: Api::new(client, endpoints, &subscription),
        here: Arc::new(Here {
            zone: connection.zone.clone(),
            settings,
            pace: connection.pace.max(1),
            principal,
            tokens,
            transport: house.transport.clone(),
            place_is_known: std::sync::atomic::AtomicBool::default(),
            ways_in: std::sync::Mutex::default(),
        }),
    })
}

/// The directory stands in the path of every request for a token: an ID, or a domain.
///
/// Source: <https://learn.microsoft.com/entra/identity-platform/v2-protocols#endpoints>
fn check_names(connection: &ConnectionSpecification, findings: &mut Findings) {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    for field in ["tenantId", "clientId"] {
        let given = connection.credential.get(field).unwrap_or_default();
        if !given.chars().all(fits) || given.starts_with('.') {
            findings.add(format!("credential.{field}"), "must be an ID: letters, digits, - and . alone");
        }
    }
}

/// Zones are numbers; what goes into paths is checked before anything is sent.
fn check_places(connection: &ConnectionSpecification, settings: &Settings, findings: &mut Findings) {
    if let Some(zone) = &connection.zone
        && !matches!(zone.as_str(), "1" | "2" | "3" | "4")
    {
        findings.add("zone", "must be the number of a zone, such as 1");
    }
    let fits = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    let group = settings.resource_group.as_str();
    if group == connection.region {
        // Nobody chose it; what is wrong with it is the region's finding.
        return;
    }
    if group.is_empty() || group.chars().count() > 90 || !group.chars().all(fits) || group.ends_with('.') {
        findings.add(
            "settings.resourceGroup",
            "must be 1 to 90 letters, digits and -_.(), not ending with a dot",
        );
    }
}

/// The subscription: of the credential, or of the setting or the environment of an ambient connection.
fn subscription(
    connection: &ConnectionSpecification,
    environment: &Environment,
    settings: &Settings,
    findings: &mut Findings,
) -> String {
    let own = connection.credential.get("subscriptionId");
    if own.is_some() && settings.subscription.is_some() {
        findings.add("settings.subscription", "stands in the credential already");
    }
    let ambient = || environment.get("AZURE_SUBSCRIPTION_ID");
    let field = if own.is_some() { "credential.subscriptionId" } else { "settings.subscription" };
    let found = own.or(settings.subscription.as_deref()).or_else(ambient).unwrap_or_default();
    let is_form = matches!(connection.credential, Credential::Values(_));
    if found.is_empty() {
        // A form that lacks it has said so already.
        if !is_form {
            findings.add(field, "is required here, or AZURE_SUBSCRIPTION_ID in the environment");
        }
    } else if !is_uuid(found) {
        findings.add(field, "must be a subscription's ID, such as 00000000-0000-0000-0000-000000000000");
    }
    found.to_ascii_lowercase()
}

#[cfg(test)]
pub(crate) mod tests {
    use pmks_transport::{SystemClock, Transport};

    use super::*;

    const SUBSCRIPTION: &str = "00000000-0000-0000-0000-00000000000a";

    /// A driver of a connection with these members.
    pub(crate) fn connected(
        connection: &serde_json::Value,
        environment: &[(&str, &str)],
    ) -> Result<AzureDriver> {
        let mut whole = serde_json::json!({
            "name": "c", "region": "koreacentral", "zone": null, "endpoints": {}, "caCertificate": null, "pace": 1,
            "credential": {"tenantId": "t", "clientId": "c", "clientSecret": "hunter2", "subscriptionId": SUBSCRIPTION},
            "settings": {},
        });
        whole.as_object_mut().unwrap().extend(connection.as_object().unwrap().clone());
        let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let house = House {
            transport: Transport::builder(Arc::new(SystemClock)).build(),
            environment: Environment::new(variables),
            installation: "i".to_owned(),
        };
        driver(&serde_json::from_value(whole).unwrap(), &house)
    }

    #[test]
    fn what_cannot_be_right_is_said_at_once() {
        assert!(connected(&serde_json::json!({}), &[]).is_ok());
        for (connection, says) in [
            (serde_json::json!({"region": "Korea Central"}), "region"),
            (serde_json::json!({"zone": "koreacentral-1"}), "zone: must be the number"),
            (serde_json::json!({"settings": {"colour": "red"}}), "settings.colour"),
            (serde_json::json!({"settings": {"cloud": "AzureGermanCloud"}}), "settings.cloud"),
            (serde_json::json!({"settings": {"resourceGroup": "a/b"}}), "settings.resourceGroup"),
            (
                serde_json::json!({"credential": {"tenantId": "t", "clientSecret": "s"}}),
                "credential.clientId",
            ),
            (
                serde_json::json!({"credential": {"tenantId": "t", "clientId": "c", "clientSecret": "s", "subscriptionId": "x"}}),
                "credential.subscriptionId",
            ),
            (serde_json::json!({"endpoints": {"arm": "http://127.0.0.1"}}), "endpoints.arm"),
            (serde_json::json!({"credential": {"ambient": true}}), "settings.subscription"),
        ] {
            let error = connected(&connection, &[]).unwrap_err();
            assert!(error.message().contains(says), "{error}");
        }
    }

    #[test]
    fn everything_is_said_at_once() {
        let wrong = serde_json::json!({
            "region": "Korea Central", "zone": "koreacentral-1", "endpoints": {"arm": "http://127.0.0.1"},
            "settings": {"colour": "red", "resourceGroup": "a/b"},
            "credential": {"tenantId": "t", "clientId": "c", "clientCertificate": "none", "subscriptionId": "x"},
        });
        let says = connected(&wrong, &[]).unwrap_err().to_string();
        let credential = ["credential.subscriptionId: ", "credential.clientCertificate: "];
        let others =
            ["region: ", "zone: ", "endpoints.arm: ", "settings.colour: ", "settings.resourceGroup: "];
        for field in credential.iter().chain(&others) {
            assert!(says.contains(field), "{field}{says}");
        }
    }

    #[test]
    fn an_ambient_connection_asks_nobody_before_it_is_used() {
        let ambient = serde_json::json!({"credential": {"ambient": true}});
        let made = connected(&ambient, &[("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)]).unwrap();
        assert_eq!(made.api.subscription(), SUBSCRIPTION);
        let settings =
            serde_json::json!({"credential": {"ambient": true}, "settings": {"subscription": SUBSCRIPTION}});
        assert!(connected(&settings, &[]).is_ok());
    }

    #[test]
    fn an_ambient_connection_is_checked_without_asking_anybody() {
        let checked = |more: serde_json::Value, environment: &[(&str, &str)]| {
            let mut whole = serde_json::json!({
                "name": "c", "region": "koreacentral", "zone": null, "endpoints": {}, "caCertificate": null, "pace": 1,
                "credential": {"ambient": true}, "settings": {},
            });
            whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let found = Azure.check(&serde_json::from_value(whole).unwrap(), &Environment::new(variables));
            found.iter().map(|finding| finding.field.clone()).collect::<Vec<_>>()
        };
        let nothing = serde_json::json!({});
        assert_eq!(checked(nothing.clone(), &[]), ["settings.subscription"]);
        assert_eq!(checked(nothing, &[("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)]), [""; 0]);
        let settings = serde_json::json!({"settings": {"subscription": "x"}, "zone": "a"});
        assert_eq!(checked(settings, &[]), ["zone", "settings.subscription"]);
    }

    #[test]
    fn the_resource_group_is_the_regions_name_unless_said_otherwise() {
        let group = |settings| {
            connected(&serde_json::json!({"settings": settings}), &[])
                .unwrap()
                .here
                .settings
                .resource_group
                .clone()
        };
        assert_eq!(group(serde_json::json!({})), "koreacentral");
        assert_eq!(group(serde_json::json!({"resourceGroup": "prod"})), "prod");
    }

    #[test]
    fn nothing_shows_a_secret() {
        let shown = format!("{:?}", connected(&serde_json::json!({}), &[]).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
