//! Networks, subnets, security groups and key pairs.

use pmks_api as api;
use pmks_core::{KeyPairView, NetworkView, NewRule, SecurityGroupView, SubnetView};

use super::{iid, key_values, some_time, time};

/// The part that all of them have in common. A macro, because the views share fields and no type.
macro_rules! record {
    ($view:ident) => {
        api::Record {
            uid: $view.uid,
            connection: $view.connection,
            iid: iid($view.iid),
            cloud_name: $view.cloud_name,
            created_by_pmks: $view.created_by_pmks,
            status: $view.status.as_str().to_owned(),
            status_reason: $view.status_reason,
            created_at: time($view.created_at),
            observed_at: some_time($view.observed_at),
            key_value_list: key_values($view.key_value_list),
        }
    };
}

/// A network.
pub(crate) fn network(view: NetworkView) -> api::Network {
    api::Network {
        name: view.name,
        unique_cloud_name: view.unique_cloud_name,
        cidr: view.cidr,
        subnets: view.subnets.into_iter().map(subnet).collect(),
        tags: view.tags,
        record: record!(view),
    }
}

/// A subnet.
pub(crate) fn subnet(view: SubnetView) -> api::Subnet {
    api::Subnet {
        name: view.name,
        unique_cloud_name: view.unique_cloud_name,
        network: view.network,
        cidr: view.cidr,
        zone: view.zone,
        tags: view.tags,
        record: record!(view),
    }
}

/// A security group.
pub(crate) fn security_group(view: SecurityGroupView) -> api::SecurityGroup {
    api::SecurityGroup {
        name: view.name,
        unique_cloud_name: view.unique_cloud_name,
        network: view.network,
        rules: view.rules.into_iter().map(rule).collect(),
        tags: view.tags,
        record: record!(view),
    }
}

fn rule(rule: NewRule) -> api::Rule {
    api::Rule {
        direction: rule.direction,
        protocol: rule.protocol,
        from_port: rule.from_port,
        to_port: rule.to_port,
        cidr: rule.cidr,
    }
}

/// A key pair.
pub(crate) fn key_pair(view: KeyPairView) -> api::KeyPair {
    api::KeyPair {
        name: view.name,
        unique_cloud_name: view.unique_cloud_name,
        public_key: view.public_key,
        fingerprint: view.fingerprint,
        tags: view.tags,
        record: record!(view),
    }
}
