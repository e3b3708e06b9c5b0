//! What operators send about sessions: addresses and JSON.
//!
//! Without the token nothing is done and nothing is told. With it, an answer is JSON of a known
//! status, names nobody, and a session ends only when it was asked for.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::Value;

use crate::product::session::Settings;
use crate::product::{
    AdminRole, Assertion, Call, Endpoint, Incoming, ManualClock, Operator, Operators,
    PairwiseSecret, Problem, Secret, Session, SessionDesk, SessionId, Sessions, Shown, Time, Who, endpoints,
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
    let request = request.header("content-type", "application/json");
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
    let desk = SessionDesk::new(Arc::clone(&sessions), clock);

    let answer = answer(&desk, request).await;
    let status = answer.as_ref().map_or_else(Problem::status, |(status, _)| *status);
    let value = answer.as_ref().map_or(&Value::Null, |(_, value)| value);
    let text = match &answer {
        Ok((_, value)) => value.to_string(),
        Err(problem) => format!("{problem:?}"),
    };
    let left = sessions.list(None, None, 10, now).await.expect("they are near").sessions.len();
    // 1. Without the token there is nothing.
    if !is_admitted {
        assert!(matches!(status.as_u16(), 401 | 404 | 405), "{status}");
        assert_eq!(left, 1);
        return;
    }
    // 2. The status is one of a few.
    assert!(matches!(status.as_u16(), 200 | 400 | 404 | 405 | 413), "{status}");
    // 3. Nothing ends that nobody asked to end.
    assert!(left == 1 || (is_asked && status == StatusCode::OK), "{value}");
    // 4. Nobody is named.
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

/// Does what the listener does with a request for sessions.
async fn answer(
    desk: &SessionDesk,
    request: Request<Incoming>,
) -> Result<(StatusCode, Value), Problem> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let asked = endpoints::find(&head.method, &path)?;
    let role = match asked.who {
        Who::Readers => AdminRole::Read,
        _ => AdminRole::Write,
    };
    let token = Secret::new(TOKEN.as_bytes().to_vec());
    let name = "anna".to_owned();
    let operator = Operator {
        name,
        role: AdminRole::Write,
        token: Some(token),
        token_file: None,
        certificate_name: None,
    };
    let operators = Operators::new(&[operator], Arc::new(ManualClock::at(Time::UNIX_EPOCH)));
    let shown = Shown { headers: &head.headers, certificate: None, may_be_password: false };
    let admin = Some(operators.admit(&shown, role)?);
    let name = asked.name.unwrap_or_default().to_owned();
    let from = std::net::Ipv4Addr::LOCALHOST.into();
    let call = Call { head, body, admin, name, from };
    match asked.endpoint {
        Endpoint::ListSessions => desk.list(call).await,
        Endpoint::ShowSession => desk.show(call).await,
        Endpoint::EndSession => desk.end(call).await,
        Endpoint::FindOwner => desk.owner(call).await,
        Endpoint::EndSessions => desk.end_many(call).await,
        _ => Err(Problem::NotFound),
    }
}
