//! What a cloud says to a credential of which no connection is made yet: the regions to choose from. Keeps nothing.

use pmks_model::{Findings, Region, Says, Term};
use pmks_store::PieceKind;

use super::compose::Known;
use super::names::Shown;
use super::{Lacking, Pieces, word};
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
    /// region that is not its own; `InvalidRequest` of pieces of several providers, and of what a region says;
    /// `Unsupported` of the provider; what the cloud says; `NotAllowed` where the region has endpoints of its own and the
    /// caller is no administrator, as everywhere: a credential goes nowhere else by the word of somebody who does not
    /// know it.
    pub async fn regions(
        self,
        caller: &Caller,
        asked: &Unconnected,
        name: Option<&str>,
    ) -> Result<Vec<Region>> {
        let shared = &self.0.shared;
        let known = Known::read(shared).await?;
        let shown = shared.shown_otherwise(&known).await?;
        let provider = shown.provider_of(PieceKind::Driver, &asked.driver).map_err(Lacking::into_failure)?;
        of_one_provider(&shown, asked, &provider)?;
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

/// A connection may be put before what it is made of, so pieces of several providers are what is not there yet; whoever
/// asks by them at once has named a wrong one.
fn of_one_provider(shown: &Shown<'_>, asked: &Unconnected, provider: &str) -> Result<()> {
    let of = |provider: &str| Term::Provider(provider.to_owned());
    let credential = Some((PieceKind::Credential, asked.credential.as_str()));
    let region = asked.region.as_deref().map(|region| (PieceKind::Region, region));
    let mut findings = Findings::default();
    for (kind, named) in credential.into_iter().chain(region) {
        // What is not there is said where it is needed.
        let Ok(is) = shown.provider_of(kind, named) else { continue };
        if is != provider {
            let says = Says::from(format!("{named:?} is of ")).term(of(&is));
            let says = says.text(format!(", and the driver {:?} of ", asked.driver)).term(of(provider));
            findings.add(word(kind), says.text(": name one of ").term(of(provider)));
        }
    }
    check(findings)
}
