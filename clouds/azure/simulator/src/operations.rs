//! Work that takes its time: phases that fall due one after the other, and the URLs by which clients follow it.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::Now;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::arm::{Call, key};
use crate::container_service;
use crate::error::{Error, Result};
use crate::reply::Reply;
use crate::resources;
use crate::world::{Subscription, World};

/// Ended operations that are remembered in a subscription.
const KEPT: usize = 2000;
/// How soon a client of the real cloud is asked to look again, in seconds.
const LOOK_AFTER: u64 = 10;

/// One piece of work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Operation {
    /// Its id.
    pub(crate) id: String,
    /// The provider's namespace; empty for what happens by itself.
    pub(crate) provider: String,
    /// Where.
    pub(crate) location: String,
    /// The id of what it is about, in lower case.
    pub(crate) target: String,
    /// When it began.
    pub(crate) started: Timestamp,
    /// When it ended.
    pub(crate) ended: Option<Timestamp>,
    /// `InProgress`, `Succeeded`, `Failed` or `Canceled`.
    pub(crate) status: String,
    /// Code and message of its failure.
    pub(crate) failure: Option<(String, String)>,
    /// What is still to be done. Nothing, though it is in progress: it never ends.
    pub(crate) phases: VecDeque<(Duration, Step)>,
    /// What its URLs are signed with.
    signature: String,
    /// Its order among all.
    number: u64,
}

/// What falls due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// The document is as it was asked for.
    Ready,
    /// The document and what lies in it vanish.
    Remove,
    /// A resource group and all in it vanish.
    RemoveGroup,
    /// It has failed, with code and message.
    Fail(String, String),
    /// A step of a cluster.
    Cluster(container_service::Step),
}

/// Begins work whose phases are that long after now, each.
pub(crate) fn start(
    call: &mut Call<'_>,
    provider: &str,
    location: &str,
    target: &str,
    phases: impl IntoIterator<Item = (Duration, Step)>,
) -> Operation {
    let work = call.now.work;
    let mut phases: VecDeque<(Duration, Step)> =
        phases.into_iter().map(|(after, step)| (work.saturating_add(after), step)).collect();
    if call.effects.never_finish() {
        phases.clear();
    }
    if let Some(code) = call.effects.fail_while_creating()
        && let Some((due, _)) = phases.pop_back()
    {
        let code = code.unwrap_or("InternalServerError");
        let says = format!("The operation failed while it was carried out: {code}.");
        phases.push_back((due, Step::Fail(code.to_owned(), says)));
    }
    add(call.world, call.name(0).to_owned().as_str(), call.now, (provider, location, target), phases)
}

/// Begins work in a subscription.
pub(crate) fn add(
    world: &mut World,
    subscription: &str,
    now: Now,
    (provider, location, target): (&str, &str, &str),
    phases: VecDeque<(Duration, Step)>,
) -> Operation {
    let (id, signature) = (world.random.uuid(), world.random.hex(43));
    let operations = &mut world.subscription_mut(subscription).operations;
    let number = operations.values().map(|operation| operation.number).max().map_or(0, |last| last + 1);
    let operation = Operation {
        id: id.clone(),
        provider: provider.to_owned(),
        location: location.to_owned(),
        target: key(target),
        started: now.wall,
        ended: None,
        status: "InProgress".to_owned(),
        failure: None,
        phases,
        signature,
        number,
    };
    if operations.len() > KEPT {
        let oldest =
            operations.values().filter(|known| known.ended.is_some()).min_by_key(|known| known.number);
        if let Some(oldest) = oldest.map(|oldest| oldest.id.clone()) {
            operations.remove(&oldest);
        }
    }
    operations.insert(id, operation.clone());
    operation
}

/// When a client is asked to look again, in whole seconds.
fn look_after(call: &Call<'_>) -> String {
    (LOOK_AFTER / call.pace.max(1)).to_string()
}

impl Operation {
    fn url(&self, call: &Call<'_>, word: &str) -> String {
        let subscription = &call.subscription().id;
        let time = self.started.as_second();
        let signed = format!(
            "t={time}&c=MIIHpTCCBo2g&s={}&h={}",
            self.signature,
            self.signature.get(..20).unwrap_or_default()
        );
        let place = if self.provider == "Microsoft.Resources" {
            return format!(
                "{}/subscriptions/{subscription}/operationresults/{}?api-version=2022-09-01&{signed}",
                call.base, self.id
            );
        } else {
            format!("providers/{}/locations/{}", self.provider, self.location)
        };
        let version = call.query.get("api-version").map_or("2017-08-31", String::as_str);
        format!(
            "{}/subscriptions/{subscription}/{place}/{word}/{}?api-version={version}&{signed}",
            call.base, self.id
        )
    }

    /// An answer with the URLs by which the work is followed.
    pub(crate) fn followed(&self, call: &Call<'_>, reply: Reply) -> Reply {
        let reply = if self.provider == "Microsoft.Resources" {
            reply
        } else {
            reply.with("azure-asyncoperation", self.url(call, "operations"))
        };
        reply.with("location", self.url(call, "operationresults")).with("retry-after", look_after(call))
    }

    fn show(&self) -> Value {
        let error = self.failure.as_ref().map(|(code, message)| json!({"code": code, "message": message}));
        json!({
            "name": self.id, "status": self.status, "startTime": self.started, "endTime": self.ended, "error": error,
        })
    }
}

/// The state of an operation.
///
/// # Errors
/// When there is no such operation.
pub(crate) fn get(call: &Call<'_>) -> Result<Reply> {
    let operation = find(call, call.name(2))?;
    let reply = Reply::ok(operation.show());
    Ok(if operation.ended.is_none() { reply.with("retry-after", look_after(call)) } else { reply })
}

/// The result of an operation: 202 while it is in progress.
///
/// # Errors
/// What it failed with, or that there is no such operation.
pub(crate) fn result(call: &Call<'_>, id: &str) -> Result<Reply> {
    let operation = find(call, id)?;
    match (operation.status.as_str(), &operation.failure) {
        ("InProgress", _) => Ok(operation.followed(call, Reply::empty(202))),
        (_, Some((code, message))) => Err(Error::new(409, code, message.as_str())),
        _ if operation.provider == "Microsoft.Resources" => Ok(Reply::empty(200)),
        _ => {
            let shown = container_service::show_by_key(call, &operation.target).or_else(|| {
                call.subscription().documents.get(&operation.target).map(crate::world::Document::show)
            });
            Ok(shown.map_or_else(|| Reply::empty(204), Reply::ok))
        }
    }
}

fn find<'a>(call: &'a Call<'_>, id: &str) -> Result<&'a Operation> {
    let found = call.subscription().operations.get(&id.to_ascii_lowercase());
    found.ok_or_else(|| {
        Error::new(404, "OperationNotFound", format!("The operation '{id}' could not be found."))
    })
}

/// When the next phase falls due.
pub(crate) fn next_due(subscription: &Subscription) -> Option<Duration> {
    let running = subscription.operations.values().filter(|operation| operation.ended.is_none());
    running.filter_map(|operation| operation.phases.front().map(|(due, _)| *due)).min()
}

/// Does the phases that have fallen due in a subscription, oldest operation first.
pub(crate) fn settle(world: &mut World, subscription: &str, now: Now) {
    let is_due = |operation: &Operation| {
        operation.ended.is_none() && operation.phases.front().is_some_and(|(due, _)| *due <= now.work)
    };
    let operations =
        world.subscription(subscription).operations.values().filter(|operation| is_due(operation));
    let mut due: Vec<(u64, String)> =
        operations.map(|operation| (operation.number, operation.id.clone())).collect();
    due.sort();
    for (_, id) in due {
        advance(world, subscription, &id, now);
    }
}

fn advance(world: &mut World, subscription: &str, id: &str, now: Now) {
    let Some(operation) = world.subscription_mut(subscription).operations.get_mut(id) else { return };
    let Some((_, step)) = operation.phases.pop_front() else { return };
    let (target, failed) = (operation.target.clone(), matches!(step, Step::Fail(..)));
    if failed || operation.phases.is_empty() {
        operation.phases.clear();
        operation.ended = Some(now.wall);
        (if failed { "Failed" } else { "Succeeded" }).clone_into(&mut operation.status);
    }
    if let Step::Fail(code, message) = &step {
        operation.failure = Some((code.clone(), message.clone()));
    }
    take(world, subscription, id, &target, step, now);
}

fn take(world: &mut World, subscription: &str, id: &str, target: &str, step: Step, now: Now) {
    match step {
        Step::Ready => set_state(world, subscription, target, "Succeeded"),
        Step::Remove => {
            let below = format!("{target}/");
            let documents = &mut world.subscription_mut(subscription).documents;
            documents.retain(|key, _| key != target && !key.starts_with(&below));
        }
        Step::RemoveGroup => resources::remove_group(world, subscription, target),
        Step::Fail(..) => {
            set_state(world, subscription, target, "Failed");
            container_service::fail(world, subscription, target, id);
        }
        Step::Cluster(step) => container_service::take(world, subscription, target, id, step, now),
    }
}

fn set_state(world: &mut World, subscription: &str, target: &str, state: &str) {
    let etag = world.random.uuid();
    if let Some(document) = world.subscription_mut(subscription).documents.get_mut(target) {
        state.clone_into(&mut document.state);
        document.etag = etag;
    }
}
