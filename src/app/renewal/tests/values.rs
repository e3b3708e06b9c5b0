//! Another value of each key whose kind says too little of it: texts, lists, and what goes with
//! something else.

/// A change of one key.
#[derive(Clone)]
pub(super) struct Row {
    path: String,
    value: String,
    given: &'static [(&'static str, &'static str)],
    with: &'static [(&'static str, &'static str)],
    is_judged: bool,
}

impl Row {
    /// Gives a key another value, written as in the file.
    pub(super) fn new(path: &str, value: &str) -> Self {
        let (path, value) = (path.to_owned(), value.to_owned());
        Self { path, value, given: &[], with: &[], is_judged: false }
    }

    /// Both configurations have these too.
    fn given(self, given: &'static [(&'static str, &'static str)]) -> Self {
        Self { given, ..self }
    }

    /// The new configuration has these too, without which the value could not be.
    fn with(self, with: &'static [(&'static str, &'static str)]) -> Self {
        Self { with, ..self }
    }

    /// The key says how files are judged, and nothing of it is left in the settings.
    fn judged(self) -> Self {
        Self { is_judged: true, ..self }
    }

    /// Returns the name of the key, without numbers of entries.
    pub(super) fn key(&self) -> String {
        let parts = self.path.split('.').map(|part| part.split('[').next().unwrap_or(part));
        parts.collect::<Vec<_>>().join(".")
    }

    /// Returns what both configurations have.
    pub(super) fn settled(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().copied()
    }

    /// Returns what the new one has.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&str, &str)> {
        [(&*self.path, &*self.value)].into_iter().chain(self.with.iter().copied())
    }

    /// Tells whether only the judgement of files is another one.
    pub(super) fn is_judged(&self) -> bool {
        self.is_judged
    }
}

const REDIS: &[(&str, &str)] = &[
    ("store.kind", "'redis'"),
    ("store.secret_files", "['secret']"),
    ("store.redis.addresses", "['127.0.0.1:6379']"),
];
pub(super) const REDIS_TLS: &[(&str, &str)] = &[
    ("store.kind", "'redis'"),
    ("store.secret_files", "['secret']"),
    ("store.redis.addresses", "['127.0.0.1:6379']"),
    ("store.redis.tls", "true"),
    ("store.redis.client_certificate", "'service-tls-client.crt.pem'"),
    ("store.redis.client_key", "'service-tls-client.key.pem'"),
];
const KEPT: &[(&str, &str)] = &[("portal.state_directory", "'state'")];
const SENTINEL: &[(&str, &str)] = &[
    ("store.kind", "'redis'"),
    ("store.secret_files", "['secret']"),
    ("store.redis.addresses", "['127.0.0.1:6379']"),
    ("store.redis.mode", "'sentinel'"),
    ("store.redis.master", "'first'"),
    ("store.redis.sentinel_password_file", "'password'"),
];
const ASKED_BY_A_FILE: &[(&str, &str)] =
    &[("companion", "[{ proxy = 'caddy', unix = 'ask.sock' }]")];
const JWE: &[(&str, &str)] = &[
    ("route[0].identity", "['jwe']"),
    ("route[0].identity_jwe_key_file", "'service-enc.crt.pem'"),
];
const ACME: &[(&str, &str)] = &[
    ("listen.acme.directory", "'https://authority.example/'"),
    ("listen.acme.agree_to_terms", "true"),
];
const EXTERNAL: &[(&str, &str)] = &[
    ("listen.acme.directory", "'https://authority.example/'"),
    ("listen.acme.agree_to_terms", "true"),
    ("listen.acme.external_account", "'kid-1'"),
    ("listen.acme.external_account_key_file", "'account'"),
];
const HEADERS: &[(&str, &str)] = &[("route[0].identity", "['headers']")];
const SIGNATURE: &[(&str, &str)] = &[
    ("route[0].identity", "['signature']"),
    ("route[0].identity_signature.algorithm", "'hmac-sha256'"),
    ("route[0].identity_signature.secret_file", "'secret'"),
];
const SIGNING_P12: &[(&str, &str)] = &[
    ("service.signing_certificate", ""),
    ("service.signing_key", ""),
    ("service.signing_p12", "'sig.p12'"),
    ("service.signing_p12_password_file", "'password'"),
];

const OWN_P12: &[(&str, &str)] =
    &[("identity.signing_p12", "[{ file = 'sig.p12', password_file = 'password' }]")];

const CLIENT_P12: &[(&str, &str)] = &[
    ("node.client_certificate", ""),
    ("node.client_key", ""),
    ("node.client_p12", "'sig.p12'"),
    ("node.client_p12_password_file", "'password'"),
];

/// Returns one row for each key that has no other value by its kind alone.
pub(super) fn rows() -> Vec<Row> {
    let row = Row::new;
    vec![
        row("portal.name", "'Urząd'"),
        row("portal.public_url", "'https://other.test'"),
        row("portal.other_urls", "['https://other.test']"),
        row("portal.prefix", "'/brama/'"),
        row("portal.acs_path", "'/login/acs'"),
        row("portal.state_directory", "'state2'"),
        row("portal.private_mounts", "['open']")
            .given(&[("service.signing_key", "'open/service-sig.key.pem'")])
            .judged(),
        row("portal.maintenance_allow", "['10.0.0.0/8']"),
        row("portal.clear_cookies_at_logout", "['JSESSIONID']"),
        row("pages.logo", "'logo.svg'"),
        row("pages.texts", "'texts'"),
        row("pages.after_logout", "'/bye'"),
        row("pages.after_cancel", "'/bye'"),
        row("pages.return_urls", "['https://a.test/']"),
        row("pages.logo_dark", "'logo.svg'").given(&[("pages.logo", "'logo.svg'")]),
        row("pages.landing.text.pl", "'Zgoda.'").given(&[("pages.landing.enabled", "true")]),
        row("pages.landing.text.en", "'Zgoda.'").given(&[("pages.landing.enabled", "true")]),
        row("pages.landing.text.uk", "'Zgoda.'").given(&[("pages.landing.enabled", "true")]),
        row("pages.light.paper", "'#fefefe'"),
        row("pages.light.surface", "'#fdfdfd'"),
        row("pages.light.ink", "'#000000'"),
        row("pages.light.action", "'#00594c'"),
        row("pages.light.on_action", "'#fefefe'"),
        row("pages.light.link", "'#00594c'"),
        row("pages.light.stripe", "'#123456'"),
        row("pages.dark.paper", "'#000000'"),
        row("pages.dark.surface", "'#010101'"),
        row("pages.dark.ink", "'#ffffff'"),
        row("pages.dark.action", "'#b3d4ff'"),
        row("pages.dark.on_action", "'#000000'"),
        row("pages.dark.link", "'#b3d4ff'"),
        row("pages.dark.stripe", "'#123456'"),
        row("pages.footer.accessibility.pl", "'/a'"),
        row("pages.footer.accessibility.en", "'/a'")
            .given(&[("pages.footer.accessibility.pl", "'/'")]),
        row("pages.footer.accessibility.uk", "'/a'")
            .given(&[("pages.footer.accessibility.pl", "'/'")]),
        row("pages.footer.privacy.pl", "'/a'"),
        row("pages.footer.privacy.en", "'/a'").given(&[("pages.footer.privacy.pl", "'/'")]),
        row("pages.footer.privacy.uk", "'/a'").given(&[("pages.footer.privacy.pl", "'/'")]),
        row("pages.footer.contact.pl", "'/a'"),
        row("pages.footer.contact.en", "'/a'").given(&[("pages.footer.contact.pl", "'/'")]),
        row("pages.footer.contact.uk", "'/a'").given(&[("pages.footer.contact.pl", "'/'")]),
        row("pages.footer.helpline.pl", "'112'"),
        row("pages.footer.helpline.en", "'112'").given(&[("pages.footer.helpline.pl", "'111'")]),
        row("pages.footer.helpline.uk", "'112'").given(&[("pages.footer.helpline.pl", "'111'")]),
        row("listen.http", "'127.0.0.9:0'"),
        row("listen.https", "'127.0.0.9:0'"),
        row("listen.unix", "'other/brama.sock'"),
        row("listen.unix_mode", "'0600'"),
        row("listen.redirect", "'127.0.0.9:0'"),
        row("listen.certificate", "'copy-node-tls.crt.pem'"),
        row("listen.key", "'copy-node-tls.key.pem'"),
        row("listen.ocsp_staple", "'a.ocsp'"),
        row("listen.certificates[0].ocsp_staple", "'a.ocsp'"),
        row("listen.certificates[0].certificate", "'copy-node-tls.crt.pem'"),
        row("listen.certificates[0].key", "'copy-node-tls.key.pem'"),
        row("listen.hsts", "'1h'"),
        row("listen.proxy_protocol_from", "['10.0.0.0/8']"),
        row("listen.trusted_proxies", "['10.0.0.0/8']"),
        row("listen.trusted_for", "['address']")
            .given(&[("listen.trusted_proxies", "['10.0.0.0/8']")]),
        row("listen.acme.directory", "'https://other.example/'").given(ACME),
        row("listen.acme.contacts", "['it@portal.example']").given(ACME),
        row("listen.acme.names", "['other.example']").given(ACME),
        row("listen.acme.profile", "'another'").given(ACME),
        row("listen.acme.external_account", "'kid-2'").given(EXTERNAL),
        row("listen.acme.external_account_key_file", "'copy-account'").given(EXTERNAL),
        row("listen.acme.extra_ca_file", "'ca.crt.pem'").given(ACME),
        row("operations.listen", "'127.0.0.9:0'"),
        row("operations.hosts", "['operations.test']"),
        row("operations.admin_token_file", "'other/token'"),
        row("operations.ready_needs", "['store']"),
        row("operations.login_history", "'5d'"),
        row("operations.certificate", "'copy-node-tls.crt.pem'"),
        row("operations.key", "'copy-node-tls.key.pem'"),
        row("operations.client_ca_file", "'other/two.pem'"),
        row("operations.operators[0].name", "'maria'"),
        row("operations.operators[0].certificate_name", "'maria@office.test'"),
        row("operations.operators[0].token_file", "'other/token'"),
        row("node.issuer", "'other.test'"),
        row("node.sso_url", "'https://other.test/sso'"),
        row("node.sso_destination", "'https://other.test/sso'"),
        row("node.resolve_url", "'https://other.test/resolve'"),
        row("node.logout_url", "'https://other.test/logout'"),
        row("node.certificates", "['node-signing.crt.pem', 'other/node-signing.crt.pem']"),
        row("node.extra_ca_file", "'other/two.pem'"),
        row("node.client_certificate", "'other/service-tls-client.crt.pem'")
            .with(&[("node.client_key", "'other/service-tls-client.key.pem'")]),
        row("node.client_key", "'other/service-tls-client.key.pem'")
            .with(&[("node.client_certificate", "'other/service-tls-client.crt.pem'")]),
        row("node.client_p12", "'other/sig.p12'").given(CLIENT_P12),
        row("node.client_p12_password_file", "'other/password'")
            .given(CLIENT_P12)
            .with(&[("node.client_p12", "'other/second-sig.p12'")]),
        row("node.expired_certificate", "'refuse'")
            .given(&[("node.certificates", "['expired.pem']")])
            .judged(),
        row("node.outage_message.pl", "'Przerwa.'").given(&[("node.outage", "true")]),
        row("node.outage_message.uk", "'Перерва.'").given(&[("node.outage", "true")]),
        row("node.outage_message.en", "'A pause.'").given(&[("node.outage", "true")]),
        row("node.outage_retry_after", "'1h'").given(&[("node.outage", "true")]),
        row("service.issuer", "'other.test'"),
        row("service.provider_name", "'Urząd'"),
        row("service.signing_certificate", "'other/service-sig.crt.pem'")
            .with(&[("service.signing_key", "'other/service-sig.key.pem'")]),
        row("service.signing_key", "'other/service-sig.key.pem'")
            .with(&[("service.signing_certificate", "'other/service-sig.crt.pem'")]),
        row("service.signing_p12", "'other/sig.p12'").given(SIGNING_P12),
        row("service.signing_p12_password_file", "'other/password'")
            .given(SIGNING_P12)
            .with(&[("service.signing_p12", "'other/second-sig.p12'")]),
        row("service.decryption_keys", "['service-enc.key.pem', 'other/service-enc.key.pem']"),
        row("service.decryption_p12[0].file", "'other/enc.p12'"),
        row("service.decryption_p12[0].password_file", "'other/password'")
            .with(&[("service.decryption_p12[0].file", "'other/second.p12'")]),
        row("service.required_attributes", "['given_name', 'family_name', 'identifier']"),
        row("service.optional_attributes", "['birthdate']").with(&[(
            "service.required_attributes",
            "['given_name', 'family_name', 'identifier']",
        )]),
        row("store.kind", "'redis'").given(&REDIS[1..]),
        row("store.secret_files", "['secret']"),
        row("store.file.path", "'other.db'"),
        row("store.redis.addresses", "['127.0.0.2:6379']").given(REDIS),
        row("store.redis.mode", "'cluster'").given(REDIS),
        row("store.redis.master", "'other'").given(SENTINEL),
        row("store.redis.user", "'other'").given(REDIS),
        row("store.redis.password_file", "'other/password'").given(REDIS),
        row("store.redis.sentinel_user", "'other'").given(SENTINEL),
        row("store.redis.sentinel_password_file", "'other/password'").given(SENTINEL),
        row("store.redis.ca_file", "'ca.crt.pem'").given(REDIS_TLS),
        row("store.redis.client_certificate", "'copy-service-tls-client.crt.pem'").given(REDIS_TLS),
        row("store.redis.client_key", "'copy-service-tls-client.key.pem'").given(REDIS_TLS),
        row("store.redis.prefix", "'other:'").given(REDIS),
        row("limits.ipv4_prefix", "24"),
        row("limits.except", "['10.0.0.0/8']"),
        row("identity.token_lifetime", "'4m'"),
        row("identity.ways", "['bank.test: bank']"),
        row("identity.pass_headers", "['X-Client-Cert']"),
        row("identity.signing_key_files", "['service-sig.key.pem']"),
        row("identity.signing_p12[0].file", "'other/sig.p12'").given(OWN_P12),
        row("identity.signing_p12[0].password_file", "'other/password'")
            .given(OWN_P12)
            .with(&[("identity.signing_p12[0].file", "'other/second-sig.p12'")]),
        row("identity.pairwise_secret_file", "'other/secret'"),
        row("log.level", "'debug'"),
        row("route[0].identity", "['bearer']"),
        row("route[0].identity_jwe_key_file", "'other/service-enc.crt.pem'").given(JWE),
        row("route[0].identity_headers.preset", "'remote-user'").given(HEADERS),
        row("route[0].identity_headers.fields", "['X-Citizen: subject']").given(HEADERS),
        row("route[0].identity_headers.encoding", "'base64'").given(HEADERS),
        row("route[0].identity_signature.algorithm", "'hmac-sha256'")
            .given(&[("route[0].identity", "['signature']")])
            .with(&[("route[0].identity_signature.secret_file", "'secret'")]),
        // What a secret is, nothing shows; so its name changes too.
        row("route[0].identity_signature.secret_file", "'other/secret'")
            .given(SIGNATURE)
            .with(&[("route[0].identity_signature.key_id", "'second'")]),
        row("route[0].identity_signature.key_id", "'second'").given(SIGNATURE),
        row("route[0].identity_signature.lifetime", "'30s'").given(SIGNATURE),
        row("log.access_file", "'access.log'"),
        row("audit.target", "'stdout'").given(KEPT),
        row("audit.file", "'audit.log'").given(KEPT),
        row("audit.syslog", "'udp:127.0.0.1:514'").given(KEPT),
        row("audit.instance", "'gate-1'").given(KEPT),
        row("audit.person_key_files", "['secret']").given(KEPT),
        row("traces.endpoint", "'http://127.0.0.1:4318'"),
        row("traces.headers_file", "'collector-headers'"),
        row("traces.extra_ca_file", "'ca.crt.pem'"),
        row("traces.resource", "['service.name: gate']"),
        row("companion[0].proxy", "'traefik'"),
        row("companion[0].listen", "'127.0.0.2:0'"),
        row("companion[0].trusted", "['10.0.0.0/8']"),
        row("companion[0].certificate", "'other/service-tls-client.crt.pem'")
            .with(&[("companion[0].key", "'other/service-tls-client.key.pem'")]),
        row("companion[0].key", "'other/service-tls-client.key.pem'")
            .with(&[("companion[0].certificate", "'other/service-tls-client.crt.pem'")]),
        row("companion[0].client_ca_file", "'ca.crt.pem'").given(&[
            ("companion[0].certificate", "'service-tls-client.crt.pem'"),
            ("companion[0].key", "'service-tls-client.key.pem'"),
        ]),
        row("companion[0].unix", "'other.sock'").given(ASKED_BY_A_FILE),
        row("companion[0].unix_mode", "'0600'").given(ASKED_BY_A_FILE),
        row("upstream[0].name", "'other'").with(&[("route[0].upstream", "'other'")]),
        row("upstream[0].url", "'http://127.0.0.2:9'"),
        row("upstream[1].tls_ca_file", "'other/ca.crt.pem'"),
        row("upstream[1].tls_system_roots", "true"),
        row("upstream[1].tls_server_name", "'portal.test'"),
        row("upstream[1].tls_client_certificate", "'other/service-tls-client.crt.pem'")
            .with(&[("upstream[1].tls_client_key", "'other/service-tls-client.key.pem'")]),
        row("upstream[1].tls_client_key", "'other/service-tls-client.key.pem'")
            .with(&[("upstream[1].tls_client_certificate", "'other/service-tls-client.crt.pem'")]),
        row("upstream[0].health.path", "'/other'"),
        row("upstream[0].health.host", "'portal.test'"),
        row("upstream[0].health.statuses", "[200]"),
        row("upstream[2].servers[0].address", "'http://127.0.0.3:9'"),
        row("upstream[2].servers[0].weight", "2"),
        row("route[0].host", "'other.test'")
            .given(&[("portal.other_urls", "['https://other.test']")]),
        row("route[0].path", "'/other'"),
        row("route[0].methods", "['GET', 'HEAD']"),
        row("route[1].lenient_paths", "['encoded_slash']"),
        row("route[0].upstream", "'secure'"),
        row("route[0].max_age", "'10m'"),
        row("route[0].assurance", "'high'"),
        row("route[0].authorities", "['pz.gov.pl']"),
        row("route[0].require", "['adult']"),
        row("route[0].audience", "'other'"),
        row("route[0].claims", "['given_name']"),
        row("route[0].strip_prefix", "'/tax'").given(&[("route[0].path", "'/tax'")]),
        row("route[0].add_prefix", "'/app'"),
        row("route[0].host_header", "'upstream'"),
        row("route[0].response_timeout", "'5m'"),
        row("route[0].idle_timeout", "'5m'"),
        row("route[0].max_body", "'1 MiB'"),
        row("route[0].upgrade", "[]"),
        row("route[0].upgrade_origins", "['https://app.test']"),
        row("route[1].redirect.to", "'https://other.test{path}'"),
        row("route[1].redirect.status", "301"),
        row("route[2].respond.status", "404"),
        row("route[2].respond.content_type", "'text/html'"),
        row("route[2].respond.body", "'away'"),
        row("route[0].request_headers.set", "['X-A: b']"),
        row("route[0].request_headers.add", "['X-A: b']"),
        row("route[0].request_headers.remove", "['X-A']"),
        row("route[0].response_headers.set", "['X-A: b']"),
        row("route[0].response_headers.add", "['X-A: b']"),
        row("route[0].response_headers.remove", "['X-A']"),
    ]
}
