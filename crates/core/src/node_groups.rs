//! Node groups of a cluster, as we keep them and as the cloud says.

use std::time::Duration;

use crate::failure::unexpected;
use crate::{NodeGroupView, Page, PageRequest, Pmks, Result};

/// Node groups.
#[derive(Clone, Copy, Debug)]
pub struct NodeGroups<'a>(pub(crate) &'a Pmks);

impl NodeGroups<'_> {
    /// A page of a cluster's node groups.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn list(
        self,
        _connection: &str,
        _cluster: &str,
        _page: &PageRequest,
        _max_age: Option<Duration>,
    ) -> Result<Page<NodeGroupView>> {
        Err(unexpected("not built yet"))
    }

    /// One node group.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(
        self,
        _connection: &str,
        _cluster: &str,
        _name: &str,
        _max_age: Option<Duration>,
    ) -> Result<NodeGroupView> {
        Err(unexpected("not built yet"))
    }
}
