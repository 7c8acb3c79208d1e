//! What its tables hold.

use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;

use crate::rows::Rows;
use crate::{Error, RowKind, Unreadable, sealed};

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
    /// Rows that nothing can be made of.
    pub unreadable: Vec<Unreadable>,
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
    /// Its values, by CB-Spider's keys.
    pub values: Vec<(String, SecretString)>,
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

/// The tables, read one after another; what nothing can be made of is put aside.
struct Reader<'a> {
    rows: &'a mut Rows,
    unreadable: Vec<Unreadable>,
}

pub(crate) async fn read(rows: &mut Rows) -> Result<MetaDatabase, Error> {
    let mut reader = Reader { rows, unreadable: Vec::new() };
    let drivers = ["driver_name", "provider_name", "driver_lib_file_name"];
    let drivers = reader
        .records(RowKind::Driver, drivers, 3, |[name, provider, library]| {
            Ok(DriverInfo { name, provider, library })
        })
        .await?;
    let credentials = ["credential_name", "provider_name", "key_value_info_list"];
    let credentials = reader
        .records(RowKind::Credential, credentials, 2, |[name, provider, values]| {
            Ok(CredentialInfo { name, provider, values: opened(&values)? })
        })
        .await?;
    let regions = ["region_name", "provider_name", "key_value_info_list", "available_zone_list"];
    let regions = reader
        .records(RowKind::Region, regions, 2, |[name, provider, values, zones]| {
            let values = list("key_value_info_list", &values)?;
            Ok(RegionInfo { name, provider, values, zones: list("available_zone_list", &zones)? })
        })
        .await?;
    let configs = ["config_name", "provider_name", "driver_name", "credential_name", "region_name"];
    let connection_configs = reader
        .records(RowKind::ConnectionConfig, configs, 5, |[name, provider, driver, credential, region]| {
            Ok(ConnectionConfig { name, provider, driver, credential, region })
        })
        .await?;
    let known = reader.known().await?;
    Ok(MetaDatabase {
        drivers,
        credentials,
        regions,
        connection_configs,
        known,
        unreadable: reader.unreadable,
    })
}

impl Reader<'_> {
    /// The rows of a table whose first column is their name. The first `needed` columns must say something.
    async fn records<const N: usize, T>(
        &mut self,
        kind: RowKind,
        columns: [&'static str; N],
        needed: usize,
        make: impl Fn([String; N]) -> Result<T, String>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        for row in self.rows.all(kind.table(), columns).await? {
            let name = row.texts.first().cloned().unwrap_or_default();
            let says = columns.into_iter().zip(&row.texts).take(needed);
            let result = match wrong(row.no_text, says) {
                Some(why) => Err(why),
                None => make(row.texts),
            };
            match result {
                Ok(one) => all.push(one),
                Err(why) => {
                    let why = Error::Row { table: kind.table(), row: format!("{name:?}"), why };
                    self.unreadable.push(Unreadable { kind, connection: String::new(), name, why });
                }
            }
        }
        Ok(all)
    }

    async fn known(&mut self) -> Result<Vec<Known>, Error> {
        // The column of the owner, and whether something cannot be told without it.
        const OF_VPC: Option<(&str, bool)> = Some(("owner_vpc_name", false));
        let tables = [
            (KnownKind::Network, None),
            (KnownKind::Subnet, Some(("owner_vpc_name", true))),
            (KnownKind::SecurityGroup, OF_VPC),
            (KnownKind::KeyPair, None),
            (KnownKind::Cluster, OF_VPC),
            (KnownKind::NodeGroup, Some(("owner_cluster_name", true))),
        ];
        let mut all = Vec::new();
        for (kind, owner) in tables {
            let (owner_column, needed) = owner.unwrap_or(("''", false));
            let columns = ["connection_name", owner_column, "name_id", "system_id"];
            let of = RowKind::Known(kind);
            for row in self.rows.all(of.table(), columns).await? {
                let [connection, owner, name, system_id] = row.texts;
                // The name at the cloud, a colon, and the cloud's identifier, which may hold colons itself.
                let csp_id = system_id.split_once(':').map_or(&*system_id, |(_, csp_id)| csp_id).to_owned();
                let says = [&connection, &owner, &name, &csp_id];
                let says =
                    columns.into_iter().zip(says).filter(|(column, _)| needed || *column != owner_column);
                match wrong(row.no_text, says) {
                    None => all.push(Known { kind, connection, owner, name, csp_id }),
                    Some(why) => {
                        let row = format!("{name:?} at {connection:?}, with the system id {system_id:?}");
                        let why = Error::Row { table: of.table(), row, why };
                        self.unreadable.push(Unreadable { kind: of, connection, name, why });
                    }
                }
            }
        }
        Ok(all)
    }
}

/// Why nothing can be made of a row, by its column that holds no text, and by those that must say something.
fn wrong<'a>(
    no_text: Option<&'static str>,
    mut says: impl Iterator<Item = (&'static str, &'a String)>,
) -> Option<String> {
    if let Some(column) = no_text {
        return Some(format!("{column} holds no text"));
    }
    let (column, said) = says.find(|(_, said)| said.trim().is_empty())?;
    // Of an identifier only what follows the colon names something.
    let what = if column == "system_id" { "the cloud's identifier in system_id" } else { column };
    Some(format!("{what} is empty{}", if said.is_empty() { "" } else { " but for spaces" }))
}

fn opened(values: &str) -> Result<Vec<(String, SecretString)>, String> {
    let open = |pair: Pair| match sealed::open(&pair.value) {
        Ok(value) => Ok((pair.key, value)),
        Err(why) => Err(format!("the value of {} in key_value_info_list cannot be read: {why}", pair.key)),
    };
    list::<Pair>("key_value_info_list", values)?.into_iter().map(open).collect()
}

/// A list that is kept as JSON; nothing where it is empty, or `null`, which CB-Spider reads as no list.
fn list<T: for<'de> Deserialize<'de>>(column: &str, text: &str) -> Result<Vec<T>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    // What the reader says of JSON that is wrong may hold a part of it: only where it is wrong is told.
    let read: Result<Option<Vec<T>>, _> = serde_json::from_str(text);
    read.map(Option::unwrap_or_default).map_err(|error| {
        // What is no list at all is wrong before its first letter.
        let (line, place) = (error.line(), error.column().max(1));
        format!("{column} is not the JSON of a list, at line {line}, column {place}")
    })
}
