//! Who may call: assertions, refresh tokens, federated and impersonated identities, and what is refused.

use super::*;
use crate::auth::ServiceKey;
use crate::auth::tests::{key_of, sign};

fn form(pairs: &[(&str, &str)]) -> Bytes {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    Bytes::from(form.finish())
}

impl Rig {
    fn post(&self, path: &str, body: Bytes) -> Got {
        let request =
            Request::builder().method("POST").uri(path).header("host", "127.0.0.1:9").body(body).unwrap();
        self.send(&request, Vec::new())
    }

    fn key_file(&self) -> Value {
        let connection = self.cloud.connection("http://127.0.0.1:9");
        serde_json::from_str(connection["credential"]["serviceAccountKey"].as_str().unwrap()).unwrap()
    }

    fn assertion(&self, change: impl FnOnce(&mut Value)) -> Got {
        let file = self.key_file();
        let now = self.cloud.controls().clock.wall().as_second();
        let mut claims = json!({
            "iss": file["client_email"], "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 3600,
            "scope": "https://www.googleapis.com/auth/cloud-platform",
        });
        change(&mut claims);
        let key = self.cloud.core().with_world(|world, _| world.offered_key()).unwrap();
        let jwt = sign(&key, file["private_key_id"].as_str().unwrap(), &claims);
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        self.post("/token", form(&[("grant_type", grant), ("assertion", &jwt)]))
    }

    fn with_token(&self, token: &str) -> u16 {
        let path = format!("/v1/projects/{}/locations/-/clusters", self.project);
        let request =
            Request::get(path).header("authorization", format!("Bearer {token}")).body(Bytes::new()).unwrap();
        self.send(&request, Vec::new()).status
    }
}

#[test]
fn an_assertion_is_verified_and_its_token_expires() {
    let rig = Rig::new();
    let given = rig.assertion(|_| ());
    assert_eq!((given.status, &given.body["expires_in"]), (200, &json!(3599)), "{}", given.body);
    let token = given.body["access_token"].as_str().unwrap();
    assert_eq!(rig.with_token(token), 200);
    rig.advance(3601);
    assert_eq!(rig.with_token(token), 401);
    let refused =
        |change: fn(&mut Value)| rig.assertion(change).body["error"].as_str().unwrap_or("none").to_owned();
    assert_eq!(refused(|claims| claims["iss"] = "nobody@x".into()), "invalid_grant");
    assert_eq!(refused(|claims| claims["aud"] = "https://example.com".into()), "invalid_grant");
    assert_eq!(
        refused(|claims| claims["exp"] = (claims["iat"].as_i64().unwrap() + 3700).into()),
        "invalid_grant"
    );
    assert_eq!(
        refused(|claims| claims["iat"] = (claims["iat"].as_i64().unwrap() - 9000).into()),
        "invalid_grant"
    );
    assert_eq!(refused(|claims| claims["scope"] = "".into()), "invalid_scope");
    assert_eq!(refused(|claims| claims["aud"] = "http://127.0.0.1:9/token".into()), "none");
}

#[test]
fn another_key_opens_nothing() {
    let rig = Rig::new();
    let file = rig.key_file();
    let now = rig.cloud.controls().clock.wall().as_second();
    let claims = json!({"iss": file["client_email"], "aud": "https://oauth2.googleapis.com/token", "iat": now,
        "exp": now + 60, "scope": "https://www.googleapis.com/auth/cloud-platform"});
    let jwt = sign(&ServiceKey::generate().unwrap(), file["private_key_id"].as_str().unwrap(), &claims);
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let got = rig.post("/token", form(&[("grant_type", grant), ("assertion", &jwt)]));
    assert_eq!(got.body, json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}));
    assert_eq!(rig.with_token("nonsense"), 401);
}

#[test]
fn users_refresh_and_accounts_are_impersonated() {
    let rig = Rig::new();
    let file = rig.cloud.event(&json!({"type": "userLogsIn", "email": "kim@example.com"})).unwrap();
    let text = |key: &str| file[key].as_str().unwrap();
    let ask = |secret: &str, token: &str| {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", text("client_id")),
            ("client_secret", secret),
            ("refresh_token", token),
        ];
        rig.post("/token", form(&pairs))
    };
    let given = ask(text("client_secret"), text("refresh_token"));
    let token = given.body["access_token"].as_str().unwrap();
    assert_eq!(rig.with_token(token), 200);
    assert_eq!(ask("wrong", text("refresh_token")).body["error"], "invalid_client");
    assert_eq!(ask(text("client_secret"), "1//0wrong").body["error"], "invalid_grant");
    let made = json!({"type": "serviceAccountIsMade", "name": "deployer", "tokenCreators": ["user:kim@example.com"]});
    let email = rig.cloud.event(&made).unwrap()["client_email"].as_str().unwrap().to_owned();
    let body = json!({"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "600s"});
    let ask = |token: &str| {
        let path = format!("/v1/projects/-/serviceAccounts/{email}:generateAccessToken");
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        rig.send(&request.body(Bytes::from(body.to_string())).unwrap(), Vec::new())
    };
    let given = ask(token);
    assert_eq!(rig.with_token(given.body["accessToken"].as_str().unwrap()), 200, "{}", given.body);
    ask(&rig.token).refused(403, "Permission 'iam.serviceAccounts.getAccessToken' denied");
}

#[test]
fn foreign_tokens_are_exchanged_when_their_issuer_is_trusted() {
    let rig = Rig::new();
    let key = ServiceKey::generate().unwrap();
    let event = json!({"type": "workloadIdentityProviderIsMade", "pool": "p", "provider": "ci",
        "issuer": "https://ci.example.com", "keys": [key_of(&key, "k1")]});
    let audience = rig.cloud.event(&event).unwrap()["audience"].as_str().unwrap().to_owned();
    let now = rig.cloud.controls().clock.wall().as_second();
    let claims = json!({"iss": "https://ci.example.com", "sub": "repo:x", "aud": format!("https:{audience}"), "iat": now, "exp": now + 300});
    let ask = |token: &str| {
        rig.post(
            "/v1/token",
            form(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                ("audience", &audience),
                ("subject_token", token),
                ("scope", "https://www.googleapis.com/auth/cloud-platform"),
            ]),
        )
    };
    let given = ask(&sign(&key, "k1", &claims));
    assert_eq!(
        rig.with_token(given.body["access_token"].as_str().unwrap_or_default()),
        200,
        "{}",
        given.body
    );
    assert_eq!(ask(&sign(&ServiceKey::generate().unwrap(), "k1", &claims)).body["error"], "invalid_grant");
}

#[test]
fn a_disabled_api_and_a_strange_project_say_so() {
    let rig = Rig::new();
    rig.cloud
        .event(&json!({"type": "servicesAreDisabled", "services": ["container.googleapis.com"]}))
        .unwrap();
    let off = rig.call("GET", CLUSTERS, &Value::Null);
    off.refused(403, "Kubernetes Engine API has not been used in project");
    assert_eq!(off.body["error"]["details"][0]["reason"], "SERVICE_DISABLED");
    let service = "/v1/projects/{p}/services/container.googleapis.com";
    assert_eq!(rig.get(service)["state"], "DISABLED");
    let operation = rig.ok("POST", &format!("{service}:enable"), &Value::Null);
    rig.advance(30);
    let done = rig.get(&format!("/v1/{}", operation["name"].as_str().unwrap()));
    assert_eq!(done["done"], true);
    assert_eq!(rig.get(service)["state"], "ENABLED");
    rig.get(CLUSTERS);
    rig.call("GET", "/v1/projects/nobodys/locations/-/clusters", &Value::Null)
        .refused(403, "Permission denied on resource project nobodys.");
    rig.call("GET", "/compute/v1/projects/nobodys/global/networks", &Value::Null)
        .refused(404, "was not found");
    let unknown = rig.call("GET", "/v1/projects/{p}/locations/x/things", &Value::Null);
    assert_eq!((unknown.status, unknown.body), (404, Value::Null));
}
