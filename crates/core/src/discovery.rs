//! What a cloud offers, asked live and kept for a stated while.

use std::time::Duration;

use jiff::Timestamp;
use pmks_driver::{DriverError, OwnWordsOf};
use pmks_model::{Image, KubernetesVersion, MachineType, Region, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connections::Specification;
use crate::drivers::At;
use crate::zones::{self, Asker};
use crate::{Pmks, Result};

/// How old an answer may be where nobody says. Clouds add versions and machine types every few weeks.
pub const OFFERS_KEPT: Duration = Duration::from_mins(30);

/// What was read, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dated<T> {
    /// What was read.
    pub items: Vec<T>,
    /// When the cloud was asked.
    pub observed_at: Timestamp,
}

/// What a cloud offers.
#[derive(Clone, Copy, Debug)]
pub struct Discovery<'a>(pub(crate) &'a Pmks);

impl Discovery<'_> {
    /// The Kubernetes versions on offer. `max_age` zero asks the cloud; `None` is [`OFFERS_KEPT`].
    ///
    /// # Errors
    /// `NotFound` for the connection; what the cloud says.
    pub async fn versions(
        self,
        connection: &str,
        max_age: Option<Duration>,
    ) -> Result<Dated<KubernetesVersion>> {
        self.ask("versions", connection, max_age, async |at| at.driver.versions().await).await
    }

    /// The machine types on offer.
    ///
    /// # Errors
    /// As [`Discovery::versions`].
    pub async fn machine_types(
        self,
        connection: &str,
        max_age: Option<Duration>,
    ) -> Result<Dated<MachineType>> {
        self.ask("machine types", connection, max_age, async |at| at.driver.machine_types().await).await
    }

    /// The images on offer.
    ///
    /// # Errors
    /// As [`Discovery::versions`].
    pub async fn images(self, connection: &str, max_age: Option<Duration>) -> Result<Dated<Image>> {
        self.ask("images", connection, max_age, async |at| at.driver.images().await).await
    }

    /// The regions, with the zones of the connection's own.
    ///
    /// # Errors
    /// As [`Discovery::versions`].
    pub async fn regions(self, connection: &str, max_age: Option<Duration>) -> Result<Dated<Region>> {
        self.ask("regions", connection, max_age, async |at| at.driver.regions().await).await
    }

    /// The regions, each with its zones: of one name, or all. Where a region tells its zones to nobody but itself it is
    /// asked for them, and one that refuses or is late has none.
    ///
    /// # Errors
    /// As [`Discovery::versions`]; `NotFound` for the region of that name.
    pub async fn regions_with_zones(
        self,
        connection: &str,
        name: Option<&str>,
        max_age: Option<Duration>,
    ) -> Result<Dated<Region>> {
        let shared = &self.0.shared;
        let what = format!("zones of {}", name.unwrap_or("all regions"));
        self.ask_by(&what, connection, max_age, async |at| {
            let found = at.driver.regions().await.map_err(|error| at.failed(&error))?;
            let (stored, who) = (&at.connection, format!("connection {:?}", at.connection.name));
            let asker = Asker {
                who: &who,
                name: &stored.name,
                provider: &stored.provider,
                specification: Specification::clone(&at.specification),
                credential: shared.drivers.whole(stored).await?.credential,
            };
            Ok(asker.with_zones(shared, zones::of_name(found, name)?).await)
        })
        .await
    }

    /// What the cloud itself says of one thing, its secrets taken out, asked now. Identifiers are the cloud's; `parent` is
    /// a node group's cluster.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported`; what the cloud says.
    pub async fn own_words(
        self,
        connection: &str,
        kind: ResourceKind,
        parent: &str,
        system_id: &str,
    ) -> Result<Value> {
        let at = self.0.shared.drivers.at(connection).await?;
        let of = OwnWordsOf { kind, parent, system_id };
        let said = at.driver.own_words(&of).await.map_err(|error| at.failed(&error))?;
        Ok(said.into_json())
    }

    async fn ask<T, F>(
        self,
        what: &str,
        connection: &str,
        max_age: Option<Duration>,
        ask: F,
    ) -> Result<Dated<T>>
    where
        T: Clone + Send + Sync + 'static,
        F: AsyncFnOnce(&At) -> std::result::Result<Vec<T>, DriverError>,
    {
        let ask = async |at: &At| ask(at).await.map_err(|error| at.failed(&error));
        self.ask_by(what, connection, max_age, ask).await
    }

    async fn ask_by<T, F>(
        self,
        what: &str,
        connection: &str,
        max_age: Option<Duration>,
        ask: F,
    ) -> Result<Dated<T>>
    where
        T: Clone + Send + Sync + 'static,
        F: AsyncFnOnce(&At) -> Result<Vec<T>>,
    {
        let shared = &self.0.shared;
        let at = shared.drivers.at(connection).await?;
        // Another credential may see other offers.
        let key = format!("{what}\n{}\n{}", at.connection.uid, at.connection.revision);
        let ask = async || ask(&at).await;
        shared.live.get(key, shared.clock.as_ref(), max_age.unwrap_or(OFFERS_KEPT), ask).await
    }
}
