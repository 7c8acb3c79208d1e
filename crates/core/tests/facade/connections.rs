//! Connections: what is refused, what is proven, what is never shown.

use pmks_core::{Caller, ConnectionScope, Mutation, NewConnection, PageRequest, Role};
use pmks_driver::ErrorKind;
use pmks_model::FailureKind;
use serde_json::json;

use super::rig::{Rig, fields, from, new_network};

#[tokio::test]
async fn everything_wrong_with_a_connection_is_found_together() {
    let rig = Rig::empty().await;
    let asked: NewConnection = from(json!({
        "name": "a/b", "provider": "fake", "pace": 0, "credential": {"accessKey": "AK1"},
        "endpoints": {"compute": "ftp://x", "storage": "https://ok", "all": "https://u:p@x"},
        "settings": {"rolle": "x"}, "caCertificate": "none", "zone": "nowhere",
    }));
    let failure = rig.pmks.connections().create(&rig.admin, asked).await.unwrap_err();
    assert_eq!(
        fields(&failure),
        [
            "name",
            "region",
            "pace",
            "caCertificate",
            "endpoints.all",
            "endpoints.compute",
            "endpoints.storage",
            "settings.rolle",
            "credential.secretKey",
            "zone",
        ]
    );
    let asked: NewConnection =
        from(json!({"name": "a", "provider": "nowhere", "region": "r", "credential": {}}));
    let failure = rig.pmks.connections().create(&rig.admin, asked).await.unwrap_err();
    assert_eq!(fields(&failure), ["provider"]);
    assert!(rig.pmks.connections().list(&PageRequest::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let rig = Rig::new().await;
    let view = rig.pmks.connections().get("here").await.unwrap();
    assert_eq!(view.credential.get("accessKey"), Some(&json!("AK1")));
    assert_eq!(view.secrets, ["secretKey"]);
    let shown = format!("{}{view:?}{:?}", serde_json::to_string(&view).unwrap(), rig.pmks);
    assert!(!shown.contains("hunter2"));
    let again: NewConnection = from(
        json!({"name": "here", "provider": "fake", "region": "r1", "credential": {"accessKey": "AK1", "secretKey": "x"}}),
    );
    let failure = rig.pmks.connections().create(&rig.admin, again).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::AlreadyExists);
}

#[tokio::test]
async fn ambient_and_endpoints_are_the_administrators_and_the_servers_to_allow() {
    let rig = Rig::empty().await;
    let operator = Caller { role: Role::Operator, ..Caller::local("op") };
    let ambient: NewConnection =
        from(json!({"name": "a", "provider": "fake", "region": "r", "credential": {"ambient": true}}));
    let failure = rig.pmks.connections().create(&operator, ambient.clone()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAllowed);
    let failure = rig.pmks.connections().create(&rig.admin, ambient).await.unwrap_err();
    assert!(failure.fix.unwrap().contains("--allow-ambient"));
    let elsewhere: NewConnection = from(json!({
        "name": "a", "provider": "fake", "region": "r", "credential": {"accessKey": "AK1", "secretKey": "x"},
        "endpoints": {"all": "http://127.0.0.1:1"},
    }));
    let failure = rig.pmks.connections().create(&operator, elsewhere.clone()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAllowed);
    rig.pmks.connections().create(&rig.admin, elsewhere).await.unwrap();
}

#[tokio::test]
async fn what_is_known_to_be_wrong_with_an_ambient_connection_is_found_before_it_is_kept() {
    let rig = Rig::empty().await.ambient(&[]).await;
    let asked = |zone: &str| -> NewConnection {
        from(
            json!({"name": "a/b", "provider": "fake", "region": "r", "zone": zone, "credential": {"ambient": true}}),
        )
    };
    let failure = rig.pmks.connections().create(&rig.admin, asked("nowhere")).await.unwrap_err();
    let all = ["name", "zone", "region", "credential.secretKey", "settings.role"];
    assert_eq!(fields(&failure), all, "{failure}");
    let right = |rig: &Rig| {
        let asked = NewConnection { name: "a".into(), ..asked("z1") };
        let (pmks, admin) = (rig.pmks.clone(), rig.admin.clone());
        async move { pmks.connections().create(&admin, asked).await }
    };
    assert_eq!(fields(&right(&rig).await.unwrap_err()), ["settings.role"]);
    let rig = rig.ambient(&[("FAKE_ACCOUNT", "1")]).await;
    right(&rig).await.unwrap();
}

#[tokio::test]
async fn validation_stores_the_account_and_says_what_is_missing() {
    let rig = Rig::new().await;
    assert_eq!(rig.pmks.connections().get("here").await.unwrap().account, None);
    let validation = rig.pmks.connections().validate(&rig.admin, "here").await.unwrap();
    assert!(validation.valid);
    assert_eq!(validation.prerequisites.len(), 1);
    let view = rig.pmks.connections().get("here").await.unwrap();
    assert_eq!(view.account.unwrap().account, "fake:1");
    rig.connect("broken", "nobody").await;
    let validation = rig.pmks.connections().validate(&rig.admin, "broken").await.unwrap();
    let error = validation.error.unwrap();
    assert_eq!((validation.valid, error.kind), (false, FailureKind::Unauthenticated));
    assert!(error.detail.contains("\"broken\""), "{error}");
    rig.cloud.world().failures.insert("prerequisites".into(), ErrorKind::Forbidden { permission: None });
    let validation = rig.pmks.connections().validate(&rig.admin, "here").await.unwrap();
    assert_eq!((validation.valid, validation.missed.len()), (true, 1));
}

#[tokio::test]
async fn a_changed_credential_proves_the_same_account() {
    let rig = Rig::new().await;
    rig.pmks.connections().validate(&rig.admin, "here").await.unwrap();
    let connections = rig.pmks.connections();
    let other = json!({"credential": {"accessKey": "AK2", "secretKey": "x"}});
    let failure = connections.update(&rig.admin, "here", other, "*").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    let unknown = json!({"credential": {"accessKey": "AK9", "secretKey": "x"}});
    let failure = connections.update(&rig.admin, "here", unknown, "*").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unauthenticated);
    let same = json!({"credential": {"accessKey": "AK1b", "secretKey": "y"}});
    let view = connections.update(&rig.admin, "here", same, "*").await.unwrap();
    assert_eq!(view.credential.get("accessKey"), Some(&json!("AK1b")));
    let partly = json!({"credential": {"secretKey": "y"}});
    let failure = connections.update(&rig.admin, "here", partly, "*").await.unwrap_err();
    assert_eq!(fields(&failure), ["credential.accessKey"]);
}

#[tokio::test]
async fn a_patch_names_its_version_and_only_what_can_change() {
    let rig = Rig::new().await;
    let connections = rig.pmks.connections();
    let tag = connections.get("here").await.unwrap().version_tag;
    let view = connections.update(&rig.admin, "here", json!({"zone": "r1a", "pace": 5}), &tag).await.unwrap();
    assert_eq!((view.zone.as_deref(), view.pace), (Some("r1a"), 5));
    let failure = connections.update(&rig.admin, "here", json!({"pace": 6}), &tag).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stale);
    let view = connections.update(&rig.admin, "here", json!({"zone": null}), "*").await.unwrap();
    assert_eq!(view.zone, None);
    for (patch, field) in [
        (json!({"colour": 1, "uid": 2}), "colour"),
        (json!({"name": "there"}), "name"),
        (json!({"provider": "other"}), "provider"),
        (json!({"settings": {"role": "x"}}), "credential"),
        (json!({"endpoints": {"all": "http://127.0.0.1:1"}}), "credential"),
        (json!({"credential": 7}), "credential"),
        (json!([]), ""),
    ] {
        let failure = connections.update(&rig.admin, "here", patch.clone(), "*").await.unwrap_err();
        assert_eq!(fields(&failure).first(), Some(&field), "{patch}");
    }
}

#[tokio::test]
async fn what_holds_records_neither_moves_nor_goes() {
    let rig = Rig::new().await;
    let network = new_network("net");
    rig.done(Mutation::CreateNetwork { connection: "here".into(), network }).await;
    let connections = rig.pmks.connections();
    let failure = connections.update(&rig.admin, "here", json!({"region": "r2"}), "*").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    let failure = connections.delete(&rig.admin, "here").await.unwrap_err();
    assert!(failure.detail.contains("network \"net\""), "{failure}");
    rig.done(Mutation::DeleteNetwork { connection: "here".into(), network: "net".into() }).await;
    connections.update(&rig.admin, "here", json!({"region": "r2"}), "*").await.unwrap();
    connections.delete(&rig.admin, "here").await.unwrap();
    assert_eq!(connections.get("here").await.unwrap_err().kind, FailureKind::NotFound);
    assert_eq!(connections.delete(&rig.admin, "here").await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn roles_are_held_to() {
    let rig = Rig::new().await;
    let caller = |role, names: &[&str]| Caller {
        role,
        connections: ConnectionScope::Named(names.iter().map(|name| (*name).to_owned()).collect()),
        ..Caller::local("x")
    };
    let delete = || Mutation::DeleteNetwork { connection: "here".into(), network: "net".into() };
    for (caller, kind) in [
        (caller(Role::Viewer, &["here"]), FailureKind::NotAllowed),
        (caller(Role::Operator, &["there"]), FailureKind::NotAllowed),
        (caller(Role::Operator, &["here"]), FailureKind::NotFound),
        (caller(Role::Admin, &[]), FailureKind::NotFound),
    ] {
        assert_eq!(rig.pmks.accept(&caller, delete()).await.unwrap_err().kind, kind, "{caller:?}");
        assert_eq!(rig.pmks.plan(&caller, delete()).await.unwrap_err().kind, kind, "{caller:?}");
    }
}
