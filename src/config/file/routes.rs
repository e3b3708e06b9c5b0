//! `[[route]]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Assurance, File, HumanDuration, HumanSize, IdentityForm, IdentityHeaders, IdentitySignature,
};
use crate::config::field_order::keep_order;
use crate::gate::protocols::Protocols;

/// Which requests go to which upstream, and who may make them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Route {
    /// Host that the route is for, without a port. Left out, it is the host of
    /// `portal.public_url`. International names may be written in their own letters.
    #[schemars(example = &"portal.example.gov.pl")]
    pub host: Option<String>,
    /// Beginning of the paths that the route is for: it covers itself and everything below it.
    ///
    /// There are no patterns. Letters that a request has percent-encoded are written so here too.
    pub path: String,
    /// Methods that the route is for; left out, all of them.
    ///
    /// Exactly those: name `HEAD` beside `GET`. Other methods need a route of their own with the
    /// same path; routes with a shorter path are not looked at.
    #[schemars(example = vec!["GET", "HEAD"])]
    pub methods: Option<Vec<String>>,
    /// Name of the upstream that the requests go to. Required, unless the route redirects or
    /// responds, or a proxy in front that asks at a `[[companion]]` hands its requests on.
    #[schemars(example = &"portal")]
    pub upstream: Option<String>,
    /// Clients that may make the requests.
    pub access: Access,
    /// Assurance that this route needs, when it is more than `service.assurance`. Less is an error:
    /// no login has less.
    ///
    /// A citizen who signed in with less is sent to the node again.
    #[schemars(example = Assurance::High)]
    pub assurance: Option<Assurance>,
    /// How long ago the citizen may have proved who they are. A citizen who did so earlier is sent
    /// to the node to do it anew, and comes back to the same page.
    ///
    /// At least a minute more than `service.clock_skew`.
    #[schemars(example = &"10m")]
    pub max_age: Option<HumanDuration>,
    /// Ways to sign in that are taken here, as the node names them (`AuthenticatingAuthority`).
    ///
    /// All by default. A citizen who came by another one sees a page that offers to sign in again.
    #[schemars(example = vec!["pz.gov.pl"])]
    pub authorities: Vec<String>,
    /// What must be so of the citizen. A citizen of whom it is not so gets 403 and is not sent to
    /// the node.
    #[schemars(example = vec![Requirement::Adult, Requirement::Pesel])]
    pub require: Vec<Requirement>,
    /// Audience in the identity token. Left out, it is the name of the upstream; required where
    /// there is none and a proxy in front hands the requests on.
    #[schemars(example = &"portal")]
    pub audience: Option<String>,
    /// How the identity token is signed. Routes with the same audience have the same.
    pub token_algorithm: TokenAlgorithm,
    /// Personal data that the upstream gets in the identity token, beside its own subject number.
    ///
    /// None by default. Name only what the backend needs.
    #[schemars(example = vec!["given_name", "family_name"])]
    pub claims: Vec<Claim>,
    /// Forms in which the upstream is told who the citizen is; nothing is told with `[]`.
    #[schemars(example = vec![IdentityForm::Assertion, IdentityForm::Headers])]
    pub identity: Vec<IdentityForm>,
    /// File with the public key of the backend that alone can read the token of `"jwe"`: EC on
    /// P-256 or P-384, in PEM, or its certificate.
    #[schemars(example = &"identity/backend.pem")]
    pub identity_jwe_key_file: Option<PathBuf>,
    /// Beginning of the path that is taken off before the request goes on.
    ///
    /// `path` must begin with it. It is told to the upstream as `X-Forwarded-Prefix`.
    #[schemars(example = &"/tax")]
    pub strip_prefix: Option<String>,
    /// Path that is put before what is left.
    #[schemars(example = &"/app")]
    pub add_prefix: Option<String>,
    /// Spellings that are taken in paths of this route, although servers read them in more than one
    /// way. Everywhere else they get 400.
    ///
    /// The upstream gets them as they came. What could be read as a path for another route is
    /// refused all the same, and it is an error when a route below this one lets others pass.
    #[schemars(example = vec![LenientPath::EncodedSlash])]
    pub lenient_paths: Vec<LenientPath>,
    /// Whether addresses in the headers of answers become those that clients know.
    ///
    /// The prefixes above are mapped back in `Location`, `Content-Location`, `Refresh` and the
    /// `Path` of `Set-Cookie`, and a `Location` to the upstream's own address leads to the public
    /// one. A path that begins with `strip_prefix` already stays as it is.
    pub rewrite_responses: bool,
    /// `Host` that the upstream sees: `"preserve"` for that of the request, `"upstream"` for that
    /// of its own address, or a name of your choice.
    pub host_header: String,
    /// Time until the head of the answer must be there, in place of that of the upstream.
    #[schemars(example = &"5m")]
    pub response_timeout: Option<HumanDuration>,
    /// Time for which nothing may come in either direction, in place of that of the upstream.
    #[schemars(example = &"1h")]
    pub idle_timeout: Option<HumanDuration>,
    /// Most bytes of a request's body, in place of what holds for the listener.
    #[schemars(example = &"100 MiB")]
    pub max_body: Option<HumanSize>,
    /// Protocols that a connection may change to (`Upgrade`); none with `[]`.
    ///
    /// What is not named is not asked for: the request goes on without it. HTTP cannot be named,
    /// because each request must be judged.
    pub upgrade: Vec<String>,
    /// Origins of other sites whose pages may open such a connection, where it matters who comes.
    ///
    /// Pages of the same host always may, and programs that send no `Origin`. Others get 403: a
    /// browser sends the cookie of the session with a WebSocket that a page of a sibling host opens.
    #[schemars(example = vec!["https://app.example.gov.pl"])]
    pub upgrade_origins: Vec<String>,
    /// Whether a CORS preflight passes without a session, in nobody's name.
    ///
    /// Browsers ask so before a page of another site makes a request, and send no cookies with it:
    /// `OPTIONS` without a body, with one `Origin` and one `Access-Control-Request-Method`. It is
    /// for requests with the methods of this route; `OPTIONS` need not be among them. The upstream
    /// answers.
    pub cors_preflight: bool,
    /// Whether answers that are still on their way when the session ends go on to their end.
    ///
    /// By default downloads, event streams and uploads end within a second of the session in whose
    /// name they were begun; for long downloads that may outlast `session.idle`. A policy that
    /// changes ends them all the same, and WebSockets always end with their session.
    pub outlives_session: bool,
    /// Whether the route is closed: citizens see a page that says so, programs get 503.
    pub maintenance: bool,
    /// Redirect, in place of an upstream. A client that may not pass is not redirected.
    pub redirect: Redirect,
    /// Fixed answer, in place of an upstream. A client that may not pass does not get it.
    pub respond: Respond,
    /// Plain headers that tell an identity, when `identity` names `"headers"`.
    ///
    /// Whoever reaches the portal past the gateway can write them too. What is not in `claims` is
    /// empty.
    pub identity_headers: IdentityHeaders,
    /// A signature of each request, when `identity` names `"signature"`.
    ///
    /// It covers method, host, path, query, `Content-Digest` when there is one, and every header
    /// that tells an identity.
    pub identity_signature: IdentitySignature,
    /// Changes to the headers of requests, on their way to the upstream.
    pub request_headers: Headers,
    /// Changes to the headers of answers, on their way to the client.
    pub response_headers: Headers,
}

impl Route {
    /// Tells whether it is answered here: it redirects, or responds.
    pub(in crate::config) fn is_answered_here(&self) -> bool {
        self.redirect.to.is_some() || self.respond.status.is_some()
    }

    /// Tells whether the proxy in front that asks hands its requests on, where there are such.
    pub(in crate::config) fn is_permitted(&self, file: &File) -> bool {
        self.upstream.is_none() && !self.is_answered_here() && !file.companion.is_empty()
    }
}

impl Default for Route {
    fn default() -> Self {
        Self {
            host: None,
            path: "/".to_owned(),
            methods: None,
            upstream: None,
            access: Access::Required,
            assurance: None,
            max_age: None,
            authorities: Vec::new(),
            require: Vec::new(),
            audience: None,
            token_algorithm: TokenAlgorithm::Es256,
            claims: Vec::new(),
            identity: vec![IdentityForm::Assertion],
            identity_jwe_key_file: None,
            strip_prefix: None,
            add_prefix: None,
            lenient_paths: Vec::new(),
            rewrite_responses: true,
            host_header: "preserve".to_owned(),
            response_timeout: None,
            idle_timeout: None,
            max_body: None,
            upgrade: Protocols::default().names().to_vec(),
            upgrade_origins: Vec::new(),
            cors_preflight: false,
            outlives_session: false,
            maintenance: false,
            redirect: Redirect::default(),
            respond: Respond::default(),
            identity_headers: IdentityHeaders::default(),
            identity_signature: IdentitySignature::default(),
            request_headers: Headers::default(),
            response_headers: Headers::default(),
        }
    }
}

/// Where a client is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Redirect {
    /// Address. `{host}` stands for the host of the request, with the port of `portal.public_url`
    /// or `portal.other_urls` where the scheme is the same, and never with one that the client
    /// wrote; `{path}` for its path after `strip_prefix` and `add_prefix`, `{query}` for its query.
    #[schemars(example = &"https://new.example.gov.pl{path}?{query}")]
    pub to: Option<String>,
    /// Status: 301 and 308 are for ever, 302, 303 and 307 for now.
    pub status: u16,
}

impl Default for Redirect {
    fn default() -> Self {
        Self { to: None, status: 302 }
    }
}

/// The `[route.respond]` table: a fixed answer, given when `status` is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Respond {
    /// Status code of the answer.
    #[schemars(example = 410)]
    pub status: Option<u16>,
    /// Type of the text.
    pub content_type: String,
    /// Text, at most 64 KiB.
    pub body: String,
}

impl Default for Respond {
    fn default() -> Self {
        Self {
            status: None,
            content_type: "text/plain; charset=utf-8".to_owned(),
            body: String::new(),
        }
    }
}

/// Changes to headers: removed first, then set, then added.
///
/// Identity headers, cookies, `Host`, and what frames a message cannot be changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Headers {
    /// Headers in place of those that are there, each as `"Name: value"`.
    #[schemars(example = vec!["X-Frame-Options: DENY"])]
    pub set: Vec<String>,
    /// Headers beside those that are there.
    #[schemars(example = vec!["Vary: Accept-Language"])]
    pub add: Vec<String>,
    /// Names of headers that are taken away.
    #[schemars(example = vec!["X-Powered-By"])]
    pub remove: Vec<String>,
}

/// Clients that may make a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Anybody; the upstream is never told who it is.
    Public,
    /// Anybody; the upstream is told who it is if they are signed in.
    Optional,
    /// Only citizens who are signed in; others are sent to the node.
    Required,
}

/// What must be so of a citizen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// 18 years old or older, by the date of birth, today in Poland.
    Adult,
    /// Has a PESEL number.
    Pesel,
}

/// A spelling of paths that servers read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LenientPath {
    /// `%2F`, in names that have a slash (GitLab, npm, RabbitMQ).
    EncodedSlash,
    /// `//`, but not at the beginning.
    EmptySegment,
    /// `%3B`, in names that have a semicolon.
    EncodedSemicolon,
    /// Encoded bytes that are not UTF-8, as in old links (cp1250, ISO 8859-2).
    NotUtf8,
}

/// How an identity token is signed (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TokenAlgorithm {
    /// ECDSA on P-256, which every library verifies.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA with SHA-256, for backends that verify nothing else. Signing takes longer.
    #[serde(rename = "RS256")]
    Rs256,
}

/// Personal data in an identity token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// First names.
    GivenName,
    /// Surname.
    FamilyName,
    /// Date of birth.
    Birthdate,
    /// The PESEL number.
    Pesel,
}
