//! The order of steps for each kind, so that no login fails meanwhile, and why it is that order.

use super::kind::Kind;

/// How far a renewal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// There is no new key, and none is needed yet.
    Idle,
    /// The request is with whoever issues.
    Requested,
    /// The new certificate is here, and the configuration does not name it yet.
    Issued,
    /// The configuration names it.
    Named,
    /// The configuration names the old one no more.
    Finished,
}

/// A step, and the stage that shows that it was done; none when no file shows it.
pub(super) type Step = (Option<Stage>, &'static str);

/// Returns the steps of a kind, in their order.
pub(super) fn steps(kind: Kind) -> &'static [Step] {
    match kind {
        Kind::Signing => &SIGNING,
        Kind::Decryption => &DECRYPTION,
        Kind::ClientTls => &CLIENT_TLS,
        Kind::Listener => &LISTENER,
        Kind::Node => &NODE,
    }
}

const SIGNING: [Step; 5] = [
    (
        Some(Stage::Requested),
        "a new key and a request beside the old ones: this command makes them",
    ),
    (
        Some(Stage::Issued),
        "the authority issues: hand the request over, and give the answer to --certificate",
    ),
    (
        Some(Stage::Named),
        "the operator registers the new certificate BESIDE the old one; when they say that both \
         are taken, put the lines into the configuration (--apply). If they can only exchange \
         one for the other, agree on the minute and do it then",
    ),
    (
        None,
        "the gateway takes it within seconds; logins under way go on. Send one login through at \
         once",
    ),
    (
        None,
        "a day after a login worked, the operator removes the old certificate; remove the old \
         files then",
    ),
];

const DECRYPTION: [Step; 5] = [
    (
        Some(Stage::Requested),
        "a new key and a request beside the old ones: this command makes them",
    ),
    (
        Some(Stage::Issued),
        "the authority issues: hand the request over, and give the answer to --certificate",
    ),
    (
        Some(Stage::Named),
        "put the new key into the configuration BESIDE the old one (--apply); every key is \
         tried, so no login notices",
    ),
    (None, "only when the running gateway has it: have the operator register the new certificate"),
    (
        None,
        "a day after they use it: take the old key out of the configuration (--finish), and \
         remove its file. Answers that were encrypted to it are gone by then \
         (session.login_timeout)",
    ),
];

const CLIENT_TLS: [Step; 5] = [
    (
        Some(Stage::Requested),
        "a new key and a request beside the old ones: this command makes them",
    ),
    (
        Some(Stage::Issued),
        "the authority issues: hand the request over, and give the answer to --certificate",
    ),
    (
        Some(Stage::Named),
        "ask the operator whether they take any certificate of that authority, or registered \
         this one: then they register the new one first. Then put the lines into the \
         configuration (--apply)",
    ),
    (
        None,
        "the gateway shows it on its next connection to the node. Send one login through at once",
    ),
    (None, "remove the old files; where it was registered, the operator removes it"),
];

const LISTENER: [Step; 5] = [
    (
        Some(Stage::Requested),
        "a new key and a request beside the old ones: this command makes them",
    ),
    (
        Some(Stage::Issued),
        "the authority issues: hand the request over, and give the answer (with its chain) to \
         --certificate",
    ),
    (
        Some(Stage::Named),
        "put the lines into the configuration (--apply); new connections get it, open ones go on",
    ),
    (None, "look at it from outside: openssl s_client -connect HOST:443 -servername HOST"),
    (None, "remove the old files"),
];

const NODE: [Step; 4] = [
    (
        Some(Stage::Issued),
        "the operator announces a new certificate: give it to --certificate, and compare its \
         fingerprint with what they say on another way",
    ),
    (
        Some(Stage::Named),
        "put it into the configuration BESIDE the old one (--apply) before the node changes: \
         both are believed",
    ),
    (None, "wait until the node has changed: the operator says when; logins go on all the time"),
    (
        None,
        "take the old one out of node.certificates (--finish), so that only what is in use is \
         believed",
    ),
];
