//! An answer of a cloud, of any status. Says how busy the cloud is, never what its error means.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822};

/// An answer, whatever its status.
#[derive(Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// The whole body, decompressed.
    pub body: Bytes,
    /// The cloud's identifier of this request, where a header carries it.
    pub request_id: Option<String>,
    /// From the first byte sent to the last one received, of this try alone.
    pub duration: Duration,
}

/// How the cloud took a call, as far as the transport must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that concerns the transport, a refusal included.
    Fine,
    /// The cloud asks for fewer calls of this action.
    Throttled {
        /// When the cloud says to come back, where it does.
        retry_after: Option<Duration>,
    },
    /// The cloud could not answer this time.
    Unavailable,
    /// The cloud did not accept what the call was signed with, and so did nothing of it.
    Unauthenticated,
}

/// The verdict by status alone: 429 is throttled, as is 503 with `Retry-After`; other 5xx but 501 and 505 are
/// unavailable, and so is 408; 401 is unauthenticated. A driver whose cloud speaks otherwise brings its own function.
pub fn classify_by_status(response: &Response) -> Verdict {
    let after = retry_after(&response.headers);
    match response.status.as_u16() {
        429 => Verdict::Throttled { retry_after: after },
        503 if after.is_some() => Verdict::Throttled { retry_after: after },
        408 | 500 | 502 | 503 | 504 => Verdict::Unavailable,
        401 => Verdict::Unauthenticated,
        _ => Verdict::Fine,
    }
}

/// Reads `Retry-After`: seconds, or a date, measured against the answer's own `Date`. `None` when absent or
/// unreadable; zero when the date has passed.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let (until, now) = (http_date(text)?, date(headers)?);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// A status with which clouds refuse a signature's date. Whatever it was refused for, it was not applied.
pub(crate) fn is_refusal(response: &Response) -> bool {
    matches!(response.status.as_u16(), 400 | 401 | 403)
}

/// The answer's `Date`.
pub(crate) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(header::DATE)?.to_str().ok()?)
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text.trim()).ok().map(|date| date.timestamp())
}

/// Where clouds put the identifier of a request: AWS, Azure, Google, Alibaba, OpenStack, and the common word.
const REQUEST_ID: [&str; 7] = [
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-ms-request-id",
    "x-goog-request-id",
    "x-acs-request-id",
    "x-openstack-request-id",
    "x-request-id",
];

pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    REQUEST_ID.iter().find_map(|name| headers.get(*name)?.to_str().ok().map(str::to_owned))
}

/// Size instead of the body, names instead of the headers: both may hold secrets.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("request_id", &self.request_id)
            .field("duration", &self.duration)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = ("date", "Mon, 23 Nov 2026 10:00:00 GMT");
        for (given, expected) in [
            (headers(&[]), None),
            (headers(&[("retry-after", "7")]), Some(7)),
            (headers(&[("retry-after", "soon")]), None),
            (headers(&[("retry-after", "-1")]), None),
            (headers(&[date, ("retry-after", "Mon, 23 Nov 2026 10:01:30 GMT")]), Some(90)),
            (headers(&[date, ("retry-after", "Mon, 23 Nov 2026 09:00:00 GMT")]), Some(0)),
            (headers(&[("retry-after", "Mon, 23 Nov 2026 10:01:30 GMT")]), None),
        ] {
            assert_eq!(retry_after(&given), expected.map(Duration::from_secs), "{given:?}");
        }
    }

    #[test]
    fn the_status_gives_a_verdict() {
        let throttled =
            |seconds: Option<u64>| Verdict::Throttled { retry_after: seconds.map(Duration::from_secs) };
        for (status, given, expected) in [
            (200, headers(&[]), Verdict::Fine),
            (400, headers(&[]), Verdict::Fine),
            (501, headers(&[]), Verdict::Fine),
            (429, headers(&[]), throttled(None)),
            (429, headers(&[("retry-after", "3")]), throttled(Some(3))),
            (503, headers(&[("retry-after", "3")]), throttled(Some(3))),
            (503, headers(&[]), Verdict::Unavailable),
            (500, headers(&[]), Verdict::Unavailable),
            (504, headers(&[]), Verdict::Unavailable),
            (408, headers(&[]), Verdict::Unavailable),
            (401, headers(&[]), Verdict::Unauthenticated),
            (403, headers(&[]), Verdict::Fine),
        ] {
            let response = Response {
                status: StatusCode::from_u16(status).unwrap(),
                headers: given,
                body: Bytes::new(),
                request_id: None,
                duration: Duration::ZERO,
            };
            assert_eq!(classify_by_status(&response), expected, "{status}");
        }
    }
}
