//! CPU time of a login on our side, step by step, and of the parts that can be compared.
//!
//! `cargo bench --bench login` prints a table; with `--features judge-xmlsec` it also verifies the
//! same message with libxmlsec1 and prints the ratio. Rounds of the contestants alternate, and the
//! best round of each counts, because the machine may be doing other things.
//!
//! Then logins run on one core and on all of them at once, by the clock, with a node that costs nothing: its
//! answer was made before.
//!
//! Exits with an error when a login costs more than one millisecond, or a core does fewer than 500 a second.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::thread;
use std::time::{Duration, Instant};

use brama::base::random;
use brama::identity::assurance::Assurance;
use brama::saml::artifact::{self, Artifact};
use brama::saml::examine::examine;
use brama::saml::soap;
use brama::session::{Session, SessionId};
use cpu_time::ThreadTime;

use world::{SERVICE, World};

mod world;

const ROUNDS: usize = 9;
const PER_ROUND: u32 = 300;
const PER_THREAD: u32 = 1000;
const LEAST_OF_A_CORE: f64 = 500.0;
/// A name for the table, and one operation.
type Contestant<'c> = (&'static str, Box<dyn FnMut() + 'c>);

fn main() {
    let world = World::new();
    #[cfg(feature = "judge-xmlsec")]
    let judge = judge::Judge::new(&world);
    let mut contestants: Vec<Contestant<'_>> = vec![
        ("AuthnRequest: build and sign", Box::new(|| world.request())),
        ("ArtifactResolve: build and sign", Box::new(|| world.resolve())),
        ("answer: parse, verify twice, decrypt, check", Box::new(|| world.examine())),
        ("whole login, session made", Box::new(|| world.login())),
    ];
    #[cfg(feature = "judge-xmlsec")]
    contestants
        .push(("libxmlsec1: parse, verify the same two signatures", Box::new(|| judge.verify())));

    let mut best = vec![Duration::MAX; contestants.len()];
    for _ in 0..ROUNDS {
        for (best, (_, run)) in best.iter_mut().zip(&mut contestants) {
            *best = (*best).min(round(run));
        }
    }
    println!("{:<52} {:>12}", "case", "CPU us/op");
    for ((name, _), best) in contestants.iter().zip(&best) {
        println!("{name:<52} {:>12.1}", best.as_secs_f64() * 1e6);
    }
    let (ours, login) = (best[2], best[3]);
    if let Some(theirs) = best.get(4) {
        println!(
            "ratio of ours (with decryption and checks) to libxmlsec1's verification: {:.2}",
            ours.as_secs_f64() / theirs.as_secs_f64()
        );
    }
    assert!(
        login <= Duration::from_millis(1),
        "a login costs {login:?} of CPU, at most 1 ms is wanted"
    );
    show_rates(&world);
}

/// Shows how many logins a second there are, and whether cores stand in each other's way.
fn show_rates(world: &World) {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    let best = |threads| (0..3).map(|_| rate(world, threads)).fold(0.0, f64::max);
    let (one, all) = (best(1), best(cores));
    println!(
        "logins a second: {one:.0} on one core, {all:.0} on {cores}, {:.2} times as many",
        all / one
    );
    let least = LEAST_OF_A_CORE * cores as f64;
    assert!(all >= least, "{all:.0} logins a second, at least {least} are wanted");
}

/// Returns the logins a second of so many threads at once.
fn rate(world: &World, threads: usize) -> f64 {
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..PER_THREAD).for_each(|_| world.login()));
        }
    });
    f64::from(PER_THREAD) * threads as f64 / begun.elapsed().as_secs_f64()
}

fn round(run: &mut dyn FnMut()) -> Duration {
    let start = ThreadTime::now();
    for _ in 0..PER_ROUND {
        run();
    }
    start.elapsed() / PER_ROUND
}

impl World {
    fn request(&self) {
        let id = random::message_id();
        self.template.sign(&id, self.now, Assurance::High, &self.signer).unwrap();
    }

    fn resolve(&self) {
        let artifact = Artifact::parse(&brama::base::encoding::base64(&[4; 44])).unwrap();
        let id = random::message_id();
        let _ = soap::wrap(
            &artifact::resolve(&artifact, &id, self.now, SERVICE, &self.signer).unwrap(),
        );
    }

    fn examine(&self) {
        let expected = &self.expected;
        let examination = examine(&self.answer, &self.trusted, &self.keys, expected, self.now);
        examination.for_login().unwrap();
    }

    fn login(&self) {
        self.request();
        self.resolve();
        let expected = &self.expected;
        let examination = examine(&self.answer, &self.trusted, &self.keys, expected, self.now);
        let assertion = examination.for_login().unwrap();
        let id = SessionId::generate();
        let session = Session::begin(&assertion, id.key(), &self.settings, self.now);
        let insert = self.sessions.insert(&id, session, self.now);
        ready(insert).unwrap();
    }
}

/// The memory store never waits, so its future is ready at once.
fn ready<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("the memory store waited"),
    }
}

#[cfg(feature = "judge-xmlsec")]
mod judge {
    //! libxmlsec1 on the same message: parse it, verify both signatures with the same key.

    use std::cell::Cell;

    use libxml::parser::Parser;
    use libxml::tree::Node;
    use xmlsec::{XmlSecDocumentExt, XmlSecKey, XmlSecKeyFormat, XmlSecSignatureContext};

    use brama::simulator::kit::Role;

    use super::World;

    pub(crate) struct Judge {
        xml: String,
        key: Cell<Option<XmlSecKey>>,
    }

    impl Judge {
        pub(crate) fn new(world: &World) -> Self {
            let xml = String::from_utf8(world.answer.clone()).unwrap();
            let pem = world.kit.pair(Role::NodeSigning).certificate_pem();
            // The library must be set up before a key can be read.
            let _ = XmlSecSignatureContext::new();
            let key = XmlSecKey::from_memory(pem.as_bytes(), XmlSecKeyFormat::CertPem, None);
            Self { xml, key: Cell::new(Some(key.unwrap())) }
        }

        pub(crate) fn verify(&self) {
            let document = Parser::default().parse_string(&self.xml).unwrap();
            document.specify_idattr("//*[@ID]", "ID", None).unwrap();
            let mut signatures = Vec::new();
            find(&document.get_root_element().unwrap(), &mut signatures);
            assert_eq!(signatures.len(), 2);
            for signature in signatures {
                let mut context = XmlSecSignatureContext::new();
                context.insert_key(self.key.take().unwrap());
                assert!(context.verify_node(&signature).unwrap());
                self.key.set(context.release_key());
            }
        }
    }

    fn find(node: &Node, signatures: &mut Vec<Node>) {
        if node.get_name() == "Signature" {
            signatures.push(node.clone());
        }
        for child in node.get_child_elements() {
            find(&child, signatures);
        }
    }
}
