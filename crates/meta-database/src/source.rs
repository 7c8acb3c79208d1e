//! Where a meta database is.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::Error;

/// Where a meta database is.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file of SQLite: `$CBSPIDER_ROOT/meta_db/cb-spider.db`.
    File(PathBuf),
    /// A database of PostgreSQL, by its URL, which may hold a password.
    Postgres(SecretString),
}

impl Source {
    /// Reads the path of a file, or a URL that begins with `postgres://` or `postgresql://`.
    ///
    /// # Errors
    /// For a URL of anything else, or one that is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Some((scheme, _)) = text.split_once("://") else {
            return if text.is_empty() {
                Err(Error::Source(
                    "the meta database is named by a file's path or a postgres:// URL".to_owned(),
                ))
            } else {
                Ok(Self::File(PathBuf::from(text)))
            };
        };
        if !matches!(scheme.to_ascii_lowercase().as_str(), "postgres" | "postgresql") {
            // What follows the scheme may hold a password: it is not shown.
            return Err(Error::Source(format!(
                "{scheme}:// names no meta database: a file's path or a postgres:// URL does"
            )));
        }
        match Url::parse(text) {
            Ok(_) => Ok(Self::Postgres(SecretString::from(text))),
            Err(error) => Err(Error::Source(format!("the URL of the meta database cannot be read: {error}"))),
        }
    }
}

/// Without its password.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => {
                let url = Url::parse(url.expose_secret()).map_err(|_| fmt::Error)?;
                let host = url.host_str().unwrap_or("localhost");
                write!(f, "PostgreSQL at {host}{}", url.path())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_and_a_url_is_postgresql_without_its_password() {
        assert_eq!(Source::parse("/var/lib/cb-spider.db").unwrap().to_string(), "/var/lib/cb-spider.db");
        let source =
            Source::parse("postgresql://spider:sesame@db.example:5432/spider?sslmode=require").unwrap();
        assert_eq!(source.to_string(), "PostgreSQL at db.example/spider");
        assert!(!format!("{source:?}").contains("sesame"));
    }

    #[test]
    fn what_names_neither_is_refused_without_what_it_holds() {
        for text in ["", "mysql://spider:sesame@db.example/spider", "postgres://:sesame@[::/spider"] {
            let says = Source::parse(text).unwrap_err().to_string();
            assert!(!says.contains("sesame"), "{says}");
        }
    }
}
