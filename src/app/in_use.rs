//! Tells which certificates are in use, at the start and when the configuration names others.

use super::inventory::{Dated, Use};
use crate::base::clock::Time;
use crate::observe::event::Event;
use crate::observe::events::Events;

/// Says which certificates of ours and of the node's are in use that were not before.
pub(super) fn tell(before: &[Dated], now: &[Dated], events: &Events, at: Time) {
    let is_known = |one: &Dated| {
        before.iter().any(|old| (old.used_for, &old.sha256) == (one.used_for, &one.sha256))
    };
    for one in now.iter().filter(|one| is_told(one.used_for) && !is_known(one)) {
        events.tell(
            at,
            None,
            Event::CertificateLoaded {
                used_for: one.used_for.name(),
                file: None,
                subject: &one.subject,
                sha256: &one.sha256,
                not_after: one.not_after,
            },
        );
    }
}

fn is_told(used_for: Use) -> bool {
    match used_for {
        Use::Signing | Use::Decryption | Use::Node | Use::Client => true,
        // Who watches the files of listeners tells of them.
        Use::Citizens | Use::Companion | Use::Operations => false,
        // What others are believed by, or are shown, takes no part in a login.
        Use::CompanionCa
        | Use::OperationsCa
        | Use::NodeCa
        | Use::UpstreamClient
        | Use::UpstreamCa
        | Use::RedisClient
        | Use::RedisCa
        | Use::AcmeCa
        | Use::CollectorCa => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::app::inventory::tests::dated;
    use crate::observe::event::{Ear, Told};

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<&'static str>>>);

    impl Ear for Heard {
        fn hear(&self, told: &Told<'_>) {
            if let Event::CertificateLoaded { used_for, .. } = told.event {
                self.0.lock().unwrap().push(used_for);
            }
        }
    }

    #[test]
    fn what_takes_part_in_a_login_is_told_when_it_was_not_in_use_before() {
        let heard = Heard::default();
        let events = Events::new(vec![Arc::new(heard.clone())]);
        let old = ("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z");
        let new = ("2030-12-01T00:00:00Z", "2033-01-01T00:00:00Z");
        let uses =
            [Use::Signing, Use::Decryption, Use::Node, Use::Client, Use::NodeCa, Use::Citizens];
        let of = |dates| uses.map(|used_for| dated(used_for, "key", dates));
        let told = |before: &[Dated], now: &[Dated]| {
            tell(before, now, &events, Time::UNIX_EPOCH);
            std::mem::take(&mut *heard.0.lock().unwrap())
        };
        let all = ["signing", "decryption", "node", "client"];
        assert_eq!(told(&[], &of(old)), all);
        assert_eq!(told(&of(old), &of(new)), all);
        assert!(told(&of(old), &of(old)).is_empty());
        // The same certificate for something else.
        let (decryption, signing) =
            (dated(Use::Decryption, "key", old), dated(Use::Signing, "key", old));
        assert_eq!(told(&[decryption], &[signing]), ["signing"]);
    }
}
