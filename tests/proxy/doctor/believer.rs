//! Backends that take a token apart and believe it: one without looking at the signature, and one
//! without looking at the time.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use brama::base::encoding::from_base64url;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

/// What a backend looks at.
#[derive(Debug, Clone)]
pub(super) enum Looks {
    /// Nothing; and whoever has no token is served as well.
    AtNothing,
    /// Whether there is a token.
    ForOne,
    /// Whether its time is over.
    AtTheTime,
    /// Whether a key of this set signed it.
    AtTheSignature(JwkSet),
}

/// Starts one; its threads end with the process.
pub(super) fn start(looks: Looks) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let looks = looks.clone();
            thread::spawn(move || serve(stream, &looks));
        }
    });
    format!("http://{address}")
}

fn serve(mut stream: TcpStream, looks: &Looks) {
    let mut head = Vec::new();
    let mut bytes = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut bytes) {
            Ok(read @ 1..) => head.extend_from_slice(&bytes[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let token = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("x-brama-assertion").then(|| value.trim().to_owned())
    });
    let claims = token.as_deref().and_then(|token| match looks {
        Looks::AtTheSignature(keys) => verified(token, keys),
        Looks::AtTheTime => claims(token)
            .filter(|claims| claims["exp"].as_i64() > Some(super::certificates::seconds())),
        Looks::AtNothing | Looks::ForOne => claims(token),
    });
    let (status, body) = match (claims, looks) {
        (Some(claims), _) => ("200 OK", format!("Witaj, {}", claims["given_name"])),
        (None, Looks::AtNothing) => ("200 OK", "Witaj".to_owned()),
        (None, _) => ("401 Unauthorized", "who are you?".to_owned()),
    };
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes());
}

fn claims(token: &str) -> Option<Value> {
    serde_json::from_slice(&from_base64url(token.split('.').nth(1)?)?).ok()
}

fn verified(token: &str, keys: &JwkSet) -> Option<Value> {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let mut keys = keys.keys.iter().filter_map(|key| DecodingKey::from_jwk(key).ok());
    keys.find_map(|key| Some(decode::<Value>(token, &key, &validation).ok()?.claims))
}
