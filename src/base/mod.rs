//! Things that every floor may use and that know nothing of the domain.

pub mod causes;
pub mod clock;
pub mod encoding;
pub mod random;
pub mod secret;
