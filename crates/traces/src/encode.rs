//! OTLP's protobuf messages, as far as spans need them. Writes only.
//!
//! Sources: <https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/trace/v1/trace.proto>,
//! <https://protobuf.dev/programming-guides/encoding/>

use crate::span::{Span, Value};

/// The scope that all spans are of.
const SCOPE: &str = "pmks";
/// The number of the status «error».
const ERROR: u64 = 2;
/// The flags of a span's context, as in `traceparent`: all that are sent are sampled.
const SAMPLED: u32 = 1;

/// An `ExportTraceServiceRequest` of one resource.
pub(crate) fn request(resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    let mut out = Message::default();
    out.message(1, |resource_spans| {
        resource_spans.message(1, |of| {
            for (key, value) in resource {
                of.attribute(1, key, &Value::Text(value.clone()));
            }
        });
        resource_spans.message(2, |scope_spans| {
            scope_spans.message(1, |scope| {
                scope.bytes(1, SCOPE.as_bytes());
                scope.bytes(2, env!("CARGO_PKG_VERSION").as_bytes());
            });
            for span in spans {
                scope_spans.message(2, |out| out.span(span));
            }
        });
    });
    out.0
}

#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn span(&mut self, span: &Span) {
        self.bytes(1, &span.context.trace.to_be_bytes());
        self.bytes(2, &span.context.span.to_be_bytes());
        if span.parent != 0 {
            self.bytes(4, &span.parent.to_be_bytes());
        }
        self.bytes(5, span.name.as_bytes());
        self.number(6, span.kind as u64);
        self.fixed64(7, span.began);
        self.fixed64(8, span.ended);
        for (key, value) in &span.attributes {
            self.attribute(9, key, value);
        }
        if let Some(why) = &span.failed {
            self.message(15, |status| {
                status.bytes(2, why.as_bytes());
                status.number(3, ERROR);
            });
        }
        self.fixed32(16, SAMPLED);
    }

    fn attribute(&mut self, field: u32, key: &str, value: &Value) {
        self.message(field, |pair| {
            pair.bytes(1, key.as_bytes());
            pair.message(2, |any| match value {
                Value::Text(text) => any.bytes(1, text.as_bytes()),
                Value::Flag(flag) => any.number(2, u64::from(*flag)),
                Value::Number(number) => any.number(3, number.cast_unsigned()),
                Value::Fraction(fraction) => any.fixed64(4, fraction.to_bits()),
            });
        });
    }

    fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, field: u32, number: u64) {
        self.key(field, 0);
        self.varint(number);
    }

    fn fixed64(&mut self, field: u32, bits: u64) {
        self.key(field, 1);
        self.0.extend_from_slice(&bits.to_le_bytes());
    }

    fn fixed32(&mut self, field: u32, bits: u32) {
        self.key(field, 5);
        self.0.extend_from_slice(&bits.to_le_bytes());
    }

    fn key(&mut self, field: u32, wire: u32) {
        self.varint(u64::from(field << 3 | wire));
    }

    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(low(number) | 0x80);
            number >>= 7;
        }
        self.0.push(low(number));
    }
}

/// The lowest seven bits.
fn low(number: u64) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_guide_shows() {
        let mut message = Message::default();
        message.number(1, 150);
        message.bytes(2, b"testing");
        assert_eq!(message.0, b"\x08\x96\x01\x12\x07testing");
        let mut message = Message::default();
        message.number(16, u64::MAX);
        assert_eq!(message.0, b"\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    }
}
