//! `pmks cluster`.

use http::Method;
use pmks_api::{ClusterPatch, ImportCluster, Upgrade, UpgradeNodeGroups};
use serde_json::Value;

use super::{body, delete, pairs, patch, print_list, within};
use crate::app::App;
use crate::arguments::{ClusterCommand, ClusterUpgrade};
use crate::client::{Path, Request};
use crate::error::{Error, Result};
use crate::mutations::{carry_out, confirm};
use crate::output::{self, Kind};
use crate::{kubeconfig, mutations};

pub(super) async fn run(app: &App, command: ClusterCommand) -> Result<()> {
    match command {
        ClusterCommand::Create(create) => {
            let mutation = create.mutation.clone();
            let cluster = super::cluster_body::read(*create)?;
            let request = Request::new(Method::POST, within(app, &["clusters"])?).json(body(&cluster)?);
            carry_out(app, &mutation, request).await
        }
        ClusterCommand::List { refresh, tags, status } => list(app, refresh, &tags, status.as_deref()).await,
        ClusterCommand::Get { name, refresh } => {
            let path = fresh(within(app, &["clusters", &name])?, refresh);
            super::print_one(app, path, Kind::Cluster).await
        }
        ClusterCommand::Update { name, tags, options, deletion_protection, mutation } => {
            let change = ClusterPatch {
                tags: Some(pairs::tag_changes(&tags)?).filter(|tags| !tags.is_empty()),
                deletion_protection,
                options: Some(pairs::options("option", &options)?).filter(|options| !options.is_empty()),
            };
            if change == ClusterPatch::default() {
                return Err(Error::usage("nothing to change: name --tag, --option or --deletion-protection"));
            }
            let path = within(app, &["clusters", &name])?;
            carry_out(app, &mutation, patch(path, body(&change)?)?).await
        }
        ClusterCommand::Delete { name, delete_volumes, mutation } => {
            let mut path = within(app, &["clusters", &name])?;
            if delete_volumes {
                path = path.query("deleteVolumes", "true");
            }
            let volumes = if delete_volumes { ", its volumes included" } else { "" };
            delete(app, &mutation, path, &format!("cluster {name} with all its node groups{volumes}")).await
        }
        ClusterCommand::Upgrade(upgrade) => raise(app, upgrade).await,
        ClusterCommand::Kubeconfig(wanted) => kubeconfig::run(app, &wanted).await,
        ClusterCommand::Import { name, system_id, take_over, mutation } => {
            let import = ImportCluster { name, system_id, take_over, node_groups: Vec::new() };
            let path = Path::v1(["connections", app.connection()?, "clusters:import"]);
            carry_out(app, &mutation, Request::new(Method::POST, path).json(body(&import)?)).await
        }
        ClusterCommand::Forget { name, abandon, yes, own } => {
            let mut path = within(app, &["clusters", &name, "forget"])?;
            if abandon {
                path = path.query("abandon", "true");
            }
            if !own.plan {
                confirm(yes, &format!("forget cluster {name}; the cloud is left alone"))?;
            }
            super::drop_record(app, own, Request::new(Method::POST, path), &format!("cluster {name}")).await
        }
        ClusterCommand::Unmanaged => {
            let path = within(app, &["clusters"])?.query("managed", "false");
            print_list(app, path, Kind::UnmanagedCluster).await
        }
        ClusterCommand::Watch { name } => watch(app, &name).await,
    }
}

async fn list(app: &App, refresh: bool, tags: &[String], status: Option<&str>) -> Result<()> {
    let mut path = fresh(Path::v1(["connections", app.connection_or_all(), "clusters"]), refresh);
    for (key, value) in pairs::texts("tag", tags)? {
        path = path.query("tag", &format!("{key}={value}"));
    }
    if let Some(status) = status {
        path = path.query("state", status);
    }
    print_list(app, path, Kind::Cluster).await
}

fn fresh(path: Path, refresh: bool) -> Path {
    if refresh { path.query("maxAge", "0") } else { path }
}

async fn raise(app: &App, upgrade: ClusterUpgrade) -> Result<()> {
    let ClusterUpgrade { name, kubernetes_version, node_groups, force, mutation } = upgrade;
    let node_groups = match node_groups.as_slice() {
        [word] if word == "all" || word == "none" => UpgradeNodeGroups::Word(word.clone()),
        _ => UpgradeNodeGroups::Names(node_groups),
    };
    let upgrade = Upgrade { version: kubernetes_version, node_groups, force };
    let path = within(app, &["clusters", &name, "upgrade"])?;
    carry_out(app, &mutation, Request::new(Method::POST, path).json(body(&upgrade)?)).await
}

/// Follows the newest operation that is about the cluster or a part of it.
async fn watch(app: &App, name: &str) -> Result<()> {
    let path = Path::v1(["operations"]).query("connection", app.connection()?);
    let newest = {
        let client = app.quiet_session().await?.client;
        let operations = client.list(path).await?;
        let about = operations.iter().filter(|operation| is_about(operation, name));
        let newest = about.filter_map(|operation| operation.get("id").and_then(Value::as_str)).max();
        if newest.is_none() {
            client.get(within(app, &["clusters", name])?).await?;
        }
        newest.map(str::to_owned)
    };
    if let Some(id) = newest {
        return mutations::watch(app, &id).await;
    }
    output::note(&format!("nothing happens to cluster {name}"));
    Ok(())
}

fn is_about(operation: &Value, cluster: &str) -> bool {
    let says = |at| operation.pointer(at).and_then(Value::as_str);
    says("/resource/cluster") == Some(cluster)
        || (says("/resource/kind") == Some("cluster") && says("/resource/name") == Some(cluster))
}
