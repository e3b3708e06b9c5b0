//! The page itself.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::durations::Lasted;
use super::facts::{Certificate, Facts, Server, Upstream};
use super::history::{Minute, number};
use super::plot::Plot;
use super::times;
use super::words::{ENGLISH, POLISH, Words};
use crate::base::clock::Time;
use crate::base::encoding::{base64, sha256};
use crate::pages::Language;

/// Writes the page.
pub(super) fn status(
    language: Language,
    facts: &Facts,
    (past, lasted): (&[Minute], &[Lasted]),
    operator: &str,
) -> String {
    let words = words(language);
    let content = html! {
        section aria-labelledby="summary" {
            h2 id="summary" { (words.summary) }
            (summary(words, facts, past))
        }
        section aria-labelledby="hour" {
            h2 id="hour" { (words.hour) }
            (plots(words, facts.now, past, Span::Hour))
        }
        section aria-labelledby="day" {
            h2 id="day" { (words.day) }
            (plots(words, facts.now, past, Span::Day))
            p.muted { (words.this_process) }
        }
        section aria-labelledby="durations" {
            h2 id="durations" { (words.durations) }
            (scrolled("durations", &times::table(words, lasted)))
        }
        div.halves {
            section aria-labelledby="reasons" {
                h2 id="reasons" { (words.reasons) }
                (reasons(words, last_hour(facts.now, past)))
            }
            section aria-labelledby="program" {
                h2 id="program" { (words.program) }
                (program(words, facts, past))
            }
            section.wide aria-labelledby="certificates" {
                h2 id="certificates" { (words.certificates) }
                (certificates(words, facts))
            }
            section.wide aria-labelledby="upstreams" {
                h2 id="upstreams" { (words.upstreams) }
                (upstreams(words, facts))
            }
        }
    };
    document(
        language,
        words.title,
        &html! {
            p { (facts.portal) @if let Some(name) = &facts.environment { " (" (name) ")" } }
            p.muted { (words.as_of) " " (moment(facts.now)) ", " (words.seen_by) ": " (operator) }
        },
        &content,
    )
}

/// Writes the page that says that a token is needed.
pub(super) fn password(language: Language) -> String {
    let words = words(language);
    let content = html! { section { p { (words.password) } } };
    document(language, words.password_title, &html! {}, &content)
}

fn document(language: Language, title: &str, above: &Markup, content: &Markup) -> String {
    let words = words(language);
    let other = if language.code() == "pl" { "en" } else { "pl" };
    let page = html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " – Brama" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    (above)
                    nav aria-label="Brama" {
                        a href={ "/status?language=" (language.code()) } { (words.refresh) }
                        a href={ "/status?language=" (other) } lang=(other) hreflang=(other) {
                            (words.other_language)
                        }
                    }
                }
                main { (content) }
            }
        }
    };
    page.into_string()
}

/// Returns the policy of the page: nothing but its own style.
pub(super) fn policy() -> String {
    let style = base64(&sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}

fn words(language: Language) -> &'static Words {
    if language == Language::Polish { &POLISH } else { &ENGLISH }
}

/// What somebody should look at; or that there is nothing.
fn summary(words: &Words, facts: &Facts, past: &[Minute]) -> Markup {
    let mut ills: Vec<String> = Vec::new();
    let mut ill = |is_so: bool, what: String| {
        if is_so {
            ills.push(what);
        }
    };
    ill(facts.is_leaving, words.leaving.to_owned());
    ill(!facts.is_configuration_in_use, words.not_in_use.to_owned());
    ill(!facts.store.is_up, words.store_away.to_owned());
    ill(facts.store.is_up && !facts.store.hears, words.deaf.to_owned());
    ill(!facts.are_keys_kept, words.keys_apart.to_owned());
    let goes_on = |alarm| facts.alarms.contains(&alarm);
    let is_node_failing = is_node_failing(facts.now, past) || goes_on("node");
    ill(is_node_failing, words.node_failed.to_owned());
    ill(goes_on("clock"), words.clock_off.to_owned());
    ill(!facts.is_audit_well, words.audit_failed.to_owned());
    let unanswered = unanswered(facts.now, past);
    ill(unanswered > 0, format!("{}: {unanswered}", words.unanswered));
    for certificate in &facts.certificates {
        let left = days_left(certificate, facts.now);
        let about = format!("{} ({})", certificate.name, certificate.used_for);
        ill(left < 0, format!("{}: {about}", words.expired));
        ill((0..SOON).contains(&left), format!("{}: {about}: {left}", words.ends_soon));
    }
    let is_ending = facts.certificates.iter().any(|one| days_left(one, facts.now) < SOON);
    ill(goes_on("certificates") && !is_ending, words.certificate_alarm.to_owned());
    for group in &facts.upstreams {
        let is_well = group.servers.iter().any(|server| server.is_well);
        ill(!is_well, format!("{}: {}", words.no_server, group.name));
        for server in group.servers.iter().filter(|server| is_well && !server.is_well) {
            let Server { address, state, .. } = server;
            let draining = *state == LEAVING;
            ill(!draining, format!("{}: {}, {address}: {state}", words.server_out, group.name));
        }
    }
    html! {
        @if ills.is_empty() {
            p.well { (words.well) }
        } @else {
            ul { @for ill in &ills { li.ill { (ill) } } }
        }
    }
}

/// Of the last exchanges, more failed than went well.
fn is_node_failing(now: Time, past: &[Minute]) -> bool {
    let first = number(now) - RECENT;
    let recent = || past.iter().filter(|minute| minute.number > first);
    let failed: u64 = recent().map(|minute| u64::from(minute.exchanges.1)).sum();
    let good: u64 = recent().map(|minute| u64::from(minute.exchanges.0)).sum();
    failed > good
}

/// Requests of the last minutes that no server of the portal answered.
fn unanswered(now: Time, past: &[Minute]) -> u64 {
    let first = number(now) - RECENT;
    let recent = past.iter().filter(|minute| minute.number > first);
    let reasons = recent.flat_map(|minute| &minute.reasons);
    let of_servers = reasons.filter(|(reason, _)| reason.starts_with("upstream."));
    of_servers.map(|(_, count)| u64::from(*count)).sum()
}

/// What a plot is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Span {
    Hour,
    Day,
}

impl Span {
    /// Returns how many minutes it has, and how many of them a bar has.
    fn minutes(self) -> (i64, i64) {
        match self {
            Self::Hour => (60, 1),
            Self::Day => (24 * 60, 15),
        }
    }
}

fn plots(words: &Words, now: Time, past: &[Minute], span: Span) -> Markup {
    let (all, each) = span.minutes();
    // The last bar is that of the present.
    let end = (number(now).div_euclid(each) + 1) * each;
    let first = end - all;
    let times = [first, first + all / 2, end].map(clock);
    let unit = if span == Span::Hour { words.a_minute } else { words.a_quarter };
    let plot = |title: &'static str, is_bad: bool, count: fn(&Minute) -> u32| {
        let mut counts = vec![0_u64; usize::try_from(all / each).unwrap_or_default()];
        for minute in past.iter().filter(|minute| minute.number >= first) {
            let place = usize::try_from((minute.number - first) / each).unwrap_or_default();
            if let Some(bar) = counts.get_mut(place) {
                *bar += u64::from(count(minute));
            }
        }
        let sum: u64 = counts.iter().sum();
        let most = counts.iter().copied().max().unwrap_or(0);
        let caption = format!("{sum} {}, {} {most} {unit}", words.in_all, words.at_most);
        Plot { title, caption, counts, times: times.clone(), is_bad }.markup()
    };
    html! {
        div.plots {
            (plot(words.signed_in, false, |minute| minute.signed_in))
            (plot(words.begun, false, |minute| minute.begun))
            (plot(words.refused, true, |minute| minute.refused))
            (plot(words.exchanges, true, |minute| minute.exchanges.1))
        }
    }
}

fn last_hour(now: Time, past: &[Minute]) -> &[Minute] {
    let first = number(now) - 60;
    let at = past.partition_point(|minute| minute.number <= first);
    &past[at..]
}

fn reasons(words: &Words, hour: &[Minute]) -> Markup {
    let mut all = std::collections::BTreeMap::<&str, u64>::new();
    for (reason, count) in hour.iter().flat_map(|minute| &minute.reasons) {
        *all.entry(reason).or_default() += u64::from(*count);
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    html! {
        @if all.is_empty() {
            p { (words.no_refusals) }
        } @else {
            table {
                thead { tr { th scope="col" { (words.reason) } th.number scope="col" { (words.number) } } }
                tbody {
                    @for (reason, count) in all.iter().take(MOST_REASONS) {
                        tr { td.name { code { (reason) } } td.number { (count) } }
                    }
                }
            }
        }
    }
}

fn program(words: &Words, facts: &Facts, past: &[Minute]) -> Markup {
    let hour = last_hour(facts.now, past);
    let asked = hour.iter().any(|minute| minute.exchanges != (0, 0));
    let node = match (is_node_failing(facts.now, past), asked) {
        (true, _) => words.node_failed,
        (false, true) => words.node_well,
        (false, false) => words.node_unasked,
    };
    let (near, maximum) = facts.sessions;
    let (open, most) = facts.connections;
    let (asking, places) = facts.exchanges;
    let store = if facts.store.is_up { words.store_up } else { words.store_away };
    let keys = if facts.are_keys_kept { words.kept } else { words.keys_apart };
    html! {
        dl {
            dt { (words.sessions) } dd { (near) " " (words.of) " " (maximum) }
            dt { (words.connections) } dd { (open) " " (words.of) " " (most) }
            dt { (words.node) } dd { (node) ", " (asking) " " (words.of) " " (places) " " (words.under_way) }
            dt { (words.store) } dd { (facts.store.name) ": " (store) }
            dt { (words.replicas) } dd {
                @match facts.store.replicas { Some(count) => (count), None => (words.replicas_unknown) }
            }
            dt { (words.keys) } dd { (keys) }
            dt { (words.version) } dd { (facts.version) }
            dt { (words.runs_since) } dd { (moment(facts.began)) }
            dt { (words.configured) } dd { (moment(facts.configured)) }
        }
    }
}

fn certificates(words: &Words, facts: &Facts) -> Markup {
    let mut all: Vec<_> = facts.certificates.iter().collect();
    all.sort_by_key(|certificate| certificate.not_after);
    let table = html! {
        table {
            thead {
                tr {
                    th scope="col" { (words.used_for) }
                    th scope="col" { (words.name) }
                    th scope="col" { (words.ends) }
                    th.number scope="col" { (words.days) }
                }
            }
            tbody {
                @for certificate in all {
                    @let left = days_left(certificate, facts.now);
                    tr {
                        td { (certificate.used_for) }
                        td.name { (certificate.name) }
                        td.date { (day(certificate.not_after)) }
                        td class={ "number" @if left < SOON { " ill" } } { (left) }
                    }
                }
            }
        }
    };
    scrolled("certificates", &table)
}

/// A table that is too wide for a small window scrolls by itself, also by the keys.
fn scrolled(heading: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="group" aria-labelledby=(heading) { (table) } }
}

fn upstreams(words: &Words, facts: &Facts) -> Markup {
    let row = |group: &Upstream, server: &Server| {
        html! {
            tr {
                td { (group.name) @if group.pending > 0 { " (" (group.pending) " " (words.waiting) ")" } }
                td.name { (server.address) }
                td class=[(!server.is_well).then_some("ill")] { (server.state) }
                td.number { (server.requests) }
            }
        }
    };
    let table = html! {
        table {
            thead {
                tr {
                    th scope="col" { (words.upstream) }
                    th scope="col" { (words.server) }
                    th scope="col" { (words.state) }
                    th.number scope="col" { (words.requests) }
                }
            }
            tbody {
                @for group in &facts.upstreams {
                    @for server in &group.servers { (row(group, server)) }
                }
            }
        }
    };
    scrolled("upstreams", &table)
}

/// Whole days; those that have ended have fewer than none.
fn days_left(certificate: &Certificate, now: Time) -> i64 {
    (certificate.not_after.as_second() - now.as_second()).div_euclid(24 * 3600)
}

fn moment(time: Time) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn day(time: Time) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// Returns the time of the day at which a minute begins.
fn clock(number: i64) -> String {
    format!("{:02}:{:02}", number.div_euclid(60).rem_euclid(24), number.rem_euclid(60))
}

/// The stylesheet. Its hash is taken from these bytes, so the file must keep LF line ends.
const STYLE: &str = include_str!("style.css");
/// Certificates with fewer days than these end soon.
const SOON: i64 = 30;
/// By how many minutes it is judged whether exchanges with the node fail.
const RECENT: i64 = 10;
/// The state of a server that has left its group, which is nothing to look at.
const LEAVING: &str = "draining";
/// How many reasons are listed.
const MOST_REASONS: usize = 12;
