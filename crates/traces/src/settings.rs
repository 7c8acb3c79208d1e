//! Where traces go, by the variables that every program with OpenTelemetry reads. Off unless an endpoint is named.
//!
//! Sources: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use std::fmt;
use std::time::Duration;

use pmks_transport::Sampling;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// Where traces go, and how. `Debug` shows no header: they may hold keys.
#[derive(Clone)]
pub struct Settings {
    /// Where they are posted.
    pub(crate) endpoint: Url,
    pub(crate) headers: HeaderMap,
    /// A PEM file of authorities to trust beside the machine's.
    pub(crate) certificate: Option<std::path::PathBuf>,
    /// How long the collector may take for one batch.
    pub(crate) timeout: Duration,
    /// What all spans are of.
    pub(crate) resource: Vec<(String, String)>,
    /// Which traces that begin here are kept.
    pub sampling: Sampling,
    /// How long spans are gathered.
    pub(crate) delay: Duration,
    /// How many spans wait at most.
    pub(crate) queue: usize,
    /// How many are sent at once.
    pub(crate) batch: usize,
}

/// Why no traces are sent although somebody wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(pub String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

impl Settings {
    /// By the variables; `None` where nobody wants traces.
    ///
    /// # Errors
    /// For a value that cannot be used. It is never repeated: it may be a key.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, Unusable> {
        let given = |name: &str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let of_traces = |name: &str| {
            given(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"))
                .or_else(|| given(&format!("OTEL_EXPORTER_OTLP_{name}")))
        };
        let off = given("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        match given("OTEL_TRACES_EXPORTER").as_deref() {
            Some("none") => return Ok(None),
            None | Some("otlp") => {}
            Some(_) => return Err(unusable("OTEL_TRACES_EXPORTER is neither otlp nor none")),
        }
        let Some(endpoint) = endpoint(&given)?.filter(|_| !off) else { return Ok(None) };
        if of_traces("PROTOCOL").is_some_and(|protocol| protocol != "http/protobuf") {
            return Err(unusable(
                "OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent by http/protobuf only (port 4318)",
            ));
        }
        let number = |name: &str, usual: u64| match given(name) {
            None => Ok(usual),
            Some(text) => match text.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(unusable(&format!("{name} is no number above 0"))),
            },
        };
        let size = |name: &str, usual: u64| {
            number(name, usual).map(|size| usize::try_from(size).unwrap_or(usize::MAX))
        };
        let timeout = match given("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT") {
            Some(_) => number("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", 10_000)?,
            None => number("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000)?,
        };
        let queue = size("OTEL_BSP_MAX_QUEUE_SIZE", 2_048)?;
        Ok(Some(Self {
            endpoint,
            headers: headers(&of_traces("HEADERS").unwrap_or_default())?,
            certificate: of_traces("CERTIFICATE").map(Into::into),
            timeout: Duration::from_millis(timeout),
            resource: resource(&given)?,
            sampling: sampling(&given)?,
            delay: Duration::from_millis(number("OTEL_BSP_SCHEDULE_DELAY", 5_000)?),
            batch: size("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)?.min(queue),
            queue,
        }))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("host", &self.endpoint.host_str()).finish_non_exhaustive()
    }
}

/// The one of traces as it is, else the one of all signals with the path of traces.
fn endpoint(given: &dyn Fn(&str) -> Option<String>) -> Result<Option<Url>, Unusable> {
    let (name, text) = match given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        Some(text) => ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", text),
        None => match given("OTEL_EXPORTER_OTLP_ENDPOINT") {
            Some(text) => {
                ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("{}/v1/traces", text.trim_end_matches('/')))
            }
            None => return Ok(None),
        },
    };
    let url =
        Url::parse(&text).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    url.map(Some).ok_or_else(|| unusable(&format!("{name} is no http or https URL")))
}

/// `name=value,…`, percent-encoded.
fn pairs(name: &str, text: &str) -> Result<Vec<(String, String)>, Unusable> {
    let decoded = |part: &str| {
        let decoded = percent_encoding::percent_decode_str(part.trim()).decode_utf8();
        decoded.map(std::borrow::Cow::into_owned).map_err(|_| unusable(&format!("{name} is no text")))
    };
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    pairs
        .map(|pair| {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| unusable(&format!("{name} is no list of NAME=VALUE")))?;
            Ok((decoded(key)?, decoded(value)?))
        })
        .collect()
}

fn headers(text: &str) -> Result<HeaderMap, Unusable> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs("OTEL_EXPORTER_OTLP_HEADERS", text)? {
        let wrong = || unusable("OTEL_EXPORTER_OTLP_HEADERS holds what is no header");
        let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
    }
    Ok(headers)
}

fn resource(given: &dyn Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>, Unusable> {
    let text = given("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let mut all = pairs("OTEL_RESOURCE_ATTRIBUTES", &text)?;
    if let Some(name) = given("OTEL_SERVICE_NAME") {
        all.retain(|(key, _)| key != "service.name");
        all.push(("service.name".to_owned(), name));
    }
    for (key, value) in [
        ("service.name", "pmks"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("telemetry.sdk.name", "pmks"),
        ("telemetry.sdk.language", "rust"),
    ] {
        if !all.iter().any(|(known, _)| known == key) {
            all.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(all)
}

/// Whoever came with a trace has decided already: only traces that begin here are sampled.
fn sampling(given: &dyn Fn(&str) -> Option<String>) -> Result<Sampling, Unusable> {
    let share = match given("OTEL_TRACES_SAMPLER").as_deref() {
        None | Some("parentbased_always_on") => Some(1.0),
        Some("parentbased_always_off") => Some(0.0),
        Some("parentbased_traceidratio") => {
            given("OTEL_TRACES_SAMPLER_ARG").map_or(Some(1.0), |text| text.parse().ok())
        }
        Some(_) => None,
    };
    share.and_then(Sampling::of).ok_or_else(|| {
        unusable(
            "OTEL_TRACES_SAMPLER is none of parentbased_always_on, parentbased_always_off, \
             parentbased_traceidratio with OTEL_TRACES_SAMPLER_ARG from 0 to 1",
        )
    })
}

fn unusable(says: &str) -> Unusable {
    Unusable(says.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, Unusable> {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::read(&find)
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");

    #[test]
    fn nobody_is_sent_anything_who_did_not_ask() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).unwrap().is_none());
        assert!(read(&[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")]).unwrap().is_none());
        assert!(read(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")]).unwrap().is_none());
    }

    #[test]
    fn endpoints_of_traces_are_taken_as_they_are() {
        let usual = read(&[ENDPOINT]).unwrap().unwrap();
        assert_eq!(usual.endpoint.as_str(), "http://collector:4318/v1/traces");
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://other/in?x=1");
        assert_eq!(read(&[ENDPOINT, own]).unwrap().unwrap().endpoint.as_str(), "https://other/in?x=1");
    }

    #[test]
    fn what_is_said_of_the_resource_is_kept() {
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=te%20st");
        let said = read(&[ENDPOINT, attributes, ("OTEL_SERVICE_NAME", "b")]).unwrap().unwrap().resource;
        let value = |key: &str| said.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
        assert_eq!((value("service.name"), value("deployment.environment.name")), (Some("b"), Some("te st")));
        assert!(value("service.version").is_some());
    }

    #[test]
    fn a_key_is_never_shown() {
        let keyed = [ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2")];
        let settings = read(&keyed).unwrap().unwrap();
        assert_eq!(settings.headers["authorization"], "Bearer hunter2");
        assert!(!format!("{settings:?} {:?}", settings.headers).contains("hunter2"));
        let wrong = read(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2")]).unwrap_err();
        assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "unix:/x"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ] {
            let wrong = read(&[(name, value), ENDPOINT]).unwrap_err();
            assert!(wrong.to_string().contains(name), "{wrong}");
        }
    }
}
