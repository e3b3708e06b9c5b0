//! HTTP: what is spoken, what is refused, and how connections end.
//!
//! # What is spoken
//!
//! | | with clients | with upstreams |
//! |---|---|---|
//! | HTTP/1.1 | always | `protocol = "http1"`, the default |
//! | HTTP/1.0 | answered, then closed | read, then closed |
//! | HTTP/2 | over TLS (ALPN) and without it (prior knowledge), unless `http2 = false` | `protocol = "http2"`, or `"auto"` over TLS |
//! | WebSocket | upgrade in HTTP/1.1, extended CONNECT in HTTP/2 (RFC 8441) | upgrade in HTTP/1.1 |
//! | gRPC | over HTTP/2 | over HTTP/2 |
//!
//! HTTP/1.1 is read and written by [`crate::wire`], HTTP/2 by hyper. Between the two, a message is
//! understood and written anew; no byte of a head is copied unread.
//!
//! # What is refused
//!
//! A request that two servers could read in two ways is how something is smuggled past a gateway. It
//! gets an answer, and its connection ends, because nobody knows where the next request would begin.
//!
//! | what | answer |
//! |---|---|
//! | a line without CR LF, a bare CR, NUL or another control character | `request.malformed` |
//! | a method that is not `[A-Z][A-Z_-]*` of at most 32 characters | `request.malformed` |
//! | more than one space in the request line, white space before a colon, a folded line, an empty name | `request.malformed` |
//! | another version than 1.1 and 1.0 | `request.version` |
//! | `Content-Length` and `Transfer-Encoding` together; either of them twice; `5, 5`; anything but digits | `request.framing` |
//! | `Transfer-Encoding` other than `chunked`, or in HTTP/1.0 | `request.framing` |
//! | chunk extensions, more than 16 digits of a size, data that goes on after its end | `request.framing` |
//! | a trailer with a field that changes how the message is understood, or with a name of ours | `request.framing` |
//! | `Expect` other than `100-continue` | `request.expectation` |
//! | no host, two, a malformed one, or a target that names another | `request.host` |
//! | a path with `..`, `//`, `\`, an encoded slash, and so on ([`crate::request::path`]) | `request.ambiguous_path` |
//! | a header that imitates an identity header, or a `Connection` that names one | `request.identity_header_alias`, `request.connection_names_identity` |
//! | TRACE and CONNECT | `request.method_not_allowed` |
//! | more or longer than `max_header`, `max_header_fields`, `max_target`, `max_body` | `request.header_too_large`, `request.target_too_long`, `request.body_too_large` |
//!
//! One empty line before a request is passed over (RFC 9112 2.2). Answers of upstreams are read as strictly; what is not clear becomes `upstream.bad_answer`.
//!
//! # Bodies
//!
//! They move piece by piece, as fast as the slower side reads; what waits is at most 64 KiB for each
//! connection, more in HTTP/2, where windows bound it. A client that waits for `100 Continue` is
//! asked for its body when the upstream wants it, or after a second. An upstream may answer before it
//! has read a request; then the rest of the request is not waited for. When a client hangs up, what
//! was done for it at the upstream is given up.
//!
//! # Once more
//!
//! A request is sent to an upstream a second time only when nothing of an answer came, and only if no
//! connection could be made, or if it is GET, HEAD or OPTIONS without a body and its connection broke.
//!
//! # What is open is judged again
//!
//! An answer that is still on its way (a download, an event stream, a call of gRPC), an upload, and an
//! upgraded connection belong to the session in whose name they were opened, and to the policy. They end
//! within a second
//!
//! - when the session ends: by sign-out, by time, by an operator, or because the citizen stepped up and
//!   got a new one, at every replica. Bytes that pass are no sign of life, because a page that only stays
//!   open has them too: a download that lasts longer than `session.idle` needs another sign, or
//!   `outlives_session = true` at its route, which is for its answers and uploads, never for WebSockets;
//! - when a new configuration would not let the same request (host, path, method, client, session) pass any
//!   more: its route is gone or does not go on to an upstream, a higher level is required, the place is
//!   closed for work. What would still pass is not touched. Time alone ends nothing: a login that has
//!   become too old for `max_age` counts at the next request. What was opened at a public place was
//!   opened in nobody's name; when the place asks for somebody, it ends, and comes again with its cookie.
//!
//! How it is told: in HTTP/1.1 the connection ends in the middle of the body, without the last chunk or
//! before the announced length; in HTTP/2 the stream is reset; a WebSocket gets the close code 1008. An
//! HTTP/1.0 client without a length cannot tell that from an end. The line of the access log has the
//! reason, `session.ended_meanwhile` or `policy.changed_meanwhile`, and `brama_refusals_total` counts it.
//! What was handed to the kernel or to the window of a stream already may still arrive.
//!
//! A request without an answer so far is refused, with 401 or 403, while its body is still on its way, if
//! it only reads, or if it speaks gRPC. Any other that was sent whole is waited for: its outcome belongs to
//! whoever sent it. A predecessor that a successor took over from (`SIGUSR2`) judges by its own
//! configuration what it still has, until `listen.drain_timeout`.
//!
//! # Upgraded connections
//!
//! `upgrade` of a route names the protocols that a connection may change to, `["websocket"]` by default,
//! none with `[]`. What is not named is left out of the request, which goes on as an ordinary one: RFC 9110
//! 7.8 lets a server ignore the wish, and clients that offer a protocol must reckon with it. HTTP/2 in the
//! clear cannot be named. A WebSocket of HTTP/2 (RFC 8441) is opened or refused, because its client takes
//! every success for an open one: 501 and `request.upgrade_not_allowed` where the route does not name it,
//! 502 when the upstream answers as if it were a page.
//!
//! Bytes of the client go on only after the upstream's `101`, and only to a protocol that the client and
//! the route named. When the gateway stops, a WebSocket is closed with code 1001.
//!
//! It has no time limit of its own. A side that hangs up ends it for both, and so does one that has
//! vanished without a word: on every TCP connection, to clients and to upstreams, the kernel asks
//! after a minute in which nothing came (keep-alive), and gives up when four questions, 15 seconds
//! apart, stay without an answer ([`crate::wire::vanished`]). What was sent and is not acknowledged
//! is repeated meanwhile, for as long as the kernel does that (`net.ipv4.tcp_retries2`, a quarter of
//! an hour by default).
//!
//! # Connections of clients
//!
//! A handshake has `handshake_timeout`, a head `header_timeout`; between two requests a connection may
//! wait for `idle_timeout`; in the middle of an exchange nobody may stand still longer than
//! `stall_timeout`. At most `max_connections` are open, and `max_connections_per_address` for one
//! address or IPv6 /64. In HTTP/2, `http2_max_streams` requests at once, and a client that opens and
//! resets streams without end is cut off after `http2_max_resets`.
