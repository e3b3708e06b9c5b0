//! The signed identity: a JWT, minted once for a session and a release, and kept in the forms in which
//! the backend wants it.

use std::sync::Arc;
use std::time::Duration;

use moka::ops::compute::Op;
use moka::sync::Cache;
use serde::Serialize;

use super::claims::{Claims, Nobody, PairwiseSecret, Subject};
use super::error::Error;
use super::forms::signature::{MessageSignature, RingSigner, Signer};
use super::forms::{Form, Telling, Told};
use super::keyring;
use super::keys::SigningKeys;
use super::release::Release;
use super::signing_key::Algorithm;
use super::ways::Ways;
use crate::base::clock::{SharedClock, Time, earlier, later};
use crate::base::digest_hasher::BuildDigestHasher;
use crate::base::recent::Recent;

/// Mints and keeps signed identities.
pub struct Minter {
    issuer: String,
    secret: PairwiseSecret,
    lifetime: Duration,
    ways: Ways,
    keys: Arc<SigningKeys>,
    signer: RingSigner,
    minted: Cache<(SessionKey, usize), Minted, BuildDigestHasher>,
}

/// The signed identities that one worker handed out last. Only for sessions that were just found:
/// whether a session has ended is not asked here.
pub struct Tokens {
    minter: Arc<Minter>,
    recent: Recent<(SessionKey, usize), Minted>,
}

/// How many a worker remembers.
const RECENT: usize = 1024;

impl Tokens {
    /// Makes the memory of a worker.
    #[must_use]
    pub fn new(minter: Arc<Minter>) -> Self {
        Self { minter, recent: Recent::new(RECENT) }
    }

    /// Returns what is told of a session for the release of that number. It is made when there is
    /// nothing yet, or its token has less than a fifth of its life left; only then the `subject` is
    /// asked for.
    ///
    /// # Errors
    /// When it cannot be signed, encrypted or written.
    pub fn told<'s>(
        &self,
        session: SessionKey,
        release: (usize, &Release),
        subject: impl FnOnce() -> Subject<'s>,
        now: Time,
    ) -> Result<Told, Error> {
        let minter = &self.minter;
        let mint = |generation| minter.mint(release.1, subject(), now, generation);
        self.known_or_minted(session, release.0, now, mint)
    }

    /// Returns what is told of nobody for the release of that number, kept as that of a session.
    ///
    /// # Errors
    /// When it cannot be signed or written.
    pub fn nobody(&self, release: (usize, &Release), now: Time) -> Result<Told, Error> {
        let mint = |generation| self.minter.mint_nobody(release.1, now, generation);
        self.known_or_minted(NOBODY, release.0, now, mint)
    }

    fn known_or_minted(
        &self,
        session: SessionKey,
        number: usize,
        now: Time,
        mint: impl FnOnce(u64) -> Result<Minted, Error>,
    ) -> Result<Told, Error> {
        // Part of a digest, which is as good as random.
        let first = session.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
        let place = first.wrapping_add(number as u64);
        let generation = self.minter.keys.generation();
        let known = self.recent.find(
            place,
            |key| *key == (session, number),
            |minted| minted.is_good(generation, now).then(|| minted.told.clone()),
        );
        if let Some(told) = known {
            return Ok(told);
        }
        let minted = self.minter.minted((session, number), now, mint)?;
        let told = minted.told.clone();
        self.recent.put(place, (session, number), minted);
        Ok(told)
    }

    /// Returns what signs the messages of a route.
    #[must_use]
    pub fn signer<'s>(&'s self, how: &'s MessageSignature, clock: &'s SharedClock) -> Signer<'s> {
        Signer { how, ring: &self.minter.signer, clock }
    }
}

/// What a kept token is found by: a digest that stands for the session.
pub type SessionKey = [u8; 32];

/// Stands where a session's digest does. No digest that anybody could find is this.
const NOBODY: SessionKey = [0; 32];

#[derive(Clone)]
struct Minted {
    told: Told,
    renew_at: Time,
    /// That of the keys, from before it was signed.
    generation: u64,
}

impl Minted {
    fn is_good(&self, generation: u64, now: Time) -> bool {
        self.generation == generation && now < self.renew_at
    }
}

/// The longest that a token may live.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(300);

/// A key is published for longer than anything that it signed is good.
const _: () = assert!(keyring::KEPT.as_secs() > LONGEST_LIFETIME.as_secs());

impl Minter {
    /// Makes a minter. `issuer` is the portal's origin; `kept` bounds the tokens that are kept.
    #[must_use]
    pub fn new(
        issuer: String,
        secret: PairwiseSecret,
        (lifetime, ways): (Duration, Ways),
        keys: Arc<SigningKeys>,
        kept: u64,
    ) -> Self {
        let lifetime = lifetime.min(LONGEST_LIFETIME);
        let minted = Cache::builder()
            .max_capacity(kept)
            .time_to_live(lifetime)
            .build_with_hasher(BuildDigestHasher::default());
        let signer = RingSigner::new(Arc::clone(&keys));
        Self { issuer, secret, lifetime, ways, keys, signer, minted }
    }

    /// Returns how long an identity is valid.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Returns what the ways to identify are called.
    #[must_use]
    pub fn ways(&self) -> &Ways {
        &self.ways
    }

    /// Returns what is kept for the session and the release of that number, or mints it.
    fn minted(
        &self,
        key: (SessionKey, usize),
        now: Time,
        mint: impl FnOnce(u64) -> Result<Minted, Error>,
    ) -> Result<Minted, Error> {
        let generation = self.keys.generation();
        // Of all who ask for it at once one makes it, and the others wait for that.
        let made = self.minted.entry(key).and_try_compute_with(|kept| {
            match kept.map(moka::Entry::into_value) {
                Some(minted) if minted.is_good(generation, now) => Ok(Op::Nop),
                _ => mint(generation).map(Op::Put),
            }
        })?;
        made.into_entry().map(moka::Entry::into_value).ok_or(Error::Signing)
    }

    /// Forgets the tokens of a session that ended.
    pub fn forget(&self, session: SessionKey, releases: usize) {
        for number in 0..releases {
            self.minted.invalidate(&(session, number));
        }
    }

    fn mint(
        &self,
        release: &Release,
        subject: Subject<'_>,
        now: Time,
        generation: u64,
    ) -> Result<Minted, Error> {
        if !self.secret.is_known() {
            return Err(Error::NoSecret);
        }
        // A token never outlives the session that it speaks of.
        let expires = later(now, self.lifetime).min(subject.session_end);
        let way = subject.authority.map(|authority| self.ways.of(authority));
        let claims = Claims::new(
            &self.issuer,
            (&release.audience, &release.claims),
            (subject, way),
            &self.secret,
            now,
            expires,
        );
        let wants_token = release.forms.iter().any(Form::has_token);
        let sign = || self.sign(release.algorithm, &claims, now);
        let token = wants_token.then(sign).transpose()?;
        let telling = Telling { claims: &claims, token: token.as_deref() };
        let told = Told::by(&release.forms, &telling)?;
        Ok(Minted { told, renew_at: renew_at(now, expires), generation })
    }

    fn mint_nobody(&self, release: &Release, now: Time, generation: u64) -> Result<Minted, Error> {
        let expires = later(now, self.lifetime);
        let claims = Nobody::new(&self.issuer, &release.audience, now, expires);
        let token = self.sign(release.algorithm, &claims, now)?;
        let told = Told::nobody(&release.forms, &token)?;
        Ok(Minted { told, renew_at: renew_at(now, expires), generation })
    }

    fn sign(
        &self,
        algorithm: Algorithm,
        claims: &impl Serialize,
        now: Time,
    ) -> Result<String, Error> {
        let ring = self.keys.ring();
        let key = ring.current(algorithm, now).ok_or(Error::NoKey(algorithm))?;
        key.token(claims).map_err(|_| Error::Signing)
    }
}

/// A fifth of what it has before its end, so that a short one at the end of a session is kept as
/// well.
fn renew_at(now: Time, expires: Time) -> Time {
    let life = Duration::try_from(expires.duration_since(now)).unwrap_or_default();
    earlier(expires, life / 5)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::base::encoding::from_base64url;
    use crate::identity::assurance::Assurance;
    use crate::identity::claims::PersonalClaim;
    use crate::identity::forms::headers::{Encoding, PlainHeaders, Preset};
    use crate::identity::headers::ASSERTION;
    use crate::identity::keyring::KeyRing;
    use crate::identity::person::{Identifier, Person};

    const ANNA: &str = "44051401359";
    const JAN: &str = "02070803628";

    struct World {
        minter: Arc<Minter>,
        release: Release,
        now: Time,
    }

    fn world(lifetime: Duration) -> World {
        let now = Time::from_second(1_900_000_000).unwrap();
        let period = Duration::from_secs(86_400);
        let keys = SigningKeys::new(KeyRing::generate(period, &Algorithm::ALL, now));
        let secret = PairwiseSecret::new(vec![7; 32]).unwrap();
        let how = (lifetime, Ways::default());
        let minter = Minter::new("https://portal".to_owned(), secret, how, Arc::new(keys), 100);
        let release = Release::by_assertion("tax", Vec::new());
        World { minter: Arc::new(minter), release, now }
    }

    impl World {
        fn worker(&self) -> Tokens {
            Tokens::new(Arc::clone(&self.minter))
        }

        fn token(&self, of: &Tokens, session: SessionKey, pesel: &str, now: Time) -> HeaderValue {
            self.until(of, session, pesel, now, later(self.now, Duration::from_secs(1800)))
        }

        fn until(
            &self,
            of: &Tokens,
            session: SessionKey,
            pesel: &str,
            now: Time,
            session_end: Time,
        ) -> HeaderValue {
            let person = Person::new(None, None, None, Identifier::parse(pesel));
            let subject = Subject {
                person: &person,
                session: "s",
                assurance: Assurance::High,
                authority: None,
                authenticated: self.now,
                session_end,
            };
            the_token(&of.told(session, (0, &self.release), || subject, now).unwrap())
        }

        fn after(&self, seconds: u64) -> Time {
            later(self.now, Duration::from_secs(seconds))
        }
    }

    fn the_token(told: &Told) -> HeaderValue {
        let [(name, token)] = told.fields() else { panic!("it is told in one field") };
        assert_eq!(name, ASSERTION);
        token.clone()
    }

    fn claim(token: &HeaderValue, name: &str) -> serde_json::Value {
        let payload = token.to_str().unwrap().split('.').nth(1).unwrap();
        let claims: serde_json::Value =
            serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap();
        claims[name].clone()
    }

    fn lives(token: &HeaderValue) -> i64 {
        claim(token, "exp").as_i64().unwrap() - claim(token, "iat").as_i64().unwrap()
    }

    /// They have one place in the table of a worker.
    #[test]
    fn two_sessions_with_the_same_first_bytes_each_get_their_own_subject() {
        let world = world(Duration::from_secs(60));
        let worker = world.worker();
        let (anna, mut jan) = ([5; 32], [5; 32]);
        jan[31] = 6;
        let subject = |session, pesel| {
            let token = world.token(&worker, session, pesel, world.now);
            claim(&token, "sub").as_str().unwrap().to_owned()
        };
        let first = subject(anna, ANNA);
        let second = subject(jan, JAN);
        assert_ne!(first, second);
        assert_eq!(subject(anna, ANNA), first);
        assert_eq!(subject(jan, JAN), second);
    }

    #[test]
    fn one_session_gets_another_token_for_each_release_although_they_share_a_place() {
        let world = world(Duration::from_secs(60));
        let worker = world.worker();
        let person = Person::new(None, None, None, Identifier::parse(ANNA));
        let subject = Subject {
            person: &person,
            session: "s",
            assurance: Assurance::High,
            authority: None,
            authenticated: world.now,
            session_end: world.after(1800),
        };
        let other = Release::by_assertion("health", Vec::new());
        let token = |first: u64, release| {
            let mut session = [0; 32];
            session[..8].copy_from_slice(&first.to_le_bytes());
            the_token(&worker.told(session, release, || subject, world.now).unwrap())
        };
        // The place of a session's second release is that of its neighbour's first.
        for (first, release, audience) in [
            (9, (0, &world.release), "tax"),
            (8, (1, &other), "health"),
            (9, (1, &other), "health"),
            (9, (0, &world.release), "tax"),
        ] {
            assert_eq!(claim(&token(first, release), "aud"), audience, "{first}");
        }
    }

    #[test]
    fn a_token_is_kept_until_a_fifth_of_its_life_is_left() {
        let world = world(Duration::from_secs(100));
        let worker = world.worker();
        let at =
            |worker: &Tokens, seconds| world.token(worker, [1; 32], ANNA, world.after(seconds));
        let first = at(&worker, 0);
        assert_eq!(at(&worker, 79), first);
        let header = first.to_str().unwrap().split('.').next().unwrap();
        let header: serde_json::Value =
            serde_json::from_slice(&from_base64url(header).unwrap()).unwrap();
        let ring = world.minter.keys.ring();
        let key = ring.current(Algorithm::Es256, world.now).unwrap();
        assert_eq!(header["kid"], key.id(), "backends find the key by its name");
        drop(ring);
        assert_eq!(at(&world.worker(), 79), first, "other workers get the same");
        let second = at(&worker, 80);
        assert_ne!(second, first);
        assert_eq!(at(&world.worker(), 80), second);
        assert_eq!(lives(&first), 100);
        assert!(first.is_sensitive());
    }

    #[test]
    fn workers_that_want_a_token_at_the_same_time_get_the_same() {
        let world = world(Duration::from_secs(100));
        let barrier = std::sync::Barrier::new(8);
        let tokens: Vec<HeaderValue> = std::thread::scope(|scope| {
            let one = || {
                let worker = world.worker();
                barrier.wait();
                world.token(&worker, [1; 32], ANNA, world.now)
            };
            let workers: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        assert!(tokens.iter().all(|token| *token == tokens[0]));
    }

    #[test]
    fn a_release_is_told_in_each_of_its_forms_and_signed_only_for_those_that_want_it() {
        let world = world(Duration::from_secs(100));
        let person = Person::new(Some("Anna".to_owned()), None, None, Identifier::parse(ANNA));
        let subject = Subject {
            person: &person,
            session: "s",
            assurance: Assurance::High,
            authority: Some("pz.gov.pl"),
            authenticated: world.now,
            session_end: world.after(1800),
        };
        let headers = Form::Headers(PlainHeaders::of(Preset::Brama, Encoding::Percent));
        let told = |number: usize, forms: Vec<Form>| {
            let claims = vec![PersonalClaim::GivenName];
            let release = Release { claims, forms, ..Release::by_assertion("tax", Vec::new()) };
            world.worker().told([1; 32], (number, &release), || subject, world.now).unwrap()
        };
        let value = |told: &Told, name: &str| {
            let field = told.fields().iter().find(|field| field.0 == name);
            field.map(|field| field.1.to_str().unwrap().to_owned())
        };
        let both = told(0, vec![Form::Assertion, Form::Bearer, headers.clone()]);
        let token = value(&both, "x-brama-assertion").unwrap();
        assert_eq!(value(&both, "authorization"), Some(format!("Bearer {token}")));
        assert_eq!(value(&both, "x-brama-given-name").as_deref(), Some("Anna"));
        assert_eq!(value(&both, "x-brama-way").as_deref(), Some("profil_zaufany"));
        // Not released, or not known: empty, never left out.
        for name in ["x-brama-pesel", "x-brama-family-name", "x-brama-birthdate"] {
            assert_eq!(value(&both, name).as_deref(), Some(""), "{name}");
        }
        assert!(both.fields().iter().all(|(_, value)| value.is_sensitive()));
        let plain = told(1, vec![headers]);
        assert_eq!(value(&plain, "x-brama-assertion"), None);
        assert_eq!(plain.fields().len(), both.fields().len() - 2);
        assert!(told(2, Vec::new()).fields().is_empty());
    }

    #[test]
    fn no_token_lives_for_longer_than_five_minutes_or_than_its_session() {
        for (asked, given) in [(299, 299), (300, 300), (301, 300), (86_400, 300)] {
            let world = world(Duration::from_secs(asked));
            assert_eq!(world.minter.lifetime(), Duration::from_secs(given));
            let token = world.token(&world.worker(), [1; 32], ANNA, world.now);
            assert_eq!(lives(&token), i64::try_from(given).unwrap(), "{asked}");
        }
        let world = world(Duration::from_secs(100));
        let worker = world.worker();
        let end = world.after(50);
        let at = |seconds| world.until(&worker, [1; 32], ANNA, world.after(seconds), end);
        let first = at(0);
        assert_eq!(lives(&first), 50);
        assert_eq!(at(39), first, "one at the end of a session is kept as well");
        assert_eq!(lives(&at(40)), 10);
    }

    #[test]
    fn a_worker_hands_out_what_it_remembers_itself() {
        let world = world(Duration::from_secs(100));
        let worker = world.worker();
        let first = world.token(&worker, [1; 32], ANNA, world.now);
        world.minter.forget([1; 32], 1);
        assert_eq!(world.token(&worker, [1; 32], ANNA, world.after(79)), first);
        let nobody = || -> Subject<'_> { panic!("it is known already who that is") };
        let known = worker.told([1; 32], (0, &world.release), nobody, world.now).unwrap();
        assert_eq!(the_token(&known), first);
        assert_ne!(world.token(&worker, [1; 32], ANNA, world.after(80)), first);
    }

    #[test]
    fn what_a_session_that_ended_had_is_forgotten_for_each_release_and_nothing_else() {
        let world = world(Duration::from_secs(100));
        let token = |session| world.token(&world.worker(), session, ANNA, world.now);
        let (ended, stays) = (token([1; 32]), token([2; 32]));
        world.minter.forget([1; 32], 1);
        assert_ne!(token([1; 32]), ended);
        assert_eq!(token([2; 32]), stays);
    }
    #[test]
    fn what_a_retired_key_signed_is_handed_out_by_nobody_and_all_else_is() {
        let world = world(Duration::from_secs(100));
        let (worker, keys) = (world.worker(), &world.minter.keys);
        let token = |at: u64| world.token(&worker, [1; 32], ANNA, world.after(at));
        let first = token(0);
        let id = |algorithm| keys.ring().current(algorithm, world.now).unwrap().id().to_owned();
        let change = |change: &dyn Fn(&mut KeyRing)| {
            let mut ring = keys.ring().clone();
            change(&mut ring);
            keys.replace(ring);
        };
        // The next key signs what is minted from now on; what there is stays good.
        change(&|ring| ring.rotate(Algorithm::Es256, world.after(10)).unwrap());
        assert_eq!(token(11), first);
        change(&|ring| {
            ring.advance(world.after(12));
        });
        assert_eq!(token(13), first);
        let previous = keys.ring().list(world.now)[0].id.clone();
        change(&|ring| ring.retire(&previous, world.after(14)).unwrap());
        let second = token(14);
        assert_ne!(second, first);
        assert_eq!(token(15), second);
        let current = id(Algorithm::Es256);
        assert_ne!(current, previous);
        // Another worker never had it.
        assert_eq!(world.token(&world.worker(), [1; 32], ANNA, world.after(15)), second);
    }

    #[test]
    fn nobody_is_told_a_pseudonym_before_the_secret_that_is_kept_is_known() {
        let mut world = world(Duration::from_secs(100));
        let (pending, kept) =
            (PairwiseSecret::pending(), PairwiseSecret::new(vec![7; 32]).unwrap());
        let how = (Duration::from_secs(100), Ways::default());
        let keys = Arc::clone(&world.minter.keys);
        world.minter = Arc::new(Minter::new(String::new(), pending.clone(), how, keys, 100));
        let headers = PlainHeaders::of(Preset::Brama, Encoding::Percent);
        for (number, form) in [Form::Headers(headers), Form::Assertion].into_iter().enumerate() {
            let release = Release { forms: vec![form], ..Release::by_assertion("tax", Vec::new()) };
            let person = Person::new(None, None, None, Identifier::parse(ANNA));
            let subject = Subject {
                person: &person,
                session: "s",
                assurance: Assurance::High,
                authority: None,
                authenticated: world.now,
                session_end: world.after(1800),
            };
            let told = || {
                let key = ([number as u8; 32], (number, &release));
                world.worker().told(key.0, key.1, || subject, world.now)
            };
            pending.replace(&PairwiseSecret::pending());
            assert_eq!(told().unwrap_err(), Error::NoSecret);
            assert!(Error::NoSecret.is_passing() && !Error::Signing.is_passing());
            pending.replace(&kept);
            assert!(told().is_ok());
        }
    }

    #[test]
    fn an_identity_is_signed_as_its_audience_has_it_and_without_a_key_it_is_not() {
        let world = world(Duration::from_secs(100));
        let person = Person::new(None, None, None, Identifier::parse(ANNA));
        let subject = Subject {
            person: &person,
            session: "s",
            assurance: Assurance::High,
            authority: None,
            authenticated: world.now,
            session_end: world.after(1800),
        };
        for (number, algorithm) in Algorithm::ALL.into_iter().enumerate() {
            let release = Release { algorithm, ..Release::by_assertion("tax", Vec::new()) };
            let token =
                |worker: &Tokens| worker.told([1; 32], (number, &release), || subject, world.now);
            let text = the_token(&token(&world.worker()).unwrap());
            let header = jsonwebtoken::decode_header(text.as_bytes()).unwrap();
            let ring = world.minter.keys.ring();
            let key = ring.current(algorithm, world.now).unwrap();
            assert_eq!((header.alg, header.kid.as_deref()), (key.header().alg, Some(key.id())));
            drop(ring);
            let minter = Minter {
                keys: Arc::new(SigningKeys::new(KeyRing::empty(Duration::ZERO, &[]))),
                ..Minter::new(
                    String::new(),
                    PairwiseSecret::generate(),
                    (Duration::from_secs(1), Ways::default()),
                    Arc::clone(&world.minter.keys),
                    1,
                )
            };
            let refused = token(&Tokens::new(Arc::new(minter))).unwrap_err();
            assert!(matches!(refused, Error::NoKey(named) if named == algorithm));
        }
    }
}
