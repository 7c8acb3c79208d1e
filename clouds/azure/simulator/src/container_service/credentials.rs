//! The kubeconfigs that AKS hands out: with a client certificate of the cluster's own authority, or with the login that
//! clusters with Entra ID ask for.
//!
//! Sources: <https://learn.microsoft.com/azure/aks/control-kubeconfig-access>,
//! <https://learn.microsoft.com/azure/aks/kubelogin-authentication>.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_simulation::kubernetes::Authority;
use serde_json::{Value, json};

use super::clusters::{find, not_stopped};
use super::state::Cluster;
use crate::arm::Call;
use crate::entra::AKS_SERVER;
use crate::error::{Error, Result};
use crate::reply::Reply;

/// How long a client certificate counts.
const LIFETIME: Duration = Duration::from_hours(2 * 365 * 24);
/// The application by which people log in.
const AKS_CLIENT: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";

pub(super) fn user(call: &Call<'_>) -> Result<Reply> {
    let cluster = standing(call)?;
    if cluster.has_entra() {
        let plain = call.query.get("format").is_some_and(|format| format == "azure");
        return Ok(answer("clusterUser", &with_login(call, cluster, plain)?));
    }
    Ok(answer("clusterUser", &with_certificate(call, cluster, "clusterUser")?))
}

pub(super) fn administrator(call: &Call<'_>) -> Result<Reply> {
    let cluster = standing(call)?;
    if cluster.disables_local_accounts() {
        let says =
            "Getting static credential is not allowed because this cluster is set to disable local accounts.";
        return Err(Error::bad("BadRequest", says));
    }
    Ok(answer("clusterAdmin", &with_certificate(call, cluster, "clusterAdmin")?))
}

fn standing<'a>(call: &'a Call<'_>) -> Result<&'a Cluster> {
    let cluster = find(call)?;
    not_stopped(cluster)?;
    if cluster.endpoint.is_some() {
        return Ok(cluster);
    }
    let says = format!(
        "Not found. ResourceId: {}. The credentials of a managed cluster in state {} are not there yet.",
        cluster.id, cluster.state
    );
    Err(Error::bad("NotReady", says))
}

fn answer(name: &str, config: &Value) -> Reply {
    // JSON is YAML, and kubeconfigs are read as YAML.
    Reply::ok(json!({"kubeconfigs": [{"name": name, "value": STANDARD.encode(config.to_string())}]}))
}

fn config(cluster: &Cluster, user: &str, credential: &Value) -> Result<Value> {
    let endpoint =
        cluster.endpoint.as_ref().ok_or_else(|| Error::bad("NotReady", "The cluster has no endpoint."))?;
    let name = cluster.name();
    let user = format!("{user}_{}_{name}", cluster.group);
    Ok(json!({
        "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": name,
        "clusters": [{
            "name": name,
            "cluster": {"server": endpoint.url, "certificate-authority-data": endpoint.certificate_authority},
        }],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "users": [{"name": user, "user": credential}],
    }))
}

fn with_certificate(call: &Call<'_>, cluster: &Cluster, user: &str) -> Result<Value> {
    let failed = |_| Error::new(500, "InternalServerError", "The client certificate could not be made.");
    let endpoint =
        cluster.endpoint.as_ref().ok_or_else(|| Error::bad("NotReady", "The cluster has no endpoint."))?;
    let authority = Authority::restore(&endpoint.authority).map_err(failed)?;
    let issued = authority
        .issue_client("masterclient", Some("system:masters"), call.now.wall, LIFETIME)
        .map_err(failed)?;
    let credential = json!({
        "client-certificate-data": STANDARD.encode(issued.certificate_pem),
        "client-key-data": STANDARD.encode(issued.private_key_pem),
    });
    config(cluster, user, &credential)
}

fn with_login(call: &Call<'_>, cluster: &Cluster, plain: bool) -> Result<Value> {
    let tenant = &call.world.directory.tenant;
    let credential = if plain {
        json!({"auth-provider": {"name": "azure", "config": {
            "apiserver-id": AKS_SERVER, "client-id": AKS_CLIENT, "config-mode": "1", "environment": "AzurePublicCloud",
            "tenant-id": tenant,
        }}})
    } else {
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin",
            "args": [
                "get-token", "--environment", "AzurePublicCloud", "--server-id", AKS_SERVER, "--client-id", AKS_CLIENT,
                "--tenant-id", tenant, "--login", "devicecode",
            ],
            "env": null, "provideClusterInfo": false,
        }})
    };
    config(cluster, "clusterUser", &credential)
}
