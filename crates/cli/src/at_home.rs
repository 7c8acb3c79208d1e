//! A cloud that is nowhere but in this process: it begins when somebody first asks for it, and its world is kept in a
//! folder.

use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use pmks_model::FailureKind;
use tokio::sync::OnceCell;

use crate::error::{Error, Result};
use crate::registry::{self, Simulated};
use crate::simulated::{self, Served};

/// The cloud of that name, begun or not.
pub(crate) struct AtHome {
    name: &'static str,
    folder: PathBuf,
    served: OnceCell<Served>,
}

impl AtHome {
    /// The cloud of that name, not begun, whose world is kept in that folder.
    pub(crate) fn new(name: &'static str, folder: &Path) -> Self {
        Self { name, folder: folder.to_owned(), served: OnceCell::new() }
    }

    /// Where it is. It goes on until the process ends.
    ///
    /// # Errors
    /// When no port can be had, or the world cannot be read.
    pub(crate) async fn begun(&self) -> Result<url::Url> {
        let served = self.served.get_or_try_init(|| self.begin()).await?;
        let wrong = |error: url::ParseError| Error::new(FailureKind::Unexpected, error.to_string());
        served.url().parse().map_err(wrong)
    }

    async fn begin(&self) -> Result<Served> {
        let entry = registry::named(&[self.name.to_owned()])?;
        let entry = entry.first().ok_or_else(|| Error::new(FailureKind::NotFound, "no such cloud"))?;
        // Tokens of its clusters grow from it: nobody else of this machine must know it.
        let mut seed = [0; 8];
        rand::fill(&mut seed)
            .map_err(|_| Error::new(FailureKind::Unexpected, "the system gives no random bytes"))?;
        simulated::kept_anywhere(entry, Simulated::new(1.0, u64::from_ne_bytes(seed)), &self.folder).await
    }
}
