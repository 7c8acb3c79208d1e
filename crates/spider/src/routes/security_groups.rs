//! Security groups.

use pmks_core::{ImportResource, Mutation, NewRule, NewSecurityGroup, Reference, SecurityGroupView, Sides};
use pmks_model::{Iid, ResourceKind};
use serde_json::Value;

use super::all::{self, Facts, Kind, LATELY, Outcome};
use super::networks::Network;
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call, whole};
use crate::fields::Fields;
use crate::reply::Reply;
use crate::wait::{CHANGE, Until};

/// Everybody: what a rule without addresses means.
const ANYWHERE: &str = "0.0.0.0/0";

/// Security groups.
pub(super) enum SecurityGroup {}

impl Kind for SecurityGroup {
    const KIND: ResourceKind = ResourceKind::SecurityGroup;
    const TYPE: &'static str = "sg";
    const LIST: &'static str = "securitygroup";
    type View = SecurityGroupView;

    fn facts(view: &SecurityGroupView) -> Facts<'_> {
        Facts::of(&view.iid, &view.uid, &view.cloud_name, view.status)
    }

    fn connection(view: &SecurityGroupView) -> &str {
        &view.connection
    }

    async fn known(call: &Call, connection: &str) -> Outcome<Vec<SecurityGroupView>> {
        whole(|page| async move { call.pmks().security_groups().list(connection, &page).await }).await
    }

    async fn get(call: &Call, connection: &str, name: &str) -> pmks_core::Result<SecurityGroupView> {
        call.pmks().security_groups().get(connection, name, LATELY).await
    }

    async fn shown(call: &Call, connection: &str, views: &[SecurityGroupView]) -> Outcome<Vec<Value>> {
        let networks = Networks::of(call, connection).await?;
        Ok(views.iter().map(|view| networks.show(view)).collect())
    }

    async fn sides(call: &Call, connection: &str) -> Outcome<Sides<SecurityGroupView, (Iid, Value)>> {
        let networks = Networks::of(call, connection).await?;
        let sides = call.pmks().security_groups().sides(connection).await?;
        Ok(sides.with_strangers(|view| (view.iid.clone(), networks.show(&view))))
    }

    fn removal(connection: String, security_group: Reference) -> Mutation {
        Mutation::DeleteSecurityGroup { connection, security_group }
    }

    async fn adopt(call: &Call, connection: &str, name: &str, id: &str) -> Outcome<()> {
        let import = ImportResource { name: name.to_owned(), system_id: id.to_owned() };
        call.pmks().security_groups().import(&call.keyless(), connection, import).await?;
        Ok(())
    }

    async fn forget(call: &Call, connection: &str, meant: Reference) -> pmks_core::Result<()> {
        call.pmks().security_groups().forget(&call.keyless(), connection, meant).await
    }
}

pub(super) async fn create(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let name = asked.required("Name")?;
    let rules = asked.parts("SecurityRules")?.unwrap_or_default();
    let mut rules: Vec<NewRule> = rules.iter().map(rule).collect::<Result<_, _>>()?;
    // A new group of CB-Spider's lets everything out, whatever is named besides.
    let everything = everything_out();
    if !rules.contains(&everything) {
        rules.push(everything);
    }
    let security_group = NewSecurityGroup {
        name: name.clone(),
        unique_cloud_name: call.unique_names()?,
        network: asked.required("VPCName")?,
        rules,
        tags: shapes::asked_tags(&asked)?,
    };
    let mutation = Mutation::CreateSecurityGroup { connection: connection.clone(), security_group };
    let operation = call.change(mutation, Until::Over, CHANGE).await?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => all::show::<SecurityGroup>(&call, &connection, &name).await,
    }
}

/// The rule that CB-Spider's drivers give to every new group.
///
/// Source: `SecurityHandler.go` of its drivers, `addCBDefaultRule` and `insertDefaultOutboundPolicy`
fn everything_out() -> NewRule {
    NewRule {
        direction: "outbound".to_owned(),
        protocol: "all".to_owned(),
        from_port: None,
        to_port: None,
        cidr: ANYWHERE.to_owned(),
    }
}

/// Every port of a protocol that has ports, as pmks writes it whatever a client or a cloud calls it.
const EVERY_PORT: (Option<i64>, Option<i64>) = (Some(0), Some(65_535));

/// Ports of what has none are -1. Of TCP and UDP -1 is every port, and what is of every protocol is of every port: some
/// of them alone are refused.
///
/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/drivers/azure/resources/SecurityHandler.go>,
/// `convertRuleInfoPortRange`;
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>, `IpProtocol`
fn rule(asked: &Fields) -> Result<NewRule, Refusal> {
    let port = |key| match asked.text(key)?.trim() {
        "" | "-1" => Ok(None),
        text => {
            let refused = |_| Refusal::invalid(format!("{}: {text:?} is no port", asked.place(key)));
            text.parse().map(Some).map_err(refused)
        }
    };
    let protocol = asked.text("IPProtocol")?.to_lowercase();
    let every = asked.text("FromPort")?.trim() == "-1" && asked.text("ToPort")?.trim() == "-1";
    let (from_port, to_port) = match (protocol.as_str(), port("FromPort")?, port("ToPort")?) {
        ("tcp" | "udp", ..) if every => EVERY_PORT,
        ("all", Some(0 | 1), Some(65_535)) => (None, None),
        (_, from, to) => (from, to),
    };
    let cidr = asked.text("CIDR")?;
    Ok(NewRule {
        direction: asked.text("Direction")?.to_lowercase(),
        protocol,
        from_port,
        to_port,
        cidr: if cidr.trim().is_empty() { ANYWHERE.to_owned() } else { cidr },
    })
}

/// What is let through already is no error: a client that repeats itself gets what it asked for.
pub(super) async fn add_rules(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    match change_rules(&call, &connection, &name, asked_rules(&call)?, Vec::new()).await? {
        Some(accepted) => Ok(accepted),
        None => all::show::<SecurityGroup>(&call, &connection, &name).await,
    }
}

pub(super) async fn remove_rules(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    let accepted = change_rules(&call, &connection, &name, Vec::new(), asked_rules(&call)?).await?;
    Ok(accepted.unwrap_or(Reply::result(true)))
}

fn asked_rules(call: &Call) -> Result<Vec<NewRule>, Refusal> {
    let rules = call.asked()?.parts("RuleInfoList")?.unwrap_or_default();
    rules.iter().map(rule).collect()
}

/// The operation, for a client that does not wait for it.
async fn change_rules(
    call: &Call,
    connection: &str,
    name: &str,
    add: Vec<NewRule>,
    remove: Vec<NewRule>,
) -> Result<Option<Reply>, Refusal> {
    let (connection, security_group) = (connection.to_owned(), name.to_owned());
    let mutation = Mutation::UpdateSecurityGroup { connection, security_group, add, remove };
    let operation = call.change(mutation, Until::Over, CHANGE).await?;
    Ok(call.at_once(&operation))
}

pub(super) async fn list_of_network(call: Call) -> Answer {
    let (connection, network) = (call.connection()?, call.named(0));
    let networks = Networks::of(&call, &connection).await?;
    if !networks.0.iter().any(|known| known.name_id == network) {
        let says = format!("VPC '{network}' does not exist in connection '{connection}'");
        return Err(Refusal::absent(says));
    }
    let known = SecurityGroup::known(&call, &connection).await?;
    let within = known.iter().filter(|view| networks.whose(view).name_id == network);
    Ok(Reply::list("securitygroup", within.map(|view| networks.show(view)).collect()))
}

/// The network of a group that is about to be registered.
pub(super) async fn owner(call: Call) -> Answer {
    let connection = call.connection()?;
    let id = call.asked()?.required("CSPId")?;
    let network = call.pmks().security_groups().network_of_unmanaged(&connection, &id).await?;
    Ok(Reply::Json(shapes::iid(&network)))
}

pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let import = ImportResource { name: asked.required("Name")?, system_id: asked.required("CSPId")? };
    let (name, network) = (import.name.clone(), asked.text("VPCName")?);
    let network = Some(network.trim()).filter(|network| !network.is_empty());
    call.pmks().security_groups().import_in(&call.keyless(), &connection, network, import).await?;
    all::show::<SecurityGroup>(&call, &connection, &name).await
}

/// Both names of every network of a connection.
struct Networks(Vec<Iid>);

impl Networks {
    async fn of(call: &Call, connection: &str) -> Result<Self, Refusal> {
        let all = Network::known(call, connection).await?;
        Ok(Self(all.into_iter().map(|view| view.iid).collect()))
    }

    /// The network of a group; one that nobody keeps a record of has the cloud's name alone.
    fn whose(&self, view: &SecurityGroupView) -> Iid {
        let text = &view.network;
        let known = self.0.iter().find(|iid| iid.name_id == *text || iid.system_id == *text);
        known.cloned().unwrap_or_else(|| Iid::new("", text.clone()))
    }

    fn show(&self, view: &SecurityGroupView) -> Value {
        shapes::security_group(view, &self.whose(view))
    }
}
