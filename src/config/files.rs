//! The files that a configuration names and that are read again when they change: certificates,
//! keys, authorities, passwords, tokens of operators, and what makes
//! pages look like the office's own. Those of listeners are watched by
//! [`crate::server::certificates`]; what cannot change while the program runs is not among them.

use std::path::PathBuf;

use super::file::StoreKind;
use super::load::Loaded;
use crate::pages::Language;

/// Returns them, as the program opens them.
#[must_use]
pub fn watched(loaded: &Loaded) -> Vec<PathBuf> {
    let (node, service) = (&loaded.file.node, &loaded.file.service);
    let single = [
        &node.extra_ca_file,
        &node.client_certificate,
        &node.client_key,
        &node.client_p12,
        &node.client_p12_password_file,
        &service.signing_certificate,
        &service.signing_key,
        &service.signing_p12,
        &service.signing_p12_password_file,
    ];
    let of_p12 = service.decryption_p12.iter().flat_map(|p12| [&p12.file, &p12.password_file]);
    let of_upstreams = loaded.file.upstreams.iter().flat_map(|upstream| {
        [&upstream.tls_ca_file, &upstream.tls_client_certificate, &upstream.tls_client_key]
    });
    let store = &loaded.file.store;
    let redis = (store.kind == StoreKind::Redis).then_some(&store.redis);
    let of_redis = redis.into_iter().flat_map(|redis| {
        [
            &redis.password_file,
            &redis.sentinel_password_file,
            &redis.ca_file,
            &redis.client_certificate,
            &redis.client_key,
        ]
    });
    let operations = &loaded.file.operations;
    let of_operators = operations.operators.iter().map(|operator| &operator.token_file);
    let of_operators =
        of_operators.chain([&operations.admin_token_file, &operations.client_ca_file]);
    let named = single.into_iter().chain(of_p12).chain(of_upstreams).chain(of_redis);
    let named = named.chain(of_operators).flatten();
    let pages = &loaded.file.pages;
    let of_pages = [&pages.logo, &pages.logo_dark].into_iter().flatten().cloned();
    let texts = pages.texts.iter().flat_map(|folder| {
        Language::ALL.map(|language| folder.join(format!("{}.toml", language.code())))
    });
    let listed = node.certificates.iter().chain(&service.decryption_keys);
    let named = named.chain(listed).cloned();
    named.chain(of_pages).chain(texts).map(|path| loaded.resolve(&path)).collect()
}
