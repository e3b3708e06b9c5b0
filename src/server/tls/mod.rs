//! TLS with rustls: versions 1.2 and 1.3, one crypto provider, certificates from PEM.

mod client;
mod parts;
mod pinned;
mod public;

pub use self::client::{Identity, client};
pub use self::parts::{Error, provider, read_chain, read_key, root_store};
pub use self::pinned::pinned;
pub use self::public::{
    Options, Version, client_authorities, server_config, server_config_for_known_clients,
    server_config_for_some_known_clients,
};
