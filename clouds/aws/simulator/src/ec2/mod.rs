//! The simulated EC2: networks, security groups, key pairs, machines and what they are made from.
//!
//! Each call is one function in the file of what it is about; nothing here decides about clusters.

mod cidr;
pub(crate) mod machines;
mod rows;
mod state;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::xml::Xml;

pub(crate) use cidr::Cidr;
pub(crate) use machines::{next_due, settle};
pub(crate) use rows::resources;
pub(crate) use state::*;

/// Carries out one call.
pub(crate) fn handle(_context: &mut Context<'_>, action: &str, _query: &Query) -> Result<Xml> {
    Err(Error::unknown_action(action))
}
