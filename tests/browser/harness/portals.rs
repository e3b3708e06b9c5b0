//! Two portals on unrelated domains behind one gateway with TLS, and the simulator. The browser
//! finds their names by a rule of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use super::browser::{Browser, Scripts};
use super::citizen::Citizen;
use super::ports::free_address;
use super::program::Program;
use super::tools;

/// The registered one.
pub(crate) const A: &str = "https://portal-a.example";
/// What opens the operations listener.
pub(crate) const TOKEN: &str = "operators-0123456789abcdef0123456789";
/// The other one.
pub(crate) const B: &str = "https://portal-b.test";

/// A visit to two new portals with a new browser, which looks at the registered one first.
pub(crate) async fn visit_portals(scripts: Scripts, story: impl AsyncFnOnce(&Citizen)) {
    visit_portals_at(scripts, async |citizen, _| story(citizen).await).await;
}

/// The same, for a story that needs to know at which port the gateway listens.
pub(crate) async fn visit_portals_at(scripts: Scripts, story: impl AsyncFnOnce(&Citizen, u16)) {
    visit_all(scripts, async |citizen, port, _| story(citizen, port).await).await;
}

/// The same, for a story that needs the address of the operations listener.
pub(crate) async fn visit_operators(story: impl AsyncFnOnce(&Citizen, SocketAddr)) {
    visit_all(Scripts::Run, async |citizen, _, operations| story(citizen, operations).await).await;
}

async fn visit_all(scripts: Scripts, story: impl AsyncFnOnce(&Citizen, u16, SocketAddr)) {
    let Some(tools) = tools::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (port, operations) = (free_port(), free_address());
    let programs = start(folder.path(), port, operations);
    let rules: Vec<_> = [A, B]
        .iter()
        .map(|origin| origin.trim_start_matches("https://"))
        .map(|host| format!("MAP {host}:443 127.0.0.1:{port}"))
        .collect();
    let words = [format!("--host-resolver-rules={}", rules.join(", "))];
    let browser = Browser::start(&tools, scripts, &words).await;
    let story = async |citizen: &Citizen| story(citizen, port, operations).await;
    Citizen::sits_at(browser, A.to_owned(), programs, story).await;
}

/// Serves a page to whoever asks, made of the head of the request; returns its origin, which is
/// another site than the portals.
pub(crate) fn serve(page: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let page = page(&String::from_utf8_lossy(&head));
            // A browser that went away does not need it.
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    origin
}

/// What the portal behind `/echo` saw of a request, as a page.
fn echo(head: &str) -> String {
    let head = head.replace('&', "&amp;").replace('<', "&lt;");
    format!("<!doctype html><h1>echo</h1><pre id=seen>{head}</pre>")
}

fn free_port() -> u16 {
    free_address().port()
}

fn start(folder: &Path, port: u16, operations: SocketAddr) -> Vec<Program> {
    let acs = format!("{A}/.brama/acs");
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.args(["simulator", "--pages", "127.0.0.1:0", "--soap", "127.0.0.1:0"]);
    command.args(["--acs", &acs, "--log", "warn", "--directory"]).arg(folder);
    let (simulator, [sso, resolve, logout]) = Program::start_saying(
        &mut command,
        ["node.sso_url", "node.resolve_url", "node.logout_url"],
    );

    let names = [A, B].map(|origin| origin.trim_start_matches("https://").to_owned());
    let made = rcgen::generate_simple_self_signed(names.to_vec()).unwrap();
    fs::write(folder.join("portals.pem"), made.cert.pem()).unwrap();
    let key = made.signing_key.serialize_pem();
    brama::base::private::write(&folder.join("portals.key"), key.as_bytes()).unwrap();
    brama::base::private::write(&folder.join("token"), TOKEN.as_bytes()).unwrap();
    let mut text = format!(
        "[portal]\npublic_url = \"{A}\"\nother_urls = [\"{B}\"]\n\
         [listen]\nhttps = \"127.0.0.1:{port}\"\ncertificate = \"portals.pem\"\nkey = \"portals.key\"\n\
         [operations]\nlisten = \"{operations}\"\n\n\
         [[operations.operators]]\nname = \"anna\"\ntoken_file = \"token\"\nrole = \"read\"\n\
         [log]\nlevel = \"info\"\n\
         [node]\nenvironment = \"custom\"\nissuer = \"symulator.brama.localhost\"\n\
         sso_url = \"{sso}\"\nresolve_url = \"{resolve}\"\nlogout_url = \"{logout}\"\n\
         certificates = [\"node-signing.crt.pem\"]\nextra_ca_file = \"ca.crt.pem\"\n\
         system_roots = false\n\
         client_certificate = \"service-tls-client.crt.pem\"\n\
         client_key = \"service-tls-client.key.pem\"\n\
         [service]\nissuer = \"portal.brama.localhost\"\nprovider_name = \"Portal\"\n\
         signing_certificate = \"service-sig.crt.pem\"\nsigning_key = \"service-sig.key.pem\"\n\
         decryption_keys = [\"service-enc.key.pem\"]\n\
         [[upstream]]\nname = \"echo\"\nurl = \"{}\"\n\
         [[route]]\npath = \"/echo\"\nupstream = \"echo\"\n",
        serve(echo),
    );
    for name in names {
        // No portal is needed: whoever may pass gets a page.
        let _ = write!(
            text,
            "[[route]]\nhost = \"{name}\"\npath = \"/\"\n\
             respond = {{ status = 200, content_type = \"text/html\", body = '''\
             <!doctype html><h1>{name}</h1>\
             <form method=post action=/.brama/logout><button>out</button></form>''' }}\n"
        );
    }
    let path = folder.join("brama.toml");
    fs::write(&path, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    let (gateway, _) =
        Program::start(command.arg("run").arg("--config").arg(path), "gateway started");
    vec![gateway, simulator]
}
