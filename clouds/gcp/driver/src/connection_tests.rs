//! Connections: what cannot be right is said at once, and nothing is shown that is secret.

use pmks_transport::{SystemClock, Transport};
use serde_json::{Value, json};

use super::*;
use crate::identity::tests::KEY;

fn house(environment: &[(&str, &str)]) -> House {
    let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    House {
        transport: Transport::builder(Arc::new(SystemClock)).build(),
        environment: Environment::new(variables),
        installation: "i".to_owned(),
    }
}

async fn connected_in(connection: &Value, environment: &[(&str, &str)]) -> Result<GcpDriver> {
    let mut whole = json!({
        "name": "c", "region": "asia-northeast3", "zone": "asia-northeast3-a", "endpoints": {}, "caCertificate": null,
        "pace": 1, "settings": {},
        "credential": {"clientEmail": "a@proj.iam.gserviceaccount.com", "privateKey": KEY, "projectId": "proj"},
    });
    whole.as_object_mut().unwrap().extend(connection.as_object().unwrap().clone());
    driver(&serde_json::from_value(whole).unwrap(), &house(environment)).await
}

async fn connected(connection: &Value) -> Result<GcpDriver> {
    connected_in(connection, &[]).await
}

fn key(project: &str) -> String {
    json!({"type": "service_account", "project_id": project, "private_key": KEY, "private_key_id": "1",
        "client_email": "a@proj.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token"})
    .to_string()
}

#[tokio::test]
async fn what_cannot_be_right_is_said_at_once() {
    assert_eq!(connected(&json!({})).await.unwrap().api.project(), "proj");
    for (connection, says) in [
        (json!({"region": "Seoul"}), "region"),
        (json!({"region": "asia-northeast3-a"}), "region: must be a region's name"),
        (json!({"zone": "us-east1-b"}), "zone: must be a zone of asia-northeast3"),
        (json!({"zone": "asia-northeast3"}), "zone: must be a zone of asia-northeast3"),
        (json!({"settings": {"colour": "red"}}), "settings.colour"),
        (
            json!({"settings": {"impersonateServiceAccount": "somebody"}}),
            "settings.impersonateServiceAccount",
        ),
        (json!({"settings": {"projectId": "123"}}), "settings.projectId"),
        (json!({"credential": {"clientEmail": "a"}}), "credential.privateKey"),
        (
            json!({"credential": {"clientEmail": "a", "privateKey": "hunter2", "projectId": "p"}}),
            "credential.privateKey: is no RSA key",
        ),
        (json!({"credential": {"serviceAccountKey": "hunter2"}}), "credential.serviceAccountKey: is no JSON"),
        (json!({"endpoints": {"storage": "http://127.0.0.1"}}), "endpoints.storage"),
    ] {
        let error = connected(&connection).await.unwrap_err();
        assert!(error.message().contains(says), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn everything_wrong_is_said_in_one_answer() {
    let wrong = json!({
        "region": "Seoul", "endpoints": {"storage": "http://127.0.0.1"},
        "settings": {"colour": "red", "impersonateServiceAccount": "somebody"},
        "credential": {"clientEmail": "nobody", "privateKey": "hunter2", "projectId": "PRÖJ"},
    });
    let error = connected(&wrong).await.unwrap_err();
    for field in [
        "region",
        "endpoints.storage",
        "settings.colour",
        "settings.impersonateServiceAccount",
        "credential.clientEmail",
        "credential.privateKey",
        "credential.projectId",
    ] {
        assert!(error.message().contains(&format!("{field}: ")), "{field}: {error}");
    }
    let zone = json!({"zone": "us-east1-b", "credential": {"serviceAccountKey": "hunter2"}});
    let error = connected(&zone).await.unwrap_err();
    assert!(error.message().contains("zone: ") && error.message().contains("serviceAccountKey: "), "{error}");
}

#[tokio::test]
async fn a_project_is_the_settings_else_the_keys() {
    let whole = json!({"credential": {"serviceAccountKey": key("own")}});
    assert_eq!(connected(&whole).await.unwrap().api.project(), "own");
    let other = json!({"credential": {"serviceAccountKey": key("own")}, "settings": {"projectId": "other"}});
    assert_eq!(connected(&other).await.unwrap().api.project(), "other");
    let acting = json!({"settings": {"impersonateServiceAccount": "b@proj.iam.gserviceaccount.com"}});
    let acting = connected(&acting).await.unwrap();
    assert_eq!(acting.here.tokens.principal().await.unwrap(), "b@proj.iam.gserviceaccount.com");
}

#[tokio::test]
async fn an_ambient_connection_asks_nobody_where_its_project_is_known() {
    let ambient = json!({"credential": {"ambient": true}, "settings": {"projectId": "proj"}});
    let found = connected_in(&ambient, &[("GCE_METADATA_HOST", "127.0.0.1:1")]).await.unwrap();
    assert!(format!("{:?}", found.here.tokens).contains("Machine"));
    let nowhere = json!({"credential": {"ambient": true}});
    let error = connected_in(&nowhere, &[("GCE_METADATA_HOST", "127.0.0.1:1")]).await.unwrap_err();
    assert!(error.message().contains("credential.ambient"), "{error}");
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let shown = format!("{:?}", connected(&json!({})).await.unwrap());
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("MIIEv"), "{shown}");
}
