//! What runs now: the managed instance groups of node pools, whose sizes GKE itself does not tell, and their instances.
//! Never writes.

use std::collections::BTreeMap;

use pmks_driver::{DriverError, Missed, Result};
use pmks_model::Iid;

use crate::GcpDriver;
use crate::api::compute::Everywhere;
use crate::names::{Placed, last, region_of};
use crate::wire::{compute, container};

/// The managed instance groups of a project by zone and name, and the instances in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    groups: BTreeMap<(String, String), Group>,
    /// By zone and the beginning of their names; `None`: not asked for.
    instances: Option<BTreeMap<(String, String), Vec<Iid>>>,
}

#[derive(Clone, Debug)]
struct Group {
    base: String,
    size: u32,
}

impl Live {
    /// The sizes of all groups, and on request their instances. One call, or two, pages apart; what could not be read is
    /// missed.
    pub(crate) async fn read(driver: &GcpDriver, instances: bool, missed: &mut Vec<Missed>) -> Self {
        let asked = async { if instances { driver.api.instances().await.map(Some) } else { Ok(None) } };
        let (groups, instances) = futures::join!(driver.api.instance_groups(), asked);
        let mut live = Self::default();
        if let Some(groups) = keep(driver, "the managed instance groups", groups, missed) {
            live.add_groups(groups.into_iter().map(|(_, group)| group));
        }
        match instances {
            Ok(None) => {}
            Ok(Some(found)) => {
                let found = keep(driver, "the instances", Ok(found), missed).unwrap_or_default();
                live.add_instances(found.iter().map(|(_, instance)| instance));
            }
            Err(error) => missed.push(miss("the instances", &error)),
        }
        live
    }

    /// The same, or the first error.
    ///
    /// # Errors
    /// Those of Compute Engine.
    pub(crate) async fn read_all(driver: &GcpDriver) -> Result<Self> {
        let (groups, instances) = futures::try_join!(driver.api.instance_groups(), driver.api.instances())?;
        let mut live = Self::default();
        live.add_groups(groups.found.into_iter().map(|(_, group)| group));
        live.add_instances(instances.found.iter().map(|(_, instance)| instance));
        Ok(live)
    }

    /// The sizes alone, or the error.
    ///
    /// # Errors
    /// Those of Compute Engine.
    pub(crate) async fn sizes(driver: &GcpDriver) -> Result<Self> {
        let mut live = Self::default();
        live.add_groups(driver.api.instance_groups().await?.found.into_iter().map(|(_, group)| group));
        Ok(live)
    }

    pub(crate) fn add_groups(&mut self, groups: impl IntoIterator<Item = compute::InstanceGroupManager>) {
        for group in groups {
            let key = (last(&group.zone).to_owned(), group.name);
            self.groups.insert(key, Group { base: group.base_instance_name, size: group.target_size });
        }
    }

    pub(crate) fn add_instances<'a>(&mut self, instances: impl IntoIterator<Item = &'a compute::Instance>) {
        let kept = self.instances.get_or_insert_with(BTreeMap::new);
        for instance in instances.into_iter().filter(|instance| is_node(instance)) {
            let Some((base, _)) = instance.name.rsplit_once('-') else { continue };
            let key = (last(&instance.zone).to_owned(), base.to_owned());
            kept.entry(key).or_default().push(node_iid(instance));
        }
    }

    /// How many nodes a pool is to have now; `None` while nobody says.
    pub(crate) fn size(&self, pool: &container::NodePool) -> Option<u32> {
        let sizes = group_keys(pool).map(|key| self.groups.get(&key).map(|group| group.size));
        let sizes: Option<Vec<u32>> = sizes.collect();
        sizes.filter(|sizes| !sizes.is_empty()).map(|sizes| sizes.iter().sum())
    }

    /// The nodes of a pool, ordered by identifier.
    pub(crate) fn nodes(&self, pool: &container::NodePool) -> Vec<Iid> {
        let mut nodes: Vec<Iid> = group_keys(pool)
            .filter_map(|key| {
                let base = &self.groups.get(&key)?.base;
                self.instances.as_ref()?.get(&(key.0, base.clone()))
            })
            .flatten()
            .cloned()
            .collect();
        nodes.sort_by(|a, b| a.system_id.cmp(&b.system_id));
        nodes
    }

    /// The node pool that an instance belongs to.
    pub(crate) fn pool_of<'a>(
        &self,
        instance: &compute::Instance,
        pools: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Option<&'a str> {
        let (base, _) = instance.name.rsplit_once('-')?;
        let zone = last(&instance.zone);
        let is_its = |url: &str| {
            let key = Placed::read(url).map(|at| (at.place.to_owned(), at.name.to_owned()));
            key.and_then(|key| self.groups.get(&key).filter(|group| group.base == base && key.0 == zone))
                .is_some()
        };
        pools.into_iter().find(|(_, url)| is_its(url)).map(|(pool, _)| pool)
    }
}

/// The groups of a pool by zone and name.
fn group_keys(pool: &container::NodePool) -> impl Iterator<Item = (String, String)> + '_ {
    let placed = pool.instance_group_urls.iter().filter_map(|url| Placed::read(url));
    placed.map(|at| (at.place.to_owned(), at.name.to_owned()))
}

/// Whether it is a node, or will be one: what stops for good is none.
pub(crate) fn is_node(instance: &compute::Instance) -> bool {
    !matches!(instance.status.as_str(), "STOPPING" | "TERMINATED" | "DEPROVISIONING")
}

/// The Kubernetes node has the instance's name, which is unique in its zone alone.
pub(crate) fn node_iid(instance: &compute::Instance) -> Iid {
    Iid::new(&instance.name, format!("zones/{}/instances/{}", last(&instance.zone), instance.name))
}

/// What was read; scopes of the connection's region that did not answer are missed.
fn keep<T>(
    driver: &GcpDriver,
    what: &str,
    read: Result<Everywhere<T>>,
    missed: &mut Vec<Missed>,
) -> Option<Vec<(String, T)>> {
    match read {
        Ok(read) => {
            for scope in read.missing.iter().filter(|scope| is_here(driver, scope)) {
                missed.push(miss(&format!("{what} of {scope}"), &unreachable(scope)));
            }
            Some(read.found)
        }
        Err(error) => {
            missed.push(miss(what, &error));
            None
        }
    }
}

/// Whether a scope is, or lies in, the connection's region.
fn is_here(driver: &GcpDriver, scope: &str) -> bool {
    region_of(last(scope)) == driver.region()
}

/// The error of a place that did not answer.
pub(crate) fn unreachable(place: &str) -> DriverError {
    let says = format!("{place} does not answer now");
    DriverError::new(pmks_driver::ErrorKind::Unavailable, crate::PROVIDER, says)
}

/// Something that a list could not read.
pub(crate) fn miss(what: &str, error: &DriverError) -> Missed {
    Missed { what: what.to_owned(), failure: error.to_failure() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// A pool of two zones with three nodes, one of them about to go, and a stranger's instance.
    pub(crate) fn live() -> Live {
        let groups = json!([
            {"name": "gke-c-ga-1a2b-grp", "zone": "https://x/zones/r1-a", "baseInstanceName": "gke-c-ga-1a2b", "targetSize": 2},
            {"name": "gke-c-ga-3c4d-grp", "zone": "https://x/zones/r1-b", "baseInstanceName": "gke-c-ga-3c4d", "targetSize": 1},
            {"name": "gke-c-gb-5e6f-grp", "zone": "https://x/zones/r1-a", "baseInstanceName": "gke-c-gb-5e6f", "targetSize": 7},
        ]);
        let instance = |name: &str, zone: &str, status: &str| json!({"name": name, "zone": format!("https://x/zones/{zone}"), "status": status});
        let instances = json!([
            instance("gke-c-ga-3c4d-zzzz", "r1-b", "RUNNING"),
            instance("gke-c-ga-1a2b-bbbb", "r1-a", "PROVISIONING"),
            instance("gke-c-ga-1a2b-aaaa", "r1-a", "RUNNING"),
            instance("gke-c-ga-1a2b-cccc", "r1-a", "STOPPING"),
            instance("gke-c-ga-1a2b-x-dddd", "r1-a", "RUNNING"),
            instance("gke-c-ga-1a2b-eeee", "r1-b", "RUNNING"),
        ]);
        let mut live = Live::default();
        live.add_groups(serde_json::from_value::<Vec<compute::InstanceGroupManager>>(groups).unwrap());
        live.add_instances(&serde_json::from_value::<Vec<compute::Instance>>(instances).unwrap());
        live
    }

    pub(crate) fn pool(name: &str, groups: &[(&str, &str)]) -> container::NodePool {
        let url = |(zone, group): &(&str, &str)| {
            format!(
                "https://www.googleapis.com/compute/v1/projects/p/zones/{zone}/instanceGroupManagers/{group}"
            )
        };
        container::NodePool {
            name: name.to_owned(),
            instance_group_urls: groups.iter().map(url).collect(),
            ..container::NodePool::default()
        }
    }

    #[test]
    fn a_pool_is_its_groups_and_their_instances() {
        let live = live();
        let ga = pool("ga", &[("r1-a", "gke-c-ga-1a2b-grp"), ("r1-b", "gke-c-ga-3c4d-grp")]);
        assert_eq!(live.size(&ga), Some(3));
        let nodes: Vec<String> = live.nodes(&ga).into_iter().map(|iid| iid.system_id).collect();
        assert_eq!(
            nodes,
            [
                "zones/r1-a/instances/gke-c-ga-1a2b-aaaa",
                "zones/r1-a/instances/gke-c-ga-1a2b-bbbb",
                "zones/r1-b/instances/gke-c-ga-3c4d-zzzz"
            ]
        );
        assert_eq!(live.size(&pool("new", &[])), None);
        assert_eq!(live.size(&pool("odd", &[("r1-a", "gke-c-ga-1a2b-grp"), ("r1-c", "unknown")])), None);
    }

    #[test]
    fn an_instance_finds_its_pool() {
        let live = live();
        let (a, b) = (
            "projects/p/zones/r1-a/instanceGroupManagers/gke-c-ga-1a2b-grp",
            "projects/p/zones/r1-a/instanceGroupManagers/gke-c-gb-5e6f-grp",
        );
        let of = |name: &str| {
            let instance = compute::Instance {
                name: name.to_owned(),
                zone: "zones/r1-a".to_owned(),
                ..compute::Instance::default()
            };
            live.pool_of(&instance, [("ga", a), ("gb", b)])
        };
        assert_eq!(of("gke-c-gb-5e6f-q1w2"), Some("gb"));
        assert_eq!(of("gke-c-zz-5e6f-q1w2"), None);
    }
}
