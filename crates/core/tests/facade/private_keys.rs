//! The private half of a key pair that pmks makes: told again to the same request while the process lives, and lost with it.

use std::time::Duration;

use pmks_core::{Accepted, Caller, Handover, Idempotency, Mutation, NewKeyPair, PrivateKey};
use pmks_driver::ErrorKind;
use pmks_model::{Failure, FailureKind, OperationState};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::rig::{Rig, fields, from};
use super::stages::text;

const PATIENCE: Duration = Duration::from_millis(200);

fn create() -> Mutation {
    let key_pair: NewKeyPair = from(json!({"name": "mine"}));
    Mutation::CreateKeyPair { connection: "here".into(), key_pair }
}

/// Who sends that request with that key.
fn keyed(rig: &Rig, key: &str) -> Caller {
    let given = Idempotency {
        key: key.to_owned(),
        method: "POST".to_owned(),
        path: "/keyPairs".to_owned(),
        body_hash: "hash".to_owned(),
    };
    Caller { idempotency: Some(given), ..rig.admin.clone() }
}

async fn asked(rig: &Rig, caller: &Caller) -> Accepted {
    rig.pmks.accept(caller, create()).await.unwrap()
}

/// What is told at the end.
async fn told(rig: &Rig, caller: &Caller, accepted: Accepted) -> Result<String, Failure> {
    let (key, handover) = heard(rig, caller, accepted).await?;
    handover.complete();
    Ok(key)
}

/// The same, of which it is not said yet that it was handed over.
async fn heard(rig: &Rig, caller: &Caller, accepted: Accepted) -> Result<(String, Handover), Failure> {
    let key = accepted.private_key.unwrap();
    let told = key.once_made(&rig.pmks, caller, PATIENCE).await;
    told.map(|(_, key, handover)| (key.expose_secret().to_owned(), handover)).map_err(|failure| *failure)
}

#[tokio::test]
async fn the_same_request_is_told_the_same_key() {
    let rig = Rig::new().await;
    let caller = keyed(&rig, "k1");
    let (first, second) = (asked(&rig, &caller).await, asked(&rig, &caller).await);
    assert_eq!(first.operation.id, second.operation.id);
    rig.settle().await;
    let key = told(&rig, &caller, first).await.unwrap();
    assert!(key.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    // Whoever did not hear it asks while it is made, or when it is told already.
    assert_eq!(told(&rig, &caller, second).await.unwrap(), key);
    assert_eq!(told(&rig, &caller, asked(&rig, &caller).await).await.unwrap(), key);
    // Another request is another one.
    let other = rig.pmks.accept(&keyed(&rig, "k2"), create()).await.unwrap_err();
    assert_eq!(other.kind, FailureKind::AlreadyExists);
}

#[tokio::test]
async fn a_key_is_lost_with_its_process() {
    let rig = Rig::new().await;
    let caller = keyed(&rig, "k1");
    let first = asked(&rig, &caller).await;
    rig.settle().await;
    told(&rig, &caller, first).await.unwrap();
    let rig = rig.again().await;
    let lost = told(&rig, &caller, asked(&rig, &caller).await).await.unwrap_err();
    assert_eq!(lost.kind, FailureKind::AlreadyExists);
    assert!(lost.detail.contains("is had no more"), "{lost:?}");
    assert!(lost.fix.as_deref().unwrap().contains("delete key pair \"mine\""), "{lost:?}");
}

#[tokio::test]
async fn a_pair_whose_key_is_lost_before_it_is_made_is_stopped() {
    let rig = Rig::new().await;
    let caller = keyed(&rig, "k1");
    let first = asked(&rig, &caller).await;
    let rig = rig.again().await;
    let lost = told(&rig, &caller, asked(&rig, &caller).await).await.unwrap_err();
    assert_eq!(lost.kind, FailureKind::AlreadyExists);
    rig.settle().await;
    assert_eq!(rig.operation(&first.operation).await.state, OperationState::Cancelled);
    assert!(rig.cloud.world().key_pairs.is_empty());
}

#[tokio::test]
async fn a_failure_is_told_again_as_itself() {
    let rig = Rig::new().await;
    let caller = keyed(&rig, "k1");
    let first = asked(&rig, &caller).await;
    rig.cloud.world().failures.insert("ask key pair".into(), ErrorKind::QuotaExceeded);
    rig.settle().await;
    assert_eq!(told(&rig, &caller, first).await.unwrap_err().kind, FailureKind::QuotaExceeded);
    let rig = rig.again().await;
    let again = told(&rig, &caller, asked(&rig, &caller).await).await.unwrap_err();
    assert_eq!(again.kind, FailureKind::QuotaExceeded);
}

#[tokio::test]
async fn who_brings_a_public_key_is_told_no_private_one() {
    let rig = Rig::new().await;
    let public_key = pmks_core::generate_key_pair("mine").unwrap().public_key;
    let key_pair: NewKeyPair = from(json!({"name": "mine", "publicKey": public_key}));
    let create = Mutation::CreateKeyPair { connection: "here".into(), key_pair };
    let caller = keyed(&rig, "k1");
    for _ in 0..2 {
        let accepted = rig.pmks.accept(&caller, create.clone()).await.unwrap();
        assert!(accepted.private_key.is_none());
    }
}

#[tokio::test]
async fn without_a_key_the_same_request_is_told_what_was_not_handed_over() {
    let rig = Rig::new().await;
    let me = rig.admin.clone();
    let exists = |refused: Failure| assert_eq!(refused.kind, FailureKind::AlreadyExists, "{refused:?}");
    let (first, second) = (asked(&rig, &me).await, asked(&rig, &me).await);
    assert_eq!(first.operation.id, second.operation.id);
    // Nothing ends it in time: the second has nothing to stop.
    exists(told(&rig, &me, second).await.unwrap_err());
    rig.settle().await;
    let (key, handover) = heard(&rig, &me, first).await.unwrap();
    // Others, and other requests, are refused meanwhile.
    let other = Caller { name: "other".into(), ..me.clone() };
    exists(*rig.pmks.accept(&other, create()).await.unwrap_err());
    exists(*rig.pmks.accept(&keyed(&rig, "k1"), create()).await.unwrap_err());
    let key_pair: NewKeyPair = from(json!({"name": "mine", "tags": {"a": "b"}}));
    let tagged = Mutation::CreateKeyPair { connection: "here".into(), key_pair };
    exists(*rig.pmks.accept(&me, tagged).await.unwrap_err());
    // That answer reached nobody, and neither did the next.
    drop(handover);
    drop(heard(&rig, &me, asked(&rig, &me).await).await.unwrap());
    let late = asked(&rig, &me).await;
    assert_eq!(told(&rig, &me, asked(&rig, &me).await).await.unwrap(), key);
    // Now one has it.
    exists(told(&rig, &me, late).await.unwrap_err());
    exists(*rig.pmks.accept(&me, create()).await.unwrap_err());
    assert_eq!(rig.cloud.world().key_pairs.len(), 1);
}

#[tokio::test]
async fn a_pair_of_the_name_of_one_that_is_gone_is_another_one() {
    let rig = Rig::new().await;
    let me = rig.admin.clone();
    let first = asked(&rig, &me).await;
    rig.settle().await;
    let key = heard(&rig, &me, first).await.unwrap().0;
    let delete = || Mutation::DeleteKeyPair { connection: "here".into(), key_pair: "mine".into() };
    rig.done(delete()).await;
    let second = asked(&rig, &me).await;
    rig.settle().await;
    assert_ne!(heard(&rig, &me, second).await.unwrap().0, key);
    rig.done(delete()).await;
    // By another's hand it stands again, and its key is not the one that is kept.
    rig.pmks.accept(&keyed(&rig, "k1"), create()).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.pmks.accept(&me, create()).await.unwrap_err().kind, FailureKind::AlreadyExists);
}

#[tokio::test]
async fn where_a_stranger_has_the_name_of_a_pair_that_is_gone_the_name_is_taken() {
    let rig = Rig::new().await;
    let me = rig.admin.clone();
    let first = asked(&rig, &me).await;
    rig.settle().await;
    heard(&rig, &me, first).await.unwrap();
    rig.done(Mutation::DeleteKeyPair { connection: "here".into(), key_pair: "mine".into() }).await;
    // The cloud says so, and nobody has a record of it.
    rig.cloud.world().failures.insert("prepare".into(), ErrorKind::AlreadyExists);
    assert_eq!(rig.pmks.accept(&me, create()).await.unwrap_err().kind, FailureKind::AlreadyExists);
}

#[tokio::test]
async fn what_failed_is_not_told_again() {
    let rig = Rig::new().await;
    let me = rig.admin.clone();
    rig.cloud.world().failures.insert("ask key pair".into(), ErrorKind::QuotaExceeded);
    let first = asked(&rig, &me).await;
    rig.settle().await;
    assert_eq!(told(&rig, &me, first).await.unwrap_err().kind, FailureKind::QuotaExceeded);
    rig.cloud.world().failures.clear();
    // It left nothing, or a record that says so: never the failure of before.
    match rig.pmks.accept(&me, create()).await {
        Ok(again) => {
            rig.settle().await;
            told(&rig, &me, again).await.unwrap();
        }
        Err(refused) => assert_eq!(refused.kind, FailureKind::AlreadyExists, "{refused:?}"),
    }
}

#[tokio::test]
async fn the_private_half_of_a_key_pair_is_answered_once() {
    let rig = Rig::new().await;
    let key_pair = |name: &str, public_key: Option<String>| Mutation::CreateKeyPair {
        connection: "here".into(),
        key_pair: NewKeyPair { name: name.into(), public_key, ..NewKeyPair::default() },
    };
    let accepted = rig.accepted(key_pair("mine", None)).await.unwrap();
    let withheld = accepted.private_key.unwrap();
    let (made, ()) =
        tokio::join!(withheld.once_made(&rig.pmks, &rig.admin, PrivateKey::PATIENCE), rig.settle());
    let (operation, private, _) = made.unwrap();
    assert_eq!(operation.state, OperationState::Succeeded);
    assert!(private.expose_secret().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    let asked = rig.cloud.world().asked.get("keyPair.create").cloned().unwrap();
    assert!(text(&asked, "/request/publicKey").starts_with("ssh-rsa "));
    let operation = rig.operation(&accepted.operation).await;
    let seen = format!("{asked}{}", serde_json::to_string(&operation).unwrap());
    assert!(!seen.contains("PRIVATE"));
    let view = rig.pmks.key_pairs().get("here", "mine", None).await.unwrap();
    assert_eq!(view.fingerprint, "aa:bb");
    let given = rig.accepted(key_pair("given", Some(view.public_key.clone()))).await.unwrap();
    assert!(given.private_key.is_none());
    assert_eq!(
        fields(&rig.accept(key_pair("bad", Some("ssh-dss AAAA".into()))).await.unwrap_err()),
        ["publicKey"]
    );
    rig.settle().await;
    rig.done(Mutation::DeleteKeyPair { connection: "here".into(), key_pair: "mine".into() }).await;
}

/// Something stands in for it in plans and in what is checked before.
#[tokio::test]
async fn a_key_pair_is_made_once_its_creation_is_taken_on() {
    let rig = Rig::new().await;
    let heard = || {
        let asked = rig.cloud.world().asked.remove("keyPair.create").unwrap();
        text(&asked, "/request/publicKey").to_owned()
    };
    rig.pmks.plan(&rig.admin, create()).await.unwrap();
    let stand_in = heard();
    rig.pmks.plan(&rig.admin, create()).await.unwrap();
    assert_eq!(heard(), stand_in);
    rig.cloud.world().failures.insert("prepare".into(), ErrorKind::QuotaExceeded);
    rig.pmks.accept(&rig.admin, create()).await.unwrap_err();
    assert_eq!(heard(), stand_in);
    rig.cloud.world().failures.clear();
    let accepted = asked(&rig, &rig.admin).await;
    assert_eq!(heard(), stand_in);
    rig.settle().await;
    // What the cloud is given, and is known of it, is the other half of what is told.
    let public_key = heard();
    let private_key = told(&rig, &rig.admin, accepted).await.unwrap();
    let known = rig.pmks.key_pairs().get("here", "mine", None).await.unwrap().public_key;
    assert_eq!((&known, public_key == stand_in), (&public_key, false));
    let der = pem::parse(private_key).unwrap();
    let n = ssh_key::PublicKey::from_openssh(&public_key).unwrap().key_data().rsa().unwrap().n.clone();
    let n = n.as_positive_bytes().unwrap();
    assert!(der.contents().windows(n.len()).any(|part| part == n), "they belong together");
}

#[tokio::test]
async fn the_private_half_of_a_pair_that_was_not_made_is_given_to_nobody() {
    let rig = Rig::new().await;
    let key_pair = |name: &str| Mutation::CreateKeyPair {
        connection: "here".into(),
        key_pair: NewKeyPair { name: name.into(), ..NewKeyPair::default() },
    };
    rig.cloud.world().failures.insert("ask key pair".into(), ErrorKind::QuotaExceeded);
    let withheld = rig.accepted(key_pair("refused")).await.unwrap().private_key.unwrap();
    let (made, ()) =
        tokio::join!(withheld.once_made(&rig.pmks, &rig.admin, PrivateKey::PATIENCE), rig.settle());
    assert_eq!(made.unwrap_err().kind, FailureKind::QuotaExceeded);
    // One that the cloud does not end in time is asked to stop: nobody would have its key.
    rig.cloud.world().failures.clear();
    let accepted = rig.accepted(key_pair("late")).await.unwrap();
    let failure = accepted
        .private_key
        .unwrap()
        .once_made(&rig.pmks, &rig.admin, Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    rig.settle().await;
    assert_eq!(rig.operation(&accepted.operation).await.state, OperationState::Cancelled);
    assert!(rig.cloud.world().key_pairs.is_empty());
}
