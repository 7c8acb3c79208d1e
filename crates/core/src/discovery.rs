//! What a cloud offers, asked live and kept for a stated while.

use std::time::Duration;

use jiff::Timestamp;
use pmks_model::{Image, KubernetesVersion, MachineType, Region};
use serde::{Deserialize, Serialize};

use crate::failure::unexpected;
use crate::{Pmks, Result};

/// What a cloud offers.
#[derive(Clone, Copy, Debug)]
pub struct Discovery<'a>(pub(crate) &'a Pmks);

/// What was read, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dated<T> {
    /// What was read.
    pub items: Vec<T>,
    /// When the cloud was asked.
    pub observed_at: Timestamp,
}

impl Discovery<'_> {
    /// The Kubernetes versions on offer.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn versions(
        self,
        _connection: &str,
        _max_age: Option<Duration>,
    ) -> Result<Dated<KubernetesVersion>> {
        Err(unexpected("not built yet"))
    }

    /// The machine types on offer.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn machine_types(
        self,
        _connection: &str,
        _max_age: Option<Duration>,
    ) -> Result<Dated<MachineType>> {
        Err(unexpected("not built yet"))
    }

    /// The images on offer.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn images(self, _connection: &str, _max_age: Option<Duration>) -> Result<Dated<Image>> {
        Err(unexpected("not built yet"))
    }

    /// The regions on offer.
    ///
    /// # Errors
    /// What the cloud says.
    pub async fn regions(self, _connection: &str, _max_age: Option<Duration>) -> Result<Dated<Region>> {
        Err(unexpected("not built yet"))
    }
}
