//! The end of all that a connection has: clusters, then key pairs and security groups, then networks. Each removal is a
//! durable operation, and one that is under way already is joined.

use std::time::Duration;

use futures::future::join_all;
use pmks_core::Reference;
use serde_json::{Value, json};

use super::all::{Kind, Outcome};
use super::clusters::Cluster;
use super::key_pairs::KeyPair;
use super::networks::Network;
use super::security_groups::SecurityGroup;
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;
use crate::wait::Until;

/// How long each removal is waited for: a cluster's may take the better part of this.
const LIMIT: Duration = Duration::from_hours(1);

/// What became of one kind.
struct Ended {
    all: bool,
    shown: Value,
}

/// Answers what was removed and what was not, and why. It goes on when the client hangs up.
pub(super) async fn all(mut call: Call) -> Answer {
    // Many operations: no key is of them all, and there is no one that could be answered at once.
    (call.caller.idempotency, call.respond_async) = (None, false);
    let connection = call.connection()?;
    call.pmks().connections().get(&connection).await?;
    call.caller.require_operator(&connection)?;
    let ended = tokio::spawn(async move { each(&call, &connection).await }).await;
    let kinds = ended.map_err(|_| Refusal::internal("the removal broke off"))??;
    Ok(Reply::Json(json!({
        "IsAllDestroyed": kinds.iter().all(|kind| kind.all),
        "DeletedAllListByResourceType": kinds.into_iter().map(|kind| kind.shown).collect::<Vec<_>>(),
    })))
}

async fn each(call: &Call, connection: &str) -> Outcome<Vec<Ended>> {
    let clusters = of::<Cluster>(call, connection).await?;
    let (keys, groups) = tokio::join!(of::<KeyPair>(call, connection), of::<SecurityGroup>(call, connection));
    let (keys, groups) = (keys?, groups?);
    Ok(vec![clusters, keys, groups, of::<Network>(call, connection).await?])
}

/// Removes what that connection made or registered: another one of the same account keeps its own.
async fn of<K: Kind>(call: &Call, connection: &str) -> Outcome<Ended> {
    let mut known = K::known(call, connection).await?;
    known.retain(|view| K::connection(view) == connection);
    let removals = known.iter().map(|view| {
        let meant = Reference::name(&K::facts(view).iid.name_id);
        let removal = K::removal(connection.to_owned(), meant);
        call.change(removal, Until::Over, LIMIT)
    });
    let (mut gone, mut remain) = (Vec::new(), Vec::new());
    for (view, ended) in known.iter().zip(join_all(removals).await) {
        let iid = K::facts(view).iid;
        match ended {
            Ok(_) => gone.push(shapes::iid(iid)),
            Err(refusal) if refusal.is_absent() => gone.push(shapes::iid(iid)),
            Err(refusal) => remain.push(json!({"Name": iid.name_id, "ErrorMsg": refusal.message})),
        }
    }
    let all = remain.is_empty();
    let shown = json!({
        "ResourceType": K::TYPE, "IsAllDeleted": all, "DeletedIIDList": gone, "RemainedErrorInfoList": remain,
    });
    Ok(Ended { all, shown })
}
