//! What all simulated clouds share: the clock, faults, the record of calls, ground truth and the loopback server.
//!
//! Nothing here knows a cloud by name. A cloud's own state and wire protocol live in its simulator.

mod body;
pub mod buckets;
pub mod calls;
mod changes;
mod cidr;
pub mod clock;
pub mod cloud;
mod control;
mod exchange;
pub mod exchanges;
pub mod faults;
mod guard;
mod held;
mod https;
pub mod kubernetes;
mod measures;
pub mod others;
mod over;
pub mod pages;
pub mod random;
pub mod resources;
pub mod server;
mod shown;

pub use buckets::{BucketLimits, Buckets};
pub use calls::{CallRecord, Calls};
pub use changes::{Change, Changes, Shared};
pub use cidr::Cidr;
pub use clock::{ManualTime, Now, SimulationClock, SystemTime, TimeSource};
pub use cloud::{Answered, Cloud, Controls, Identified, Refusal, StateError};
pub use exchanges::{Exchange, Exchanges, Retold, Seen};
pub use faults::{Effect, Effects, Faults, Matcher, Rule};
pub use held::{Held, World};
pub use https::Secure;
pub use measures::{Measure, Measured};
pub use others::{Deed, DeedEvent, Deeds, Done};
pub use over::{Before, Over};
pub use random::Random;
pub use resources::Resource;
pub use server::{RunningCloud, ServeError, ready_file, serve};
pub use shown::{ShowsOver, show_over};
