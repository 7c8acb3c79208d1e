//! Scenes whose things have unique names at the cloud: what is asked for again after a death is asked for under the name
//! that was drawn first, and found by it.

use pmks_core::Mutation;
use pmks_model::OperationKind;

use super::offer::Offer;
use super::scene::{Scene, Step};
use super::scenes;

/// A cluster with node groups, on ground that has unique names too.
pub fn of_cluster(offer: &Offer) -> Scene {
    scenes::of(OperationKind::ClusterCreate, offer).uniquely_named()
}

/// One more node group of a cluster that has a unique name.
pub fn of_node_group(offer: &Offer) -> Scene {
    scenes::of(OperationKind::NodeGroupAdd, offer).uniquely_named()
}

/// A network with its subnets.
pub fn of_network(offer: &Offer) -> Scene {
    scenes::of(OperationKind::NetworkCreate, offer).uniquely_named()
}

impl Scene {
    /// Whatever is made has a unique name at the cloud.
    #[must_use]
    fn uniquely_named(mut self) -> Self {
        for step in &mut self.before {
            if let Step::Does(mutation) = step {
                name_uniquely(mutation);
            }
        }
        name_uniquely(&mut self.asks);
        self.unique_names = true;
        self
    }
}

fn name_uniquely(mutation: &mut Mutation) {
    let wish = match mutation {
        Mutation::CreateCluster { cluster, .. } => &mut cluster.unique_cloud_name,
        Mutation::AddNodeGroup { node_group, .. } => &mut node_group.unique_cloud_name,
        Mutation::CreateNetwork { network, .. } => &mut network.unique_cloud_name,
        Mutation::CreateSubnet { subnet, .. } => &mut subnet.unique_cloud_name,
        Mutation::CreateSecurityGroup { security_group, .. } => &mut security_group.unique_cloud_name,
        Mutation::CreateKeyPair { key_pair, .. } => &mut key_pair.unique_cloud_name,
        _ => return,
    };
    *wish = Some(true);
}
