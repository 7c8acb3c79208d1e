//! One list of everything that is under way at a place, which answers the looks and polls of many stages at once.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What [`crate::Driver::list_progress`] read: the driver's own, for [`crate::StageCalls::look_in`] and
/// [`crate::StageCalls::poll_in`] of the same driver. Nobody else reads it.
#[derive(Clone)]
pub struct ProgressList(Arc<dyn Any + Send + Sync>);

impl ProgressList {
    /// A list as the driver keeps it.
    pub fn new<T: Any + Send + Sync>(list: T) -> Self {
        Self(Arc::new(list))
    }

    /// The list, if it is one of these.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for ProgressList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProgressList(..)")
    }
}
