//! Google's calls, one method each: build one request, send it once, read one answer.
//! No loop but over pages, no waiting, no decision: those are the reads', the operations' and the engine's.

pub(crate) mod compute;
mod container;
pub(crate) mod monitoring;
mod service_usage;
mod tokens;

use std::sync::Arc;

use http::Method;
use pmks_driver::{DriverError, Effect, ErrorKind, Result};
use pmks_transport::{Call, Client, Lane, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::endpoints::Endpoints;
use crate::{PROVIDER, errors};

pub(crate) use tokens::{TokenApi, machine_url};

/// The most pages of any list: a cloud that pages for ever must not hold us.
const MOST_PAGES: usize = 1000;

/// Google's services as one connection sees them.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    client: Client,
    /// The same, whose records hold no bodies.
    private: Client,
    endpoints: Arc<Endpoints>,
    project: Arc<str>,
    lane: Lane,
}

impl Api {
    /// Sends by `client` to `endpoints`, about that project, and by `private` what may hold somebody's secrets; reads
    /// wait in the lane of users.
    pub(crate) fn new(client: Client, private: Client, endpoints: Arc<Endpoints>, project: &str) -> Self {
        Self { client, private, endpoints, project: Arc::from(project), lane: Lane::Live }
    }

    /// The same, of whose bodies no record is kept.
    fn privately(&self) -> Self {
        Self { client: self.private.clone(), ..self.clone() }
    }

    /// The same, whose reads wait in that lane.
    pub(crate) fn on_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// The project, by its id.
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    /// A call; `segments` stand below the endpoint's path.
    fn call(
        &self,
        service: &'static str,
        action: &'static str,
        effect: Effect,
        method: Method,
        segments: &[&str],
    ) -> Result<Call> {
        let base = self.endpoints.of(service).ok_or_else(|| {
            let message = format!("no endpoint of {service} is known");
            DriverError::new(ErrorKind::Unexpected, PROVIDER, message).with_action(action)
        })?;
        let call = Call::new(service, action, effect, method, base.clone()).below(segments);
        Ok(if effect == Effect::Read { call.lane(self.lane) } else { call })
    }

    /// Adds a JSON body.
    fn with_body<T: Serialize + Sync>(call: Call, body: &T) -> Result<Call> {
        let (action, effect) = (call.action(), call.effect());
        call.json(body).map_err(|error| errors::TABLE.of_transport(action, effect, error))
    }

    /// Sends a call and reads its JSON.
    async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let (action, effect) = (call.action(), call.effect());
        let response = self.send(call).await?;
        serde_json::from_slice(&response.body)
            .map_err(|error| errors::TABLE.unreadable(action, effect, &response, error))
    }

    async fn send(&self, call: Call) -> Result<Response> {
        let (action, effect) = (call.action(), call.effect());
        let response =
            self.client.send(call).await.map_err(|error| errors::of_transport(action, effect, error))?;
        if response.status.is_success() {
            Ok(response)
        } else {
            Err(errors::of_answer(action, effect, &response))
        }
    }
}

/// The error of a list that has no end.
fn endless(action: &'static str) -> DriverError {
    DriverError::new(ErrorKind::Unexpected, PROVIDER, "Google pages through this list without an end")
        .with_action(action)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The permission that a call needs, as Google's reference of the call says.
    fn permission(call: &str) -> String {
        match call {
            "container.getServerConfig" => return "container.clusters.list".to_owned(),
            "container.clusters.setResourceLabels" => return "container.clusters.update".to_owned(),
            _ if call.starts_with("container.nodePools.") => return "container.clusters.update".to_owned(),
            _ => {}
        }
        let (collection, verb) = call.rsplit_once('.').unwrap();
        let verb = match verb {
            "insert" => "create",
            "patch" => "update",
            "aggregatedList" => "list",
            verb => verb,
        };
        format!("{collection}.{verb}")
    }

    /// The calls that the sources of this folder name.
    fn calls() -> BTreeSet<&'static str> {
        let sources = [
            include_str!("compute.rs"),
            include_str!("container.rs"),
            include_str!("monitoring.rs"),
            include_str!("service_usage.rs"),
        ];
        let quoted = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
        let services = ["compute.", "container.", "monitoring.", "serviceusage."];
        quoted.filter(|text| services.iter().any(|service| text.starts_with(service))).collect()
    }

    #[test]
    fn the_guide_page_has_the_permission_of_every_call() {
        let page = include_str!("../../../README.md");
        let listed: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("- ")).collect();
        let calls = calls();
        assert!(calls.contains("compute.globalForwardingRules.delete") && calls.len() > 40, "{calls:?}");
        let lacking: Vec<String> =
            calls.into_iter().map(permission).filter(|needed| !listed.contains(needed.as_str())).collect();
        assert!(lacking.is_empty(), "{lacking:?}");
    }
}
