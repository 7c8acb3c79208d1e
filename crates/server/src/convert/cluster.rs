//! Clusters, what came into being because of them, and the ways in.

use pmks_api as api;
use pmks_core::{ClusterView, ObservedCluster, UnmanagedCluster};
use pmks_driver::{ClusterCredential, Missed};
use pmks_model::{Addon, Children, Version};
use secrecy::ExposeSecret;

use super::{iid, iids, key_values, node_group, problem, some_time, time};

/// A cluster.
pub(crate) fn cluster(view: ClusterView) -> api::Cluster {
    api::Cluster {
        name: view.name,
        unique_cloud_name: view.unique_cloud_name,
        version: view.version,
        network: view.network,
        subnets: view.subnets,
        security_groups: view.security_groups,
        node_groups: view.node_groups.into_iter().map(node_group).collect(),
        tags: view.tags,
        deletion_protection: view.deletion_protection,
        options: view.options,
        uid: view.uid,
        connection: view.connection,
        iid: iid(view.iid),
        cloud_name: view.cloud_name,
        imported: view.imported,
        status: view.status.as_str().to_owned(),
        status_reason: view.status_reason,
        endpoint: view.access.endpoint,
        certificate_authority: view.access.certificate_authority,
        addons: view.addons.into_iter().map(addon).collect(),
        observed: view.observed.map(observed),
        created_at: time(view.created_at),
        observed_at: some_time(view.observed_at),
        refresh_error: view.refresh_error,
        key_value_list: key_values(view.key_value_list),
    }
}

/// A cluster as JSON.
pub(crate) fn written_cluster(view: ClusterView) -> String {
    serde_json::to_string(&cluster(view)).unwrap_or_default()
}

fn observed(observed: ObservedCluster) -> api::ObservedCluster {
    api::ObservedCluster {
        version: text(observed.version.as_ref()),
        network: iid(observed.network),
        subnets: iids(observed.subnets),
        security_groups: iids(observed.security_groups),
        tags: observed.tags,
    }
}

fn addon(addon: Addon) -> api::Addon {
    api::Addon { name: addon.name, version: addon.version, status: addon.status }
}

/// A version as it is written; empty while nobody knows it.
pub(super) fn text(version: Option<&Version>) -> String {
    version.map(Version::to_string).unwrap_or_default()
}

/// The clusters that we keep no record of.
pub(crate) fn unmanaged((found, missed): (Vec<UnmanagedCluster>, Vec<Missed>)) -> api::UnmanagedClusters {
    let body = |cluster: UnmanagedCluster| api::UnmanagedCluster {
        connection: cluster.connection,
        version: text(cluster.version.as_ref()),
        iid: iid(cluster.iid),
        status: cluster.status.as_str().to_owned(),
        created_at: some_time(cluster.created_at),
        installation: cluster.installation,
    };
    let not_read = |missed: Missed| api::Missed { what: missed.what, error: problem(&missed.failure) };
    api::UnmanagedClusters {
        items: found.into_iter().map(body).collect(),
        missed: missed.into_iter().map(not_read).collect(),
    }
}

/// What came into being because a cluster stood.
pub(crate) fn children(children: Children) -> api::Children {
    let child = |child: pmks_model::Child| api::Child {
        kind: child.kind,
        system_id: child.system_id,
        name: child.name,
        made_by: child.made_by,
        goes_with_cluster: child.goes_with_cluster,
        removed_by: None,
    };
    api::Children {
        found: children.found.into_iter().map(child).collect(),
        unknown: children.unknown.iter().map(ToString::to_string).collect(),
    }
}

/// What lets a client in.
pub(crate) fn access_token(credential: &ClusterCredential) -> api::AccessToken {
    let expiration_timestamp = time(credential.expires_at());
    match credential {
        ClusterCredential::Token { token, .. } => api::AccessToken {
            token: Some(token.expose_secret().to_owned()),
            client_certificate_data: None,
            client_key_data: None,
            expiration_timestamp,
        },
        ClusterCredential::Certificate { certificate, key, .. } => api::AccessToken {
            token: None,
            client_certificate_data: Some(certificate.clone()),
            client_key_data: Some(key.expose_secret().to_owned()),
            expiration_timestamp,
        },
    }
}
