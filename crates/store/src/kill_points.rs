//! Named points at which tests end everything, to see what a crash there leaves.

use async_trait::async_trait;

/// Passed at every transaction and every call of a cloud.
///
/// Names are `<who>.<what>.<before|within|after>`: `store.accept.before`, `engine.ask.after`. `within` stands between
/// the last write of a transaction and its commit.
#[async_trait]
pub trait KillPoints: Send + Sync + std::fmt::Debug {
    /// Goes on, or never returns.
    async fn at(&self, point: &str);
}

/// Goes on everywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKillPoints;

#[async_trait]
impl KillPoints for NoKillPoints {
    async fn at(&self, _point: &str) {}
}
