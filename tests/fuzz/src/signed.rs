//! An answer of the node, signed and sealed with keys of this process, and changed in its
//! structure.
//!
//! Whatever is done to it, nobody is ever taken for somebody else: an answer that is still believed
//! says in every respect what the node signed. Parts of a second answer, that the node signed for
//! another person and another login, may be anywhere in it.
//!
//! Keys and identifiers are new in each process. The input names elements by number and never bytes
//! by value, so it does the same in every process.

use std::cell::RefCell;
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::arbitrary::{Result, Unstructured};

use crate::product::{
    Assertion, Assurance, Attribute, DecryptionKey, Expected, Fault, Kit, Login, Names, Outcome,
    PEOPLE, Role, Time, TrustedCertificates, Way, Wrapping, build, examine,
};
use crate::within;
use crate::xml_tree::{Element, change};

const NODE: &str = "symulator.brama.localhost";
const SERVICE: &str = "https://portal.example";
const ACS: &str = "https://portal.example/.brama/acs";
const REQUEST: &str = "ID-00000000-0000-4000-8000-000000000001";
const RESOLVE: &str = "ID-00000000-0000-4000-8000-000000000002";
const ASSERTION: &str = "_ID-00000000-0000-4000-8000-000000000003";
/// How many things are done to one message.
const MOST_CHANGES: usize = 12;
/// The longest answer that is read.
const MOST_BYTES: usize = 256 * 1024;

/// A node with its keys, and what it said.
struct World {
    kit: Kit,
    trusted: TrustedCertificates,
    keys: [DecryptionKey; 1],
    expected: Expected,
    now: Time,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

thread_local! {
    static MESSAGES: RefCell<Option<Messages>> = const { RefCell::new(None) };
}

/// The right answer, the other one, and answers with a fault.
struct Messages {
    right: Element,
    donor: Element,
    faulty: Vec<Element>,
}

impl World {
    fn new() -> Self {
        let now = "2031-03-04T10:20:30.123Z".parse().expect("it is a time");
        let kit = Kit::make(Names { node: NODE, service: SERVICE, hosts: &[] }, now);
        let kit = kit.expect("keys can be made");
        let node = kit.pair(Role::NodeSigning).certificate().clone();
        let key = kit.pair(Role::ServiceEncryption).key();
        let expected = Expected {
            node: Some(NODE.to_owned()),
            service: Some(SERVICE.to_owned()),
            acs: Some(ACS.to_owned()),
            request_id: Some(REQUEST.to_owned()),
            resolve_id: Some(RESOLVE.to_owned()),
            assurance: Some(Assurance::Substantial),
            fresh_since: None,
            required: Attribute::ALL.to_vec(),
            skew: Duration::from_secs(60),
            maximum_bytes: MOST_BYTES,
            wrapping: Wrapping::Soap,
        };
        Self {
            trusted: TrustedCertificates::pin(vec![node]).expect("it is one of a node"),
            keys: [DecryptionKey::try_from(key).expect("it is a key")],
            kit,
            expected,
            now,
        }
    }

    fn login(&self) -> Login<'_> {
        Login {
            node: NODE,
            service: SERVICE,
            acs: ACS,
            request_id: REQUEST,
            resolve_id: RESOLVE,
            outcome: Outcome::Person(&PEOPLE[0]),
            way: Way::TrustedProfile,
            assurance: Assurance::Substantial,
            attributes: &Attribute::ALL,
            recipient: self.kit.pair(Role::ServiceEncryption).certificate(),
            assertion_id: ASSERTION,
            previous_assertion: None,
        }
    }

    fn message(&self, login: &Login<'_>, faults: &[Fault]) -> Option<Element> {
        let bytes = build(login, &self.kit, faults, self.now).expect("an answer can be built");
        let text = String::from_utf8(bytes).ok()?;
        let element = Element::parse(&text)?;
        let mut written = String::new();
        element.write(&mut written);
        assert_eq!(written, text, "a message is written as it came");
        Some(element)
    }

    fn messages(&self) -> Messages {
        let right = self.message(&self.login(), &[]).expect("it is XML");
        let other = Login {
            request_id: "ID-00000000-0000-4000-8000-000000000011",
            resolve_id: "ID-00000000-0000-4000-8000-000000000012",
            assertion_id: "_ID-00000000-0000-4000-8000-000000000013",
            outcome: Outcome::Person(&PEOPLE[1]),
            ..self.login()
        };
        let donor = self.message(&other, &[]).expect("it is XML");
        // An answer that was made for an attack is a better beginning than the right one.
        let faulty = Fault::ALL.iter().filter(|fault| fault.name() != "too-large");
        let faulty = faulty.filter_map(|&fault| self.message(&self.login(), &[fault])).collect();
        assert!(self.read(&right).is_some(), "the right answer is believed");
        assert!(self.read(&donor).is_none(), "the other login's is not");
        Messages { right, donor, faulty }
    }

    fn read(&self, message: &Element) -> Option<Assertion> {
        let mut text = String::new();
        message.write(&mut text);
        if text.len() > MOST_BYTES {
            return None;
        }
        // Twelve copies of a message of 20,000 bytes are looked at, canonicalised, opened.
        within(64 * 1024 * 1024, || {
            examine(text.as_bytes(), &self.trusted, &self.keys, &self.expected, self.now)
        })
        .for_login()
        .ok()
    }
}

/// Returns an assertion as the right answer has it.
pub fn assertion() -> Assertion {
    let world = &*WORLD;
    let message = world.message(&world.login(), &[]).expect("it is XML");
    world.read(&message).expect("the right answer is believed")
}

/// Makes keys and messages, which takes longer than any input may.
pub fn prepare() {
    MESSAGES.set(Some(WORLD.messages()));
}

/// Looks at one input: which message, and what is done to it.
pub fn run(data: &[u8]) {
    let world = &*WORLD;
    MESSAGES.with_borrow_mut(|messages| {
        let messages = messages.get_or_insert_with(|| world.messages());
        let mut input = Unstructured::new(data);
        let Ok((message, is_right)) = changed(messages, &mut input) else { return };
        let Some(assertion) = world.read(&message) else { return };
        let person = assertion.person();
        let first = &PEOPLE[0];
        assert_eq!(person.identifier().as_str(), first.identifier, "taken for somebody else");
        assert_eq!(person.given_name(), Some(&*first.given_name));
        assert_eq!(person.family_name(), Some(&*first.family_name));
        assert_eq!(person.birthdate(), Some(first.birthdate));
        assert_eq!(assertion.name_id(), first.login);
        if is_right {
            assert_eq!(assertion.id(), ASSERTION);
            assert_eq!(assertion.session_index(), ASSERTION);
            assert_eq!(assertion.assurance(), Assurance::Substantial);
            assert_eq!(assertion.authority(), Some(Way::TrustedProfile.authority()));
        }
    });
}

fn changed(messages: &Messages, input: &mut Unstructured<'_>) -> Result<(Element, bool)> {
    let is_right = input.ratio(2, 3)?;
    let mut message =
        if is_right { messages.right.clone() } else { input.choose(&messages.faulty)?.clone() };
    for _ in 0..MOST_CHANGES {
        if input.is_empty() {
            break;
        }
        change(&mut message, &messages.donor, input)?;
        if message.count() > 2000 {
            break;
        }
    }
    Ok((message, is_right))
}
