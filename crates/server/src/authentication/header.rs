//! The `Authorization` header. Source: <https://www.rfc-editor.org/rfc/rfc7617>,
//! <https://www.rfc-editor.org/rfc/rfc6750>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::SecretString;

use super::unknown;
use crate::refused::Refused;

/// What a caller presents.
pub(super) enum Presented<'a> {
    /// A token.
    Bearer(&'a str),
    /// A name and a password.
    Basic { name: String, password: SecretString },
}

/// Reads the header. Its value is in no refusal.
pub(super) fn presented(headers: &HeaderMap) -> Result<Presented<'_>, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| unknown("this needs authentication"))?;
    if values.next().is_some() {
        return Err(unknown("there is more than one Authorization header"));
    }
    let value = value.to_str().map_err(|_| unknown("the Authorization header cannot be read"))?;
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
        return Ok(Presented::Bearer(rest));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return basic(rest).ok_or_else(|| unknown("the Authorization header cannot be read"));
    }
    Err(unknown("the Authorization header is neither Bearer nor Basic"))
}

fn basic(encoded: &str) -> Option<Presented<'static>> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some(Presented::Basic { name: name.to_owned(), password: SecretString::from(password) })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
    }

    #[test]
    fn reads_both_schemes() {
        let bearer = headers(&["bearer  abc"]);
        assert!(matches!(presented(&bearer).unwrap(), Presented::Bearer("abc")));
        let basic = headers(&["Basic YWRtaW46YTpi"]);
        let Presented::Basic { name, password } = presented(&basic).unwrap() else { panic!("no basic") };
        assert_eq!((name.as_str(), password.expose_secret()), ("admin", "a:b"));
    }

    #[test]
    fn refuses_everything_else() {
        for values in [
            &[][..],
            &["Bearer"],
            &["Bearer "],
            &["Basic !!!"],
            &["Basic YWRtaW4="],
            &["Digest a"],
            &["Bearer a", "Bearer b"],
        ] {
            assert!(presented(&headers(values)).is_err(), "{values:?}");
        }
    }
}
