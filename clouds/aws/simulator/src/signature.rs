//! Signature Version 4, verified as AWS verifies it: header and presigned form, clock skew, expiry, session tokens.
//!
//! An implementation of its own, not the driver's. Never says which signature it would have expected.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::context::Caller;
use crate::world::World;

/// What a credential scope says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The access key's id.
    pub(crate) access_key: String,
    /// Eight digits.
    date: String,
    /// The region.
    pub(crate) region: String,
    /// The service.
    pub(crate) service: String,
}

/// How old, and how far in the future, a signature may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For the header form.
    pub(crate) past: SignedDuration,
    /// For both forms.
    pub(crate) future: SignedDuration,
    /// For the presigned form, instead of what its `X-Amz-Expires` says.
    pub(crate) presigned: Option<SignedDuration>,
}

impl Limits {
    /// What a service grants. STS' errors speak of 15 minutes back, those of JSON services of 5, the future is 5
    /// for all but EC2, whose page of errors (`RequestExpired`) says 15 both ways.
    pub(crate) fn of(service: &str) -> Self {
        let (past, future) = match service {
            "ec2" => (15, 15),
            "eks" => (5, 5),
            _ => (15, 5),
        };
        Self {
            past: SignedDuration::from_mins(past),
            future: SignedDuration::from_mins(future),
            presigned: None,
        }
    }
}

/// Why a request proves nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// No signature at all.
    Missing,
    /// A signature that cannot be read, with what is wrong.
    Incomplete(String),
    /// No such access key, or a session token that does not belong to it.
    UnknownKey,
    /// The session is over.
    ExpiredSession,
    /// The signature is not the secret's.
    Mismatch,
    /// Too old, or not yet valid, in AWS' words.
    OutOfTime(String),
}

/// Everything that a signature consists of.
struct Signed {
    scope: Scope,
    at: String,
    headers: Vec<String>,
    signature: String,
    token: Option<String>,
    /// Seconds that a presigned URL is valid.
    expires: Option<i64>,
}

/// What a request claims in its credential scope; nothing is proven yet.
pub(crate) fn claimed_scope(request: &Request<Bytes>) -> Option<Scope> {
    read(request).ok().map(|signed| signed.scope)
}

/// Verifies a request against the keys of the world.
///
/// # Errors
/// Why it proves nobody.
pub(crate) fn verify(
    request: &Request<Bytes>,
    world: &World,
    wall: Timestamp,
    limits: Limits,
) -> Result<Caller, Unproven> {
    let signed = read(request)?;
    let key = world.access_key(&signed.scope.access_key).ok_or(Unproven::UnknownKey)?;
    if key.session_token.as_deref() != signed.token.as_deref() {
        return Err(Unproven::UnknownKey);
    }
    in_time(&signed, wall, limits)?;
    let text = text_to_sign(request, &signed);
    let given = decode_hex(&signed.signature).ok_or(Unproven::Mismatch)?;
    // `verify_slice` compares in constant time.
    signer(&signing_key(&key.secret, &signed.scope), text.as_bytes())
        .and_then(|mac| mac.verify_slice(&given).ok())
        .ok_or(Unproven::Mismatch)?;
    // The order is AWS': an old session of a right signature is «expired», a wrong signature stays wrong.
    if key.expires.is_some_and(|expires| expires <= wall) {
        return Err(Unproven::ExpiredSession);
    }
    Ok(key.caller)
}

fn read(request: &Request<Bytes>) -> Result<Signed, Unproven> {
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if let Some(authorization) = header("authorization") {
        return read_header(&authorization, header("x-amz-date"), header("x-amz-security-token"));
    }
    let pairs = query_pairs(request);
    let parameter = |name: &str| {
        pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    if parameter("X-Amz-Signature").is_none() && parameter("X-Amz-Credential").is_none() {
        return Err(Unproven::Missing);
    }
    let needed = |name: &str| {
        parameter(name).ok_or_else(|| {
            Unproven::Incomplete(format!("AWS query-string parameters must include '{name}'."))
        })
    };
    if needed("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
        return Err(Unproven::Incomplete("Unsupported X-Amz-Algorithm.".to_owned()));
    }
    let expires = needed("X-Amz-Expires")?;
    Ok(Signed {
        scope: scope(&needed("X-Amz-Credential")?)?,
        at: needed("X-Amz-Date")?,
        headers: needed("X-Amz-SignedHeaders")?.split(';').map(str::to_owned).collect(),
        signature: needed("X-Amz-Signature")?,
        token: parameter("X-Amz-Security-Token"),
        expires: Some(expires.parse().ok().filter(|seconds| (1..=604_800).contains(seconds)).ok_or_else(
            || Unproven::Incomplete("X-Amz-Expires must be between 1 and 604800 seconds.".to_owned()),
        )?),
    })
}

fn read_header(authorization: &str, date: Option<String>, token: Option<String>) -> Result<Signed, Unproven> {
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256").ok_or(Unproven::Missing)?;
    let part = |name: &str| {
        let parts = rest.split(',').map(str::trim);
        let found = parts.filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name);
        found
            .map(|(_, value)| value.to_owned())
            .ok_or_else(|| Unproven::Incomplete(format!("Authorization header requires '{name}' parameter.")))
    };
    Ok(Signed {
        scope: scope(&part("Credential")?)?,
        at: date.ok_or_else(|| {
            Unproven::Incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
                    .to_owned(),
            )
        })?,
        headers: part("SignedHeaders")?.split(';').map(str::to_owned).collect(),
        signature: part("Signature")?,
        token,
        expires: None,
    })
}

fn scope(credential: &str) -> Result<Scope, Unproven> {
    let parts: Vec<&str> = credential.split('/').collect();
    match parts.as_slice() {
        [access_key, date, region, service, "aws4_request"] => Ok(Scope {
            access_key: (*access_key).to_owned(),
            date: (*date).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
        }),
        _ => Err(Unproven::Incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
                .to_owned(),
        )),
    }
}

fn in_time(signed: &Signed, wall: Timestamp, limits: Limits) -> Result<(), Unproven> {
    let incomplete = |what: &str| Unproven::Incomplete(what.to_owned());
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", &signed.at)
        .and_then(|at| TimeZone::UTC.to_timestamp(at))
        .map_err(|_| incomplete("Date must be in ISO-8601 'basic format'."))?;
    if !signed.at.starts_with(&signed.scope.date) {
        return Err(incomplete(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.",
        ));
    }
    if at.duration_since(wall) > limits.future {
        let edge = wall.checked_add(limits.future).unwrap_or(Timestamp::MAX);
        return Err(Unproven::OutOfTime(format!(
            "Signature not yet current: {} is still later than {} ({} + {} min.)",
            signed.at,
            basic(edge),
            basic(wall),
            limits.future.as_mins()
        )));
    }
    let lifetime = match signed.expires {
        None => limits.past,
        Some(seconds) => limits.presigned.unwrap_or(SignedDuration::from_secs(seconds)),
    };
    if wall.duration_since(at) > lifetime {
        let edge = wall.checked_sub(lifetime).unwrap_or(Timestamp::MIN);
        return Err(Unproven::OutOfTime(format!(
            "Signature expired: {} is now earlier than {} ({} - {} min.)",
            signed.at,
            basic(edge),
            basic(wall),
            lifetime.as_mins()
        )));
    }
    Ok(())
}

fn basic(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn text_to_sign(request: &Request<Bytes>, signed: &Signed) -> String {
    let Scope { date, region, service, .. } = &signed.scope;
    let canonical = hex(&Sha256::digest(canonical_request(request, signed).as_bytes()));
    format!("AWS4-HMAC-SHA256\n{}\n{date}/{region}/{service}/aws4_request\n{canonical}", signed.at)
}

fn canonical_request(request: &Request<Bytes>, signed: &Signed) -> String {
    let headers = signed
        .headers
        .iter()
        .fold(String::new(), |all, name| all + name + ":" + &header_value(request, name) + "\n");
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method(),
        canonical_path(request.uri().path()),
        canonical_query(request),
        signed.headers.join(";"),
        hex(&Sha256::digest(request.body()))
    )
}

/// A value's outer blanks go, inner runs of blanks become one; several values are joined by commas.
fn header_value(request: &Request<Bytes>, name: &str) -> String {
    let values = request.headers().get_all(name).iter();
    let values = values.map(|value| {
        String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

/// What AWS leaves as it is: letters, digits, `-`, `.`, `_`, `~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The path as it was sent is encoded once more, as every service but S3 wants it.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        if segment == ".." {
            segments.pop();
        } else {
            segments.push(segment);
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    utf8_percent_encode(&format!("/{}{end}", segments.join("/")), RESERVED_IN_PATH).to_string()
}

fn canonical_query(request: &Request<Bytes>) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut pairs: Vec<(String, String)> = query_pairs(request)
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn query_pairs(request: &Request<Bytes>) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let parts = request.uri().query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn signer(key: &[u8], text: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac)
}

fn signing_key(secret: &str, scope: &Scope) -> Vec<u8> {
    let parts = [scope.date.as_str(), &scope.region, &scope.service, "aws4_request"];
    parts.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| {
        signer(&key, part.as_bytes()).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
pub(crate) mod tests;
