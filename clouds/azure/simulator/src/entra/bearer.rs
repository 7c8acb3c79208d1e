//! The check of the token that every call to Azure Resource Manager carries.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use serde_json::Value;

use super::{Caller, Directory};
use crate::error::{Error, Result};
use crate::json::{number, text};

/// For whom a token may be, beside the cloud's own URL.
const AUDIENCES: [&str; 2] = ["https://management.azure.com", "https://management.core.windows.net"];

/// Who called, by the token of the request.
///
/// # Errors
/// 401 in ARM's words.
pub(crate) fn verify(
    directory: &Directory,
    headers: &HeaderMap,
    base: &str,
    now: Timestamp,
) -> Result<Caller> {
    let refused = |error: Error, says: &str| refused(directory, error, says);
    let Some(token) = bearer(headers) else {
        let says = "Authentication failed. The 'Authorization' header is missing.";
        let error = Error::new(401, "AuthenticationFailed", says);
        return Err(refused(error, "The authentication failed because of missing 'Authorization' header."));
    };
    let Some(claims) = directory.keys.read(token) else {
        let error = Error::new(401, "InvalidAuthenticationToken", "The access token is invalid.");
        return Err(refused(error, "Could not parse or verify the access token."));
    };
    let mut expires = number(&claims, "exp").unwrap_or_default();
    if text(&claims, "aio") != Some(&directory.ended.to_string()) {
        expires = expires.min(now.as_second());
    }
    if expires <= now.as_second() {
        let utc = |at: Timestamp| at.strftime("%-m/%-d/%Y %-I:%M:%S %p").to_string();
        let at = Timestamp::from_second(expires).unwrap_or_default();
        let says = format!(
            "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
            utc(at),
            utc(now)
        );
        return Err(refused(Error::new(401, "ExpiredAuthenticationToken", says.as_str()), &says));
    }
    audience(&claims, base).map_err(|error| refused(error, "The audience is invalid."))?;
    let claim = |name: &str| text(&claims, name).unwrap_or_default().to_owned();
    Ok(Caller { object_id: claim("oid"), client_id: claim("appid") })
}

fn audience(claims: &Value, base: &str) -> Result<()> {
    let given = text(claims, "aud").unwrap_or_default();
    let audience = given.trim_end_matches('/');
    if audience == base || is_own(audience) || AUDIENCES.contains(&audience) {
        return Ok(());
    }
    let says = format!(
        "The access token has been obtained for wrong audience or resource '{given}'. It should exactly match with \
         one of the allowed audiences '{}'.",
        AUDIENCES.join("/','")
    );
    Err(Error::new(401, "InvalidAuthenticationTokenAudience", says))
}

/// The cloud's own URL by any of its names: `127.0.0.1` and `localhost` are the same server.
fn is_own(audience: &str) -> bool {
    let Ok(url) = url::Url::parse(audience) else { return false };
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refused(directory: &Directory, mut error: Error, says: &str) -> Error {
    error.challenge = Some(challenge(directory, says));
    error
}

/// The content of `WWW-Authenticate`.
fn challenge(directory: &Directory, says: &str) -> String {
    format!(
        "Bearer authorization_uri=\"https://login.windows.net/{}\", error=\"invalid_token\", \
         error_description=\"{says}\"",
        directory.tenant
    )
}
