//! What Google itself says of a thing. A security group is the firewall rules that aim at its tag, a key pair an item of
//! the project's metadata. Never writes.

use pmks_driver::{DriverError, ErrorKind, OwnWords, OwnWordsOf, Result};
use pmks_model::ResourceKind;
use serde_json::{Value, json};

use crate::names::Shared;
use crate::{GcpDriver, PROVIDER, key_pairs, security_groups};

/// One call, pages apart.
pub(crate) async fn read(driver: &GcpDriver, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
    let (api, id, project) = (&driver.api, of.system_id, driver.api.project());
    let said = match of.kind {
        ResourceKind::Network => api.raw_network(&Shared::read("network", id, project)?).await?,
        ResourceKind::Subnet => {
            api.raw_subnetwork(&Shared::read("subnet", id, project)?, driver.region()).await?
        }
        ResourceKind::SecurityGroup => {
            let aims = |rule: &Value| {
                let tags = rule.get("targetTags").and_then(Value::as_array).into_iter().flatten();
                tags.into_iter().any(|tag| tag == id)
            };
            let rules: Vec<Value> = api.raw_firewalls().await?.into_iter().filter(aims).collect();
            if rules.is_empty() {
                return Err(security_groups::not_found(id));
            }
            json!({"targetTag": id, "firewalls": rules})
        }
        ResourceKind::KeyPair => {
            let project = api.get_project().await?;
            key_pairs::item(&project, id).cloned().ok_or_else(|| nothing("key pair", id))?
        }
        ResourceKind::Cluster => api.raw_cluster(&driver.cluster_name(id)?).await?,
        ResourceKind::NodeGroup => {
            let cluster = api.raw_cluster(&driver.cluster_name(of.parent)?).await?;
            let pools = cluster.get("nodePools").and_then(Value::as_array).into_iter().flatten();
            let own = pools.into_iter().find(|pool| pool.get("name").is_some_and(|name| name == id));
            own.cloned().ok_or_else(|| nothing("node pool", id))?
        }
        ResourceKind::Connection => return Err(DriverError::unsupported(PROVIDER, "ownWords")),
    };
    Ok(OwnWords::of(&said))
}

fn nothing(what: &str, id: &str) -> DriverError {
    DriverError::new(ErrorKind::NotFound, PROVIDER, format!("there is no {what} {id:?} in this project"))
}
