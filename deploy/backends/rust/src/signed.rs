//! Asks that the gateway signed each request, when it is told to (docs/identity.md).

use std::collections::HashMap;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

// --- who it is
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use httpsig::prelude::message_component::HttpMessageComponent;
use httpsig::prelude::{
    AlgorithmName, HttpSignatureBase, HttpSignatureHeaders, HttpSignatureParams, PublicKey,
    SharedKey,
};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use sha2::{Digest as _, Sha256, Sha512};

const LIFETIME: u64 = 300;
const TOLERANCE: u64 = 5;

type Refused = Box<dyn std::error::Error>;

/// What is asked of a signature: it stands in the portal's settings.
pub struct Signed {
    pub algorithm: AlgorithmName,     // of the route
    pub secret_file: String,          // the secret of hmac-sha256, as it is
    pub key_id: String,               // its name
    pub audience: String,             // audience of the route
    pub nonces: HashMap<String, u64>, // of signatures that are still valid, at this process
    pub swept: u64,
}

/// A request as it came.
pub struct Message<'r> {
    pub method: &'r str,
    pub target: &'r str,
    pub headers: Vec<(String, String)>, // names in lower case
    pub body: &'r [u8],
}

impl Message<'_> {
    fn values(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.trim()).collect()
    }

    fn one(&self, name: &str) -> Result<&str, Refused> {
        let [value] = self.values(name)[..] else { return Err(format!("not one {name}").into()) };
        Ok(value)
    }

    /// Returns the line of a component in what was signed (RFC 9421 2.5).
    fn line(&self, id: &str) -> Result<String, Refused> {
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        let value = match id.trim_matches('"') {
            "@method" => self.method.to_owned(),
            "@authority" => {
                let host = self.one("host")?.to_ascii_lowercase();
                host.strip_suffix(":80").unwrap_or(&host).to_owned()
            }
            "@path" => path.to_owned(),
            "@query" => format!("?{query}"),
            name => match &self.values(name)[..] {
                [] => return Err(format!("{name} is not there").into()),
                values => values.join(", "),
            },
        };
        Ok(format!("{id}: {value}"))
    }

    /// Names what must be signed: all that is told, or somebody could tell more than was signed. Add
    /// what else the portal reads, such as `remote-user`.
    fn told(&self) -> impl Iterator<Item = &str> {
        let names = self.headers.iter().map(|(name, _)| &**name);
        let told = names.filter(|name| name.starts_with("x-brama-") || *name == "content-digest");
        ["@method", "@authority", "@path", "@query", "x-brama-audience"].into_iter().chain(told)
    }
}

impl Signed {
    /// Refuses what the gateway did not sign. `find_key` finds one of those of the tokens.
    pub fn verify(
        &mut self,
        message: &Message<'_>,
        find_key: impl FnOnce(&str) -> Result<Jwk, Refused>,
    ) -> Result<(), Refused> {
        let (input, signature) = (message.one("signature-input")?, message.one("signature")?);
        let signatures = HttpSignatureHeaders::try_parse(signature, input)?;
        let [signature] = &signatures.values().collect::<Vec<_>>()[..] else {
            return Err("not one signature".into());
        };
        let said = signature.signature_params();
        let HttpSignatureParams { created: Some(created), expires: Some(expires), .. } = *said
        else {
            return Err("not signed for a time".into());
        };
        let (Some(nonce), Some(id), Some("brama")) =
            (&said.nonce, &said.keyid, said.tag.as_deref())
        else {
            return Err("not a signature of the gateway".into());
        };
        let covered: Vec<_> = said.covered_components.iter().map(ToString::to_string).collect();
        if let Some(name) = message.told().find(|name| !covered.contains(&format!("\"{name}\""))) {
            return Err(format!("{name} was not signed").into());
        }
        let lines = covered
            .iter()
            .map(|id| Ok(HttpMessageComponent::try_from(message.line(id)?.as_str())?));
        let base = HttpSignatureBase::try_new(&lines.collect::<Result<Vec<_>, Refused>>()?, said)?;
        match self.algorithm {
            AlgorithmName::HmacSha256 if *id == self.key_id => {
                let secret = SharedKey::HmacSha256(fs::read(&self.secret_file)?);
                base.verify_signature_headers(&secret, signature)?;
            }
            AlgorithmName::HmacSha256 => return Err("an unknown key".into()),
            _ => base.verify_signature_headers(&self.public_key(&find_key(id)?)?, signature)?,
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let is_over = created.saturating_add(LIFETIME + TOLERANCE) < now || expires < now;
        if created > now + TOLERANCE || is_over {
            return Err("signed at another time".into());
        }
        if message.one("x-brama-audience")? != self.audience {
            return Err("signed for another portal".into());
        }
        // A body is proven where its sender made a digest of it.
        let digests = message.values("content-digest").join(", ");
        if !digests.is_empty() {
            verify_digest(&digests, message.body)?;
        }
        if now > self.swept {
            self.nonces.retain(|_, end| *end >= now);
            self.swept = now; // once a second
        }
        match self.nonces.insert(nonce.clone(), expires) {
            Some(_) => Err("this request was here before".into()),
            None => Ok(()),
        }
    }

    fn public_key(&self, key: &Jwk) -> Result<PublicKey, Refused> {
        let bytes = match &key.algorithm {
            AlgorithmParameters::EllipticCurve(key) => {
                let [x, y] = [&key.x, &key.y].map(|part| URL_SAFE_NO_PAD.decode(part));
                [vec![4], x?, y?].concat()
            }
            AlgorithmParameters::OctetKeyPair(key) => URL_SAFE_NO_PAD.decode(&key.x)?,
            _ => return Err("a key of another kind".into()),
        };
        Ok(PublicKey::from_bytes(&self.algorithm, &bytes)?)
    }
}

/// Compares the body with each digest that is known (RFC 9530).
fn verify_digest(field: &str, body: &[u8]) -> Result<(), Refused> {
    let mut is_known = false;
    for digest in field.split(", ") {
        let expected = match digest.split_once("=:") {
            Some(("sha-256", _)) => Sha256::digest(body).to_vec(),
            Some(("sha-512", _)) => Sha512::digest(body).to_vec(),
            _ => continue,
        };
        let (name, _) = digest.split_once('=').unwrap_or_default();
        if digest != format!("{name}=:{}:", STANDARD.encode(expected)) {
            return Err("another body".into());
        }
        is_known = true;
    }
    if is_known { Ok(()) } else { Err("a digest that nobody knows".into()) }
}
// --- end
