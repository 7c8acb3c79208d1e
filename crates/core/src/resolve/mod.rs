//! From a request's texts and names to what a driver is asked, everything wrong found together.

mod references;
mod texts;

pub(crate) use references::{References, iid, is_absent};
pub(crate) use texts::{
    add_apart, add_unsaid, apart_from, network, node_group, rule, rule_text, subnet, version,
};
