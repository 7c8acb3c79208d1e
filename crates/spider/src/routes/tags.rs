//! Tags: those of clusters are changed by a durable update, as everywhere. Other kinds get theirs when they are made.

use std::collections::BTreeMap;

use http::StatusCode;
use pmks_core::Mutation;
use pmks_model::{ResourceKind, Tags};
use serde_json::json;

use super::all::{Kind as _, Outcome};
use super::clusters::Cluster;
use super::networks::Network;
use super::{shapes, types};
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;
use crate::wait::{CHANGE, Until};

/// What a request is about: the body says it, or the query.
struct Tagged {
    connection: String,
    kind: ResourceKind,
    name: String,
}

impl Tagged {
    fn of(call: &Call) -> Outcome<Self> {
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
        Ok(Self { connection: call.connection()?, kind, name: said("ResourceName")? })
    }

    /// The tags that it has.
    async fn tags(&self, call: &Call) -> Outcome<Tags> {
        match self.kind {
            ResourceKind::Cluster => {
                Ok(shapes::tags_of_cluster(&Cluster::get(call, &self.connection, &self.name).await?).clone())
            }
            ResourceKind::Network => Ok(Network::get(call, &self.connection, &self.name).await?.tags),
            other => Err(unsupported(other, "read")),
        }
    }

    /// Sets tags, or takes them off, and waits until the cloud has done so; `Some`: the client does not.
    async fn change(&self, call: &Call, tags: BTreeMap<String, Option<String>>) -> Outcome<Option<Reply>> {
        let mutation = Mutation::UpdateCluster {
            connection: self.connection.clone(),
            cluster: self.name.clone(),
            patch: json!({"tags": tags}),
            if_match: "*".to_owned(),
        };
        let operation = call.change(mutation, Until::Over, CHANGE).await?;
        Ok(call.at_once(&operation))
    }

    /// Only clusters have an operation that changes them.
    fn changeable(&self) -> Outcome<()> {
        if self.kind == ResourceKind::Cluster { Ok(()) } else { Err(unsupported(self.kind, "changed")) }
    }

    fn absent(&self, key: &str) -> Refusal {
        Refusal::absent(format!("tag key '{key}' does not exist for the resource '{}'", self.name))
    }
}

fn unsupported(kind: ResourceKind, done: &str) -> Refusal {
    let what = crate::names::of(kind).unwrap_or_default();
    Refusal::unsupported(format!(
        "tags of a {what} are not supported to be {done} here: those of clusters are"
    ))
}

/// Answers the tag, once the cluster has it.
pub(super) async fn add(call: Call) -> Answer {
    let tagged = Tagged::of(&call)?;
    tagged.changeable()?;
    let tag = call.asked()?.part("Tag")?;
    let (key, value) = (tag.required("Key")?, tag.text("Value")?);
    if tagged.tags(&call).await?.contains_key(&key) {
        let says = format!("tag key '{key}' already exists for the resource '{}'", tagged.name);
        return Err(Refusal::new(StatusCode::CONFLICT, says));
    }
    let shown = shapes::key_value(&key, &value);
    let accepted = tagged.change(&call, [(key, Some(value))].into()).await?;
    Ok(accepted.unwrap_or(Reply::Json(shown)))
}

pub(super) async fn list(call: Call) -> Answer {
    let tagged = Tagged::of(&call)?;
    let tags = shapes::tags(&tagged.tags(&call).await?);
    let what = crate::names::of(tagged.kind).unwrap_or_default();
    Ok(Reply::Json(json!({"tag": tags, "resourceType": what})))
}

pub(super) async fn get(call: Call) -> Answer {
    let (tagged, key) = (Tagged::of(&call)?, call.named(0));
    let tags = tagged.tags(&call).await?;
    let value = tags.get(key).ok_or_else(|| tagged.absent(key))?;
    Ok(Reply::Json(shapes::key_value(key, value)))
}

/// Answers once the cluster has it no more.
pub(super) async fn remove(call: Call) -> Answer {
    let (tagged, key) = (Tagged::of(&call)?, call.named(0));
    tagged.changeable()?;
    if !tagged.tags(&call).await?.contains_key(key) {
        return Err(tagged.absent(key));
    }
    let accepted = tagged.change(&call, [(key.to_owned(), None)].into()).await?;
    Ok(accepted.unwrap_or(Reply::result(true)))
}
