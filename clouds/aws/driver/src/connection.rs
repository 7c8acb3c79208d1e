//! The provider: makes a driver of a connection, once everything about the connection has been found right.

use std::sync::Arc;

use async_trait::async_trait;
use pmks_driver::{
    Capabilities, ConnectionSpecification, Driver, DriverError, Environment, House, Provider, Result, gather,
    validate_settings,
};
use pmks_model::Findings;
use pmks_transport::{Client, ClientOptions, NoSigner, Signer};

use crate::api::{Api, budget_of};
use crate::capabilities::CAPABILITIES;
use crate::credential::{FORMS, SigV4, StaticKeys};
use crate::driver::{AwsDriver, Here, Settings};
use crate::endpoints::Endpoints;
use crate::key_source::Origin;
use crate::{PROVIDER, errors};

/// Amazon Web Services.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aws;

#[async_trait]
impl Provider for Aws {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check(&self, connection: &ConnectionSpecification, _: &Environment) -> Findings {
        known(connection).1
    }

    async fn connect(&self, connection: &ConnectionSpecification, house: &House) -> Result<Arc<dyn Driver>> {
        Ok(Arc::new(driver(connection, house)?))
    }
}

/// Where calls go, and everything that is wrong without asking anybody.
fn known(connection: &ConnectionSpecification) -> (Result<Option<Endpoints>>, Findings) {
    let mut findings = validate_settings(&connection.settings, &CAPABILITIES);
    if let Err(wrong) = connection.credential.form(FORMS) {
        findings.extend(wrong);
    }
    zone_of_region(connection, &mut findings);
    names(connection, &mut findings);
    let made = Endpoints::new(&connection.region, &connection.endpoints);
    let endpoints = gather(made, &mut findings);
    (endpoints, findings)
}

fn driver(connection: &ConnectionSpecification, house: &House) -> Result<AwsDriver> {
    let (endpoints, findings) = known(connection);
    let endpoints = endpoints?;
    let (Some(endpoints), true) = (endpoints, findings.is_empty()) else {
        return Err(DriverError::invalid(PROVIDER, findings));
    };
    let endpoints = Arc::new(endpoints);
    let origin = Origin::of(&connection.credential, house)?;
    let base: Arc<dyn Signer> = match origin.base() {
        Some(keys) => Arc::new(SigV4(Arc::new(StaticKeys(keys.clone())))),
        None => Arc::new(NoSigner),
    };
    let sts = Api::new(client(connection, house, &endpoints, base)?, Arc::clone(&endpoints));
    let keys = origin.source(sts);
    let signer = Arc::new(SigV4(Arc::clone(&keys)));
    Ok(AwsDriver {
        api: Api::new(client(connection, house, &endpoints, signer)?, endpoints),
        here: Arc::new(Here {
            zone: connection.zone.clone(),
            settings: Settings::of(&connection.settings),
            pace: connection.pace.max(1),
            keys,
            transport: house.transport.clone(),
        }),
    })
}

fn client(
    connection: &ConnectionSpecification,
    house: &House,
    endpoints: &Endpoints,
    signer: Arc<dyn Signer>,
) -> Result<Client> {
    let mut options = ClientOptions::new(PROVIDER, signer);
    options.account = budget(connection);
    options.region = Some(connection.region.clone());
    options.buckets = CAPABILITIES.budget();
    options.ca_certificate.clone_from(&connection.ca_certificate);
    options.pace = connection.pace.max(1);
    options.allowed_hosts = endpoints.hosts();
    options.classify = errors::verdict;
    let made = house.transport.client(options);
    made.map_err(|error| errors::TABLE.of_transport("connect", pmks_driver::Effect::Read, error))
}

fn zone_of_region(connection: &ConnectionSpecification, findings: &mut Findings) {
    if let Some(zone) = &connection.zone
        && !zone.starts_with(&connection.region)
    {
        findings
            .add("zone", format!("must be a zone of {}, such as {}a", connection.region, connection.region));
    }
}

/// What is shown and kept in the clear has the form of a name: a secret that somebody put there by mistake is refused,
/// and not repeated.
///
/// Sources: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>,
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>
fn names(connection: &ConnectionSpecification, findings: &mut Findings) {
    let given = |field| connection.credential.get(field);
    if given("accessKeyId").is_some_and(|id| !is_key_id(id)) {
        let says =
            "must be an access key's identifier, such as AKIAIOSFODNN7EXAMPLE; its secret is secretAccessKey";
        findings.add("credential.accessKeyId", says);
    }
    if given("roleArn").is_some_and(|role| !is_role_arn(role)) {
        findings
            .add("credential.roleArn", "must be a role's ARN, such as arn:aws:iam::123456789012:role/name");
    }
    for setting in ["clusterRole", "nodeRole"] {
        let given = connection.settings.get(setting).and_then(serde_json::Value::as_str);
        if given.is_some_and(|role| !is_role_arn(role) && !is_role_name(role)) {
            findings.add(format!("settings.{setting}"), "must be the name or the ARN of a role");
        }
    }
}

/// Letters, digits and `_`; in small letters at most as many as no secret of AWS' has, for clouds that take any word.
fn is_key_id(text: &str) -> bool {
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let longest = if text.bytes().any(|byte| byte.is_ascii_lowercase()) { 32 } else { 128 };
    is_word && text.len() <= longest
}

fn is_role_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.contains(":role/") && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_role_name(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// Whose request budget it is at first: AWS counts by account and region. The account of a role stands in its ARN; a
/// key's is known once its identity was asked for, and until then it counts by itself.
fn budget(connection: &ConnectionSpecification) -> String {
    let role = connection.credential.get("roleArn").and_then(|arn| arn.split(':').nth(4));
    let who = role.or_else(|| connection.credential.get("accessKeyId")).unwrap_or("ambient");
    budget_of(who, &connection.region)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pmks_driver::Credential;
    use pmks_transport::{SystemClock, Transport};

    use super::*;

    fn connected(connection: &serde_json::Value) -> Result<AwsDriver> {
        let mut whole = serde_json::json!({
            "name": "c", "region": "ap-northeast-2", "zone": null, "endpoints": {}, "caCertificate": null, "pace": 1,
            "credential": {"accessKeyId": "AKIA", "secretAccessKey": "hunter2"}, "settings": {},
        });
        whole.as_object_mut().unwrap().extend(connection.as_object().unwrap().clone());
        let house = House {
            transport: Transport::builder(Arc::new(SystemClock)).build(),
            environment: Environment::default(),
            installation: "i".to_owned(),
        };
        driver(&serde_json::from_value(whole).unwrap(), &house)
    }

    #[test]
    fn what_cannot_be_right_is_said_at_once() {
        assert!(connected(&serde_json::json!({})).is_ok());
        for (connection, says) in [
            (serde_json::json!({"region": "Seoul"}), "region"),
            (serde_json::json!({"zone": "us-east-1a"}), "zone: must be a zone of ap-northeast-2"),
            (serde_json::json!({"settings": {"colour": "red"}}), "settings.colour"),
            (serde_json::json!({"credential": {"accessKeyId": "AKIA"}}), "credential.secretAccessKey"),
            (serde_json::json!({"endpoints": {"s3": "http://127.0.0.1"}}), "endpoints.s3"),
        ] {
            let error = connected(&connection).unwrap_err();
            assert!(error.message().contains(says), "{error}");
        }
    }

    #[test]
    fn everything_is_said_at_once() {
        let wrong = serde_json::json!({
            "region": "Seoul", "zone": "a", "settings": {"colour": "red"}, "endpoints": {"s3": "http://127.0.0.1"},
            "credential": {"accessKeyId": "AKIA"},
        });
        let says = connected(&wrong).unwrap_err().to_string();
        for field in
            ["region: ", "zone: ", "settings.colour: ", "endpoints.s3: ", "credential.secretAccessKey: "]
        {
            assert!(says.contains(field), "{field}{says}");
        }
    }

    #[test]
    fn a_secret_in_the_place_of_a_name_is_refused_and_not_repeated() {
        let secret = "wJalrXUtnFEMIaK7MDENGbbPxRfiCYEXAMPLEKEY";
        let key = "-----BEGIN PRIVATE KEY----- wJalrXUtnFEMIaK7MDENGbbPxRfiCYEXAMPLEKEY";
        let keys = |id: &str| serde_json::json!({"accessKeyId": id, "secretAccessKey": "hunter2"});
        let with_role = serde_json::json!({"accessKeyId": "AKIA", "secretAccessKey": "s", "roleArn": secret});
        for (connection, field) in [
            (serde_json::json!({"credential": keys(secret)}), "credential.accessKeyId"),
            (serde_json::json!({"credential": keys("wrong/key")}), "credential.accessKeyId"),
            (serde_json::json!({"credential": with_role}), "credential.roleArn"),
            (serde_json::json!({"settings": {"nodeRole": key}}), "settings.nodeRole"),
            (serde_json::json!({"settings": {"clusterRole": key}}), "settings.clusterRole"),
        ] {
            let error = connected(&connection).unwrap_err().to_string();
            assert!(error.contains(field) && !error.contains("wJalr"), "{error}");
        }
        let role = serde_json::json!({"nodeRole": "arn:aws-cn:iam::123456789012:role/path/my-role", "clusterRole": "r@1"});
        for good in [
            serde_json::json!({"credential": keys("AKIAIOSFODNN7EXAMPLE")}),
            serde_json::json!({"credential": keys("test")}),
            serde_json::json!({"settings": role}),
        ] {
            assert!(connected(&good).is_ok(), "{good}");
        }
    }

    #[test]
    fn an_ambient_connection_asks_nobody_before_it_is_used() {
        let connected = connected(&serde_json::json!({"credential": {"ambient": true}}));
        if cfg!(feature = "ambient") {
            assert!(format!("{:?}", connected.unwrap().here.keys).starts_with("Chain"));
        } else {
            assert!(connected.unwrap_err().message().contains("credential.ambient"));
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        let shown = format!("{:?}", connected(&serde_json::json!({})).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        let values = BTreeMap::from([("secretAccessKey".to_owned(), "hunter2".to_owned())]);
        assert!(!format!("{:?}", Credential::from_values(values)).contains("hunter2"));
    }
}

#[cfg(test)]
#[path = "taken_role_tests.rs"]
mod taken_role_tests;
