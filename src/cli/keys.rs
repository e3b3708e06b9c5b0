//! `brama keys`: the keys that sign identities, and the secret of the pseudonyms, at a running
//! gateway, through its operations listener ([`crate::operations::keys`]). With replicas that share
//! a store, one of them is asked, and what is done is done at all of them.

use std::path::PathBuf;
use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};

use super::operator::{self, Operator};
use super::output::print;
use crate::base::encoding::{base64, from_base64};
use crate::base::private;
use crate::base::secret::Secret;
use crate::identity::claims::PairwiseSecret;

pub(super) type Arguments = operator::Arguments<Act>;

/// What is asked for.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Act {
    /// Lists the keys, one JSON object a line: which one signs, which will and which did.
    List,
    /// Has the next key sign, as soon as every replica publishes it, and makes another one.
    Rotate {
        /// Only the key of this algorithm.
        #[arg(long, value_name = "ALG", value_parser = ["ES256", "EdDSA", "RS256"])]
        algorithm: Option<String>,
    },
    /// Retires a key that leaked: it signs nothing any more, and within 5 s no replica publishes it.
    /// While the store is away that holds at the replica that was asked; it tells the others later.
    Retire {
        /// Its `kid`.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Prints the public keys (JWKS), as they are published.
    Export,
    /// Writes the secret of the pseudonyms into a new file, for its owner only. Whoever has it can
    /// find out the person behind a `sub`.
    Backup {
        /// The file.
        file: PathBuf,
    },
    /// Takes the secret of the pseudonyms from a file, at every replica at once.
    Restore {
        /// The file.
        file: PathBuf,
        /// Must be given: everybody is signed out, and every `sub` is as the file has it.
        #[arg(long, required = true)]
        yes: bool,
    },
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    arguments.run(act)
}

async fn act(operator: &Operator, act: &Act) -> Result<(), String> {
    let post = |path: &'static str, body| operator.ask(Method::POST, path, Some(body));
    match act {
        Act::List => list(&operator.ask(Method::GET, "/keys", None).await?),
        Act::Rotate { algorithm } => {
            let asked = algorithm.as_ref().map_or(json!({}), |name| json!({ "alg": name }));
            list(&post("/keys/rotate", asked).await?);
        }
        Act::Retire { kid } => {
            let said = post("/keys/retire", json!({ "kid": kid })).await?;
            list(&said);
            if let Some(why) = said.get("pending").and_then(Value::as_str) {
                return Err(format!(
                    "retired at the gateway that was asked, which goes on to keep that and to tell \
                     its replicas; until then do not restart it, and retire the key at each of \
                     them, or stop them: {why}"
                ));
            }
        }
        Act::Export => print(operator.ask(Method::GET, "/keys/jwks", None).await?),
        Act::Backup { file } => {
            let said = post("/keys/backup", json!({})).await?;
            let text = said.get("pairwise_secret").and_then(Value::as_str).unwrap_or_default();
            let secret = from_base64(text).map(Secret::new).ok_or("the answer is no secret")?;
            let shown = file.display();
            let is_new = private::write_new(file, secret.expose());
            if !is_new.map_err(|error| format!("{shown}: {error}"))? {
                return Err(format!("{shown} is there already: name a new file"));
            }
            print(format_args!("the secret of the pseudonyms is in {shown}"));
        }
        Act::Restore { file, .. } => {
            let shown = file.display();
            let bytes = private::read(file).map_err(|error| format!("{shown}: {error}"))?;
            let bytes = bytes.ok_or_else(|| format!("{shown} is not there"))?;
            if bytes.len() > MOST {
                return Err(format!("{shown} has more than {MOST} bytes, the most of a secret"));
            }
            let secret = PairwiseSecret::new(bytes)
                .ok_or_else(|| format!("{shown} has fewer than {} bytes", PairwiseSecret::LEAST))?;
            let text = base64(secret.bytes().expose());
            let said = post("/keys/restore", json!({ "pairwise_secret": text })).await?;
            let ended = said.get("ended").and_then(Value::as_u64).unwrap_or_default();
            print(format_args!(
                "the secret of the pseudonyms is replaced, and {ended} sessions are ended: every \
                 sub is another one from now on"
            ));
        }
    }
    Ok(())
}

/// The most bytes of a secret that is brought back: with base64 around it, a request has room for it.
const MOST: usize = 2048;

fn list(said: &Value) {
    for key in said.get("keys").and_then(Value::as_array).into_iter().flatten() {
        print(key);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// One of 64 names begins so: a `kid` is base64url.
    #[test]
    fn a_key_whose_name_begins_with_a_hyphen_is_named_like_any_other() {
        for words in
            [&["retire", "-sAb_9", "-c", "x.toml"][..], &["-c", "x.toml", "retire", "-sAb_9"]]
        {
            let parsed = Program::try_parse_from(std::iter::once(&"keys").chain(words)).unwrap();
            assert!(parsed.arguments.gateway.config.ends_with("x.toml"), "{words:?}");
            assert!(matches!(parsed.arguments.act, Act::Retire { kid } if kid == "-sAb_9"));
        }
        for words in [&["retire"][..], &["retire", "one", "two"], &["list", "-sAb_9"]] {
            let parsed = Program::try_parse_from(std::iter::once(&"keys").chain(words));
            assert!(parsed.is_err(), "{words:?}");
        }
    }
}
