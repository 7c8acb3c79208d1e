//! The calls of Service Usage: which of Google's APIs a project may use.
//!
//! Source: <https://cloud.google.com/service-usage/docs/reference/rest/v1/services>

use http::Method;
use pmks_driver::{Effect, Result};

use super::Api;
use crate::wire::service_usage::Service;

impl Api {
    /// Whether the project may use an API of Google, such as `container.googleapis.com`; and which number the project
    /// has.
    pub(crate) async fn get_service(&self, service: &str) -> Result<Service> {
        let path = ["v1", "projects", self.project(), "services", service];
        let call =
            self.call("serviceusage", "serviceusage.services.get", Effect::Read, Method::GET, &path)?;
        self.json(call).await
    }

    /// Lets the project use an API of Google. Asked twice, it is the same.
    pub(crate) async fn enable_service(&self, service: &str) -> Result<()> {
        let verb = format!("{service}:enable");
        let path = ["v1", "projects", self.project(), "services", &verb];
        let action = "serviceusage.services.enable";
        let call = self.call("serviceusage", action, Effect::Idempotent, Method::POST, &path)?;
        self.send(Self::with_body(call, &serde_json::json!({}))?).await.map(drop)
    }
}
