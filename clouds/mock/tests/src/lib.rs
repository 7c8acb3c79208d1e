//! The Mock cloud to the suites: the provider, its cloud, and how that is told what to do.

use std::sync::Arc;
use std::time::Duration;

use pmks_driver::{Credential, Provider};
use pmks_mock_simulator::{MockCloud, Settings};
use pmks_model::{OperationKind, ResourceKind};
use pmks_simulation::{Cloud, Effect, Resource, Rule};
use pmks_suites::CloudUnderTest;
use serde_json::{Value, json};

/// The Mock cloud whose work takes its time, for the suites' macros and functions.
pub const MOCK: &dyn CloudUnderTest = &Mock { work: Duration::from_secs(90) };

/// The Mock cloud as users have it: every change is done when it is answered.
pub const MOCK_AT_ONCE: &dyn CloudUnderTest = &Mock { work: Duration::ZERO };

struct Mock {
    work: Duration,
}

impl CloudUnderTest for Mock {
    fn provider(&self) -> Arc<dyn Provider> {
        Arc::new(pmks_mock::Mock::default())
    }

    fn cloud(&self, settings: pmks_suites::Settings) -> Arc<dyn Cloud> {
        let pmks_suites::Settings { seed, speed, time } = settings;
        Arc::new(MockCloud::new(Settings { seed, speed, time, work: self.work }))
    }

    fn stage_kinds(&self) -> Vec<&'static str> {
        pmks_mock::stage_kinds().collect()
    }

    fn word(&self, kind: ResourceKind) -> Option<&'static str> {
        match kind {
            ResourceKind::Cluster => Some("cluster"),
            ResourceKind::NodeGroup => Some("nodeGroup"),
            ResourceKind::Network => Some("network"),
            ResourceKind::Subnet => Some("subnet"),
            ResourceKind::SecurityGroup => Some("securityGroup"),
            ResourceKind::KeyPair => Some("keyPair"),
            ResourceKind::Connection => None,
        }
    }

    fn node_word(&self) -> &'static str {
        "node"
    }

    /// There is nothing from the beginning.
    fn stays(&self, _row: &Resource) -> bool {
        false
    }

    /// Clusters, node groups and key pairs are known by their names.
    fn id(&self, row: &Resource) -> String {
        let by_name = ["cluster", "nodeGroup", "keyPair"].contains(&row.kind.as_str());
        row.name.clone().filter(|_| by_name).unwrap_or_else(|| row.id.clone())
    }

    fn random_names(&self) -> &'static [&'static str] {
        &["node", "volume"]
    }

    fn wrong_credential(&self, right: &Credential) -> Credential {
        self.provider().wrong_credential(right).unwrap_or_else(|| right.clone())
    }

    /// Every request shows the name.
    fn signs_in(&self) -> bool {
        false
    }

    fn fails_next(&self, kind: ResourceKind) -> Option<Rule> {
        let action = match kind {
            ResourceKind::Cluster => "clusters.create",
            ResourceKind::NodeGroup => "nodeGroups.create",
            _ => return None,
        };
        Some(Rule::new("mock", action, Effect::FailWhileCreating { code: None }).times(1))
    }

    fn busy(&self, _service: &str) -> Option<Effect> {
        let message = Some("it is being changed".to_owned());
        Some(Effect::Status { status: 409, code: "Busy".to_owned(), message })
    }

    fn status_members(&self, word: Option<&str>) -> Value {
        json!({"state": word})
    }

    /// The cloud tells all, and takes all of it along.
    fn asks_clusters(&self) -> bool {
        false
    }

    /// The engine's own part is tried at the clouds with longer ways.
    fn is_tried_shortly(&self, kind: OperationKind) -> bool {
        [OperationKind::KeyPairCreate, OperationKind::KeyPairDelete].contains(&kind)
    }

    fn least_changes(&self, kind: OperationKind) -> &'static [(&'static str, usize)] {
        match kind {
            OperationKind::ClusterCreate => &[("mock.clusters.create", 1), ("mock.nodeGroups.create", 2)],
            OperationKind::ClusterDelete => &[("mock.clusters.delete", 1)],
            OperationKind::ClusterUpgrade => &[("mock.clusters.update", 1), ("mock.nodeGroups.update", 1)],
            OperationKind::ClusterUpdate => &[("mock.clusters.update", 1)],
            OperationKind::NodeGroupAdd => &[("mock.nodeGroups.create", 1)],
            OperationKind::NodeGroupScale | OperationKind::NodeGroupUpgrade => {
                &[("mock.nodeGroups.update", 1)]
            }
            OperationKind::NodeGroupRemove => &[("mock.nodeGroups.delete", 1)],
            OperationKind::NetworkCreate => &[("mock.networks.create", 1), ("mock.subnets.create", 2)],
            OperationKind::NetworkUpdate => &[("mock.networks.update", 1)],
            OperationKind::NetworkDelete => &[("mock.networks.delete", 1), ("mock.subnets.delete", 2)],
            OperationKind::SubnetCreate => &[("mock.subnets.create", 1)],
            OperationKind::SubnetUpdate => &[("mock.subnets.update", 1)],
            OperationKind::SubnetDelete => &[("mock.subnets.delete", 1)],
            OperationKind::SecurityGroupCreate => &[("mock.securityGroups.create", 1)],
            OperationKind::SecurityGroupUpdate => &[("mock.securityGroups.update", 1)],
            OperationKind::SecurityGroupDelete => &[("mock.securityGroups.delete", 1)],
            OperationKind::KeyPairCreate => &[("mock.keyPairs.create", 1)],
            OperationKind::KeyPairUpdate => &[("mock.keyPairs.update", 1)],
            OperationKind::KeyPairDelete => &[("mock.keyPairs.delete", 1)],
            OperationKind::PrerequisiteFix | OperationKind::ClusterImport => &[],
        }
    }
}
