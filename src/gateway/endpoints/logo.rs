//! `logo-…`: the images of our pages. The same for every browser, named after their content.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

use crate::base::body::{self, Body};
use crate::base::reason::Reason;
use crate::gateway::Worker;
use crate::gateway::failure::Failure;
use crate::pages::ErrorPage;
use crate::request::context::RequestContext;

/// What the names of images begin with.
pub const STEM: &str = "logo-";

/// Answers with an image. Of a name with another digest, as another replica may have said it while
/// the configuration changes, the present content is sent, and not kept.
///
/// # Errors
/// When there is no such image.
pub fn answer(worker: &Worker, context: &RequestContext) -> Result<Response<Body>, Failure> {
    let settings = &worker.shared.settings;
    let name = context.path().strip_prefix(&*settings.prefix).unwrap_or_default();
    let Some(image) = settings.appearance.image(name) else {
        let (page, status) = (ErrorPage::NotFound, StatusCode::NOT_FOUND);
        return Err(Failure::new(page, status, Reason::RequestNoSuchPlace));
    };
    let lifetime = match image.name == name {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let mut response = Response::new(body::full(image.content.clone()));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, image.content_type),
        (CACHE_CONTROL, lifetime),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Where somebody opens it by itself: it has no origin, and nothing in it runs or loads.
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
