//! The file of master keys: the first seals; former ones follow, for the stores and backups that they sealed.
//!
//! All data directories of a user share one file by default, and a rotation knows of one of them.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use pmks_driver::chain;
use pmks_model::FailureKind;
use pmks_store::{MasterKey, MasterKeyError};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::private_file;

/// The keys of a file that only its owner may read, the one that seals first; never none.
///
/// # Errors
/// `Precondition` if there is none, or others may read it; `InvalidRequest` if a line is no key.
pub(crate) fn load(path: &Path) -> Result<Vec<MasterKey>> {
    let metadata = match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing(path)),
        metadata => metadata.map_err(|error| Error::file("read", path, &error))?,
    };
    if readable_by_others(&metadata) {
        let says = format!("{} can be read by others", path.display());
        return Err(Error::new(FailureKind::Precondition, says).with_fix("make it yours alone: chmod 600"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Error::file("read", path, &error))?;
    of_text(&Zeroizing::new(text))
}

/// The keys of a text, one a line, as a file or an environment variable holds them.
///
/// # Errors
/// `InvalidRequest` if a line is no key, or there is none.
pub(crate) fn of_text(text: &str) -> Result<Vec<MasterKey>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let keys = lines.map(MasterKey::from_text).collect::<std::result::Result<Vec<_>, _>>();
    let keys = keys.map_err(|error| refused(&error))?;
    if keys.is_empty() { Err(refused(&MasterKeyError::Malformed)) } else { Ok(keys) }
}

/// The same as [`load`], of a new key where there is no file yet. The file may not lie in `data_directory`: every backup
/// of what it protects would hold it.
///
/// # Errors
/// As [`load`]; `Precondition` for a file in `data_directory`.
pub(crate) fn load_or_create(path: &Path, data_directory: &Path) -> Result<Vec<MasterKey>> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = |error| Error::file("write", path, &error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let real = folder.canonicalize().map_err(failed)?;
    if data_directory.canonicalize().is_ok_and(|data| real.starts_with(data)) {
        let says = format!("{} lies within the data directory", path.display());
        return Err(Error::new(FailureKind::Precondition, says).with_fix("keep the master key elsewhere"));
    }
    if !path.exists() {
        let key = MasterKey::generate().map_err(|error| refused(&error))?;
        // Another data directory's first command may have been faster: its key is as good.
        private_file::create(path, &written(&[key]))?;
    }
    load(path)
}

/// Puts a new key before those of the file, which seals from now on. The former ones are kept: nothing here knows what
/// else they sealed. Of two that do so at once, one waits: each keeps the other's.
///
/// # Errors
/// As [`load`]; if the file cannot be replaced.
pub(crate) fn renew(path: &Path) -> Result<MasterKey> {
    // A link stays one: the file that it leads to is renewed.
    let path = &path.canonicalize().map_err(|error| Error::file("read", path, &error))?;
    let failed = |error| Error::file("lock", path, &error);
    // Beside the file, which is another one after each renewal.
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options.open(lock_file(path)).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let key = MasterKey::generate().map_err(|error| refused(&error))?;
    let mut keys = load(path)?;
    keys.insert(0, key.clone());
    private_file::replace(path, &written(&keys))?;
    Ok(key)
}

fn refused(error: &MasterKeyError) -> Error {
    let kind = match error {
        MasterKeyError::Malformed => FailureKind::InvalidRequest,
        MasterKeyError::NoRandom => FailureKind::Unexpected,
    };
    Error::new(kind, chain(error))
}

/// A store is there and its key is not: another key in its place would hide that.
fn missing(path: &Path) -> Error {
    let says = format!("the master key is missing: there is no {}", path.display());
    Error::new(FailureKind::Precondition, says)
        .with_fix("put the file back, or name it by --master-key-file, or its lines in PMKS_MASTER_KEY")
}

fn lock_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn written(keys: &[MasterKey]) -> Zeroizing<String> {
    Zeroizing::new(keys.iter().fold(String::new(), |text, key| text + &key.to_text() + "\n"))
}

#[cfg(unix)]
fn readable_by_others(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_metadata: &std::fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_of_keys_is_made_once_yours_alone_and_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let path = directory.path().join("config/master-key");
        let permit = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(load(&path).is_err());
        load_or_create(&path, &data).unwrap();
        let first = std::fs::read_to_string(&path).unwrap();
        load_or_create(&path, &data).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
        let newest = renew(&path).unwrap().to_text();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n{first}", *newest));
        assert_eq!(load(&path).unwrap().len(), 2);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(load_or_create(&data.join("master-key"), &data).is_err());
        permit(0o640);
        assert!(load_or_create(&path, &data).is_err());
        permit(0o600);
        let linked = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &linked).unwrap();
        let newest = renew(&linked).unwrap().to_text();
        assert!(linked.is_symlink() && std::fs::read_to_string(&path).unwrap().starts_with(newest.as_str()));
        for text in ["", "\n", "abc\n", &format!("{first}abc")] {
            std::fs::write(&path, text).unwrap();
            assert!(load(&path).is_err(), "{text:?}");
        }
    }

    #[test]
    fn of_many_that_make_it_at_once_all_have_the_same_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master-key");
        let made = || load_or_create(&path, &directory.path().join("data")).unwrap();
        let keys = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(made)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()[0].to_text()).collect::<Vec<_>>()
        });
        assert!(keys.windows(2).all(|two| two[0] == two[1]));
    }

    #[test]
    fn of_many_that_renew_it_at_once_none_loses_its_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master-key");
        load_or_create(&path, &directory.path().join("data")).unwrap();
        let made = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| renew(&path).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().to_text()).collect::<Vec<_>>()
        });
        let kept = std::fs::read_to_string(&path).unwrap();
        assert_eq!(kept.lines().count(), 9);
        assert!(made.iter().all(|key| kept.contains(key.as_str())));
    }
}
