//! Files that only their owner may read, written whole or not at all.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Replaces a file in one step: who reads it sees the old content or the new one.
pub(crate) fn replace(path: &Path, content: &str) -> Result<()> {
    replace_by(path, content, File::sync_all)
}

/// The same without waiting for the disk: survives the end of the process, not that of the machine.
pub(crate) fn replace_quickly(path: &Path, content: &str) -> Result<()> {
    replace_by(path, content, |_| Ok(()))
}

/// Opens a file to write behind what it holds.
pub(crate) fn append(path: &Path) -> Result<File> {
    File::options().append(true).open(path).map_err(|error| Error::file("write", path, &error))
}

/// Makes a file in one step; one that is there already is left alone.
pub(crate) fn create(path: &Path, content: &str) -> Result<()> {
    match beside(path, content, File::sync_all)?.persist_noclobber(path) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => {
            Err(Error::file("write", path, &error.error))
        }
        _ => Ok(()),
    }
}

fn replace_by(path: &Path, content: &str, sync: fn(&File) -> std::io::Result<()>) -> Result<()> {
    let file = beside(path, content, sync)?;
    file.persist(path).map_err(|error| Error::file("write", path, &error.error))?;
    Ok(())
}

/// The content in a file of mode 0600 beside the path, to be put in its place.
fn beside(
    path: &Path,
    content: &str,
    sync: fn(&File) -> std::io::Result<()>,
) -> Result<tempfile::NamedTempFile> {
    let failed = |error: std::io::Error| Error::file("write", path, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".pmks-").tempfile_in(folder).map_err(failed)?;
    file.write_all(content.as_bytes()).and_then(|()| sync(file.as_file())).map_err(failed)?;
    Ok(file)
}

/// A new file that waits for its content; removed again if none comes.
#[derive(Debug)]
pub(crate) struct Reserved {
    path: PathBuf,
    file: File,
    written: bool,
}

/// Makes a new file; one that is there already is left alone.
///
/// # Errors
/// Where nothing can be written.
pub(crate) fn reserve(path: &Path) -> Result<Reserved> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| Error::file("write", path, &error))?;
    Ok(Reserved { path: path.to_owned(), file, written: false })
}

impl Reserved {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its content.
    ///
    /// # Errors
    /// A full disk, for one.
    pub(crate) fn write(mut self, content: &str) -> Result<()> {
        let written = self.file.write_all(content.as_bytes()).and_then(|()| self.file.sync_all());
        self.written = written.is_ok();
        written.map_err(|error| Error::file("write", &self.path, &error))
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.written {
            // One that somebody else has removed is gone as well.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The content of a file, or nothing if there is none.
pub(crate) fn read_if_any(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path, &error)),
    }
}

/// Makes a folder that only its owner may enter, and those above it.
pub(crate) fn folder(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| Error::file("make", path, &error))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        drop(reserve(&path).unwrap());
        assert!(!path.exists(), "a file that nothing came of is gone");
        reserve(&path).unwrap().write("one").unwrap();
        assert!(reserve(&path).is_err(), "a file that is there is left alone");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        replace(&path, "three").unwrap();
        assert_eq!((read_if_any(&path).unwrap().as_deref(), mode()), (Some("three"), 0o600));
        assert_eq!(read_if_any(&folder.path().join("b")).unwrap(), None);
    }
}
