//! Login by secret, certificate and federated token; the check of tokens; what clients ask before.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use bytes::Bytes;
use http::Request;
use pmks_simulation::Cloud;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Got, Rig};
use crate::entra::{encoded, thumbprint};

impl Rig {
    fn text(&self, name: &str) -> String {
        self.credential[name].as_str().unwrap().to_owned()
    }

    fn login(&self, path: &str, form: &[(&str, &str)]) -> Got {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path).header("host", "127.0.0.1:1").body(Bytes::from(body)).unwrap();
        self.send(&request, Vec::new())
    }

    fn login_v2(&self, more: &[(&str, &str)]) -> Got {
        let (path, id) = (format!("/{}/oauth2/v2.0/token", self.text("tenantId")), self.text("clientId"));
        let scope = ("scope", "https://management.azure.com/.default");
        let common = [("grant_type", "client_credentials"), ("client_id", id.as_str()), scope];
        self.login(&path, &[&common[..], more].concat())
    }

    #[expect(clippy::unused_self, reason = "reads as the rig's own")]
    fn assertion(&self, key: &RsaKeyPair, header: &Value, claims: &Value) -> String {
        let mut header = header.clone();
        header["alg"] = "RS256".into();
        header["typ"] = "JWT".into();
        let signed =
            format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", encoded(&signature))
    }

    fn login_by(&self, assertion: &str) -> Got {
        let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        self.login_v2(&[kind, ("client_assertion", assertion)])
    }
}

fn error(got: &Got) -> (u16, u64) {
    (got.status, got.body["error_codes"][0].as_u64().unwrap())
}

#[test]
fn a_secret_is_good_for_a_token_and_the_token_for_calls() {
    let mut rig = Rig::bare();
    let got = rig.login_v2(&[("client_secret", &rig.text("clientSecret"))]);
    assert_eq!((got.status, &got.body["token_type"]), (200, &json!("Bearer")));
    rig.token = got.text("/access_token").to_owned();
    assert_eq!(rig.get("/subscriptions")["value"][0]["subscriptionId"], rig.text("subscriptionId").as_str());
    rig.advance(3600);
    let got = rig.call("GET", "/subscriptions", Value::Null);
    assert_eq!((got.status, got.code.as_deref()), (401, Some("ExpiredAuthenticationToken")));
    assert!(got.header("www-authenticate").contains("error=\"invalid_token\""));
}

#[test]
fn wrong_logins_are_refused_in_the_words_of_entra() {
    let rig = Rig::bare();
    let secret = rig.text("clientSecret");
    assert_eq!(error(&rig.login_v2(&[("client_secret", "wrong")])), (401, 7_000_215));
    assert_eq!(error(&rig.login_v2(&[])), (401, 7_000_218));
    let other = rig.login(
        "/00000000-0000-0000-0000-000000000000/oauth2/v2.0/token",
        &[("grant_type", "client_credentials")],
    );
    assert_eq!(error(&other), (400, 90_002));
    let path = format!("/{}/oauth2/v2.0/token", rig.text("tenantId"));
    let unknown =
        [("grant_type", "client_credentials"), ("client_id", "x"), ("client_secret", secret.as_str())];
    assert_eq!(error(&rig.login(&path, &unknown)), (400, 700_016));
    let id = rig.text("clientId");
    let bad_scope = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("scope", "user.read"),
    ];
    assert_eq!(error(&rig.login(&path, &bad_scope)), (400, 1_002_012));
}

#[test]
fn the_older_endpoint_and_ad_fs_take_a_resource() {
    let mut rig = Rig::bare();
    let (id, secret) = (rig.text("clientId"), rig.text("clientSecret"));
    for tenant in [rig.text("tenantId"), "adfs".to_owned()] {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("resource", "https://management.core.windows.net/"),
        ];
        let got = rig.login(&format!("/{tenant}/oauth2/token"), &form);
        assert_eq!(got.text("/resource"), "https://management.core.windows.net/", "{}", got.body);
        rig.token = got.text("/access_token").to_owned();
        rig.get("/tenants");
        if tenant == "adfs" {
            assert_eq!(rig.login("/adfs/oauth2/v2.0/token", &form).status, 400, "AD FS has no versions");
        }
    }
}

#[test]
fn tokens_for_others_forged_and_missing_ones_are_refused() {
    let mut rig = Rig::bare();
    let id = rig.text("clientId");
    let secret = rig.text("clientSecret");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("scope", "6dae42f8-4368-4678-94ff-3960e28e3630/.default"),
    ];
    let got = rig.login(&format!("/{}/oauth2/v2.0/token", rig.text("tenantId")), &form);
    rig.token = got.text("/access_token").to_owned();
    let refused = |rig: &Rig| rig.refused("GET", "/subscriptions", Value::Null);
    assert_eq!(refused(&rig), (401, "InvalidAuthenticationTokenAudience".to_owned()));
    rig.token.push('x');
    assert_eq!(refused(&rig), (401, "InvalidAuthenticationToken".to_owned()));
    let bare = Request::get("/subscriptions?api-version=2022-12-01").body(Bytes::new()).unwrap();
    let got = rig.send(&bare, Vec::new());
    assert_eq!((got.status, got.code.as_deref()), (401, Some("AuthenticationFailed")));
}

#[test]
fn a_certificate_signs_for_its_application_alone() {
    let rig = Rig::bare();
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["pmks".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let key = RsaKeyPair::from_pkcs8(&pair.serialize_der()).unwrap();
    let event = json!({"type": "registerClientCertificate", "certificate": certificate.pem()});
    let (id, now) = (rig.text("clientId"), rig.cloud.controls().clock.wall().as_second());
    let audience = format!("http://127.0.0.1:1/{}/oauth2/v2.0/token", rig.text("tenantId"));
    let claims = json!({"aud": audience, "iss": id, "sub": id, "jti": "1", "nbf": now, "exp": now + 600});
    let (sha1, sha256) = thumbprint(certificate.der());
    let with = |claims: &Value| rig.assertion(&key, &json!({"x5t": sha1}), claims);
    assert_eq!(error(&rig.login_by(&with(&claims))), (401, 700_027), "it is not registered yet");
    rig.cloud.event(&event).unwrap();
    assert_eq!(rig.login_by(&with(&claims)).status, 200);
    assert_eq!(rig.login_by(&rig.assertion(&key, &json!({"x5t#S256": sha256}), &claims)).status, 200);
    let changed = |name: &str, to: Value| {
        let mut claims = claims.clone();
        claims[name] = to;
        error(&rig.login_by(&with(&claims)))
    };
    assert_eq!(changed("aud", json!("https://elsewhere")), (401, 700_023));
    assert_eq!(changed("exp", json!(now - 1)), (401, 700_024));
    assert_eq!(changed("sub", json!("x")), (401, 700_021));
    let stranger = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let stranger = RsaKeyPair::from_pkcs8(&stranger.serialize_der()).unwrap();
    let forged = rig.assertion(&stranger, &json!({"x5t": sha1}), &claims);
    assert_eq!(error(&rig.login_by(&forged)), (401, 700_027));
    assert!(rig.cloud.event(&json!({"type": "registerClientCertificate", "certificate": "x"})).is_err());
}

#[test]
fn a_federated_token_is_matched_by_issuer_subject_and_audience() {
    let rig = Rig::bare();
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let key = RsaKeyPair::from_pkcs8(&pair.serialize_der()).unwrap();
    let now = rig.cloud.controls().clock.wall().as_second();
    let (issuer, subject) = ("https://issuer.example", "system:serviceaccount:a:b");
    let claims =
        json!({"iss": issuer, "sub": subject, "aud": ["api://AzureADTokenExchange"], "exp": now + 600});
    let login = |claims: &Value| rig.login_by(&rig.assertion(&key, &json!({}), claims));
    assert_eq!(error(&login(&claims)), (401, 700_211));
    rig.cloud
        .event(&json!({"type": "registerFederatedCredential", "issuer": issuer, "subject": subject}))
        .unwrap();
    assert_eq!(login(&claims).status, 200);
    let mut other = claims.clone();
    other["sub"] = "x".into();
    assert_eq!(error(&login(&other)), (401, 700_213));
    let mut other = claims;
    other["aud"] = "x".into();
    assert_eq!(error(&login(&other)), (401, 700_212));
}

#[test]
fn clients_find_their_way_before_they_log_in() {
    let rig = Rig::bare();
    let bare = |path: &str| {
        let request = Request::get(path).header("host", "localhost:1").body(Bytes::new()).unwrap();
        rig.send(&request, Vec::new()).body
    };
    let tenant = rig.text("tenantId");
    let openid = bare(&format!("/{tenant}/v2.0/.well-known/openid-configuration"));
    assert_eq!(openid["token_endpoint"], format!("http://localhost:1/{tenant}/oauth2/v2.0/token"));
    assert_eq!(
        bare("/adfs/.well-known/openid-configuration")["token_endpoint"],
        "http://localhost:1/adfs/oauth2/token"
    );
    assert_eq!(
        bare("/common/discovery/instance?api-version=1.1")["metadata"][0]["preferred_network"],
        "localhost:1"
    );
    let cloud = bare("/metadata/endpoints?api-version=2022-09-01");
    assert_eq!(cloud["resourceManager"], "http://localhost:1");
    assert!(cloud["authentication"]["loginEndpoint"].as_str().unwrap().ends_with("/adfs"));
    assert_eq!(bare(&format!("/{tenant}/discovery/v2.0/keys"))["keys"][0]["kty"], "RSA");
}

#[test]
fn the_credential_outlives_a_reset_and_a_snapshot() {
    let rig = Rig::bare();
    let secret = rig.text("clientSecret");
    rig.cloud.reset();
    rig.time.advance(Duration::from_secs(1));
    assert_eq!(rig.login_v2(&[("client_secret", &secret)]).status, 200);
    rig.get("/subscriptions");
}
