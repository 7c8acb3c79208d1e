//! AWS' calls, one method each: build one request, send it once, read one answer.
//! No loop, no waiting, no decision: those are the reads', the operations' and the engine's.

mod autoscaling;
pub(crate) mod cloudwatch;
pub(crate) mod ec2;
mod eks;
mod elb;
mod iam;
pub(crate) mod launch_templates;
mod sts;
mod tags;
mod vpc_neighbours;

use std::sync::{Arc, OnceLock};

use http::Method;
use pmks_driver::{DriverError, Effect, ErrorKind, Result};
use pmks_transport::{Call, Client, Lane, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::endpoints::Endpoints;
use crate::query::{self, Query};
use crate::{PROVIDER, errors};

/// Whose request budget calls use: an account's, or a key's as long as nobody knows its account.
pub(crate) fn budget_of(who: &str, region: &str) -> String {
    format!("{who}/{region}")
}

/// AWS as one connection sees it.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    client: Client,
    /// The same client on the account's own request budget, once it is known whose that is.
    budgeted: Arc<OnceLock<Client>>,
    endpoints: Arc<Endpoints>,
    lane: Lane,
}

impl Api {
    /// Sends by `client` to `endpoints`; reads wait in the lane of users.
    pub(crate) fn new(client: Client, endpoints: Arc<Endpoints>) -> Self {
        Self { client, budgeted: Arc::default(), endpoints, lane: Lane::Live }
    }

    /// From now on, this and its copies share the request budget of that account with every other connection of it:
    /// AWS counts by account and region, whichever key or role asks.
    pub(crate) fn learn_account(&self, account: &str) {
        self.budgeted.get_or_init(|| self.client.with_account(&budget_of(account, self.endpoints.region())));
    }

    /// The same, whose reads wait in that lane.
    pub(crate) fn on_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Where the services are.
    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// A call of a service that speaks JSON; `segments` stand below the endpoint's path.
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
        let call = Call::new(service, action, effect, method, base.clone())
            .below(segments)
            .region(self.endpoints.signing_region(service));
        Ok(if effect == Effect::Read { call.lane(self.lane) } else { call })
    }

    /// Sends a call and reads its JSON.
    async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let (action, effect) = (call.action(), call.effect());
        let response = self.send(call).await?;
        serde_json::from_slice(&response.body)
            .map_err(|error| errors::TABLE.unreadable(action, effect, &response, error))
    }

    /// Sends a request of the Query protocol and reads its XML.
    pub(crate) async fn query<T: DeserializeOwned>(&self, query: Query) -> Result<T> {
        let (action, effect, service) = (query.action, query.effect, query.service);
        let call = self.form(&query)?;
        let response = self.send(call).await?;
        let text = String::from_utf8_lossy(&response.body);
        query::read(service, &text)
            .map_err(|error| errors::TABLE.unreadable(action, effect, &response, error))
    }

    /// The same, as the JSON that its XML is.
    pub(crate) async fn query_as_json(&self, query: Query) -> Result<Value> {
        let (action, effect) = (query.action, query.effect);
        let response = self.send(self.form(&query)?).await?;
        let text = String::from_utf8_lossy(&response.body);
        query::to_json(&text).map_err(|error| errors::TABLE.unreadable(action, effect, &response, error))
    }

    /// Sends a request of the Query protocol whose answer says nothing but success.
    pub(crate) async fn done(&self, query: Query) -> Result<()> {
        let call = self.form(&query)?;
        self.send(call).await.map(|_| ())
    }

    fn form(&self, query: &Query) -> Result<Call> {
        let call = self.call(query.service.name(), query.action, query.effect, Method::POST, &[])?;
        Ok(call.form(query.fields()))
    }

    fn client(&self) -> &Client {
        self.budgeted.get().unwrap_or(&self.client)
    }

    async fn send(&self, call: Call) -> Result<Response> {
        let (action, effect) = (call.action(), call.effect());
        // An emulator lacks calls; at AWS itself a 404 that is not AWS' own is somebody else's.
        let may_lack = self.endpoints.replaced(call.service()).is_some();
        let response = self
            .client()
            .send(call)
            .await
            .map_err(|error| errors::TABLE.of_transport(action, effect, error))?;
        if response.status.is_success() {
            Ok(response)
        } else {
            Err(errors::of_answer(action, effect, &response, may_lack))
        }
    }
}
