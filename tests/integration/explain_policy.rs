//! The policy on the command line: mistakes that `check` finds, and what `explain-policy` says.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::commands::{GOOD, folder};

/// Rules with something of everything, beside that for `/`.
const RULES: &str = r#"
[[route]]
path = "/news"
upstream = "portal"
access = "public"
methods = ["GET", "HEAD"]
[[route]]
path = "/news"
upstream = "portal"
assurance = "high"
max_age = "10m"
methods = ["POST"]
[[route]]
path = "/pay"
upstream = "portal"
authorities = ["pz.gov.pl"]
require = ["adult", "pesel"]
[[route]]
path = "/old"
access = "public"
[route.redirect]
to = "/new{path}"
[[route]]
host = "other.example.gov.pl"
path = "/"
upstream = "portal"
access = "public"
[[route]]
path = "/work"
upstream = "portal"
maintenance = true
"#;

fn brama(command: &str, folder: &Path, arguments: &[&str]) -> Output {
    let mut brama = Command::new(env!("CARGO_BIN_EXE_brama"));
    brama.arg(command).args(arguments).arg("--config").arg(folder.join("brama.toml"));
    brama.output().unwrap()
}

/// What is said of a request, and the exit status.
fn explained(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = brama("explain-policy", folder, &[arguments, &["--json"]].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    let value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?}: {said}"));
    (output.status.code(), value)
}

#[test]
fn check_names_both_rules_that_tie() {
    let route =
        |more: &str| format!("[[route]]\npath = \"/tax/\"\nupstream = \"portal\"\n{more}\n");
    for (one, other, tie) in [
        ("", "", Some("/tax, and")),
        ("methods = [\"GET\", \"HEAD\"]", "methods = [\"POST\", \"HEAD\"]", Some("/tax with HEAD")),
        ("", "host = \"PORTAL.example.gov.pl\"", Some("/tax, and")),
        ("methods = [\"GET\", \"HEAD\"]", "methods = [\"POST\"]", None),
        ("methods = [\"POST\"]", "", None),
        ("", "host = \"other.example.gov.pl\"\naccess = \"public\"", None),
    ] {
        let text = format!("{GOOD}{}{}", route(one), route(other));
        let folder = folder(&text);
        let output = brama("check", folder.path(), &[]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(i32::from(tie.is_some())), "{said}");
        let Some(tie) = tie else { continue };
        let line = |number| {
            let lines = text.lines().enumerate();
            let mut paths = lines.filter(|(_, line)| line.starts_with("path = \"/tax/\""));
            paths.nth(number).unwrap().0 + 1
        };
        for part in [
            format!("brama.toml:{}: route[2].path", line(1)),
            format!("route[2] and route[1] ({}", folder.path().join("brama.toml").display()),
            format!(":{}) are both for portal.example.gov.pl{tie}", line(0)),
        ] {
            assert!(said.contains(&part), "{part} is not in\n{said}");
        }
    }
}

#[test]
fn check_refuses_a_rule_that_means_nothing_or_lets_nobody_pass() {
    let check = |more: &str, service: &str| {
        let text = GOOD.replace("[service]\n", &format!("[service]\n{service}\n")) + more;
        let folder = folder(&text);
        let output = brama("check", folder.path(), &[]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let without_birthdate = "required_attributes = [\"given_name\", \"identifier\"]";
    for (good, bad, part) in [
        ("methods = [\"GET\", \"HEAD\"]", "methods = []", "has 0 methods"),
        ("methods = [\"POST\"]", "methods = [\"post\"]", "write \"POST\""),
        ("methods = [\"PURGE\"]", "methods = [\"PUR GE\"]", "is no method"),
        ("methods = [\"OPTIONS\"]", "methods = [\"TRACE\"]", "refused everywhere"),
        ("max_age = \"2m\"", "max_age = \"119s\"", "at least \"2m\""),
        ("max_age = \"1h\"", "max_age = \"0s\"", "at least \"2m\""),
        ("max_age = \"1h\"", "max_age = \"1h\"\naccess = \"optional\"", "has no meaning"),
        ("authorities = [\"a\"]", "authorities = [\"\"]", "names of authorities"),
        ("authorities = [\"a\"]", "authorities = [\" a\"]", "names of authorities"),
        ("authorities = [\"a\"]", "authorities = [\"a\"]\naccess = \"public\"", "has no meaning"),
        ("assurance = \"high\"", "assurance = \"low\"", "is less than service.assurance"),
        ("assurance = \"substantial\"", "assurance = \"low\"", "no login has less"),
        ("require = [\"adult\"]", "require = [\"grown_up\"]", "adult, pesel"),
        ("require = [\"pesel\"]", "require = [\"pesel\"]\naccess = \"public\"", "has no meaning"),
    ] {
        let route = "[[route]]\npath = \"/tax\"\nupstream = \"portal\"\n";
        let (status, said) = check(&format!("{route}{good}\n"), "");
        assert_eq!(status, Some(0), "{good}: {said}");
        let (status, said) = check(&format!("{route}{bad}\n"), "");
        assert_eq!(status, Some(1), "{bad}: {said}");
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let route = "[[route]]\npath = \"/tax\"\nupstream = \"portal\"\nrequire = [\"adult\"]\n";
    let (status, said) = check(route, without_birthdate);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("add \"birthdate\" to service.required_attributes"), "{said}");
    let asked = format!("{without_birthdate}\noptional_attributes = [\"birthdate\"]");
    assert_eq!(check(route, &asked).0, Some(0));
}

#[test]
fn check_warns_of_a_rule_that_forgets_head_or_asks_for_nothing() {
    let route = "[[route]]\npath = \"/tax\"\nupstream = \"portal\"\n";
    let public = "[[route]]\npath = \"/news\"\nupstream = \"portal\"\naccess = \"public\"\n";
    let folder = folder(&format!(
        "{GOOD}{route}methods = [\"GET\"]\nmax_age = \"8h\"\noutlives_session = true\n\
         upgrade = [\"own/1\"]\n{public}outlives_session = true\n"
    ));
    let output = brama("check", folder.path(), &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["GET without HEAD", "not shorter than session.absolute", "belongs to no session"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn check_knows_at_which_hosts_citizens_can_sign_in() {
    let route = "[[route]]\nhost = \"library.example.org\"\npath = \"/\"\nupstream = \"portal\"\n";
    let others = |urls: &str| {
        GOOD.replace("state_directory", &format!("other_urls = [{urls}]\nstate_directory"))
    };
    let library = others("\"https://library.example.org\"");
    for (text, status, part) in [
        (format!("{GOOD}{route}"), 1, "add its address to portal.other_urls"),
        (format!("{GOOD}{route}access = \"optional\"\n"), 1, "route[1].host"),
        (format!("{GOOD}{route}access = \"public\"\n"), 0, "usable"),
        (format!("{library}{route}"), 0, "usable"),
        (library.clone(), 0, "no route is for the host library.example.org"),
        (others("\"https://portal.example.gov.pl:1\""), 1, "portal.other_urls[0]"),
    ] {
        let folder = folder(&text);
        let output = brama("check", folder.path(), &[]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let folder = folder(&format!("{library}{route}"));
    let (_, said) = explained(folder.path(), &["GET", "https://library.example.org/book"]);
    let said = said.to_string();
    for part in ["303", "https://portal.example.gov.pl", "https://library.example.org/book"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn explain_policy_says_what_a_gateway_would_do() {
    let folder = folder(&format!("{GOOD}{RULES}"));
    let adult = ["--birthdate", "1984-05-14", "--authority", "pz.gov.pl"];
    let with = |more: &'static [&'static str]| [&adult[..], more].concat();
    let at = ["--at", "2031-06-01T12:00:00Z"];
    let not_taken = Some("request.method_not_allowed");
    let not_taken = (1, "refused", None, Some((405, "request.method_not_allowed")), not_taken);
    for (method, url, arguments, expected) in [
        // Whatever the rules say, and also at the gateway's own places.
        ("TRACE", "/news/1", vec!["--level", "high"], not_taken),
        ("CONNECT", "/tax", vec!["--level", "high"], not_taken),
        ("TRACE", "/old", vec![], not_taken),
        ("TRACE", "/.brama/logout", vec![], not_taken),
        ("GET", "/news/1", vec![], (0, "pass", Some(1), None, None)),
        (
            "POST",
            "/news/1",
            vec![],
            (
                1,
                "login",
                Some(2),
                Some((401, "request.form_without_session")),
                Some("login_required"),
            ),
        ),
        ("POST", "/news/1", vec!["--level", "high"], (0, "pass", Some(2), None, None)),
        (
            "POST",
            "/news/1",
            vec!["--level", "high", "--age", "601s"],
            (
                1,
                "step_up",
                Some(2),
                Some((401, "request.form_without_session")),
                Some("step_up_required"),
            ),
        ),
        (
            "POST",
            "/news/1",
            vec!["--level", "high", "--age", "10m"],
            (0, "pass", Some(2), None, None),
        ),
        (
            "DELETE",
            "/news/1",
            vec!["--level", "high"],
            (
                1,
                "no_method",
                None,
                Some((405, "request.method_not_allowed")),
                Some("request.method_not_allowed"),
            ),
        ),
        ("GET", "/pay", vec![], (1, "login", Some(3), Some((200, "")), Some("login_required"))),
        ("GET", "/pay", with(&[]), (0, "pass", Some(3), None, None)),
        (
            "GET",
            "/pay",
            with(&["--no-pesel"]),
            (1, "refuse", Some(3), Some((403, "policy.no_pesel")), Some("policy.no_pesel")),
        ),
        (
            "GET",
            "/pay",
            with(&["--level", "low"]),
            (1, "step_up", Some(3), Some((200, "")), Some("step_up_required")),
        ),
        (
            "GET",
            "/pay",
            vec!["--birthdate", "2013-06-02", "--authority", "pz.gov.pl"],
            (1, "refuse", Some(3), Some((403, "policy.not_adult")), Some("policy.not_adult")),
        ),
        (
            "GET",
            "/pay",
            vec!["--birthdate", "2013-06-01", "--authority", "pz.gov.pl"],
            (0, "pass", Some(3), None, None),
        ),
        (
            "GET",
            "/pay",
            vec!["--birthdate", "1984-05-14", "--authority", "bank.example"],
            (
                1,
                "refuse",
                Some(3),
                Some((403, "policy.way_not_allowed")),
                Some("policy.way_not_allowed"),
            ),
        ),
        (
            "GET",
            "https://PORTAL.example.gov.pl/payment",
            with(&[]),
            (0, "pass", Some(0), None, None),
        ),
        ("GET", "https://portal.example.gov.pl/old/x?y", vec![], (0, "pass", Some(4), None, None)),
        ("GET", "http://other.example.gov.pl/pay", vec![], (0, "pass", Some(5), None, None)),
        (
            "GET",
            "/work/x",
            vec!["--level", "high"],
            (1, "closed", Some(6), Some((503, "request.maintenance")), Some("request.maintenance")),
        ),
        (
            "GET",
            "https://evil.example/",
            vec![],
            (1, "deny", None, Some((404, "request.no_route")), Some("request.no_route")),
        ),
        ("GET", "/.brama/session", vec![], (1, "own_place", None, None, None)),
        (
            "GET",
            "/news/..;/pay",
            vec![],
            (
                1,
                "refused",
                None,
                Some((400, "request.ambiguous_path")),
                Some("request.ambiguous_path"),
            ),
        ),
    ] {
        let (status, verdict, route, navigation, fetch) = expected;
        let arguments = [&[method, url], &arguments[..], &at].concat();
        let (code, said) = explained(folder.path(), &arguments);
        let told = |name: &str, field: &str| said[name][field].clone();
        assert_eq!(code, Some(status), "{arguments:?} {said}");
        assert_eq!(said["verdict"], verdict, "{arguments:?} {said}");
        assert_eq!(said["route"].as_u64(), route, "{arguments:?} {said}");
        if let Some((status, reason)) = navigation {
            assert_eq!(told("navigation", "status"), status, "{arguments:?} {said}");
            let found = told("navigation", "code");
            assert_eq!(found.as_str().unwrap_or_default(), reason, "{arguments:?} {said}");
        }
        assert_eq!(told("fetch", "code").as_str(), fetch, "{arguments:?} {said}");
    }
}

#[test]
fn explain_policy_says_which_rules_matched_and_why_they_lost() {
    let folder = folder(&format!("{GOOD}{RULES}"));
    let said = explained(folder.path(), &["HEAD", "/news/1"]).1;
    let rules = said["rules"].as_array().unwrap().iter();
    let found: Vec<_> = rules
        .map(|rule| (rule["route"].as_u64().unwrap(), rule["standing"].as_str().unwrap()))
        .collect();
    for expected in [
        (0, "shorter_path"),
        (1, "decides"),
        (2, "other_method"),
        (3, "other_path"),
        (5, "other_host"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not in {found:?}");
    }
    assert_eq!(found.len(), 7);

    let arguments = ["POST", "/news/1", "--level", "low", "--age", "20m"];
    let output = brama("explain-policy", folder.path(), &arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "POST /news/1 on portal.example.gov.pl",
        "signed in: somebody at the level low, 20m ago",
        "verdict: STEP_UP",
        "the level is low, and the rule asks for high; the login is 20m old, and may be 10m",
        "form of a page of this host: 200 kept for that browser, up to 1048576 bytes; a page that \
         takes the citizen, who must identify anew to the node for the level high, and from there \
         back to /.brama/form, which asks whether to send it",
        "form of anybody else: 401 request.form_without_session",
        "fetch: 401 step_up_required",
        "error=\"insufficient_user_authentication\"",
        "max_age=\"600\"",
        "route[2] portal.example.gov.pl/news, POST: login at the level high or higher, at most 10m",
        "is for other methods",
        "a longer path is more specific",
        "others, for other paths or hosts: 4",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn explain_policy_says_of_a_form_what_becomes_of_it() {
    let off = format!("{GOOD}[session]\nkeep_forms = \"0 B\"\n{RULES}");
    let (kept, off) = (folder(&format!("{GOOD}{RULES}")), folder(&off));
    let form = |folder: &Path, method: &str, path: &str| {
        explained(folder, &[method, path]).1["form"].clone()
    };
    let said = form(kept.path(), "POST", "/news/1");
    assert_eq!((&said["status"], &said["code"]), (&200.into(), &Value::Null), "{said}");
    assert!(said["what"].as_str().unwrap().starts_with("kept for that browser, up to"), "{said}");
    // What is not kept is not said to be.
    for (folder, method, path) in [
        (off.path(), "POST", "/news/1"),
        (kept.path(), "GET", "/pay"),
        (kept.path(), "PUT", "/pay"),
        (kept.path(), "POST", "/.brama/session"),
    ] {
        assert_eq!(form(folder, method, path), Value::Null, "{method} {path}");
    }
}

#[test]
fn explain_policy_called_wrongly_says_so_with_status_2() {
    let good = folder(GOOD);
    for arguments in [
        vec![],
        vec!["GET"],
        vec!["G ET", "/"],
        vec!["", "/"],
        vec!["GET", "portal"],
        vec!["GET", "ftp://portal.example/"],
        vec!["GET", "https:///x"],
        vec!["GET", "/a b"],
        vec!["GET", "/a#b"],
        vec!["GET", "/", "--level", "highest"],
        vec!["GET", "/", "--age", "old"],
        vec!["GET", "/", "--age", "-5m"],
        vec!["GET", "/", "--birthdate", "14.05.1984"],
        vec!["GET", "/", "--at", "today"],
        vec!["GET", "/", "--session", "x"],
    ] {
        let output = brama("explain-policy", good.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    let wrong = folder(&GOOD.replace("path = \"/\"", "path = \"tax\""));
    let output = brama("explain-policy", wrong.path(), &["GET", "/"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("route[0].path"));
}

/// What `check` says of the usable configuration after an edit, with variables of the environment.
fn checked(edit: &[(&str, &str)], more: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let text = edit.iter().fold(GOOD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    // As few connections as the descriptors of any machine suffice for.
    let text = text.replacen("[listen]\n", "[listen]\nmax_connections = 50\n", 1);
    let folder = folder(&format!("{text}{more}"));
    let mut brama = Command::new(env!("CARGO_BIN_EXE_brama"));
    brama.args(["check", "--config"]).arg(folder.path().join("brama.toml"));
    // Variables of the tests are none of a gateway.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BRAMA_") {
            brama.env_remove(name);
        }
    }
    let output = brama.envs(variables.iter().copied()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn check_tells_what_opens_more_than_was_meant() {
    let other = "[[upstream]]\nname = \"other\"\nurl = \"http://127.0.0.1:3001\"\n";
    let route = |path: &str, more: &str| {
        let upstream = if more.contains("upstream") { "" } else { "upstream = \"portal\"\n" };
        format!("{other}[[route]]\npath = \"{path}\"\n{upstream}{more}\n")
    };
    let portal = "url = \"http://127.0.0.1:3000\"\n";
    let ignores = (portal, "url = \"http://127.0.0.1:3000\"\nignores_case = true\n");
    let public = "access = \"public\"";
    let none = &[][..];
    for (edit, more, variables, status, expected) in [
        // Paths.
        (none, route("/admin/*", public), none, 1, Some("write \"/admin\"")),
        (none, route("/admin", public), none, 0, None),
        // Doors.
        (
            none,
            route("/old", &format!("{public}\nstrip_prefix = \"/old\"")),
            none,
            0,
            Some("is a second door"),
        ),
        (
            none,
            route("/old", &format!("{public}\nstrip_prefix = \"/old\"\nupstream = \"other\"")),
            none,
            0,
            None,
        ),
        (
            none,
            route("/", &format!("{public}\nhost = \"news.example\"")),
            none,
            0,
            Some("is a second door"),
        ),
        (none, route("/pay", "assurance = \"high\""), none, 0, Some("is more open than route[1]")),
        // Case.
        (
            &[ignores],
            route("/A", public) + &route("/a", public).replace(other, ""),
            none,
            1,
            Some("differs only in case"),
        ),
        (
            &[ignores],
            route("/a", "methods = [\"GET\", \"HEAD\"]")
                + "[[route]]\npath = \"/a\"\nupstream = \"other\"\nmethods = [\"POST\"]\n",
            none,
            1,
            Some("ignores case and the other to one that does not"),
        ),
        (
            &[ignores],
            route("/A", "upstream = \"other\"")
                + "[[route]]\npath = \"/a\"\nupstream = \"other\"\n",
            none,
            0,
            None,
        ),
        (none, route("/A", public) + &route("/a", public).replace(other, ""), none, 0, None),
        // Ourselves.
        (
            &[("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:3000\"")],
            String::new(),
            none,
            1,
            Some("is operations.listen"),
        ),
        (
            &[("http = \"127.0.0.1:0\"", "http = \"127.0.0.1:3000\"")],
            String::new(),
            none,
            1,
            Some("is listen.http"),
        ),
        // Everybody.
        (
            &[("[listen]\n", "[listen]\ntrusted_proxies = [\"0.0.0.0/1\", \"128.0.0.0/1\"]\n")],
            String::new(),
            none,
            0,
            Some("half of all addresses"),
        ),
        (
            &[("[listen]\n", "maintenance_allow = [\"127.0.0.1\"]\n[listen]\n")],
            String::new(),
            none,
            0,
            Some("everybody seems to come"),
        ),
        (
            &[("[listen]\n", "maintenance_allow = [\"10.0.0.0/8\"]\n[listen]\n")],
            String::new(),
            none,
            0,
            None,
        ),
        // Caches.
        (
            none,
            route("/tax", "response_headers.set = [\"Cache-Control: public\"]"),
            none,
            0,
            Some("one citizen's answer to others"),
        ),
        (
            none,
            route("/tax", &format!("{public}\nresponse_headers.set = [\"Cache-Control: public\"]")),
            none,
            0,
            None,
        ),
        // Names and variables.
        (
            &[("example.gov.pl\"\nstate", "example.gov.pl.\"\nstate")],
            String::new(),
            none,
            1,
            Some("leave the dot out"),
        ),
        (
            none,
            String::new(),
            &[("BRAMA__ROUTE__0__ACCESS", "public")],
            0,
            Some(
                "environment variable BRAMA__ROUTE__0__ACCESS: route[0].access: is from the environment, and opens /",
            ),
        ),
        (none, String::new(), &[("BRAMA__ROUTE__0__ACCESS", "required")], 0, None),
    ] {
        let (code, said) = checked(edit, &more, variables);
        assert_eq!(code, Some(status), "{more}: {said}");
        match expected {
            Some(part) => assert!(said.contains(part), "{part} is not in\n{more}\n{said}"),
            // Beside that the proxy in front is not named.
            None => assert!(said.contains("0 errors, 1 warning"), "{more}\n{said}"),
        }
    }
}
