//! A handshake that opens a connection in a citizen's name must come from a page of the portal.
//!
//! 1. A browser says in `Origin` which page asks (RFC 6455 4.1, 10.2). Where it matters who comes,
//!    that must be a page of the same host, or one that the route names
//!    (`upgrade_origins`).
//! 2. A request without `Origin` is not made by a browser's page, and nothing leads its client to
//!    send another person's cookie.
//! 3. Whatever else says where it comes from (`null`, two of them) is another site.

use http::StatusCode;
use http::header::ORIGIN;

use crate::base::foreign::Foreign;
use crate::base::reason::Reason;
use crate::gate::Pass;
use crate::gate::policy::Access;
use crate::gateway::Settings;
use crate::gateway::failure::Failure;
use crate::pages::ErrorPage;
use crate::request::context::RequestContext;
use crate::request::service::WantsUpgrade;

/// Refuses a handshake that a page of another site makes, where it matters who comes.
///
/// # Errors
/// When it does.
pub fn check(pass: &Pass, context: &RequestContext, settings: &Settings) -> Result<(), Failure> {
    let route = pass.route();
    let wish = match context.parts.extensions.get::<WantsUpgrade>() {
        None => return Ok(()),
        Some(WantsUpgrade::IfPossible(wish) | WantsUpgrade::Only(wish)) => wish,
    };
    // What the route does not name is not asked for: the request goes on as any other.
    if matches!(route.access, Access::Public) || route.upgrade.of(wish).is_none() {
        return Ok(());
    }
    let mut origins = context.parts.headers.get_all(ORIGIN).iter();
    let own = settings.origin_of(context.host.name());
    match (origins.next(), origins.next()) {
        (None, _) => Ok(()),
        (Some(origin), None)
            if origin.as_bytes() == own.as_bytes()
                || route.upgrade_origins.has(origin.as_bytes()) =>
        {
            Ok(())
        }
        (Some(origin), _) => {
            let (status, code) = (StatusCode::FORBIDDEN, Reason::RequestUpgradeFromElsewhere);
            let detail = format!(
                "a page of {} asks for it, and upgrade_origins of the route does not name that",
                Foreign::new(&String::from_utf8_lossy(origin.as_bytes()))
            );
            Err(Failure { detail, ..Failure::new(ErrorPage::Forbidden, status, code) })
        }
    }
}
