//! The bearer tokens of EKS, read as the authenticator in the control plane reads them: `k8s-aws-v1.` and a
//! presigned `GetCallerIdentity`, in base64 for URLs without padding. Checks everything that the URL says by
//! itself; whose key signed it, and whether the signature holds, is `authenticator.rs`'s.
//!
//! Source: <https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go>, `Verify`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use url::Url;

const PREFIX: &str = "k8s-aws-v1.";
/// The header that binds a token to one cluster.
pub(crate) const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// Longer ones the authenticator does not even read.
const LONGEST: usize = 16 * 1024;
/// STS honours a presigned URL for 15 minutes, whatever `X-Amz-Expires` says.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// How far the clock of who signed may be ahead, as everywhere in Signature Version 4.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The query parameters that a token's URL may have.
const ALLOWED: [&str; 9] = [
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// A token whose URL is in order. Its `Debug` never shows the URL, which is a credential.
pub(crate) struct Presigned {
    /// The URL, with the signature still to be verified.
    pub(crate) url: Url,
    /// The access key that is said to have signed it.
    pub(crate) access_key: String,
}

impl std::fmt::Debug for Presigned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Presigned").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// Whether a token may be signed for this URL: over TLS for STS of any region, or without for loopback, which is what
/// a client signs for when the simulator is its endpoint for everything.
fn is_allowed_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => url.port().is_none() && is_sts_host(host),
        "http" => matches!(host, "127.0.0.1" | "localhost"),
        _ => false,
    }
}

fn is_sts_host(host: &str) -> bool {
    let region = host.strip_prefix("sts.").and_then(|rest| rest.strip_suffix(".amazonaws.com"));
    let fine = |region: &str| {
        region.split('-').count() >= 3
            && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host == "sts.amazonaws.com" || region.is_some_and(fine)
}

/// Reads a token and checks all that its URL says by itself, at this date.
///
/// # Errors
/// Why it is refused, without any part of the token.
pub(crate) fn read(token: &str, now: Timestamp) -> Result<Presigned, String> {
    if token.len() > LONGEST {
        return Err("token is too large".to_owned());
    }
    let encoded = token.strip_prefix(PREFIX).ok_or("token is missing the expected prefix")?;
    let bytes =
        URL_SAFE_NO_PAD.decode(encoded).map_err(|_| "token is not base64 for URLs without padding")?;
    let text = String::from_utf8(bytes).map_err(|_| "token does not hold a URL")?;
    let url = Url::parse(&text).map_err(|_| "token does not hold a URL")?;
    if !is_allowed_host(&url) {
        return Err("unexpected scheme or host in pre-signed URL".to_owned());
    }
    if url.path() != "/" || url.fragment().is_some() || !url.username().is_empty() {
        return Err("unexpected path in pre-signed URL".to_owned());
    }
    let parameters = parameters(&url)?;
    let get =
        |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if get("action") != Some("GetCallerIdentity") {
        return Err("unexpected action parameter in pre-signed URL".to_owned());
    }
    let signed = get("x-amz-signedheaders").unwrap_or_default();
    if !signed.split(';').any(|header| header.eq_ignore_ascii_case(CLUSTER_HEADER)) {
        return Err(format!("client did not sign the {CLUSTER_HEADER} header in the pre-signed URL"));
    }
    let expires = get("x-amz-expires").and_then(|seconds| seconds.parse::<i64>().ok());
    if !expires.is_some_and(|seconds| (0..=900).contains(&seconds)) {
        return Err("invalid X-Amz-Expires parameter in pre-signed URL".to_owned());
    }
    check_date(get("x-amz-date").unwrap_or_default(), now)?;
    let credential = get("x-amz-credential").unwrap_or_default();
    let access_key = credential.split('/').next().unwrap_or_default().to_owned();
    Ok(Presigned { url, access_key })
}

/// The query parameters with lower-case names, each allowed and there once.
fn parameters(url: &Url) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, value) in url.query_pairs() {
        let name = name.to_ascii_lowercase();
        if !ALLOWED.contains(&name.as_str()) {
            return Err("non-whitelisted query parameter in pre-signed URL".to_owned());
        }
        if found.iter().any(|(known, _)| *known == name) {
            return Err("query parameter with multiple values not supported".to_owned());
        }
        found.push((name, value.into_owned()));
    }
    Ok(found)
}

fn check_date(date: &str, now: Timestamp) -> Result<(), String> {
    let signed_at = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .and_then(|date| TimeZone::UTC.to_timestamp(date))
        .map_err(|_| "error parsing X-Amz-Date parameter of pre-signed URL")?;
    let age = now.duration_since(signed_at);
    if age > LIFETIME {
        return Err("X-Amz-Date parameter is expired (15 minute expiration)".to_owned());
    }
    if age < -SKEW {
        return Err("X-Amz-Date parameter lies in the future".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15\
        &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F20261123%2Fus-east-1%2Fsts%2Faws4_request\
        &X-Amz-Date=20261123T100000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=00";

    fn token(url: &str) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url))
    }

    fn read_at(url: &str, time: &str) -> Result<Presigned, String> {
        read(&token(url), format!("2026-11-23T{time}Z").parse().unwrap())
    }

    #[test]
    fn a_token_in_order_names_its_key() {
        assert_eq!(read_at(GOOD, "10:00:30").unwrap().access_key, "AKIAEXAMPLE");
        let global = GOOD.replace("sts.us-east-1.", "sts.");
        assert!(read_at(&global, "10:00:30").is_ok());
        let own = GOOD.replace("https://sts.us-east-1.amazonaws.com", "http://127.0.0.1:4566");
        assert!(read_at(&own, "10:00:30").is_ok());
    }

    #[test]
    fn the_age_counts_and_not_the_expiry_that_the_url_claims() {
        assert!(read_at(GOOD, "10:14:59").is_ok(), "X-Amz-Expires=60 is ignored, as STS does");
        assert!(read_at(GOOD, "10:15:01").unwrap_err().contains("expired"));
        assert!(read_at(GOOD, "09:54:00").unwrap_err().contains("future"));
    }

    #[test]
    fn whatever_else_the_url_says_is_refused() {
        for (wrong, why) in [
            (GOOD.replace("sts.us-east-1.amazonaws.com", "sts.evil.example"), "host"),
            (GOOD.replace("sts.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com:8443"), "host"),
            (GOOD.replace("sts.us-east-1.amazonaws.com", "sts.x.amazonaws.com"), "host"),
            (GOOD.replace("https://sts.us-east-1.amazonaws.com", "http://10.0.0.1:4566"), "host"),
            (GOOD.replace("https://sts.us-east-1.amazonaws.com", "https://127.0.0.1:4566"), "host"),
            (GOOD.replace("https:", "http:"), "scheme"),
            (GOOD.replace(".com/?", ".com/other?"), "path"),
            (GOOD.replace("GetCallerIdentity", "AssumeRole"), "action"),
            (format!("{GOOD}&Evil=1"), "non-whitelisted"),
            (format!("{GOOD}&action=GetCallerIdentity"), "multiple"),
            (GOOD.replace("%3Bx-k8s-aws-id", ""), "did not sign"),
            (GOOD.replace("Expires=60", "Expires=901"), "Expires"),
            (GOOD.replace("Expires=60", "Expires=-1"), "Expires"),
            (GOOD.replace("20261123T100000Z", "yesterday"), "X-Amz-Date"),
        ] {
            let refused = read_at(&wrong, "10:00:30").unwrap_err();
            assert!(refused.contains(why), "{refused} does not mention {why}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for wrong in
            ["", "k8s-aws-v1.", "k8s-aws-v1.%%%", "k8s-aws-v2.aGk", "k8s-aws-v1.aGk=", &"x".repeat(20_000)]
        {
            assert!(read(wrong, Timestamp::UNIX_EPOCH).is_err());
        }
    }

    #[test]
    fn debug_shows_no_url() {
        let shown = format!("{:?}", read_at(GOOD, "10:00:30").unwrap());
        assert!(!shown.contains("Signature") && !shown.contains("https"), "{shown}");
    }
}
