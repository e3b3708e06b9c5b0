//! The keys and certificates of a simulated world: an authority, the node, a service provider.
//!
//! 1. All keys are elliptic curve P-256, as the node's profile wants them.
//! 2. Subjects look like the real ones: `CN=WK_SIG_EC`, `CN=<issuer>_sig_ec`, `CN=<issuer>_enc_ec`.
//! 3. A directory is filled once and read from then on; what is there is never overwritten.
//! 4. Key files are readable by their owner only and appear whole or not at all.

mod error;
mod make;
mod pair;
mod role;
mod store;
#[cfg(test)]
mod tests;
mod world;
mod wrong;

pub use self::error::Error;
pub use self::make::Names;
pub use self::pair::Pair;
pub use self::role::Role;
pub use self::world::Kit;
pub use self::wrong::WrongTls;
