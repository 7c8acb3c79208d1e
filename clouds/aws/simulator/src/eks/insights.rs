//! Upgrade insights. A cluster has none until something in the world finds one (an event of the control routes);
//! one of status `ERROR` for the next version blocks the upgrade.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/cluster-insights.html>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::error::{Error, Result};
use super::request::{Request, page};
use super::state::{Cluster, Insight};
use super::view;

/// Whether an insight blocks the move of this cluster to that version.
pub(crate) fn blocks(cluster: &Cluster, version: &str) -> bool {
    cluster.insights.iter().any(|insight| insight.status == "ERROR" && insight.kubernetes_version == version)
}

/// `ListInsights`. Its parameters are in the body, although it only reads.
pub(crate) fn list(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let body = request.body();
    let (mut versions, mut statuses, mut categories) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(filter) = body.object("filter")? {
        versions = filter.texts("kubernetesVersions")?;
        statuses = filter.texts("statuses")?;
        categories = filter.texts("categories")?;
    }
    let allows = |wanted: &[String], found: &str| wanted.is_empty() || wanted.iter().any(|one| one == found);
    let cluster = call.eks().cluster(request.name(0))?;
    let all = cluster
        .insights
        .iter()
        .filter(|insight| allows(&versions, &insight.kubernetes_version))
        .filter(|insight| allows(&statuses, &insight.status) && allows(&categories, "UPGRADE_READINESS"))
        .map(|insight| (insight.id.clone(), view::insight_summary(insight)))
        .collect();
    let size = body.number("maxResults")?.map(|size| size.to_string());
    let (shown, next) = page(all, size.as_deref(), body.text("nextToken")?.as_deref())?;
    Ok(json!({"insights": shown, "nextToken": next}))
}

/// `DescribeInsight`.
pub(crate) fn describe(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?;
    let found = cluster.insights.iter().find(|insight| insight.id == request.name(1));
    let missing = || Error::not_found("The specified insight could not be found.").cluster(&cluster.name);
    Ok(json!({"insight": view::insight(found.ok_or_else(missing)?)}))
}

/// An insight that the world finds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FoundInsight {
    /// Of which cluster.
    pub(crate) cluster: String,
    /// About the move to which version (`1.35`).
    pub(crate) kubernetes_version: String,
    /// `ERROR` blocks.
    #[serde(default = "error")]
    pub(crate) status: String,
    /// Its title.
    #[serde(default = "title")]
    pub(crate) name: String,
}

fn error() -> String {
    "ERROR".to_owned()
}

fn title() -> String {
    "EKS add-on version compatibility".to_owned()
}

/// Puts an insight into the cluster.
pub(crate) fn find(call: &mut Call<'_>, found: FoundInsight) -> Result<Value> {
    let (id, now) = (call.world.random.uuid(), call.now.wall);
    let cluster = call.eks_mut().cluster_mut(&found.cluster)?;
    cluster.insights.push(Insight {
        id: id.clone(),
        description: format!(
            "Checks that the cluster is ready for Kubernetes version {}.",
            found.kubernetes_version
        ),
        reason: "Installed EKS add-on versions are not compatible with the next Kubernetes version."
            .to_owned(),
        recommendation: "Upgrade the add-ons before the cluster.".to_owned(),
        name: found.name,
        kubernetes_version: found.kubernetes_version,
        status: found.status,
        found_at: now,
    });
    Ok(json!({"insight": id}))
}
