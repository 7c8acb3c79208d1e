//! The plan of the end of a network. The subnetworks of the connection's region go with it, whoever made them, if no
//! machine and no cluster lies in the network. Firewall rules hold it: they are security groups, or somebody's work, as are
//! subnetworks of other regions. What holds it is named, never removed.

use pmks_driver::{DeleteResource, Marks, Prepared, Result, StageSpecification};
use pmks_model::ResourceKind;

use super::aim;
use super::delete_resource::{Delete, own, refuse_if_held};
use crate::api::compute::{Kind, Scope};
use crate::names::{Placed, Shared};
use crate::wire::{compute as wire, container};
use crate::{GcpDriver, convert, marks};

/// Looks what is in the network, and answers the plan. Five calls, pages apart.
///
/// # Errors
/// `Precondition` naming what holds it; `Replaced` for another one of that name than is meant.
pub(super) async fn prepare(driver: &GcpDriver, asked: &DeleteResource) -> Result<Prepared> {
    let DeleteResource { iid, incarnation, marks, .. } = asked;
    let id = iid.system_id.as_str();
    let name = own(driver, "network", id)?;
    let shared = Shared { project: driver.api.project().to_owned(), name: name.clone() };
    let (found, subnetworks, firewalls, instances, clusters) = futures::join!(
        driver.api.get_network(&shared),
        driver.api.list_subnetworks(driver.region()),
        driver.api.list_firewalls(),
        driver.api.all_instances(),
        driver.api.list_clusters(),
    );
    let found = match found {
        Err(error) if error.is_not_found() => wire::Network::default(),
        found => found?,
    };
    aim::refuse_another("network", id, incarnation, convert::number(&found.id))?;
    let project = driver.api.project();
    let within = |url: &str| convert::network_name(url, project) == name;
    let machines = instances?.found.into_iter().map(|(_, one)| one);
    let lies_in = |one: &wire::Instance| one.network_interfaces.iter().any(|at| within(&at.network));
    let content = Content {
        elsewhere: found.subnetworks.iter().filter_map(|url| elsewhere(url, driver.region())).collect(),
        subnetworks: subnetworks?.into_iter().filter(|one| within(&one.network)).collect(),
        firewalls: firewalls?.into_iter().filter(|one| within(&one.network)).collect(),
        machines: machines.filter(lies_in).collect(),
        clusters: clusters?.clusters.into_iter().filter(|one| within(&one.network_config.network)).collect(),
    };
    let network = marks::installation_of(&found.description);
    refuse_if_held(&format!("network {name}"), &content.holders(marks, network.as_deref()))?;
    let mut stages = content.plan(&name, &found.id, driver.region());
    if let Some(last) = stages.pop() {
        stages.push(last.removes(ResourceKind::Network.as_str(), id, &iid.name_id));
    }
    let prepared = Prepared::of(stages);
    let others = content.made_by_others(marks);
    if others.is_empty() {
        return Ok(prepared);
    }
    let says = format!("this goes with the network, and was not made by this pmks: {}", others.join(", "));
    Ok(prepared.notice(says))
}

/// A subnetwork of another region, for people.
fn elsewhere(url: &str, region: &str) -> Option<String> {
    let at = Placed::read(url).filter(|at| at.place != region)?;
    Some(format!("subnet {} of {}", at.name, at.place))
}

/// What is in a network.
#[derive(Debug, Default)]
struct Content {
    /// Subnetworks of other regions.
    elsewhere: Vec<String>,
    subnetworks: Vec<wire::Subnetwork>,
    firewalls: Vec<wire::Firewall>,
    machines: Vec<wire::Instance>,
    clusters: Vec<container::Cluster>,
}

impl Content {
    /// What holds the network. A subnetwork that another installation of pmks made does, unless that one made the network,
    /// which then was taken over as a whole.
    fn holders(&self, marks: &Marks, made_by: Option<&str>) -> Vec<String> {
        let mut held = self.elsewhere.clone();
        let is_strange = |one: &&wire::Subnetwork| {
            let mark = marks::installation_of(&one.description);
            mark.is_some_and(|mark| mark != marks.installation && Some(mark.as_str()) != made_by)
        };
        let strange = self.subnetworks.iter().filter(is_strange);
        held.extend(strange.map(|one| format!("subnet {} of another pmks installation", one.name)));
        held.extend(self.clusters.iter().map(|one| format!("cluster {}", one.name)));
        held.extend(self.machines.iter().map(|one| format!("instance {}", one.name)));
        held.extend(self.firewalls.iter().map(|one| format!("firewall rule {}", one.name)));
        held
    }

    /// What goes with the network and this installation did not make.
    fn made_by_others(&self, marks: &Marks) -> Vec<String> {
        let others = self.subnetworks.iter().filter(|one| !marks::is_made_here(marks, &one.description));
        others.map(|one| format!("subnet {}", one.name)).collect()
    }

    /// Subnetworks at once, the network last.
    fn plan(&self, network: &str, number: &str, region: &str) -> Vec<StageSpecification> {
        let mut stages = Vec::new();
        for one in &self.subnetworks {
            let doomed = Delete {
                what: Kind::Subnetwork,
                scope: Scope::region(region),
                name: one.name.clone(),
                number: one.id.clone(),
            };
            let stage = doomed.stage(&format!("subnet {}", one.name));
            stages.push(stage.removes(ResourceKind::Subnet.as_str(), &one.name, &one.name));
        }
        let before: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        let doomed = Delete {
            what: Kind::Network,
            scope: Scope::global(),
            name: network.to_owned(),
            number: number.to_owned(),
        };
        stages.push(doomed.stage("network").after(before));
        stages
    }
}

#[cfg(test)]
mod tests {
    use pmks_driver::Plan;

    use super::*;

    fn marks() -> Marks {
        Marks { installation: "ours".into(), operation: "o".into(), uid: "u".into() }
    }

    /// What that installation made in a network; an empty one: somebody without pmks.
    fn content(installation: &str) -> Content {
        let made = Marks { installation: installation.into(), ..marks() };
        let subnetwork = wire::Subnetwork {
            id: "2".into(),
            name: "a".into(),
            description: if installation.is_empty() { String::new() } else { marks::describe(&made) },
            ..wire::Subnetwork::default()
        };
        Content { subnetworks: vec![subnetwork], ..Content::default() }
    }

    #[test]
    fn a_network_goes_last_and_with_its_subnetworks() {
        for (installation, made_by, others) in
            [("ours", Some("ours"), 0), ("", None, 1), ("", Some("ours"), 1), ("theirs", Some("theirs"), 1)]
        {
            let content = content(installation);
            assert!(content.holders(&marks(), made_by).is_empty(), "{installation:?}");
            assert_eq!(content.made_by_others(&marks()).len(), others, "{installation:?}");
            let plan = Plan::of(content.plan("net", "1", "r1"));
            assert_eq!(plan.defect(), None);
            let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
            assert_eq!(names, ["subnet a", "network"]);
            assert_eq!(
                (&plan.stages[1].after, &plan.stages[1].parameters["number"]),
                (&vec!["subnet a".to_owned()], &"1".into())
            );
            let doomed = plan.stages[0].doomed.as_ref().unwrap();
            assert_eq!((doomed.kind.as_str(), doomed.system_id.as_str()), ("subnet", "a"));
        }
    }

    #[test]
    fn what_may_be_somebodys_work_is_named() {
        let mut content = content("theirs");
        content.firewalls.push(wire::Firewall { name: "web".into(), ..wire::Firewall::default() });
        content.machines.push(wire::Instance { name: "vm".into(), ..wire::Instance::default() });
        content.clusters.push(container::Cluster { name: "c".into(), ..container::Cluster::default() });
        content.elsewhere.extend(elsewhere("projects/p/regions/r2/subnetworks/b", "r1"));
        assert_eq!(elsewhere("projects/p/regions/r1/subnetworks/b", "r1"), None);
        let expected = [
            "subnet b of r2",
            "subnet a of another pmks installation",
            "cluster c",
            "instance vm",
            "firewall rule web",
        ];
        for made_by in [None, Some("ours"), Some("others")] {
            assert_eq!(content.holders(&marks(), made_by), expected);
        }
    }
}
