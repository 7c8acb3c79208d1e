//! Clusters.

use std::time::Duration;

use pmks_core::{ClusterView, ImportCluster, Mutation, NewCluster, UnmanagedCluster};
use pmks_driver::KeyPairUse;
use pmks_model::{FailureKind, Status, UpgradeTargets};
use serde_json::{Value, json};

use super::all::{Sides, name_of};
use super::kubeconfig::{self, Form};
use super::{node_groups, shapes};
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;
use crate::wait::{CHANGE, DELETION, TAKEN_ON, Until};

pub(super) const WHAT: &str = "Kubernetes Cluster";

/// Answers when the cloud has taken it on.
pub(super) async fn create(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let name = asked.required("Name")?;
    let can = call.capabilities(&connection).await?;
    let groups = asked.parts("NodeGroupList")?.unwrap_or_default();
    let keyed = can.key_pair != KeyPairUse::Unused;
    let cluster = NewCluster {
        name: name.clone(),
        version: asked.text("Version")?,
        network: asked.text("VPCName")?,
        subnets: asked.texts("SubnetNames")?,
        security_groups: asked.texts("SecurityGroupNames")?,
        node_groups: groups.iter().map(|group| node_groups::new(group, keyed)).collect::<Result<_, _>>()?,
        tags: asked.pairs("TagList")?.unwrap_or_default().into_iter().collect(),
        ..NewCluster::default()
    };
    let mutation = Mutation::CreateCluster { connection: connection.clone(), cluster };
    changed(&call, mutation, &connection, &name, Until::Known).await
}

/// Has a cluster changed, and answers it as it is then.
pub(super) async fn changed(
    call: &Call,
    mutation: Mutation,
    connection: &str,
    name: &str,
    until: Until,
) -> Answer {
    let operation = call.change(mutation, until, TAKEN_ON).await;
    let operation = operation.map_err(|refusal| refusal.about(WHAT, name, connection))?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => shown(call, &read_now(call, connection, name).await?).await,
    }
}

/// As the cloud has it now; as it is known, where the cloud does not show yet what it has just taken on.
async fn read_now(call: &Call, connection: &str, name: &str) -> Result<ClusterView, Refusal> {
    match call.pmks().clusters().get(connection, name, Some(Duration::ZERO)).await {
        Ok(view) => Ok(view),
        Err(_) => read(call, connection, name).await,
    }
}

pub(super) async fn read(call: &Call, connection: &str, name: &str) -> Result<ClusterView, Refusal> {
    let view = call.pmks().clusters().get(connection, name, None).await;
    view.map_err(|failure| Refusal::from(failure).about(WHAT, name, connection))
}

async fn shown(call: &Call, view: &ClusterView) -> Answer {
    Ok(Reply::Json(json(call, view, &Form::of(call)?).await?))
}

async fn json(call: &Call, view: &ClusterView, form: &Form) -> Result<Value, Refusal> {
    Ok(shapes::cluster(view, &kubeconfig::of(call, view, form).await?))
}

pub(super) async fn list(call: Call) -> Answer {
    let (connection, form) = (call.connection()?, Form::of(&call)?);
    let mut items = Vec::new();
    for view in call.clusters(Some(&connection), None).await? {
        items.push(json(&call, &view, &form).await?);
    }
    Ok(Reply::list("cluster", items))
}

pub(super) async fn get(call: Call) -> Answer {
    let view = read(&call, &call.connection()?, call.named(0)).await?;
    shown(&call, &view).await
}

/// Answers when it is gone.
pub(super) async fn delete(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    let mutation = Mutation::DeleteCluster {
        connection: connection.clone(),
        cluster: name.clone(),
        delete_volumes: false,
    };
    match call.change(mutation, Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        Err(refusal) if call.force()? && refusal.is_final() => {
            let forgotten = call.pmks().clusters().forget(&call.keyless(), &connection, &name, false).await;
            forgotten.map_err(|_| refusal)?;
            Ok(Reply::result(false))
        }
        Err(refusal) => Err(refusal.about(WHAT, &name, &connection)),
    }
}

pub(super) async fn upgrade(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    let mutation = Mutation::UpgradeCluster {
        connection: connection.clone(),
        cluster: name.clone(),
        version: call.asked()?.required("Version")?,
        node_groups: UpgradeTargets::All,
        force: false,
    };
    changed(&call, mutation, &connection, &name, Until::TakenOn).await
}

/// The network of a cluster that is about to be registered.
pub(super) async fn owner(call: Call) -> Answer {
    let connection = call.connection()?;
    let id = call.asked()?.required("CSPId")?;
    let found = call.pmks().clusters().network_of_unmanaged(&connection, &id).await;
    let network = found.map_err(|failure| Refusal::from(failure).about(WHAT, &id, &connection))?;
    Ok(Reply::Json(shapes::iid(&network)))
}

pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let name = asked.required("Name")?;
    // It is the cloud that says where a cluster lies.
    asked.required("VPCName")?;
    let import = ImportCluster { name: name.clone(), system_id: asked.required("CSPId")?, take_over: false };
    let mutation = Mutation::ImportCluster { connection: connection.clone(), import };
    let operation = call.change(mutation, Until::Over, CHANGE).await;
    let operation = operation.map_err(|refusal| refusal.about(WHAT, &name, &connection))?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => shown(&call, &read(&call, &connection, &name).await?).await,
    }
}

pub(super) async fn unregister(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    match call.pmks().clusters().forget(&call.keyless(), &connection, name, false).await {
        Ok(()) => Ok(Reply::result(true)),
        Err(failure) if failure.kind == FailureKind::NotFound && failure.detail.contains("cluster") => {
            Err(Refusal::absent(format!("The {WHAT} '{name}' does not exist!")))
        }
        Err(failure) => Err(failure.into()),
    }
}

pub(super) async fn all(call: Call) -> Answer {
    let (known, strangers) = both(&call).await?;
    let mut sides = Sides::default();
    for view in known {
        let side = if view.status == Status::Missing { &mut sides.only_here } else { &mut sides.mapped };
        side.push(shapes::iid(&view.iid));
    }
    sides.only_cloud = strangers.iter().map(|stranger| shapes::iid(&stranger.iid)).collect();
    Ok(sides.list())
}

pub(super) async fn all_infos(call: Call) -> Answer {
    let (known, strangers) = both(&call).await?;
    let (mut sides, form) = (Sides::default(), Form::of(&call)?);
    for view in known {
        if view.status == Status::Missing {
            sides.only_here.push(shapes::iid(&view.iid));
        } else {
            sides.mapped.push(json(&call, &view, &form).await?);
        }
    }
    sides.only_cloud = strangers.iter().map(stranger).collect();
    Ok(sides.infos("cluster"))
}

async fn both(call: &Call) -> Result<(Vec<ClusterView>, Vec<UnmanagedCluster>), Refusal> {
    let connection = call.connection()?;
    let (strangers, missed) = call.pmks().clusters().unmanaged(Some(&connection)).await?;
    if let Some(missed) = missed.into_iter().next() {
        return Err(missed.failure.into());
    }
    Ok((call.clusters(Some(&connection), None).await?, strangers))
}

/// What a list of the cloud says of a cluster.
fn stranger(found: &UnmanagedCluster) -> Value {
    json!({
        "IId": shapes::iid(&found.iid),
        "Version": found.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        "Network": {"VpcIID": shapes::pair("", ""), "SubnetIIDs": [], "SecurityGroupIIDs": []},
        "NodeGroupList": [],
        "AccessInfo": {},
        "Addons": {},
        "Status": shapes::status(found.status),
        "CreatedTime": found.created_at.map_or_else(|| shapes::NO_TIME.to_owned(), |at| at.to_string()),
    })
}

/// By the cloud's identifier, whether it is known here or not.
pub(super) async fn delete_at_cloud(call: Call) -> Answer {
    let (connection, id) = (call.connection()?, call.named(0).to_owned());
    match call.pmks().clusters().get(&connection, &id, None).await {
        Err(failure) if failure.kind == FailureKind::NotFound => {
            let import = ImportCluster { name: name_of(&id), system_id: id.clone(), take_over: false };
            let mutation = Mutation::ImportCluster { connection: connection.clone(), import };
            let accepted = call.pmks().accept(&call.keyless(), mutation).await?;
            call.follow(accepted.operation, Until::Over, CHANGE).await?;
        }
        known => drop(known?),
    }
    let mutation = Mutation::DeleteCluster { connection, cluster: id, delete_volumes: false };
    let operation = call.change(mutation, Until::Over, DELETION).await?;
    Ok(call.at_once(&operation).unwrap_or(Reply::result(true)))
}

/// At one connection, or at all.
pub(super) async fn count(call: Call) -> Answer {
    let connection = Some(call.named(0)).filter(|name| !name.is_empty());
    Ok(Reply::count(call.clusters(connection, None).await?.len()))
}
