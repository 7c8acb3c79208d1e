//! Access entries, and the tokens by which a cluster knows who calls.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use pmks_simulation::kubernetes::{Identity, Refusal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::rig::Rig;
use crate::eks::authenticator::authenticate;
use crate::iam::Session;

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A token as `aws eks get-token` makes it, for this key and this cluster, at the rig's date.
fn token(rig: &Rig, key: &str, secret: &str, session_token: Option<&str>, cluster: &str) -> String {
    let (region, host) = ("ap-northeast-2", "sts.ap-northeast-2.amazonaws.com");
    let at = rig.now.wall.strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/{region}/sts/aws4_request", &at[..8]);
    let session = session_token.map(|token| format!("&X-Amz-Security-Token={token}")).unwrap_or_default();
    let query = format!(
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F{}\
         &X-Amz-Date={at}&X-Amz-Expires=60{session}&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id",
        scope.replace('/', "%2F")
    );
    let empty = hex(&Sha256::digest(b""));
    let canonical =
        format!("GET\n/\n{query}\nhost:{host}\nx-k8s-aws-id:{cluster}\n\nhost;x-k8s-aws-id\n{empty}");
    let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let parts = [&at[..8], region, "sts", "aws4_request"];
    let signing = parts.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| mac(&key, part));
    let url = format!("https://{host}/?{query}&X-Amz-Signature={}", hex(&mac(&signing, &text)));
    format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))
}

fn user_token(rig: &Rig, cluster: &str) -> String {
    let (key, secret) = rig.world.accounts[&rig.place.account].iam.first_key().unwrap();
    token(rig, key, secret, None, cluster)
}

fn show(rig: &Rig, cluster: &str, token: &str) -> Result<Identity, Refusal> {
    authenticate(&rig.world, &rig.place, cluster, token, rig.now)
}

#[test]
fn the_creator_comes_in_as_administrator_and_others_do_not() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.cluster("two");
    let good = user_token(&rig, "one");
    let identity = show(&rig, "one", &good).unwrap();
    assert!(identity.administrator);
    assert_eq!(identity.username, format!("arn:aws:iam::{}:user/pmks", rig.place.account));
    assert!(show(&rig, "two", &good).is_err(), "a token of another cluster");
    let (key, _) = rig.world.accounts[&rig.place.account].iam.first_key().unwrap();
    assert!(show(&rig, "one", &token(&rig, key, "wrong", None, "one")).is_err(), "a bad signature");
    assert!(show(&rig, "one", &token(&rig, "AKIANOBODY", "wrong", None, "one")).is_err(), "an unknown key");
    rig.pass(14 * 60);
    assert!(show(&rig, "one", &good).is_ok());
    rig.pass(61);
    assert!(show(&rig, "one", &good).unwrap_err().reason.contains("expired"));
    let principal = format!("arn%3Aaws%3Aiam%3A%3A{}%3Auser%2Fpmks", rig.place.account);
    assert_eq!(
        rig.call("DELETE", &format!("/clusters/one/access-entries/{principal}"), Value::Null).status,
        200
    );
    let fresh = user_token(&rig, "one");
    let refused = show(&rig, "one", &fresh).unwrap_err();
    assert!(refused.reason.contains("no access entry") && !refused.reason.contains("k8s-aws"), "{refused:?}");
}

#[test]
fn a_session_is_let_in_by_its_roles_entry() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.make_role("deploy", "ec2.amazonaws.com", &[]);
    let account = rig.place.account.clone();
    let mut random = rig.world.random.clone();
    let session = Session {
        secret: "session-secret".to_owned(),
        token: "session-token".to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/deploy/me"),
        user_id: "AROADEPLOY:me".to_owned(),
        expires: rig.now.wall.checked_add(jiff::SignedDuration::from_hours(1)).unwrap(),
    };
    let key = rig.world.account_mut(&account).iam.add_session(session, &mut random);
    let made = token(&rig, &key, "session-secret", Some("session-token"), "one");
    assert!(show(&rig, "one", &made).is_err(), "no entry yet");
    let role = rig.role("deploy");
    let entry = json!({"principalArn": role, "kubernetesGroups": ["viewers"]});
    let answer = rig.call("POST", "/clusters/one/access-entries", entry.clone());
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.body["accessEntry"]["username"],
        format!("arn:aws:sts::{account}:assumed-role/deploy/{{{{SessionName}}}}")
    );
    rig.call("POST", "/clusters/one/access-entries", entry)
        .refused("ResourceInUseException", "already in use on this cluster");
    let identity = show(&rig, "one", &made).unwrap();
    assert_eq!(identity.username, format!("arn:aws:sts::{account}:assumed-role/deploy/me"));
    assert!(!identity.may_do_everything());
    assert_eq!(identity.groups, ["viewers"]);
    let path = format!(
        "/clusters/one/access-entries/{}/access-policies",
        role.replace(':', "%3A").replace('/', "%2F")
    );
    let policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
    let scoped = json!({"policyArn": policy, "accessScope": {"type": "namespace", "namespaces": []}});
    rig.call("POST", &path, scoped).refused("InvalidParameterException", "namespaces");
    let wide = json!({"policyArn": policy, "accessScope": {"type": "cluster"}});
    assert_eq!(rig.call("POST", &path, wide).status, 200);
    assert_eq!(rig.get(&path)["associatedAccessPolicies"][0]["policyArn"], policy);
    assert!(show(&rig, "one", &made).unwrap().may_do_everything());
    rig.call("POST", "/clusters/one/access-entries", json!({"principalArn": rig.role("none")}))
        .refused("InvalidParameterException", "invalid principal");
    rig.call(
        "POST",
        "/clusters/one/access-entries",
        json!({"principalArn": rig.role("cluster"), "kubernetesGroups": ["system:masters"]}),
    )
    .refused("InvalidParameterException", "cannot start with system:");
}

#[test]
fn without_access_entries_only_the_creator_comes_in() {
    let mut rig = Rig::new();
    let mut request = rig.cluster_request("one");
    request.as_object_mut().unwrap().remove("accessConfig");
    rig.call("POST", "/clusters", request);
    rig.pass(660);
    rig.call("GET", "/clusters/one/access-entries", Value::Null)
        .refused("InvalidRequestException", "must be set to one of [API, API_AND_CONFIG_MAP]");
    let good = user_token(&rig, "one");
    assert_eq!(show(&rig, "one", &good).unwrap().groups, ["system:masters"]);
    rig.call(
        "POST",
        "/clusters/one/update-config",
        json!({"accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"}}),
    );
    rig.pass(70);
    let entries = rig.get("/clusters/one/access-entries")["accessEntries"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 1, "the creator's entry comes with the mode");
    let good = user_token(&rig, "one");
    assert!(show(&rig, "one", &good).unwrap().administrator);
}

#[test]
fn nodes_are_let_in_by_an_entry_that_eks_makes() {
    let mut rig = Rig::new();
    rig.cluster("one");
    rig.node_group("workers");
    let role = rig.role("node");
    let path = format!("/clusters/one/access-entries/{}", role.replace(':', "%3A").replace('/', "%2F"));
    assert_eq!(rig.get(&path)["accessEntry"]["type"], "EC2_LINUX");
}
