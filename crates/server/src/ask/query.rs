//! Queries. Unknown parameters are refused, so that a secret put there is noticed and a wrong filter is not taken for
//! none.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;
use pmks_core::PageRequest;
use pmks_model::MetricWindow;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::place::Place;
use super::trouble::Trouble;
use crate::State;
use crate::refused::Refused;

/// A query.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<State>> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<State>) -> Result<Self, Refused> {
        let query = parts.uri.query().unwrap_or_default();
        let reader = serde_html_form::Deserializer::from_bytes(query.as_bytes());
        serde_path_to_error::deserialize(reader).map(Self).map_err(|error| {
            let (place, says) = (Place::of(error.path()), error.into_inner().to_string());
            match Trouble::of(&says) {
                // A number is a matter of what is asked for, as its limits are.
                Trouble::NoNumber(says) => Refused::invalid(&place.to_string(), says),
                Trouble::Kind { says, .. } | Trouble::Unknown(says) | Trouble::Word(says) => {
                    Refused::malformed(&place.to_string(), says)
                }
                _ => Refused::malformed(&place.to_string(), says),
            }
        })
    }
}

/// Takes no parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

/// What to do instead of changing something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DryRun {
    /// Show what would be done.
    Plan,
}

/// Of a change.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Changing {
    /// `plan` shows what would be done (200) and does nothing.
    #[param(inline)]
    pub(crate) dry_run: Option<DryRun>,
}

/// Of a cluster's deletion.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteClusterQuery {
    /// `plan` shows what would be done (200) and does nothing.
    #[param(inline)]
    pub(crate) dry_run: Option<DryRun>,
    /// Whether volumes that the cluster's workloads made are deleted too; else they are kept and listed, or nothing is
    /// deleted where the cloud takes them along.
    #[serde(default)]
    pub(crate) delete_volumes: bool,
}

/// Of a cluster's release.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ForgetClusterQuery {
    /// `plan` shows what would be done (200) and does nothing.
    #[param(inline)]
    pub(crate) dry_run: Option<DryRun>,
    /// Goes on while an operation runs. Needs the role admin.
    #[serde(default)]
    pub(crate) abandon: bool,
}

/// Of a read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadQuery {
    /// How old an answer may be, in seconds; 0 asks the cloud now.
    pub(crate) max_age: Option<u64>,
}

/// Which times of a metric are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MetricQuery {
    /// How long the interval of one value is, in minutes; 1 if left out.
    pub(crate) interval_minutes: Option<u32>,
    /// How many hours before now the values begin; 1 if left out.
    pub(crate) hours: Option<u32>,
}

/// Of a list that is read whole, and comes in parts only where a size is given.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PartQuery {
    /// The most items, 1 to 1000; all if left out.
    pub(crate) page_size: Option<u32>,
    /// The `nextPageToken` of the page before.
    pub(crate) page_token: Option<String>,
}

/// Of a list that is read from the cloud, and comes in parts only where a size is given.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadPartQuery {
    /// The most items, 1 to 1000; all if left out.
    pub(crate) page_size: Option<u32>,
    /// The `nextPageToken` of the page before.
    pub(crate) page_token: Option<String>,
    /// How old an answer may be, in seconds; 0 asks the cloud now.
    pub(crate) max_age: Option<u64>,
}

/// Of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The most items, 1 to 1000; 100 if left out.
    pub(crate) page_size: Option<u32>,
    /// The `nextPageToken` of the page before.
    pub(crate) page_token: Option<String>,
    /// Only this name.
    pub(crate) name: Option<String>,
    /// Only this status.
    pub(crate) state: Option<String>,
    /// Only with this tag, `key=value` or `key`. May be repeated.
    #[serde(default)]
    pub(crate) tag: Vec<String>,
}

/// Of a list of networks, security groups or key pairs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ManagedListQuery {
    /// The most items, 1 to 1000; 100 if left out.
    pub(crate) page_size: Option<u32>,
    /// The `nextPageToken` of the page before.
    pub(crate) page_token: Option<String>,
    /// Only this name.
    pub(crate) name: Option<String>,
    /// Only this status.
    pub(crate) state: Option<String>,
    /// Only with this tag, `key=value` or `key`. May be repeated.
    #[serde(default)]
    pub(crate) tag: Vec<String>,
    /// `false` finds those at the cloud that pmks keeps no record of. Asks the cloud; not paged.
    pub(crate) managed: Option<bool>,
}

/// Of a list of clusters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClusterListQuery {
    /// The most items, 1 to 1000; 100 if left out.
    pub(crate) page_size: Option<u32>,
    /// The `nextPageToken` of the page before.
    pub(crate) page_token: Option<String>,
    /// Only this name.
    pub(crate) name: Option<String>,
    /// Only this status.
    pub(crate) state: Option<String>,
    /// Only with this tag, `key=value` or `key`. May be repeated.
    #[serde(default)]
    pub(crate) tag: Vec<String>,
    /// How old an answer may be, in seconds; 0 asks the clouds now.
    pub(crate) max_age: Option<u64>,
    /// `false` finds the clusters at the cloud that pmks keeps no record of. Asks the cloud; not paged.
    pub(crate) managed: Option<bool>,
}

/// Of a list of node groups.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NodeGroupListQuery {
    /// The most items, 1 to 1000; 100 if left out.
    pub(crate) page_size: Option<u32>,
    /// The `nextPageToken` of the page before.
    pub(crate) page_token: Option<String>,
    /// Only this name.
    pub(crate) name: Option<String>,
    /// Only this status.
    pub(crate) state: Option<String>,
    /// How old an answer may be, in seconds; 0 asks the cloud now.
    pub(crate) max_age: Option<u64>,
}

/// Of a list of operations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OperationListQuery {
    /// The most items, 1 to 1000; 100 if left out.
    pub(crate) page_size: Option<u32>,
    /// The `nextPageToken` of the page before.
    pub(crate) page_token: Option<String>,
    /// Only of this connection.
    pub(crate) connection: Option<String>,
    /// Only about a resource of this name.
    pub(crate) resource: Option<String>,
    /// Only of this kind, such as `cluster.create`.
    pub(crate) kind: Option<String>,
    /// Only in this state: `queued`, `running`, `blocked`, `succeeded`, `failed` or `cancelled`.
    pub(crate) state: Option<String>,
}

/// Of prerequisites.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PrerequisiteQuery {
    /// Those of this cluster instead of the account's.
    pub(crate) cluster: Option<String>,
}

/// Of the audit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only lines from this time on (RFC 3339).
    pub(crate) since: Option<String>,
    /// Only lines from before this time (RFC 3339); `before` says the same.
    #[serde(alias = "before")]
    pub(crate) until: Option<String>,
    /// The most lines, 1 to 1000; 100 if left out.
    pub(crate) page_size: Option<u32>,
    /// The `nextPageToken` of the page before.
    pub(crate) page_token: Option<String>,
}

/// How a kubeconfig lets its user in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KubeconfigFormat {
    /// By `pmks token`.
    #[default]
    Exec,
    /// By the cloud's own plugin.
    Native,
    /// By a credential in the file, where the cloud has one.
    Static,
}

/// Of a kubeconfig.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct KubeconfigQuery {
    /// `exec` (default), `native` or `static`.
    #[serde(default)]
    #[param(inline)]
    pub(crate) format: KubeconfigFormat,
    /// The absolute path of `pmks` on the user's machine, for `exec`; found by `PATH` if left out.
    pub(crate) command: Option<String>,
}

impl ReadQuery {
    pub(crate) fn max_age(&self) -> Option<Duration> {
        self.max_age.map(Duration::from_secs)
    }
}

impl MetricQuery {
    pub(crate) fn window(&self) -> MetricWindow {
        let MetricWindow { interval_minutes, hours } = MetricWindow::DEFAULT;
        MetricWindow {
            interval_minutes: self.interval_minutes.unwrap_or(interval_minutes),
            hours: self.hours.unwrap_or(hours),
        }
    }
}

impl From<PartQuery> for PageRequest {
    fn from(query: PartQuery) -> Self {
        Self { page_size: query.page_size, page_token: query.page_token, ..Self::default() }
    }
}

impl ReadPartQuery {
    pub(crate) fn parts(self) -> (PageRequest, Option<Duration>) {
        let page = PartQuery { page_size: self.page_size, page_token: self.page_token };
        (page.into(), self.max_age.map(Duration::from_secs))
    }
}

impl From<ManagedListQuery> for PageRequest {
    fn from(query: ManagedListQuery) -> Self {
        Self {
            page_size: query.page_size,
            page_token: query.page_token,
            name: query.name,
            state: query.state,
            tags: tags(query.tag),
        }
    }
}

impl From<ListQuery> for PageRequest {
    fn from(query: ListQuery) -> Self {
        Self {
            page_size: query.page_size,
            page_token: query.page_token,
            name: query.name,
            state: query.state,
            tags: tags(query.tag),
        }
    }
}

impl ClusterListQuery {
    pub(crate) fn filter(self) -> pmks_core::ClusterFilter {
        let page = PageRequest {
            page_size: self.page_size,
            page_token: self.page_token,
            name: self.name,
            state: self.state,
            tags: tags(self.tag),
        };
        pmks_core::ClusterFilter { page, max_age: self.max_age.map(Duration::from_secs) }
    }
}

impl NodeGroupListQuery {
    pub(crate) fn parts(self) -> (PageRequest, Option<Duration>) {
        let page = PageRequest {
            page_size: self.page_size,
            page_token: self.page_token,
            name: self.name,
            state: self.state,
            tags: Vec::new(),
        };
        (page, self.max_age.map(Duration::from_secs))
    }
}

impl OperationListQuery {
    /// The filter; a word that is no kind or state is refused with all that are.
    pub(crate) fn filter(self) -> Result<pmks_core::OperationFilter, Refused> {
        let kind = self.kind.as_deref().map(str::parse).transpose();
        let state = self.state.as_deref().map(str::parse).transpose();
        Ok(pmks_core::OperationFilter {
            page: PageRequest {
                page_size: self.page_size,
                page_token: self.page_token,
                ..PageRequest::default()
            },
            connection: self.connection,
            resource: self.resource,
            kind: kind.map_err(|says: String| Refused::invalid("kind", says))?,
            state: state.map_err(|says: String| Refused::invalid("state", says))?,
        })
    }
}

fn tags(given: Vec<String>) -> Vec<(String, String)> {
    let pair = |text: String| match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (text, String::new()),
    };
    given.into_iter().map(pair).collect()
}
