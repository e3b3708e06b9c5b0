//! Whether the addresses can be listened on: looked at before a start only, because a gateway that
//! runs has them itself.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

use super::context::Context;

/// Warns of each address that cannot be bound now. It may be free by the time of the start, or come
/// from systemd, so it is no error.
pub(super) fn check(context: &mut Context<'_>) {
    let listen = &context.file().listen;
    let given = [
        (key!(listen.http), listen.http),
        (key!(listen.https), listen.https),
        (key!(listen.redirect), listen.redirect),
        (key!(operations.listen), Some(context.file().operations.listen)),
    ];
    let given = given.map(|(key, address)| (key.to_owned(), address)).into_iter();
    let companions = context.file().companion.iter().enumerate();
    let companions = companions.map(|(n, one)| (format!("companion[{n}].listen"), one.listen));
    for (key, address) in given.chain(companions) {
        if let Some(address) = address
            && let Err(error) = TcpListener::bind(address)
        {
            let (what, advice) = refusal(address, &error);
            context.warn(&key, what, advice);
        }
    }
}

fn refusal(address: SocketAddr, error: &io::Error) -> (String, &'static str) {
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => (
            format!("{address} is in use"),
            "stop what listens there (ss -ltnp shows it), unless it is this gateway, which runs",
        ),
        ErrorKind::PermissionDenied => (
            format!("this user may not listen on port {port}"),
            "give the service CAP_NET_BIND_SERVICE (AmbientCapabilities= of systemd), or a port \
             from 1024",
        ),
        ErrorKind::AddrNotAvailable => (
            format!("{} is no address of this machine", address.ip()),
            "give one of its addresses, or 0.0.0.0 or [::] for all",
        ),
        _ => (format!("{address} cannot be listened on: {error}"), "give another address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::config::load::load_text;

    #[test]
    fn an_address_that_is_taken_or_not_ours_is_warned_of_and_a_free_one_is_not() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap();
        for (http, expected) in [
            ("127.0.0.1:0".to_owned(), None),
            (taken.to_string(), Some("is in use")),
            ("192.0.2.1:0".to_owned(), Some("192.0.2.1 is no address of this machine")),
        ] {
            let text =
                format!("[listen]\nhttp = \"{http}\"\n[operations]\nlisten = \"127.0.0.1:0\"\n");
            let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
            let mut context = Context::new(&loaded, Time::UNIX_EPOCH);
            check(&mut context);
            let said = context.problems.to_string();
            let count = format!("0 errors, {} warning", u8::from(expected.is_some()));
            assert!(said.contains(&count), "{said}");
            assert!(expected.is_none_or(|part| said.contains(part)), "{said}");
        }
        let denied = refusal(taken, &ErrorKind::PermissionDenied.into());
        assert!(denied.1.contains("CAP_NET_BIND_SERVICE"));
    }
}
