//! Security groups.

use std::future::{Ready, ready};

use pmks_core::{ImportResource, Mutation, NewRule, NewSecurityGroup, SecurityGroupView};
use pmks_model::{FailureKind, Iid};
use serde_json::Value;

use super::all::{Sides, name_of};
use super::shapes;
use crate::Refusal;
use crate::call::{Answer, Call, whole};
use crate::fields::Fields;
use crate::reply::Reply;
use crate::wait::{CHANGE, DELETION, Until};

const WHAT: &str = "Security Group";
/// Everybody: what a rule without addresses means.
const ANYWHERE: &str = "0.0.0.0/0";

pub(super) async fn create(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let name = asked.required("Name")?;
    let rules = asked.parts("SecurityRules")?.unwrap_or_default();
    let security_group = NewSecurityGroup {
        name: name.clone(),
        network: asked.required("VPCName")?,
        rules: rules.iter().map(rule).collect::<Result<_, _>>()?,
    };
    let mutation = Mutation::CreateSecurityGroup { connection: connection.clone(), security_group };
    let operation = call.change(mutation, Until::Over, CHANGE).await;
    let operation = operation.map_err(|refusal| refusal.about(WHAT, &name, &connection))?;
    match call.at_once(&operation) {
        Some(accepted) => Ok(accepted),
        None => shown(&call, &connection, &name).await,
    }
}

/// Ports of what has none are -1.
fn rule(asked: &Fields) -> Result<NewRule, Refusal> {
    let port = |key| match asked.text(key)?.trim() {
        "" | "-1" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Refusal::invalid(format!("{key}: {text:?} is no port"))),
    };
    let cidr = asked.text("CIDR")?;
    Ok(NewRule {
        direction: asked.text("Direction")?.to_lowercase(),
        protocol: asked.text("IPProtocol")?.to_lowercase(),
        from_port: port("FromPort")?,
        to_port: port("ToPort")?,
        cidr: if cidr.trim().is_empty() { ANYWHERE.to_owned() } else { cidr },
    })
}

/// Rules of a group that stands are the cloud's to change, or another group's.
pub(super) fn rules(_: Call) -> Ready<Answer> {
    ready(Err(Refusal::unsupported(
        "a change of a security group's rules is not supported yet: make another group",
    )))
}

async fn shown(call: &Call, connection: &str, name: &str) -> Answer {
    let view = call.pmks().security_groups().get(connection, name, None).await;
    let view = view.map_err(|failure| Refusal::from(failure).about(WHAT, name, connection))?;
    Ok(Reply::Json(Networks::of(call, connection).await?.show(&view)))
}

pub(super) async fn list(call: Call) -> Answer {
    let connection = call.connection()?;
    let networks = Networks::of(&call, &connection).await?;
    let known = known(&call, &connection).await?;
    Ok(Reply::list("securitygroup", known.iter().map(|view| networks.show(view)).collect()))
}

pub(super) async fn list_of_network(call: Call) -> Answer {
    let (connection, network) = (call.connection()?, call.named(0));
    let networks = Networks::of(&call, &connection).await?;
    if !networks.0.iter().any(|known| known.name_id == network) {
        let says = format!("VPC '{network}' does not exist in connection '{connection}'");
        return Err(Refusal::absent(says));
    }
    let known = known(&call, &connection).await?;
    let within = known.iter().filter(|view| networks.whose(view).name_id == network);
    Ok(Reply::list("securitygroup", within.map(|view| networks.show(view)).collect()))
}

async fn known(call: &Call, connection: &str) -> Result<Vec<SecurityGroupView>, Refusal> {
    whole(|page| async move { call.pmks().security_groups().list(connection, &page).await }).await
}

pub(super) async fn get(call: Call) -> Answer {
    shown(&call, &call.connection()?, call.named(0)).await
}

pub(super) async fn delete(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0).to_owned());
    let mutation =
        Mutation::DeleteSecurityGroup { connection: connection.clone(), security_group: name.clone() };
    match call.change(mutation, Until::Over, DELETION).await {
        Ok(operation) => Ok(call.at_once(&operation).unwrap_or(Reply::result(true))),
        Err(refusal) if call.force()? && refusal.is_final() => {
            call.pmks()
                .security_groups()
                .forget(&call.keyless(), &connection, &name)
                .await
                .map_err(|_| refusal)?;
            Ok(Reply::result(false))
        }
        Err(refusal) => Err(refusal.about(WHAT, &name, &connection)),
    }
}

/// The network of a group that is about to be registered.
pub(super) async fn owner(call: Call) -> Answer {
    let connection = call.connection()?;
    let id = call.asked()?.required("CSPId")?;
    let found = call.pmks().security_groups().network_of_unmanaged(&connection, &id).await;
    let network = found.map_err(|failure| Refusal::from(failure).about(WHAT, &id, &connection))?;
    Ok(Reply::Json(shapes::iid(&network)))
}

pub(super) async fn register(call: Call) -> Answer {
    let (connection, asked) = (call.connection()?, call.asked()?);
    let import = ImportResource { name: asked.required("Name")?, system_id: asked.required("CSPId")? };
    let name = import.name.clone();
    let made = call.pmks().security_groups().import(&call.keyless(), &connection, import).await;
    made.map_err(|failure| Refusal::from(failure).about(WHAT, &name, &connection))?;
    shown(&call, &connection, &name).await
}

pub(super) async fn unregister(call: Call) -> Answer {
    let (connection, name) = (call.connection()?, call.named(0));
    let gone = call.pmks().security_groups().forget(&call.keyless(), &connection, name).await;
    gone.map_err(|failure| Refusal::from(failure).about(WHAT, name, &connection))?;
    Ok(Reply::result(true))
}

pub(super) async fn all(call: Call) -> Answer {
    sides(&call, false).await.map(Sides::list)
}

pub(super) async fn all_infos(call: Call) -> Answer {
    sides(&call, true).await.map(|sides| sides.infos("sg"))
}

async fn sides(call: &Call, whole: bool) -> Result<Sides, Refusal> {
    let connection = call.connection()?;
    let networks = Networks::of(call, &connection).await?;
    let mut sides = Sides::default();
    for view in known(call, &connection).await? {
        if view.status == "Missing" {
            sides.only_here.push(shapes::iid(&view.iid));
        } else {
            sides.mapped.push(if whole { networks.show(&view) } else { shapes::iid(&view.iid) });
        }
    }
    Ok(sides)
}

pub(super) async fn delete_at_cloud(call: Call) -> Answer {
    let (connection, id) = (call.connection()?, call.named(0).to_owned());
    match call.pmks().security_groups().get(&connection, &id, None).await {
        Err(failure) if failure.kind == FailureKind::NotFound => {
            let import = ImportResource { name: name_of(&id), system_id: id.clone() };
            call.pmks().security_groups().import(&call.keyless(), &connection, import).await?;
        }
        known => drop(known?),
    }
    let mutation = Mutation::DeleteSecurityGroup { connection, security_group: id };
    let operation = call.change(mutation, Until::Over, DELETION).await?;
    Ok(call.at_once(&operation).unwrap_or(Reply::result(true)))
}

pub(super) async fn count(call: Call) -> Answer {
    let mut seen = std::collections::BTreeSet::new();
    for connection in call.of_path_or_all().await? {
        seen.extend(known(&call, &connection).await?.into_iter().map(|view| view.uid));
    }
    Ok(Reply::count(seen.len()))
}

/// Both names of every network of a connection.
struct Networks(Vec<Iid>);

impl Networks {
    async fn of(call: &Call, connection: &str) -> Result<Self, Refusal> {
        let all = whole(|page| async move { call.pmks().networks().list(connection, &page).await }).await?;
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
