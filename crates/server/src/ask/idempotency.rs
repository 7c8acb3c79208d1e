//! Idempotency keys, bound to caller, method, path and a hash of what was asked.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use pmks_core::Idempotency;

use crate::refused::Refused;

const HEADER: &str = "Idempotency-Key";
const LONGEST: usize = 255;

/// The key of a request, if it came with one.
pub(super) fn key(parts: &Parts, body: &[u8]) -> Result<Option<Idempotency>, Refused> {
    let mut values = parts.headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().map(str::trim).unwrap_or_default();
    if key.is_empty() || key.len() > LONGEST || values.next().is_some() {
        return Err(Refused::malformed(HEADER, format!("is one text of 1 to {LONGEST} visible characters")));
    }
    // The query says what is asked as much as the body does.
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(parts.uri.query().unwrap_or_default().as_bytes());
    hash.update(b"\n");
    hash.update(body);
    Ok(Some(Idempotency {
        key: key.to_owned(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        body_hash: URL_SAFE_NO_PAD.encode(hash.finish()),
    }))
}
