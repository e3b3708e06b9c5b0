//! Spans as the collector takes them (`opentelemetry/proto/collector/trace/v1/trace_service.proto`,
//! `opentelemetry/proto/trace/v1/trace.proto`, `common/v1/common.proto`, `resource/v1/resource.proto`).
//!
//! Only what is sent is written. The numbers are those of the protocol.

use prost::encoding::{self, WireType};

use super::super::queue::Batch;
use super::super::span::{Kind, Span, Value};

/// Writes an `ExportTraceServiceRequest`. `resource` is what [`resource`] wrote.
pub(super) fn request(batches: &[Batch], resource: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(resource.len() + 256 * batches.len());
    // resource_spans
    nested(&mut out, 1, |out| {
        nested(out, 1, |out| out.extend_from_slice(resource));
        // scope_spans
        nested(out, 2, |out| {
            nested(out, 1, |out| {
                text(out, 1, env!("CARGO_PKG_NAME"));
                text(out, 2, env!("CARGO_PKG_VERSION"));
            });
            for batch in batches {
                for one in &batch.spans {
                    nested(out, 2, |out| span(out, batch, one));
                }
            }
            text(out, 3, SCHEMA);
        });
        text(out, 3, SCHEMA);
    });
    out
}

/// Writes a `Resource`.
pub(super) fn resource(attributes: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in attributes {
        nested(&mut out, 1, |out| {
            text(out, 1, key);
            nested(out, 2, |out| text(out, 1, value));
        });
    }
    out
}

/// The conventions that the names of attributes are of.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";

fn span(out: &mut Vec<u8>, batch: &Batch, span: &Span) {
    bytes(out, 1, batch.trace.bytes());
    bytes(out, 2, span.id.bytes());
    if let Some(state) = batch.state.as_ref().and_then(|state| state.to_str().ok()) {
        text(out, 3, state);
    }
    if let Some(parent) = &span.parent {
        bytes(out, 4, parent.bytes());
    }
    text(out, 5, &span.name);
    number(
        out,
        6,
        match span.kind {
            Kind::Internal => 1,
            Kind::Server => 2,
            Kind::Client => 3,
        },
    );
    let at = |since: std::time::Duration| {
        let nanos = batch.began.as_nanosecond().saturating_add_unsigned(since.as_nanos());
        u64::try_from(nanos).unwrap_or_default()
    };
    encoding::fixed64::encode(7, &at(span.start), out);
    encoding::fixed64::encode(8, &at(span.end), out);
    for (key, value) in &span.attributes {
        nested(out, 9, |out| {
            text(out, 1, key);
            nested(out, 2, |out| any(out, value));
        });
    }
    if span.has_failed {
        // Status: its code is that of an error.
        nested(out, 15, |out| number(out, 3, 2));
    }
    let remote = if span.is_parent_remote { IS_REMOTE } else { 0 };
    let flags = u32::from(batch.flags.byte()) | HAS_IS_REMOTE | remote;
    encoding::fixed32::encode(16, &flags, out);
}

/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK` and `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// An `AnyValue`.
fn any(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Static(value) => text(out, 1, value),
        Value::Shared(value) => text(out, 1, value),
        Value::Text(value) => text(out, 1, value),
        Value::Flag(value) => number(out, 2, u64::from(*value)),
        Value::Number(value) => number(out, 3, value.cast_unsigned()),
    }
}

fn number(out: &mut Vec<u8>, field: u32, number: u64) {
    encoding::encode_key(field, WireType::Varint, out);
    encoding::encode_varint(number, out);
}

fn text(out: &mut Vec<u8>, field: u32, text: &str) {
    bytes(out, field, text.as_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    encoding::encode_key(field, WireType::LengthDelimited, out);
    encoding::encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// A message within a message: its length stands before it, and is known when it is written.
fn nested(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    let end = out.len();
    encoding::encode_key(field, WireType::LengthDelimited, out);
    encoding::encode_varint((end - start) as u64, out);
    let head = out.len() - end;
    out[start..].rotate_right(head);
}
