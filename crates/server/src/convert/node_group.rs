//! Node groups and nodes.

use pmks_api as api;
use pmks_core::{NodeGroupView, NodeMetricsView, NodeView, ObservedNodeGroup};
use pmks_model::{MetricValue, Scaling};

use super::cluster::text;
use super::{iid, iids, key_values, some_time, time, word};

/// A node group.
pub(crate) fn node_group(view: NodeGroupView) -> api::NodeGroup {
    api::NodeGroup {
        name: view.name,
        unique_cloud_name: view.unique_cloud_name,
        version: view.version,
        machine_type: view.machine_type,
        image: view.image,
        root_disk_type: view.root_disk_type,
        root_disk_size_gib: view.root_disk_size_gib,
        key_pair: view.key_pair,
        scaling: view.scaling.map(scaling),
        uid: view.uid,
        cluster: view.cluster,
        iid: iid(view.iid),
        cloud_name: view.cloud_name,
        status: view.status.as_str().to_owned(),
        status_reason: view.status_reason,
        nodes: iids(view.nodes),
        observed: view.observed.map(observed),
        created_at: some_time(view.created_at),
        observed_at: some_time(view.observed_at),
        key_value_list: key_values(view.key_value_list),
    }
}

fn observed(observed: ObservedNodeGroup) -> api::ObservedNodeGroup {
    api::ObservedNodeGroup {
        version: text(observed.version.as_ref()),
        image: observed.image,
        machine_type: observed.machine_type,
        root_disk_type: observed.root_disk_type,
        root_disk_size_gib: observed.root_disk_size_gib,
        scaling: observed.scaling.map(scaling),
    }
}

fn scaling(scaling: Scaling) -> api::Scaling {
    api::Scaling {
        auto_scaling: scaling.auto_scaling,
        min: scaling.min,
        max: scaling.max,
        desired: scaling.desired,
    }
}

/// What the cloud measures of a node.
pub(crate) fn node_metrics(view: NodeMetricsView) -> api::NodeMetrics {
    let value = |one: MetricValue| api::MetricValue { at: time(one.at), value: one.value };
    api::NodeMetrics {
        connection: view.connection,
        cluster: view.cluster,
        iid: iid(view.node),
        metric: view.metric.as_str().to_owned(),
        unit: word(&view.unit),
        interval_minutes: view.window.interval_minutes,
        values: view.values.into_iter().map(value).collect(),
        observed_at: time(view.observed_at),
    }
}

/// A VM of a node group.
pub(crate) fn node(view: NodeView) -> api::Node {
    let node = view.node;
    api::Node {
        name: node.iid.name_id.clone(),
        iid: iid(node.iid),
        connection: view.connection,
        cluster: view.cluster,
        node_group: node.node_group,
        machine_type: node.machine_type,
        operating_system: node.operating_system,
        zone: node.zone,
        private_ip: node.private_ip,
        public_ip: node.public_ip,
        state: node.state,
        launched_at: some_time(node.launched_at),
        observed_at: time(view.observed_at),
        key_value_list: key_values(node.key_value_list),
    }
}
