//! Kubeconfigs and credentials of a cluster. A credential is made when it is asked for and stored nowhere.

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
    let (at, cluster) = shared.seen_cluster(connection, name).await?;
    if at.driver.capabilities().token_reach == TokenReach::Account {
        caller.require_admin("a token that opens more than the cluster")?;
    }
    reachable(&cluster, name)?;
    let credential = at.driver.generate_cluster_token(&cluster).await.map_err(|error| at.failed(&error))?;
    audited(shared, caller, "cluster.token", name).await?;
    Ok(credential)
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
