//! The way back from what was stored of a stage to its calls: a driver has a type for each kind of stage, and one list
//! of them.

use async_trait::async_trait;
use pmks_transport::Lane;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    Asked, DriverError, ErrorKind, Handle, Look, Poll, ProgressList, Result, StageCalls, StageContext,
    StageSpecification,
};

/// A driver whose stages are types of their own, kept in [`Stages`].
pub trait Staged: Clone + Send + Sync + 'static {
    /// The provider.
    const PROVIDER: &'static str;

    /// The same driver, whose reads wait in that lane.
    #[must_use]
    fn in_lane(&self, lane: Lane) -> Self;

    /// How the cloud's own work stands by a list of all that is under way; `None`: the list does not tell.
    fn poll_in(_handle: &Handle, _list: &ProgressList) -> Option<Poll> {
        None
    }
}

/// One kind of stage: its parameters are the type itself, stored as JSON; its calls are asked with a driver.
#[async_trait]
pub trait Stage<D: Staged>: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What it is stored as: `aws.cluster`.
    const KIND: &'static str;
    /// The version of its parameters and outputs.
    const VERSION: u32 = 1;

    /// Whether the effect is there. Reads only, one request where possible.
    async fn look(&self, driver: &D, context: &StageContext) -> Result<Look>;

    /// Asks the cloud for it: one request that changes something.
    async fn ask(&self, driver: &D, context: &StageContext) -> Result<Asked>;

    /// How the cloud's own work stands.
    async fn poll(&self, _driver: &D, _context: &StageContext, _handle: &Handle) -> Result<Poll> {
        Ok(Poll::Lost)
    }

    /// Asks for the removal of what an earlier attempt made and what failed for good.
    async fn remove_failed(&self, _driver: &D, _context: &StageContext) -> Result<Asked> {
        Err(DriverError::unsupported(D::PROVIDER, "replacement of what failed"))
    }

    /// The stage as a plan holds it, with the defaults of [`StageSpecification::new`].
    fn specification(&self, name: impl Into<String>) -> StageSpecification
    where
        Self: Sized,
    {
        // Parameters are plain structs of texts, numbers and lists: they always serialize.
        let parameters = serde_json::to_value(self).unwrap_or_default();
        StageSpecification::new(name, Self::KIND, Self::VERSION, parameters)
    }
}

/// Makes a stage from its stored parameters.
type Make<D> = fn(&D, &Value) -> serde_json::Result<Box<dyn StageCalls>>;

/// How a stage of one kind is made again.
#[derive(Debug)]
pub struct Maker<D> {
    kind: &'static str,
    version: u32,
    make: Make<D>,
}

impl<D: Staged> Maker<D> {
    /// The maker of that kind.
    pub const fn of<S: Stage<D>>() -> Self {
        Self {
            kind: S::KIND,
            version: S::VERSION,
            make: |driver, parameters| {
                Ok(Box::new(Bound { driver: driver.clone(), stage: S::deserialize(parameters)? }))
            },
        }
    }
}

struct Bound<D, S> {
    driver: D,
    stage: S,
}

#[async_trait]
impl<D: Staged, S: Stage<D>> StageCalls for Bound<D, S> {
    async fn look(&self, context: &StageContext) -> Result<Look> {
        self.stage.look(&self.driver, context).await
    }

    async fn ask(&self, context: &StageContext) -> Result<Asked> {
        self.stage.ask(&self.driver, context).await
    }

    async fn poll(&self, context: &StageContext, handle: &Handle) -> Result<Poll> {
        self.stage.poll(&self.driver, context, handle).await
    }

    fn poll_in(&self, _context: &StageContext, handle: &Handle, list: &ProgressList) -> Option<Poll> {
        D::poll_in(handle, list)
    }

    async fn remove_failed(&self, context: &StageContext) -> Result<Asked> {
        self.stage.remove_failed(&self.driver, context).await
    }
}

/// Every kind of stage of a driver, by the file that has it.
#[derive(Debug)]
pub struct Stages<D: 'static>(pub &'static [&'static [Maker<D>]]);

impl<D: Staged> Stages<D> {
    fn makers(&self) -> impl Iterator<Item = &'static Maker<D>> + use<D> {
        self.0.iter().flat_map(|makers| makers.iter())
    }

    /// The kinds of stages that plans are made of, so that a suite can tell that it has seen them all.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> + use<D> {
        self.makers().map(|maker| maker.kind)
    }

    /// Makes a stage again from what was stored of it.
    ///
    /// # Errors
    /// `Unexpected` for what this release does not know.
    pub fn calls(&self, driver: &D, stored: &StageSpecification) -> Result<Box<dyn StageCalls>> {
        let unknown = |why: &str| {
            let message =
                format!("stage {:?} ({} version {}) {why}", stored.name, stored.kind, stored.version);
            DriverError::new(ErrorKind::Unexpected, D::PROVIDER, message)
        };
        let maker = self
            .makers()
            .find(|maker| maker.kind == stored.kind && maker.version == stored.version)
            .ok_or_else(|| unknown("is not known to this release"))?;
        // A lane of its own: what an operation asks about does not wait behind users' reads.
        let driver = driver.in_lane(Lane::Look);
        (maker.make)(&driver, &stored.parameters).map_err(|error| unknown("cannot be read").caused_by(error))
    }

    /// What is wrong with the list: a kind that is there twice, or has not the provider's name before it.
    pub fn defect(&self) -> Option<String> {
        let mut seen = std::collections::BTreeSet::new();
        self.makers().find_map(|maker| {
            let of_provider = maker.kind.strip_prefix(D::PROVIDER).is_some_and(|rest| rest.starts_with('.'));
            let new = seen.insert((maker.kind, maker.version));
            (!of_provider || !new).then(|| format!("{} version {}", maker.kind, maker.version))
        })
    }
}
