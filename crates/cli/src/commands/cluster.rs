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
            let import = ImportCluster { name, system_id, take_over };
            let path = Path::v1(["connections", app.connection()?, "clusters:import"]);
            carry_out(app, &mutation, Request::new(Method::POST, path).json(body(&import)?)).await
        }
        ClusterCommand::Forget { name, own, .. } if own.plan => {
            let path = within(app, &["clusters", &name])?;
            let given_up = given_up(app, path.clone(), &name).await?;
            let findings: Vec<&str> = given_up.iter().map(String::as_str).collect();
            super::plan_removal(app, "cluster.forget", path, &format!("cluster {name}"), &findings).await
        }
        ClusterCommand::Forget { name, abandon, yes, own: _ } => forget(app, &name, abandon, yes).await,
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

async fn forget(app: &App, name: &str, abandon: bool, yes: bool) -> Result<()> {
    confirm(yes, &format!("forget cluster {name}; the cloud is left alone"))?;
    let mut request = Request::new(Method::POST, within(app, &["clusters", name, "forget"])?);
    if abandon {
        request = request.query("abandon", "true");
    }
    app.session().await?.client.send(request).await?;
    output::note(&format!("cluster {name} is forgotten; the cloud was left alone"));
    Ok(())
}

/// What nobody here knows of any more once the record is forgotten: what a deletion of the cluster has left.
async fn given_up(app: &App, cluster: Path, name: &str) -> Result<Vec<String>> {
    let client = app.session().await?.client;
    let record = client.get(cluster).await?;
    let uid = record.get("uid").and_then(Value::as_str).unwrap_or_default();
    let operations = client.list(Path::v1(["operations"]).query("connection", app.connection()?)).await?;
    Ok(left_by(&operations, uid, name))
}

/// What the newest deletion of the cluster with that uid has left. Uids and identifiers of operations rise with time, and
/// an earlier cluster may have had the name.
fn left_by(operations: &[Value], uid: &str, name: &str) -> Vec<String> {
    let text = |one: &Value, at: &str| one.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let remains =
        |operation: &Value| operation.get("remains").and_then(Value::as_array).cloned().unwrap_or_default();
    let leaves = |operation: &&Value| {
        let is_it = text(operation, "/resource/name") == name && text(operation, "/kind") == "cluster.delete";
        is_it && text(operation, "/id").as_str() > uid && !remains(operation).is_empty()
    };
    let newest = operations.iter().filter(leaves).max_by_key(|operation| text(operation, "/id"));
    let Some(newest) = newest else { return Vec::new() };
    let id = text(newest, "/id");
    remains(newest)
        .iter()
        .filter(|left| text(left, "/kind") != "cluster")
        .map(|left| {
            let (kind, system_id) = (text(left, "/kind"), text(left, "/systemId"));
            format!(
                "{kind} {system_id} is given up: no deletion will know of it, operation {id} alone names it"
            )
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_given_up_is_what_the_newest_deletion_of_that_very_cluster_left() {
        let deletion = |id: &str, name: &str, left: &[&str]| {
            let remains: Vec<Value> =
                left.iter().map(|id| json!({"kind": "volume", "systemId": id, "name": ""})).collect();
            json!({"id": id, "kind": "cluster.delete", "resource": {"name": name}, "remains": remains})
        };
        let mut newest = deletion("5", "k", &["vol-1", "vol-2"]);
        newest["remains"][1]["kind"] = json!("cluster");
        let operations = [
            deletion("1", "k", &["of an earlier cluster"]),
            deletion("4", "k", &["known before"]),
            newest,
            deletion("6", "k", &[]),
            deletion("7", "other", &["vol-9"]),
        ];
        let left = left_by(&operations, "3", "k");
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(
            left[0].starts_with("volume vol-1 is given up") && left[0].contains("operation 5"),
            "{left:?}"
        );
        assert!(left_by(&operations, "8", "k").is_empty());
    }
}
