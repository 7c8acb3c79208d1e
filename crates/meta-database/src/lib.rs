//! CB-Spider's meta database, read: its drivers, credentials, regions and connections, and what it knows at the clouds
//! of what concerns managed Kubernetes. Nothing is ever written to it.
//!
//! Source: <https://github.com/cloud-barista/cb-spider>, `info-store`, `cloud-info-manager`,
//! `api-runtime/common-runtime`.

mod error;
mod keywords;
mod rows;
mod sealed;
mod source;
mod tables;
mod unreadable;

pub use error::Error;
pub use source::Source;
pub use tables::{
    ConnectionConfig, CredentialInfo, DriverInfo, Known, KnownKind, MetaDatabase, Pair, RegionInfo,
};
pub use unreadable::{RowKind, Unreadable};

/// Reads all of it. Rows that nothing can be made of are named in the answer.
///
/// # Errors
/// If it cannot be opened, is none of CB-Spider's, or a whole table cannot be read.
pub async fn read(source: &Source) -> Result<MetaDatabase, Error> {
    let mut rows = rows::Rows::open(source).await?;
    let read = tables::read(&mut rows).await;
    rows.close().await;
    read
}
