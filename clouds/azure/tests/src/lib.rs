//! Azure to the suites: the provider, its simulated cloud, and how that is told what to do.

mod tables;

use std::sync::Arc;

use pmks_azure_simulator::{AzureCloud, Settings};
use pmks_driver::Provider;
use pmks_model::{OperationKind, ResourceKind};
use pmks_simulation::{Cloud, Effect, Resource, Rule};
use pmks_suites::CloudUnderTest;
use pmks_suites::schema_gate::Contract;
use serde_json::{Map, Value, json};

/// Azure, for the suites' macros and functions.
pub const AZURE: &dyn CloudUnderTest = &Azure;

/// What the suites against software that others wrote are run with.
pub const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The models of Azure's own SDKs, for the schema gate.
pub const CONTRACT: Contract = Contract {
    requirements: REQUIREMENTS,
    reader: "azure_sdk_models",
    not_judged: &["kubernetes", "login"],
    mutations: concat!(env!("CARGO_MANIFEST_DIR"), "/gate_mutations.json"),
};

struct Azure;

impl CloudUnderTest for Azure {
    fn provider(&self) -> Arc<dyn Provider> {
        Arc::new(pmks_azure::Azure)
    }

    fn cloud(&self, settings: pmks_suites::Settings) -> Arc<dyn Cloud> {
        let pmks_suites::Settings { seed, speed, time } = settings;
        Arc::new(AzureCloud::new(Settings { seed, speed, time, ..Settings::default() }))
    }

    fn contract(&self) -> Option<Contract> {
        cfg!(feature = "outside-world").then_some(CONTRACT)
    }

    fn stage_kinds(&self) -> Vec<&'static str> {
        pmks_azure::stage_kinds().collect()
    }

    fn word(&self, kind: ResourceKind) -> Option<&'static str> {
        match kind {
            ResourceKind::Connection => None,
            ResourceKind::Cluster => Some("managedCluster"),
            ResourceKind::NodeGroup => Some("agentPool"),
            ResourceKind::Network => Some("virtualNetwork"),
            ResourceKind::Subnet => Some("subnet"),
            ResourceKind::SecurityGroup => Some("networkSecurityGroup"),
            ResourceKind::KeyPair => Some("sshPublicKey"),
        }
    }

    fn node_word(&self) -> &'static str {
        "virtualMachine"
    }

    /// The application that acts, and the resource group that everything is made in; AKS makes its own for each cluster.
    fn stays(&self, row: &Resource) -> bool {
        let of_a_cluster = row.attributes.get("managedBy").is_some_and(|owner| !owner.is_null());
        row.kind == "application" || (row.kind == "resourceGroup" && !of_a_cluster)
    }

    /// Subnets have no tags.
    fn unmarked(&self) -> &'static [ResourceKind] {
        &[ResourceKind::Subnet]
    }

    fn fails_next(&self, kind: ResourceKind) -> Option<Rule> {
        let action = match kind {
            ResourceKind::Cluster => "ManagedClusters_CreateOrUpdate",
            ResourceKind::NodeGroup => "AgentPools_CreateOrUpdate",
            _ => return None,
        };
        Some(Rule::new("containerservice", action, Effect::FailWhileCreating { code: None }).times(1))
    }

    /// A node group is changed by the call that makes it.
    fn fails_next_change(&self, kind: OperationKind) -> Option<Rule> {
        (kind == OperationKind::NodeGroupScale).then(|| self.fails_next(ResourceKind::NodeGroup)).flatten()
    }

    fn busy(&self, service: &str) -> Option<Effect> {
        let message = "Operation is not allowed: Another operation (Updating) is in progress, please wait for it to \
                       finish before starting a new operation.";
        let (code, message) = ("OperationNotAllowed".to_owned(), Some(message.to_owned()));
        (service == "containerservice").then_some(Effect::Status { status: 409, code, message })
    }

    /// Identifiers are made of names. Clusters, networks and security groups have one of their own beside that, and key pairs
    /// the key. Calls that change a cluster or its pools carry a condition, as does that which changes a group's rules;
    /// others know none. Subnets and pools have nothing but their names.
    fn tells_strangers(&self, kind: ResourceKind, just_before_change: Option<&str>) -> bool {
        match kind {
            ResourceKind::Cluster => true,
            ResourceKind::SecurityGroup => just_before_change
                .is_none_or(|change| change == "network.NetworkSecurityGroups_CreateOrUpdate"),
            ResourceKind::Network | ResourceKind::KeyPair => just_before_change.is_none(),
            _ => false,
        }
    }

    fn status_members(&self, word: Option<&str>) -> Value {
        json!({"provisioningState": word})
    }

    fn volume(&self, made: &Value) -> Option<String> {
        made.get("id").and_then(Value::as_str).map(str::to_owned)
    }

    fn patch_members(&self) -> Map<String, Value> {
        Map::from_iter([("options".to_owned(), json!({"tier": "Standard"}))])
    }

    fn change(&self, kind: OperationKind) -> Option<&'static [(&'static str, i64)]> {
        tables::change(kind)
    }

    fn least_changes(&self, kind: OperationKind) -> &'static [(&'static str, usize)] {
        tables::least_changes(kind)
    }
}
