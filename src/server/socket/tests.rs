//! Sharing, taken addresses, files.

use std::collections::HashSet;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener as StdListener, TcpStream as StdStream};

use tokio::io::AsyncWriteExt;

use super::*;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn unix(path: &Path, mode: u32) -> Socket {
    Socket::Unix { path: path.to_owned(), mode }
}

/// Serves one connection and says by which worker.
async fn serve_one(bound: Bound, worker: u8) -> Bound {
    let share = bound.sockets.iter().map(Listening::try_clone).collect::<Result<_, _>>().unwrap();
    let shared = bound.shared.clone();
    let mut listener = bound.into_listener().unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(&[worker]).await.unwrap();
    Bound { sockets: share, shared }
}

#[tokio::test]
async fn each_worker_has_a_socket_of_its_own_on_one_port() {
    let shares = bind(ANY.into(), 3, 64).unwrap();
    let addresses: HashSet<_> = shares.iter().map(|share| share.address().unwrap()).collect();
    assert_eq!(addresses.len(), 1);
    let address = addresses.into_iter().next().unwrap();
    // Connections are spread by a hash of both ends; in 64 of them each worker has its share.
    let clients: Vec<_> = (0..64).map(|_| StdStream::connect(address).unwrap()).collect();
    for share in shares {
        let mut listener = share.into_listener().unwrap();
        listener.accept().await.unwrap();
    }
    drop(clients);
}

#[test]
fn an_address_that_is_listened_on_is_refused_even_by_ourselves() {
    for copies in [1, 2] {
        let first = bind(ANY.into(), 2, 16).unwrap();
        let address = first[0].address().unwrap();
        let error = bind(address.into(), copies, 16).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(first);
        assert!(bind(address.into(), copies, 16).is_ok(), "free again");
    }
}

#[tokio::test]
async fn a_socket_that_is_bound_already_is_shared() {
    let socket = Socket::bind(ANY).unwrap();
    let address = socket.address().unwrap();
    assert_eq!(socket.to_string(), address.to_string());
    let shares = bind(socket, 2, 16).unwrap();
    for (worker, share) in shares.into_iter().enumerate() {
        let mut client = StdStream::connect(address).unwrap();
        serve_one(share, worker as u8).await;
        let mut byte = [9];
        client.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [worker as u8]);
    }
}

#[tokio::test]
async fn no_inherited_socket_is_left_out_when_there_are_fewer_workers() {
    let sockets: Vec<_> = (0..3).map(|_| StdListener::bind(ANY).unwrap()).collect();
    let addresses: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
    let sockets = sockets.into_iter().map(Listening::Tcp).collect();
    let mut shares = bind(Socket::Inherited(sockets), 1, 16).unwrap();
    let mut share = shares.remove(0);
    assert!(shares.is_empty());
    for address in addresses {
        let _client = StdStream::connect(address).unwrap();
        share = serve_one(share, 0).await;
    }
    assert!(bind(Socket::Inherited(Vec::new()), 1, 16).is_err());
}

#[tokio::test]
async fn a_file_has_its_mode_and_is_removed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("brama.sock");
    for mode in [0o600, 0o666] {
        let mut shares = bind(unix(&path, mode), 2, 16).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        let _client = UnixStream::connect(&path).unwrap();
        let share = serve_one(shares.remove(0), 0).await;
        drop(shares);
        assert!(path.exists(), "another worker still listens");
        drop(share);
        assert!(!path.exists());
    }
}

#[test]
fn a_stale_file_is_replaced_and_a_living_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("brama.sock");
    let stale = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(bind(unix(&path, 0o600), 1, 16).unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(stale);
    assert!(path.exists());
    let _shares = bind(unix(&path, 0o600), 1, 16).unwrap();
}

#[test]
fn a_file_that_is_no_socket_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("important");
    fs::write(&path, "text").unwrap();
    assert_eq!(bind(unix(&path, 0o600), 1, 16).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"text");
}

#[test]
fn what_somebody_put_in_the_place_of_the_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("brama.sock");
    let shares = bind(unix(&path, 0o600), 1, 16).unwrap();
    // The old inode lives on under another name, so that the new file cannot have its number.
    fs::rename(&path, folder.path().join("old")).unwrap();
    fs::write(&path, "text").unwrap();
    drop(shares);
    assert_eq!(fs::read(&path).unwrap(), b"text");
}
