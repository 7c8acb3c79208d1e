//! What the simulated EC2 holds for one account in one region. Data, and small questions about it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::Cidr;
use serde::{Deserialize, Serialize};

use crate::world::Tags;

/// All of EC2 in one account and region, each kind by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) vpcs: BTreeMap<String, Vpc>,
    pub(crate) subnets: BTreeMap<String, Subnet>,
    pub(crate) internet_gateways: BTreeMap<String, InternetGateway>,
    pub(crate) route_tables: BTreeMap<String, RouteTable>,
    pub(crate) security_groups: BTreeMap<String, SecurityGroup>,
    pub(crate) key_pairs: BTreeMap<String, KeyPair>,
    pub(crate) instances: BTreeMap<String, Instance>,
    pub(crate) network_interfaces: BTreeMap<String, NetworkInterface>,
    pub(crate) volumes: BTreeMap<String, Volume>,
    pub(crate) launch_templates: BTreeMap<String, LaunchTemplate>,
    /// Nobody makes one here: they are put into the world's state.
    #[serde(default)]
    pub(crate) vpc_endpoints: BTreeMap<String, VpcEndpoint>,
    /// Put into the world's state, too.
    #[serde(default)]
    pub(crate) vpn_gateways: BTreeMap<String, VpnGateway>,
    /// Put into the world's state, too.
    #[serde(default)]
    pub(crate) vpc_peerings: BTreeMap<String, VpcPeering>,
    /// Those beside the default ones, put into the world's state, too.
    #[serde(default)]
    pub(crate) network_acls: BTreeMap<String, NetworkAcl>,
    /// Put into the world's state, too.
    #[serde(default)]
    pub(crate) egress_only_gateways: BTreeMap<String, EgressOnlyGateway>,
    /// Put into the world's state, too.
    #[serde(default)]
    pub(crate) carrier_gateways: BTreeMap<String, CarrierGateway>,
}

/// A network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) id: String,
    pub(crate) cidr: Cidr,
    pub(crate) association_id: String,
    pub(crate) dns_support: bool,
    pub(crate) dns_hostnames: bool,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// A part of a network in one zone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) vpc: String,
    pub(crate) cidr: Cidr,
    /// The zone's name.
    pub(crate) zone: String,
    pub(crate) map_public_ip: bool,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// The way of a network to the internet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InternetGateway {
    pub(crate) id: String,
    pub(crate) vpc: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// Routes of the subnets that are associated with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RouteTable {
    pub(crate) id: String,
    pub(crate) vpc: String,
    pub(crate) routes: Vec<Route>,
    pub(crate) associations: Vec<Association>,
    /// The client token that it was made with.
    pub(crate) client_token: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// One route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Route {
    pub(crate) destination: Cidr,
    /// `local` or a gateway's id.
    pub(crate) gateway: String,
}

/// A way from a network to a service of AWS.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VpcEndpoint {
    pub(crate) id: String,
    pub(crate) vpc: String,
    /// `com.amazonaws.ap-northeast-2.ec2`.
    pub(crate) service: String,
    /// `Interface` or `Gateway`.
    pub(crate) kind: String,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// The end of a VPN at a network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VpnGateway {
    pub(crate) id: String,
    /// The network that it is attached to.
    pub(crate) vpc: Option<String>,
    pub(crate) tags: Tags,
}

/// A way between two networks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VpcPeering {
    pub(crate) id: String,
    /// The network whose owner asked for it.
    pub(crate) requester: String,
    /// The other one.
    pub(crate) accepter: String,
    /// `active`, or `deleted` for some hours after its end.
    pub(crate) status: String,
    pub(crate) tags: Tags,
}

/// What a network lets in and out at its subnets' borders. Its default one comes and goes with it, and is that of all its
/// subnets: nobody gives them another here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NetworkAcl {
    pub(crate) id: String,
    pub(crate) vpc: String,
    #[serde(default)]
    pub(crate) is_default: bool,
    pub(crate) tags: Tags,
}

/// The way out of a network for IPv6 alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EgressOnlyGateway {
    pub(crate) id: String,
    pub(crate) vpc: String,
    pub(crate) tags: Tags,
}

/// The way from a network to a telecommunication carrier's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CarrierGateway {
    pub(crate) id: String,
    pub(crate) vpc: String,
    /// `available`, or `deleted` for a while after its end.
    pub(crate) state: String,
    pub(crate) tags: Tags,
}

/// Which subnet a table is for; without a subnet it is the network's main table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Association {
    pub(crate) id: String,
    pub(crate) subnet: Option<String>,
}

/// A security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) vpc: String,
    pub(crate) rules: Vec<GroupRule>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// One rule of a security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GroupRule {
    pub(crate) id: String,
    pub(crate) egress: bool,
    /// `-1`, `tcp`, `udp`, `icmp` or a number.
    pub(crate) protocol: String,
    pub(crate) from_port: Option<i32>,
    pub(crate) to_port: Option<i32>,
    pub(crate) peer: Peer,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
}

impl GroupRule {
    /// Whether it says the same as another, whatever its description.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.egress == other.egress
            && self.protocol == other.protocol
            && self.from_port == other.from_port
            && self.to_port == other.to_port
            && self.peer == other.peer
    }
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Peer {
    /// Addresses of IPv4.
    Ipv4(String),
    /// Addresses of IPv6.
    Ipv6(String),
    /// Members of a group.
    Group(String),
    /// A managed list of addresses.
    PrefixList(String),
}

/// A key pair's public half.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `rsa` or `ed25519`.
    pub(crate) kind: String,
    pub(crate) fingerprint: String,
    pub(crate) public_key: String,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// A machine's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum InstanceState {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
}

impl InstanceState {
    /// Code and name on the wire.
    pub(crate) fn written(self) -> (u32, &'static str) {
        match self {
            Self::Pending => (0, "pending"),
            Self::Running => (16, "running"),
            Self::ShuttingDown => (32, "shutting-down"),
            Self::Terminated => (48, "terminated"),
        }
    }
}

/// A machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) reservation_id: String,
    pub(crate) state: InstanceState,
    /// Work time at which the state changes next.
    pub(crate) due: Option<Duration>,
    pub(crate) machine_type: String,
    pub(crate) image: String,
    pub(crate) subnet: String,
    pub(crate) vpc: String,
    pub(crate) zone: String,
    pub(crate) private_ip: Ipv4Addr,
    pub(crate) public_ip: Option<Ipv4Addr>,
    pub(crate) key_name: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) interface: String,
    pub(crate) volume: String,
    /// The role that its instance profile carries.
    pub(crate) role_arn: String,
    pub(crate) spot: bool,
    pub(crate) tags: Tags,
    pub(crate) launched: Timestamp,
}

/// A network interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NetworkInterface {
    pub(crate) id: String,
    pub(crate) subnet: String,
    pub(crate) vpc: String,
    pub(crate) zone: String,
    pub(crate) private_ip: Ipv4Addr,
    pub(crate) groups: Vec<String>,
    pub(crate) description: String,
    /// `interface`, `network_load_balancer`.
    pub(crate) kind: String,
    /// The service that holds it (`amazon-elb`, `eks`), if it is not the user's own.
    pub(crate) requester: Option<String>,
    /// What it is attached to: a machine's id, or nothing that the API names.
    pub(crate) attached: Option<Attached>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// What an interface is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attached {
    pub(crate) id: String,
    /// The machine; a service's own machines are not named.
    pub(crate) instance: Option<String>,
}

/// A disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) zone: String,
    pub(crate) size_gib: i64,
    /// `gp3`.
    pub(crate) kind: String,
    /// The machine that it is attached to.
    pub(crate) instance: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// A launch template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LaunchTemplate {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) versions: Vec<TemplateVersion>,
    pub(crate) default_version: u64,
    pub(crate) client_token: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
}

/// One version of a launch template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TemplateVersion {
    pub(crate) number: u64,
    pub(crate) description: Option<String>,
    pub(crate) data: TemplateData,
    pub(crate) created: Timestamp,
}

/// What a template says of machines; only what node groups can use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TemplateData {
    pub(crate) image: Option<String>,
    pub(crate) machine_type: Option<String>,
    pub(crate) key_name: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) user_data: Option<String>,
    pub(crate) disks: Vec<TemplateDisk>,
    /// Tags of what is made from it, by resource type.
    pub(crate) tags: BTreeMap<String, Tags>,
}

/// A disk of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TemplateDisk {
    pub(crate) device: String,
    pub(crate) size_gib: Option<u32>,
    pub(crate) kind: Option<String>,
}

impl State {
    /// The addresses in use in a subnet.
    pub(crate) fn used_addresses(&self, subnet: &str) -> impl Iterator<Item = Ipv4Addr> {
        self.network_interfaces
            .values()
            .filter(move |interface| interface.subnet == subnet)
            .map(|one| one.private_ip)
    }

    /// How many addresses a subnet still has: AWS keeps five of each.
    pub(crate) fn free_addresses(&self, subnet: &Subnet) -> u64 {
        let used = self.used_addresses(&subnet.id).count() as u64;
        subnet.cidr.size().saturating_sub(5).saturating_sub(used)
    }
}

impl RouteTable {
    /// Whether it is its network's main table.
    pub(crate) fn is_main(&self) -> bool {
        self.associations.iter().any(|association| association.subnet.is_none())
    }
}

impl NetworkInterface {
    /// The API's word for its state.
    pub(crate) fn status(&self) -> &'static str {
        if self.attached.is_some() { "in-use" } else { "available" }
    }
}

impl Volume {
    /// The API's word for its state.
    pub(crate) fn status(&self) -> &'static str {
        if self.instance.is_some() { "in-use" } else { "available" }
    }
}
