//! `brama demo-portal`: the small portal of the demo by itself, behind a gateway that runs elsewhere,
//! such as in another container.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use super::portal::{AUDIENCE, Portal};
use crate::cli::output::{fail, print, serve};
use crate::observe;
use crate::server::listener::{self, Limits, Socket};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the gateway finds it, in plain HTTP. It believes nobody without a signature of the
    /// gateway.
    #[arg(long, default_value = "127.0.0.1:8083", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// `portal.public_url` of the gateway: who must have signed.
    #[arg(long, default_value = "http://localhost:8080", value_name = "URL")]
    issuer: String,
    /// Where the gateway is reached from here, for its public keys.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    gateway: String,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let level = observe::Level::new("warn").expect("a level");
    if let Err(error) = observe::start(false, &level) {
        return fail(error);
    }
    let keys = format!("{}/.brama/jwks.json", arguments.gateway.trim_end_matches('/'));
    let keys: http::Uri = match keys.parse() {
        Ok(keys) => keys,
        Err(error) => return fail(format_args!("{keys} is no address: {error}")),
    };
    let Ok(issuer) = url::Url::parse(&arguments.issuer) else {
        return fail(format_args!("{} is no address", arguments.issuer));
    };
    // As `portal.public_url` is told: without a path.
    let issuer = issuer.origin().ascii_serialization();
    serve(async |stop| {
        let listener = match Socket::bind(arguments.listen) {
            Ok(socket) => socket.into_listener().await,
            Err(error) => Err(error),
        };
        let listener = match listener {
            Ok(listener) => listener,
            Err(error) => return fail(format_args!("{}: {error}", arguments.listen)),
        };
        print(format_args!(
            "Portal of the demo at http://{}/, audience {AUDIENCE}, behind {issuer}",
            arguments.listen
        ));
        let portal = Arc::new(Portal::new(issuer, keys));
        listener::serve(listener, None, portal, Limits::default(), stop).await;
        ExitCode::SUCCESS
    })
}
