//! What a cloud can do that differs from the scripted one's usual self.

use pmks_driver::{AutoScaling, Capabilities, TokenReach};

use super::driver::CAPABILITIES;

/// A cloud that keeps limits only while autoscaling is on, and whose tokens open the account.
pub(crate) static OTHER: Capabilities = Capabilities {
    auto_scaling: AutoScaling { keeps_limits: false, ..CAPABILITIES.auto_scaling },
    token_reach: TokenReach::Account,
    ..CAPABILITIES
};
