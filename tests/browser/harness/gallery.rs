//! Pages that are shown one by one, as they are sent, without what leads to them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use super::browser::{Browser, Scripts};
use super::citizen::Citizen;
use super::tools;

/// What is answered at a path: headers with a line end each, and the body.
pub(crate) type Exhibits = BTreeMap<String, (String, Vec<u8>)>;

/// A visit to these pages, each at its path.
pub(crate) async fn visit_gallery(exhibits: Exhibits, story: impl AsyncFnOnce(&Citizen)) {
    let Some(tools) = tools::find() else { return };
    let origin = serve(exhibits);
    let browser = Browser::start(&tools, Scripts::Run, &[]).await;
    Citizen::sits_at(browser, origin, Vec::new(), story).await;
}

fn serve(exhibits: Exhibits) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let exhibits = Arc::new(exhibits);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Browsers open connections ahead, on which nothing comes for a long time.
            let exhibits = exhibits.clone();
            thread::spawn(move || answer(stream, &exhibits));
        }
    });
    origin
}

fn answer(mut stream: TcpStream, exhibits: &Exhibits) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let nothing = (String::new(), Vec::new());
    let (status, (headers, body)) = match exhibits.get(path) {
        Some(found) => ("200 OK", found),
        None => ("404 Not Found", &nothing),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // A browser that went away does not need it.
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(body));
}
