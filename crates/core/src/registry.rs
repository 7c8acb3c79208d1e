//! The providers that this program was built with. Only the binary fills it; nothing here names one.

use std::sync::Arc;

use pmks_driver::{Capabilities, Provider};

use crate::Result;
use crate::failure::unknown;

/// All providers, by name.
#[derive(Clone, Default)]
pub struct Registry(Vec<Arc<dyn Provider>>);

impl Registry {
    /// Of these providers.
    pub fn new(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Self {
        Self(providers.into_iter().collect())
    }

    /// A provider by name.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Provider>> {
        self.0
            .iter()
            .find(|provider| provider.capabilities().provider == name)
            .ok_or_else(|| unknown("provider", name))
    }

    /// What each can do, in the order of registration.
    pub fn capabilities(&self) -> impl Iterator<Item = &'static Capabilities> {
        self.0.iter().map(|provider| provider.capabilities())
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.capabilities().map(|capabilities| capabilities.provider)).finish()
    }
}
