//! ingress-nginx: annotations of an `Ingress`.

use std::fmt::Write as _;

use super::{Services, object, prefix, quoted};
use crate::cli::tools::print_config::site::{Site, Way};
use crate::cli::tools::print_config::sketch::Sketch;

/// Writes an `Ingress` that asks and one that does not.
pub(in crate::cli::tools::print_config) fn text(sketch: &Sketch) -> String {
    let mut text = String::from(HEAD);
    let services = Services::of(sketch);
    for site in &sketch.sites {
        asked(&mut text, sketch, site, &services);
        own(&mut text, site, &services);
    }
    text
}

const HEAD: &str = "\
# Read, not measured: what ingress-nginx documents of auth-url. Its project has ended; go elsewhere.
#
# - The two Ingress share a host. The one that asks has all of the host but what the gateway answers
#   itself; a further Ingress for the same host, by whoever, is a way past the question.
# - A refusal that is no missing login is a bare 403 here: the page of the gateway is not passed on.
# - No auth-snippet and no configuration-snippet: one proxy_set_header in them cancels all others.
# - enable-underscores-in-headers and ignore-invalid-headers of the controller are as by default.
# - In auth-url, `portal` is the namespace of the gateway.
";

fn asked(text: &mut String, sketch: &Sketch, site: &Site, services: &Services) {
    let told: Vec<_> = sketch.copied().map(http::HeaderName::as_str).collect();
    let decide = &services.decide;
    let login = site.ours.first().map_or("/", |prefix| &**prefix);
    let _ = write!(
        text,
        "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {}
  annotations:
    nginx.ingress.kubernetes.io/auth-url: {}
    nginx.ingress.kubernetes.io/auth-method: GET
    nginx.ingress.kubernetes.io/auth-response-headers: {}
    nginx.ingress.kubernetes.io/auth-signin: {}
    nginx.ingress.kubernetes.io/auth-signin-redirect-param: ignored
spec:
",
        object(site, "asked"),
        quoted(&format!(
            "http://{}.portal.svc.cluster.local:{}{}",
            decide.name, decide.port, sketch.path
        )),
        quoted(&told.join(",")),
        quoted(&format!(
            "{}://{}{login}login?return_to=$escaped_request_uri",
            site.scheme(),
            site.authority()
        ))
    );
    rules(text, site, Way::Portal, (&services.portal.name, services.portal.port));
}

fn own(text: &mut String, site: &Site, services: &Services) {
    let _ = write!(
        text,
        "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {}
spec:
",
        object(site, "own")
    );
    rules(text, site, Way::Gateway, (&services.gateway.name, services.gateway.port));
}

fn rules(text: &mut String, site: &Site, who: Way, (name, port): (&str, u16)) {
    let _ = write!(
        text,
        "  ingressClassName: nginx\n  rules:\n  - host: {}\n    http:\n      paths:\n",
        quoted(&site.host)
    );
    let mut path = |path: &str, kind: &str| {
        let _ = write!(
            text,
            "      - path: {}
        pathType: {kind}
        backend: {{ service: {{ name: {name}, port: {{ number: {port} }} }} }}
",
            quoted(path)
        );
    };
    for (place, _) in site.prefixes().into_iter().filter(|(_, answers)| *answers == who) {
        path(prefix(place), "Prefix");
    }
    if who == Way::Gateway {
        for place in &site.ours_exactly {
            path(place, "Exact");
        }
    }
}
