//! Zones of every region. Most clouds tell all of them in one answer; where a region tells its zones to nobody but itself
//! (EC2's `DescribeAvailabilityZones` answers for the region that is asked, with or without `AllAvailabilityZones`), each
//! is asked once, some at a time and for a limited time. Keeps nothing.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html>

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use pmks_driver::{Credential, Driver};
use pmks_model::{Failure, FailureKind, Region, Zone};

use crate::Result;
use crate::connections::Specification;
use crate::failure::of_cloud_by;
use crate::pmks::Shared;

/// How many regions are asked for their zones at once.
const AT_ONCE: usize = 8;

/// How long one region may take. All of a cloud take some of these at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who asks, in whatever region.
pub(crate) struct Asker<'a> {
    /// What failures call it.
    pub(crate) who: &'a str,
    pub(crate) name: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) specification: Specification,
    pub(crate) credential: Credential,
}

impl Asker<'_> {
    /// A driver in that region.
    pub(crate) async fn driver(&self, shared: &Shared, region: &str) -> Result<Arc<dyn Driver>> {
        let own = &self.specification;
        let zone = own.zone.clone().filter(|_| region == own.region);
        let there = Specification { region: region.to_owned(), zone, ..own.clone() };
        let credential = self.credential.clone();
        shared.drivers.make_by(self.who, self.name, self.provider, &there, credential).await
    }

    /// These regions, each with its zones. One that refuses, or does not answer in time, has none.
    pub(crate) async fn with_zones(&self, shared: &Shared, regions: Vec<Region>) -> Vec<Region> {
        let whole = regions.into_iter().map(|region| async move {
            let zones = self.zones_of(shared, &region).await;
            Region { zones, ..region }
        });
        stream::iter(whole).buffered(AT_ONCE).collect().await
    }

    async fn zones_of(&self, shared: &Shared, region: &Region) -> Vec<Zone> {
        if !region.zones.is_empty() || region.name == self.specification.region {
            return region.zones.clone();
        }
        let asked = async {
            let driver = self.driver(shared, &region.name).await?;
            driver.regions().await.map_err(|error| of_cloud_by(self.who, &error))
        };
        let answer = tokio::select! {
            answer = asked => answer,
            () = shared.clock.deadline(PATIENCE) => {
                let says = format!("not answered within {} s", PATIENCE.as_secs());
                Err(Box::new(Failure::new(FailureKind::Timeout, says)))
            }
        };
        match answer {
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
}

/// Those of one name, or all.
///
/// # Errors
/// `NotFound`.
pub(crate) fn of_name(mut regions: Vec<Region>, name: Option<&str>) -> Result<Vec<Region>> {
    if let Some(name) = name {
        regions.retain(|region| region.name == name);
        if regions.is_empty() {
            return Err(crate::failure::unknown("region", name));
        }
    }
    Ok(regions)
}
