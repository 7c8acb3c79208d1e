//! Kubeconfigs and credentials of a cluster. A credential is made when it is asked for and stored nowhere.

use std::time::Duration;

use pmks_driver::{ClusterCredential, KubeconfigFormat, TokenReach};
use pmks_model::{Cluster, Failure, FailureKind};

use crate::access::kubeconfig::{self, Subject};
use crate::failure::precondition;
use crate::pmks::Shared;
use crate::{Caller, KubeconfigRequest, Result};

pub(super) async fn kubeconfig(
    shared: &Shared,
    caller: &Caller,
    connection: &str,
    name: &str,
    request: &KubeconfigRequest,
) -> Result<String> {
    if request.format != KubeconfigFormat::Exec {
        caller.require_operator(connection)?;
    }
    let (at, cluster) = shared.seen_cluster(connection, name).await?;
    reachable(&cluster, name)?;
    let subject = Subject { connection, cluster: name, access: &cluster.access };
    let capabilities = at.driver.capabilities();
    let has = match request.format {
        KubeconfigFormat::Exec => return kubeconfig::exec(subject, &request.exec),
        KubeconfigFormat::Native => capabilities.native_kubeconfig,
        KubeconfigFormat::Static => capabilities.static_kubeconfig,
    };
    if !has {
        let word = if request.format == KubeconfigFormat::Native { "native" } else { "static" };
        let failure = Failure::new(
            FailureKind::Unsupported,
            format!("{} has no {word} kubeconfig", capabilities.title),
        );
        return Err(Box::new(failure.with_fix("take the exec form: it works with every provider")));
    }
    let user = at.driver.kubeconfig(&cluster, request.format).await.map_err(|error| at.failed(&error))?;
    audited(shared, caller, "cluster.kubeconfig", name).await?;
    kubeconfig::of_cloud(subject, user)
}

pub(super) async fn token(
    shared: &Shared,
    caller: &Caller,
    connection: &str,
    name: &str,
) -> Result<ClusterCredential> {
    caller.require_operator(connection)?;
    let (at, mut cluster) = shared.seen_cluster(connection, name).await?;
    if at.driver.capabilities().token_reach == TokenReach::Account {
        caller.require_admin("a token that opens more than the cluster")?;
        cluster = still_there(shared, connection, name, cluster).await?;
    }
    reachable(&cluster, name)?;
    let credential = at.driver.generate_cluster_token(&cluster).await.map_err(|error| at.failed(&error))?;
    audited(shared, caller, "cluster.token", name).await?;
    Ok(credential)
}

/// How long a cluster is believed to be there that the cloud has shown: who works at its Kubernetes API asks for a token
/// with each command, and one cluster costs several calls.
const SHOWN: Duration = Duration::from_mins(1);

/// The cluster as the cloud has shown it within the last minute. What opens more than a cluster opens all of that still
/// when the cluster is gone, so it is not given out for one that there is not. While the cloud does not answer it is
/// believed to be what it was, for then its users need a way in all the same.
async fn still_there(shared: &Shared, connection: &str, name: &str, known: Cluster) -> Result<Cluster> {
    match shared.fresh_cluster(connection, name, Some(SHOWN)).await {
        Err(failure) if failure.kind != FailureKind::NotFound => {
            tracing::warn!(connection, cluster = name, %failure, "whether it is still there is not known");
            Ok(known)
        }
        Err(failure) => Err(failure),
        Ok(_) => shared.seen_cluster(connection, name).await.map(|(_, cluster)| cluster),
    }
}

fn reachable(cluster: &Cluster, name: &str) -> Result<()> {
    if cluster.access.endpoint.is_empty() {
        let says = format!("cluster {name:?} has no endpoint: it is {}", cluster.status);
        return Err(precondition(says, "wait until it is Active"));
    }
    Ok(())
}

/// Whoever got a credential is written down before they get it.
async fn audited(shared: &Shared, caller: &Caller, action: &str, name: &str) -> Result<()> {
    let entry = shared.audit(caller, action, format!("cluster {name}"));
    shared.store.audit(entry).await.map_err(crate::failure::of_store)
}
