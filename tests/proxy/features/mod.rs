//! What a portal and its visitors do with a proxy between them, and do not notice it.

mod addresses;
mod ahead;
mod balance;
mod bulk;
mod clients;
mod connection_auth;
mod dav;
mod early;
mod edge;
mod fronts;
mod grpc;
mod http_2;
mod lasting;
mod limits;
mod patience;
mod portal_sessions;
mod portals;
mod preflight;
mod streaming;
mod told;
mod tries;
mod unprocessed;
mod upgrade;
mod verified;
mod via;
mod websocket;
