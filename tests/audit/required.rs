use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::*;
use crate::harness::{World, world};

/// A world whose records go to a socket at that path, which need not be there.
async fn to(path: &Path, more: &str) -> World {
    let lines =
        format!("[audit]\ntarget = \"syslog\"\nsyslog = \"unix:{}\"\n{more}\n", path.display());
    world().with(&lines).start().await
}

#[tokio::test]
async fn without_a_log_no_login_begins_or_ends_and_who_is_signed_in_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("devlog");
    let reader = Reader::start(&path);
    let world = to(&path, "required = true").await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let mut other = world.browser();
    let delivery = other.reach_node("/tax", "zofia", &[]).await;
    let said = world.operations("/readyz?verbose").await.text;
    assert!(said.contains("[+]audit ok: ") && said.contains(" records written\n"), "{said}");
    // The log of the system is gone.
    drop(reader);
    fs::remove_file(&path).unwrap();
    let begin = Instant::now();
    let page = loop {
        let page = world.browser().open("/tax").await;
        if page.status == StatusCode::SERVICE_UNAVAILABLE {
            break page;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "logins go on without records");
    };
    page.is_our_page().is_refused_with("login.audit_unavailable");
    assert_eq!(page.header("retry-after"), Some("30"));
    // Balancers do not mind, unless they are told to.
    let parts = world.operations("/readyz?verbose").await;
    let failed = "[-]audit failed (not needed): it cannot be written, ";
    assert!(parts.text.contains(failed), "{}", parts.text);
    assert!(parts.text.contains(" KiB wait, no login begins"), "{}", parts.text);
    assert_eq!(parts.status, StatusCode::OK);
    let needed = world.operations("/readyz?needs=audit").await;
    assert_eq!(needed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(needed.text, "not ready: audit: see ?verbose and the log\n");
    assert!(page.text.contains("Every sign-in must be recorded"), "{}", page.text);
    let answer = world.browser().fetch("/tax").await;
    assert!([401, 503].contains(&answer.status.as_u16()), "{}", answer.text);
    // Who is signed in, and who need not be, notices nothing.
    assert_eq!(browser.open("/tax").await.text, "portal");
    assert_eq!(world.browser().open("/public/a").await.text, "portal");
    // A login that had begun waits, and is not spent.
    let page = other.deliver(&delivery).await;
    page.is_refused_with("login.audit_unavailable");
    let again = page.url.clone();
    let _reader = Reader::start(&path);
    let begin = Instant::now();
    let text = loop {
        let page = other.visit(&again).await;
        if page.status == StatusCode::OK {
            break page.text;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{}", page.text);
        // A browser that comes again and again is turned away.
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(text, "portal");
}

#[tokio::test]
async fn a_log_that_stands_still_fails_no_request_when_it_is_not_required() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("devlog");
    // Nobody reads: some datagrams fit, and then none.
    let _socket = UnixDatagram::bind(&path).unwrap();
    let world = to(&path, "required = false\nqueue = \"64 KiB\"").await;
    for _ in 0..40 {
        assert_eq!(world.browser().sign_in("/tax", "anna").await.text, "portal");
    }
    let metrics = world.metrics().await;
    let line = metrics.lines().find(|line| line.starts_with("brama_audit_queue_bytes "));
    let waiting: f64 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(waiting <= 65_536.0, "{waiting}");
    // A datagram waits for a while before it counts as one that cannot be sent.
    let begin = Instant::now();
    let parts = loop {
        let parts = world.operations("/readyz?verbose").await;
        if ["]audit impaired: ", "]audit failed "].iter().any(|said| parts.text.contains(said)) {
            break parts;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{}", parts.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(parts.status, StatusCode::OK);
}

/// The log of the system: reads whatever comes until it is dropped.
struct Reader {
    must_stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let must_stop = Arc::<AtomicBool>::default();
        let told = Arc::clone(&must_stop);
        let thread = std::thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            while !told.load(Ordering::Relaxed) {
                let _ = socket.recv(&mut bytes);
            }
        });
        Self { must_stop, thread: Some(thread) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.must_stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}
