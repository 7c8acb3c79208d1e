//! Service Usage v1.
//!
//! Source: <https://cloud.google.com/service-usage/docs/reference/rest/v1/services>

use serde::Deserialize;

use super::container::OperationError;

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

/// Service Usage's own work.
///
/// Source: <https://cloud.google.com/service-usage/docs/reference/rest/v1/operations>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Operation {
    /// `operations/ID`; `operations/noop.DONE_OPERATION` where there was nothing to do.
    pub(crate) name: String,
    pub(crate) done: bool,
    pub(crate) error: Option<OperationError>,
}
