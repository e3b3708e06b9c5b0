//! The page at which citizens sign in. The gateway never asks for it; browsers do. So what fails
//! from here is a warning: this machine may have no way there, and browsers have.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Uri};
use http_body_util::Full;

use super::check::Check;
use super::exchange::{self, Answer};
use super::finding::Findings;
use super::network::{self, Place};
use super::tls::{self, Failed};
use crate::app::Settings;

pub(super) async fn examine(time: Duration, settings: &Settings, findings: &mut Findings) {
    let about = &settings.flows.sso_url;
    let advice = "look at node.sso_url, from a browser too: this machine may have no way there";
    let Ok(url) = about.parse::<Uri>() else {
        return findings.warning(Check::NodeSso, about, "it is no address", advice);
    };
    match ask(&url, time).await {
        Ok(answer) if matches!(answer.status.as_u16(), 404 | 410 | 500..) => {
            let seen = format!("a GET there is answered by {}", answer.told());
            findings.warning(Check::NodeSso, about, seen, advice);
        }
        Ok(answer) => {
            findings.ok(Check::NodeSso, about, format!("something answers ({})", answer.told()));
        }
        Err(seen) => findings.warning(Check::NodeSso, about, seen, advice),
    }
}

async fn ask(url: &Uri, time: Duration) -> Result<Answer, String> {
    let (place, mut unused) = (Place::of(url, ""), Findings::default());
    let addresses = network::resolve(Check::NodeSso, place, time, &mut unused).await;
    let addresses = addresses.ok_or_else(|| format!("{} cannot be resolved", place.host))?;
    let address = network::connect(Check::NodeSso, "", &addresses, time, &mut unused).await;
    let address =
        address.ok_or_else(|| format!("{}:{} takes no connections", place.host, place.port))?;
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let request: Request<Full<Bytes>> =
        Request::get(target).header(HOST, authority).body(Full::default()).unwrap_or_default();
    let answer = if url.scheme_str() == Some("https") {
        let config = tls::browser(&[]).ok_or("no authorities are known here")?;
        let stream = tls::connect(address, place.host, &config, time).await;
        let stream = stream.map_err(|failed| match failed {
            Failed::Refused(seen, _) | Failed::Broken(seen, _) => seen,
            Failed::OfOurs(alert) => format!("it wants a client certificate ({alert:?})"),
        })?;
        exchange::ask(stream, request, time).await
    } else {
        let stream = network::again(address, time).await?;
        exchange::ask(stream, request, time).await
    };
    answer.map_err(|none| none.to_string())
}
