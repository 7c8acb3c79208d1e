//! Machine types, images, regions and nodes.

use pmks_driver::{DriverError, Listing, Result};
use pmks_model::{Cluster, Image, MachineType, Node, Region};

use crate::{AwsDriver, PROVIDER};

/// The VMs of a cluster, with details.
pub(crate) async fn nodes(_driver: &AwsDriver, _cluster: &Cluster) -> Result<Listing<Node>> {
    Err(DriverError::unsupported(PROVIDER, "nodes"))
}

/// The machine types on offer in the region.
pub(crate) async fn machine_types(_driver: &AwsDriver) -> Result<Vec<MachineType>> {
    Err(DriverError::unsupported(PROVIDER, "machine types"))
}

/// One machine type by name; `NotFound` where the region has none of that name. Asked before node groups are made:
/// its architecture decides the default image.
pub(crate) async fn machine_type(_driver: &AwsDriver, _name: &str) -> Result<MachineType> {
    Err(DriverError::unsupported(PROVIDER, "machine types"))
}

/// The images that a node group can be made from.
pub(crate) async fn images(_driver: &AwsDriver) -> Result<Vec<Image>> {
    Err(DriverError::unsupported(PROVIDER, "images"))
}

/// The regions, with the zones of the connection's own.
pub(crate) async fn regions(_driver: &AwsDriver) -> Result<Vec<Region>> {
    Err(DriverError::unsupported(PROVIDER, "regions"))
}
