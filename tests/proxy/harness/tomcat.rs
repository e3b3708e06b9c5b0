//! Tomcat, with one application.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::program::Program;

/// A Tomcat with an application of servlets below `/app`.
pub(crate) struct Tomcat {
    pub(crate) url: String,
    _program: Program,
    _folder: TempDir,
}

impl Tomcat {
    /// Starts it with servlets, each a path below the application's and the JSP that it runs. `/`
    /// shows the first of them.
    pub(crate) fn start(servlets: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let base = folder.path().display();
        for part in ["app/WEB-INF", "app/folder", "conf", "temp"] {
            fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        // The class of a listed servlet is that of JSPs; whatever else there is are files.
        let mut listed = servlet("files", "org.apache.catalina.servlets.DefaultServlet", "/");
        listed += &servlet("jsp", "org.apache.jasper.servlet.JspServlet", "*.jsp");
        for (path, page) in servlets {
            let name = path.trim_start_matches('/');
            fs::write(folder.path().join(format!("app/{name}.jsp")), page).unwrap();
            listed += &format!(
                "<servlet><servlet-name>{name}</servlet-name><jsp-file>/{name}.jsp</jsp-file></servlet>\
                 <servlet-mapping><servlet-name>{name}</servlet-name><url-pattern>{path}</url-pattern>\
                 </servlet-mapping>"
            );
        }
        let first = servlets[0].0.trim_start_matches('/');
        let application = format!(
            "<web-app xmlns=\"https://jakarta.ee/xml/ns/jakartaee\" version=\"6.0\">{listed}\
             <welcome-file-list><welcome-file>{first}.jsp</welcome-file></welcome-file-list></web-app>"
        );
        fs::write(folder.path().join("app/WEB-INF/web.xml"), application).unwrap();
        let server = format!(
            "<Server port=\"-1\"><Service name=\"Catalina\"><Connector port=\"0\" address=\"127.0.0.1\"/>\
             <Engine name=\"Catalina\" defaultHost=\"localhost\"><Host name=\"localhost\" appBase=\"none\">\
             <Context path=\"/app\" docBase=\"{base}/app\"/></Host></Engine></Service></Server>"
        );
        fs::write(folder.path().join("conf/server.xml"), server).unwrap();
        let mut program = Program::start(
            Command::new("java")
                .arg("-cp")
                .arg(format!("{HOME}/bin/bootstrap.jar:{HOME}/bin/tomcat-juli.jar"))
                .arg(format!("-Dcatalina.home={HOME}"))
                .arg(format!("-Dcatalina.base={base}"))
                .arg(format!("-Djava.io.tmpdir={base}/temp"))
                .args(["org.apache.catalina.startup.Bootstrap", "start"]),
        );
        // The connector is told last with the port that it got.
        let port = program.wait_for(|line| {
            let (_, name) =
                line.split_once("Starting ProtocolHandler [\"http-nio-127.0.0.1-auto-")?;
            Some(name.trim_end_matches("\"]").split_once('-')?.1.to_owned())
        });
        program.wait_for(|line| line.contains("Server startup in").then_some(()));
        Self { url: format!("http://127.0.0.1:{port}"), _program: program, _folder: folder }
    }
}

fn servlet(name: &str, class: &str, pattern: &str) -> String {
    format!(
        "<servlet><servlet-name>{name}</servlet-name><servlet-class>{class}</servlet-class></servlet>\
         <servlet-mapping><servlet-name>{name}</servlet-name><url-pattern>{pattern}</url-pattern>\
         </servlet-mapping>"
    )
}

/// Where Debian keeps it.
pub(crate) const HOME: &str = "/usr/share/tomcat10";
