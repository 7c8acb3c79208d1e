//! A deletion that failed half-way, and is not retried but asked for anew.

use std::sync::Arc;

use pmks_core::Caller;
use pmks_model::{OperationKind, OperationState};
use pmks_store::NoKillPoints;
use pmks_transport::Fault;

use super::clear::says_why;
use crate::CloudUnderTest;
use crate::kill_matrix::{Process, Stage, is_long, scene_of, truth};

/// How many of the last calls fail, unless all do: those are made when the cluster is gone.
const LAST: usize = 3;

/// Each of the calls that change the cloud fails in turn; what then remains is listed, and gone after a new deletion: also
/// where the cluster itself is gone by then, so that nobody but the first deletion knows what it brought about. What
/// comes of a cluster that does not answer itself, is [`super::silence`].
pub(super) async fn deleted_anew(under_test: &'static dyn CloudUnderTest) {
    if !under_test.asks_clusters() {
        println!("this provider's clusters are asked for nothing");
        return;
    }
    let scene = |offer: &_| scene_of(OperationKind::ClusterDelete, offer);
    let Some(stage) = Stage::set(under_test, scene).await else { return };
    let mark = stage.house.calls.mark();
    let quiet = stage.run(&[]).await.unwrap();
    let mut actions: Vec<&'static str> = Vec::new();
    for call in stage.house.calls.changes_since(mark) {
        if !call.action.starts_with("kubernetes.") && !actions.contains(&call.action) {
            actions.push(call.action);
        }
    }
    let skipped = if is_long() { 0 } else { actions.len().saturating_sub(LAST) };
    let (mut failed, mut without_cluster) = (Vec::new(), 0);
    for action in actions.into_iter().skip(skipped) {
        let path = stage.house.go_back(&stage.moment, "anew");
        let process = stage.house.process(&path, Arc::new(NoKillPoints)).await;
        match again(&stage, &process, action).await {
            Ok(None) => {}
            Ok(Some((operation, was_gone))) => {
                without_cluster += usize::from(was_gone);
                let judged = stage.judge(&process, &operation).await;
                if let Err(why) = judged.and_then(|picture| picture.differs(&quiet.picture)) {
                    failed.push(format!("{action}: {why}"));
                }
            }
            Err(why) => failed.push(format!("{action}: {why}")),
        }
        stage.house.breaker.clear();
        drop(process.pmks);
        process.store.close().await;
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(without_cluster > 0, "no deletion failed after the end of its cluster");
}

/// The end of a new deletion after one that failed of that call, and whether the cluster was gone in between; `None`: it
/// did not fail of it.
async fn again(
    stage: &Stage,
    process: &Process,
    action: &str,
) -> Result<Option<(pmks_store::Operation, bool)>, String> {
    let house = &stage.house;
    house.breaker.set(action, Fault::Refuse, usize::MAX);
    let id = stage.scene.ask(house, process).await.map_err(|failure| failure.to_string())?;
    let first = house.drive(process, id).await?;
    house.breaker.clear();
    if first.state == OperationState::Succeeded {
        return Ok(None);
    }
    says_why(house, &first)?;
    if first.remains.is_empty() {
        return Err(format!("it failed, and nothing is said to remain: {first:#?}"));
    }
    let word = house.under_test.word(pmks_model::ResourceKind::Cluster).unwrap_or_default();
    let was_gone = truth::counts(house).get(word).copied().unwrap_or_default() == 0;
    house.rest().await;
    let anew = house.run(process.pmks.accept(&Caller::local("me"), stage.scene.asks.clone())).await;
    let anew = anew.map_err(|failure| format!("not taken on again: {failure}"))?;
    if anew.operation.id == id {
        return Err("the first deletion was taken for the new one".to_owned());
    }
    house.drive(process, anew.operation.id).await.map(|operation| Some((operation, was_gone)))
}
