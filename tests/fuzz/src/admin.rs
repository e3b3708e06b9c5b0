//! What operators send about sessions: addresses and JSON.
//!
//! Without the token nothing is done and nothing is told. With it, an answer is JSON of a known
//! status, names nobody, and a session ends only when it was asked for.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::product::session::Settings;
use crate::product::{
    Admin, Assertion, Incoming, ManualClock, PairwiseSecret, Secret, Session, SessionId, Sessions,
    Time,
};
use crate::script::block_on;
use crate::signed;

const TOKEN: &str = "a token of operators";
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::DELETE, Method::PUT, Method::HEAD];

thread_local! {
    static ASSERTION: RefCell<Option<Assertion>> = const { RefCell::new(None) };
}

/// Looks at one input: the method, whether the token is there, the address, a line end, and the
/// body.
pub fn run(data: &[u8]) {
    let Some(([method, token], rest)) = data.split_first_chunk() else { return };
    let mut parts = rest.splitn(2, |&byte| byte == b'\n');
    let Ok(target) = std::str::from_utf8(parts.next().unwrap_or_default()) else { return };
    let body = parts.next().unwrap_or_default();
    let method = METHODS[usize::from(*method) % METHODS.len()].clone();
    let request = Request::builder().method(method.clone()).uri(format!("/sessions{target}"));
    let request = match token % 4 {
        0 => request,
        1 => request.header("authorization", format!("Bearer {}", &TOKEN[1..])),
        _ => request.header("authorization", format!("Bearer {TOKEN}")),
    };
    let Ok(request) = request.body(Incoming::whole(Bytes::copy_from_slice(body))) else { return };
    let is_admitted = token % 4 > 1;
    let is_asked = method == Method::DELETE || (method == Method::POST && target == "/end");
    block_on(ask(request, is_admitted, is_asked, body));
}

async fn ask(request: Request<Incoming>, is_admitted: bool, is_asked: bool, sent: &[u8]) {
    let now: Time = "2031-03-04T10:20:30.123Z".parse().expect("it is a time");
    let settings = Settings {
        idle: Duration::from_secs(900),
        absolute: Duration::from_secs(28_800),
        maximum: 100,
        maximum_per_person: 0,
        grace: Duration::from_secs(300),
    };
    let owners = PairwiseSecret::new(vec![7; PairwiseSecret::LEAST]).expect("it is long enough");
    let sessions = Sessions::in_memory(settings.clone(), owners, Arc::default());
    let id = SessionId::generate();
    let assertion = ASSERTION
        .with_borrow_mut(|assertion| assertion.get_or_insert_with(signed::assertion).clone());
    let session = Session::begin(&assertion, id.key(), &settings, now);
    sessions.insert(&id, session, now).await.expect("there is room");
    let clock = Arc::new(ManualClock::at(now));
    let token = Secret::new(TOKEN.as_bytes().to_vec());
    let admin = Admin::new(Some(token), Arc::clone(&sessions), clock);

    let response = admin.answer(request).await;
    let status = response.status();
    let body = response.into_body().collect().await.expect("an answer is whole").to_bytes();
    let value: Value = serde_json::from_slice(&body).expect("an answer is JSON");
    let left = sessions.list(None, None, 10, now).await.expect("they are near").sessions.len();
    // 1. Without the token there is nothing.
    if !is_admitted {
        assert_eq!((status, left), (StatusCode::UNAUTHORIZED, 1));
        return;
    }
    // 2. The status is one of a few, and says whether there is an error.
    assert!(matches!(status.as_u16(), 200 | 400 | 404 | 405), "{status}");
    assert_eq!(value.get("error").is_none(), status == StatusCode::OK, "{value}");
    // 3. Nothing ends that nobody asked to end.
    assert!(left == 1 || (is_asked && status == StatusCode::OK), "{value}");
    // 4. Nobody is named.
    let text = String::from_utf8_lossy(&body);
    for name in [assertion.person().identifier().as_str(), assertion.name_id(), id.expose()] {
        assert!(!text.contains(name), "{text}");
    }
    if let Some(identifier) = serde_json::from_slice::<Value>(sent).ok().as_ref().and_then(|sent| {
        sent.get("identifier").and_then(Value::as_str).filter(|text| text.len() > 8)
    }) {
        let is_digits = identifier.bytes().all(|byte| byte.is_ascii_digit());
        assert!(!is_digits || !text.contains(identifier), "{text}");
    }
}
