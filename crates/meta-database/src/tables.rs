//! What its tables hold.

use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;

use crate::Error;
use crate::rows::Rows;
use crate::sealed;

/// All that concerns managed Kubernetes, in the order of its names.
#[derive(Debug, Default)]
pub struct MetaDatabase {
    /// Drivers.
    pub drivers: Vec<DriverInfo>,
    /// Credentials, opened.
    pub credentials: Vec<CredentialInfo>,
    /// Regions.
    pub regions: Vec<RegionInfo>,
    /// What connections are made of.
    pub connection_configs: Vec<ConnectionConfig>,
    /// What is known at the clouds: networks before what lies in them, node groups last.
    pub known: Vec<Known>,
}

/// A driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverInfo {
    /// Its name.
    pub name: String,
    /// Whose: `AWS`.
    pub provider: String,
    /// The file of its library.
    pub library: String,
}

/// A credential.
#[derive(Debug)]
pub struct CredentialInfo {
    /// Its name.
    pub name: String,
    /// Whose: `AWS`.
    pub provider: String,
    /// Its values, by CB-Spider's keys; or why they cannot be read.
    pub values: Result<Vec<(String, SecretString)>, Error>,
}

/// A region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionInfo {
    /// Its name.
    pub name: String,
    /// Whose: `AWS`.
    pub provider: String,
    /// `Region`, `Zone`, and what else belongs to it.
    pub values: Vec<Pair>,
    /// The zones that may be used.
    pub zones: Vec<String>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pair {
    /// The key.
    pub key: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
}

/// What a connection is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionConfig {
    /// Its name.
    pub name: String,
    /// Whose: `AWS`.
    pub provider: String,
    /// The driver's name.
    pub driver: String,
    /// The credential's name.
    pub credential: String,
    /// The region's name.
    pub region: String,
}

/// A kind of what is known at a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownKind {
    /// A VPC.
    Network,
    /// A subnet of a VPC.
    Subnet,
    /// A security group.
    SecurityGroup,
    /// A key pair.
    KeyPair,
    /// A cluster.
    Cluster,
    /// A node group of a cluster.
    NodeGroup,
}

/// What is known at a cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What it is.
    pub kind: KnownKind,
    /// The name of the connection.
    pub connection: String,
    /// The VPC of a subnet, security group or cluster, the cluster of a node group, by its name; else empty.
    pub owner: String,
    /// The name that users know.
    pub name: String,
    /// The cloud's identifier.
    pub csp_id: String,
}

impl fmt::Display for KnownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::SecurityGroup => "security group",
            Self::KeyPair => "key pair",
            Self::Cluster => "cluster",
            Self::NodeGroup => "node group",
        })
    }
}

pub(crate) async fn read(rows: &mut Rows) -> Result<MetaDatabase, Error> {
    let drivers =
        rows.all("cloud_driver_infos", ["driver_name", "provider_name", "driver_lib_file_name"]).await?;
    let credentials =
        rows.all("credential_infos", ["credential_name", "provider_name", "key_value_info_list"]).await?;
    let regions = rows
        .all("region_infos", ["region_name", "provider_name", "key_value_info_list", "available_zone_list"])
        .await?;
    let configs = ["config_name", "provider_name", "driver_name", "credential_name", "region_name"];
    let configs = rows.all("connection_config_infos", configs).await?;
    Ok(MetaDatabase {
        drivers: drivers
            .into_iter()
            .map(|[name, provider, library]| DriverInfo { name, provider, library })
            .collect(),
        credentials: credentials.into_iter().map(credential).collect(),
        regions: regions.into_iter().map(region).collect::<Result<_, _>>()?,
        connection_configs: configs
            .into_iter()
            .map(|[name, provider, driver, credential, region]| ConnectionConfig {
                name,
                provider,
                driver,
                credential,
                region,
            })
            .collect(),
        known: known(rows).await?,
    })
}

async fn known(rows: &mut Rows) -> Result<Vec<Known>, Error> {
    const OF_VPC: Option<&str> = Some("owner_vpc_name");
    let tables = [
        (KnownKind::Network, "vpc_iid_infos", None),
        (KnownKind::Subnet, "subnet_iid_infos", OF_VPC),
        (KnownKind::SecurityGroup, "sg_iid_infos", OF_VPC),
        (KnownKind::KeyPair, "key_iid_infos", None),
        (KnownKind::Cluster, "cluster_iid_infos", OF_VPC),
        (KnownKind::NodeGroup, "node_group_iid_infos", Some("owner_cluster_name")),
    ];
    let mut all = Vec::new();
    for (kind, table, owner) in tables {
        let columns = ["connection_name", owner.unwrap_or("''"), "name_id", "system_id"];
        for [connection, owner, name, system_id] in rows.all(table, columns).await? {
            // The name at the cloud, a colon, and the cloud's identifier, which may hold colons itself.
            let csp_id = system_id.split_once(':').map_or(&*system_id, |(_, csp_id)| csp_id).to_owned();
            all.push(Known { kind, connection, owner, name, csp_id });
        }
    }
    Ok(all)
}

fn credential([name, provider, values]: [String; 3]) -> CredentialInfo {
    let values = opened(&format!("the credential {name:?}"), &values);
    CredentialInfo { name, provider, values }
}

fn opened(what: &str, values: &str) -> Result<Vec<(String, SecretString)>, Error> {
    let open = |pair: Pair| {
        let failed = |why: &str| Error::Row { what: format!("{} of {what}", pair.key), why: why.to_owned() };
        let value = sealed::open(&pair.value).map_err(failed)?;
        Ok((pair.key, value))
    };
    list::<Pair>(values, || what.to_owned())?.into_iter().map(open).collect()
}

fn region([name, provider, values, zones]: [String; 4]) -> Result<RegionInfo, Error> {
    let what = || format!("the region {name:?}");
    let (values, zones) = (list(&values, what)?, list(&zones, what)?);
    Ok(RegionInfo { name, provider, values, zones })
}

/// A list that is kept as JSON; nothing where it is empty.
fn list<T: for<'de> Deserialize<'de>>(text: &str, what: impl Fn() -> String) -> Result<Vec<T>, Error> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    // What the reader says of JSON that is wrong may hold a part of it: only where it is wrong is told.
    serde_json::from_str(text).map_err(|error| Error::Row {
        what: what(),
        why: format!("line {}, column {} of its list", error.line(), error.column()),
    })
}
