//! What EC2 and EKS themselves say of a thing. Never writes.

use pmks_driver::{DriverError, ErrorKind, OwnWords, OwnWordsOf, Result};
use pmks_model::ResourceKind;
use serde_json::Value;

use crate::api::ec2::filter;
use crate::{AwsDriver, PROVIDER};

/// One call.
pub(crate) async fn read(driver: &AwsDriver, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
    let (action, by, list) = match of.kind {
        ResourceKind::Network => ("ec2.DescribeVpcs", "vpc-id", "vpcSet"),
        ResourceKind::Subnet => ("ec2.DescribeSubnets", "subnet-id", "subnetSet"),
        ResourceKind::SecurityGroup => ("ec2.DescribeSecurityGroups", "group-id", "securityGroupInfo"),
        ResourceKind::KeyPair => ("ec2.DescribeKeyPairs", "key-name", "keySet"),
        ResourceKind::Cluster => return of_eks(driver, of.system_id, None, "cluster").await,
        ResourceKind::NodeGroup => {
            return of_eks(driver, of.parent, Some(of.system_id), "nodegroup").await;
        }
        ResourceKind::Connection => return Err(DriverError::unsupported(PROVIDER, "ownWords")),
    };
    let said = driver.api.described(action, &[filter(by, of.system_id)]).await?;
    only(said.get(list).and_then(|found| found.get(0)), action, of.system_id)
}

async fn of_eks(
    driver: &AwsDriver,
    cluster: &str,
    node_group: Option<&str>,
    member: &str,
) -> Result<OwnWords> {
    let said = driver.api.described_by_eks(cluster, node_group).await?;
    only(said.get(member), "eks.DescribeCluster", node_group.unwrap_or(cluster))
}

fn only(found: Option<&Value>, action: &'static str, id: &str) -> Result<OwnWords> {
    found.map(OwnWords::of).ok_or_else(|| {
        let says = format!("there is no {id:?} here");
        DriverError::new(ErrorKind::NotFound, PROVIDER, says).with_action(action)
    })
}
