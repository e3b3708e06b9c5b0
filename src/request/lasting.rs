//! What lasts: tunnels, answers that are still on their way, uploads, and the right by which they
//! go on.
//!
//! A request is judged when it comes. Whatever is still open some time later is judged again:
//!
//! 1. It ends with the session in whose name it was opened. Streams of a route with
//!    `outlives_session` do not.
//! 2. It ends when the same request (host, path, method, client, session) would not pass any more:
//!    by a new configuration the route is gone, asks for more, is closed for work, does not go on
//!    to an upstream, or does not name the protocol of a tunnel. What would still pass is not
//!    touched, also where the route leads elsewhere now.
//! 3. Time alone takes nothing away but the session: of `max_age` and the like only what was so
//!    when it was opened counts. Otherwise every download would break at the age of a login.
//! 4. What was opened without a name, on a public route, stays without one. When its location asks
//!    for a citizen now, it ends, also if its browser is signed in: it comes again with its cookie.
//! 5. An end is seen within [`LOOK`] and the time that it takes to ask. A task that waits looks,
//!    with the timer of that wait; what is answered at once has nothing of this and pays nothing.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Uri};

use crate::base::clock::Time;
use crate::base::reason::Reason;
use crate::gate::Verdict;
use crate::gate::action::Action;
use crate::gate::policy::Route;
use crate::gate::visitor::Visitor;
use crate::observe::event::Event;
use crate::request::host::Host;
use crate::request::rules::{CurrentRules, Rules};
use crate::session::cached::ActiveSession;

/// How often something that lasts is judged again; twice fit into a second.
pub const LOOK: Duration = Duration::from_millis(400);

/// Why something that lasted was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The session in whose name it was opened is over.
    #[error("the session in whose name it was opened has ended")]
    SessionEnded,
    /// The same request would not pass any more.
    #[error("the policy does not allow it any more")]
    NotAllowed,
}

impl Cut {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(self) -> Reason {
        match self {
            Self::SessionEnded => Reason::SessionEndedMeanwhile,
            Self::NotAllowed => Reason::PolicyChangedMeanwhile,
        }
    }
}

/// What a request became that is still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// An answer, or a request on its way.
    Stream,
    /// What came of an upgrade to this protocol. It ends with its session whatever the route says.
    Tunnel(Vec<u8>),
}

/// A request as it was opened, with all that judging it again takes.
pub struct Opened<'o> {
    /// The rules of the moment.
    pub current: &'o Arc<CurrentRules>,
    /// The rules by which it passed.
    pub rules: &'o Arc<Rules>,
    /// The route by which it passed.
    pub route: &'o Route,
    /// Whether its end is counted; not where the refusal that comes of it is.
    pub is_counted: bool,
    /// The canonical host of the request.
    pub host: &'o Host,
    /// The target as it came.
    pub uri: &'o Uri,
    /// The method of the request.
    pub method: &'o Method,
    /// The method that it asks about, when it is a preflight.
    pub asked: Option<Method>,
    /// The address of the client, as far as it is believed.
    pub address: IpAddr,
    /// When the request came.
    pub began: Time,
    /// The session in whose name it passed; `None` is no name.
    pub live: Option<&'o ActiveSession>,
    /// Whether it is a stream or a tunnel.
    pub form: Form,
}

/// A request that is still open, with the right by which it goes on.
pub struct Lasting {
    current: Arc<CurrentRules>,
    is_counted: bool,
    host: Host,
    uri: Uri,
    method: Method,
    asked: Option<Method>,
    address: IpAddr,
    began: Time,
    live: Option<ActiveSession>,
    form: Form,
    judged: Mutex<Judged>,
    is_asking: AtomicBool,
    cut: OnceLock<Cut>,
}

impl std::fmt::Debug for Lasting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lasting").field("cut", &self.cut).finish_non_exhaustive()
    }
}

/// The rules of the last judgement, and whether the route outlives its session by them.
struct Judged {
    by: Arc<Rules>,
    outlives_session: bool,
}

/// What is known of the session.
enum Bond {
    /// There is none, or it lives, or does not matter.
    Holds,
    /// The store has to be asked.
    Doubtful,
}

impl Lasting {
    /// Begins to watch over what was opened.
    #[must_use]
    pub fn new(opened: &Opened<'_>) -> Arc<Self> {
        Arc::new(Self {
            current: Arc::clone(opened.current),
            is_counted: opened.is_counted,
            host: opened.host.clone(),
            uri: opened.uri.clone(),
            method: opened.method.clone(),
            asked: opened.asked.clone(),
            address: opened.address,
            began: opened.began,
            live: opened.live.cloned(),
            form: opened.form.clone(),
            judged: Mutex::new(Judged {
                by: Arc::clone(opened.rules),
                outlives_session: opened.route.outlives_session,
            }),
            is_asking: AtomicBool::new(false),
            cut: OnceLock::new(),
        })
    }

    /// Tells whether it was ended, and why.
    #[must_use]
    pub fn cut(&self) -> Option<Cut> {
        self.cut.get().copied()
    }

    /// Judges it again; ready when it must end. When the store had to be asked and says so later,
    /// the task that waits is woken and finds it in [`cut`](Self::cut).
    pub fn look(self: &Arc<Self>, cx: &Context<'_>) -> Poll<Cut> {
        match self.judge() {
            Err(cut) => Poll::Ready(self.end(cut)),
            Ok(Bond::Holds) => Poll::Pending,
            Ok(Bond::Doubtful) => {
                if !self.is_asking.swap(true, Ordering::AcqRel) {
                    let (this, waker) = (Arc::clone(self), cx.waker().clone());
                    tokio::spawn(async move {
                        if !this.ask().await {
                            this.end(Cut::SessionEnded);
                            waker.wake();
                        }
                        this.is_asking.store(false, Ordering::Release);
                    });
                }
                Poll::Pending
            }
        }
    }

    /// Waits until it must end.
    pub async fn ended(self: Arc<Self>) -> Cut {
        loop {
            tokio::time::sleep(LOOK).await;
            match self.judge() {
                Err(cut) => return self.end(cut),
                Ok(Bond::Doubtful) if !self.ask().await => return self.end(Cut::SessionEnded),
                Ok(Bond::Holds | Bond::Doubtful) => {}
            }
        }
    }

    fn judge(&self) -> Result<Bond, Cut> {
        if let Some(cut) = self.cut() {
            return Err(cut);
        }
        let outlives_session = {
            let rules = self.current.load();
            let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
            if !Arc::ptr_eq(&judged.by, &rules) {
                let outlives_session = self.may_pass(&rules).ok_or(Cut::NotAllowed)?;
                *judged = Judged { by: Arc::clone(&rules), outlives_session };
            }
            judged.outlives_session
        };
        let Some(live) = &self.live else { return Ok(Bond::Holds) };
        if outlives_session && self.form == Form::Stream {
            return Ok(Bond::Holds);
        }
        match self.current.sessions.is_live_near(live, self.current.clock.now()) {
            Some(true) => Ok(Bond::Holds),
            Some(false) => Err(Cut::SessionEnded),
            None => Ok(Bond::Doubtful),
        }
    }

    /// Tells whether the same request would pass by other rules: if so, whether its route outlives
    /// sessions.
    fn may_pass(&self, rules: &Rules) -> Option<bool> {
        let path = rules.path(self.host.name(), self.uri.path()).ok()?;
        let place = (self.host.name(), &*path);
        let visitor = self.live.as_ref().map(|live| Visitor::from(live.session()));
        let mut found = rules.find(place, &self.method, Some(self.address));
        if let Some(asked) = &self.asked {
            found = found.asking_for(asked);
        }
        match found.judge(visitor.as_ref(), self.began) {
            Verdict { route: Some(route), outcome: Ok(_) }
                if matches!(route.action, Action::Forward(_)) && self.may_speak(route) =>
            {
                Some(route.outlives_session)
            }
            _ => None,
        }
    }

    /// Tells whether a route names what is spoken.
    fn may_speak(&self, route: &Route) -> bool {
        match &self.form {
            Form::Stream => true,
            Form::Tunnel(protocol) => route.upgrade.has(protocol),
        }
    }

    /// Asks whether the session lives. Bytes that pass are no sign of life: a page that only stays
    /// open sends them as well. While the store is away, the answer is no only when the grace is
    /// over.
    async fn ask(&self) -> bool {
        let Some(live) = &self.live else { return true };
        self.current.sessions.is_live(live, self.current.clock.now()).await.unwrap_or(false)
    }

    fn end(&self, cut: Cut) -> Cut {
        *self.cut.get_or_init(|| {
            if self.is_counted {
                let event = Event::ResponseCut { reason: cut.code() };
                self.current.events.tell(self.current.clock.now(), None, event);
            }
            cut
        })
    }
}
