//! Where a meta database is.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{Error, keywords};

/// What the client of PostgreSQL knows of the query of a URL.
const KNOWN: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// Where a meta database is.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file of SQLite: `$CBSPIDER_ROOT/meta_db/cb-spider.db`.
    File(PathBuf),
    /// A database of PostgreSQL, by its URL, which may hold a password.
    Postgres(SecretString),
}

impl Source {
    /// Reads the path of a file, a URL that begins with `postgres://` or `postgresql://`, or the keywords and values by
    /// which PostgreSQL's clients name a database, as CB-Spider takes them too.
    ///
    /// # Errors
    /// For a URL of anything else, or one that is none; for keywords of which no URL can be made.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let scheme = text.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme));
        let Some(scheme) = scheme else {
            return if keywords::are_meant(text) {
                let url = keywords::url_of(text).map_err(Error::Source)?;
                Ok(Self::Postgres(SecretString::from(String::from(url))))
            } else if text.is_empty() {
                Err(Error::Source(
                    "the meta database is named by a file's path or a postgres:// URL".to_owned(),
                ))
            } else if looks_secret(text) && !Path::new(text).exists() {
                Err(Error::Source(
                    "it is neither a file that there is nor a postgres:// URL, and not shown, for it may hold a password"
                        .to_owned(),
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

    /// A URL of PostgreSQL with what its client knows; it shows whatever else stands there.
    pub(crate) fn for_client(url: &SecretString) -> String {
        let Ok(mut url) = Url::parse(url.expose_secret()) else { return url.expose_secret().to_owned() };
        let known = url.query_pairs().into_owned().filter(|(key, _)| KNOWN.contains(&key.as_str()));
        let known: Vec<(String, String)> = known.collect();
        url.set_query(None);
        if !known.is_empty() {
            url.query_pairs_mut().extend_pairs(known);
        }
        url.into()
    }

    /// Whether it says a password, wherever in it: a command line is no place for it.
    pub fn holds_password(&self) -> bool {
        let Self::Postgres(url) = self else { return false };
        Url::parse(url.expose_secret()).is_ok_and(|url| {
            let is_one = |key: &str| key.to_lowercase().contains("password");
            url.password().is_some()
                || url.query_pairs().any(|(key, _)| is_one(&key))
                || !is_plain(url.path())
        })
    }
}

/// Whether a text can be what a URL begins with: whatever else stands there may be a password.
fn is_scheme(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}

/// Whether the path of a URL is the name of a database, and not what a password with a slash in it has become.
fn is_plain(path: &str) -> bool {
    !path.contains(['@', ':'])
}

/// Whether what is taken for a file's path may be something else that holds a password.
fn looks_secret(text: &str) -> bool {
    let text = text.to_lowercase();
    ["@", "://", "pass", "pwd", "'", "\""].iter().any(|sign| text.contains(sign))
}

/// Without its password.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => {
                let url = Url::parse(url.expose_secret()).map_err(|_| fmt::Error)?;
                let said = |wanted: &str| {
                    url.query_pairs().find(|(key, _)| key == wanted).map(|(_, value)| value.into_owned())
                };
                let host = url.host_str().map(str::to_owned).or_else(|| said("host"));
                let database = if is_plain(url.path()) { url.path() } else { "" };
                write!(f, "PostgreSQL at {}{database}", host.as_deref().unwrap_or("localhost"))
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
        // A slash in a password ends the host there.
        let source = Source::parse("postgres://spider:99/sesame@db.example/spider").unwrap();
        assert_eq!(source.to_string(), "PostgreSQL at spider");
    }

    #[test]
    fn keywords_and_values_name_postgresql_without_its_password() {
        assert!(Source::parse("host=db.example password=sesame://x").unwrap().holds_password());
        let source = Source::parse("host=db.example user=spider password='ses ame' dbname=spider").unwrap();
        assert_eq!(source.to_string(), "PostgreSQL at db.example/spider");
        assert!(!format!("{source:?}").contains("ame"));
        let Source::Postgres(url) = source else { panic!("a file") };
        assert_eq!(url.expose_secret(), "postgres://spider:ses%20ame@db.example/spider");
    }

    #[test]
    fn what_the_client_does_not_know_it_is_not_told() {
        for (url, told) in [
            ("postgres://h/d?sslmode=disable&PASSWORD=x", "postgres://h/d?sslmode=disable"),
            ("postgres://u:9?sesame@h/d", "postgres://u:9"),
            ("postgres://h/d", "postgres://h/d"),
        ] {
            assert_eq!(Source::for_client(&SecretString::from(url)), told);
        }
    }

    #[test]
    fn a_password_is_found_wherever_it_stands() {
        for (text, holds) in [
            ("/var/lib/cb-spider.db", false),
            ("postgres://spider@db.example/spider?sslmode=disable", false),
            ("host=db.example user=spider", false),
            ("postgres://spider:x@db.example/spider", true),
            ("postgres://db.example/spider?user=spider&password=x", true),
            ("host=db.example password=x", true),
            ("postgres://u:9999/x@db.example/d", true),
            ("postgres://h/d?PASSWORD=x", true),
        ] {
            assert_eq!(Source::parse(text).unwrap().holds_password(), holds, "{text}");
        }
    }

    #[test]
    fn what_names_neither_is_refused_without_what_it_holds() {
        for text in [
            "",
            "mysql://spider:sesame@db.example/spider",
            "postgres://:sesame@[::/spider",
            "password=sesame host='db",
            "somewhere PASSWORD = sesame",
            "host=db.example;password=sesame;dbname=d",
            "host=db.example dbname= password=sesame",
            "dbname=postgres://u:sesame@db.example/d",
            "\"postgres://u:sesame@db.example/d\"",
            "u:sesame@db.example/d",
            "PGPASSWORD=sesame PGHOST=x",
            "pwd=sesame",
            "host=db.example port=sesame",
        ] {
            let says = Source::parse(text).unwrap_err().to_string();
            assert!(!says.contains("sesame"), "{says}");
        }
    }
}
