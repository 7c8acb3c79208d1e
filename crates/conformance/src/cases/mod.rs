//! The cases, by what they are about.

mod access;
mod account;
mod between;
mod clusters;
mod failures;
mod faults;
mod frugality;
mod incarnations;
mod limits;
mod names;
mod networks;
mod node_groups;
mod reads;
mod scaling;
mod tags;
mod versions;

use futures::future::BoxFuture;

use crate::{Failed, Rig, Verdict};

/// One case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name, as in the list of [`crate::for_each_case`].
    pub name: &'static str,
    /// Runs it.
    pub run: fn(Rig) -> BoxFuture<'static, Result<Verdict, Failed>>,
}

impl Case {
    /// Whether all that the cloud says in it is in its vendor's contract. Where the witness lets it say what no document
    /// knows, the exchanges are not held against that.
    pub fn is_within_contract(&self) -> bool {
        !BEYOND_CONTRACT.contains(&self.name)
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The cases in which the witness lets the cloud say what no document of its vendor knows.
const BEYOND_CONTRACT: &[&str] =
    &["an_unknown_status_word_is_unknown", "what_is_unknown_survives_scaling_and_upgrade"];

macro_rules! list {
    (; $($case:ident),* $(,)?) => {
        /// Every case, in the order of the list.
        pub const CASES: &[Case] = &[$(Case { name: stringify!($case), run: |rig| Box::pin(all::$case(rig)) }),*];
    };
}

mod all {
    pub(super) use super::access::*;
    pub(super) use super::account::*;
    pub(super) use super::between::*;
    pub(super) use super::clusters::*;
    pub(super) use super::failures::*;
    pub(super) use super::faults::*;
    pub(super) use super::frugality::*;
    pub(super) use super::incarnations::*;
    pub(super) use super::limits::*;
    pub(super) use super::names::*;
    pub(super) use super::networks::*;
    pub(super) use super::node_groups::*;
    pub(super) use super::reads::*;
    pub(super) use super::scaling::*;
    pub(super) use super::tags::*;
    pub(super) use super::versions::*;
}

crate::for_each_case!(list,);
