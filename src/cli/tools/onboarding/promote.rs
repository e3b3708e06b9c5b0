//! `brama onboarding promote FROM TO`: the configuration that was tried in one environment, for the
//! next one.
//!
//! Routes, upstreams, limits and whatever else was tried are copied, comments and all. What belongs to
//! an environment stays as it is there ([`OWN`]).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::own::OWN;
use super::record::Record;
use super::stage::Stage;
use crate::base::private;
use crate::cli::configuration;
use crate::cli::output::{fail, print};
use crate::cli::tools::certs::material::shown_path;
use crate::cli::tools::lines::{self, Lines, write_configuration};
use crate::config::{self, Loaded, Severity};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The environment in which the configuration was tried.
    #[arg(value_enum)]
    from: Stage,
    /// The next one.
    #[arg(value_enum)]
    to: Stage,
    /// The folder that `brama onboarding init` made.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    /// Says what would be done, and does nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let Arguments { from, to, dir, dry_run } = arguments;
    if to <= from {
        return fail(format_args!("{to} does not come after {from}"));
    }
    let path = to.configuration(dir);
    let shown = shown_path(&path);
    let promoted = match promote(arguments) {
        Ok(promoted) => promoted,
        Err(why) => return fail(why),
    };
    let Promoted { old, new, told } = promoted;
    if !dry_run && old != new {
        // What was there may have been edited by hand.
        let saved = match save(&path, &old) {
            Ok(saved) => saved,
            Err(why) => return fail(why),
        };
        if let Err(why) = write_configuration(&path, &new) {
            return fail(why);
        }
        print(format_args!(
            "{shown}: as that of {from}; what was there is in {}",
            shown_path(&saved)
        ));
    } else if old == new {
        print(format_args!("{shown}: there is nothing to change"));
    }
    for line in told {
        print(format_args!("  {line}"));
    }
    for line in list(*to, dir, &new) {
        print(format_args!("  {line}"));
    }
    if *dry_run {
        print("nothing was written (--dry-run)");
        return ExitCode::SUCCESS;
    }
    let (settings, problems) = configuration::check(&path);
    for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
        print(format_args!("still: {problem}"));
    }
    match settings {
        Some(_) => print(format_args!("{shown}: the configuration is usable")),
        None => print(format_args!("{shown}: the configuration is not usable yet")),
    }
    ExitCode::SUCCESS
}

/// A configuration for the next environment.
struct Promoted {
    old: String,
    new: String,
    /// What stays as it was there, and what changes, a line each.
    told: Vec<String>,
}

fn promote(arguments: &Arguments) -> Result<Promoted, String> {
    let Arguments { from, to, dir, .. } = arguments;
    // A folder that is none of ours says so here.
    Record::read(dir)?;
    let read = |stage: Stage| {
        let path = stage.configuration(dir);
        let shown = shown_path(&path);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
        let lines = Lines::read(&text).map_err(|why| format!("{shown}: {why}"))?;
        Ok::<_, String>((text, lines))
    };
    let (source, mut lines) = read(*from)?;
    let (old, own) = read(*to)?;
    let mut told = Vec::new();
    for (table, keys) in OWN {
        for key in keys {
            match own.get(table, key) {
                Some(item) => {
                    let is_other = lines.get(table, key).map(plain) != Some(plain(item));
                    if is_other {
                        told.push(format!("its own    {}", shown_item(table, key, item)));
                        lines.put_item(table, key, item.clone());
                    }
                }
                None => {
                    if let Some(item) = lines.get(table, key) {
                        let item = shown_item(table, key, item);
                        told.push(format!("left out   {item}: it is that of {from} alone"));
                    }
                    lines.remove(table, key);
                }
            }
        }
    }
    let hosts = take_over_hosts(&source, &old, &mut lines)?;
    told.extend(hosts.into_iter().map(|line| format!("its own    {line}")));
    told.extend(changed(&own, &lines));
    let new = retold(&lines.text(), *from, *to);
    Ok(Promoted { old, new, told })
}

/// Says which keys are others than before.
fn changed(old: &Lines, new: &Lines) -> Vec<String> {
    let (old, new) = (old.all(), new.all());
    let taken = new.iter().filter(|(key, text)| old.get(*key) != Some(*text));
    let taken = taken.map(|(key, text)| match text.contains('\n') {
        true => format!("changed    {key}"),
        false => format!("changed    {key} = {text}"),
    });
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    taken.chain(gone.map(|key| format!("changed    {key} is taken out"))).collect()
}

/// Comments name the environment that they are about.
fn retold(text: &str, from: Stage, to: Stage) -> String {
    let pairs = [
        (format!("\"{from}\""), format!("\"{to}\"")),
        (format!("{from}/brama.toml"), format!("{to}/brama.toml")),
        (format!("import {from} "), format!("import {to} ")),
    ];
    let line = |line: &str| match line.trim_start().starts_with('#') {
        true => pairs.iter().fold(line.to_owned(), |line, (old, new)| line.replace(old, new)),
        false => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Returns an item as it is written; of a value without the comment beside it.
fn plain(item: &toml_edit::Item) -> String {
    item.as_value().map_or_else(|| item.to_string(), lines::shown)
}

fn shown_item(table: &str, key: &str, item: &toml_edit::Item) -> String {
    match item.as_value() {
        Some(value) => format!("[{table}] {key} = {}", lines::shown(value)),
        None if table.is_empty() => format!("[[{key}]]"),
        None => format!("[{table}] {key}"),
    }
}

/// Routes that name the host of the portal name that of the next environment.
fn take_over_hosts(source: &str, target: &str, lines: &mut Lines) -> Result<Vec<String>, String> {
    let host = |text: &str| {
        let loaded = config::load_text("brama.toml", text, std::iter::empty());
        let loaded = loaded.map_err(|problems| problems.to_string())?;
        let url = loaded.file.portal.public_url.and_then(|url| url::Url::parse(&url).ok());
        Ok::<_, String>(url.and_then(|url| url.host_str().map(str::to_owned)))
    };
    let (Some(from), Some(to)) = (host(source)?, host(target)?) else { return Ok(Vec::new()) };
    if from == to {
        return Ok(Vec::new());
    }
    let count = lines.rename_hosts(&from, &to);
    let line = || format!("[[route]] host = \"{to}\" in place of \"{from}\", {count} times");
    Ok((count > 0).then(line).into_iter().collect())
}

/// Keeps what was there beside it, under a name that is free.
fn save(path: &Path, text: &str) -> Result<PathBuf, String> {
    for number in 1u32.. {
        let saved = path.with_extension(format!("toml.old-{number}"));
        match private::write_new(&saved, text.as_bytes()) {
            Ok(true) => return Ok(saved),
            Ok(false) => {}
            Err(error) => return Err(format!("{}: {error}", shown_path(&saved))),
        }
    }
    Err(format!("{}: there are too many old ones beside it", shown_path(path)))
}

/// Lists what has to be looked at or changed before it is used.
fn list(to: Stage, dir: &Path, text: &str) -> Vec<String> {
    let name = to.configuration(dir).display().to_string();
    let Ok(loaded) = config::load_text(&name, text, std::iter::empty()) else { return Vec::new() };
    let mut list = Vec::new();
    for upstream in &loaded.file.upstreams {
        let url = upstream.url.as_deref().unwrap_or("several servers");
        let upstream = upstream.name.as_deref().unwrap_or_default();
        list.push(format!(
            "look       upstream \"{upstream}\" is {url}: is that the portal of {to}?"
        ));
    }
    list.extend(files(&loaded, to));
    list.push(format!("change     certificates of {to}: brama onboarding import {to} FILE..."));
    if to == Stage::Production {
        list.push(
            "change     they must be as those of integration: brama certs compare \
             integration/keys/CERTIFICATE production/keys/CERTIFICATE"
                .to_owned(),
        );
        list.push(
            "look       portal.state_directory: it must outlive restarts, and be in the backup"
                .to_owned(),
        );
    }
    list.push(format!("tell       the operator: brama onboarding sheet {to}"));
    list
}

/// Names files that are named in what is copied. Those of upstreams and routes are secrets of the
/// environment in which they were tried, or of this one.
fn files(loaded: &Loaded, to: Stage) -> Vec<String> {
    let mut named: Vec<(String, &Path)> = Vec::new();
    for upstream in &loaded.file.upstreams {
        let name = upstream.name.as_deref().unwrap_or_default();
        let files = [
            ("tls_ca_file", &upstream.tls_ca_file),
            ("tls_client_certificate", &upstream.tls_client_certificate),
            ("tls_client_key", &upstream.tls_client_key),
        ];
        let files = files.into_iter().filter_map(|(key, file)| Some((key, file.as_deref()?)));
        named.extend(files.map(|(key, file)| (format!("upstream \"{name}\" {key}"), file)));
    }
    for route in &loaded.file.routes {
        let path = &route.path;
        let files = [
            ("identity_jwe_key_file", route.identity_jwe_key_file.as_deref()),
            ("secret_file", route.identity_signature.secret_file.as_deref()),
        ];
        let files = files.into_iter().filter_map(|(key, file)| Some((key, file?)));
        named.extend(files.map(|(key, file)| (format!("route {path:?} {key}"), file)));
    }
    let line = |(key, file): (String, &Path)| {
        let shown = shown_path(file);
        match loaded.resolve(file).exists() {
            true => format!("look       {key} is {shown}: is that of {to}?"),
            false => format!("change     {key}: {shown} is not there"),
        }
    };
    named.into_iter().map(line).collect()
}
