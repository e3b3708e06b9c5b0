//! What we seal, in a place or in a browser.
//!
//! It opens as it was sealed, and only where it was sealed for. Whatever else a browser or a place
//! brings opens nothing.

use std::cell::RefCell;

use libfuzzer_sys::arbitrary::{Result, Unstructured};

use crate::product::encoding::{base64, base64url, from_base64url, sha256};
use crate::product::session::SessionId;
use crate::product::{
    Artifact, Assurance, Key, Kind, LEAST_MARK, Origin, PendingLogin, RelayState, ReturnTo, Sealer,
    Secret, Time, ticket,
};
use crate::within;

/// The same in every process, as the secret of servers is.
struct World {
    ours: Sealer,
    theirs: Sealer,
    now: Time,
    login: RelayState,
    other: RelayState,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

impl World {
    fn new() -> Self {
        let sealer = |byte: u8| Sealer::new(vec![Secret::new(vec![byte; Sealer::LEAST])]);
        let (ours, now) = (sealer(1), Time::from_second(1_900_000_000).expect("it is a time"));
        let end = Time::from_second(1_900_000_600).expect("it is a time");
        let [login, other] = [(), ()].map(|()| RelayState::issue(&ours, end));
        Self { ours, theirs: sealer(2), now, login, other }
    }
}

/// Looks at one input: as what a stranger brings, and as what is sealed and how it is changed.
pub fn run(data: &[u8]) {
    WORLD.with_borrow(|world| {
        within(256 * 1024 + 64 * data.len(), || {
            nothing_of_a_stranger_opens(world, data);
            let _ = what_is_sealed_opens(world, &mut Unstructured::new(data));
        });
    });
}

fn nothing_of_a_stranger_opens(world: &World, data: &[u8]) {
    let World { ours, now, login, .. } = world;
    let key = Key { kind: Kind::Session, digest: sha256(b"id") };
    assert!(ours.open(key, b"id", data).is_err());
    assert!(!ours.is_marked("login", b"data", data));
    // As a browser would bring it, as it stands and in our coding.
    let text = String::from_utf8_lossy(data);
    for text in [text.into_owned(), base64url(data)] {
        assert!(RelayState::recognise(&text, ours, *now).is_err());
        assert!(PendingLogin::open(&text, ours, login).is_none());
        assert!(ticket::open(Some(&text), ours, login, *now).is_err());
        if let Some(id) = SessionId::parse(&text) {
            assert_eq!(id.expose(), text);
        }
    }
}

fn what_is_sealed_opens(world: &World, input: &mut Unstructured<'_>) -> Result<()> {
    let World { ours, theirs, now, login, other } = world;
    // 1. A record.
    let kinds = [Kind::Session, Kind::Login, Kind::Form];
    let key = Key { kind: *input.choose(&kinds)?, digest: sha256(b"id") };
    let secret: &[u8] = input.arbitrary()?;
    let plain: &[u8] = input.arbitrary()?;
    let sealed = ours.seal(key, secret, plain);
    let opened = ours.open(key, secret, &sealed).expect("what is sealed opens");
    assert_eq!(opened.expose(), plain);
    assert!(theirs.open(key, secret, &sealed).is_err());
    let elsewhere = Key { digest: sha256(secret), ..key };
    assert!(ours.open(elsewhere, secret, &sealed).is_err());
    let changed = changed(&sealed, input)?;
    assert!(is_same_text(&changed, &sealed) || ours.open(key, secret, &changed).is_err());

    // 2. A mark.
    let mark = ours.mark("login", plain);
    let length = input.int_in_range(0..=mark.len())?;
    assert_eq!(ours.is_marked("login", plain, &mark[..length]), length >= LEAST_MARK);
    assert!(!theirs.is_marked("login", plain, &mark));

    // 3. What a browser remembers of a login: for this login, and as it was.
    let pending = PendingLogin {
        request_id: "ID-00000000-0000-4000-8000-000000000001".to_owned(),
        return_to: ReturnTo::parse(&format!("/{}", String::from_utf8_lossy(secret))),
        assurance: *input.choose(&Assurance::ALL)?,
        fresh_since: input.arbitrary::<bool>()?.then_some(*now),
        origin: if input.arbitrary()? { Origin::Own } else { Origin::Elsewhere },
    };
    let text = pending.seal(ours, login);
    let text = text.expect("it can be written");
    let text = text.expose();
    let opened = PendingLogin::open(text, ours, login).expect("what is sealed opens");
    assert!(is_same(&opened, &pending), "{opened:?}\n{pending:?}");
    assert!(PendingLogin::open(text, ours, other).is_none());
    assert!(ticket::open(Some(text), ours, login, *now).is_err(), "it stands for another thing");
    let bytes = from_base64url(text).expect("it is base64url");
    let changed = base64url(&self::changed(&bytes, input)?);
    let is_same = is_same_text(changed.as_bytes(), text.as_bytes());
    assert!(is_same || PendingLogin::open(&changed, ours, login).is_none());

    // 4. A ticket.
    let artifact = [sha256(plain), sha256(secret)].concat();
    let artifact = Artifact::parse(&base64(&artifact)).expect("it is an artifact");
    let ticket = ticket::Ticket::issue(ours, login, &artifact, *now);
    let delivered = ticket::open(Some(ticket.expose()), ours, login, *now).expect("it opens");
    assert_eq!(delivered.artifact(), &artifact);
    assert!(ticket::open(Some(ticket.expose()), ours, other, *now).is_err());
    assert!(PendingLogin::open(ticket.expose(), ours, login).is_none());

    // 5. The handle of a login.
    let state = login.as_str();
    assert!(RelayState::recognise(state, ours, *now).is_ok());
    assert!(RelayState::recognise(state, theirs, *now).is_err());
    let changed = self::changed(state.as_bytes(), input)?;
    if let Ok(changed) = std::str::from_utf8(&changed) {
        let is_same = is_same_text(changed.as_bytes(), state.as_bytes());
        assert!(is_same || RelayState::recognise(changed, ours, *now).is_err());
    }
    Ok(())
}

/// Compares digests: whoever makes the inputs sees what is compared, and would bring what was sealed
/// here as a stranger's.
fn is_same_text(one: &[u8], other: &[u8]) -> bool {
    sha256(one) == sha256(other)
}

fn is_same(one: &PendingLogin, other: &PendingLogin) -> bool {
    one.return_to == other.return_to
        && one.assurance == other.assurance
        && one.origin == other.origin
        && one.fresh_since == other.fresh_since
        && one.request_id.eq_ignore_ascii_case(&other.request_id)
}

/// Changes some bytes, cuts or appends.
fn changed(bytes: &[u8], input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut changed = bytes.to_vec();
    for _ in 0..input.int_in_range(1..=4)? {
        if changed.is_empty() {
            break;
        }
        let at = input.int_in_range(0..=changed.len() - 1)?;
        match input.int_in_range(0..=3)? {
            0 => changed[at] ^= 1 << input.int_in_range(0..=7)?,
            1 => changed.truncate(at),
            2 => changed.insert(at, input.arbitrary()?),
            _ => drop(changed.remove(at)),
        }
    }
    Ok(changed)
}
