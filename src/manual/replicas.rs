//! Several replicas behind a balancer, and their restart.
//!
//! # Rolling restart
//!
//! Replicas that share a store ([`super::sessions`]) are restarted one after the other: SIGTERM, wait
//! until the process has ended, start it, wait until its `/readyz` says 200, then the next. No request
//! fails, whatever its method, and nobody signs in again, when the balancer does four things:
//!
//! 1. It sends what could not be sent to one replica to another. A connection that is refused carried
//!    nothing, so this is safe for every method.
//! 2. It repeats `GET` and what else is safe when a connection breaks, and nothing else.
//! 3. It does not use a connection any more after an answer with `Connection: close`, and closes idle
//!    ones itself sooner than `listen.drain_delay` is over. So none is left on which a request could meet
//!    the end of the process: during the delay each answer says that its connection ends.
//! 4. It tries a replica again that was away, before the next one goes: in less than `drain_delay`.
//!
//! `deploy/nginx/brama.conf` does this for nginx; the tests restart replicas behind that very file under
//! 500 requests a second. nginx does not ask for `/readyz`: it learns from connections that are refused.
//! A balancer that does ask (HAProxy, Kubernetes, the balancers of clouds) learns sooner, because
//! readiness fails at the beginning of the delay while everything is still served.
//!
//! When a replica is killed instead, its requests that are safe to repeat are repeated, and of the others
//! those fail that were under way. Sessions go on; of signs of life at most the last 30 seconds are
//! forgotten.
