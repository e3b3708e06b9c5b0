//! A form that meets an ended session, or needs a step-up, is kept across the login.
//!
//! 1. Only what a person sends from a page of our own origin is kept: a navigation that says so
//!    (`Sec-Fetch-Site`, or `Origin`). Another site's form is answered as if nothing were ever
//!    kept, so no citizen is brought to send what a foreign page wrote.
//! 2. It counts as the beginning of a login before a byte of it is read, so a network that begins
//!    too many has nothing kept. What is too long, for us or for its route, is refused by its
//!    length, or as soon as the bound is passed.
//! 3. After the login a page asks ([`crate::gateway::endpoints::form`]). Its button posts the
//!    handle, and nothing else, to the address that the form was for: so the portal's answer stands
//!    under its own address, and the gate decides about method, path and session as about any
//!    request.
//! 4. Whatever looks like such a handle never reaches the portal: either the kept form goes on in
//!    its place, once, or the request is refused.
//!
//! What could break it in deployment: a proxy in front that takes `Origin` and `Sec-Fetch-Site`
//! away (nothing is kept then).

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, REFERER};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::base::body::{Body, ReadError};
use crate::base::reason::Reason;
use crate::flow::arriving::DidNotArrive;
use crate::flow::binding::Binding;
use crate::flow::forms::{About, Form, Handle, NotKept};
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::AuthnRequirement;
use crate::gateway::failure::Failure;
use crate::gateway::{Worker, asked_from};
use crate::observe::event::Event;
use crate::pages::ErrorPage;
use crate::proxy;
use crate::request::context::{Caller, RequestContext};
use crate::request::cookie::Bound;
use crate::request::service::ExpectContinue;
use crate::wire::incoming::{BodyError, Incoming};
use crate::wire::pace::GRACE;

/// The field of our small form that holds the handle.
pub const FIELD: &str = "brama-form";
/// The length of our small form: the field, the sign and the handle.
const RESENT_LENGTH: u64 = (FIELD.len() + 1 + Handle::LENGTH) as u64;
/// The same in `text/plain`, which ends each field with a line end.
const LONGEST_RESENT: u64 = RESENT_LENGTH + 2;
/// The type of forms that are sent as plain text.
const TEXT: &[u8] = b"text/plain";
/// How long a form may take to arrive; a large one comes slowly from the country.
const ARRIVAL: Duration = Duration::from_secs(60);
/// How long our small form may take.
const SMALL_ARRIVAL: Duration = Duration::from_secs(10);
/// The longest value of `Content-Type` or `Referer` that is kept.
const MAXIMUM_HEADER: usize = 2048;

/// What comes with a request.
pub enum RequestBody {
    /// The body of the request itself.
    Own(Incoming),
    /// The handle of a form that is kept and was meant for this very address.
    Kept(BoundForm),
}

/// A form that is kept for a browser.
pub struct BoundForm {
    /// The handle in the address that leads to it.
    pub handle: Handle,
    /// The binding cookie of the browser that it is kept for.
    pub binding: Binding,
}

impl BoundForm {
    /// Returns where a login leads back to: the page that asks.
    #[must_use]
    pub fn return_to(&self, worker: &Worker) -> ReturnTo {
        ReturnTo::parse(&format!(
            "{}form?id={}",
            worker.shared.settings.prefix,
            self.handle.as_str()
        ))
    }

    /// Binds it to the browser that is answered, for as long as it is kept.
    pub fn bind(&self, worker: &Worker, context: &RequestContext, response: &mut Response<Body>) {
        let lifetime = worker.shared.flows.forms.lifetime();
        let cookie = (Bound::Form, &self.handle.tag(), self.binding.expose());
        let (cookies, headers) = (worker.shared.settings.cookies, &context.parts.headers);
        cookies.set_bound(headers, cookie, lifetime, response.headers_mut());
    }
}

/// A form that was taken and is on its way.
pub struct Taken {
    kept: BoundForm,
    form: Form,
}

/// Returns the most bytes of a form that is kept when a request with that method is stopped, on a
/// route that takes so many; none when no form is. `brama explain-policy` asks the same.
#[must_use]
pub fn longest_kept(method: &Method, keep_forms: usize, most: u64) -> Option<u64> {
    let is_kept = keep_forms > 0 && *method == Method::POST;
    is_kept.then(|| most.min(keep_forms as u64))
}

/// Keeps the form that a stopped request brings, if it is one to be kept. Its route takes at most
/// so many bytes: what would be refused after the login is refused now.
///
/// # Errors
/// When it is too long or does not arrive, its network begins too many logins, or the store is
/// away.
pub async fn keep(
    worker: &Worker,
    context: &RequestContext,
    body: Incoming,
    requirement: AuthnRequirement,
    most: u64,
) -> Result<Option<BoundForm>, Failure> {
    let bound = worker.shared.flows.settings.keep_forms;
    let Some(limit) = longest_kept(&context.parts.method, bound, most) else { return Ok(None) };
    let Some(about) = about(worker, context) else { return Ok(None) };
    let too_large = || {
        if most < bound as u64 {
            return proxy::Error::Body(BodyError::TooLong(most)).into();
        }
        let settings = &worker.shared.settings;
        let page = asked_from::page(worker, context).unwrap_or_else(ReturnTo::front_page);
        let link = settings.login_link(&page, requirement);
        let (status, code) = (StatusCode::PAYLOAD_TOO_LARGE, Reason::FormTooLarge);
        Failure::new(ErrorPage::FormTooLarge, status, code).begin_again(link)
    };
    if body.length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let limit = usize::try_from(limit).unwrap_or(bound);
    count(worker, context)?;
    let (forms, network) = (&worker.shared.flows.forms, worker.network(context));
    let arrived = match forms.arriving.begin(network) {
        Some(arrival) => arrival.read(body, limit, ARRIVAL).await,
        None => Err(DidNotArrive::NoRoom),
    };
    let body = match arrived {
        Ok(body) => body,
        Err(DidNotArrive::Unread(ReadError::TooLong(_))) => return Err(too_large()),
        Err(DidNotArrive::Unread(error)) => return Err(did_not_arrive(error)),
        Err(error @ DidNotArrive::NoRoom) => {
            let why = error.to_string();
            worker.shared.tell(context, Event::FormNotKept { why: &why });
            return Ok(None);
        }
    };
    let binding = Binding::generate();
    let kept = forms.keep(&Form { about, body }, &binding, network, context.began).await;
    match kept {
        Ok(handle) => {
            worker.shared.tell(context, Event::FormKept);
            Ok(Some(BoundForm { handle, binding }))
        }
        Err(full @ NotKept::Full) => {
            let why = full.to_string();
            worker.shared.tell(context, Event::FormNotKept { why: &why });
            Ok(None)
        }
        Err(NotKept::Store(away)) => Err(away.into()),
    }
}

/// Counts the beginning of a login for the network that it comes from.
///
/// # Errors
/// When the network began too many.
pub fn count(worker: &Worker, context: &RequestContext) -> Result<(), Failure> {
    Ok(worker.shared.limits.start(context.client.address, context.origin())?)
}

/// Tells whether a request may be our small form: by its type, and by its length where that was
/// said. Nearly none is looked into.
#[must_use]
pub fn may_be_resent(context: &RequestContext, body: &Incoming) -> bool {
    context.parts.method == Method::POST
        && body.length().is_none_or(|length| (RESENT_LENGTH..=LONGEST_RESENT).contains(&length))
        && may_hold_fields(&context.parts.headers)
}

/// Looks into a request that may be our small form. Of a longer body only the beginning is read.
///
/// # Errors
/// When it is, and nothing is kept for it here, or another site sent it.
pub async fn look_into(
    worker: &Worker,
    context: &RequestContext,
    body: Incoming,
) -> Result<RequestBody, Failure> {
    let begun =
        tokio::time::timeout(SMALL_ARRIVAL, body.begin(FIELD.as_bytes(), LONGEST_RESENT as usize))
            .await;
    let begun = begun.map_err(|_| did_not_arrive(ReadError::Slow(SMALL_ARRIVAL)))?;
    let body = begun.map_err(|error| did_not_arrive(ReadError::Broken(error.into())))?;
    let Some(handle) = body.as_whole().and_then(resent) else { return Ok(RequestBody::Own(body)) };
    require_same_origin(worker, context)?;
    // Only our own page's form is obeyed, and that has one type.
    let handle = handle.filter(|_| form_type(&context.parts.headers).is_some());
    match find(worker, context, handle).await? {
        Some((kept, form)) if form.about.target == context.path_and_query() => {
            Ok(RequestBody::Kept(kept))
        }
        _ => Err(gone()),
    }
}

/// Returns the handle of our small form; none in it when it is no handle.
fn resent(body: &[u8]) -> Option<Option<Handle>> {
    let value = body.strip_prefix(FIELD.as_bytes())?.strip_prefix(b"=")?;
    Some(std::str::from_utf8(value.trim_ascii_end()).ok().and_then(Handle::parse))
}

/// Tells whether a body is of a type in which a field stands as it does in ours: that of a form,
/// the other one without files (HTML, 4.10.21.8). Browsers always say which; what says none is a
/// program's, which may be waiting for an answer before it sends anything.
fn may_hold_fields(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return false };
    let is_text =
        value.as_bytes().get(..TEXT.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(TEXT));
    is_text || form_type(headers).is_some()
}

/// Finds the form of a handle for the browser that asks, on the host that it was for.
///
/// # Errors
/// When the store is away.
pub async fn find(
    worker: &Worker,
    context: &RequestContext,
    handle: Option<Handle>,
) -> Result<Option<(BoundForm, Form)>, Failure> {
    let Some(handle) = handle else { return Ok(None) };
    let (cookies, headers) = (worker.shared.settings.cookies, &context.parts.headers);
    for binding in cookies.bound(headers, Bound::Form, &handle.tag()) {
        let Some(binding) = Binding::parse(binding) else { continue };
        let form = worker.shared.flows.forms.find(&handle, &binding, context.began).await?;
        if let Some(form) = form.filter(|form| form.about.host == context.host.name()) {
            return Ok(Some((BoundForm { handle, binding }, form)));
        }
    }
    Ok(None)
}

/// Takes a form, once, and puts it in the place of our small one.
///
/// # Errors
/// When another tab was faster, or the store is away.
pub async fn put_in_place(
    worker: &Worker,
    context: &mut RequestContext,
    kept: BoundForm,
) -> Result<(Incoming, Box<Taken>), Failure> {
    let BoundForm { handle, binding } = &kept;
    let form = worker.shared.flows.forms.take(handle, binding, context.began).await?;
    let form = form.ok_or_else(gone)?;
    let Form { about, body } = form.clone();
    let headers = &mut context.parts.headers;
    let content_type = HeaderValue::try_from(about.content_type).map_err(|_| gone())?;
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.remove(CONTENT_ENCODING);
    // Not the address of our page: it has the handle in it.
    headers.remove(REFERER);
    if let Some(referer) = about.referer.and_then(|referer| HeaderValue::try_from(referer).ok()) {
        headers.insert(REFERER, referer);
    }
    context.scan.has_length = true;
    // All of it is here, so no client waits for a word to send it.
    context.parts.extensions.remove::<ExpectContinue>();
    worker.shared.tell(context, Event::FormSent);
    Ok((Incoming::whole(body), Box::new(Taken { kept, form })))
}

/// Keeps a form that was taken once more when surely nothing of it reached the portal, so that the
/// same button sends it later.
pub async fn put_back(
    worker: &Worker,
    context: &RequestContext,
    taken: Taken,
    error: &proxy::Error,
) {
    if !matches!(
        error,
        proxy::Error::Connect(_) | proxy::Error::NoServer(_) | proxy::Error::Busy(_)
    ) {
        return;
    }
    let Taken { kept: BoundForm { handle, binding }, form } = taken;
    let now = worker.shared.clock.now();
    let network = worker.network(context);
    let forms = &worker.shared.flows.forms;
    if let Err(error) = forms.put_back(&handle, &form, &binding, network, now).await {
        worker.shared.tell(context, Event::FormLost { why: &error.to_string() });
    }
}

/// Requires that a page of our own origin asks, and that the browser says so.
///
/// # Errors
/// When another site asks, or the browser does not say which.
pub fn require_same_origin(worker: &Worker, context: &RequestContext) -> Result<(), Failure> {
    if context.is_same_origin(worker.shared.settings.origin_of(context.host.name())) == Some(true) {
        return Ok(());
    }
    let (status, code) = (StatusCode::FORBIDDEN, Reason::FormFromElsewhere);
    Err(Failure::new(ErrorPage::MalformedRequest, status, code))
}

/// There is no such form: it was sent, it has expired, it never was, or another browser typed it.
#[must_use]
pub fn gone() -> Failure {
    Failure::new(ErrorPage::FormGone, StatusCode::GONE, Reason::FormUnknown).begin_again("/")
}

/// What is to be known of a form, if it is one that is kept.
fn about(worker: &Worker, context: &RequestContext) -> Option<About> {
    let is_own =
        context.is_same_origin(worker.shared.settings.origin_of(context.host.name())) == Some(true);
    if context.caller() != Caller::Navigation || !is_own {
        return None;
    }
    let headers = &context.parts.headers;
    // No browser codes a form; what is coded is bounded by what it is decoded to, and we do not.
    if headers.contains_key(CONTENT_ENCODING) {
        return None;
    }
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok());
    Some(About {
        host: context.host.name().to_owned(),
        target: context.path_and_query().to_owned(),
        content_type: form_type(headers)?.to_owned(),
        referer: referer.filter(|text| text.len() <= MAXIMUM_HEADER).map(str::to_owned),
    })
}

/// Returns the content type, when it is one of the two of forms (HTML, 4.10.21.8).
fn form_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next()?.trim();
    let is_form = ["application/x-www-form-urlencoded", "multipart/form-data"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known));
    (is_form && value.len() <= MAXIMUM_HEADER).then_some(value)
}

/// What breaks off because its client is too slow with it is slow, whichever bound was first.
pub(super) fn slow_or_broken(error: ReadError) -> ReadError {
    let is_slow =
        |cause: &BodyError| matches!(cause, BodyError::Stalled(_) | BodyError::TooSlow(_));
    match &error {
        ReadError::Broken(cause) if cause.downcast_ref().is_some_and(is_slow) => {
            ReadError::Slow(GRACE)
        }
        _ => error,
    }
}

fn did_not_arrive(error: ReadError) -> Failure {
    let error = slow_or_broken(error);
    let (status, code) = match &error {
        ReadError::Slow(_) => (StatusCode::REQUEST_TIMEOUT, Reason::FormTooSlow),
        ReadError::TooLong(_) | ReadError::Broken(_) => {
            (StatusCode::BAD_REQUEST, Reason::FormBroken)
        }
    };
    let failure = Failure::new(ErrorPage::MalformedRequest, status, code);
    Failure { detail: error.to_string(), ..failure }
}

#[cfg(test)]
mod tests;
