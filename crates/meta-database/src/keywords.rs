//! The keywords and values by which PostgreSQL's own clients name a database, as the URL that says the same.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>

use std::net::Ipv6Addr;

use url::Url;

/// Keywords that say where a database is, and who asks; a text that names none of them is no such text.
const TELLING: [&str; 6] = ["host", "hostaddr", "port", "user", "password", "dbname"];

/// What else is kept. The rest (time zones, timeouts) means nothing to a reader.
const KEPT: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "options"];

/// Whether a text is such a list, or was meant to be one: what holds a password is no path of a file.
pub(crate) fn are_meant(text: &str) -> bool {
    let is_told = |keyword: &str| {
        let mut rest = text.to_lowercase();
        while let Some(at) = rest.find(keyword) {
            let begins = rest[..at].chars().next_back().is_none_or(char::is_whitespace);
            rest = rest.split_off(at + keyword.len());
            if begins && rest.trim_start().starts_with('=') {
                return true;
            }
        }
        false
    };
    TELLING.into_iter().any(is_told)
}

/// The same as a URL.
///
/// # Errors
/// Why there is none; of the text nothing is shown, for it may hold a password.
pub(crate) fn url_of(text: &str) -> Result<Url, String> {
    let no = |why: &str| format!("the keywords and values of the meta database cannot be read: {why}");
    let mut url = Url::parse("postgres://localhost/").map_err(|error| no(&error.to_string()))?;
    for (keyword, value) in pairs(text).ok_or_else(|| no("each is KEYWORD=VALUE, with quotes that end"))? {
        // What is shown of a place, or goes to a resolver of names, must not be the rest of such a list.
        let is_shown = ["host", "hostaddr", "dbname"].contains(&keyword.as_str());
        let address = value.parse::<Ipv6Addr>().ok();
        if is_shown && address.is_none() && value.contains(|letter| "=;?@:".contains(letter)) {
            return Err(no(&format!("its {keyword} is none")));
        }
        // A value is no part of a URL yet: a percent sign stands for itself.
        let written = value.replace('%', "%25");
        let is_set = match keyword.as_str() {
            // A socket's directory is no host of a URL.
            "host" | "hostaddr" if address.is_none() && !value.starts_with('/') => {
                url.set_host(Some(&value)).is_ok()
            }
            "host" | "hostaddr" if address.is_some() => {
                address.is_some_and(|address| url.set_ip_host(address.into()).is_ok())
            }
            "port" => value.parse().is_ok_and(|port| url.set_port(Some(port)).is_ok()),
            "user" => url.set_username(&written).is_ok(),
            "password" => url.set_password(Some(&written)).is_ok(),
            "dbname" => {
                url.set_path(&written);
                true
            }
            "host" => {
                url.query_pairs_mut().append_pair("host", &value);
                true
            }
            kept if KEPT.contains(&kept) => {
                url.query_pairs_mut().append_pair(kept, &value);
                true
            }
            _ => true,
        };
        if !is_set {
            return Err(no(&format!("its {keyword} is none")));
        }
    }
    Ok(url)
}

/// Each keyword with its value; `None`: something is neither.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let (mut pairs, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let (keyword, after) = rest.split_once('=')?;
        let keyword = keyword.trim_end();
        if keyword.is_empty() || keyword.contains(char::is_whitespace) {
            return None;
        }
        let (value, after) = value(after.trim_start())?;
        pairs.push((keyword.to_lowercase(), value));
        rest = after.trim_start();
    }
    Some(pairs)
}

/// A value, which may stand in single quotes, and in which a backslash takes the next character as it is; with what comes
/// after it.
fn value(text: &str) -> Option<(String, &str)> {
    let (is_quoted, text) = text.strip_prefix('\'').map_or((false, text), |text| (true, text));
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next()?.1),
            '\'' if is_quoted => return Some((value, &text[at + 1..])),
            space if !is_quoted && space.is_whitespace() => return Some((value, &text[at..])),
            other => value.push(other),
        }
    }
    (!is_quoted).then_some((value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresqls_clients_take_is_read() {
        for (text, url) in [
            ("host=db.example", "postgres://db.example/"),
            (
                "host=db.example port=5433 user=spider password=pass dbname=meta sslmode=disable",
                "postgres://spider:pass@db.example:5433/meta?sslmode=disable",
            ),
            (
                r"user = 'a b' password='it\'s \\ / @' host=h TimeZone=Asia/Seoul",
                r"postgres://a%20b:it's%20%5C%20%2F%20%40@h/",
            ),
            (
                "host=/var/run/postgresql dbname=meta",
                "postgres://localhost/meta?host=%2Fvar%2Frun%2Fpostgresql",
            ),
            ("host=::1 port=5433 dbname=meta", "postgres://[::1]:5433/meta"),
            ("user=a%b password=a%41b dbname=m%41x", "postgres://a%25b:a%2541b@localhost/m%2541x"),
            ("password='' user=u", "postgres://u@localhost/"),
        ] {
            assert!(are_meant(text), "{text}");
            assert_eq!(url_of(text).unwrap().as_str(), url, "{text}");
        }
    }

    #[test]
    fn a_path_is_no_such_list() {
        for text in
            ["", "/srv/meta_db/cb-spider.db", "a=b/cb-spider.db", "/srv/myhost=1/x", "postgres://h/d?user=u"]
        {
            assert!(!are_meant(text), "{text}");
        }
        for text in ["host", "host=a b", "user='x", "=x host=h", "port=many host=h", "password=x\\"] {
            assert!(url_of(text).is_err(), "{text}");
        }
    }
}
