//! The vectors of `brama token`, asked at a backend as a gateway would send them.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::examples::Expectations;
use crate::harness::{Answer, NoAnswer, Program};

/// Vectors, and the keys that belong to them while this lives.
pub(super) struct Vectors {
    pub(super) list: Vec<Vector>,
    file: Value,
    keys: String,
    program: Program,
    _folder: TempDir,
}

pub(super) struct Vector {
    pub(super) name: String,
    headers: Vec<(String, String)>,
    answer: String,
    /// The person, as a page shows them.
    person: String,
}

impl Vectors {
    /// Makes them, for fresh times, and has their keys served.
    pub(super) fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.args(["token", "--serve", "0", "--vectors"]).arg(folder.path());
        let mut program = Program::start(&mut command);
        let keys = program.wait_for(|line| line.strip_prefix("keys are at ").map(str::to_owned));
        let text = fs::read_to_string(folder.path().join("vectors.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let list: Vec<_> = file["vectors"].as_array().unwrap().iter().map(Vector::read).collect();
        assert!(list.len() > 40, "there are many vectors");
        Self { list, file, keys, program, _folder: folder }
    }

    pub(super) fn expectations(&self) -> Expectations {
        let text = |name: &str| self.file[name].as_str().unwrap().to_owned();
        Expectations { issuer: text("issuer"), audience: text("audience"), keys: self.keys.clone() }
    }

    /// Returns what the server of the keys says of backends that were led to an attacker's.
    pub(super) fn misled(&self) -> Vec<String> {
        let said = self.program.said();
        said.into_iter().filter(|line| line.contains("believes anybody")).collect()
    }
}

impl Vector {
    fn read(vector: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let headers = vector["headers"].as_array().unwrap();
        let headers = headers.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        let claims = &vector["claims"];
        let person = format!("{} {}", text(&claims["given_name"]), text(&claims["family_name"]));
        Self { name: text(&vector["name"]), headers, answer: text(&vector["answer"]), person }
    }

    pub(super) fn request(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let headers: String = headers.collect();
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
    }

    /// Says what is wrong with an answer.
    pub(super) fn judge(&self, answer: Result<Answer, NoAnswer>) -> Result<(), String> {
        let answer = match answer {
            Ok(answer) => answer,
            // A server may end the connection over so many bytes before the backend sees them.
            Err(_) if self.name == "20 KB token" => return Ok(()),
            Err(error) => return Err(format!("no answer: {error:?}")),
        };
        let text = page_text(&answer.body);
        let is_person = text.contains("Signed in") && text.contains(&self.person);
        let is_nobody = text.contains("Nobody is signed in") && !text.contains("Signed in");
        let is_right = match &*self.answer {
            // What is a name on the page was none of its tags before.
            "accept" => answer.status == 200 && is_person && !answer.text().contains("<Krak"),
            "nobody" => answer.status == 200 && is_nobody,
            "refuse" => (400..500).contains(&answer.status) && !text.contains("igned in"),
            other => return Err(format!("nobody knows the answer {other}")),
        };
        is_right.then_some(()).ok_or_else(|| format!("{}: {} {text}", self.answer, answer.status))
    }
}

/// The text of a page, with its signs as a reader sees them.
pub(super) fn page_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (sign, rest) = part.split_once(';').unwrap_or(("", part));
        let number = sign.strip_prefix('#').map(|number| match number.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        });
        let sign = match (sign, number) {
            ("amp", _) => '&',
            ("lt", _) => '<',
            ("gt", _) => '>',
            ("quot", _) => '"',
            ("apos", _) => '\'',
            (_, Some(Ok(number))) => char::from_u32(number).unwrap(),
            _ => panic!("&{part} is no sign"),
        };
        plain.push(sign);
        plain.push_str(rest);
    }
    plain
}
