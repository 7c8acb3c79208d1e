//! Service Usage v1.
//!
//! Source: <https://cloud.google.com/service-usage/docs/reference/rest/v1/services>

use serde::Deserialize;

/// An API of Google as a project may use it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Service {
    /// `projects/NUMBER/services/NAME`.
    pub(crate) name: String,
    /// `projects/NUMBER`.
    pub(crate) parent: String,
    /// `ENABLED` or `DISABLED`.
    pub(crate) state: String,
}
