//! The configuration file: its shape, how it is read, and what is said when it is wrong.
//!
//! 1. [`mod@file`] is shaped like the text. Every key is optional there or has a default.
//! 2. [`mod@load`] reads the text and the `BRAMA__…` variables, and collects every problem at
//!    once. A key that was refused is dropped, so that the rest can still be looked at.
//! 3. Each problem has a place, a key and an advice ([`problem`]). One error, and nothing starts.
//! 4. Keys are documented once, at the field. [`mod@reference`] turns those comments into
//!    `config/reference.toml` and into a JSON schema for editors.
//! 5. Secrets are named by file. No key holds one, and no message repeats the value of an
//!    unknown key.
//!
//! What breaks in deployment: a file written for a newer version has keys that this one does not
//! know. They are errors on purpose, because a protection that is silently left out is worse.

mod bounds;
pub(crate) mod document;
mod explain;
mod field_order;
pub mod file;
mod files;
pub mod load;
mod overlay;
pub mod presets;
pub mod problem;
pub mod reference;
pub mod resolve;
pub(crate) mod shape;
mod source_location;
mod typed;

#[cfg(test)]
mod tests;

pub use files::watched;
pub use load::{Loaded, load, load_text};
pub use problem::{Problem, Problems, Severity};
pub use reference::{reference, schema};
pub use resolve::{check, resolve};
pub use source_location::{Places, SourceLocation};
