//! Collects the spans of this program as they end. Waits for nobody.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use pmks_transport::{Clock, Sampling, TraceContext};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::exporter::Queue;
use crate::span::{Kind, Span, Value};

/// The name that a call of a cloud has wherever it is made: outside of every trace it begins one.
const CLOUD_CALL: &str = "cloud_call";

/// Collects spans for the collector.
pub struct TraceLayer {
    clock: Arc<dyn Clock>,
    sampling: Sampling,
    queue: Queue,
}

impl TraceLayer {
    pub(crate) fn new(clock: Arc<dyn Clock>, sampling: Sampling, queue: Queue) -> Self {
        Self { clock, sampling, queue }
    }

    /// Whether it looks at what is of that kind: spans of ours, and never of a crate that may write secrets.
    pub fn looks_at(metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("pmks")
    }
}

/// What is kept with a span while it lasts.
struct Kept {
    context: TraceContext,
    parent: u64,
    began: u64,
    /// Stands for one that is sent later.
    carries: bool,
    attributes: Vec<(&'static str, Value)>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut said = Said::default();
        attributes.record(&mut said);
        let Some((context, parent)) = self.place(&said, &span) else { return };
        let began = said.began.unwrap_or_else(|| nanoseconds(self.clock.wall()));
        let kept = Kept { context, parent, began, carries: said.carries, attributes: said.attributes };
        span.extensions_mut().insert(kept);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(kept) = span.extensions_mut().get_mut::<Kept>() {
            let mut said = Said::default();
            values.record(&mut said);
            kept.attributes.append(&mut said.attributes);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(kept) = span.extensions_mut().remove::<Kept>() else { return };
        if kept.carries || !kept.context.sampled {
            return;
        }
        let name = span.name();
        let failed = failed(name, &kept.attributes);
        let failure = failed.clone().map(|why| ("error.type".to_owned(), Value::Text(why)));
        self.queue.send(Span {
            name: title(name, &kept.attributes),
            kind: kind(name),
            failed,
            context: kept.context,
            parent: kept.parent,
            began: kept.began,
            ended: nanoseconds(self.clock.wall()).max(kept.began),
            attributes: kept
                .attributes
                .into_iter()
                .map(|(field, value)| (attribute(name, field), value))
                .chain(failure)
                .collect(),
        });
    }
}

impl TraceLayer {
    /// Its place and the span above it: said by itself, or by what it stands in.
    fn place<S: for<'a> LookupSpan<'a>>(
        &self,
        said: &Said,
        span: &SpanRef<'_, S>,
    ) -> Option<(TraceContext, u64)> {
        if let Some(own) = said.trace {
            return Some((own, said.parent));
        }
        let above =
            span.scope().skip(1).find_map(|above| above.extensions().get::<Kept>().map(|kept| kept.context));
        match above {
            Some(above) => Some((above.child(), above.span)),
            None if span.name() == CLOUD_CALL => Some((TraceContext::begin(self.sampling), 0)),
            None => None,
        }
    }
}

/// The fields of a span.
#[derive(Default)]
struct Said {
    trace: Option<TraceContext>,
    parent: u64,
    began: Option<u64>,
    carries: bool,
    attributes: Vec<(&'static str, Value)>,
}

impl Said {
    fn text(&mut self, field: &Field, text: String) {
        match field.name() {
            "trace" => self.trace = TraceContext::parse(&text),
            "parent" => self.parent = u64::from_str_radix(&text, 16).unwrap_or(0),
            name => self.attributes.push((name, Value::Text(text))),
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "carries" => self.carries = value,
            name => self.attributes.push((name, Value::Flag(value))),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            "started_ms" => self.began = u64::try_from(value).ok().map(|ms| ms.saturating_mul(1_000_000)),
            name => self.attributes.push((name, Value::Number(value))),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attributes.push((field.name(), Value::Fraction(value)));
    }
}

fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or(0)
}

fn kind(name: &str) -> Kind {
    match name {
        "request" => Kind::Server,
        CLOUD_CALL => Kind::Client,
        _ => Kind::Internal,
    }
}

/// Of few values: what it is of its kind.
fn title(name: &'static str, attributes: &[(&'static str, Value)]) -> String {
    let said = |wanted: &str| text(attributes, wanted);
    match name {
        "request" => format!("{} {}", said("method").unwrap_or("?"), said("route").unwrap_or("unknown")),
        "operation" => said("kind").unwrap_or(name).to_owned(),
        "stage" => said("stage").unwrap_or(name).to_owned(),
        CLOUD_CALL => said("action").unwrap_or(name).to_owned(),
        _ => name.to_owned(),
    }
}

/// What it is called outside, by the conventions where there is a word.
///
/// Source: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>
fn attribute(name: &str, field: &str) -> String {
    match (name, field) {
        ("request", "method") => "http.request.method".to_owned(),
        ("request", "route") => "http.route".to_owned(),
        ("request" | CLOUD_CALL, "status") => "http.response.status_code".to_owned(),
        (_, field) => format!("pmks.{field}"),
    }
}

/// A server failed by a status from 500 on, what was asked by an outcome that is none of the good ones.
fn failed(name: &str, attributes: &[(&'static str, Value)]) -> Option<String> {
    let status = attributes.iter().find_map(|(field, value)| match value {
        Value::Number(number) if *field == "status" => Some(*number),
        _ => None,
    });
    match name {
        "request" => status.filter(|status| *status >= 500).map(|status| status.to_string()),
        _ => text(attributes, "outcome")
            .filter(|outcome| !["1xx", "2xx", "3xx", "done", "succeeded"].contains(outcome))
            .map(str::to_owned),
    }
}

fn text<'a>(attributes: &'a [(&'static str, Value)], wanted: &str) -> Option<&'a str> {
    attributes.iter().find_map(|(field, value)| match value {
        Value::Text(text) if *field == wanted => Some(text.as_str()),
        _ => None,
    })
}
