//! JSON as the same tree as TOML, with the line of each key.

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::config::document::Document;
use crate::config::{Places, Problems, SourceLocation};

/// Reads a text.
pub(super) fn parse(name: &str, text: &str) -> Result<Document, Problems> {
    let refuse = |line: usize, key: &str, what: String, advice: &str| {
        let mut problems = Problems::default();
        let place = SourceLocation::File { name: name.into(), line: Some(line), column: None };
        problems.push_error(place, key, what, advice);
        problems
    };
    let json: Json = serde_json::from_str(text).map_err(|error| {
        refuse(error.line(), "", error.to_string(), "correct the JSON, see https://json.org")
    })?;
    let Some(Value::Table(tree)) = convert(json) else {
        return Err(refuse(1, "", "is no object".to_owned(), "begin with { and end with }"));
    };
    let mut walk = Walk { name, text, at: 0, line: 1, places: Places::new(name), repeated: None };
    walk.value(&mut String::new());
    if let Some((line, key)) = walk.repeated {
        return Err(refuse(line, &key, "stands there twice".to_owned(), "write it once"));
    }
    Ok(Document { tree, places: walk.places })
}

/// `null` is as good as nothing, and so is a number that TOML has no place for.
fn convert(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(switch) => Value::Boolean(switch),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::String(text),
        Json::Array(list) => Value::Array(list.into_iter().filter_map(convert).collect()),
        Json::Object(map) => {
            let pairs = map.into_iter().filter_map(|(key, value)| Some((key, convert(value)?)));
            Value::Table(pairs.collect::<Table>())
        }
    })
}

/// Goes through a text that is known to be JSON.
struct Walk<'t> {
    name: &'t str,
    text: &'t str,
    at: usize,
    line: usize,
    places: Places,
    /// The first key that its object has twice.
    repeated: Option<(usize, String)>,
}

impl Walk<'_> {
    /// Goes over the value that comes next. `key` is its own, and is given back as it was.
    fn value(&mut self, key: &mut String) {
        let length = key.len();
        match self.peek() {
            Some(b'{') => {
                self.step();
                while let Some(b'"') = self.peek() {
                    let line = self.line;
                    let own = self.string();
                    if !key.is_empty() {
                        key.push('.');
                    }
                    key.push_str(&own);
                    if self.places.is_written(key) && self.repeated.is_none() {
                        self.repeated = Some((line, key.clone()));
                    }
                    self.set(key, line);
                    self.step_over(b':');
                    self.value(key);
                    key.truncate(length);
                    self.step_over(b',');
                }
                self.step_over(b'}');
            }
            Some(b'[') => {
                self.step();
                let mut index = 0;
                while self.peek().is_some_and(|next| next != b']') {
                    key.push_str(&format!("[{index}]"));
                    self.set(key, self.line);
                    self.value(key);
                    key.truncate(length);
                    self.step_over(b',');
                    index += 1;
                }
                self.step_over(b']');
            }
            Some(b'"') => drop(self.string()),
            _ => {
                let rest = &self.text.as_bytes()[self.at..];
                let end = rest.iter().position(|byte| b",]} \t\r\n".contains(byte));
                self.at += end.unwrap_or(rest.len());
            }
        }
    }

    fn set(&mut self, key: &str, line: usize) {
        let name = self.name.into();
        let place = SourceLocation::File { name, line: Some(line), column: None };
        self.places.set(key.to_owned(), place);
    }

    /// Returns the next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let next = *self.text.as_bytes().get(self.at)?;
            if !next.is_ascii_whitespace() {
                return Some(next);
            }
            self.line += usize::from(next == b'\n');
            self.at += 1;
        }
    }

    fn step(&mut self) {
        self.at += 1;
    }

    fn step_over(&mut self, byte: u8) {
        if self.peek() == Some(byte) {
            self.step();
        }
    }

    /// Goes over a string, and returns what it says.
    fn string(&mut self) -> String {
        let start = self.at;
        let mut escaped = false;
        self.step();
        while let Some(&next) = self.text.as_bytes().get(self.at) {
            self.step();
            match next {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => break,
                _ => {}
            }
        }
        serde_json::from_str(&self.text[start..self.at]).unwrap_or_default()
    }
}
