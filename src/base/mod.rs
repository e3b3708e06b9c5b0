//! Things that every floor may use and that know nothing of the domain.

pub mod appending;
pub mod body;
pub mod causes;
pub mod clock;
pub mod connector;
pub mod counted;
pub mod descriptors;
pub mod digest_hasher;
pub mod dumps;
pub mod encoding;
pub mod file_stamp;
pub mod files;
pub mod foreign;
pub mod handed;
pub mod network;
pub mod private;
pub mod random;
pub mod reason;
pub mod recent;
pub mod rights;
pub mod secret;
pub mod shutdown;
pub mod steady_clock;
