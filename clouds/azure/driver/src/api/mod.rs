//! Azure's calls, one method each: build one request, send it once, read one answer.
//! No loop but through the pages of a list, no waiting, no decision: those are the reads', the operations' and the
//! engine's. A call's name is the operation's of Azure's own specifications; `Create` and `Update` tell two uses of
//! `CreateOrUpdate` apart.

mod authorization;
mod compute;
mod container_service;
mod insights;
mod network;
mod operation;
mod resources;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, header};
use pmks_driver::{DriverError, Effect, ErrorKind, Result};
use pmks_transport::{Call, Client, Lane, Response, Url, retry_after};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::endpoints::Endpoints;
use crate::wire::Page;
use crate::{PROVIDER, errors};

pub(crate) use operation::Progress;

/// The API versions, each in this one place: the newest stable ones of Microsoft's own Python packages of November
/// 2026 (`azure-mgmt-containerservice` 41.8, `-network` 33.1, `-compute` 39.0, `-resource` 26.0, `-authorization` 4.0, `-monitor` 7.0).
pub(crate) mod version {
    /// `Microsoft.ContainerService`.
    pub(crate) const CONTAINER_SERVICE: &str = "2026-08-01";
    /// `Microsoft.Network`.
    pub(crate) const NETWORK: &str = "2026-03-01";
    /// `Microsoft.Network`, as far as it is about scale sets.
    pub(crate) const SCALE_SET_INTERFACES: &str = "2018-10-01";
    /// `Microsoft.Compute`.
    pub(crate) const COMPUTE: &str = "2026-04-01";
    /// `Microsoft.Compute/disks`.
    pub(crate) const DISKS: &str = "2026-03-02";
    /// `Microsoft.Compute/skus`.
    pub(crate) const SKUS: &str = "2021-07-01";
    /// `Microsoft.Resources`.
    pub(crate) const RESOURCES: &str = "2025-04-01";
    /// Subscriptions and their locations.
    pub(crate) const SUBSCRIPTIONS: &str = "2022-12-01";
    /// `Microsoft.Insights`, as far as it is about metrics.
    pub(crate) const INSIGHTS: &str = "2024-02-01";
    /// `Microsoft.Authorization`.
    pub(crate) const AUTHORIZATION: &str = "2022-04-01";
}

/// The most pages of any list: a cloud that pages for ever must not hold us.
const MOST_PAGES: usize = 1000;

/// On what condition a request that replaces is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Condition<'a> {
    /// Nothing of that name stands there.
    Nothing,
    /// What stands there is what was read.
    Unchanged(&'a str),
    /// Any: Azure documents no condition of it.
    None,
}

/// What Azure said to a request that changes something.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// The answer's body; null if it has none.
    pub(crate) body: Value,
    /// What to follow, if it is not done yet.
    pub(crate) handle: Option<Value>,
    /// When Azure wants to be asked first.
    pub(crate) after: Option<Duration>,
}

/// What is the same of every call of one kind.
#[derive(Clone, Copy)]
struct Shape {
    service: &'static str,
    action: &'static str,
    effect: Effect,
    method: &'static Method,
    version: &'static str,
}

const fn read(service: &'static str, action: &'static str, version: &'static str) -> Shape {
    Shape { service, action, effect: Effect::Read, method: &Method::GET, version }
}

const fn change(
    service: &'static str,
    action: &'static str,
    effect: Effect,
    method: &'static Method,
    version: &'static str,
) -> Shape {
    Shape { service, action, effect, method, version }
}

/// Azure as one connection sees it.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    client: Client,
    endpoints: Arc<Endpoints>,
    subscription: Arc<str>,
    lane: Lane,
}

impl Api {
    /// Sends by `client`; reads wait in the lane of users.
    pub(crate) fn new(client: Client, endpoints: Arc<Endpoints>, subscription: &str) -> Self {
        Self { client, endpoints, subscription: Arc::from(subscription), lane: Lane::Live }
    }

    /// The same, whose reads wait in that lane.
    pub(crate) fn on_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Where Azure is.
    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The subscription, in lower case.
    pub(crate) fn subscription(&self) -> &str {
        &self.subscription
    }

    /// The segments of a path in the subscription.
    fn in_subscription<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [&["subscriptions", &*self.subscription], rest].concat()
    }

    fn call(&self, shape: Shape, segments: &[&str]) -> Call {
        let manager = self.endpoints.resource_manager().clone();
        self.at(shape, manager).below(segments).query("api-version", shape.version)
    }

    fn at(&self, shape: Shape, url: Url) -> Call {
        let call = Call::new(shape.service, shape.action, shape.effect, shape.method.clone(), url)
            .header(header::ACCEPT, HeaderValue::from_static("application/json"));
        if shape.effect == Effect::Read { call.lane(self.lane) } else { call }
    }

    /// Sends a call and reads its JSON.
    async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let (action, effect) = (call.action(), call.effect());
        let response = self.send(call).await?;
        serde_json::from_slice(&response.body)
            .map_err(|error| errors::TABLE.unreadable(action, effect, &response, error))
    }

    /// Reads every page of a list.
    async fn list<T: DeserializeOwned>(&self, shape: Shape, first: Call) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut call = first;
        for _ in 0..MOST_PAGES {
            let page: Page<T> = self.json(call).await?;
            all.extend(page.value);
            let Some(link) = page.next_link.filter(|link| !link.is_empty()) else { return Ok(all) };
            let url = Url::parse(&link).map_err(|error| {
                unexpected(shape.action, "the link to the next page is no URL").caused_by(error)
            })?;
            call = self.at(shape, url);
        }
        Err(unexpected(shape.action, "Azure pages through this list without an end"))
    }

    /// Sends a call that changes something, and reads what is to be followed.
    async fn change(&self, call: Call) -> Result<Accepted> {
        let (action, effect) = (call.action(), call.effect());
        let response = self.send(call).await?;
        let body = if response.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&response.body)
                .map_err(|error| errors::TABLE.unreadable(action, effect, &response, error))?
        };
        Ok(Accepted { body, handle: operation::handle(&response), after: retry_after(&response.headers) })
    }

    /// Sends a body that replaces what stands, on a condition.
    async fn put<T: Serialize + ?Sized>(
        &self,
        shape: Shape,
        segments: &[&str],
        body: &T,
        condition: Condition<'_>,
    ) -> Result<Accepted> {
        let call = Self::conditional(self.call(shape, segments), condition)?;
        let call =
            call.json(body).map_err(|error| errors::TABLE.of_transport(shape.action, shape.effect, error))?;
        self.change(call).await
    }

    fn conditional(call: Call, condition: Condition<'_>) -> Result<Call> {
        let (action, effect) = (call.action(), call.effect());
        match condition {
            Condition::None => Ok(call),
            Condition::Nothing => Ok(call.header(header::IF_NONE_MATCH, HeaderValue::from_static("*"))),
            Condition::Unchanged(tag) => call
                .header_text(header::IF_MATCH, tag)
                .map_err(|error| errors::TABLE.of_transport(action, effect, error)),
        }
    }

    async fn send(&self, call: Call) -> Result<Response> {
        let (action, effect) = (call.action(), call.effect());
        let response = self
            .client
            .send(call)
            .await
            .map_err(|error| errors::TABLE.of_transport(action, effect, error))?;
        if response.status.is_success() {
            return Ok(response);
        }
        Err(errors::of_answer(action, effect, &response))
    }
}

fn unexpected(action: &'static str, says: &str) -> DriverError {
    DriverError::new(ErrorKind::Unexpected, PROVIDER, says).with_action(action)
}
