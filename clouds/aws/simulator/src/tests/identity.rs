//! IAM and STS: roles, sessions, external ids, web identities, expiry.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use pmks_simulation::Cloud;
use serde_json::json;

use super::{Got, Rig};

fn account(rig: &Rig) -> String {
    rig.call_with("sts", "GetCallerIdentity", "", Vec::new()).text("Account")
}

fn make_role(rig: &Rig, name: &str, trust: &serde_json::Value) -> String {
    let trust: String = url::form_urlencoded::byte_serialize(trust.to_string().as_bytes()).collect();
    let parameters = format!("RoleName={name}&AssumeRolePolicyDocument={trust}");
    let got = rig.call_with("iam", "CreateRole", &parameters, Vec::new());
    assert_eq!(got.status, 200, "{}", got.body);
    got.text("Arn")
}

#[test]
fn a_role_is_assumed_with_its_external_id_and_only_after_iam_is_consistent() {
    let mut rig = Rig::new();
    let trust = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": account(&rig)}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "x1"}}}});
    let arn = make_role(&rig, "deploy", &trust);
    let assume = |rig: &Rig, id: &str| {
        rig.call_with(
            "sts",
            "AssumeRole",
            &format!("RoleArn={arn}&RoleSessionName=me&ExternalId={id}"),
            Vec::new(),
        )
    };
    assert_eq!(assume(&rig, "x1").code.as_deref(), Some("AccessDenied"), "not known yet");
    rig.advance(10);
    assert_eq!(assume(&rig, "x2").code.as_deref(), Some("AccessDenied"));
    let session = assume(&rig, "x1");
    let token = session.text("SessionToken");
    rig.key = (session.text("AccessKeyId"), session.text("SecretAccessKey"));
    let identity = |rig: &Rig, token: &str| {
        let mut request = rig.request("sts", "Action=GetCallerIdentity&Version=2011-06-15");
        request.headers_mut().insert("x-amz-security-token", token.parse().unwrap());
        rig.send(&request, Vec::new())
    };
    assert!(identity(&rig, &token).text("Arn").ends_with(":assumed-role/deploy/me"));
    assert_eq!(identity(&rig, "other").code.as_deref(), Some("InvalidClientTokenId"));
    rig.advance(3601);
    assert_eq!(identity(&rig, &token).code.as_deref(), Some("ExpiredToken"));
}

fn web_identity(rig: &Rig, role: &str, claims: &serde_json::Value, algorithm: &str) -> Got {
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2ln", part(&json!({"alg": algorithm})), part(claims));
    let body = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role}&RoleSessionName=me&WebIdentityToken={token}"
    );
    let request = Request::builder().method("POST").uri("/").header("host", "127.0.0.1");
    rig.send(&request.body(Bytes::from(body)).unwrap(), Vec::new())
}

#[test]
fn a_web_identity_needs_a_registered_issuer_its_audience_and_the_trusted_subject() {
    let rig = Rig::new();
    let issuer = "https://oidc.example/id";
    let account = account(&rig);
    let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": format!("arn:aws:iam::{account}:oidc-provider/oidc.example/id")},
        "Condition": {"StringEquals": {"oidc.example/id:sub": "system:serviceaccount:a:b"}}}]});
    let role = make_role(&rig, "web", &trust);
    rig.advance(10);
    let expires = rig.cloud.controls().clock.wall().as_second() + 600;
    let claims = |subject: &str, audience: &str| json!({"iss": issuer, "sub": subject, "aud": [audience], "exp": expires});
    let good = claims("system:serviceaccount:a:b", "sts.amazonaws.com");
    assert_eq!(web_identity(&rig, &role, &good, "RS256").code.as_deref(), Some("InvalidIdentityToken"));
    let event =
        json!({"type": "registerWebIdentityProvider", "issuer": issuer, "audiences": ["sts.amazonaws.com"]});
    rig.cloud.event(&event).unwrap();
    let got = web_identity(&rig, &role, &good, "RS256");
    assert_eq!(got.status, 200, "{}", got.body);
    assert_eq!(got.text("SubjectFromWebIdentityToken"), "system:serviceaccount:a:b");
    let code =
        |claims: &serde_json::Value, algorithm: &str| web_identity(&rig, &role, claims, algorithm).code;
    assert_eq!(code(&claims("other", "sts.amazonaws.com"), "RS256").as_deref(), Some("AccessDenied"));
    assert_eq!(
        code(&claims("system:serviceaccount:a:b", "other"), "RS256").as_deref(),
        Some("InvalidIdentityToken")
    );
    assert_eq!(code(&good, "none").as_deref(), Some("InvalidIdentityToken"));
    rig.advance(601);
    assert_eq!(code(&good, "RS256").as_deref(), Some("ExpiredTokenException"));
}

#[test]
fn a_role_goes_only_when_nothing_is_attached() {
    let rig = Rig::new();
    let trust = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    make_role(&rig, "cluster", &trust);
    let policy = "RoleName=cluster&PolicyArn=arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";
    let call = |action: &str, parameters: &str| rig.call_with("iam", action, parameters, Vec::new()).code;
    assert_eq!(call("AttachRolePolicy", policy), None);
    assert_eq!(call("AttachRolePolicy", policy), None);
    assert_eq!(call("DeleteRole", "RoleName=cluster").as_deref(), Some("DeleteConflict"));
    assert_eq!(call("DetachRolePolicy", policy), None);
    assert_eq!(call("DetachRolePolicy", policy).as_deref(), Some("NoSuchEntity"));
    assert_eq!(call("DeleteRole", "RoleName=cluster"), None);
    assert_eq!(call("GetRole", "RoleName=cluster").as_deref(), Some("NoSuchEntity"));
}

#[test]
fn the_signing_time_is_the_wall_clocks() {
    let rig = Rig::new();
    let request = rig.request("ec2", "Action=DescribeVpcs&Version=2016-11-15");
    rig.advance(16 * 60);
    let got = rig.send(&request, Vec::new());
    assert_eq!((got.status, got.code.as_deref()), (400, Some("RequestExpired")));
}
