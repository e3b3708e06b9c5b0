//! `[[operations.operators]]`, and the token of `admin`.

use std::collections::BTreeSet;
use std::path::Path;

use super::context::Context;
use crate::base::encoding::sha256;
use crate::base::secret::Secret;
use crate::config::file::OperatorRole;
use crate::operations::operators::{CertificateName, FIRST, Operator, Role};

/// Reads all tokens. Whoever has one is one operator.
pub(super) fn resolve(context: &mut Context<'_>) -> Vec<Operator> {
    let file = &context.file().operations;
    let mut found = Found::default();
    let first = key!(operations.admin_token_file);
    if let Some(path) = file.admin_token_file.as_deref()
        && let Some(token) = token(context, first, path)
    {
        let (name, role, token) = (FIRST.to_owned(), Role::Write, Some(token));
        let token_file = Some(context.resolve(path));
        let operator = Operator { name, role, token, token_file, certificate_name: None };
        found.add(context, (first, first), first, operator);
    }
    for (number, one) in file.operators.iter().enumerate() {
        let key = |name: &str| format!("operations.operators[{number}].{name}");
        let (name_key, token_key) = (key("name"), key("token_file"));
        let advice = "give who it is, such as \"anna.nowak\"";
        let name = context.required(&name_key, one.name.as_deref(), advice);
        if one.token_file.is_none() && one.certificate_name.is_none() {
            context.error(&token_key, "is missing, and so is certificate_name", HOW_TO);
            continue;
        }
        let path = one.token_file.as_deref();
        let token = path.and_then(|path| token(context, &token_key, path));
        if one.certificate_name.is_some() && file.client_ca_file.is_none() {
            context.error(
                &key("certificate_name"),
                "has no meaning while no certificate of an operator is believed",
                "give operations.client_ca_file, the authorities of these certificates",
            );
        }
        let certificate_name = one.certificate_name.as_deref().map(|name| {
            let parsed = CertificateName::parse(name);
            if parsed.is_none() {
                let what = "is no name of DNS, no e-mail address and no URI";
                context.error(&key("certificate_name"), what, "give it as the certificate has it");
            }
            parsed
        });
        let Some(name) = name else { continue };
        if !is_name(name) {
            let what = "is no name of at most 64 letters of ASCII, digits, '.', '-', '_' and '@'";
            context.error(&name_key, what, advice);
            continue;
        }
        if name == FIRST {
            let what = "is the name of whoever has the token of operations.admin_token_file";
            context.error(&name_key, what, "give another name");
            continue;
        }
        let role = match one.role {
            OperatorRole::Read => Role::Read,
            OperatorRole::Write => Role::Write,
        };
        if token.is_none() && path.is_some() {
            continue;
        }
        let Some(certificate_name) = certificate_name.map_or(Some(None), |name| name.map(Some))
        else {
            continue;
        };
        let token_file = path.map(|path| context.resolve(path));
        let operator =
            Operator { name: name.to_owned(), role, token, token_file, certificate_name };
        found.add(context, (&name_key, &token_key), &key("certificate_name"), operator);
    }
    found.all
}

/// Operators so far, each with where its token is named.
#[derive(Default)]
struct Found {
    all: Vec<Operator>,
    digests: Vec<([u8; 32], String)>,
}

impl Found {
    fn add(
        &mut self,
        context: &mut Context<'_>,
        (name_key, token_key): (&str, &str),
        certificate_key: &str,
        operator: Operator,
    ) {
        if let Some(token) = &operator.token {
            let digest = sha256(token.expose());
            if let Some((_, other)) = self.digests.iter().find(|(known, _)| *known == digest) {
                let what =
                    format!("is the token of {other} as well, so nobody could tell who asks");
                context.error(token_key, what, HOW_TO);
            }
            self.digests.push((digest, token_key.to_owned()));
        }
        let is_shared = |known: &Operator| {
            operator.certificate_name.is_some()
                && known.certificate_name == operator.certificate_name
        };
        if self.all.iter().any(is_shared) {
            let what = "is the certificate of two operators, so nobody could tell who asks";
            context.error(certificate_key, what, "give each a name of their own");
        }
        if self.all.iter().any(|known| known.name == operator.name) {
            context.error(name_key, "is the name of two operators", "give each its own");
        }
        self.all.push(operator);
    }
}

fn token(context: &mut Context<'_>, key: &str, path: &Path) -> Option<Secret<Vec<u8>>> {
    let token = Secret::new(context.read_secret(key, path)?);
    let line = token.expose().trim_ascii();
    if line.len() < 32 || !line.iter().all(u8::is_ascii_graphic) {
        context.error(key, "is not a line of at least 32 visible characters", HOW_TO);
        return None;
    }
    let different = line.iter().collect::<BTreeSet<_>>().len();
    if different < DIFFERENT {
        let what = format!("has {different} different characters, so it was not drawn at random");
        context.error(key, what, HOW_TO);
        return None;
    }
    Some(Secret::new(line.to_vec()))
}

fn is_name(name: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(may_stand)
}

/// How many different characters a token has at least: of 32 hexadecimal digits that are drawn at
/// random, one in a million has fewer.
const DIFFERENT: usize = 8;
const HOW_TO: &str = "make one with: (umask 077; head -c 32 /dev/urandom | base64 > FILE)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::base::private;
    use crate::config::load::load_text;

    /// Resolves the operators of a configuration whose files have these tokens; tells who there are, and
    /// the problems.
    fn resolved(tokens: &[(&str, &str)], operations: &str) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, token) in tokens {
            private::write(&folder.path().join(name), token.as_bytes()).unwrap();
        }
        let name = folder.path().join("brama.toml");
        let text = format!("[operations]\nclient_ca_file = \"ca.pem\"\n{operations}\n");
        let loaded = load_text(name.to_str().unwrap(), &text, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        let found = resolve(&mut context).into_iter().map(|one| one.name).collect();
        (found, context.problems.to_string())
    }

    #[test]
    fn a_token_is_one_that_was_drawn_at_random() {
        for (token, is_one) in [
            ("hs2Pq0PqB0T3b6m0fJmDqv8yH4wq2oXlFq8bA1uYtXs=\n", true),
            ("0123456789abcdef0123456789abcdef", true),
            ("3f1c9d0e-7a52-4b68-8e31-c4d7a90b2f65", true),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("abcabcabcabcabcabcabcabcabcabcabcabc", false),
            ("12345671234567123456712345671234567", false),
            ("0123456789abcdef0123456789abcde", false),
            ("", false),
        ] {
            let (found, problems) = resolved(&[("t", token)], "admin_token_file = \"t\"");
            assert_eq!(found == ["admin"], is_one, "{token}: {problems}");
            assert_eq!(problems.contains("0 errors"), is_one, "{token}: {problems}");
            assert!(!problems.contains(token.trim_end()) || token.is_empty(), "{problems}");
        }
    }

    #[test]
    fn a_certificate_has_a_name() {
        for (name, is_one) in [
            ("anna.nowak@office.example", true),
            ("spiffe://office.example/anna", true),
            ("anna.office.example", true),
            ("", false),
            ("@", false),
            ("Anna Nowak", false),
        ] {
            let operator =
                format!("[[operations.operators]]\nname = \"anna\"\ncertificate_name = \"{name}\"");
            let (found, problems) = resolved(&[], &operator);
            assert_eq!(found == ["anna"], is_one, "{name}: {problems}");
            assert_eq!(problems.contains("certificate_name: is no name"), !is_one, "{problems}");
        }
    }

    #[test]
    fn a_pipe_in_the_place_of_a_token_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
        let key = format!("admin_token_file = {pipe:?}");
        let (found, problems) = resolved(&[], &key);
        assert!(found.is_empty() && problems.contains("it is no file"), "{problems}");
    }
}
