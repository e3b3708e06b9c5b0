//! How each portal is started, as its recipe says.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{any::Any, fs, thread};

use tempfile::TempDir;

use super::recipes::Recipe;
use crate::harness::tools::php_fpm;
use crate::harness::{Apache, Nginx, Program, TOMCAT, free_address, readable_folder};

/// Where a portal listens.
pub(super) enum Address {
    Tcp(SocketAddr),
    /// A socket of the file system, in a folder of its own.
    Socket {
        path: PathBuf,
        _folder: TempDir,
    },
}

impl Address {
    /// Finds a place that nobody has.
    pub(super) fn new(recipe: Recipe) -> Self {
        if !recipe.has_socket() {
            return Self::Tcp(free_address());
        }
        let folder = TempDir::new().unwrap();
        // As the recipes say: nginx makes its socket for everybody.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o750)).unwrap();
        Self::Socket { path: folder.path().join("portal.sock"), _folder: folder }
    }

    /// Returns it as the gateway's configuration names it.
    pub(super) fn upstream(&self) -> String {
        match self {
            Self::Tcp(address) => format!("http://{address}"),
            Self::Socket { path, .. } => format!("unix:{}", path.display()),
        }
    }
}

/// A running portal.
pub(super) struct Portal {
    pub(super) address: Address,
    _programs: Vec<Box<dyn Any>>,
    _folder: TempDir,
}

impl Portal {
    /// Starts it, for the gateway of this issuer.
    pub(super) fn start(recipe: Recipe, address: Address, issuer: &str) -> Self {
        let folder = readable_folder();
        let place = Place { recipe, address: &address, folder: folder.path(), issuer };
        let programs = match recipe {
            Recipe::Apache => place.apache(),
            Recipe::Django | Recipe::DjangoByHeaders => place.django(),
            Recipe::DokuWiki => place.dokuwiki(),
            Recipe::Express => place.express(),
            Recipe::Flask => place.gunicorn("portal:app"),
            Recipe::Nginx => place.nginx(),
            Recipe::Spring => place.spring(),
            Recipe::Tomcat => place.tomcat(),
        };
        Self { address, _programs: programs, _folder: folder }
    }

    /// Asks it for a page, past the gateway. Returns the status and the page.
    pub(super) fn ask(&self, path: &str, host: &str, fields: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n{fields}\r\n");
        let mut answer = Vec::new();
        match &self.address {
            Address::Tcp(address) => {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(request.as_bytes()).unwrap();
                stream.read_to_end(&mut answer).unwrap();
            }
            Address::Socket { path, .. } => {
                let mut stream = UnixStream::connect(path).unwrap();
                stream.write_all(request.as_bytes()).unwrap();
                stream.read_to_end(&mut answer).unwrap();
            }
        }
        let text = String::from_utf8(answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head ends");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), body.to_owned())
    }
}

/// What a start needs.
struct Place<'a> {
    recipe: Recipe,
    address: &'a Address,
    folder: &'a Path,
    issuer: &'a str,
}

impl Place<'_> {
    fn tcp(&self) -> SocketAddr {
        match self.address {
            Address::Tcp(address) => *address,
            Address::Socket { .. } => panic!("{:?} listens on a socket", self.recipe),
        }
    }

    /// What portals that verify are configured with.
    fn configure<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("BRAMA_ISSUER", self.issuer)
            .env("BRAMA_AUDIENCE", "portal")
            .env("PORTAL_SECRET", "of the tests, and of nobody else")
            .env("PORTAL_FOLDER", self.folder)
            .env("PYTHONPATH", self.recipe.source(""))
            .env("PYTHONDONTWRITEBYTECODE", "1")
    }

    fn django(&self) -> Vec<Box<dyn Any>> {
        let identity = match self.recipe {
            Recipe::DjangoByHeaders => "remote-user",
            _ => "assertion",
        };
        let mut migrate = Command::new(self.recipe.fetched().join("bin/python"));
        migrate.args(["-m", "django", "migrate", "--settings", "settings", "--verbosity", "0"]);
        succeeds(self.configure(&mut migrate).env("PORTAL_IDENTITY", identity));
        self.gunicorn_with(
            "urls:application",
            &[("DJANGO_SETTINGS_MODULE", "settings"), ("PORTAL_IDENTITY", identity)],
        )
    }

    fn gunicorn(&self, application: &str) -> Vec<Box<dyn Any>> {
        self.gunicorn_with(application, &[])
    }

    fn gunicorn_with(&self, application: &str, variables: &[(&str, &str)]) -> Vec<Box<dyn Any>> {
        let bind = match self.address {
            Address::Tcp(address) => address.to_string(),
            Address::Socket { path, .. } => format!("unix:{}", path.display()),
        };
        let mut command = Command::new(self.recipe.fetched().join("bin/python"));
        command.args(["-m", "gunicorn", "--no-control-socket", "--umask", "007", "--bind", &bind]);
        command.arg(application).envs(variables.iter().copied());
        vec![Box::new(started(self.configure(&mut command), "Listening at: "))]
    }

    fn express(&self) -> Vec<Box<dyn Any>> {
        // Libraries are looked for beside the program.
        symlink(self.recipe.fetched().join("node_modules"), self.folder.join("node_modules"))
            .unwrap();
        for file in ["portal.js", "package.json"] {
            fs::copy(self.recipe.source(file), self.folder.join(file)).unwrap();
        }
        let mut command = Command::new("node");
        command.arg(self.folder.join("portal.js"));
        self.listening(&mut command)
    }

    fn spring(&self) -> Vec<Box<dyn Any>> {
        let jars = self.recipe.fetched().join("jars/*");
        self.compile(&jars.display().to_string(), "Portal.java");
        let mut command = Command::new("java");
        command.arg("-XX:TieredStopAtLevel=1").arg("-cp");
        command.arg(format!("{}:{}", jars.display(), self.folder.display())).arg("Portal");
        self.listening(&mut command)
    }

    /// A program that takes its port from the environment, and says when it listens.
    fn listening(&self, command: &mut Command) -> Vec<Box<dyn Any>> {
        self.configure(command).env("PORT", self.tcp().port().to_string());
        vec![Box::new(started(command, "listening "))]
    }

    fn compile(&self, classes: &str, file: &str) {
        let mut build = Command::new("javac");
        build.args(["-cp", classes, "-d"]).arg(self.folder.join(""));
        succeeds(build.arg(self.recipe.source(file)));
    }

    fn tomcat(&self) -> Vec<Box<dyn Any>> {
        self.compile(&format!("{TOMCAT}/lib/*"), "GatewayValve.java");
        for part in ["conf", "lib", "temp"] {
            fs::create_dir(self.folder.join(part)).unwrap();
        }
        fs::rename(self.folder.join("portal"), self.folder.join("lib/portal")).unwrap();
        copied(&self.recipe.source("app"), self.folder);
        let server = fs::read_to_string(self.recipe.source("server.xml")).unwrap();
        let server = replaced(&server, "port=\"8080\"", &format!("port=\"{}\"", self.tcp().port()));
        fs::write(self.folder.join("conf/server.xml"), server).unwrap();
        let base = self.folder.display();
        let mut command = Command::new("java");
        command
            .arg("-XX:TieredStopAtLevel=1")
            .arg("-cp")
            .arg(format!("{TOMCAT}/bin/bootstrap.jar:{TOMCAT}/bin/tomcat-juli.jar"))
            .arg(format!("-Dcatalina.home={TOMCAT}"))
            .arg(format!("-Dcatalina.base={base}"))
            .arg(format!("-Djava.io.tmpdir={base}/temp"))
            .args(["org.apache.catalina.startup.Bootstrap", "start"]);
        vec![Box::new(started(&mut command, "Server startup in"))]
    }

    fn dokuwiki(&self) -> Vec<Box<dyn Any>> {
        copied(&self.recipe.fetched().join("wiki"), self.folder);
        let wiki = self.folder.join("wiki");
        copied(&self.recipe.source("authbrama"), &wiki.join("lib/plugins"));
        fs::copy(self.recipe.source("acl.auth.php"), wiki.join("conf/acl.auth.php")).unwrap();
        let mut local = fs::read_to_string(self.recipe.source("local.php")).unwrap();
        // Debian's own is elsewhere.
        local.push_str("$conf['savedir'] = './data';\n");
        fs::write(wiki.join("conf/local.php"), local).unwrap();
        let pages = wiki.join("data/pages/open");
        fs::create_dir(&pages).unwrap();
        for name in ["page1.txt", "page2.txt"] {
            fs::write(pages.join(name), "Open to everybody.").unwrap();
        }
        let mut command = Command::new("php");
        let extension = self.recipe.fetched().join("xml.so");
        command.arg("-d").arg(format!("extension={}", extension.display()));
        command.arg("-d").arg(format!("session.save_path={}", self.folder.display()));
        command.args(["-S", &self.tcp().to_string(), "-t"]).arg(wiki);
        vec![Box::new(started(&mut command, "Development Server"))]
    }

    fn nginx(&self) -> Vec<Box<dyn Any>> {
        let Address::Socket { path: socket, .. } = self.address else {
            panic!("nginx listens on a socket")
        };
        let php = self.folder.join("php.sock");
        let mut pool = fs::read_to_string(self.recipe.source("php-fpm.conf")).unwrap();
        pool = replaced(&pool, "/run/portal/php.sock", &php.display().to_string());
        let here = self.folder.display();
        let _ = writeln!(pool, "php_value[session.save_path] = {here}");
        let file = self.folder.join("php-fpm.conf");
        fs::write(&file, format!("[global]\ndaemonize = no\nerror_log = /dev/stderr\n{pool}"))
            .unwrap();
        let mut command = Command::new(php_fpm().expect("it was found"));
        let fpm =
            started(command.args(["-R", "-n", "-y"]).arg(file), "ready to handle connections");

        fs::create_dir_all(self.folder.join("public/inner")).unwrap();
        fs::copy(self.recipe.source("index.html"), self.folder.join("public/index.html")).unwrap();
        fs::write(self.folder.join("public/inner/page.html"), "for citizens").unwrap();
        fs::copy(self.recipe.source("api.php"), self.folder.join("api.php")).unwrap();
        let mut server = fs::read_to_string(self.recipe.source("portal.conf")).unwrap();
        server = replaced(&server, "/run/portal/nginx.sock", &socket.display().to_string());
        server = replaced(&server, "/run/portal/php.sock", &php.display().to_string());
        server = replaced(&server, "/srv/portal", &here.to_string());
        vec![Box::new(Nginx::start_with(&server, "")), Box::new(fpm)]
    }

    fn apache(&self) -> Vec<Box<dyn Any>> {
        fs::copy(self.recipe.source("whoami.cgi"), self.folder.join("whoami.cgi")).unwrap();
        let lines = fs::read_to_string(self.recipe.source("portal.conf")).unwrap();
        // Apache is told its address by the harness.
        let mut lines = replaced(&lines, "Listen 127.0.0.1:8081\n", "");
        let program = self.folder.join("whoami.cgi");
        for path in ["/whoami", "/inner/whoami"] {
            let _ = writeln!(lines, "ScriptAlias {path} {}", program.display());
        }
        vec![Box::new(Apache::start(self.tcp(), &["alias", "cgi", "setenvif"], &lines))]
    }
}

/// Starts a program, and waits until it says that it serves. A machine of Java on a busy computer
/// takes longer than anything else here.
fn started(command: &mut Command, sign: &str) -> Program {
    let mut program = Program::start(command);
    let deadline = Instant::now() + START;
    while !program.said().iter().any(|line| line.contains(sign)) {
        assert!(!program.has_ended(), "{command:?} ended");
        assert!(Instant::now() < deadline, "{command:?} does not say {sign:?}");
        thread::sleep(Duration::from_millis(5));
    }
    program
}

const START: Duration = Duration::from_secs(90);

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Copies a folder into another.
fn copied(folder: &Path, into: &Path) {
    succeeds(Command::new("cp").arg("-R").arg(folder).arg(into));
}

/// Puts what is there in a test in place of what is there in production.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the recipe has {from}");
    text.replace(from, to)
}
