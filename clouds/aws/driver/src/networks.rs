//! Networks, subnets, security groups and key pairs.

use pmks_driver::{DriverError, Result};
use pmks_model::{KeyPair, Network, SecurityGroup, Subnet};

use crate::{AwsDriver, PROVIDER};

/// The networks of the region.
pub(crate) async fn list(_driver: &AwsDriver) -> Result<Vec<Network>> {
    Err(DriverError::unsupported(PROVIDER, "networks"))
}

/// One network with its subnets.
pub(crate) async fn get(_driver: &AwsDriver, _id: &str) -> Result<Network> {
    Err(DriverError::unsupported(PROVIDER, "networks"))
}

/// One subnet.
pub(crate) async fn get_subnet(_driver: &AwsDriver, _id: &str) -> Result<Subnet> {
    Err(DriverError::unsupported(PROVIDER, "subnets"))
}

/// These subnets, with their zones, by one call. Asked before a cluster is made.
pub(crate) async fn subnets(_driver: &AwsDriver, _ids: &[String]) -> Result<Vec<Subnet>> {
    Err(DriverError::unsupported(PROVIDER, "subnets"))
}

/// One security group.
pub(crate) async fn get_security_group(_driver: &AwsDriver, _id: &str) -> Result<SecurityGroup> {
    Err(DriverError::unsupported(PROVIDER, "security groups"))
}

/// One key pair.
pub(crate) async fn get_key_pair(_driver: &AwsDriver, _id: &str) -> Result<KeyPair> {
    Err(DriverError::unsupported(PROVIDER, "key pairs"))
}
