//! One call of a cloud's API, described before it is sent. Knows no credential: the signer adds that to each try.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::Url;

use crate::{Effect, Error, ErrorKind, Lane};

/// What RFC 3986 calls unreserved stays; everything else is escaped, a space as `%20`. Signatures need this form:
/// with `+` for a space, client and cloud may read the same query differently.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `base` with `segments` below its own path, each escaped as RFC 3986 has it: each stays one segment, whatever it holds.
pub fn below(base: &Url, segments: &[&str]) -> Url {
    if segments.is_empty() {
        return base.clone();
    }
    let mut path = base.path().trim_end_matches('/').to_owned();
    for segment in segments {
        path.push('/');
        // A name of dots alone would walk up the path, escaped once as well: no resource has it.
        if segment.bytes().all(|byte| byte == b'.') {
            path.extend(segment.bytes().map(|_| "%252E"));
        } else {
            path.extend(utf8_percent_encode(segment, STRICT));
        }
    }
    let mut url = base.clone();
    url.set_path(&path);
    url
}

/// One call of a cloud's API.
#[derive(Clone)]
pub struct Call {
    pub(crate) service: &'static str,
    pub(crate) action: &'static str,
    pub(crate) effect: Effect,
    pub(crate) lane: Lane,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) sign_as: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) unchanging: Option<Duration>,
    pub(crate) is_nameless: bool,
}

impl Call {
    /// A call without headers and body. `service` and `action` are its name in errors, metrics, records and buckets
    /// (`"eks"`, `"eks.CreateCluster"`). Its lane is [`Lane::Live`] for a read, else [`Lane::Ask`].
    pub fn new(
        service: &'static str,
        action: &'static str,
        effect: Effect,
        method: Method,
        url: Url,
    ) -> Self {
        let lane = if effect == Effect::Read { Lane::Live } else { Lane::Ask };
        Self {
            service,
            action,
            effect,
            lane,
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            sign_as: None,
            region: None,
            unchanging: None,
            is_nameless: false,
        }
    }

    /// Puts the call in another lane.
    #[must_use]
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// Of a read of what nobody's change alters, such as the versions on offer: an answer to the same question that came
    /// at most so long ago will do.
    #[must_use]
    pub fn unchanging(mut self, for_as_long_as: Duration) -> Self {
        self.unchanging = Some(for_as_long_as);
        self
    }

    /// Goes below its URL as [`below`] does. A call one of whose segments is empty would be one to what stands above what
    /// it means (all clusters instead of one): it is refused when it is sent.
    #[must_use]
    pub fn below(mut self, segments: &[&str]) -> Self {
        self.is_nameless |= segments.iter().any(|segment| segment.is_empty());
        self.url = below(&self.url, segments);
        self
    }

    /// Ends the path with a custom method, `pool:setSize`.
    ///
    /// Source: <https://google.aip.dev/136>
    #[must_use]
    pub fn custom_method(mut self, method: &str) -> Self {
        let path = format!("{}:{method}", self.url.path());
        self.url.set_path(&path);
        self
    }

    /// Signs for this service name, where the cloud's signature names the service otherwise than we do.
    #[must_use]
    pub fn sign_as(mut self, service: impl Into<String>) -> Self {
        self.sign_as = Some(service.into());
        self
    }

    /// Signs for this region instead of the client's, for services that live in one region alone.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets a header from text.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when `value` is not allowed in a header.
    pub fn header_text(self, name: HeaderName, value: &str) -> Result<Self, Error> {
        match HeaderValue::from_str(value) {
            Ok(value) => Ok(self.header(name, value)),
            Err(error) => {
                let message = format!("the header `{name}` cannot carry this value");
                Err(Error::new(ErrorKind::Invalid, self.action, message).caused_by(error))
            }
        }
    }

    /// Adds a query parameter, escaped as RFC 3986 has it.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let pair = pair(name, value);
        let query = match self.url.query() {
            Some(query) if !query.is_empty() => format!("{query}&{pair}"),
            _ => pair,
        };
        self.url.set_query(Some(&query));
        self
    }

    /// Sets a JSON body and its content type, unless a content type is already set.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when `value` does not serialize.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, Error> {
        match serde_json::to_vec(value) {
            Ok(bytes) => Ok(self.typed_body("application/json", bytes)),
            Err(error) => Err(Error::new(ErrorKind::Invalid, self.action, "the request does not serialize")
                .caused_by(error)),
        }
    }

    /// Sets a form body and its content type, unless a content type is already set.
    #[must_use]
    pub fn form<K: AsRef<str>, V: AsRef<str>>(self, fields: &[(K, V)]) -> Self {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| pair(name.as_ref(), value.as_ref())).collect();
        self.typed_body("application/x-www-form-urlencoded; charset=utf-8", pairs.join("&").into_bytes())
    }

    /// Sets the body; the content type is the caller's to set.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The service.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The call's name.
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// What the call does at the cloud.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Where the call goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    fn typed_body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        self.body(body)
    }
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", utf8_percent_encode(name, STRICT), utf8_percent_encode(value, STRICT))
}

/// The call's name and place only: query, headers and body may hold secrets.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("action", &self.action)
            .field("effect", &self.effect)
            .field("lane", &self.lane)
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        let url = Url::parse("https://eks.example/clusters").unwrap();
        Call::new("eks", "eks.ListClusters", Effect::Read, Method::GET, url)
    }

    #[test]
    fn query_and_form_escape_strictly() {
        let call = call().query("a b", "x+y&z=é~").query("empty", "");
        assert_eq!(call.url().query(), Some("a%20b=x%2By%26z%3D%C3%A9~&empty="));
        let call = call.form(&[("Filter.1.Value", "a b/c"), ("n", "1")]);
        assert_eq!(call.body, "Filter.1.Value=a%20b%2Fc&n=1");
    }

    #[test]
    fn every_segment_stays_one() {
        for (base, segments, url) in [
            ("http://h/arm/", &["x", "a b"][..], "http://h/arm/x/a%20b"),
            ("http://h", &["tags", "arn:aws:x/y z"], "http://h/tags/arn%3Aaws%3Ax%2Fy%20z"),
            ("http://h/", &["x", "../etc"], "http://h/x/..%2Fetc"),
            ("http://h/", &["x", "..", "y"], "http://h/x/%252E%252E/y"),
            ("http://h/a/", &[], "http://h/a/"),
        ] {
            assert_eq!(below(&Url::parse(base).unwrap(), segments).as_str(), url);
        }
        let call = call().below(&["a/b", "pool"]).custom_method("setSize");
        assert_eq!(call.url().path(), "/clusters/a%2Fb/pool:setSize");
    }

    #[test]
    fn a_content_type_that_is_set_stays() {
        let amz = HeaderValue::from_static("application/x-amz-json-1.1");
        let call = call().header(header::CONTENT_TYPE, amz.clone()).json(&[1]).unwrap();
        assert_eq!(call.headers.get(header::CONTENT_TYPE), Some(&amz));
    }

    #[test]
    fn lanes_follow_the_effect_and_errors_name_the_action() {
        assert_eq!(call().lane, Lane::Live);
        let url = call().url;
        assert_eq!(Call::new("eks", "x", Effect::Creates, Method::GET, url).lane, Lane::Ask);
        let error = call().header_text(header::ACCEPT, "a\nsecret").unwrap_err();
        assert_eq!(error.to_string(), "eks.ListClusters: the header `accept` cannot carry this value");
        let unserializable = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(call().json(&unserializable).unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn debug_shows_neither_query_nor_body() {
        let text = format!("{:?}", call().query("token", "hunter2").body("hunter2"));
        assert!(!text.contains("hunter2"), "{text}");
    }
}
