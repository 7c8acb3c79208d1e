//! The cases, by what they are about.

mod access;
mod account;
mod clusters;
mod failures;
mod faults;
mod names;
mod networks;
mod node_groups;
mod reads;
mod scaling;
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

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! list {
    (; $($case:ident),* $(,)?) => {
        /// Every case, in the order of the list.
        pub const CASES: &[Case] = &[$(Case { name: stringify!($case), run: |rig| Box::pin(all::$case(rig)) }),*];
    };
}

mod all {
    pub(super) use super::access::*;
    pub(super) use super::account::*;
    pub(super) use super::clusters::*;
    pub(super) use super::failures::*;
    pub(super) use super::faults::*;
    pub(super) use super::names::*;
    pub(super) use super::networks::*;
    pub(super) use super::node_groups::*;
    pub(super) use super::reads::*;
    pub(super) use super::scaling::*;
    pub(super) use super::versions::*;
}

crate::for_each_case!(list,);
