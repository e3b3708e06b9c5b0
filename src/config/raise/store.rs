//! `[store]`: where records are kept.

use super::Context;
use crate::app::settings::{Place, Store};
use crate::base::secret::Secret;
use crate::config::file::StoreKind;
use crate::store::file::Options;
use crate::store::seal::Sealer;

pub(super) fn store(context: &mut Context<'_>) -> Option<Store> {
    let file = context.file().store.clone();
    let mut secrets = Vec::new();
    for path in &file.secret_files {
        let key = "store.secret_files";
        let bytes = context.read(key, path)?;
        if bytes.len() < LEAST {
            context.error(
                key,
                format!("{} has fewer than {LEAST} bytes", path.display()),
                "make one with: head -c 32 /dev/urandom > FILE",
            );
        }
        secrets.push(Secret::new(bytes));
    }
    let kind = match file.kind {
        StoreKind::Memory => Place::Memory,
        StoreKind::File => {
            let advice = "name a file in a folder of its own, with mode 0700";
            let path = context.required("store.file.path", file.file.path.as_deref(), advice)?;
            let maximum_bytes = file.file.maximum_size.bytes();
            if maximum_bytes < Options::SMALLEST {
                context.error(
                    "store.file.maximum_size",
                    "is too small",
                    "give at least \"16 MiB\"",
                );
            }
            Place::File { path: context.resolve(path), maximum_bytes }
        }
        StoreKind::Redis => {
            context.error("store.kind", "is not built in yet", "give \"memory\" or \"file\"");
            return None;
        }
    };
    if file.kind != StoreKind::Memory && context.file().identity.pairwise_secret_file.is_none() {
        context.warn(
            "identity.pairwise_secret_file",
            "is missing, so a restart without state_directory changes who sessions belong to",
            "give one; with several replicas, the same to each",
        );
    }
    Some(Store { kind, sealer: Sealer::new(secrets) })
}

/// A secret has so many bytes.
const LEAST: usize = 32;
