//! What is kept of an authority: our account, the certificate, when something is to be done.
//!
//! It holds the private keys of both, so it is sealed where replicas share it, and for its owner
//! only in the state folder.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::clock::{Time, earlier, later};
use crate::base::random;

/// Everything that is kept.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Book {
    pub(super) account: Option<Account>,
    pub(super) certificate: Option<Issued>,
    /// One process orders, or asks, until then at most.
    pub(super) busy_until: Option<Time>,
    /// For what it failed the last time, how often one after the other, and when it is tried again.
    pub(super) failed: Option<Failed>,
}

/// Who we are for an authority.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    /// The address of the authority's directory.
    pub(super) directory: String,
    /// The account with its private key, as the library writes it.
    pub(super) credentials: String,
    /// What challenges are answered with (RFC 7638).
    pub(super) thumbprint: String,
    /// When it was made: replicas learn of it some seconds later.
    pub(super) made: Time,
}

/// A certificate that was issued.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Issued {
    /// By whom and for which names it was wanted.
    pub(super) wanted: Wanted,
    /// The chain and the private key, in PEM.
    pub(super) pem: String,
    pub(super) not_after: Time,
    /// When the next one is ordered.
    pub(super) renew: Time,
    /// When the authority is asked whether it wants that earlier; never, when it answers no such
    /// questions.
    pub(super) ask: Option<Time>,
}

/// Which certificate is wanted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// The address of the authority's directory.
    pub(super) directory: String,
    /// The names of hosts.
    pub(super) names: Vec<String>,
    /// The kind of certificate, as the authority calls it.
    pub(super) profile: Option<String>,
}

/// What did not succeed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) wanted: Wanted,
    pub(super) times: u32,
    pub(super) next: Time,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// A certificate is ordered: there is none of that kind, or it ends soon.
    Order,
    /// The authority is asked when it wants the certificate replaced (RFC 9773).
    Ask,
}

impl Book {
    /// Reads what was kept.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Writes what is to be kept.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Returns the account at the authority of that directory.
    pub(super) fn account_at(&self, directory: &str) -> Option<&Account> {
        self.account.as_ref().filter(|account| account.directory == directory)
    }

    /// Returns the certificate, when it is what is wanted.
    pub(super) fn certificate_for(&self, wanted: &Wanted) -> Option<&Issued> {
        self.certificate.as_ref().filter(|issued| issued.wanted == *wanted)
    }

    /// Tells what is to be done now by whoever comes first.
    pub(super) fn due(&self, wanted: &Wanted, now: Time) -> Due {
        let is_busy = self.busy_until.is_some_and(|until| now < until);
        let failed = self.failed.as_ref().filter(|failed| failed.wanted == *wanted);
        if is_busy || failed.is_some_and(|failed| now < failed.next) {
            return Due::Nothing;
        }
        match self.certificate_for(wanted) {
            None => Due::Order,
            Some(issued) if issued.renew <= now => Due::Order,
            Some(issued) if issued.ask.is_some_and(|at| at <= now) => Due::Ask,
            Some(_) => Due::Nothing,
        }
    }

    /// Notes that it did not succeed. The next try comes after five minutes, and twice as long after
    /// each that fails, up to half a day: authorities turn those away that try more often.
    pub(super) fn note_failure(&mut self, wanted: &Wanted, now: Time) -> Time {
        let before = self.failed.take().filter(|failed| failed.wanted == *wanted);
        let times = before.map_or(0, |failed| failed.times).saturating_add(1);
        let pause = FIRST_PAUSE.saturating_mul(1 << (times - 1).min(16)).min(LONGEST_PAUSE);
        let next = later(now, pause + random_part(pause / 8));
        self.failed = Some(Failed { wanted: wanted.clone(), times, next });
        next
    }
}

impl Issued {
    /// Takes in a certificate that is valid from then to then. The next one is ordered when a third
    /// of its life is left, or up to a twelfth earlier, so that not everybody orders at once.
    pub(super) fn new(
        wanted: Wanted,
        pem: String,
        (not_before, not_after): (Time, Time),
        now: Time,
    ) -> Self {
        let life = span(not_before, not_after);
        let renew = earlier(not_after, life / 3 + random_part(life / 12));
        Self { wanted, pem, not_after, renew, ask: Some(later(now, ASK_EVERY)) }
    }

    /// Takes in when the authority wants it replaced: at a time of its window, unless that was known.
    pub(super) fn replace_within(&mut self, (start, end): (Time, Time)) {
        if self.renew < start || end < self.renew {
            self.renew = later(start, random_part(span(start, end)));
        }
    }
}

/// How often the authority is asked whether it wants a certificate replaced, unless it says
/// otherwise.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(6 * 3600);
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * 3600);

fn span(from: Time, to: Time) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Returns a time between nothing and that.
fn random_part(of: Duration) -> Duration {
    let share = f64::from(u32::from_le_bytes(random::bytes())) / f64::from(u32::MAX);
    of.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn now() -> Time {
        Time::from_second(1_900_000_000).unwrap()
    }

    fn wanted(name: &str) -> Wanted {
        let directory = "https://authority.example/directory".to_owned();
        Wanted { directory, names: vec![name.to_owned()], profile: None }
    }

    fn issued(name: &str) -> Issued {
        let dates = (now(), later(now(), 90 * DAY));
        Issued::new(wanted(name), "pem".to_owned(), dates, now())
    }

    #[test]
    fn a_certificate_is_ordered_once_and_again_before_it_ends() {
        let (mut book, a) = (Book::default(), wanted("a.example"));
        assert_eq!(book.due(&a, now()), Due::Order);
        book.busy_until = Some(later(now(), Duration::from_secs(60)));
        assert_eq!(book.due(&a, now()), Due::Nothing, "somebody is at it");
        let after = later(now(), Duration::from_secs(60));
        assert_eq!(book.due(&a, after), Due::Order, "who was at it has gone");
        book.certificate = Some(issued("a.example"));
        assert_eq!(book.due(&a, after), Due::Nothing);
        assert_eq!(book.due(&wanted("b.example"), after), Due::Order);
        assert_eq!(book.due(&a, later(now(), ASK_EVERY)), Due::Ask);
        book.certificate.as_mut().unwrap().ask = None;
        assert_eq!(book.due(&a, later(now(), 52 * DAY)), Due::Nothing);
        assert_eq!(book.due(&a, later(now(), 60 * DAY)), Due::Order);
        assert!(Book::read(&book.to_bytes()).unwrap() == book);
        assert!(Book::read(b"").is_none() && Book::read(b"7").is_none());
    }

    #[test]
    fn what_fails_is_tried_again_later_and_later() {
        let (mut book, a) = (Book::default(), wanted("a.example"));
        let (mut at, mut pauses) = (now(), Vec::new());
        for _ in 0..20 {
            let next = book.note_failure(&a, at);
            assert_eq!(book.due(&a, earlier(next, Duration::from_secs(1))), Due::Nothing);
            assert_eq!(book.due(&a, next), Due::Order);
            pauses.push(span(at, next).as_secs() / 60);
            at = next;
        }
        let bounds = [(5, 5), (10, 11), (20, 22), (40, 45), (80, 90), (160, 180), (320, 360)];
        for (pause, (least, most)) in pauses.iter().zip(bounds) {
            assert!((least..=most).contains(pause), "{pauses:?}");
        }
        assert!(pauses[8..].iter().all(|pause| (720..=810).contains(pause)), "{pauses:?}");
        // Something else is tried at once, and begins anew.
        assert_eq!(
            book.due(&wanted("b.example"), earlier(at, Duration::from_secs(60))),
            Due::Order
        );
        book.note_failure(&wanted("b.example"), at);
        assert_eq!(book.failed.as_ref().unwrap().times, 1);
    }

    #[test]
    fn the_authority_may_want_a_certificate_replaced_at_another_time() {
        let mut one = issued("a.example");
        let planned = one.renew;
        one.replace_within((now(), later(now(), 90 * DAY)));
        assert_eq!(one.renew, planned, "it is within the window");
        let (start, end) = (earlier(now(), 2 * DAY), earlier(now(), DAY));
        one.replace_within((start, end));
        assert!(start <= one.renew && one.renew <= end, "at once, since it was revoked");
        let (start, end) = (later(now(), 70 * DAY), later(now(), 72 * DAY));
        one.replace_within((start, end));
        assert!(start <= one.renew && one.renew <= end);
    }

    #[test]
    fn a_third_of_a_life_is_left_when_it_is_renewed() {
        for days in [6, 45, 90, 398] {
            let dates = (now(), later(now(), days * DAY));
            let one = Issued::new(wanted("a.example"), String::new(), dates, now());
            let left = span(one.renew, one.not_after);
            assert!(days * DAY / 3 <= left && left <= days * DAY * 5 / 12 + Duration::from_secs(1));
        }
    }
}
