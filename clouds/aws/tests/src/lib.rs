//! AWS to the suites: the provider, its simulated cloud, and how that is told what to do.

mod tables;

use std::sync::Arc;

use pmks_aws_simulator::{AwsCloud, Settings};
use pmks_driver::Provider;
use pmks_model::{OperationKind, ResourceKind};
use pmks_simulation::{Cloud, Effect, Resource, Rule};
use pmks_suites::CloudUnderTest;
use pmks_suites::schema_gate::Contract;
use serde_json::{Map, Value, json};

/// AWS, for the suites' macros and functions.
pub const AWS: &dyn CloudUnderTest = &Aws;

/// What the suites against software that others wrote are run with.
pub const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// botocore's models of AWS' services, for the schema gate.
pub const CONTRACT: Contract = Contract {
    requirements: REQUIREMENTS,
    reader: "botocore_models",
    not_judged: &["kubernetes"],
    mutations: concat!(env!("CARGO_MANIFEST_DIR"), "/gate_mutations.json"),
};

/// The image that EKS prepares for Amazon Linux at the default version, taken as one of the user's own.
const OWN_IMAGE: &str = "ami-0ffc56305a8fcf4cf";

struct Aws;

impl CloudUnderTest for Aws {
    /// The offered credential is an access key.
    fn signs_in(&self) -> bool {
        false
    }

    fn provider(&self) -> Arc<dyn Provider> {
        Arc::new(pmks_aws::Aws)
    }

    fn cloud(&self, settings: pmks_suites::Settings) -> Arc<dyn Cloud> {
        let pmks_suites::Settings { seed, speed, time } = settings;
        Arc::new(AwsCloud::new(Settings { seed, speed, time, ..Settings::default() }))
    }

    fn contract(&self) -> Option<Contract> {
        cfg!(feature = "outside-world").then_some(CONTRACT)
    }

    fn stage_kinds(&self) -> Vec<&'static str> {
        pmks_aws::stage_kinds().collect()
    }

    fn word(&self, kind: ResourceKind) -> Option<&'static str> {
        match kind {
            ResourceKind::Network => Some("vpc"),
            ResourceKind::Connection => None,
            other => Some(other.as_str()),
        }
    }

    fn node_word(&self) -> &'static str {
        "instance"
    }

    fn stays(&self, row: &Resource) -> bool {
        ["role", "instanceProfile", "policy", "user", "accessKey"].contains(&row.kind.as_str())
    }

    fn fails_next(&self, kind: ResourceKind) -> Option<Rule> {
        let action = match kind {
            ResourceKind::Cluster => "CreateCluster",
            ResourceKind::NodeGroup => "CreateNodegroup",
            _ => return None,
        };
        Some(Rule::new("eks", action, Effect::FailWhileCreating { code: None }).times(1))
    }

    fn busy(&self, service: &str) -> Option<Effect> {
        let (status, code) = match service {
            "eks" => (409, "ResourceInUseException"),
            "ec2" => (400, "DependencyViolation"),
            "iam" => (409, "EntityTemporarilyUnmodifiable"),
            _ => return None,
        };
        let message = Some("it has another update in progress".to_owned());
        Some(Effect::Status { status, code: code.to_owned(), message })
    }

    /// What is called by its name alone, by calls that know no condition.
    fn tells_strangers(&self, kind: ResourceKind, just_before_change: Option<&str>) -> bool {
        !(just_before_change.is_some() && [ResourceKind::Cluster, ResourceKind::NodeGroup].contains(&kind))
    }

    fn load_balancers(&self) -> &'static [&'static str] {
        &["classic", "network", "application"]
    }

    /// Add-ons.
    fn cluster_members(&self) -> Map<String, Value> {
        Map::from_iter([("options".to_owned(), json!({"ebsCsiDriver": true, "podIdentityAgent": true}))])
    }

    /// A launch template is made for an image of the user's own.
    fn node_group_members(&self) -> Map<String, Value> {
        Map::from_iter([("image".to_owned(), json!(OWN_IMAGE))])
    }

    fn patch_members(&self) -> Map<String, Value> {
        let options = json!({"supportType": "STANDARD"});
        Map::from_iter([("deletionProtection".to_owned(), json!(true)), ("options".to_owned(), options)])
    }

    fn change(&self, kind: OperationKind) -> Option<&'static [(&'static str, i64)]> {
        tables::change(kind)
    }

    fn least_changes(&self, kind: OperationKind) -> &'static [(&'static str, usize)] {
        tables::least_changes(kind)
    }
}
