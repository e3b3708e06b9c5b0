//! Whose a listening socket of this machine is: a token is shown to our own gateway alone. Where the
//! gateway does not run, any user can listen at its port, and repeat what it says of itself.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The users whose gateway it may be: the administrator, who asks, and whose the state folder is.
pub(super) fn believed(state_directory: Option<&Path>) -> Vec<u32> {
    let of_state = state_directory.and_then(|path| fs::metadata(path).ok());
    let asks = rustix::process::geteuid().as_raw();
    [ROOT, asks].into_iter().chain(of_state.map(|found| found.uid())).collect()
}

/// Tells whether all that listens at a port here is of one of these users.
///
/// # Errors
/// Why that is not known to be so.
pub(super) fn is_believed(port: u16, believed: &[u32]) -> Result<(), String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let text: String = tables.into_iter().flatten().collect();
    let owners: Vec<_> = text.lines().filter_map(|line| owner(line, port)).collect();
    if owners.is_empty() {
        return Err("the system does not say whose the listener is".to_owned());
    }
    match owners.iter().find(|owner| !believed.contains(owner)) {
        None => Ok(()),
        Some(owner) => Err(format!("user {owner} listens there, whose gateway it is not")),
    }
}

/// Returns the user of a line of the table (proc_pid_net(5)) whose socket listens at a port.
fn owner(line: &str, port: u16) -> Option<u32> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, state) = (fields.next()?, fields.nth(1)?);
    let (_, local_port) = local.rsplit_once(':')?;
    let is_it = u16::from_str_radix(local_port, 16) == Ok(port) && state == LISTENS;
    is_it.then(|| fields.nth(3)?.parse().ok()).flatten()
}

const ROOT: u32 = 0;
const LISTENS: &str = "0A";

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

    use super::*;

    #[test]
    fn a_line_names_the_user_of_a_listener_at_its_port() {
        let line = |state: &str| {
            format!(
                "   0: 0100007F:2508 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 \
                  65534        0 12345 1 0000000000000000 100 0 0 10 0"
            )
        };
        assert_eq!(owner(&line("0A"), 9480), Some(65534));
        assert_eq!(owner(&line("0A"), 9481), None);
        // A connection, and not who listens.
        assert_eq!(owner(&line("01"), 9480), None);
        assert_eq!(owner("  sl  local_address rem_address   st", 9480), None);
        assert_eq!(owner("", 9480), None);
    }

    #[test]
    fn our_own_listener_is_believed_and_nobodys_is_not() {
        let us = rustix::process::geteuid().as_raw();
        for listener in [
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok(),
            TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok(),
        ] {
            let Some(listener) = listener else { continue };
            let port = listener.local_addr().unwrap().port();
            assert_eq!(is_believed(port, &[us]), Ok(()));
            let refused = is_believed(port, &[us ^ 1]).unwrap_err();
            assert!(refused.contains(&format!("user {us} listens")), "{refused}");
            drop(listener);
            assert!(is_believed(port, &[us]).is_err(), "nobody listens");
        }
        assert!(believed(None).contains(&us) && believed(None).contains(&ROOT));
    }
}
