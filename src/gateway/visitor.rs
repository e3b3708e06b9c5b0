//! From a cookie to the session of the client.
//!
//! 1. At the registered host the cookie is the id of a session; at another portal's host it is that
//!    of a session which leads to the one at the registered host. At other hosts no citizen is
//!    signed in.
//! 2. Ids that we never gave out are told apart by their mark, and cost nothing.
//! 3. What this worker found last is found again without asking further. Then the process is asked,
//!    and the store only for what no replica has told us of: so many times a minute for each
//!    network.

use std::future::Future;

use crate::gateway::Worker;
use crate::gateway::failure::Failure;
use crate::gateway::portals::Standing;
use crate::request::context::RequestContext;
use crate::session::SessionId;
use crate::session::cached::{ActiveSession, Activity};
use crate::session::label::Why;
use crate::session::linked::{KnownLink, LinkedSessionId};
use crate::session::sessions::Known;
use crate::store::Unavailable;

impl Worker {
    /// Finds the session of a request, which is a sign of life unless it says otherwise.
    pub(super) async fn live(
        &self,
        context: &RequestContext,
    ) -> Result<Option<ActiveSession>, Failure> {
        self.live_as(context, context.activity()).await
    }

    /// Finds the session of a request, with what the request counts as.
    pub(super) async fn live_as(
        &self,
        context: &RequestContext,
        activity: Activity,
    ) -> Result<Option<ActiveSession>, Failure> {
        if !context.scan.has_cookies {
            return Ok(None);
        }
        for cookie in
            self.shared.settings.cookies.sessions(&context.parts.headers).into_iter().flatten()
        {
            let live = self.live_by(context, cookie, activity).await?;
            if live.is_some() {
                return Ok(live);
            }
        }
        Ok(None)
    }

    /// Finds the session that one value of the cookie leads to.
    async fn live_by(
        &self,
        context: &RequestContext,
        cookie: &str,
        activity: Activity,
    ) -> Result<Option<ActiveSession>, Failure> {
        let (host, now) = (context.host.name(), context.began);
        if let Some(live) = self.recent.find(host, cookie, activity, now) {
            return Ok(Some(live));
        }
        let Some(id) = self.session_by(context, cookie).await? else { return Ok(None) };
        let sessions = &self.shared.flows.sessions;
        let live = match sessions.find_near(&id, activity, now) {
            Known::Live(live) => Some(live),
            Known::Nothing => None,
            // On the heap: it is seldom asked, and would make every request larger.
            Known::Doubtful(_) => Box::pin(sessions.find(&id, activity, now)).await?,
            Known::Unknown => {
                let found = sessions.find(&id, activity, now);
                Box::pin(self.ask_if_it_may(context, found)).await?
            }
        };
        if let Some(live) = &live {
            self.recent.remember(host, cookie, live, now);
        }
        Ok(live)
    }

    /// Finds who ended the session of a request from outside, where that is known.
    pub(super) async fn why_ended(&self, context: &RequestContext) -> Result<Option<Why>, Failure> {
        match self.session_id(context).await? {
            Some(id) => Ok(self.shared.flows.sessions.why_ended(&id, context.began).await),
            None => Ok(None),
        }
    }

    /// Returns the session that the cookie of a request leads to, dead or alive: at the registered
    /// host the cookie is its id, at another one it is that of a linked session.
    pub(super) async fn session_id(
        &self,
        context: &RequestContext,
    ) -> Result<Option<SessionId>, Failure> {
        let mut first = None;
        for cookie in
            self.shared.settings.cookies.sessions(&context.parts.headers).into_iter().flatten()
        {
            let Some(id) = self.session_by(context, cookie).await? else { continue };
            let now = context.began;
            let known = self.shared.flows.sessions.find_near(&id, Activity::Background, now);
            if matches!(known, Known::Live(_)) {
                return Ok(Some(id));
            }
            first.get_or_insert(id);
        }
        Ok(first)
    }

    /// Returns all sessions that values of the cookie lead to, dead or alive.
    pub(super) async fn session_ids(
        &self,
        context: &RequestContext,
    ) -> Result<Vec<SessionId>, Failure> {
        let mut ids = Vec::new();
        for cookie in
            self.shared.settings.cookies.sessions(&context.parts.headers).into_iter().flatten()
        {
            ids.extend(self.session_by(context, cookie).await?);
        }
        Ok(ids)
    }

    /// Returns the session that one value of the cookie leads to.
    async fn session_by(
        &self,
        context: &RequestContext,
        cookie: &str,
    ) -> Result<Option<SessionId>, Failure> {
        match self.shared.settings.standing(context.host.name()) {
            // An invention is nothing, and costs nothing: neither the store, nor the clients that
            // share an address with the inventor.
            Standing::Registered => {
                Ok(SessionId::recognise(cookie, &self.shared.flows.session_marks))
            }
            Standing::Other(_) => match self.shared.flows.linked_sessions.recognise(cookie) {
                Some(linked) => Box::pin(self.lead_on(context, &linked)).await,
                None => Ok(None),
            },
            Standing::Public => Ok(None),
        }
    }

    /// Returns the session that a linked one leads to.
    async fn lead_on(
        &self,
        context: &RequestContext,
        linked: &LinkedSessionId,
    ) -> Result<Option<SessionId>, Failure> {
        let (host, now) = (context.host.name(), context.began);
        let linked_sessions = &self.shared.flows.linked_sessions;
        match linked_sessions.find_near(linked, host, now) {
            KnownLink::Leads(found) => Ok(found),
            KnownLink::Doubtful => self.ask(context, linked_sessions.find(linked, host, now)).await,
            KnownLink::Unknown => {
                self.ask_if_it_may(context, linked_sessions.find(linked, host, now)).await
            }
        }
    }

    /// Asks the store for something that no worker here has seen, if the client's network may: ids
    /// that have ended have a good mark too, and to ask costs the store something.
    async fn ask_if_it_may<T>(
        &self,
        context: &RequestContext,
        find: impl Future<Output = Result<Option<T>, Unavailable>>,
    ) -> Result<Option<T>, Failure> {
        self.shared.limits.may_ask(context.client.address)?;
        self.ask(context, find).await
    }

    /// Asks the store, and counts for the client's network when there is nothing.
    async fn ask<T>(
        &self,
        context: &RequestContext,
        find: impl Future<Output = Result<Option<T>, Unavailable>>,
    ) -> Result<Option<T>, Failure> {
        let found = find.await?;
        if found.is_none() {
            self.shared.limits.asked_in_vain(context.client.address);
        }
        Ok(found)
    }
}
