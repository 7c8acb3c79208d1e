//! Where the meta database is: what the user says, else what CB-Spider's own variables say.

use pmks_meta_database::Source;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::spider_variables::{META_DATABASE_PARTS, META_DATABASE_SSL_MODE, META_DATABASE_URL, ROOT};

/// Where it is.
///
/// # Errors
/// If nobody says, or what is said cannot be read.
pub(super) fn of(app: &App, asked: Option<&str>) -> Result<Source> {
    let text = match asked {
        Some(text) if text.starts_with('@') || text.starts_with("env:") => {
            secret::from_source(app, "--meta-database", text)?.expose_secret().to_owned()
        }
        Some(text) if parsed(text)?.holds_password() => {
            let says = "--meta-database holds a password, and every process of this machine can read the command line";
            return Err(Error::usage(says)
                .with_fix("--meta-database env:VARIABLE or @FILE, or leave it to PGPASSWORD"));
        }
        Some(text) => text.to_owned(),
        None => of_variables(|name| app.environment.get(name).map(str::to_owned)).ok_or_else(|| {
            let says =
                "where CB-Spider's meta database is, neither --meta-database nor a variable of its own says";
            Error::usage(says)
                .with_fix("--meta-database $CBSPIDER_ROOT/meta_db/cb-spider.db, or a postgres:// URL")
        })?,
    };
    parsed(&text)
}

fn parsed(text: &str) -> Result<Source> {
    Source::parse(text).map_err(|error| Error::usage(error.to_string()))
}

/// Source: CB-Spider's `info-store/InfoStore.go`.
fn of_variables(get: impl Fn(&str) -> Option<String>) -> Option<String> {
    if let Some(url) = get(META_DATABASE_URL) {
        return Some(url);
    }
    if let [Some(user), Some(password), Some(endpoint), Some(database)] = META_DATABASE_PARTS.map(&get) {
        let mut url = Url::parse(&format!("postgres://{endpoint}/")).ok()?;
        // A variable's value is no part of a URL yet: a percent sign stands for itself.
        let [user, password, database] = [user, password, database].map(|value| value.replace('%', "%25"));
        url.set_username(&user).ok()?;
        url.set_password(Some(&password)).ok()?;
        url.set_path(&database);
        if let Some(mode) = get(META_DATABASE_SSL_MODE) {
            url.query_pairs_mut().append_pair("sslmode", &mode);
        }
        return Some(url.into());
    }
    Some(format!("{}/meta_db/cb-spider.db", get(ROOT)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(given: &[(&str, &str)]) -> Option<String> {
        of_variables(|name| {
            given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn variables_of_cb_spider_say_where_its_database_is() {
        assert_eq!(variables(&[]), None);
        assert_eq!(variables(&[("CBSPIDER_ROOT", "/srv")]).unwrap(), "/srv/meta_db/cb-spider.db");
        let parts = [
            ("SPIDER_METADB_USER", "spider"),
            ("SPIDER_METADB_PASSWORD", "p@ss/w%41rd"),
            ("SPIDER_METADB_ENDPOINT", "db.example:5433"),
            ("SPIDER_METADB_DATABASE", "meta"),
            ("SPIDER_METADB_SSLMODE", "disable"),
        ];
        let url = "postgres://spider:p%40ss%2Fw%2541rd@db.example:5433/meta?sslmode=disable";
        assert_eq!(variables(&parts).unwrap(), url);
        let both = [("CBSPIDER_ROOT", "/srv"), ("SPIDER_METADB_URL", "postgres://h/d")];
        assert_eq!(variables(&both).unwrap(), "postgres://h/d");
    }
}
