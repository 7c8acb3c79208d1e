//! API tokens, the audit log, providers.

use std::collections::BTreeSet;

use pmks_core::{AuditTimes, Caller, ConnectionScope, NewApiToken, PageRequest, Role};
use pmks_model::FailureKind;
use pmks_transport::Clock as _;
use secrecy::ExposeSecret;

use super::rig::{Rig, fields};

fn asked(name: &str, connections: ConnectionScope) -> NewApiToken {
    NewApiToken { name: name.into(), role: Role::Operator, connections, expires_at: None }
}

#[tokio::test]
async fn a_token_is_shown_once_recognized_and_revoked() {
    let rig = Rig::new().await;
    let tokens = rig.pmks.api_tokens();
    let scope = ConnectionScope::Named(BTreeSet::from(["here".to_owned()]));
    let created = tokens.create(&rig.admin, asked("ci", scope.clone())).await.unwrap();
    let token = created.token.expose_secret().to_owned();
    let bearer = tokens.authenticate(&token).await.unwrap();
    assert_eq!((bearer.name.as_str(), bearer.role, bearer.connections), ("ci", Role::Operator, scope));
    let listed = tokens.list(&rig.admin).await.unwrap();
    assert!(listed.len() == 1 && !format!("{listed:?}{created:?}").contains(&token));
    for wrong in ["", "pmks_", "pmks_x", &token[..token.len() - 1]] {
        assert_eq!(tokens.authenticate(wrong).await.unwrap_err().kind, FailureKind::NotAuthenticated);
    }
    tokens.revoke(&rig.admin, "ci").await.unwrap();
    assert_eq!(tokens.authenticate(&token).await.unwrap_err().kind, FailureKind::NotAuthenticated);
}

#[tokio::test]
async fn a_token_opens_nothing_from_its_end_on() {
    let rig = Rig::new().await;
    let tokens = rig.pmks.api_tokens();
    let until = |seconds| {
        let end = rig.clock.wall() + std::time::Duration::from_secs(seconds);
        NewApiToken { expires_at: Some(end), ..asked("ci", ConnectionScope::All) }
    };
    assert_eq!(fields(&tokens.create(&rig.admin, until(0)).await.unwrap_err()), ["expiresAt"]);
    let created = tokens.create(&rig.admin, until(60)).await.unwrap();
    rig.advance(59);
    tokens.authenticate(created.token.expose_secret()).await.unwrap();
    rig.advance(1);
    let refused = tokens.authenticate(created.token.expose_secret()).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::NotAuthenticated);
    assert!(refused.detail.contains("has expired"), "{}", refused.detail);
}

#[tokio::test]
async fn tokens_are_the_administrators_and_have_good_names() {
    let rig = Rig::new().await;
    let tokens = rig.pmks.api_tokens();
    let operator = Caller { role: Role::Operator, ..rig.admin.clone() };
    let failure = tokens.create(&operator, asked("ci", ConnectionScope::All)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAllowed);
    assert_eq!(tokens.list(&operator).await.unwrap_err().kind, FailureKind::NotAllowed);
    assert_eq!(tokens.revoke(&operator, "ci").await.unwrap_err().kind, FailureKind::NotAllowed);
    assert_eq!(
        rig.pmks
            .audit()
            .list(&operator, AuditTimes::default(), &PageRequest::default())
            .await
            .unwrap_err()
            .kind,
        FailureKind::NotAllowed
    );
    let nobody = ConnectionScope::Named(BTreeSet::new());
    let failure = tokens.create(&rig.admin, asked("-", nobody)).await.unwrap_err();
    assert_eq!(fields(&failure), ["name", "connections"]);
    tokens.create(&rig.admin, asked("ci", ConnectionScope::All)).await.unwrap();
    let failure = tokens.create(&rig.admin, asked("ci", ConnectionScope::All)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::AlreadyExists);
    assert_eq!(tokens.revoke(&rig.admin, "none").await.unwrap_err().kind, FailureKind::NotFound);
}

#[tokio::test]
async fn providers_say_what_they_can_do() {
    let rig = Rig::empty().await;
    assert_eq!(rig.pmks.providers().len(), 1);
    assert_eq!(rig.pmks.provider("fake").unwrap().title, "Fake Kubernetes");
    assert_eq!(rig.pmks.provider("none").unwrap_err().kind, FailureKind::NotFound);
    rig.pmks.ping().await.unwrap();
}
