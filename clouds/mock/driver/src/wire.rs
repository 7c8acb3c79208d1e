//! What the Mock cloud says: one form for everything that it holds, of which each kind has its own part.

use jiff::Timestamp;
use pmks_model::{Rule, Scaling, Tags};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A thing. Absent is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Thing {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The identifier of what it is a part of.
    pub(crate) parent: String,
    pub(crate) labels: Tags,
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) created_at: Option<Timestamp>,
    /// Who uses it; only where it is asked for by itself.
    pub(crate) used_by: Vec<String>,

    // Networks and subnets
    pub(crate) cidr: String,
    pub(crate) zone: String,
    pub(crate) subnets: Vec<Thing>,

    // Security groups and key pairs
    pub(crate) rules: Vec<Rule>,
    pub(crate) public_key: String,

    // Clusters
    pub(crate) version: String,
    pub(crate) network: String,
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) endpoint: String,
    pub(crate) certificate_authority: String,
    pub(crate) node_groups: Vec<Thing>,
    pub(crate) balancers: Vec<Thing>,
    pub(crate) volumes: Vec<Thing>,
    /// Of a balancer: the Service that it was made for.
    pub(crate) service: String,

    // Node groups
    pub(crate) image: String,
    pub(crate) machine_type: String,
    pub(crate) root_disk_type: String,
    pub(crate) root_disk_gib: u32,
    pub(crate) key_pair: String,
    pub(crate) scaling: Option<Scaling>,
    pub(crate) nodes: Vec<Thing>,
    pub(crate) operating_system: String,
    pub(crate) private_ip: String,
    pub(crate) subnet: String,
}

/// The cloud's own are a name of up to 255 characters with more behind it; names stand for some.
const LONGEST_IDENTIFIER: usize = 512;

/// Whether it can be an identifier of the cloud's.
pub(crate) fn is_identifier(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=LONGEST_IDENTIFIER).contains(&text.len()) && !matches!(text, "." | "..") && text.chars().all(plain)
}

fn identifier<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if is_identifier(&text) { Ok(text) } else { Err(D::Error::custom("the target is no identifier")) }
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    pub(crate) items: Vec<Thing>,
    #[serde(default)]
    pub(crate) next_page_token: Option<String>,
}

/// The cloud's own work.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub(crate) id: String,
    /// The identifier of what it is about. What can be none is no answer: it would be kept as the name of what was made.
    #[serde(deserialize_with = "identifier")]
    pub(crate) target: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) error: Option<Said>,
}

/// What went wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// Who the caller is.
#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: String,
}

/// What a node measures.
#[derive(Debug, Deserialize)]
pub(crate) struct Measured {
    pub(crate) values: Vec<pmks_model::MetricValue>,
}

/// A token for a cluster.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) token: secrecy::SecretString,
    pub(crate) expires_at: Timestamp,
}

/// What the cloud offers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Catalogue {
    pub(crate) regions: Vec<pmks_model::Region>,
    pub(crate) machine_types: Vec<Offered>,
    pub(crate) images: Vec<Offered>,
    pub(crate) versions: Vec<Offered>,
}

/// Something on offer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Offered {
    pub(crate) name: String,
    pub(crate) version: String,
    #[serde(rename = "default")]
    pub(crate) is_default: bool,
    pub(crate) description: String,
    pub(crate) architecture: String,
    pub(crate) operating_system: String,
    pub(crate) vcpus: u32,
    pub(crate) memory_mib: u64,
    pub(crate) gpus: u32,
    pub(crate) gpu: Option<Gpu>,
    pub(crate) clock_ghz: Option<f64>,
    pub(crate) region: String,
    pub(crate) display_name: String,
    pub(crate) disk_type: String,
    pub(crate) disk_gb: Option<u32>,
}

/// What the accelerators of a machine type are.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Gpu {
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    pub(crate) memory_gb: u64,
}
