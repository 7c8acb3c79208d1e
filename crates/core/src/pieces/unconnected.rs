//! What a cloud says to a credential of which no connection is made yet: the regions to choose from. Keeps nothing.

use futures::{StreamExt as _, stream};
use pmks_driver::Driver;
use pmks_model::{Findings, Region};

use super::compose::Known;
use super::{Lacking, Pieces};
use crate::connections::Specification;
use crate::failure::{check, of_cloud_by, unknown};
use crate::pmks::Shared;
use crate::{Caller, NewConnection, Result};

/// How many regions are asked for their zones at once.
const AT_ONCE: usize = 8;

/// Pieces of which no connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconnected {
    /// The driver.
    pub driver: String,
    /// The credential.
    pub credential: String,
    /// The region that is asked, with the endpoints and settings that it says; `None`: the one that every account of
    /// the provider has, at the cloud's own endpoints.
    pub region: Option<String>,
}

impl Pieces<'_> {
    /// The regions that a credential sees, each with its zones, asked now: of one name, or all. Regions that tell their
    /// zones to nobody but themselves are asked one by one; one that refuses has none.
    ///
    /// # Errors
    /// `NotFound` of a piece or of the region of that name, `Unsupported` of the provider, `InvalidRequest`, what the
    /// cloud says; `NotAllowed` where the region has endpoints of its own and the caller is no administrator, as
    /// everywhere: a credential goes nowhere else by the word of somebody who does not know it.
    pub async fn regions(
        self,
        caller: &Caller,
        asked: &Unconnected,
        name: Option<&str>,
    ) -> Result<Vec<Region>> {
        let shared = &self.0.shared;
        let known = Known::read(shared).await?;
        let made = known.unconnected(shared, asked).await.map_err(Lacking::into_failure)?;
        shared.allowed(caller, &made)?;
        let who = format!("credential {:?}", asked.credential);
        let driver = shared.unconnected_driver(&who, made.clone()).await?;
        let mut regions = driver.regions().await.map_err(|error| of_cloud_by(&who, &error))?;
        if let Some(name) = name {
            regions.retain(|region| region.name == name);
            if regions.is_empty() {
                return Err(unknown("region", name));
            }
        }
        let (who, made) = (who.as_str(), &made);
        let whole = regions.into_iter().map(|region| async move {
            let zones = shared.zones_of(who, made, &region).await;
            Region { zones, ..region }
        });
        Ok(stream::iter(whole).buffered(AT_ONCE).collect().await)
    }
}

impl Shared {
    async fn zones_of(&self, who: &str, made: &NewConnection, region: &Region) -> Vec<String> {
        if !region.zones.is_empty() || region.name == made.region {
            return region.zones.clone();
        }
        let there = NewConnection { region: region.name.clone(), zone: None, ..made.clone() };
        let asked = async {
            let driver = self.unconnected_driver(who, there).await?;
            driver.regions().await.map_err(|error| of_cloud_by(who, &error))
        };
        match asked.await {
            Ok(all) => {
                all.into_iter().find(|one| one.name == region.name).map(|one| one.zones).unwrap_or_default()
            }
            // Policies of an account may close single regions: the others are there to be chosen all the same.
            Err(failure) => {
                tracing::warn!(region = %region.name, %failure, "this region does not tell its zones");
                Vec::new()
            }
        }
    }

    async fn unconnected_driver(&self, who: &str, made: NewConnection) -> Result<std::sync::Arc<dyn Driver>> {
        let mut findings = Findings::default();
        let capabilities = self.registry.get(&made.provider)?.capabilities();
        let specification = Specification::of(&made, capabilities, &mut findings);
        check(findings)?;
        self.drivers.make_by(who, &made.name, &made.provider, &specification, made.credential).await
    }
}
