//! The key that the owner keeps: it wraps the data keys, and lies outside the data directory.

use std::io::Write;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const LENGTH: usize = 32;

/// 32 bytes that wrap every data key. `Debug` shows nothing of them, and their memory is wiped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; LENGTH]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// Not 32 bytes in base64.
    #[error("a master key is 32 bytes in base64")]
    Malformed,
    /// Others may read the file.
    #[error("{} can be read by others; make it yours alone: chmod 600", .0.display())]
    Exposed(PathBuf),
    /// It would be part of every backup of what it protects.
    #[error("{} lies within the data directory; keep the master key elsewhere", .0.display())]
    BesideData(PathBuf),
    /// The file could not be read or written.
    #[error("the master key in {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The machine gives no random numbers.
    #[error("no random numbers to make a master key from")]
    NoRandom,
}

impl MasterKey {
    /// From 32 bytes.
    pub fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new one.
    ///
    /// # Errors
    /// `NoRandom`.
    pub fn generate() -> Result<Self, MasterKeyError> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| MasterKeyError::NoRandom)?;
        Ok(Self(bytes))
    }

    /// From base64, as an environment variable or a file holds it.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn from_text(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::Malformed)?);
        let bytes = <[u8; LENGTH]>::try_from(bytes.as_slice()).map_err(|_| MasterKeyError::Malformed)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// From a file that only its owner may read; made if there is none.
    ///
    /// # Errors
    /// `BesideData` if it lies within `data_directory`; `Exposed`; `Malformed`; `File`; `NoRandom`.
    pub fn load_or_create(path: &Path, data_directory: &Path) -> Result<Self, MasterKeyError> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let real = directory.canonicalize().map_err(failed)?;
        if data_directory.canonicalize().is_ok_and(|data| real.starts_with(data)) {
            return Err(MasterKeyError::BesideData(path.to_owned()));
        }
        match Self::load(path) {
            Err(MasterKeyError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Self::generate()?.write(path)
            }
            loaded => loaded,
        }
    }

    /// From a file that only its owner may read.
    ///
    /// # Errors
    /// `Exposed`; `Malformed`; `File`.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if readable_by_others(&metadata) {
            return Err(MasterKeyError::Exposed(path.to_owned()));
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
        Self::from_text(&text)
    }

    /// Writes it to a new file that only its owner may read.
    ///
    /// # Errors
    /// `File`, also if there is one already.
    pub fn write(self, path: &Path) -> Result<Self, MasterKeyError> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text = Zeroizing::new(format!("{}\n", STANDARD.encode(self.0.as_slice())));
        options
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|source| MasterKeyError::File { path: path.to_owned(), source })?;
        Ok(self)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

#[cfg(unix)]
fn readable_by_others(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_metadata: &std::fs::Metadata) -> bool {
    false
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}
