//! What there is to choose from, where a request for a cluster's version is refused.

use futures::FutureExt as _;
use pmks_model::{Failure, Finding, Support, Term, Version};

use crate::patience::Patience;
use crate::{Mutation, Pmks};

impl Pmks {
    /// The same refusal with the versions that there are, where it finds one wrong without saying them; of a cluster that
    /// stands those that are not below its own. A cloud that does not tell them in time leaves it as it is.
    pub(crate) async fn with_versions(
        &self,
        mutation: &Mutation,
        patience: &Patience,
        mut refused: Box<Failure>,
    ) -> Box<Failure> {
        let standing = match mutation {
            Mutation::CreateCluster { .. } => None,
            Mutation::UpgradeCluster { cluster, .. } => Some(cluster),
            _ => return refused,
        };
        let lacks = |finding: &Finding| finding.field == "version" && !finding.says.has_versions();
        if !refused.findings.iter().any(lacks) {
            return refused;
        }
        let connection = mutation.connection();
        let present = match standing {
            Some(name) => self.clusters().get(connection, name, None).await.ok(),
            None => None,
        };
        let present = present.and_then(|view| view.observed?.version);
        let offered = patience.useful(self.discovery().versions(connection, None).boxed()).await;
        let Some(Ok(offered)) = offered else { return refused };
        let mut all: Vec<Version> = offered
            .items
            .into_iter()
            .filter(|offered| offered.support != Support::Unsupported)
            .map(|offered| offered.version)
            .filter(|version| present.as_ref().is_none_or(|present| !version.is_below(present)))
            .collect();
        all.sort();
        if all.is_empty() {
            return refused;
        }
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        for finding in refused.findings.iter_mut().filter(|finding| lacks(finding)) {
            let says = std::mem::take(&mut finding.says);
            finding.says = says.text("; ").term(Term::Versions(all.clone()));
        }
        refused
    }
}
