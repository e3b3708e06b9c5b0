//! The kinds of proxy that can stand in front: where each says what it asks about, and what it
//! does with an answer.

use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response, StatusCode};

use crate::base::body::Body;

/// A proxy that stands in front and asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Front {
    /// nginx, Angie, OpenResty: `auth_request`.
    Nginx,
    /// The ingress controller of that name: `auth-url`.
    IngressNginx,
    /// `HAProxy` with the action that `brama print-config haproxy --lua` prints.
    Haproxy,
    /// Traefik: `ForwardAuth`.
    Traefik,
    /// Caddy: `forward_auth`.
    Caddy,
    /// Envoy: `ext_authz` over HTTP.
    Envoy,
    /// Envoy: `ext_authz` over gRPC.
    EnvoyGrpc,
}

/// A way to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Headers that the configuration of the proxy sets.
    AuthRequest(Source),
    /// `X-Forwarded-*`, which the proxy writes itself.
    ForwardAuth,
    /// The request itself, below a prefix.
    ExtAuthzHttp,
    /// A message.
    ExtAuthzGrpc,
}

/// How headers that a configuration sets name the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Path and query in `X-Original-URI`, the host in `X-Original-Host`, the scheme in
    /// `X-Forwarded-Proto`.
    Parts,
    /// All of it in `X-Original-URL`.
    Whole,
}

impl Front {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Nginx,
        Self::IngressNginx,
        Self::Haproxy,
        Self::Traefik,
        Self::Caddy,
        Self::Envoy,
        Self::EnvoyGrpc,
    ];

    /// Returns its name in the configuration and in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::IngressNginx => "ingress-nginx",
            Self::Haproxy => "haproxy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Envoy => "envoy",
            Self::EnvoyGrpc => "envoy-grpc",
        }
    }

    /// Returns the name of its listener, also for sockets that are passed to this process.
    #[must_use]
    pub fn listener(self) -> &'static str {
        match self {
            Self::Nginx => "companion-nginx",
            Self::IngressNginx => "companion-ingress-nginx",
            Self::Haproxy => "companion-haproxy",
            Self::Traefik => "companion-traefik",
            Self::Caddy => "companion-caddy",
            Self::Envoy => "companion-envoy",
            Self::EnvoyGrpc => "companion-envoy-grpc",
        }
    }

    /// Returns the path under which it asks; below it for [`Kind::ExtAuthzHttp`], and none for a
    /// message.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self.kind() {
            Kind::AuthRequest(_) => "/authz/auth-request",
            Kind::ForwardAuth => "/authz/forward-auth",
            Kind::ExtAuthzHttp => "/authz/ext-authz",
            Kind::ExtAuthzGrpc => "",
        }
    }

    /// Returns how it asks.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Nginx | Self::Haproxy => Kind::AuthRequest(Source::Parts),
            Self::IngressNginx => Kind::AuthRequest(Source::Whole),
            Self::Traefik | Self::Caddy => Kind::ForwardAuth,
            Self::Envoy => Kind::ExtAuthzHttp,
            Self::EnvoyGrpc => Kind::ExtAuthzGrpc,
        }
    }

    /// Makes of a refusal what the proxy understands. `auth_request` of nginx takes 401 and 403 for
    /// a refusal and makes an error of 500 of everything else; of the answer nothing but fields is
    /// used.
    #[must_use]
    pub fn refusal(self, mut response: Response<Body>) -> Response<Body> {
        match self {
            Self::Nginx | Self::IngressNginx => {
                let status = match response.status() {
                    StatusCode::UNAUTHORIZED => StatusCode::UNAUTHORIZED,
                    // Sign-in is needed, and the field says where.
                    StatusCode::FOUND => StatusCode::UNAUTHORIZED,
                    _ => StatusCode::FORBIDDEN,
                };
                *response.status_mut() = status;
                response
            }
            Self::Haproxy => {
                // Without it an error is taken for one of HAProxy's own (`brama.lua`).
                if response.status().is_server_error() {
                    let never = HeaderValue::from_static("no-store");
                    response.headers_mut().insert(CACHE_CONTROL, never);
                }
                response
            }
            Self::Traefik | Self::Caddy | Self::Envoy | Self::EnvoyGrpc => response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::body;

    #[test]
    fn an_error_of_the_gateway_is_told_from_one_of_haproxy_and_stays_as_it_is_for_others() {
        let answered = |front: Front, status| {
            let mut response = Response::new(body::empty());
            *response.status_mut() = status;
            let response = front.refusal(response);
            let cached = response.headers().get(CACHE_CONTROL).cloned();
            (response.status(), cached.map(|value| value.to_str().unwrap().to_owned()))
        };
        let (error, no) = (StatusCode::SERVICE_UNAVAILABLE, StatusCode::FORBIDDEN);
        assert_eq!(answered(Front::Haproxy, error), (error, Some("no-store".to_owned())));
        assert_eq!(answered(Front::Haproxy, no), (no, None));
        assert_eq!(answered(Front::Caddy, error), (error, None));
        assert_eq!(answered(Front::Nginx, error), (no, None));
    }
}
