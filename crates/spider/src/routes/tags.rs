//! Tags of what stands: changed by a durable update, as everywhere.

use std::collections::BTreeMap;

use http::StatusCode;
use pmks_core::{Mutation, Tagged};
use pmks_model::{FailureKind, ResourceKind, Tags};
use serde_json::json;

use super::all::{self, Kind as _, Outcome};
use super::networks::Network;
use super::{shapes, types};
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;
use crate::wait::CHANGE;

/// What a request is about: the body says it, or the query.
struct Subject {
    connection: String,
    resource: Tagged,
    /// The tags that it has, once what is asked of them is done.
    tags: Tags,
    /// Whether it is being made or changed.
    busy: bool,
}

impl Subject {
    async fn of(call: &Call) -> Outcome<Self> {
        let asked = call.asked()?;
        let said = |key: &str| {
            let text = asked.text(key)?;
            let text = if text.trim().is_empty() { call.either(key)? } else { text };
            match text.trim() {
                "" => Err(Refusal::invalid(format!("{key} is empty!"))),
                text => Ok(text.to_owned()),
            }
        };
        let kind = types::read(&said("ResourceType")?)?;
        let (connection, name) = (call.connection()?, said("ResourceName")?);
        let (network, busy) = match (all::found(call, kind, &connection, &name).await?, kind) {
            (Some(found), _) => (None, found.busy),
            (None, ResourceKind::Subnet) => (Some(network_of(call, &connection, &name).await?), false),
            (None, _) => {
                let what = crate::names::of(kind).unwrap_or_default();
                return Err(Refusal::unsupported(format!(
                    "tags of a {what} are not supported here: a node group gets those of its cluster when it is made"
                )));
            }
        };
        let resource = Tagged { kind, network, name };
        let tags = call.pmks().tags_to_be(&connection, &resource).await?;
        Ok(Self { connection, resource, tags, busy })
    }

    /// Sets tags, or takes them off, and waits until the cloud has done so; `Some`: the client does not. What another
    /// client has set meanwhile is not written over. Of what is being made or changed it is taken on and not waited for:
    /// its turn comes when that is over, and CB-Tumblebug tags a cluster before it tells anybody that it is being made.
    ///
    /// Source: <https://github.com/cloud-barista/cb-tumblebug/blob/main/src/core/resource/k8scluster.go>
    async fn change(&self, call: &Call, tags: BTreeMap<String, Option<String>>) -> Outcome<Option<Reply>> {
        let mutation = Mutation::UpdateTags {
            connection: self.connection.clone(),
            resource: self.resource.clone(),
            patch: json!({"tags": tags}),
            if_match: "*".to_owned(),
            only_new: true,
        };
        let accepted = call.accept(mutation).await?;
        if !self.busy && !call.respond_async {
            call.follow_in_turn(&accepted, CHANGE).await?;
        }
        Ok(call.at_once(&accepted.operation))
    }

    fn absent(&self, key: &str) -> Refusal {
        Refusal::absent(format!("tag key '{key}' does not exist for the resource '{}'", self.resource.name))
    }

    fn present(&self, key: &str) -> Refusal {
        let says = format!("tag key '{key}' already exists for the resource '{}'", self.resource.name);
        Refusal::new(StatusCode::CONFLICT, says)
    }
}

/// The network of the subnet of that name or identifier. Clients do not say which network they mean.
async fn network_of(call: &Call, connection: &str, name: &str) -> Outcome<String> {
    let networks = Network::known(call, connection).await?;
    let all = networks.iter().flat_map(|network| network.subnets.iter().filter(|one| !one.uid.is_empty()));
    let mut found: Vec<_> = all.filter(|one| one.iid.system_id == name || one.name == name).collect();
    match (found.pop(), found.as_slice()) {
        (Some(one), []) => Ok(one.network.clone()),
        (Some(one), others) => {
            let networks: Vec<&str> =
                others.iter().chain([&one]).map(|subnet| subnet.network.as_str()).collect();
            Err(Refusal::invalid(format!(
                "ResourceName: several VPCs have a Subnet '{name}': {}; name it by its SystemId",
                networks.join(", ")
            )))
        }
        (None, _) => {
            let says = format!("Subnet '{name}' does not exist in connection '{connection}'");
            Err(Refusal::absent(says))
        }
    }
}

/// Answers the tag, once the resource has it, or will have it. Of two clients that set one at once the second is told so.
pub(super) async fn add(call: Call) -> Answer {
    let subject = Subject::of(&call).await?;
    let tag = call.asked()?.part("Tag")?;
    let (key, value) = (tag.required("Key")?, tag.text("Value")?);
    // A request that is repeated by its key is answered as it was.
    if subject.tags.contains_key(&key) && call.caller.idempotency.is_none() {
        return Err(subject.present(&key));
    }
    let shown = shapes::key_value(&key, &value);
    let accepted = subject.change(&call, [(key.clone(), Some(value))].into()).await.map_err(|refusal| {
        let is_present = |kind: FailureKind| kind == FailureKind::AlreadyExists;
        let present = refusal.failure.as_ref().is_some_and(|failure| is_present(failure.kind));
        if present { subject.present(&key) } else { refusal }
    })?;
    Ok(accepted.unwrap_or(Reply::Json(shown)))
}

pub(super) async fn list(call: Call) -> Answer {
    let subject = Subject::of(&call).await?;
    let what = crate::names::of(subject.resource.kind).unwrap_or_default();
    Ok(Reply::Json(json!({"tag": shapes::tags(&subject.tags), "resourceType": what})))
}

pub(super) async fn get(call: Call) -> Answer {
    let (subject, key) = (Subject::of(&call).await?, call.named(0));
    let value = subject.tags.get(key).ok_or_else(|| subject.absent(key))?;
    Ok(Reply::Json(shapes::key_value(key, value)))
}

/// Answers once the resource has it no more.
pub(super) async fn remove(call: Call) -> Answer {
    let (subject, key) = (Subject::of(&call).await?, call.named(0));
    if !subject.tags.contains_key(key) {
        return Err(subject.absent(key));
    }
    let accepted = subject.change(&call, [(key.to_owned(), None)].into()).await?;
    Ok(accepted.unwrap_or(Reply::result(true)))
}
