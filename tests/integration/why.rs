//! `brama why`: an operator has the number from a citizen's page and asks why. Each wrong answer of
//! the simulated node is told with the check that failed, what it compared, and what to do.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{ChildStderr, Command, Output, Stdio};
use std::time::Duration;

use brama::base::encoding::from_base64url;
use brama::base::private;
use brama::selftest::expected;
use brama::simulator::faults::{Fault, Kind};
use http::StatusCode;

use crate::harness::{Answer, Browser, World, world};

const ISSUER: &str = "https://sp.example.gov.pl";
const NODE: &str = "node.example.gov.pl";
const HAPPENED: &str = "what happened (UTC)";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A world that obeys operators, and the file by which `brama` finds it.
struct Operated {
    world: World,
    token: tempfile::TempDir,
}

impl Operated {
    async fn begin(more: &str) -> Self {
        let token = tempfile::tempdir().unwrap();
        private::write(&token.path().join("token"), TOKEN.as_bytes()).unwrap();
        let file = token.path().join("token");
        let text = format!("[operations]\nadmin_token_file = {file:?}\n{more}");
        let world = world().with(&text).start().await;
        Self { world, token }
    }

    /// The configuration as an operator's program reads it: with the address that was found.
    fn file(&self) -> std::path::PathBuf {
        let address = self.world.operations.trim_start_matches("http://");
        let text = fs::read_to_string(self.world.file()).unwrap();
        let line = format!("[operations]\nlisten = \"{address}\"\n");
        let path = self.world.file().with_file_name("operator.toml");
        fs::write(&path, text.replace("[operations]\n", &line)).unwrap();
        path
    }

    /// Runs `brama` with some words and the configuration.
    async fn brama(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.args(words).arg("--config").arg(self.file());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What `brama why` says, once the history is written.
    async fn why(&self, words: &[&str]) -> String {
        let words = [&["why"], words].concat();
        let output = self.brama(&words).await;
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }
}

/// The number that a citizen reads out.
fn number(page: &Answer) -> String {
    let is_letter = |byte: u8| b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ".contains(&byte);
    let codes = page.text.split("<code>").filter_map(|rest| rest.split_once("</code>"));
    let mut numbers =
        codes.map(|(code, _)| code).filter(|code| code.len() == 8 && code.bytes().all(is_letter));
    numbers.next().unwrap_or_else(|| panic!("no number in {}", page.text)).to_owned()
}

/// Returns what stands below a heading, up to the next one.
fn section<'s>(said: &'s str, heading: &str) -> &'s str {
    let Some((_, rest)) = said.split_once(&format!("\n{heading}:\n")) else { return "" };
    let lines = rest.split_inclusive('\n');
    let length = lines.take_while(|line| line.starts_with(' ')).map(str::len).sum();
    &rest[..length]
}

/// What is told of a fault: a part of the check's name, of what was expected, and of what was found.
/// Empty is nothing at all, `*` is anything.
struct Row(&'static [Fault], [&'static str; 3]);

/// Every wrong answer.
const TABLE: [Row; 64] = [
    Row(&[Fault::ArtifactUnknown], ["response_present", "Response", ""]),
    Row(&[Fault::SoapFault, Fault::SoapFaultNamesPerson], ["artifact_response", "", "*"]),
    Row(&[Fault::Http500], ["node_http_status", "200", "500"]),
    Row(&[Fault::Rubbish, Fault::EmptyBody], ["well_formed", "", "*"]),
    Row(&[Fault::Destination], ["destination", "/.brama/acs", "*"]),
    Row(&[Fault::TooLarge, Fault::Endless], ["node_answer_size", "262144", ""]),
    Row(&[Fault::StatusAuthnFailed], ["response_status", "Success", "AuthnFailed"]),
    Row(&[Fault::StatusNamesPerson], ["response_status", "Success", "AuthnFailed, with a text"]),
    Row(&[Fault::StatusSuccessWithError], ["response_status", "Success", "Success / AuthnFailed"]),
    Row(&[Fault::StatusRequestDenied], ["response_status", "Success", "RequestDenied"]),
    Row(&[Fault::StatusUnknownPrincipal], ["response_status", "Success", "UnknownPrincipal"]),
    Row(&[Fault::StatusRequester], ["response_status", "Success", "Requester"]),
    Row(&[Fault::StatusResponder], ["response_status", "Success", "Responder"]),
    Row(&[Fault::OuterStatusRequester], ["artifact_response_status", "Success", "Requester"]),
    Row(&[Fault::OuterStatusResponder], ["artifact_response_status", "Success", "Responder"]),
    Row(&[Fault::UnsignedResponse], ["response_signature", "Response/Signature", ""]),
    Row(
        &[Fault::UnsignedArtifactResponse, Fault::UnsignedBoth],
        ["artifact_response_signature", "ArtifactResponse/Signature", ""],
    ),
    Row(
        &[Fault::MovedSignature, Fault::Wrapped4, Fault::Wrapped13],
        ["signature", "Signature", ""],
    ),
    Row(&[Fault::ForeignSignature], ["artifact_response_signature", "*", "*"]),
    Row(&[Fault::ForeignInnerSignature], ["response_signature", "*", "*"]),
    Row(&[Fault::ForeignAssertionSignature], ["assertion_signature", "*", "*"]),
    Row(&[Fault::TamperedResponse], ["signature", "", "Response"]),
    Row(
        &[
            Fault::TamperedArtifactResponse,
            Fault::Reindented,
            Fault::Wrapped9,
            Fault::Wrapped10,
            Fault::Wrapped11,
        ],
        ["signature", "", "Response"],
    ),
    Row(&[Fault::DuplicateId, Fault::Wrapped7, Fault::Wrapped8], ["signature", "1", "*"]),
    Row(&[Fault::TransformXslt], ["signature", "", "xslt"]),
    Row(&[Fault::Sha1Digest], ["signature", "", "sha1"]),
    Row(&[Fault::HmacSignature], ["signature", "", "hmac"]),
    Row(&[Fault::InclusiveC14n], ["signature", "", "c14n"]),
    Row(&[Fault::TwoReferences, Fault::Wrapped1, Fault::Wrapped6], ["signature", "", "*"]),
    Row(&[Fault::ExternalReference, Fault::Wrapped2, Fault::Wrapped5], ["signature", "*", "*"]),
    Row(
        &[
            Fault::ResponseInResponseToMissing,
            Fault::Wrapped3,
            Fault::Wrapped12,
            Fault::ElementWithoutPlace,
            Fault::TextBetweenElements,
            Fault::AssertionInExtensions,
        ],
        ["*", "", "*"],
    ),
    Row(&[Fault::TwoAssertions], ["encrypted_assertion", "1", "2"]),
    Row(&[Fault::PlainAssertion], ["encrypted_assertion", "EncryptedAssertion", "Assertion"]),
    Row(&[Fault::NoAssertion], ["encrypted_assertion", "1", "0"]),
    Row(
        &[
            Fault::InResponseToMissing,
            Fault::RecipientMissing,
            Fault::AudienceMissing,
            Fault::ConfirmationMethod,
            Fault::ConditionsMissing,
            Fault::ConfirmationEndMissing,
            Fault::AssertionInAdvice,
            Fault::SecondSubject,
            Fault::OtherStatement,
            Fault::ConditionsTooLong,
            Fault::TimeOfAnotherForm,
            Fault::EmptyId,
            Fault::CommentInValue,
        ],
        ["assertion_", "", "*"],
    ),
    Row(
        &[
            Fault::EntityExpansion,
            Fault::ExternalEntity,
            Fault::Doctype,
            Fault::ProcessingInstruction,
            Fault::Comment,
            Fault::Cdata,
            Fault::LongNamespace,
        ],
        ["well_formed", "", "*"],
    ),
    Row(&[Fault::LongCanonicalForm], ["*", "", "*"]),
    Row(&[Fault::NodeIssuerArtifactResponse], ["artifact_response_issuer", NODE, "*"]),
    Row(&[Fault::NodeIssuerResponse], ["response_issuer", NODE, "*"]),
    Row(&[Fault::NodeIssuerAssertion], ["assertion_issuer", NODE, "*"]),
    Row(&[Fault::InResponseToArtifactResponse], ["artifact_response_in_response_to", "ID-", "*"]),
    Row(&[Fault::InResponseToResponse], ["response_in_response_to", "ID-", "*"]),
    Row(&[Fault::InResponseToAssertion], ["assertion_in_response_to", "ID-", "*"]),
    Row(&[Fault::Audience], ["assertion_audience", ISSUER, "*"]),
    Row(&[Fault::Recipient], ["assertion_recipient", "/.brama/acs", "*"]),
    Row(&[Fault::ReplayedAssertion], ["assertion_unused", "", ""]),
    Row(&[Fault::ConditionsExpired], ["conditions_not_on_or_after", "20", "20"]),
    Row(&[Fault::ConditionsNotYet], ["conditions_not_before", "20", "20"]),
    Row(&[Fault::ConfirmationExpired], ["confirmation_not_on_or_after", "20", "20"]),
    Row(&[Fault::ConfirmationNotYet], ["confirmation_not_before", "20", "20"]),
    Row(&[Fault::AuthnInstantFuture], ["authn_instant", "20", "20"]),
    Row(&[Fault::SessionExpired], ["session_not_on_or_after", "20", "20"]),
    Row(&[Fault::ArtifactResponseFuture], ["artifact_response_issue_instant", "", "20"]),
    Row(&[Fault::ResponseFuture], ["response_issue_instant", "", "20"]),
    Row(&[Fault::AssertionFuture], ["assertion_issue_instant", "", "20"]),
    Row(&[Fault::AssuranceTooLow], ["assurance", "substantial", "low"]),
    Row(&[Fault::AssuranceUnknown], ["assurance", "", "*"]),
    Row(&[Fault::AttributeMissing], ["attributes", "*", ""]),
    Row(&[Fault::AttributeRepeated], ["attributes", "1", "*"]),
    Row(&[Fault::AttributeEmpty, Fault::BirthdateMalformed], ["attributes", "", "*"]),
    Row(&[Fault::UnknownCondition], ["assertion_conditions", "", "*"]),
    Row(&[Fault::PartyU, Fault::PartyV], ["decryption", "*", ""]),
    Row(&[Fault::Cbc, Fault::RsaKeyTransport], ["decryption", "", "*"]),
    Row(&[Fault::OtherRecipientKey, Fault::CorruptedCiphertext], ["decryption", "", ""]),
];

/// What the line of a value must be.
fn is_told(failed: &str, name: &str, value: &str) -> bool {
    let line = failed.lines().find_map(|line| line.trim_start().strip_prefix(name));
    match (line, value) {
        (None, value) => value.is_empty(),
        (Some(line), "*") => line.len() > 2,
        (Some(line), value) => !value.is_empty() && line.contains(value),
    }
}

/// What a person could be known by never stands anywhere.
fn names_nobody(said: &str) -> bool {
    let is_number = |word: &str| word.len() == 11 && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = said.split(|letter: char| !letter.is_alphanumeric());
    let names = ["Anna", "anna", "Żółkiewska", "Kowalsk"];
    !words.any(|word| is_number(word) || names.contains(&word))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_answer_is_told_with_its_check_its_values_and_what_to_do() {
    let operated = Operated::begin("").await;
    let mut wrong = Vec::new();
    for &fault in Fault::ALL.iter().filter(|fault| fault.kind() == Kind::Fault) {
        // They never answer whole: see below.
        if matches!(fault, Fault::Hangs | Fault::Drips) {
            continue;
        }
        operated.world.browser().sign_in("/tax", "anna").await;
        operated.world.next_fault(fault);
        let page = operated.world.browser().sign_in("/tax", "anna").await;
        let (name, reason) = (fault.name(), expected_reason(fault));
        if fault == Fault::RelayStateLost || fault == Fault::RelayStateOther {
            let said = operated.why(&[&number(&page)]).await;
            assert!(section(&said, "what failed").contains("relay_state: "), "{name}: {said}");
            continue;
        }
        let said = operated.why(&[&number(&page)]).await;
        let failed = section(&said, "what failed");
        let row = TABLE.iter().find(|Row(faults, _)| faults.contains(&fault));
        let Row(_, [check, expected, found]) = row.unwrap_or_else(|| panic!("{name} has no row"));
        let named = failed.split(':').next().unwrap_or_default();
        let is_right = said.contains(reason)
            && (*check == "*" && !named.is_empty() || named.contains(check))
            && is_told(failed, "expected: ", expected)
            && is_told(failed, "found: ", found)
            && !section(&said, "what it means").is_empty()
            && section(&said, "who does what").contains(": ")
            && section(&said, HAPPENED).contains(&format!("(number {})", number(&page)))
            && names_nobody(&said);
        if !is_right {
            wrong.push(format!("{name}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn expected_reason(fault: Fault) -> &'static str {
    expected::reason(fault).unwrap_or_else(|| panic!("{} has no reason", fault.name())).as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unusual_and_right_is_told_too() {
    let operated = Operated::begin("").await;
    let mut wrong = Vec::new();
    for &fault in Fault::ALL.iter().filter(|fault| fault.kind() == Kind::Quirk) {
        let shown = match fault {
            Fault::ShortContentKey | Fault::Content128 => "content key of 128 bits",
            Fault::KeyWrap128 => "wrapped by kw-aes128",
            Fault::KeyWrap192 => "wrapped by kw-aes192",
            Fault::AuthnInstantOld => "AuthnInstant: 20",
            Fault::Extensions => "things are not read",
            Fault::SignedAssertion => "assertion_signature",
            Fault::Slow => "the node was asked: 2",
            // Nothing of it can be seen.
            Fault::LeadingZero | Fault::ReturnByGet | Fault::AttributeWhiteSpace => {
                "a session began"
            }
            _ => panic!("what is told of {}?", fault.name()),
        };
        operated.world.next_fault(fault);
        operated.world.forget_seen();
        operated.world.browser().sign_in("/tax", "anna").await;
        let token = operated.world.last_seen().assertion().unwrap().to_owned();
        let claims = from_base64url(token.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let said = operated.why(&[claims["sid"].as_str().unwrap()]).await;
        let is_right = said.contains(": the citizen was signed in\n")
            && said.contains(shown)
            && section(&said, "what failed").is_empty()
            && names_nobody(&said);
        if !is_right {
            wrong.push(format!("{}: {said}", fault.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// With a page before the node a login begins by its button alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_has_begun_again_once_a_login_has_begun() {
    let operated = Operated::begin("[pages.landing]\nenabled = true\n").await;
    operated.world.next_fault(Fault::Destination);
    let mut browser = operated.world.browser();
    let button = browser.open("/tax").await.link_with("/.brama/login");
    let page = browser.sign_in(&button, "anna").await;
    let (first, link) = (number(&page), page.link_with("after="));
    let began_again = async || {
        let said = operated.why(&[&first]).await;
        said.matches("the citizen began again from the page").count()
    };
    let mut stranger = operated.world.browser();
    for _ in 0..3 {
        stranger.open(&link).await.is_our_page();
    }
    stranger.open(&format!("/tax?after={first}")).await.is_our_page();
    assert_eq!(began_again().await, 0);
    // The twin: its button still says which refusal it follows.
    let button = browser.open(&link).await.link_with("/.brama/login");
    assert_eq!(browser.sign_in(&button, "anna").await.text, "portal");
    assert_eq!(began_again().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_citizen_did_next_is_told_and_a_node_that_never_answers() {
    let operated = Operated::begin("").await;
    operated.world.next_fault(Fault::Hangs);
    let mut browser = operated.world.browser();
    let page = browser.sign_in("/tax", "anna").await;
    let first = number(&page);
    // The page is loaded once more: the same answer under another number.
    let again = browser.visit(&page.url).await;
    let second = number(&again);
    assert_ne!(first, second);
    for asked in [&first, &second] {
        let said = operated.why(&[asked]).await;
        let failed = section(&said, "what failed");
        assert!(failed.contains("node_time: ") && failed.contains("expected: 3s"), "{said}");
        let happened = section(&said, HAPPENED);
        for part in
            ["the citizen was sent to the node", "HTTP -", "claimed before", &first, &second]
        {
            assert!(happened.contains(part), "{part}: {said}");
        }
    }
    // In Polish, and as data.
    let polish = operated.why(&[&first, "--lang", "pl"]).await;
    for part in ["co zawiodło:", "węzeł odpowiada na czas", "kto co robi:", "administrator"] {
        assert!(polish.contains(part), "{part}: {polish}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&operated.why(&[&first, "--json"]).await).unwrap();
    assert_eq!(json["visits"].as_array().unwrap().len(), 2);
    // By what else it is known.
    for by in [&json["login"], &json["visits"][1]["request"]] {
        assert!(operated.why(&[by.as_str().unwrap()]).await.contains(&first));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_and_who_may_not_ask() {
    let operated = Operated::begin("login_history = \"1h\"\n").await;
    let output = operated.brama(&["why", "RBW3FHWH"]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("no history is kept of it") && said.contains("incident"), "{said}");
    // It is forgotten when its time is over.
    operated.world.next_fault(Fault::Audience);
    let page = operated.world.browser().sign_in("/tax", "anna").await;
    operated.why(&[&number(&page)]).await;
    operated.world.advance(Duration::from_secs(3600));
    assert_eq!(operated.brama(&["why", &number(&page)]).await.status.code(), Some(1));
    // Nobody without the token is told anything.
    let mut browser = Browser::new(&operated.world.operations);
    for path in ["/why/RBW3FHWH", "/capture", "/capture/x"] {
        assert_eq!(browser.open(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    fs::write(operated.token.path().join("token"), TOKEN.replace('0', "1")).unwrap();
    let said = operated.brama(&["why", "RBW3FHWH"]).await;
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stderr).contains("401"));
}

/// Reads what a program says next to people.
async fn next_line(mut said: BufReader<ChildStderr>) -> (String, BufReader<ChildStderr>) {
    let read = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        (line, said)
    });
    read.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_of_one_zone_and_in_their_order() {
    let operated = Operated::begin("").await;
    operated.world.next_fault(Fault::ConditionsExpired);
    let mut browser = operated.world.browser();
    let page = browser.sign_in("/tax", "anna").await;
    browser.visit(&page.url).await;
    let said = operated.why(&[&number(&page)]).await;
    let (head, _) = said.split_once(": not signed in: ").unwrap();
    assert!(head.ends_with(" UTC") && head.len() == "2031-03-04 10:20:30.000 UTC".len(), "{said}");
    for line in section(&said, "what failed").lines().skip(1) {
        assert!(line.ends_with(" UTC"), "{said}");
    }
    // Each stands where its time says, that of what the citizen was told too.
    let steps = section(&said, HAPPENED).lines().filter_map(|line| line.get(2..14));
    let times: Vec<_> = steps.filter(|time| time.as_bytes()[2] == b':').collect();
    assert!(times.len() > 6 && times.is_sorted(), "{said}");
    assert!(!said.contains("another site") && !said.contains("not known"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_or_asked_for_begins_no_capture_and_none_is_said_to_be_none() {
    let operated = Operated::begin("").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = operated.brama(&["capture", "--next", "--to", file.to_str().unwrap()]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing is captured"));
    let refused = operated.brama(&["capture", "--for", "2h"]).await;
    assert!(String::from_utf8_lossy(&refused.stderr).contains("at most 1h"));
    // One that is ended before an answer came says that there is none.
    let mut capture = Command::new(env!("CARGO_BIN_EXE_brama"));
    capture.args(["capture", "--for", "10m", "--config"]).arg(operated.file());
    capture.current_dir(folder.path()).stderr(Stdio::piped());
    let mut capture = capture.spawn().unwrap();
    let (line, said) = next_line(BufReader::new(capture.stderr.take().unwrap())).await;
    assert!(line.starts_with("captures 20 answers of the node at most, until "), "{line}");
    assert!(operated.brama(&["capture", "--stop"]).await.status.success());
    assert_eq!(next_line(said).await.0, "0 answers captured\n");
    assert!(tokio::task::spawn_blocking(move || capture.wait().unwrap()).await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_answer_is_read_with_the_services_key_as_the_login_read_it() {
    let operated = Operated::begin("").await;
    let folder = tempfile::tempdir().unwrap();
    // The folder need not be there.
    let to = folder.path().join("captures").to_str().unwrap().to_owned();
    let mut capture = Command::new(env!("CARGO_BIN_EXE_brama"));
    capture.args(["capture", "--next", "--to", &to, "--config"]).arg(operated.file());
    let mut capture = capture.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // It says when it has begun.
    let said = BufReader::new(capture.stderr.take().unwrap());
    let (line, said) = next_line(said).await;
    assert!(line.starts_with("captures 1 answer of the node at most, until 20"), "{line}");
    assert!(line.contains(" UTC; --stop"), "{line}");
    operated.world.next_fault(Fault::Audience);
    operated.world.browser().sign_in("/tax", "anna").await;
    // Another one is not captured.
    operated.world.browser().sign_in("/tax", "anna").await;
    let ended = tokio::task::spawn_blocking(move || capture.wait().unwrap()).await.unwrap();
    assert!(ended.success());
    assert_eq!(next_line(said).await.0, "1 answer captured\n");
    let files: Vec<_> = fs::read_dir(&to).unwrap().map(|file| file.unwrap()).collect();
    assert_eq!(files.len(), 1);
    let sealed = fs::read_to_string(files[0].path()).unwrap();
    assert!(sealed.contains("urn:brama:capture:1") && !sealed.contains("Envelope"), "{sealed}");
    // The service's key opens it, and the login's reason is found with the login's time and IDs.
    operated.world.advance(Duration::from_secs(24 * 3600));
    let output = operated.brama(&["explain", &to]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("REFUSED login.wrong_audience"), "{said}");
    assert!(!said.contains("not checked"), "{said}");
    // No other key does.
    let key = operated.world.file().with_file_name("service-enc.key.pem");
    let other = operated.world.file().with_file_name("service-sig.key.pem");
    fs::copy(other, key).unwrap();
    let output = operated.brama(&["explain", &to]).await;
    assert_ne!(output.status.code(), Some(0));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("REFUSED"));
}
