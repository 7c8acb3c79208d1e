//! `Microsoft.Resources`.

use http::Method;
use pmks_driver::{Effect, Result};
use pmks_model::Tags;
use serde_json::{Value, json};

use super::{Accepted, Api, Condition, change, read, version};
use crate::arm_id::ArmId;
use crate::wire::resources as wire;

const SERVICE: &str = "resources";
const VERSION: &str = version::RESOURCES;

impl Api {
    /// The connection's subscription.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/resources/subscriptions/get>
    pub(crate) async fn own_subscription(&self) -> Result<wire::Subscription> {
        let shape = read(SERVICE, "Subscriptions.Get", version::SUBSCRIPTIONS);
        self.json(self.call(shape, &self.in_subscription(&[]))).await
    }

    /// The regions that the subscription sees, with their zones.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/resources/subscriptions/list-locations>
    pub(crate) async fn locations(&self) -> Result<Vec<wire::Location>> {
        let shape = read(SERVICE, "Subscriptions.ListLocations", version::SUBSCRIPTIONS);
        self.list(shape, self.call(shape, &self.in_subscription(&["locations"]))).await
    }

    /// One resource group.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/resources/resource-groups/get>
    pub(crate) async fn resource_group(&self, name: &str) -> Result<wire::ResourceGroup> {
        let shape = read(SERVICE, "ResourceGroups.Get", VERSION);
        self.json(self.call(shape, &self.in_subscription(&["resourceGroups", name]))).await
    }

    /// Makes a resource group.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/resources/resource-groups/create-or-update>
    pub(crate) async fn create_resource_group(&self, name: &str, body: &Value) -> Result<Accepted> {
        let shape = change(SERVICE, "ResourceGroups.Create", Effect::Idempotent, &Method::PUT, VERSION);
        let path = self.in_subscription(&["resourceGroups", name]);
        self.put(shape, &path, body, Condition::None).await
    }

    /// Everything in a resource group.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/resources/resources/list-by-resource-group>
    pub(crate) async fn resources_of(&self, group: &str) -> Result<Vec<wire::GenericResource>> {
        let shape = read(SERVICE, "Resources.ListByResourceGroup", VERSION);
        let path = self.in_subscription(&["resourceGroups", group, "resources"]);
        self.list(shape, self.call(shape, &path)).await
    }

    /// Changes some tags of a resource and leaves the others alone, also those that somebody gives it at the same time:
    /// `Merge` sets them, `Delete` takes them off where they have these values.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/resources/tags/update-at-scope>
    pub(crate) async fn update_tags(
        &self,
        id: &ArmId,
        operation: &'static str,
        tags: &Tags,
    ) -> Result<Accepted> {
        let shape = change(SERVICE, "Tags.UpdateAtScope", Effect::Idempotent, &Method::PATCH, VERSION);
        let mut path = id.segments();
        path.extend(["providers", "Microsoft.Resources", "tags", "default"]);
        let body = json!({"operation": operation, "properties": {"tags": tags}});
        self.put(shape, &path, &body, Condition::None).await
    }

    /// How a resource provider is registered.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/resources/providers/get>
    pub(crate) async fn provider(&self, namespace: &str) -> Result<wire::Provider> {
        let shape = read(SERVICE, "Providers.Get", VERSION);
        self.json(self.call(shape, &self.in_subscription(&["providers", namespace]))).await
    }

    /// Registers a resource provider.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/resources/providers/register>
    pub(crate) async fn register_provider(&self, namespace: &str) -> Result<Accepted> {
        let shape = change(SERVICE, "Providers.Register", Effect::Idempotent, &Method::POST, VERSION);
        let path = self.in_subscription(&["providers", namespace, "register"]);
        let call = self.call(shape, &path).json(&json!({}));
        let call =
            call.map_err(|error| crate::errors::TABLE.of_transport(shape.action, shape.effect, error))?;
        self.change(call).await
    }
}
