//! The pages that a citizen sees: on the way to the national node, after an error, at sign-out.
//!
//! 1. A page is text in, text out: no I/O, no clock, no state, nothing from other modules.
//! 2. Everything interpolated is escaped; the only raw text is our own stylesheet and scripts.
//! 3. Each page brings its own content security policy. It must be sent as it is: it names the
//!    hashes of the inline style and script, and it holds for this page alone.
//! 4. No resource of another site, and nothing needs script to work. The one script that is served by
//!    itself is for pages of the portal (`timer.rs`).
//! 5. Words for people live in `text`, below it, and in `labels.rs`, in Polish, English and
//!    Ukrainian. Status codes live elsewhere.
//! 6. Everything that is seen is within a landmark, readable in both schemes of colours, with 320
//!    CSS pixels of width, and without a pointer (WCAG 2.2, level AA).
//!
//! What could break it in deployment: a proxy in front that rewrites HTML (the hashes no longer
//! match) or replaces `Content-Security-Policy`; an `X-Frame-Options: DENY` added to every answer
//! (the page of [`ErrorPage::SignInNeeded`] is made to be shown in a frame of the same portal); a
//! `Referrer-Policy: no-referrer` (browsers then send `Origin: null` with the forms).

mod appearance;
mod around;
mod colours;
mod error_page;
mod form;
mod labels;
mod landing;
mod language;
mod layout;
mod login;
mod logout;
mod plain;
mod policy;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod timer;

pub use appearance::{Appearance, FooterLink, Image, LinkKind, Local, ReasonText, Stylesheet};
pub use around::{Around, Switch};
pub use colours::{Colour, Palette, Rgb, Scheme, TooFaint};
pub use error_page::{ErrorPage, Incident, error_page};
pub use form::{KeptForm, kept_form};
pub use landing::landing;
pub use language::Language;
pub use layout::{Branding, Document, Framing, Page, document, ribbon};
pub use login::{Came, arriving, send_to_node};
pub use logout::{LogoutOutcome, confirm_logout, signed_out};
pub use plain::PlainPage;
pub use template::{Template, TemplateError, is_control};
pub use text::Words;
pub use timer::{SessionTimer, session_script};
