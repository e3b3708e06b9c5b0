//! `session`: what a page's script may know of the session. Asking is no sign of life. Once it was
//! ended from outside, the answer says by whom.
//!
//! `keepalive`: the same with POST, and a sign of life, for "stay signed in". Not beyond the
//! absolute end, and not for another site.

use http::{Response, StatusCode};

use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::gateway::Worker;
use crate::gateway::failure::Failure;
use crate::gateway::response;
use crate::identity::claims::PersonalClaim;
use crate::pages::ErrorPage;
use crate::request::context::RequestContext;
use crate::session::cached::Activity;

/// Answers `{"signed_in": false}`, with `ended` where that is known (`elsewhere`, `operator`); or
/// who is signed in, at which level, and for how long still.
///
/// # Errors
/// When the session store is away.
pub async fn answer(worker: &Worker, context: &RequestContext) -> Result<Response<Body>, Failure> {
    tell(worker, context, Activity::Background).await
}

/// Notes a sign of life and answers as `session` does.
///
/// # Errors
/// When another site asks, or the session store is away.
pub async fn keep_alive(
    worker: &Worker,
    context: &RequestContext,
) -> Result<Response<Body>, Failure> {
    if context.is_same_origin(worker.shared.settings.origin_of(context.host.name())) == Some(false)
    {
        let (status, code) = (StatusCode::FORBIDDEN, Reason::SessionKeepaliveFromElsewhere);
        return Err(Failure::new(ErrorPage::MalformedRequest, status, code));
    }
    tell(worker, context, Activity::Alive).await
}

async fn tell(
    worker: &Worker,
    context: &RequestContext,
    activity: Activity,
) -> Result<Response<Body>, Failure> {
    let now = worker.shared.clock.now();
    let live = worker.live_as(context, activity).await?;
    let Some(live) = live else {
        let mut value = serde_json::json!({ "signed_in": false });
        if let Some(why) = worker.why_ended(context).await? {
            value["ended"] = why.name().into();
        }
        return Ok(response::json(StatusCode::OK, &value));
    };
    let session = live.session();
    let person = session.person();
    let told = |claim| worker.shared.rules.policy.releases_claim(context.host.name(), claim);
    let (end, limit) = if live.idle_end() < session.end() {
        (live.idle_end(), "idle")
    } else {
        (session.end(), "absolute")
    };
    let value = serde_json::json!({
        "signed_in": true,
        // Scripts of a host learn no more than its routes do.
        "given_name": person.given_name().filter(|_| told(PersonalClaim::GivenName)),
        "family_name": person.family_name().filter(|_| told(PersonalClaim::FamilyName)),
        "acr": session.assurance().uri(),
        "auth_time": session.authenticated().as_second(),
        "seconds_left": end.duration_since(now).as_secs(),
        "limit": limit,
        // What a timer needs to know when another sign of life would gain nothing.
        "idle_seconds": live.idle().as_secs(),
        "absolute_seconds_left": session.end().duration_since(now).as_secs(),
    });
    Ok(response::json(StatusCode::OK, &value))
}
