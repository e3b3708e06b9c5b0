//! The manifests of `deploy/kubernetes` and the chart in `deploy/helm`: what a cluster would say of them,
//! as far as it can be told without one.
//!
//! - `overlays`: Kustomize renders each overlay, and the parts in all their combinations; published schemas
//!   judge the objects, of the oldest and the newest Kubernetes.
//! - `chart`: the same of Helm, by a matrix of values; wrong values are refused.
//! - `values`: what single values of the chart become.
//! - `security`: the admission of Kubernetes lets every pod in where `restricted` is enforced, those of the
//!   chart too, and there are rules of our own.
//! - `wiring`: what an object names by a label, a port or a name is there.
//! - `configurations`: `brama check` takes each configuration in the environment of its manifest.
//! - `mounts`: a gateway that runs takes what changes in its Secrets and its ConfigMap.
//! - `pages`: what the page for readers shows is what works.
//! - `play`: podman plays overlays, and a citizen signs in.
//!
//! `setup.sh` prepares the tools; where they are not, tests are skipped and say so, or fail with
//! `BRAMA_JUDGES=required`, unless the Go of the machine is too old to build them.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says no by a panic")]

mod chart;
mod configurations;
mod container;
mod manifests;
mod mounts;
mod overlays;
mod pages;
mod play;
mod podman;
mod security;
mod tools;
mod values;
mod wiring;
