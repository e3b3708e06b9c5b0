//! A citizen crosses to another host: the session of the registered host leads there too.
//!
//! The node knows one address to come back to, so every login takes place at the registered host. A
//! portal on an unrelated domain gets the session in three steps, each a redirect of the browser:
//!
//! 1. The other host remembers a wish ([`super::wishes`]) for the browser that has its binding cookie,
//!    and sends it to the registered host with a handle: [`Flows::wish`].
//! 2. The registered host has the citizen sign in, unless a session is there that will do, and sends the
//!    browser back with a code ([`super::codes`]): [`Flows::cross`].
//! 3. The other host spends the code and gives the browser a branch of that very session
//!    ([`crate::session::branches`]): [`Flows::arrive`], the only place where one is made.
//!
//! What is worth stealing on the way, and why it is of no use: the handle belongs to the first browser
//! that brings it, and the code to the browser that made the wish. Nobody is signed in as somebody else
//! by a link: for that a foreign browser would have to have the binding cookie, which only the other
//! host itself can set.

use super::Flows;
use super::binding::Binding;
use super::codes::Code;
use super::pending::Origin;
use super::return_to::ReturnTo;
use super::room::NotKept;
use super::wishes::{Step, Try, Wish, WishHandle};
use crate::base::network::Network;
use crate::base::reason::Reason;
use crate::gate::requirement::Demand;
use crate::session::SessionId;
use crate::session::branches::BranchId;
use crate::session::held::{Activity, Live};
use crate::store::Unavailable;

/// What is next for somebody who wants to cross.
#[derive(Debug)]
pub enum Next {
    /// They must sign in at the registered host.
    SignIn(Demand, Try),
    /// They go to the other host with a code.
    Go {
        /// The name of the host.
        host: String,
        /// The code.
        code: Code,
    },
}

/// A crossing that is complete.
#[derive(Debug)]
pub struct Arrived {
    /// The id for the cookie of this host.
    pub branch: BranchId,
    /// Where the citizen wanted to go.
    pub return_to: ReturnTo,
    /// Whose page led there.
    pub origin: Origin,
    /// For the log.
    pub public_name: String,
}

/// Why a crossing does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No wish is known under this handle.
    #[error("no wish is known under this handle")]
    UnknownWish,
    /// The login for it took too long.
    #[error("wish was made too long ago")]
    WishExpired,
    /// It was fulfilled before.
    #[error("wish was fulfilled before")]
    WishUsed,
    /// Another browser brought it first.
    #[error("wish was brought by another browser")]
    WishOfOtherBrowser,
    /// It led to the node again and again, and never to a session that will do.
    #[error("wish led to the node too often")]
    TooManyTries,
    /// Nobody made such a code, or it was long ago.
    #[error("no such code is known")]
    UnknownCode,
    /// The code came too late.
    #[error("code was made too long ago")]
    CodeExpired,
    /// The code came a second time.
    #[error("code was used before")]
    CodeUsed,
    /// The code was made for another host.
    #[error("code was made for another host")]
    CodeForOtherHost,
    /// The browser is not the one that made the wish.
    #[error("code was made for another browser")]
    CodeOfOtherBrowser,
    /// The session ended on the way.
    #[error("session has ended on the way")]
    SessionEnded,
    /// Nothing is known, because the place is away.
    #[error("{0}")]
    Store(#[from] Unavailable),
}

impl Refused {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(&self) -> Reason {
        match self {
            Self::UnknownWish => Reason::CrossingUnknownWish,
            Self::WishExpired => Reason::CrossingWishExpired,
            Self::WishUsed => Reason::CrossingWishUsed,
            Self::WishOfOtherBrowser => Reason::CrossingWishOfOtherBrowser,
            Self::TooManyTries => Reason::CrossingTooManyTries,
            Self::UnknownCode => Reason::CrossingUnknownCode,
            Self::CodeExpired => Reason::CrossingCodeExpired,
            Self::CodeUsed => Reason::CrossingCodeUsed,
            Self::CodeForOtherHost => Reason::CrossingCodeForOtherHost,
            Self::CodeOfOtherBrowser => Reason::CrossingCodeOfOtherBrowser,
            Self::SessionEnded => Reason::CrossingSessionEnded,
            Self::Store(_) => Reason::SessionStoreUnavailable,
        }
    }
}

impl Flows {
    /// Remembers what a browser at another host wants, and binds it to that browser.
    ///
    /// # Errors
    /// When there is no room for it, or it cannot be remembered.
    pub async fn wish(
        &self,
        wish: Wish,
        network: Network,
    ) -> Result<(WishHandle, Binding), NotKept> {
        let binding = Binding::generate();
        let handle = self.wishes.begin(wish, &binding, network, self.now()).await?;
        Ok((handle, binding))
    }

    /// Goes on at the registered host, with the binding of the browser there and its session, if any.
    ///
    /// # Errors
    /// When the wish is not this browser's to bring.
    pub async fn cross(
        &self,
        handle: &WishHandle,
        home: &Binding,
        present: Option<(&SessionId, &Live)>,
        network: Network,
    ) -> Result<Next, Refused> {
        let now = self.now();
        // 1. The wish is this browser's, and the session will do or not.
        let live = present.map(|(_, live)| live);
        let step = self.wishes.bring(handle, home, live, self.settings.skew, now).await?;
        // 2. It is spent: a code stands for it and for that session.
        match (step, present) {
            (Step::Fulfil(wish, binding), Some((session, _))) => {
                let code = self.codes.make(&wish, binding, session, network, now).await?;
                Ok(Next::Go { host: wish.host, code })
            }
            (Step::SignIn(demand, which), _) => Ok(Next::SignIn(demand, which)),
            // Without a session no wish is fulfilled.
            (Step::Fulfil(..), None) => Err(Refused::SessionEnded),
        }
    }

    /// Arrives at the other host, with the bindings that the browser has there and the branch that it had
    /// before, if any.
    ///
    /// # Errors
    /// The first reason for which nobody is signed in here.
    pub async fn arrive(
        &self,
        code: &Code,
        host: &str,
        bindings: &[Binding],
        earlier: Option<&BranchId>,
    ) -> Result<Arrived, Refused> {
        let now = self.now();
        // 1. The code is spent; it was made for this browser at this host.
        let (session, return_to, origin) = self.codes.spend(code, host, bindings, now).await?;
        // 2. The session that it stands for lives.
        let live = self.sessions.find(&session, Activity::Alive, now).await?;
        let live = live.ok_or(Refused::SessionEnded)?;
        // 3. A branch of it, with a fresh id.
        let branch = self.branches.begin(&session, &live, host, now).await?;
        // 4. One that the browser had here before ends (fixation), and its session too when it is
        //    another one: whoever was signed in here is not any more.
        if let Some(earlier) = earlier
            && let Err(error) = self.leave_earlier(earlier, host, &session).await
        {
            tracing::warn!(%error, "session before this crossing could not be ended");
        }
        let public_name = live.session().public_name().to_owned();
        Ok(Arrived { branch, return_to, origin, public_name })
    }

    async fn leave_earlier(
        &self,
        earlier: &BranchId,
        host: &str,
        session: &SessionId,
    ) -> Result<(), Unavailable> {
        let now = self.now();
        let before = self.branches.find(earlier, host, now).await?;
        self.branches.forget(earlier, now).await?;
        match before.filter(|before| before.key() != session.key()) {
            Some(before) => self.sessions.remove(&before, now).await.map(|_| ()),
            None => Ok(()),
        }
    }
}
