//! Google Cloud to the suites: the provider, its simulated cloud, and how that is told what to do.

mod tables;

use std::sync::Arc;

use pmks_driver::{Credential, Provider};
use pmks_gcp_simulator::{GcpCloud, Settings};
use pmks_model::{OperationKind, ResourceKind};
use pmks_simulation::{Cloud, Effect, Resource, Rule};
use pmks_suites::CloudUnderTest;
use pmks_suites::schema_gate::Contract;
use serde_json::{Map, Value, json};

/// Google Cloud, for the suites' macros and functions.
pub const GCP: &dyn CloudUnderTest = &Gcp;

/// What the suites against software that others wrote are run with.
pub const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// Google's discovery documents, for the schema gate.
pub const CONTRACT: Contract = Contract {
    requirements: REQUIREMENTS,
    reader: "discovery_documents",
    not_judged: &["kubernetes", "oauth2"],
    mutations: concat!(env!("CARGO_MANIFEST_DIR"), "/gate_mutations.json"),
};

/// A key that nobody has given out: that of RFC 7515, appendix A.2, as a key file has it.
const NOBODYS_KEY: &str = include_str!("rfc7515_a2.pem");

/// The field of a credential that holds a whole key file.
const KEY_FILE: &str = "serviceAccountKey";

/// What the names of the metadata's items begin with that are key pairs.
const KEY_PAIR: &str = "pmks-key-pair-";

struct Gcp;

impl CloudUnderTest for Gcp {
    fn provider(&self) -> Arc<dyn Provider> {
        Arc::new(pmks_gcp::Gcp)
    }

    fn cloud(&self, settings: pmks_suites::Settings) -> Arc<dyn Cloud> {
        let pmks_suites::Settings { seed, speed, time } = settings;
        Arc::new(GcpCloud::new(Settings { seed, speed, time, ..Settings::default() }))
    }

    fn contract(&self) -> Option<Contract> {
        cfg!(feature = "outside-world").then_some(CONTRACT)
    }

    fn stage_kinds(&self) -> Vec<&'static str> {
        pmks_gcp::stage_kinds().collect()
    }

    /// A security group is the firewall rule of its name, and a key pair an item of the project's metadata.
    fn word(&self, kind: ResourceKind) -> Option<&'static str> {
        match kind {
            ResourceKind::Cluster => Some("cluster"),
            ResourceKind::NodeGroup => Some("nodePool"),
            ResourceKind::Network => Some("network"),
            ResourceKind::Subnet => Some("subnetwork"),
            ResourceKind::SecurityGroup => Some("firewall"),
            ResourceKind::KeyPair => Some("metadataItem"),
            ResourceKind::Connection => None,
        }
    }

    fn node_word(&self) -> &'static str {
        "instance"
    }

    fn stays(&self, row: &Resource) -> bool {
        row.kind == "serviceAccount"
    }

    /// Disks are known by where they are and by their name, key pairs by theirs, everything else by Google's number.
    fn id(&self, row: &Resource) -> String {
        let name = row.name.as_deref().unwrap_or_default();
        let scope = row.attributes.get("scope").and_then(Value::as_str);
        match (row.kind.as_str(), scope) {
            ("disk", Some(scope)) => format!("{scope}/disks/{name}"),
            ("metadataItem", _) => name.strip_prefix(KEY_PAIR).unwrap_or(name).to_owned(),
            _ => row.id.clone(),
        }
    }

    /// What has no labels carries its marks in its description, or in its value.
    fn unmarked(&self) -> &'static [ResourceKind] {
        &[ResourceKind::Network, ResourceKind::Subnet, ResourceKind::SecurityGroup, ResourceKind::KeyPair]
    }

    fn random_names(&self) -> &'static [&'static str] {
        &["instance", "instanceGroupManager", "instanceTemplate", "disk", "route"]
    }

    fn wrong_credential(&self, right: &Credential) -> Credential {
        let mut file: Value =
            right.get(KEY_FILE).and_then(|file| serde_json::from_str(file).ok()).unwrap_or_default();
        if let Some(key) = file.get_mut("private_key") {
            *key = json!(NOBODYS_KEY);
        }
        Credential::from_values([(KEY_FILE.to_owned(), file.to_string())])
    }

    /// The key as JSON writes it; its file says who it is for, which is no secret.
    fn secrets(&self, credential: &Credential) -> Vec<String> {
        let file: Option<Value> = credential.get(KEY_FILE).and_then(|file| serde_json::from_str(file).ok());
        let key = file.and_then(|file| Some(file.get("private_key")?.to_string()));
        key.map(|key| key.trim_matches('"').to_owned()).into_iter().collect()
    }

    fn fails_next(&self, kind: ResourceKind) -> Option<Rule> {
        let action = match kind {
            ResourceKind::Cluster => "clusters.create",
            ResourceKind::NodeGroup => "nodePools.create",
            _ => return None,
        };
        Some(Rule::new("container", action, Effect::FailWhileCreating { code: None }).times(1))
    }

    fn busy(&self, service: &str) -> Option<Effect> {
        let message = "Cluster is running incompatible operation operation-1700000000000-0a1b2c3d.";
        let (code, message) = ("FAILED_PRECONDITION".to_owned(), Some(message.to_owned()));
        (service == "container").then_some(Effect::Status { status: 400, code, message })
    }

    /// Compute Engine's resources have numbers, by which they are changed, and its metadata a fingerprint, by which a change
    /// is refused. GKE's calls know no condition, and node pools nothing but their names.
    fn tells_strangers(&self, kind: ResourceKind, just_before_change: Option<&str>) -> bool {
        match kind {
            ResourceKind::Cluster => just_before_change.is_none(),
            ResourceKind::NodeGroup => false,
            _ => true,
        }
    }

    fn without_prerequisites(&self) -> Option<Vec<Value>> {
        let services = ["container.googleapis.com", "compute.googleapis.com"];
        Some(vec![json!({"type": "servicesAreDisabled", "services": services})])
    }

    fn load_balancers(&self) -> &'static [&'static str] {
        &["external", "ingress"]
    }

    fn volume(&self, made: &Value) -> Option<String> {
        let path = made.get("disk").and_then(Value::as_str)?;
        path.get(path.find("/zones/")? + 1..).map(str::to_owned)
    }

    /// Another release channel.
    fn patch_members(&self) -> Map<String, Value> {
        Map::from_iter([("options".to_owned(), json!({"releaseChannel": "STABLE"}))])
    }

    fn change(&self, kind: OperationKind) -> Option<&'static [(&'static str, i64)]> {
        tables::change(kind)
    }

    fn least_changes(&self, kind: OperationKind) -> &'static [(&'static str, usize)] {
        tables::least_changes(kind)
    }
}
