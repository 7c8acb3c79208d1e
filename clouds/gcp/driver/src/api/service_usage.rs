//! The calls of Service Usage: which of Google's APIs a project may use.
//!
//! Source: <https://cloud.google.com/service-usage/docs/reference/rest/v1/services>

use http::Method;
use pmks_driver::{Effect, Result};

use super::Api;
use crate::wire::service_usage::{Operation, Service};

impl Api {
    /// Whether the project may use an API of Google, such as `container.googleapis.com`; and which number the project
    /// has.
    pub(crate) async fn get_service(&self, service: &str) -> Result<Service> {
        let path = ["v1", "projects", self.project(), "services", service];
        let call =
            self.call("serviceusage", "serviceusage.services.get", Effect::Read, Method::GET, &path)?;
        self.json(call).await
    }

    /// Lets the project use an API of Google; answers Google's own work. Asked twice, it is the same.
    pub(crate) async fn enable_service(&self, service: &str) -> Result<Operation> {
        let path = ["v1", "projects", self.project(), "services", service];
        let action = "serviceusage.services.enable";
        let call = self.call("serviceusage", action, Effect::Idempotent, Method::POST, &path)?;
        let call = call.custom_method("enable");
        self.json(Self::with_body(call, &serde_json::json!({}))?).await
    }

    /// How Service Usage's own work stands, by its identifier.
    pub(crate) async fn service_operation(&self, id: &str) -> Result<Operation> {
        let action = "serviceusage.operations.get";
        let path = ["v1", "operations", id];
        let call = self.call("serviceusage", action, Effect::Read, Method::GET, &path)?;
        self.json(call).await
    }
}
