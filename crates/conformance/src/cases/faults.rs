//! A cloud that loses answers, is busy, throttles, or answers nonsense.

use std::collections::BTreeSet;
use std::time::Duration;

use pmks_driver::{Change, Detail, ErrorKind};
use pmks_model::ResourceKind;
use pmks_transport::{Effect, Fault, FaultRule, When};

use crate::executor::carry_out;
use crate::ground::{Ground, delete, delete_cluster, fix_prerequisites, network_request, take};
use crate::report::{check, check_equal};
use crate::{Failed, Rig, Verdict};

/// The changing calls that making a ground and a cluster with a node group takes, and how many things that makes.
async fn undisturbed(rig: &Rig) -> Result<(BTreeSet<&'static str>, usize), Failed> {
    let (mark, before) = (rig.calls.mark(), rig.witness.things().await.len());
    let ground = Ground::make(rig).await?;
    let cluster = ground.cluster_with(rig, "pmks-lost", 1).await?;
    let actions = rig.calls.changes_since(mark).into_iter().map(|call| call.action).collect();
    let made = rig.witness.things().await.len() - before;
    delete_cluster(rig, &cluster).await?;
    ground.clear(rig).await?;
    Ok((actions, made))
}

/// Every changing call of a creation in turn meets the fault once; what stands at the end is the same, once.
async fn nothing_twice(rig: &Rig, fault: &Fault) -> Result<(), Failed> {
    fix_prerequisites(rig).await?;
    let (actions, wanted) = undisturbed(rig).await?;
    for action in actions {
        let before = rig.witness.things().await.len();
        rig.faults.add(FaultRule::on(action, When::Nth(1), fault.clone()));
        let ground = Ground::make(rig).await.map_err(|failed| Failed(format!("{action}: {failed}")))?;
        let cluster = ground.cluster_with(rig, "pmks-lost", 1).await;
        let cluster = cluster.map_err(|failed| Failed(format!("{action}: {failed}")))?;
        check(rig.faults.struck() > 0, || format!("{action} was not called"))?;
        rig.faults.clear();
        let things = rig.witness.things().await;
        check(things.len() - before == wanted, || {
            format!("{action}: {} things instead of {wanted}: {things:?}", things.len() - before)
        })?;
        delete_cluster(rig, &cluster).await?;
        ground.clear(rig).await?;
        check_equal(
            &rig.witness.things().await.len(),
            &before,
            &format!("{action}: things after the removal"),
        )?;
    }
    Ok(())
}

/// The answer of each changing call of a creation is lost after it was applied: nothing is made twice.
pub(crate) async fn a_lost_answer_makes_nothing_twice(rig: Rig) -> Result<Verdict, Failed> {
    nothing_twice(&rig, &Fault::DropAnswer).await?;
    Ok(Verdict::Passed)
}

/// Each changing call of a creation is applied only after the connection died: nothing is made twice.
pub(crate) async fn a_late_request_makes_nothing_twice(rig: Rig) -> Result<Verdict, Failed> {
    nothing_twice(&rig, &Fault::ApplyLater(Duration::from_millis(40))).await?;
    Ok(Verdict::Passed)
}

/// Throttled and unavailable answers to reads and asks are waited for; the change succeeds.
pub(crate) async fn a_busy_or_throttling_cloud_is_waited_for(rig: Rig) -> Result<Verdict, Failed> {
    let ground = Ground::make(&rig).await?;
    let mark = rig.calls.mark();
    let cluster = ground.standing_cluster(&rig, "pmks-busy").await?;
    delete_cluster(&rig, &cluster).await?;
    let actions: BTreeSet<(&str, Effect)> =
        rig.calls.since(mark).into_iter().map(|call| (call.action, call.effect)).collect();
    for (action, effect) in actions {
        rig.faults.add(FaultRule::on(action, When::First(2), Fault::Throttle { retry_after: None }));
        if effect == Effect::Read {
            rig.faults.add(FaultRule::on(action, When::Nth(4), Fault::DropAnswer));
        }
    }
    let cluster = ground.standing_cluster(&rig, "pmks-busy").await?;
    delete_cluster(&rig, &cluster).await?;
    check(rig.faults.struck() > 0, || "no fault struck".to_owned())?;
    rig.faults.clear();
    ground.clear(&rig).await?;
    Ok(Verdict::Passed)
}

/// A 404 without the cloud's own error body, or a garbled answer, is never taken for absence.
pub(crate) async fn unreadable_answers_are_no_absence(rig: Rig) -> Result<Verdict, Failed> {
    let page = || Fault::Answer {
        status: pmks_transport::StatusCode::NOT_FOUND,
        content_type: "text/html",
        body: pmks_transport::Bytes::from_static(b"<html><title>404 Not Found</title></html>"),
    };
    for fault in [page(), Fault::Garbage] {
        rig.faults.add(FaultRule::on_any(When::Always, fault.clone()));
        let errors = [
            ("get_cluster", rig.driver.get_cluster("pmks-nothing").await.err()),
            ("list_clusters", rig.driver.list_clusters(Detail::Ids).await.err()),
            ("get_network", rig.driver.get_network("pmks-nothing").await.err()),
        ];
        rig.faults.clear();
        for (read, error) in errors {
            let error = error.ok_or_else(|| Failed(format!("{read} read {fault:?}")))?;
            let kind = error.kind();
            check(!matches!(kind, ErrorKind::NotFound), || format!("{read} took {fault:?} for absence"))?;
        }
    }
    // Removing something while the cloud answers nonsense must not end as «it is gone».
    fix_prerequisites(&rig).await?;
    let asked = network_request(&rig, "pmks-odd").await?;
    let network = take(&mut carry_out(&rig, &Change::CreateNetwork(asked.clone())).await?.ids, "pmks-odd")?;
    rig.faults.add(FaultRule::on_any(When::Always, page()));
    let gone = delete(&rig, ResourceKind::Network, &network, &asked.marks).await;
    rig.faults.clear();
    check(gone.is_err(), || "a removal succeeded against nonsense".to_owned())?;
    delete(&rig, ResourceKind::Network, &network, &asked.marks).await?;
    Ok(Verdict::Passed)
}
