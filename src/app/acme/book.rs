//! What is kept of authorities: our accounts, the certificate, when something is to be done.
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
    /// How often it was changed: of two, the one that was changed more often is the later one.
    pub(super) revision: u64,
    /// One for each authority, the one that was made last behind the others.
    pub(super) accounts: Vec<AcmeAccount>,
    pub(super) certificate: Option<Issued>,
    pub(super) busy: Option<Busy>,
    pub(super) failed: Option<Failed>,
}

/// Who we are for an authority.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AcmeAccount {
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
    /// When it was issued.
    pub(super) made: Time,
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

/// One process orders, or asks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Busy {
    /// Which one: a name that no other process has.
    pub(super) owner: String,
    /// Until then at most.
    pub(super) until: Time,
}

/// Orders that did not succeed, or did not come to an end yet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    /// What was wanted the last time.
    pub(super) wanted: Wanted,
    /// How many, one after the other.
    pub(super) times: u32,
    /// When the last one began.
    pub(super) at: Time,
    /// When the same is tried again.
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
    ///
    /// # Errors
    /// None that is known: texts, numbers and times can be written.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Returns the account at the authority of that directory.
    pub(super) fn account_at(&self, directory: &str) -> Option<&AcmeAccount> {
        self.accounts.iter().find(|account| account.directory == directory)
    }

    /// Keeps an account, in the place of one at the same authority.
    pub(super) fn keep_account(&mut self, account: AcmeAccount) {
        self.accounts.retain(|one| one.directory != account.directory);
        self.accounts.push(account);
        let many = self.accounts.len().saturating_sub(MOST_ACCOUNTS);
        self.accounts.drain(..many);
    }

    /// Returns the certificate, when it is good for what is wanted.
    pub(super) fn certificate_for(&self, wanted: &Wanted) -> Option<&Issued> {
        self.certificate.as_ref().filter(|issued| issued.wanted.covers(wanted))
    }

    /// Tells whether a process is at it. Times from a clock that is far ahead do not count.
    fn is_busy(&self, now: Time) -> bool {
        let latest = later(now, LEASE + LEASE / 4);
        self.busy.as_ref().is_some_and(|busy| now < busy.until && busy.until <= latest)
    }

    /// Tells whether orders wait because of those that failed. What is wanted now for the first time
    /// waits only a little.
    fn is_pausing(&self, wanted: &Wanted, now: Time) -> bool {
        let Some(failed) = &self.failed else { return false };
        let end = match failed.wanted == *wanted {
            true => failed.next,
            false => failed.next.min(later(failed.at, FIRST_PAUSE)),
        };
        now < end && end <= later(now, LONGEST_PAUSE + LONGEST_PAUSE / 4)
    }

    /// Tells what is to be done now by whoever comes first.
    pub(super) fn due(&self, wanted: &Wanted, now: Time) -> Due {
        if self.is_busy(now) {
            return Due::Nothing;
        }
        // Replicas are told of another configuration one after the other: each would undo what the
        // other ordered.
        let is_young = |issued: &Issued| now < later(issued.made, YOUNG) && now < issued.not_after;
        let is_needed = match (&self.certificate, self.certificate_for(wanted)) {
            (_, Some(issued)) => issued.renew <= now || issued.not_after <= now,
            (Some(other), None) => !is_young(other),
            (None, None) => true,
        };
        let is_asked = |issued: &Issued| issued.ask.is_some_and(|at| at <= now);
        match (is_needed, self.certificate_for(wanted)) {
            (true, _) if self.is_pausing(wanted, now) => Due::Nothing,
            (true, _) => Due::Order,
            (false, Some(issued)) if is_asked(issued) => Due::Ask,
            (false, _) => Due::Nothing,
        }
    }

    /// Notes that an order did not succeed, or only begins. The next one comes after five minutes,
    /// and twice as long after each, up to half a day: authorities turn those away that try more often.
    pub(super) fn note_failure(&mut self, wanted: &Wanted, now: Time) {
        let times = self.failed.as_ref().map_or(0, |failed| failed.times).saturating_add(1);
        let pause = FIRST_PAUSE.saturating_mul(1 << (times - 1).min(16)).min(LONGEST_PAUSE);
        let next = later(now, pause + random_part(pause / 8));
        self.failed = Some(Failed { wanted: wanted.clone(), times, at: now, next });
    }

    /// Returns when what is wanted is tried again.
    pub(super) fn next_try(&self) -> Option<Time> {
        self.failed.as_ref().map(|failed| failed.next)
    }
}

impl Wanted {
    /// Tells whether what was issued for this is good for another one, too: the order of names says
    /// nothing, and more names do no harm.
    fn covers(&self, other: &Self) -> bool {
        self.directory == other.directory
            && self.profile == other.profile
            && other.names.iter().all(|name| self.names.contains(name))
    }
}

impl Issued {
    /// Takes in a certificate that is valid from then to then. The next one is ordered when a third
    /// of its life is left, or up to a twelfth earlier, so that not everybody orders at once; but not
    /// before a third of what is left from now on, whatever clocks and authorities say.
    pub(super) fn new(
        wanted: Wanted,
        pem: String,
        (not_before, not_after): (Time, Time),
        now: Time,
    ) -> Self {
        let life = span(not_before, not_after);
        let renew = earlier(not_after, life / 3 + random_part(life / 12));
        let renew = renew.max(later(now, span(now, not_after) / 3));
        Self { wanted, pem, made: now, not_after, renew, ask: Some(later(now, ASK_EVERY)) }
    }

    /// Takes in when the authority wants it replaced: at a time of its window, unless that was known,
    /// and in time before it ends.
    pub(super) fn replace_within(&mut self, (start, end): (Time, Time), now: Time) {
        if self.renew < start || end < self.renew {
            self.renew = later(start, random_part(span(start, end)));
        }
        self.renew = self.renew.min(earlier(self.not_after, span(now, self.not_after) / 6));
    }
}

/// How often the authority is asked whether it wants a certificate replaced, unless it says
/// otherwise.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(6 * 3600);
/// Who is at it is so for no longer: all that can take long is bounded by less.
pub(super) const LEASE: Duration = Duration::from_secs(300);
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * 3600);
/// A certificate that is younger is not replaced because something else is wanted.
const YOUNG: Duration = Duration::from_secs(3600);
const MOST_ACCOUNTS: usize = 4;

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
    const MINUTE: Duration = Duration::from_secs(60);

    fn now() -> Time {
        Time::from_second(1_900_000_000).unwrap()
    }

    fn wanted(names: &[&str]) -> Wanted {
        let directory = "https://authority.example/directory".to_owned();
        Wanted {
            directory,
            names: names.iter().map(|&one| one.to_owned()).collect(),
            profile: None,
        }
    }

    fn issued(names: &[&str]) -> Issued {
        let dates = (now(), later(now(), 90 * DAY));
        Issued::new(wanted(names), "pem".to_owned(), dates, now())
    }

    fn busy(until: Time) -> Option<Busy> {
        Some(Busy { owner: "another".to_owned(), until })
    }

    #[test]
    fn a_certificate_is_ordered_once_and_again_before_it_ends() {
        let (mut book, a) = (Book::default(), wanted(&["a.example"]));
        assert_eq!(book.due(&a, now()), Due::Order);
        book.busy = busy(later(now(), MINUTE));
        assert_eq!(book.due(&a, now()), Due::Nothing, "somebody is at it");
        let after = later(now(), MINUTE);
        assert_eq!(book.due(&a, after), Due::Order, "who was at it has gone");
        book.busy = busy(later(now(), DAY));
        assert_eq!(
            book.due(&a, now()),
            Due::Order,
            "whose clock is ahead by a day counts for nobody"
        );
        book.certificate = Some(issued(&["a.example"]));
        assert_eq!(book.due(&a, after), Due::Nothing);
        assert_eq!(book.due(&a, later(now(), ASK_EVERY)), Due::Ask);
        book.certificate.as_mut().unwrap().ask = None;
        assert_eq!(book.due(&a, later(now(), 52 * DAY)), Due::Nothing);
        assert_eq!(book.due(&a, later(now(), 60 * DAY)), Due::Order);
        assert!(Book::read(&book.to_bytes().unwrap()).unwrap() == book);
        assert!(Book::read(b"").is_none() && Book::read(b"7").is_none());
    }

    #[test]
    fn replicas_that_want_other_names_do_not_order_in_turns() {
        let mut book = Book::default();
        let (both, turned) =
            (wanted(&["a.example", "b.example"]), wanted(&["b.example", "a.example"]));
        book.certificate = Some(issued(&["a.example", "b.example"]));
        for good in [&both, &turned, &wanted(&["a.example"])] {
            assert_eq!(book.due(good, now()), Due::Nothing);
        }
        let more = wanted(&["a.example", "c.example"]);
        assert_eq!(book.due(&more, later(now(), 59 * MINUTE)), Due::Nothing, "it is young");
        assert_eq!(book.due(&more, later(now(), 60 * MINUTE)), Due::Order);
        let elsewhere = Wanted { directory: "https://other.example/".to_owned(), ..both.clone() };
        let special = Wanted { profile: Some("short".to_owned()), ..both };
        for other in [elsewhere, special] {
            assert_eq!(book.due(&other, later(now(), DAY)), Due::Order);
        }
    }

    #[test]
    fn what_fails_is_tried_again_later_and_later() {
        let (mut book, a) = (Book::default(), wanted(&["a.example"]));
        let (mut at, mut pauses) = (now(), Vec::new());
        for _ in 0..20 {
            book.note_failure(&a, at);
            let next = book.next_try().unwrap();
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
        // Something else is tried earlier, and not at once: names may be the same.
        book.note_failure(&a, now());
        let b = wanted(&["b.example"]);
        assert_eq!(book.due(&b, later(now(), 4 * MINUTE)), Due::Nothing);
        assert_eq!(book.due(&b, later(now(), 5 * MINUTE)), Due::Order);
        assert_eq!(book.due(&a, later(now(), 5 * MINUTE)), Due::Nothing);
        // A clock that was years ahead does not stop it for years.
        book.note_failure(&a, later(now(), 400 * DAY));
        assert_eq!(book.due(&a, now()), Due::Order);
    }

    #[test]
    fn the_authority_may_want_a_certificate_replaced_at_another_time() {
        let mut one = issued(&["a.example"]);
        let planned = one.renew;
        one.replace_within((now(), later(now(), 90 * DAY)), now());
        assert_eq!(one.renew, planned, "it is within the window");
        let (start, end) = (earlier(now(), 2 * DAY), earlier(now(), DAY));
        one.replace_within((start, end), now());
        assert!(start <= one.renew && one.renew <= end, "at once, since it was revoked");
        let (start, end) = (later(now(), 70 * DAY), later(now(), 72 * DAY));
        one.replace_within((start, end), now());
        assert!(start <= one.renew && one.renew <= end);
        // Never so late that nothing is left to try again.
        one.replace_within((later(now(), 9000 * DAY), Time::MAX), now());
        assert_eq!(one.renew, later(now(), 75 * DAY));
    }

    #[test]
    fn a_third_of_a_life_is_left_when_it_is_renewed() {
        for days in [6, 45, 90, 398] {
            let dates = (now(), later(now(), days * DAY));
            let one = Issued::new(wanted(&["a.example"]), String::new(), dates, now());
            let left = span(one.renew, one.not_after);
            assert!(days * DAY / 3 <= left && left <= days * DAY * 5 / 12 + Duration::from_secs(1));
        }
        // One that is old when it comes, by its dates or by our clock, is not ordered in a circle.
        let dates = (earlier(now(), 80 * DAY), later(now(), 10 * DAY));
        let one = Issued::new(wanted(&["a.example"]), String::new(), dates, now());
        assert!(one.renew >= later(now(), 3 * DAY));
    }

    #[test]
    fn there_is_one_account_for_each_authority_and_not_any_number() {
        let mut book = Book::default();
        for number in [1, 2, 3, 1, 4, 5] {
            let directory = format!("https://{number}.example/");
            let thumbprint = format!("{number}");
            let credentials = String::new();
            book.keep_account(AcmeAccount { directory, credentials, thumbprint, made: now() });
        }
        let all: Vec<_> = book.accounts.iter().map(|one| &*one.thumbprint).collect();
        assert_eq!(all, ["3", "1", "4", "5"]);
        assert!(book.account_at("https://1.example/").is_some());
    }
}
