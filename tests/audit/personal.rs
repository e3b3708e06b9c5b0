//! Names and identifiers of all persons that the simulated node knows, in the spellings in which they
//! could slip out: UTF-8, percent-encoded, base64 at each of its three offsets, hexadecimal, escaped
//! as JSON and as HTML does.

use std::io::Write;
use std::sync::{Arc, Mutex};

use brama::base::encoding::{base64, hex_lower, hex_upper};
use brama::simulator::faults::Fault;
use brama::simulator::people::PEOPLE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::harness::world;

/// How many logins there are; `BRAMA_AUDIT_LOGINS` says another number.
const LOGINS: usize = 300;

#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Logged {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// All spellings of a text that are long enough not to be there by chance: digests and pseudonyms are
/// as random as text can be. Shorter ones are looked for as whole words.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let each = |of: &dyn Fn(u32) -> String| -> Vec<u8> {
        let letters = text.chars().map(|letter| {
            if letter.is_ascii() { letter.to_string() } else { of(u32::from(letter)) }
        });
        letters.collect::<String>().into_bytes()
    };
    let percent = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut found = vec![
        bytes.to_vec(),
        each(&|letter| format!("\\u{letter:04x}")),
        each(&|letter| format!("\\u{letter:04X}")),
        each(&|letter| format!("&#{letter};")),
        percent.to_lowercase().into_bytes(),
        percent.into_bytes(),
    ];
    for offset in 0..3 {
        let shifted = [&[0; 2][..offset], bytes].concat();
        let encoded = base64(&shifted);
        // The letters that depend on these bytes alone.
        let (from, to) = ((offset * 8).div_ceil(6), shifted.len() * 8 / 6);
        found.push(encoded.as_bytes()[from..to].to_vec());
        let url = encoded.replace('+', "-").replace('/', "_");
        found.push(url.as_bytes()[from..to].to_vec());
    }
    found.retain(|spelling| spelling.len() >= 6);
    // Of digests in hexadecimal more is there by chance.
    let hexadecimal = [hex_lower(bytes), hex_upper(bytes)];
    found.extend(hexadecimal.map(String::into_bytes).into_iter().filter(|hex| hex.len() >= 10));
    found.sort();
    found.dedup();
    found
}

/// Finds a short text where it is a word.
fn find_word(output: &[u8], word: &str) -> Option<usize> {
    let is_letter = |byte: Option<&u8>| {
        byte.is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || b"-_+/".contains(byte) || *byte > 127
        })
    };
    memchr::memmem::find_iter(output, word).find(|&at| {
        let before = at.checked_sub(1).and_then(|at| output.get(at));
        !is_letter(before) && !is_letter(output.get(at + word.len()))
    })
}

#[test]
fn a_text_is_found_in_each_spelling() {
    for offset in 0..3 {
        let around = format!("{}Kowalska!!", "x".repeat(offset));
        let encoded = base64(around.as_bytes());
        let found = spellings("Kowalska");
        assert!(
            found.iter().any(|s| memchr::memmem::find(encoded.as_bytes(), s).is_some()),
            "{offset}"
        );
    }
    assert!(spellings("Żółć").contains(&b"%C5%BB%C3%B3%C5%82%C4%87".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_output_names_a_person_whatever_the_node_says() {
    let logged = Logged::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::INFO)
        .with_writer(logged.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let logins: usize = std::env::var("BRAMA_AUDIT_LOGINS").map_or(LOGINS, |n| n.parse().unwrap());
    let kept = Kept::new();
    let access = kept.folder.path().join("access.log");
    let lines = format!(
        "{}[log]\naccess_file = \"{}\"\n[limits]\nlogin_starts = 0\nlogin_returns = 0\nlogin_failures = 0\n",
        kept.lines("file_maximum = \"0 B\"\ndaily = false"),
        access.display()
    );
    let mut world = world().with(&lines).with_settings(|_| ()).start().await;
    let people: Vec<_> = PEOPLE.iter().collect();
    let faults = [
        Fault::StatusNamesPerson,
        Fault::SoapFaultNamesPerson,
        Fault::AttributeMissing,
        Fault::Audience,
        Fault::TamperedResponse,
    ];
    for number in 0..logins {
        let person = people[number % people.len()];
        if number % 4 == 3 {
            world.next_fault(faults[number / 4 % faults.len()]);
        }
        let mut browser = world.browser();
        browser.sign_in("/tax", &person.key).await;
        if number % 3 == 0 {
            browser.submit("/.brama/logout", &[]).await;
        }
    }
    let metrics = world.metrics().await;
    world.tell_to_stop();
    world.stopped().await;
    let report = kept.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert!(report.records as usize > logins * 2, "{}", report.records);

    // What the simulator says of its people is another program's.
    let log = logged.0.lock().unwrap().clone();
    let ours: Vec<u8> = log
        .split(|&byte| byte == b'\n')
        .filter(|line| memchr::memmem::find(line, b"brama::simulator").is_none())
        .flat_map(|line| line.iter().copied().chain([b'\n']))
        .collect();
    let outputs = [
        ("the audit log", fs::read(kept.file()).unwrap()),
        ("the access log", fs::read(&access).unwrap()),
        ("the log", ours),
        ("the metrics", metrics.into_bytes()),
    ];
    let mut searched = 0;
    // Those whom the node does not sign in have names that say so, as its answers do.
    for person in people.into_iter().filter(|person| person.status.is_none()) {
        for personal in [&person.given_name, &person.family_name, &person.identifier, &person.login]
        {
            let spelled = spellings(personal);
            searched += spelled.len() + 1;
            for (name, output) in &outputs {
                let long = spelled.iter().find_map(|text| memchr::memmem::find(output, text));
                let Some(at) = long.or_else(|| find_word(output, personal)) else { continue };
                let around = &output[at.saturating_sub(80)..(at + 80).min(output.len())];
                panic!("{personal} is in {name}: {}", String::from_utf8_lossy(around));
            }
        }
    }
    eprintln!(
        "{logins} logins, {} records, {} bytes of outputs, {searched} spellings",
        report.records,
        outputs.iter().map(|(_, output)| output.len()).sum::<usize>()
    );
}
