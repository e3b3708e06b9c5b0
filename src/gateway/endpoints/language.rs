//! `language`: a citizen chooses the language of our pages, and is back where they were.
//!
//! A foreign page can lead here too. All that it changes is in which of our languages the same is
//! said, and it leads to a path of this host as any link could. The step counts as one of the page
//! that led here, because a redirect keeps that (Fetch metadata).

use http::Response;
use http::header::SET_COOKIE;

use crate::base::body::Body;
use crate::flow::return_to::ReturnTo;
use crate::gateway::{Worker, response};
use crate::pages::Language;
use crate::request::context::{Caller, RequestContext};

/// Answers `GET language?to=uk&return_to=/path`. What is no language of ours changes nothing.
#[must_use]
pub fn answer(worker: &Worker, context: &RequestContext) -> Response<Body> {
    let return_to = ReturnTo::parse(&context.query("return_to").unwrap_or_default());
    let mut response = response::see_other(return_to.as_str());
    // A handle may stand in the address.
    response::keep_address_private(&mut response);
    let chosen = context.query("to").as_deref().and_then(Language::parse);
    // What a browser fetches ahead, nobody has chosen.
    if let Some(language) = chosen.filter(|_| context.caller() == Caller::Navigation) {
        let cookie = worker.shared.settings.cookies.set_language(language);
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
