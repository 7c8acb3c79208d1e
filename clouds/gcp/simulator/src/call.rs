//! What a service is handed for one proven call, or one step of its pending work: the world, the project, the caller,
//! the moment, the faults.

use std::time::Duration;

use pmks_simulation::{Effects, Now};

use crate::auth::Principal;
use crate::world::{Project, World};

/// One call.
pub(crate) struct Call<'a> {
    /// The world, settled up to `now`.
    pub(crate) world: &'a mut World,
    /// The project's id.
    pub(crate) project: &'a str,
    /// Who called; nobody in pending work.
    pub(crate) principal: Principal,
    /// The moment, in both readings.
    pub(crate) now: Now,
    /// Faults that only the service can act out.
    pub(crate) effects: &'a Effects,
}

impl Call<'_> {
    /// The project, to read.
    pub(crate) fn held(&self) -> &Project {
        self.world.project(self.project)
    }

    /// The project, to change.
    pub(crate) fn held_mut(&mut self) -> &mut Project {
        self.world.project_mut(self.project)
    }

    /// When work on that thing that begins now and usually takes so long is done. `None` where a fault says that it
    /// never ends.
    pub(crate) fn due(&self, about: &str, usual: Duration) -> Option<Duration> {
        let takes = self.world.random.duration(about, usual);
        (!self.effects.never_finish()).then(|| self.now.work.saturating_add(takes))
    }

    /// A name of an operation, as all of Google's services write it.
    pub(crate) fn operation_name(&mut self) -> String {
        let uuid = self.world.random.uuid();
        format!("operation-{}-{uuid}", self.now.wall.as_millisecond())
    }
}
