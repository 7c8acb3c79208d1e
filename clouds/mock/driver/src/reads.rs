//! The reads: each is one call, pages apart.

use pmks_driver::cluster_objects::{Part, keep_seen};
use pmks_driver::{
    AccountIdentity, Care, ClusterCredential, Detail, DriverError, ErrorKind, Listing, OwnWords, OwnWordsOf,
    Result,
};
use pmks_model::{Children, Cluster, KeyPair, Network, Node, NodeGroup, Region, ResourceKind, SecurityGroup};

use crate::api::Kind;
use crate::operations::gone;
use crate::wire::Thing;
use crate::{MockDriver, PROVIDER, convert};

/// What a cluster brings about.
const CHILDREN: Part = Part::with_volumes_that_go("balancers and volumes");

/// Who the credential acts for.
///
/// # Errors
/// `Unexpected` where the cloud names no account: twelve digits.
pub(crate) async fn account_identity(driver: &MockDriver) -> Result<AccountIdentity> {
    let account = driver.api.account().await?.id;
    if account.len() != 12 || !account.bytes().all(|digit| digit.is_ascii_digit()) {
        let says = "the Mock cloud does not say which account this is";
        return Err(DriverError::new(ErrorKind::Unexpected, PROVIDER, says).with_action("mock.account.get"));
    }
    // A name is a secret here: who acts is told by the account alone.
    Ok(AccountIdentity { account: format!("{PROVIDER}:{account}"), principal: format!("user of {account}") })
}

/// The clusters of the region. The cloud tells all of them whatever is asked.
pub(crate) async fn list_clusters(driver: &MockDriver, detail: Detail) -> Result<Listing<Cluster>> {
    let mut clusters: Vec<Cluster> =
        driver.api.list(Kind::Cluster).await?.into_iter().map(convert::cluster).collect();
    clusters.sort_by(|one, other| one.iid.cmp(&other.iid));
    if detail == Detail::Clusters {
        clusters.iter_mut().flat_map(|one| &mut one.node_groups).for_each(|group| group.nodes.clear());
    }
    Ok(Listing::complete(clusters))
}

async fn cluster(driver: &MockDriver, name: &str) -> Result<Thing> {
    driver.api.find(Kind::Cluster, "", name).await?.ok_or_else(|| gone(Kind::Cluster, name))
}

/// One cluster.
pub(crate) async fn get_cluster(driver: &MockDriver, name: &str) -> Result<Cluster> {
    cluster(driver, name).await.map(convert::cluster)
}

/// The node groups of a cluster.
pub(crate) async fn list_node_groups(driver: &MockDriver, name: &str) -> Result<Listing<NodeGroup>> {
    get_cluster(driver, name).await.map(|cluster| Listing::complete(cluster.node_groups))
}

/// One node group.
pub(crate) async fn get_node_group(driver: &MockDriver, of: &str, name: &str) -> Result<NodeGroup> {
    let groups = get_cluster(driver, of).await?.node_groups;
    let found = groups.into_iter().find(|group| group.iid.system_id == name);
    found.ok_or_else(|| gone(Kind::NodeGroup, name))
}

/// The nodes of a cluster.
pub(crate) async fn nodes(driver: &MockDriver, of: &Cluster) -> Result<Listing<Node>> {
    let cluster = cluster(driver, &of.iid.system_id).await?;
    let groups = cluster.node_groups.iter();
    let nodes = groups.flat_map(|group| group.nodes.iter().map(|node| convert::node(group, node)));
    Ok(Listing::complete(nodes.collect()))
}

/// What came into being because a cluster stood.
pub(crate) async fn children(driver: &MockDriver, of: &Cluster) -> Result<Children> {
    let read = cluster(driver, &of.iid.system_id).await.map(|cluster| convert::children(&cluster));
    let mut children = Children::default();
    keep_seen(CHILDREN, read, Care::ToShow, &mut children.found, &mut children.unknown)?;
    Ok(children)
}

/// A token for a cluster.
pub(crate) async fn cluster_token(driver: &MockDriver, of: &Cluster) -> Result<ClusterCredential> {
    let token = driver.api.token(&of.incarnation).await?;
    Ok(ClusterCredential::Token { token: token.token, expires_at: token.expires_at })
}

/// What the cloud says of a thing, as it writes it.
pub(crate) async fn own_words(driver: &MockDriver, of: &OwnWordsOf<'_>) -> Result<OwnWords> {
    let kind = match of.kind {
        ResourceKind::Network => Kind::Network,
        ResourceKind::Subnet => Kind::Subnet,
        ResourceKind::SecurityGroup => Kind::SecurityGroup,
        ResourceKind::KeyPair => Kind::KeyPair,
        ResourceKind::Cluster => Kind::Cluster,
        ResourceKind::NodeGroup => Kind::NodeGroup,
        ResourceKind::Connection => return Err(DriverError::unsupported(PROVIDER, "ownWords")),
    };
    let found = driver.api.written(kind, of.parent, of.system_id).await?;
    found.map(|said| OwnWords::of(&said)).ok_or_else(|| gone(kind, of.system_id))
}

/// The regions, with the zones of the connection's own.
pub(crate) async fn regions(driver: &MockDriver) -> Result<Vec<Region>> {
    let mut regions = driver.api.catalogue().await?.regions;
    regions.iter_mut().filter(|region| *region.name != *driver.region).for_each(|other| other.zones.clear());
    Ok(regions)
}

/// The networks of the region.
pub(crate) async fn list_networks(driver: &MockDriver) -> Result<Vec<Network>> {
    Ok(driver.api.list(Kind::Network).await?.into_iter().map(convert::network).collect())
}

/// The security groups of the region.
pub(crate) async fn list_security_groups(driver: &MockDriver) -> Result<Vec<SecurityGroup>> {
    Ok(driver.api.list(Kind::SecurityGroup).await?.into_iter().map(convert::security_group).collect())
}

/// The key pairs of the region.
pub(crate) async fn list_key_pairs(driver: &MockDriver) -> Result<Vec<KeyPair>> {
    Ok(driver.api.list(Kind::KeyPair).await?.into_iter().map(convert::key_pair).collect())
}

/// One key pair.
pub(crate) async fn get_key_pair(driver: &MockDriver, name: &str) -> Result<KeyPair> {
    let found = driver.api.find(Kind::KeyPair, "", name).await?;
    found.map(convert::key_pair).ok_or_else(|| -> DriverError { gone(Kind::KeyPair, name) })
}
