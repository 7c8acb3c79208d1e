//! What a cloud says to a credential of which no connection is made yet: the regions to choose from. Keeps nothing.

use pmks_model::{Findings, Region};

use super::compose::Known;
use super::{Lacking, Pieces};
use crate::connections::Specification;
use crate::failure::{check, of_cloud_by};
use crate::zones::{self, Asker};
use crate::{Caller, Result};

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
    /// `NotFound` of a piece or of the region of that name; `Conflict` where a connection's own credential is named with a
    /// region that is not its own; `Unsupported` of the provider, `InvalidRequest`, what the cloud says; `NotAllowed`
    /// where the region has endpoints of its own and the caller is no administrator, as everywhere: a credential goes
    /// nowhere else by the word of somebody who does not know it.
    pub async fn regions(
        self,
        caller: &Caller,
        asked: &Unconnected,
        name: Option<&str>,
    ) -> Result<Vec<Region>> {
        let shared = &self.0.shared;
        let known = Known::read(shared).await?;
        let shown = shared.shown_otherwise(&known).await?;
        let provider = match known.provider_of_driver(&asked.driver) {
            Ok(provider) => provider.to_owned(),
            Err(lacking) => shown.provider_of(&asked.driver).ok_or_else(|| lacking.into_failure())?,
        };
        // A secret that was given for one place is asked with there, as for whoever names the connection itself.
        if let Some(connection) = shown.whose(&asked.credential, &provider, asked.region.as_deref())? {
            return Ok(self.0.discovery().regions_with_zones(connection, name, None).await?.items);
        }
        let made = known.unconnected(shared, asked, &provider).await.map_err(Lacking::into_failure)?;
        shared.allowed(caller, &made)?;
        let who = format!("credential {:?}", asked.credential);
        let mut findings = Findings::default();
        let capabilities = shared.registry.get(&made.provider)?.capabilities();
        let specification = Specification::of(&made, capabilities, &mut findings);
        check(findings)?;
        let (name_of, provider) = (made.name.as_str(), made.provider.as_str());
        let everywhere =
            Asker { who: &who, name: name_of, provider, specification, credential: made.credential };
        let driver = everywhere.driver(shared, &made.region).await?;
        let regions = driver.regions().await.map_err(|error| of_cloud_by(&who, &error))?;
        Ok(everywhere.with_zones(shared, zones::of_name(regions, name)?).await)
    }
}
