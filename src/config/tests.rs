//! The file, the environment and the messages together.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use http::HeaderValue;

use super::{
    bounds::{MAX_FILE, MAX_PROBLEMS},
    file::{Access, Assurance, Claim, Environment, File},
    *,
};
use crate::{gateway, server};

#[test]
fn an_empty_file_gives_the_defaults() {
    let loaded = accepted("");
    assert_eq!(loaded.file, File::default());
    assert_eq!(loaded.file.session.idle.get(), Duration::from_secs(900));
    assert_eq!(loaded.file.operations.listen.to_string(), "127.0.0.1:9480");
    assert_eq!(loaded.file.node.max_answer.bytes(), 256 * 1024);
    assert_eq!(loaded.file.service.required_attributes.len(), 4);
}

#[test]
fn what_stands_in_the_doors_too_is_the_same_there() {
    let (portal, limits) = (File::default().portal, File::default().listen);
    let retry = HeaderValue::from(portal.maintenance_retry_after.get().as_secs());
    assert_eq!(gateway::settings::Maintenance::default().retry_after, retry);
    assert_eq!(gateway::settings::Edge::default().max_body, limits.max_body.bytes());
    assert_eq!(gateway::settings::Edge::default().bounds, server::limits::Limits::default().head());
}

#[test]
fn reads_sections_and_entries() {
    let loaded = accepted(
        r#"
        [portal]
        public_url = "https://portal.example.gov.pl"
        [node]
        environment = "integration-private"
        certificates = ["a.pem", "b.pem"]
        [[service.decryption_p12]]
        file = "enc.p12"
        [[upstream]]
        name = "portal"
        [[route]]
        path = "/open"
        access = "public"
        [[route]]
        assurance = "high"
        claims = ["pesel"]
        "#,
    );
    let file = &loaded.file;
    assert_eq!(file.portal.public_url.as_deref(), Some("https://portal.example.gov.pl"));
    assert_eq!(file.node.environment, Environment::IntegrationPrivate);
    assert_eq!(file.node.certificates, [PathBuf::from("a.pem"), PathBuf::from("b.pem")]);
    assert_eq!(file.service.decryption_p12[0].file, Some(PathBuf::from("enc.p12")));
    assert_eq!(file.routes[0].access, Access::Public);
    assert_eq!(file.routes[1].assurance, Some(Assurance::High));
    assert_eq!(file.routes[1].claims, [Claim::Pesel]);
    assert_eq!(file.routes[1].path, "/");
}

#[test]
fn knows_where_each_key_was_written() {
    let text = "[node]\ncertificates = [\n  \"a.pem\",\n  \"b.pem\",\n]\n\n\
                [[route]]\npath = \"/a\"\n[[route]]\n\nhost = \"x\"\n";
    let places = accepted(text).places;
    for (key, place) in [
        ("node", "brama.toml:1"),
        ("node.certificates", "brama.toml:2"),
        ("node.certificates[1]", "brama.toml:4"),
        ("node.issuer", "brama.toml:1"),
        ("route[0].path", "brama.toml:8"),
        ("route[1].host", "brama.toml:11"),
        ("route[1].path", "brama.toml:9"),
        ("portal.public_url", "brama.toml"),
    ] {
        assert_eq!(places.place_of(key).to_string(), place, "{key}");
    }
}

#[test]
fn faults_of_syntax_have_line_and_column() {
    let problems = refused("[portal]\nname = \"a\nprefix = ?\n");
    let told = problems.to_string();
    assert!(told.starts_with("error: brama.toml:2:"), "{told}");
    assert!(problems.iter().all(|problem| !problem.what.contains('\n')), "{told}");
}

#[test]
fn a_key_written_twice_is_refused() {
    let told = refused("[portal]\nname = \"a\"\nname = \"b\"\n").to_string();
    assert!(told.starts_with("error: brama.toml:3:1: "), "{told}");
}

#[test]
fn tells_all_problems_at_once_with_their_lines() {
    let loaded = read(
        "[portal]\nnmae = \"x\"\n\n[session]\nidle = \"soon\"\nmaximum = \"many\"\n\
         [node]\nenvironment = \"prodution\"\n",
    );
    assert_eq!(
        loaded.problems.to_string(),
        "error: brama.toml:2: portal.nmae: there is no such key; did you mean \"name\"?\n\
         error: brama.toml:5: session.idle: \"soon\": not a length of time: \
         failed to parse input in the \"friendly\" duration format: \
         expected duration to start with a unit value (a decimal integer) after an optional sign, \
         but no integer was found; write it like idle = \"15m\"\n\
         error: brama.toml:6: session.maximum: a whole number is expected, not a text in quotes; \
         write it like maximum = 1000000\n\
         error: brama.toml:8: node.environment: \"prodution\" is not one of the values; \
         did you mean \"production\"? it takes symulator, integration, integration-private, \
         production, production-private, custom\n\
         4 errors, 0 warnings"
    );
}

#[test]
fn each_kind_of_mistake_gets_its_advice() {
    for (text, expected) in [
        ("[sesion]\n", ":1: sesion: there is no such section; did you mean \"session\"?"),
        ("wibble = 1\n", ":1: wibble: there is no such section; known here: portal, pages,"),
        (
            "public_url = \"x\"\n",
            ":1: public_url: there is no such section; it belongs in [portal]",
        ),
        (
            "[log]\nissuer = \"x\"\n",
            ":2: log.issuer: there is no such key; it belongs in [node] or",
        ),
        ("[[route]]\nurl = \"x\"\n", ":2: route[0].url: there is no such key; it belongs in [[up"),
        ("[service]\nforce_authn = \"yes\"\n", "true or false is expected, not a text in quotes"),
        ("[service]\nclock_skew = 60\n", "a text in quotes is expected, not a whole number"),
        ("[listen]\nmax_connections = -1\n", "-1 is out of range; write it like max_connections ="),
        ("[listen]\nmax_connections = 1.5\n", "a whole number is expected, not something else"),
        ("[listen]\nhttp = \"8080\"\n", "\"8080\": invalid socket address syntax; write it like"),
        ("[node]\nmax_answer = \"big\"\n", "\"big\": not a size: a number and a unit"),
        (
            "[node]\ncertificates = \"a.pem\"\n",
            "a list is expected, not a text in quotes; write it",
        ),
        (
            "[route]\npath = \"/\"\n",
            ":1: route: a list of tables is expected, not a table; write [[",
        ),
        (
            "[[portal]]\nname = \"x\"\n",
            ":1: portal: a table is expected, not a list; write [portal]",
        ),
        ("portal = [\"Urząd\"]\n", ":1: portal: a table is expected, not a list"),
        ("route = [[\"x\", \"/\"]]\n", ":1: route[0]: a table is expected, not a list"),
        (
            "[node]\nenvironment = { production = {} }\n",
            "a text in quotes is expected, not a table",
        ),
        (
            "portal = 5\n",
            ":1: portal: a table is expected, not a whole number; write [portal] above",
        ),
        ("route = [1]\n", ":1: route[0]: a table is expected, not a whole number"),
        (
            "[listen]\nmax_connections = 99999999999999999999\n",
            ":2: listen.max_connections: the num",
        ),
        (
            "[service]\nassurance = 2\n",
            "a text in quotes is expected, not a whole number; it takes",
        ),
        ("[session]\nidle = \"1 month\"\n", "months and years differ in length"),
        ("[session]\nidle = \"-5m\"\n", "cannot be negative"),
        // One rule for all lists of networks.
        (
            "[portal]\nmaintenance_allow = [\"::1\", \"10.0.0.0/40\"]\n",
            ":2: portal.maintenance_allow[1]: \"10.0.0.0/40\": not a network",
        ),
        (
            "[portal]\nmaintenance_allow = [\"10.20.1.1/16\"]\n",
            "[0]: \"10.20.1.1/16\": not a whole network, which would be 10.20.0.0/16",
        ),
        (
            "[listen]\ntrusted_proxies = [\"10.20.1.1/16\"]\n",
            "[0]: \"10.20.1.1/16\": not a whole network, which would be 10.20.0.0/16",
        ),
        (
            "[listen]\ntrusted_for = [\"address\", \"x-forwarded-host\"]\n",
            ":2: listen.trusted_for[1]: \"x-forwarded-host\" is not one of the values",
        ),
    ] {
        let told = all_problems(text).to_string();
        assert!(told.contains(expected), "{text}\n{told}");
        assert!(told.ends_with("1 error, 0 warnings"), "{text}\n{told}");
    }
}

#[test]
fn every_bad_entry_of_a_list_is_told_and_the_list_is_dropped() {
    let loaded = read(
        "[node]\ncertificates = [\n1,\n\"a.pem\",\nfalse,\n]\n[[route]]\nclaims = [\"PESEL\"]\n",
    );
    let told = loaded.problems.to_string();
    assert!(
        told.contains("brama.toml:3: node.certificates[0]: a text in quotes is expected"),
        "{told}"
    );
    assert!(
        told.contains("brama.toml:5: node.certificates[2]: a text in quotes is expected"),
        "{told}"
    );
    assert!(
        told.contains(
            "route[0].claims[0]: \"PESEL\" is not one of the values; did you mean \"pesel\""
        ),
        "{told}"
    );
    assert!(told.ends_with("3 errors, 0 warnings"), "{told}");
    assert!(loaded.file.node.certificates.is_empty());
    assert!(loaded.was_refused("node.certificates"));
    assert!(loaded.was_refused("route[0].claims"));
    assert_eq!(loaded.file.routes.len(), 1);
}

#[test]
fn a_refused_key_is_known_as_refused_and_its_neighbours_are_kept() {
    let loaded = read("[portal]\npublic_ulr = \"x\"\nname = \"Urząd\"\n[session]\nidle = 5\n");
    assert_eq!(loaded.file.portal.name, "Urząd");
    assert!(loaded.was_refused("session.idle"));
    assert!(loaded.was_refused("portal.public_url"), "it was meant");
    assert!(!loaded.was_refused("session.absolute"));
    assert!(read("portal = 5").was_refused("portal.public_url"));
}

#[test]
fn the_value_of_an_unknown_key_is_not_repeated() {
    let told = all_problems("[service]\nsigning_p12_password = \"hunter2\"\n").to_string();
    assert!(told.contains("did you mean \"signing_p12_password_file\""), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn variables_win_over_the_file() {
    let loaded = accepted_with(
        "[portal]\nname = \"from file\"\n[node]\ncertificates = [\"a.pem\"]\n",
        &[
            ("BRAMA__PORTAL__NAME", "Urząd"),
            ("BRAMA__NODE__CERTIFICATES", "[\"b.pem\", \"c.pem\"]"),
            ("BRAMA__NODE__CERTIFICATES__1", "d.pem"),
            ("BRAMA__NODE__MAX_CONCURRENT", "8"),
            ("BRAMA__NODE__SYSTEM_ROOTS", "false"),
            ("BRAMA__SERVICE__ISSUER", "123"),
            ("BRAMA__SESSION__IDLE", "5m"),
            ("BRAMA__SESSION__ABSOLUTE", "\"1h\""),
            ("PATH", "/bin"),
        ],
    );
    let file = &loaded.file;
    assert_eq!(file.portal.name, "Urząd");
    assert_eq!(file.node.certificates, [PathBuf::from("b.pem"), PathBuf::from("d.pem")]);
    assert_eq!(file.node.max_concurrent, 8);
    assert!(!file.node.system_roots);
    assert_eq!(file.service.issuer.as_deref(), Some("123"));
    assert_eq!(file.session.idle.get().as_secs(), 300);
    assert_eq!(file.session.absolute.get().as_secs(), 3600);
    let place = |key| loaded.places.place_of(key).to_string();
    assert_eq!(place("portal.name"), "environment variable BRAMA__PORTAL__NAME");
    assert_eq!(place("portal.public_url"), "brama.toml:1");
    assert_eq!(place("node.certificates[0]"), "environment variable BRAMA__NODE__CERTIFICATES");
    assert_eq!(place("service.issuer"), "environment variable BRAMA__SERVICE__ISSUER");
}

#[test]
fn variables_change_and_add_entries() {
    let loaded = accepted_with(
        "[[route]]\npath = \"/a\"\n",
        &[
            ("BRAMA__ROUTE__1__UPSTREAM", "other"),
            ("BRAMA__ROUTE__0__PATH", "/b"),
            ("BRAMA__ROUTE__1__PATH", "/c"),
            ("BRAMA__SERVICE__DECRYPTION_P12__0__FILE", "enc.p12"),
            ("BRAMA__UPSTREAM", "[{ name = \"other\" }]"),
        ],
    );
    let paths: Vec<_> = loaded.file.routes.iter().map(|route| route.path.as_str()).collect();
    assert_eq!(paths, ["/b", "/c"]);
    assert_eq!(loaded.file.upstreams[0].name.as_deref(), Some("other"));
    assert_eq!(loaded.file.service.decryption_p12[0].file, Some(PathBuf::from("enc.p12")));
    let place = |key| loaded.places.place_of(key).to_string();
    assert_eq!(place("route[0].path"), "environment variable BRAMA__ROUTE__0__PATH");
    assert_eq!(place("route[0].host"), "brama.toml:1");
    assert_eq!(place("route[1].host"), "environment variable BRAMA__ROUTE__1__PATH");
}

#[test]
fn bad_variables_are_told_by_name() {
    for (name, value, expected) in [
        ("BRAMA__LISTEN__MAX_CONNECTIONS", "many", "listen.max_connections: a whole number is"),
        ("BRAMA__SESSION__IDLE", "soon", "session.idle: \"soon\": not a length of time"),
        ("BRAMA__NODE__ENVIRONMENT", "test", "node.environment: \"test\" is not one of the values"),
        ("BRAMA__NODE__ISUER", "x", "node.isuer: there is no such key; did you mean \"issuer\"?"),
        ("BRAMA__WIBBLE", "x", "wibble: there is no such section"),
        ("BRAMA__WIBBLE__WOBBLE", "x", "wibble: there is no such section"),
        ("BRAMA__PORTAL__NAME__X", "x", "portal.name: a text in quotes is expected, not a table"),
        ("BRAMA__ROUTE__PATH", "/", "route is a list, and \"path\" is no number; write the number"),
        ("BRAMA__ROUTE__7__PATH", "/", "route has 1 entries without it; count on: the next number"),
        ("BRAMA__ROUTE__99999999999999999999__PATH", "/", "is no number"),
        ("BRAMA__portal__name", "x", "not in capital letters; write BRAMA__PORTAL__NAME"),
        ("BRAMA__", "x", "the name is not that of a key"),
        ("BRAMA__PORTAL__", "x", "the name is not that of a key"),
        ("BRAMA__A__A__A__A__A__A__A__A__A", "x", "the name is not that of a key"),
    ] {
        let loaded = read_with("[[route]]\npath = \"/a\"\n", &[(name, value)]);
        let told = loaded.problems.to_string();
        let place = format!("error: environment variable {name}: ");
        assert!(told.starts_with(&place), "{name}\n{told}");
        assert!(told.contains(expected), "{name}\n{told}");
        assert!(told.ends_with("1 error, 0 warnings"), "{name}\n{told}");
    }
}

#[test]
fn a_variable_below_a_broken_section_is_told_too() {
    let loaded = read_with("portal = 5\n", &[("BRAMA__PORTAL__NAME", "x")]);
    let told = loaded.problems.to_string();
    assert!(told.contains("brama.toml:1: portal: a table is expected"), "{told}");
    assert!(
        told.contains("BRAMA__PORTAL__NAME: portal.name: nothing can lie below portal"),
        "{told}"
    );
}

#[test]
fn a_file_is_read_and_its_paths_count_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("brama.toml");
    fs::write(&path, "[listen]\nkey = \"tls/portal.key\"\n").unwrap();

    let loaded = load(&path, std::iter::empty()).unwrap();
    let key = loaded.file.listen.key.clone().unwrap();
    assert_eq!(loaded.resolve(&key), folder.path().join("tls/portal.key"));
    assert_eq!(loaded.resolve(Path::new("/etc/key")), Path::new("/etc/key"));
    assert_eq!(accepted("").resolve(Path::new("key")), Path::new("key"));
}

#[test]
fn a_file_that_is_absent_too_large_or_no_text_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("brama.toml");
    let told = |path: &Path| load(path, std::iter::empty()).unwrap_err().to_string();

    assert!(told(&path).contains("brama.toml: cannot be read: "), "{}", told(&path));
    assert!(told(folder.path()).contains("cannot be read: "));
    fs::write(&path, vec![b'#'; 10 * 1024 * 1024]).unwrap();
    assert!(told(&path).contains("brama.toml: is larger than 1 MiB; "), "{}", told(&path));
    fs::write(&path, b"[portal]\nname = \"\xff\"\n").unwrap();
    assert!(told(&path).contains("brama.toml:2: this is not UTF-8 text; "), "{}", told(&path));
}

#[test]
fn the_size_limit_is_exact() {
    accepted(&"#".repeat(MAX_FILE));
    refused(&"#".repeat(MAX_FILE + 1));
}

#[test]
fn hostile_texts_are_refused_within_bounds() {
    let half = MAX_FILE / 2;
    for text in [
        "[".repeat(half),
        format!("a = {}", "[".repeat(half)),
        format!("{}a = 1", "a.".repeat(half / 2)),
        format!("[{}a]", "a.".repeat(half / 2)),
        format!("a = {}1{}", "[".repeat(60), "]".repeat(60)),
        "a = {".repeat(half / 5),
        "?\n".repeat(half),
        (0..50_000).map(|number| format!("key{number} = 1\n")).collect(),
        format!("[node]\ncertificates = [{}]", "1,".repeat(half / 2)),
        format!("\"{}\" = 1", "x".repeat(half)),
        format!("[session]\nidle = \"{}\"", "1".repeat(half)),
        format!("[node]\nenvironment = \"{}\"", "p".repeat(half)),
        format!("[listen]\nmax_connections = {}", "9".repeat(half)),
    ] {
        let problems = all_problems(&text);
        let told = problems.to_string();
        assert!(problems.has_errors());
        assert!(problems.len() <= MAX_PROBLEMS + 1, "{}", problems.len());
        assert!(told.len() < 64 * 1024, "{}", told.len());
    }
}

#[test]
fn the_reference_reads_back_as_the_defaults() {
    let loaded = accepted(&reference());
    assert_eq!(loaded.file, File::default());
}

#[test]
fn the_reference_reads_back_with_every_example_switched_on() {
    let text: String = reference()
        .lines()
        .map(|line| format!("{}\n", uncommented(line).unwrap_or(line)))
        .collect();
    let loaded = accepted(&text);
    assert_eq!(loaded.file.routes.len(), 1, "{text}");
    assert_eq!(loaded.file.service.decryption_p12.len(), 1);
    assert_eq!(loaded.file.routes[0].upstream, loaded.file.upstreams[0].name);
    assert_eq!(loaded.file.upstreams[0].servers.len(), 1);
    assert_eq!(loaded.file.upstreams[0].health.path.as_deref(), Some("/health"));
}

#[test]
fn the_reference_mentions_every_key_of_the_schema() {
    fn visit(schema: &serde_json::Value, text: &str, name: &str) {
        for (key, field) in schema["properties"].as_object().into_iter().flatten() {
            let name = format!("{name}.{key}");
            let field =
                if field["items"]["properties"].is_object() { &field["items"] } else { field };
            match field["properties"].is_object() {
                true => visit(field, text, &name),
                false => {
                    let mentions = text.lines().any(|line| {
                        uncommented(line).unwrap_or(line).starts_with(&format!("{key} = "))
                    });
                    assert!(mentions, "{name}");
                }
            }
        }
    }
    let text = reference();
    visit(&schema(), &text, "");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

/// Switches on a line of the reference that is a key or a head.
fn uncommented(line: &str) -> Option<&str> {
    let line = line.strip_prefix("# ")?;
    let key = line.split_once(" = ").map_or("?", |(key, _)| key);
    let is_key =
        key.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_');
    (is_key || line.starts_with('[') && line.ends_with(']')).then_some(line)
}

fn read(text: &str) -> Loaded {
    read_with(text, &[])
}

fn read_with(text: &str, environment: &[(&str, &str)]) -> Loaded {
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load_text("brama.toml", text, environment).unwrap()
}

fn accepted(text: &str) -> Loaded {
    accepted_with(text, &[])
}

fn accepted_with(text: &str, environment: &[(&str, &str)]) -> Loaded {
    let loaded = read_with(text, environment);
    assert!(loaded.problems.is_empty(), "{}", loaded.problems);
    loaded
}

fn refused(text: &str) -> Problems {
    load_text("brama.toml", text, std::iter::empty()).unwrap_err()
}

fn all_problems(text: &str) -> Problems {
    load_text("brama.toml", text, std::iter::empty())
        .map_or_else(|problems| problems, |loaded| loaded.problems)
}
