//! What Azure itself says of a thing. Never writes.

use pmks_driver::{DriverError, OwnWords, OwnWordsOf, Result};
use pmks_model::ResourceKind;

use crate::clusters::pool_name;
use crate::networks::subnet_id;
use crate::{AzureDriver, PROVIDER};

/// One call.
pub(crate) async fn read(driver: &AzureDriver, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
    let (api, id) = (&driver.api, of.system_id);
    let said = match of.kind {
        ResourceKind::Network => api.raw_network(&driver.network_id(id)).await?,
        ResourceKind::Subnet => api.raw_subnet(&subnet_id(id)?).await?,
        ResourceKind::SecurityGroup => api.raw_security_group(&driver.security_group_id(id)).await?,
        ResourceKind::KeyPair => api.raw_ssh_public_key(&driver.key_pair_id(id)).await?,
        ResourceKind::Cluster => api.raw_cluster(&driver.cluster_id(id)).await?,
        ResourceKind::NodeGroup => {
            api.raw_pool(&driver.cluster_id(of.parent).child("agentPools", &pool_name(id))).await?
        }
        ResourceKind::Connection => return Err(DriverError::unsupported(PROVIDER, "ownWords")),
    };
    Ok(OwnWords::of(&said))
}
