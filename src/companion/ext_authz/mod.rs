//! Envoy, and what is built on it: the filter `ext_authz`, over HTTP and over gRPC.

pub mod grpc;
pub mod http;
