//! The simulated Elastic Load Balancing: classic balancers and those of version 2, as controllers make them.

mod calls;
pub(crate) mod controller;
mod state;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::xml::Xml;

pub(crate) use controller::{next_due, settle};
#[cfg(test)]
pub(crate) use state::Kind;
pub(crate) use state::{Owner, State, resources};

/// Whether a request is of the classic API; both share one name in the credential scope.
pub(crate) fn is_classic(query: &Query) -> bool {
    query.get("Version") == Some("2012-06-01")
}

/// Carries out one call.
pub(crate) fn handle(context: &mut Context<'_>, action: &str, query: &Query) -> Result<Xml> {
    match (is_classic(query), action) {
        (true, "DescribeLoadBalancers") => calls::classic_describe(context, query),
        (true, "DescribeTags") => calls::classic_tags(context, query),
        (true, "DeleteLoadBalancer") => Ok(calls::classic_delete(context, query)?),
        (false, "DescribeLoadBalancers") => calls::describe(context, query),
        (false, "DescribeTags") => calls::tags(context, query),
        (false, "DescribeTargetGroups") => calls::describe_target_groups(context, query),
        (false, "DeleteLoadBalancer") => calls::delete(context, query),
        (false, "DeleteTargetGroup") => calls::delete_target_group(context, query),
        _ => Err(Error::unknown_action(action)),
    }
}
