//! What a simulated cluster holds, kept in step with the cloud's world: nodes are machines, Services and Ingresses own
//! balancers, volumes are disks. Reads the world, and tells it only of what users delete.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::clusters::{Clusters, Entrance, Present};
use super::{ClusterState, Deletion, Node, Removal, WallClock};
use crate::held::Held;

/// What one cluster holds, and what of it was taken from the world so far.
pub(super) struct Content {
    state: ClusterState,
    /// Deleted Services and Ingresses of which the balancer is not gone yet.
    going: Arc<Mutex<Vec<Deletion>>>,
    /// Nodes as they were last put.
    nodes: BTreeMap<String, Node>,
    /// Services and Ingresses as they were last put.
    entrances: BTreeSet<Entrance>,
    /// Names of the volumes that were put.
    volumes: BTreeSet<String>,
}

impl Content {
    /// A new cluster's content, which hears what its users delete. `None`: there is no such cluster.
    pub(super) fn new<W: Clusters>(
        held: &Arc<Held<W>>,
        world: &W,
        key: &W::Key,
        clock: WallClock,
    ) -> Option<Self> {
        let state = ClusterState::new(world.settings(key)?, clock);
        let going: Arc<Mutex<Vec<Deletion>>> = Arc::default();
        state.on_delete(hear_deletions(held, key, &going));
        let (entrances, volumes) = (BTreeSet::new(), BTreeSet::new());
        Some(Self { state, going, nodes: BTreeMap::new(), entrances, volumes })
    }

    /// What the endpoint's back answers from.
    pub(super) fn state(&self) -> &ClusterState {
        &self.state
    }

    /// Version, nodes, balancers and disks as the world has them.
    pub(super) fn follow<W: Clusters>(&mut self, world: &W, key: &W::Key) {
        let Some(Present { version, nodes, entrances, volumes }) = world.present(key) else { return };
        if self.state.version() != version {
            self.state.set_version(&version);
        }
        self.follow_nodes(nodes);
        self.finish_removals(world, key);
        self.follow_entrances(entrances);
        for volume in volumes {
            if self.volumes.insert(volume.name.clone()) {
                self.state.put_persistent_volume(&volume);
            }
        }
    }

    fn follow_nodes(&mut self, present: Vec<(Node, bool)>) {
        let names: BTreeSet<String> = present.iter().map(|(node, _)| node.name.clone()).collect();
        for gone in self.nodes.keys().filter(|name| !names.contains(*name)) {
            self.state.remove_node(gone);
        }
        self.nodes.retain(|name, _| names.contains(name));
        for (node, going) in present {
            let same = |known: &Node| known.provider_id == node.provider_id && known.labels == node.labels;
            let known = self.nodes.get(&node.name);
            if !known.is_some_and(same) {
                self.state.add_node(&node);
            } else if known.is_some_and(|known| known.ready_since.is_some() != node.ready_since.is_some()) {
                self.state.set_node_ready(&node.name, node.ready_since.is_some());
            }
            self.nodes.insert(node.name.clone(), node.clone());
            if going {
                self.state.set_node_unschedulable(&node.name, true);
            }
        }
    }

    /// A deleted Service or Ingress goes when its balancer is gone.
    fn finish_removals<W: Clusters>(&mut self, world: &W, key: &W::Key) {
        let gone: Vec<Deletion> = {
            let mut going = self.going.lock().unwrap_or_else(PoisonError::into_inner);
            let (kept, gone) = going.drain(..).partition(|deletion| world.balancer_stands(key, deletion));
            *going = kept;
            gone
        };
        for deletion in gone {
            self.state.finish_removal(&deletion);
        }
    }

    fn follow_entrances(&mut self, present: BTreeSet<Entrance>) {
        for entrance in present.difference(&self.entrances) {
            let Entrance { namespace, name, address, ingress } = entrance;
            if *ingress {
                self.state.put_ingress(namespace, name, address);
            } else {
                self.state.put_load_balancer_service(namespace, name, address);
            }
        }
        self.entrances = present;
    }
}

/// What happens when a user of the cluster deletes a Service: its controller takes the balancer away. Called by the
/// cluster's content from requests of users alone, never from [`Content::follow`], so the world is free to be asked for.
fn hear_deletions<W: Clusters>(
    held: &Arc<Held<W>>,
    key: &W::Key,
    going: &Arc<Mutex<Vec<Deletion>>>,
) -> impl Fn(&Deletion) -> Removal + Send + Sync + 'static {
    let (held, key, going) = (Arc::clone(held), key.clone(), Arc::clone(going));
    move |deletion| {
        if held.with_world(|world, now| world.entrance_deleted(&key, deletion, now)) {
            going.lock().unwrap_or_else(PoisonError::into_inner).push(deletion.clone());
            Removal::Pending
        } else {
            Removal::Done
        }
    }
}
