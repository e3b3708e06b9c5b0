//! `[log]`.

use std::path::Path;

use super::context::Context;
use crate::app::settings::Log;
use crate::base::rights::folder_of;
use crate::config::file::{AccessAddresses, AccessFormat, LogFormat};
use crate::observe::Level;
use crate::observe::access::{self, Addresses, Format, Target};

pub(super) fn resolve(context: &mut Context<'_>) -> Option<Log> {
    let file = &context.file().log;
    let format = match file.access {
        AccessFormat::Same if file.format == LogFormat::Text => Format::Text,
        AccessFormat::Same => Format::Json,
        AccessFormat::Off => Format::Off,
        AccessFormat::Text => Format::Text,
        AccessFormat::Json => Format::Json,
        AccessFormat::Combined => Format::Combined,
    };
    let addresses = match file.access_addresses {
        AccessAddresses::Full => Addresses::Full,
        AccessAddresses::Masked => Addresses::Masked,
        AccessAddresses::Off => Addresses::Off,
    };
    let target = target(context, format);
    let level = Level::new(&file.level);
    let level = level.map_err(|error| {
        let advice = "write \"info\", \"debug\", or \"info,brama::proxy=debug\"";
        context.error(key!(log.level), error.to_string(), advice);
    });
    let level = level.ok();
    Some(Log {
        json: file.format == LogFormat::Json,
        level: level?,
        access: access::Settings { format, target, addresses, query: file.access_query },
    })
}

fn target(context: &mut Context<'_>, format: Format) -> Target {
    let file = &context.file().log.access_file;
    if file == "-" {
        return Target::Stdout;
    }
    let path = context.resolve(Path::new(file));
    let is_there = folder_of(&path).is_dir();
    if format != Format::Off && (!is_there || path.is_dir()) {
        context.error(
            key!(log.access_file),
            format!("{} is not in a folder that is there", path.display()),
            "give the path of a file, or \"-\" for standard output",
        );
    }
    Target::File(path)
}
