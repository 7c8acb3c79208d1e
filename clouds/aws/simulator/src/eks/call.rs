//! What every part of EKS is handed: the world, the place, the moment, and for a call its caller and its faults.
//! Also the names and durations that all parts make the same way.

use std::time::Duration;

use pmks_simulation::{Effects, Now};

use super::state::State;
use crate::context::{Caller, Context};
use crate::world::{Place, World};

/// One call of EKS, or one step of its pending work.
pub(crate) struct Call<'a> {
    /// The world, settled up to `now`.
    pub(crate) world: &'a mut World,
    /// Account and region.
    pub(crate) place: &'a Place,
    /// The moment.
    pub(crate) now: Now,
    /// Faults that EKS acts out itself.
    pub(crate) effects: &'a Effects,
    /// The principal that calls (a role, not its session); empty in pending work.
    pub(crate) principal: String,
}

impl<'a> Call<'a> {
    /// The call of a context.
    pub(crate) fn of(context: &'a mut Context<'_>) -> Self {
        let principal = principal(context.world, &context.caller);
        Self {
            world: context.world,
            place: &context.place,
            now: context.now,
            effects: context.effects,
            principal,
        }
    }

    /// What EKS holds here, to read.
    pub(crate) fn eks(&self) -> &State {
        &self.world.region(self.place).eks
    }

    /// What EKS holds here, to change.
    pub(crate) fn eks_mut(&mut self) -> &mut State {
        &mut self.world.region_mut(self.place).eks
    }

    /// `arn:aws:eks:REGION:ACCOUNT:REST`.
    pub(crate) fn arn(&self, rest: &str) -> String {
        format!("arn:aws:eks:{}:{}:{rest}", self.place.region, self.place.account)
    }

    /// When work on that thing that begins now and usually takes so long is done. `None` where a fault says that it
    /// never ends.
    pub(crate) fn due(&self, about: &str, usual: Duration) -> Option<Duration> {
        let takes = self.world.random.duration(about, usual);
        (!self.effects.never_finish()).then(|| self.now.work.saturating_add(takes))
    }
}

/// The principal as access entries name it: a session's role, with the role's path, which the session does not show.
pub(crate) fn principal(world: &World, caller: &Caller) -> String {
    let arn = caller.principal_arn();
    let role = arn.split_once(":role/").and_then(|(_, name)| world.iam(&caller.account)?.role(name));
    role.map_or(arn, |role| role.arn.clone())
}
