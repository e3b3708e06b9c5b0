//! The messages of Envoy and of health, as far as they are read and written here
//! (`envoy/service/auth/v3/external_auth.proto` and `attribute_context.proto`,
//! `envoy/config/core/v3`, `google/rpc/status.proto`, `grpc/health/v1/health.proto`).
//!
//! 1. The numbers are those of the protocol, and so are the types as they stand on the wire. What is
//!    not here is skipped when a message is read: the body of a request above all.
//! 2. What is text in the protocol is bytes in what we read, so that a question with text that is
//!    none is told apart from one that is no message.
//! 3. A map is a list of pairs on the wire, and is one here: nothing that came twice is lost.
//! 4. How a value stands on the wire is the business of `prost`; [`protobuf`] says which values a
//!    message has. No code is generated.

mod protobuf;

use bytes::Bytes;

pub(super) use self::protobuf::Texts;
use self::protobuf::message;

message! {
    /// What Envoy asks.
    CheckRequest { attributes: Option<Attributes> = 1 }
}

message! {
    Attributes { source: Option<Source> = 1, request: Option<Request> = 4 }
}

message! {
    Source { address: Option<Address> = 1 }
}

message! {
    Address { socket_address: Option<SocketAddress> = 1 }
}

message! {
    SocketAddress { address: Bytes = 2 }
}

message! {
    Request { http: Option<HttpRequest> = 2 }
}

message! {
    HttpRequest {
        method: Bytes = 2,
        /// The headers, one for each name.
        headers: Vec<Header> = 3,
        /// The headers as they came (`encode_raw_headers`).
        header_map: Option<Headers> = 13,
        path: Bytes = 4,
        host: Bytes = 5,
        scheme: Bytes = 6,
        /// Envoy leaves it empty, as it does the fragment.
        query: Bytes = 7,
        fragment: Bytes = 8,
    }
}

message! {
    Headers { headers: Vec<Header> = 1 }
}

message! {
    /// A header; a pair of a map has the first two.
    Header { key: Bytes = 1, value: Bytes = 2, raw_value: Bytes = 3 }
}

message! {
    /// What we answer: one of `denied` and `allowed`.
    CheckResponse {
        status: Option<Status> = 1,
        denied: Option<Denied> = 2,
        allowed: Option<Allowed> = 3,
        dynamic_metadata: Option<Struct> = 4,
    }
}

message! {
    /// 0 is a yes, whatever stands beside it.
    Status { code: i32 = 1 }
}

message! {
    Allowed { headers: Vec<SetHeader> = 2, headers_to_remove: Texts = 5 }
}

message! {
    Denied {
        status: Option<HttpStatus> = 1,
        headers: Vec<SetHeader> = 2,
        body: String = 3,
    }
}

message! {
    HttpStatus { code: i32 = 1 }
}

message! {
    SetHeader {
        header: Option<Header> = 1,
        /// One of [`APPEND`] and [`OVERWRITE`].
        append_action: i32 = 3,
        keep_empty_value: bool = 4,
    }
}

/// `APPEND_IF_EXISTS_OR_ADD`.
pub(super) const APPEND: i32 = 0;
/// `OVERWRITE_IF_EXISTS_OR_ADD`.
pub(super) const OVERWRITE: i32 = 2;

message! {
    /// `google.protobuf.Struct`, of text only.
    Struct { fields: Vec<Field> = 1 }
}

message! {
    Field { key: Bytes = 1, value: Option<Text> = 2 }
}

message! {
    Text { string_value: Bytes = 3 }
}

message! {
    /// Of which service health is asked.
    HealthCheckRequest { service: String = 1 }
}

message! {
    HealthCheckResponse { status: i32 = 1 }
}
