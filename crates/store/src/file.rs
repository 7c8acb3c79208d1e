//! The file of a store: whether it is still the one that was opened.

use std::path::{Path, PathBuf};

use crate::DatabaseError;

/// A file, as it was when it was opened.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    /// What tells it from another one in its place; `None` where the system does not.
    which: Option<Which>,
}

/// Device and inode.
type Which = (u64, u64);

impl File {
    /// The file of a store that was just opened.
    pub(crate) fn opened(path: &Path) -> Self {
        Self { path: path.to_owned(), which: which(path) }
    }

    /// Whether it is where it was.
    ///
    /// # Errors
    /// `Removed`.
    pub(crate) fn stands(&self) -> Result<(), DatabaseError> {
        if self.which.is_none() || which(&self.path) == self.which {
            return Ok(());
        }
        Err(DatabaseError::removed(format!("{} is not the file that was opened", self.path.display())))
    }
}

#[cfg(unix)]
fn which(path: &Path) -> Option<Which> {
    use std::os::unix::fs::MetadataExt as _;

    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn which(_path: &Path) -> Option<Which> {
    None
}
