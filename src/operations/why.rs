//! What operators ask of one login: why it ended as it did.
//!
//! | request | answer |
//! |---|---|
//! | `GET /why/NUMBER` | `{"history": {...}}`, see [`crate::flow::history::History`] |
//!
//! `NUMBER` is the number on the citizen's page, the number of a request in the logs, a `sid`, or the
//! `ID` of an `AuthnRequest`. Nothing is told without the operators' token, as with sessions
//! ([`super::sessions`]), and that it was asked stands in the log.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::json::{self, AdminError, Done};
use super::sessions::Admin;
use crate::base::body::Body;
use crate::base::foreign::Foreign;
use crate::flow::history::Histories;
use crate::observe::event::AdminAction;
use crate::wire::incoming::Incoming;

/// The path that requests about single logins begin with.
pub const PATH: &str = "/why";

/// Tells operators about single logins.
pub struct Why(Arc<Histories>);

impl Why {
    /// Makes the door to what is kept of logins.
    #[must_use]
    pub fn new(histories: Arc<Histories>) -> Self {
        Self(histories)
    }

    /// Answers a request whose path is [`PATH`] or below it.
    pub(super) async fn answer(&self, request: Request<Incoming>, admin: &Admin) -> Response<Body> {
        let (parts, _) = request.into_parts();
        json::answer(match admin.admit(&parts.headers) {
            Ok(()) => self.handle(&parts, admin).await,
            Err(refused) => Err(refused),
        })
    }

    async fn handle(&self, parts: &Parts, admin: &Admin) -> Done {
        let asked = parts.uri.path().strip_prefix(PATH).and_then(|rest| rest.strip_prefix('/'));
        let asked = asked.filter(|asked| !asked.is_empty()).ok_or(AdminError::NotFound)?;
        if parts.method != Method::GET {
            return Err(AdminError::Method);
        }
        let asked = percent_decode_str(asked).decode_utf8();
        let asked = asked.map_err(|_| AdminError::Malformed("it is no text in UTF-8"))?;
        let found = self.0.find(&asked).await?;
        let (shown, is_found) = (Foreign::new(&asked), found.is_some());
        admin.tell(AdminAction::AskedAboutLogin { asked: shown.as_str(), is_found });
        match found {
            Some(history) => Ok((StatusCode::OK, json!({ "history": history }))),
            None if self.0.kept_for().is_zero() => Err(AdminError::Conflict(NONE_KEPT.to_owned())),
            None => Err(AdminError::NoSuch(UNKNOWN)),
        }
    }
}

const UNKNOWN: &str = "no history is kept of it: it was mistyped, is older than \
                       operations.login_history, made room for others, or is of a gateway that \
                       does not share its store with this one; the log has the number in the field \
                       incident";
const NONE_KEPT: &str = "no histories are kept, because operations.login_history is zero";
