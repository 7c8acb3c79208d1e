//! What a stage is aimed at: the very thing that is meant, told from another one that stands in its place. Reads only.

use pmks_driver::{ClusterTarget, DriverError, ErrorKind, NodeGroupTarget, Result};
use pmks_model::{Findings, Says};
use serde::{Deserialize, Serialize};

use crate::api::Kind;
use crate::wire::Thing;
use crate::{MockDriver, PROVIDER};

/// The error of something that should stand and does not.
pub(crate) fn gone(kind: Kind, name: &str) -> DriverError {
    DriverError::new(ErrorKind::NotFound, PROVIDER, format!("there is no {} {name:?}", kind.names().word))
}

/// The error of another thing that stands where the one that was meant stood.
pub(super) fn replaced(kind: Kind, name: &str) -> DriverError {
    let word = kind.names().word;
    let says = format!(
        "the {word} {name:?} that stands there now is another one than was meant; nothing was changed"
    );
    DriverError::new(ErrorKind::Replaced, PROVIDER, says)
}

/// The error of a name that a stranger has.
pub(super) fn taken(kind: Kind, name: &str) -> DriverError {
    let word = kind.names().word;
    let says =
        format!("a {word} of the name {name:?} stands there already, and this operation did not make it");
    DriverError::new(ErrorKind::AlreadyExists, PROVIDER, says)
}

/// The error of a request that one field makes impossible.
pub(super) fn refused(field: &str, says: impl Into<Says>) -> DriverError {
    let mut findings = Findings::default();
    findings.add(field, says);
    DriverError::invalid(PROVIDER, findings)
}

/// A cluster, or one of its node groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    cluster: String,
    /// Which of those that had this name; empty where nobody knows.
    incarnation: String,
    group: Option<(String, String)>,
}

impl Target {
    pub(super) fn cluster(target: &ClusterTarget) -> Self {
        Self::of(&target.iid.system_id, &target.incarnation)
    }

    /// The cluster of that name and incarnation.
    pub(super) fn of(name: &str, incarnation: &str) -> Self {
        Self { cluster: name.to_owned(), incarnation: incarnation.to_owned(), group: None }
    }

    pub(super) fn node_group(target: &NodeGroupTarget) -> Self {
        let group = Some((target.iid.system_id.clone(), target.incarnation.clone()));
        Self { group, ..Self::cluster(&target.cluster) }
    }

    /// One of the cluster's node groups.
    pub(super) fn group(&self, thing: &Thing) -> Self {
        Self { group: Some((thing.name.clone(), thing.id.clone())), ..self.clone() }
    }

    pub(super) fn kind(&self) -> Kind {
        if self.group.is_some() { Kind::NodeGroup } else { Kind::Cluster }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.group.as_ref().map_or(&self.cluster, |(name, _)| name)
    }

    /// The cluster and the thing itself, which are one where a cluster is meant; `None`: it is gone. One call.
    ///
    /// # Errors
    /// `Replaced` if another one of that name stands there.
    pub(super) async fn find(&self, driver: &MockDriver) -> Result<Option<(Thing, Thing)>> {
        let Some(cluster) = driver.api.find(Kind::Cluster, "", &self.cluster).await? else { return Ok(None) };
        if !is_meant(&self.incarnation, &cluster) {
            return Err(replaced(Kind::Cluster, &self.cluster));
        }
        let Some((name, incarnation)) = &self.group else { return Ok(Some((cluster.clone(), cluster))) };
        match cluster.node_groups.iter().find(|group| group.name == *name).cloned() {
            None => Ok(None),
            Some(group) if is_meant(incarnation, &group) => Ok(Some((cluster, group))),
            Some(_) => Err(replaced(Kind::NodeGroup, name)),
        }
    }

    /// The same, which must be there.
    ///
    /// # Errors
    /// `NotFound`, `Replaced`.
    pub(super) async fn standing(&self, driver: &MockDriver) -> Result<(Thing, Thing)> {
        self.find(driver).await?.ok_or_else(|| gone(self.kind(), self.name()))
    }
}

/// An incarnation that nobody knows is not compared.
fn is_meant(incarnation: &str, found: &Thing) -> bool {
    incarnation.is_empty() || incarnation == found.id
}
