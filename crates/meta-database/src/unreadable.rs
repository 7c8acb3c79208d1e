//! Rows that hold what nothing can be made of. They are named beside what is read, and keep nothing else from it.

use std::fmt;

use crate::{Error, KnownKind};

/// What a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// A driver.
    Driver,
    /// A credential.
    Credential,
    /// A region.
    Region,
    /// A connection.
    ConnectionConfig,
    /// What is known at a cloud.
    Known(KnownKind),
}

/// A row that nothing can be made of.
#[derive(Debug)]
pub struct Unreadable {
    /// What it is of.
    pub kind: RowKind,
    /// The name of its connection, if it has one.
    pub connection: String,
    /// Its name, if it has one.
    pub name: String,
    /// Why, with its table and what tells it from other rows.
    pub why: Error,
}

impl RowKind {
    /// The table in which such rows are.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Driver => "cloud_driver_infos",
            Self::Credential => "credential_infos",
            Self::Region => "region_infos",
            Self::ConnectionConfig => "connection_config_infos",
            Self::Known(KnownKind::Network) => "vpc_iid_infos",
            Self::Known(KnownKind::Subnet) => "subnet_iid_infos",
            Self::Known(KnownKind::SecurityGroup) => "sg_iid_infos",
            Self::Known(KnownKind::KeyPair) => "key_iid_infos",
            Self::Known(KnownKind::Cluster) => "cluster_iid_infos",
            Self::Known(KnownKind::NodeGroup) => "node_group_iid_infos",
        }
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver => f.write_str("driver"),
            Self::Credential => f.write_str("credential"),
            Self::Region => f.write_str("region"),
            Self::ConnectionConfig => f.write_str("connection"),
            Self::Known(known) => known.fmt(f),
        }
    }
}
