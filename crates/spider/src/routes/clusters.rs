//! Clusters.

use std::sync::LazyLock;
use std::time::Duration;

use pmks_core::{
    ClusterFilter, ClusterView, ImportCluster, Interface, Mutation, NewCluster, OperationView, Reference,
    Sides,
};
use pmks_model::{FailureKind, Iid, OperationState, ResourceKind, Status, UpgradeTargets};
use serde_json::Value;

use super::all::{self, Facts, Kind, Outcome};
use super::kubeconfig::{self, Form};
use super::{node_groups, shapes};
use crate::Refusal;
use crate::call::{Answer, Call, whole};
use crate::reply::{Reply, written};
use crate::wait::{CHANGE, TAKEN_ON, Until};

/// Clusters.
pub(super) enum Cluster {}

impl Kind for Cluster {
    const KIND: ResourceKind = ResourceKind::Cluster;
    const TYPE: &'static str = "cluster";
    const LIST: &'static str = "cluster";
    type View = ClusterView;

    fn facts(view: &ClusterView) -> Facts<'_> {
        Facts::of(&view.iid, &view.uid, &view.cloud_name, view.status)
    }

    fn connection(view: &ClusterView) -> &str {
        &view.connection
    }

    async fn known(call: &Call, connection: &str) -> Outcome<Vec<ClusterView>> {
        call.clusters(Some(connection), None).await
    }

    async fn get(call: &Call, connection: &str, name: &str) -> pmks_core::Result<ClusterView> {
        call.pmks().clusters().get(connection, name, None).await
    }

    async fn shown(call: &Call, connection: &str, views: &[ClusterView]) -> Outcome<Vec<Value>> {
        let form = Form::of(call)?;
        let mut all = Vec::with_capacity(views.len());
        for view in views {
            match kubeconfig::of(call, connection, view, &form).await {
                Ok(kubeconfig) => all.push(shapes::cluster(view, &kubeconfig)),
                // It went meanwhile: of a list the others remain.
                Err(refusal) if refusal.is_absent() => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(all)
    }

    async fn sides(call: &Call, connection: &str) -> Outcome<Sides<ClusterView, (Iid, Value)>> {
        let sides = call.pmks().clusters().sides(connection).await?;
        Ok(sides.with_strangers(|found| (found.iid.clone(), shapes::strange_cluster(&found))))
    }

    fn removal(connection: String, cluster: Reference) -> Mutation {
        Mutation::DeleteCluster { connection, cluster, delete_volumes: false }
    }

    async fn adopt(call: &Call, connection: &str, name: &str, id: &str) -> Outcome<()> {
        let import =
            ImportCluster { name: name.to_owned(), system_id: id.to_owned(), ..ImportCluster::default() };
        let mutation = Mutation::ImportCluster { connection: connection.to_owned(), import };
        let accepted = call.pmks().accept(&call.keyless(), mutation).await?;
        call.follow(accepted.operation, Until::Over, CHANGE).await.map(drop)
    }

    async fn forget(call: &Call, connection: &str, meant: Reference) -> pmks_core::Result<()> {
        call.pmks().clusters().forget(&call.keyless(), connection, meant, false).await
    }
}

/// All of them, as they were written last.
pub(super) async fn list(call: Call) -> Answer {
    let connection = call.connection()?;
    if !matches!(Form::of(&call)?, Form::Curl) {
        return all::list::<Cluster>(call).await;
    }
    let write = writer(&call);
    let written = whole(|page| {
        let (clusters, connection, write) = (call.pmks().clusters(), &connection, &write);
        async move {
            let filter = ClusterFilter { page, max_age: None };
            clusters.list_written(Some(connection), &filter, Interface::Spider, write).await
        }
    });
    let mut written = written.await?;
    written.retain(|cluster| !cluster.is_empty());
    let written = format!("{{\"cluster\":[{}]}}", written.join(","));
    Ok(Reply::of_written(for_client(&call, &connection, &written)))
}

/// One, as it was written last.
pub(super) async fn get(call: Call) -> Answer {
    let connection = call.connection()?;
    if !matches!(Form::of(&call)?, Form::Curl) {
        let view = Cluster::get(&call, &connection, call.named(0)).await?;
        all::require_standing::<Cluster>(&view, &connection, call.named(0))?;
        return shown(&call, &view).await;
    }
    let (clusters, write) = (call.pmks().clusters(), writer(&call));
    let read = clusters.get_written(&connection, call.named(0), None, Interface::Spider, &write).await?;
    if read.text.is_empty() {
        return Err(all::absent::<Cluster>(&connection, call.named(0)));
    }
    if read.status == Status::Missing {
        return Err(all::gone_from::<Cluster>(&connection, call.named(0)));
    }
    Ok(Reply::of_written(for_client(&call, &connection, &read.text)))
}

/// What stands in what is kept for everybody in the place of what is each client's own. No name or tag is like it.
struct StandIns {
    /// The URL of the server.
    server: String,
    /// The connection that is asked by: another one of the account shows the same cluster. Letters and digits, which a URL
    /// holds as they are, as it does every name of a connection.
    connection: String,
}

static STAND_INS: LazyLock<StandIns> = LazyLock::new(|| {
    let mut chance = [0; 16];
    // Without chance it is what no name or tag holds all the same.
    let _ = aws_lc_rs::rand::fill(&mut chance);
    let chance = u128::from_be_bytes(chance);
    StandIns { server: format!("server-{chance:032x}"), connection: format!("connection{chance:032x}") }
});

/// What is kept for everybody as this client is shown it.
fn for_client(call: &Call, connection: &str, written: &str) -> String {
    let written = written.replace(&STAND_INS.connection, connection);
    if call.settings.url.is_some() { written } else { written.replace(&STAND_INS.server, &call.server) }
}

/// Writes clusters with the kubeconfig that is the same for everybody. One that cannot be written is as empty as while
/// nothing answers at the cluster. Of what the cloud never had nothing is written.
fn writer(call: &Call) -> impl Fn(ClusterView) -> String + Sync + use<> {
    let own = call.settings.url.is_some();
    let server = if own { call.server.clone() } else { STAND_INS.server.clone() };
    move |view| {
        if Cluster::facts(&view).unmade {
            return String::new();
        }
        let kubeconfig = kubeconfig::by_curl(&server, &STAND_INS.connection, &view).unwrap_or_default();
        written(&shapes::cluster(&view, &kubeconfig))
    }
}

/// Answers when the cloud has taken it on.
pub(super) async fn create(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let name = asked.required("Name")?;
    let can = call.capabilities(&connection).await?;
    let groups = asked.parts("NodeGroupList")?.unwrap_or_default();
    let of_cloud = node_groups::OfCloud::of(can);
    let cluster = NewCluster {
        name: name.clone(),
        unique_cloud_name: call.unique_names()?,
        version: asked.text("Version")?,
        network: asked.text("VPCName")?,
        subnets: asked.texts("SubnetNames")?,
        security_groups: asked.texts("SecurityGroupNames")?,
        node_groups: groups
            .iter()
            .map(|group| node_groups::new(group, of_cloud))
            .collect::<Result<_, _>>()?,
        tags: shapes::asked_tags(&asked)?,
        ..NewCluster::default()
    };
    let names: Vec<String> = cluster.node_groups.iter().map(|group| group.name.clone()).collect();
    let mutation = Mutation::CreateCluster { connection: connection.clone(), cluster };
    let made = changed(&call, mutation, &connection, &name, Until::Known).await;
    made.map_err(|refusal| refusal.renamed(|field| with_name(field, &names)))
}

/// A field of one of several node groups, which people know by its name beside its place; `None`: of none of them. A name
/// that is no name is told by what is wrong with it.
fn with_name(field: &str, names: &[String]) -> Option<String> {
    let (place, rest) = field.strip_prefix("nodeGroups[")?.split_once("].")?;
    let name = names.get(place.parse::<usize>().ok()?)?;
    let is_name = pmks_model::refusal_of_ours(name).is_none() && !name.contains('.');
    is_name.then(|| format!("nodeGroups[{place}] ({name}).{rest}"))
}

/// Has a cluster changed, and answers it as it is then.
pub(super) async fn changed(
    call: &Call,
    mutation: Mutation,
    connection: &str,
    name: &str,
    until: Until,
) -> Answer {
    let operation = call.change(mutation, until, TAKEN_ON).await?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => shown(call, &read_after(call, connection, name, &operation).await?).await,
    }
}

/// As the cloud has it now; as it is known, where the cloud does not show yet what it has just taken on. What has come
/// to its end was read when the last of it was done.
async fn read_after(
    call: &Call,
    connection: &str,
    name: &str,
    operation: &OperationView,
) -> Result<ClusterView, Refusal> {
    let done = operation.stages.iter().filter_map(|stage| stage.finished_at).max();
    if operation.state == OperationState::Succeeded
        && let Ok(view) = Cluster::get(call, connection, name).await
        && view.observed_at >= done
    {
        return Ok(view);
    }
    match call.pmks().clusters().get(connection, name, Some(Duration::ZERO)).await {
        Ok(view) => Ok(view),
        Err(_) => Ok(Cluster::get(call, connection, name).await?),
    }
}

async fn shown(call: &Call, view: &ClusterView) -> Answer {
    Ok(Reply::Json(shapes::cluster(
        view,
        &kubeconfig::of(call, &call.connection()?, view, &Form::of(call)?).await?,
    )))
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
    let network = call.pmks().clusters().network_of_unmanaged(&connection, &id).await?;
    Ok(Reply::Json(shapes::iid(&network)))
}

pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let name = asked.required("Name")?;
    let import = ImportCluster {
        name: name.clone(),
        network: asked.required("VPCName")?,
        system_id: asked.required("CSPId")?,
        number_node_groups: true,
        // A field that CB-Spider has not: there nothing is marked.
        take_over: asked.flag("TakeOver")?.unwrap_or_default(),
        ..ImportCluster::default()
    };
    let mutation = Mutation::ImportCluster { connection: connection.clone(), import };
    let operation = call.change(mutation, Until::Over, CHANGE).await?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => shown(&call, &Cluster::get(&call, &connection, &name).await?).await,
    }
}

pub(super) async fn unregister(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    match Cluster::forget(&call, &connection, Reference::name(name)).await {
        Ok(()) => Ok(Reply::result(true)),
        Err(failure) if failure.kind == FailureKind::NotFound && failure.is_about(ResourceKind::Cluster) => {
            Err(Refusal::absent(format!("The Kubernetes Cluster '{name}' does not exist!")))
        }
        Err(failure) => Err(failure.into()),
    }
}
