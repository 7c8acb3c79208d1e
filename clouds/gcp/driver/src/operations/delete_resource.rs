//! The plan of the end of a network, subnetwork, security group or key pair.
//!
//! What holds a resource is named, never removed. What a network consists of goes with it: that is `delete_network.rs`.
//! Every stage deletes one thing, by the number that no later one has; what is gone already is success.

use std::time::Duration;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DeleteResource, DriverError, ErrorKind, Handle, Look, Marks, Poll, Prepared, Result, StageContext,
    StageSpecification,
};
use pmks_model::ResourceKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Maker, Stage, aim, delete_network};
use crate::api::compute::{Kind, Scope};
use crate::key_pairs::{self, Stored};
use crate::names::Shared;
use crate::wire::{compute as wire, container};
use crate::{GcpDriver, PROVIDER, convert, marks, security_groups};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Delete>(), Maker::of::<EraseKeyPair>()];

/// How long the end of such a thing usually takes.
const EXPECTED: Duration = Duration::from_secs(30);

/// Looks who holds the resource, and answers the plan. One call for a subnetwork, two for a security group, one for a
/// key pair; those for a network are `delete_network.rs`'s.
///
/// # Errors
/// `Precondition` naming what holds it; `Replaced` for another one of that name than is meant.
pub(crate) async fn prepare(driver: &GcpDriver, asked: &DeleteResource) -> Result<Prepared> {
    match asked.kind {
        ResourceKind::Network => delete_network::prepare(driver, asked).await,
        ResourceKind::Subnet => subnet(driver, asked).await,
        ResourceKind::SecurityGroup => security_group(driver, asked).await,
        ResourceKind::KeyPair => key_pair(driver, asked).await,
        ResourceKind::Connection | ResourceKind::Cluster | ResourceKind::NodeGroup => {
            Err(DriverError::unsupported(PROVIDER, "deletion of such a resource by this operation"))
        }
    }
}

/// The own name of something of the connection's project; what another project shares is that project's to delete.
pub(super) fn own(driver: &GcpDriver, what: &str, id: &str) -> Result<String> {
    let name = Shared::read(what, id, driver.api.project())?;
    if name.project == driver.api.project() {
        return Ok(name.name);
    }
    let what = format!("the {what} {id} belongs to the project {}", name.project);
    let fix = "delete it there, or forget it here".to_owned();
    Err(DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what))
}

async fn subnet(driver: &GcpDriver, asked: &DeleteResource) -> Result<Prepared> {
    let iid = &asked.iid;
    let id = iid.system_id.as_str();
    let scope = Scope::region(driver.region());
    let name = own(driver, "subnet", id)?;
    let number = number(driver, Kind::Subnetwork, &scope, &name).await?;
    aim::refuse_another("subnet", id, &asked.incarnation, &number)?;
    let stage = Delete { what: Kind::Subnetwork, scope, name, number }.stage("subnet");
    Ok(Prepared::of([stage.removes(ResourceKind::Subnet.as_str(), id, &iid.name_id)]))
}

/// The number of what stands under that name; empty where nothing does.
///
/// # Errors
/// `Unexpected` for an answer without a number: something stands, and nobody knows what.
async fn number(driver: &GcpDriver, what: Kind, scope: &Scope, name: &str) -> Result<String> {
    match driver.api.get::<Value>(what, scope, name).await {
        Ok(found) => {
            let number =
                found.get("id").and_then(Value::as_str).map(convert::number).filter(|id| !id.is_empty());
            number.map(str::to_owned).ok_or_else(|| {
                let says = format!("Compute Engine does not say which {name} stands there");
                DriverError::new(ErrorKind::Unexpected, PROVIDER, says).with_action(what.get(scope))
            })
        }
        Err(error) if error.is_not_found() => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// The firewall rules that aim at the group's tag go, the one that stands for the group last; those that somebody else
/// made than the group itself stay.
async fn security_group(driver: &GcpDriver, asked: &DeleteResource) -> Result<Prepared> {
    let DeleteResource { iid, incarnation, marks, .. } = asked;
    let name = iid.system_id.as_str();
    let (firewalls, clusters) = futures::try_join!(driver.api.list_firewalls(), driver.api.list_clusters())?;
    refuse_if_held(&format!("security group {name}"), &users(name, &clusters.clusters))?;
    let own = security_groups::of_group(name, &firewalls);
    for head in &own {
        aim::refuse_another("security group", name, incarnation, security_groups::incarnation(name, head))?;
    }
    let (ours, strange) = parts_of_group(name, &firewalls, marks);
    // Only its number tells whether a rule of that name which others made is the one that is meant.
    let head_of_others = ours.iter().chain(&strange).find(|one| one.name == name);
    if incarnation.is_empty()
        && head_of_others.is_some_and(|one| !marks::is_made_here(marks, &one.description))
    {
        return Err(aim::replaced("security group", name));
    }
    let mut stages: Vec<StageSpecification> = Vec::new();
    let doomed = |one: &wire::Firewall| Delete {
        what: Kind::Firewall,
        scope: Scope::global(),
        name: one.name.clone(),
        number: one.id.clone(),
    };
    for rule in ours.iter().filter(|one| one.name != name) {
        let stage = doomed(rule).stage(&format!("rule {}", rule.name));
        stages.push(stage.removes("firewallRule", &rule.name, &rule.name));
    }
    let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    let head = ours.iter().find(|one| one.name == name).map(|one| doomed(one));
    let head = head
        .unwrap_or_else(|| doomed(&wire::Firewall { name: name.to_owned(), ..wire::Firewall::default() }));
    let last = head.stage("security group").after(before);
    stages.push(last.removes(ResourceKind::SecurityGroup.as_str(), name, &iid.name_id));
    let mut prepared = Prepared::of(stages);
    if !strange.is_empty() {
        let names: Vec<&str> = strange.iter().map(|one| one.name.as_str()).collect();
        prepared =
            prepared.notice(format!("these firewall rules aim at it and are kept: {}", names.join(", ")));
    }
    Ok(prepared)
}

/// The firewall rules that are a group's own, and others that aim at its tag. Its own are those of this installation, and
/// those of whoever made the group: of the rule that stands for it or, where there is none, of everybody. Such a rule aims
/// at no other tag, and is of the group's network.
fn parts_of_group<'a>(
    name: &str,
    all: &'a [wire::Firewall],
    marks: &Marks,
) -> (Vec<&'a wire::Firewall>, Vec<&'a wire::Firewall>) {
    let of_network = security_groups::of_network(name, all);
    let maker = of_network.first().filter(|head| head.name == name);
    let maker = maker.map(|head| marks::installation_of(&head.description));
    let is_own = |one: &&wire::Firewall| {
        let made_by = marks::installation_of(&one.description);
        let of_maker = maker.as_ref().is_none_or(|maker| *maker == made_by);
        made_by.as_ref() == Some(&marks.installation)
            || (of_maker && one.target_tags.len() == 1 && of_network.iter().any(|other| other.id == one.id))
    };
    security_groups::of_group(name, all).into_iter().partition(is_own)
}

/// The node pools whose nodes carry a network tag, for people.
fn users(tag: &str, clusters: &[container::Cluster]) -> Vec<String> {
    let of = |cluster: &container::Cluster| {
        let pools = cluster.node_pools.iter().filter(|pool| pool.config.tags.iter().any(|one| one == tag));
        pools.map(|pool| format!("node group {} of cluster {}", pool.name, cluster.name)).collect::<Vec<_>>()
    };
    clusters.iter().flat_map(of).collect()
}

/// A key pair is told by its uid, where that is known; else one that another installation wrote is not the one that is
/// meant.
async fn key_pair(driver: &GcpDriver, asked: &DeleteResource) -> Result<Prepared> {
    let DeleteResource { iid, incarnation, marks, .. } = asked;
    let name = iid.system_id.as_str();
    let found = key_pairs::find(&driver.api.get_project().await?, name);
    let is_of_others = found.as_ref().is_some_and(|found| found.marks.installation != marks.installation);
    if incarnation.is_empty() && is_of_others {
        return Err(aim::replaced("key pair", name));
    }
    let uid = found.as_ref().map(|found| found.marks.uid.as_str());
    aim::refuse_another("key pair", name, incarnation, uid.unwrap_or_default())?;
    let stage = EraseKeyPair { name: name.to_owned(), meant: found };
    let stage = stage.specification("key pair").expected(EXPECTED);
    Ok(Prepared::of([stage.removes(ResourceKind::KeyPair.as_str(), name, &iid.name_id)]))
}

/// # Errors
/// `Precondition`, naming the holders.
pub(super) fn refuse_if_held(what: &str, holders: &[String]) -> Result<()> {
    if holders.is_empty() {
        return Ok(());
    }
    let what = format!("{what} is held by {}", holders.join(", "));
    let fix = "delete what holds it first".to_owned();
    Err(DriverError::new(ErrorKind::Precondition { what: what.clone(), fix }, PROVIDER, what))
}

/// The end of one thing of Compute Engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delete {
    pub(super) what: Kind,
    pub(super) scope: Scope,
    pub(super) name: String,
    /// What no later one of that name has; empty where nothing stood.
    pub(super) number: String,
}

impl Delete {
    /// Its stage.
    pub(super) fn stage(&self, name: &str) -> StageSpecification {
        self.specification(name).expected(EXPECTED)
    }
}

#[async_trait]
impl Stage<GcpDriver> for Delete {
    const KIND: &'static str = "gcp.delete";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let now = number(driver, self.what, &self.scope, &self.name).await?;
        Ok(if now.is_empty() || now != self.number { Look::gone() } else { Look::Absent })
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        match driver.api.delete(self.what, &self.scope, &self.number).await {
            Ok(operation) => Ok(aim::following_compute(&self.scope, &operation)),
            Err(error) if error.is_not_found() => Ok(Asked::done(Value::Null)),
            Err(error) => Err(error),
        }
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow_compute(driver, handle, Value::Null).await
    }
}

/// The end of a key pair.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EraseKeyPair {
    name: String,
    /// What was found when the plan was made.
    meant: Option<Stored>,
}

#[async_trait]
impl Stage<GcpDriver> for EraseKeyPair {
    const KIND: &'static str = "gcp.keyPair.removal";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let found = key_pairs::find(&driver.api.get_project().await?, &self.name);
        Ok(if found.is_some() && found == self.meant { Look::Absent } else { Look::gone() })
    }

    async fn ask(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        let project = driver.api.get_project().await?;
        if key_pairs::find(&project, &self.name) != self.meant {
            return Ok(Asked::done(Value::Null));
        }
        let operation =
            driver.api.set_common_metadata(&key_pairs::replaced(&project, &self.name, None)).await?;
        Ok(aim::following_compute(&Scope::global(), &operation))
    }

    async fn poll(&self, driver: &GcpDriver, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        aim::follow_compute(driver, handle, Value::Null).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        Marks { installation: "ours".into(), operation: "o".into(), uid: "u".into() }
    }

    fn firewall(name: &str, installation: &str) -> wire::Firewall {
        let made = Marks { installation: installation.into(), ..marks() };
        wire::Firewall {
            id: format!("of {name}"),
            name: name.into(),
            description: if installation.is_empty() { String::new() } else { marks::describe(&made) },
            target_tags: vec!["web".into()],
            ..wire::Firewall::default()
        }
    }

    #[test]
    fn a_group_goes_with_the_rules_of_who_made_it_and_ours() {
        let goes = |all: &[wire::Firewall]| {
            let (own, _) = parts_of_group("web", all, &marks());
            own.into_iter().map(|one| one.name.clone()).collect::<Vec<_>>()
        };
        let rules = ["ours", "", "theirs"].map(|who| firewall(&format!("rule-{who}"), who));
        for (head, expected) in [
            (Some("ours"), vec!["web", "rule-ours"]),
            (Some(""), vec!["web", "rule-ours", "rule-"]),
            (Some("theirs"), vec!["web", "rule-ours", "rule-theirs"]),
            (None, vec!["rule-ours", "rule-", "rule-theirs"]),
        ] {
            let head = head.map(|who| firewall("web", who));
            let all: Vec<wire::Firewall> = head.into_iter().chain(rules.clone()).collect();
            assert_eq!(goes(&all), expected);
        }
        let two_tags = wire::Firewall { target_tags: vec!["web".into(), "db".into()], ..rules[1].clone() };
        let elsewhere = wire::Firewall {
            network: "other".into(),
            name: "far".into(),
            id: "far".into(),
            ..rules[1].clone()
        };
        assert_eq!(goes(&[firewall("web", ""), two_tags, elsewhere]), ["web"]);
    }

    #[test]
    fn node_groups_hold_their_security_groups() {
        let pool = container::NodePool {
            name: "ga".into(),
            config: container::NodeConfig { tags: vec!["web".into()], ..Default::default() },
            ..Default::default()
        };
        let clusters =
            [container::Cluster { name: "c".into(), node_pools: vec![pool], ..Default::default() }];
        assert_eq!(users("web", &clusters), ["node group ga of cluster c"]);
        assert!(users("db", &clusters).is_empty());
    }
}
