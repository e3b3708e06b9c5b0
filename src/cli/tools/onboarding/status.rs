//! `brama onboarding status`: where we are on the way, and whose turn it is.

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::civil::Date;
use jiff::{Span, Unit};
use serde::Serialize;

use super::record::{self, Record, Windows};
use super::seen::{self, Seen};
use super::stage::Stage;
use super::steps::{About, STEPS, Step, Turn, Window};
use super::words::{Language, Words, both};
use crate::base::clock::{Clock, SystemClock, Time};
use crate::base::foreign::{Foreign, escaped_json};
use crate::cli::output::{fail, print};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder that `brama onboarding init` made.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    /// Records a step as done, by its number. Repeat it for several.
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u8).range(1..=16))]
    done: Vec<u8>,
    /// The day on which it was done; left out, today.
    #[arg(long, value_name = "DAY", requires = "done")]
    on: Option<Date>,
    /// Takes back that a step was recorded as done.
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u8).range(1..=16))]
    undo: Vec<u8>,
    /// The language of what is printed.
    #[arg(long, value_enum, default_value = "en")]
    lang: Language,
    /// One JSON object in place of lines for people.
    #[arg(long, conflicts_with = "lang")]
    json: bool,
}

/// Where we are.
#[derive(Debug, Serialize)]
struct Status {
    issuer: String,
    today: Date,
    /// Days since the application for the symulator.
    days: Option<i64>,
    steps: Vec<StepStatus>,
}

/// One step.
#[derive(Debug, Serialize)]
struct StepStatus {
    number: u8,
    title: String,
    state: State,
    done_on: Option<Date>,
    /// Who is to do something: `us`, `operator`.
    turn: Option<&'static str>,
    /// What files show to be missing, or to be different from what they should be.
    missing: Vec<String>,
    /// What contradicts the record.
    contradictions: Vec<String>,
    window: Option<WindowStatus>,
    /// What is to be done.
    task: Option<String>,
}

/// Whether a step was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It is recorded as done.
    Done,
    /// It is due.
    Due,
    /// Others come before it.
    Later,
}

/// How much of a window is used.
#[derive(Debug, Serialize)]
struct WindowStatus {
    days: u16,
    used: i64,
    until: Date,
    is_over: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let now = SystemClock.now();
    let today = record::today(now);
    let on = arguments.on.unwrap_or(today);
    if on > today {
        return fail(format_args!("--on {on}: that day is still to come"));
    }
    let changes: Vec<_> = arguments
        .undo
        .iter()
        .map(|step| (*step, None))
        .chain(arguments.done.iter().map(|step| (*step, Some(on))))
        .collect();
    // What is there must be good before it is changed.
    let status = Record::read(&arguments.dir).and_then(|_| {
        if !changes.is_empty() {
            record::note(&arguments.dir, &changes)?;
        }
        look(arguments, now)
    });
    let status = match status {
        Ok(status) => status,
        Err(why) => return fail(why),
    };
    match arguments.json {
        true => print(escaped_json(&serde_json::json!(status).to_string())),
        false => tell(&status, arguments.lang),
    }
    match status.steps.iter().all(|step| step.contradictions.is_empty()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn look(arguments: &Arguments, now: Time) -> Result<Status, String> {
    let Arguments { dir, lang, .. } = arguments;
    let record = Record::read(dir)?;
    let password = record.password(dir)?;
    let seen = Stage::ALL.map(|stage| seen::look(stage, dir, password.as_ref()));
    let issuer = seen.iter().find_map(|one| one.loaded.as_ref()?.file.service.issuer.clone());
    let today = record::today(now);
    let looking = Looking { record: &record, seen: &seen, today, now, language: *lang };
    Ok(Status {
        issuer: issuer.unwrap_or_default(),
        today,
        days: record.done_on(1).map(|first| days(first, today)),
        steps: STEPS.iter().map(|step| looking.step(step)).collect(),
    })
}

struct Looking<'l> {
    record: &'l Record,
    seen: &'l [Seen; 3],
    today: Date,
    now: Time,
    language: Language,
}

impl Looking<'_> {
    fn step(&self, step: &Step) -> StepStatus {
        let done_on = self.record.done_on(step.number);
        let before: Option<Vec<Date>> =
            step.after.iter().map(|other| self.record.done_on(*other)).collect();
        let state = match (done_on, &before) {
            (Some(_), _) => State::Done,
            (None, Some(_)) => State::Due,
            (None, None) => State::Later,
        };
        let missing = self.missing(step);
        let (missing, mut contradictions) = match state {
            State::Done => (Vec::new(), missing),
            State::Due => (missing, Vec::new()),
            State::Later => (Vec::new(), Vec::new()),
        };
        if let Some(day) = done_on {
            contradictions.extend(self.wrong_order(step, day));
        }
        let begun = before.unwrap_or_default().into_iter().max();
        let window = step.window.zip(begun).map(|(window, begun)| {
            window_status(window, &self.record.windows, begun, done_on.unwrap_or(self.today))
        });
        let is_due = state == State::Due;
        StepStatus {
            number: step.number,
            title: step.title.of(self.language).to_owned(),
            state,
            done_on,
            turn: is_due.then(|| self.turn(step, &missing)),
            task: is_due.then(|| self.task(step, &missing)),
            missing,
            contradictions,
            window: window.filter(|_| state != State::Later),
        }
    }

    fn wrong_order(&self, step: &Step, day: Date) -> Vec<String> {
        let mut wrong = Vec::new();
        if day > self.today {
            let what = both("its day is still to come", "jego dzień dopiero nadejdzie");
            wrong.push(self.say(what));
        }
        for other in step.after {
            let what = match self.record.done_on(*other) {
                None => both(
                    "step {} is not recorded as done",
                    "krok {} nie jest zapisany jako wykonany",
                ),
                Some(before) if before > day => both(
                    "step {} is recorded as done later",
                    "krok {} jest zapisany jako wykonany później",
                ),
                Some(_) => continue,
            };
            wrong.push(self.say(what).replace("{}", &other.to_string()));
        }
        wrong
    }

    /// Says what files show to be missing of a step.
    fn missing(&self, step: &Step) -> Vec<String> {
        let seen = step.stage.map(|stage| &self.seen[stage as usize]);
        let Some(seen) = seen else { return Vec::new() };
        let certificates = || seen.missing_certificates().into_iter().map(|what| self.say(what));
        match step.about {
            About::People => Vec::new(),
            About::Contact => self.missing_contacts(),
            About::Certificates | About::Sheet => certificates().collect(),
            About::BoughtCertificates => {
                let integration = &self.seen[Stage::Integration as usize];
                let differs = both(
                    "not technically identical with that of integration",
                    "różni się technicznie od integracyjnego",
                );
                let differences = seen.differences(integration, self.now);
                let differences =
                    differences.iter().map(|one| format!("{}: {one}", self.say(differs)));
                certificates().chain(differences).collect()
            }
            About::Configuration => seen.errors.clone(),
        }
    }

    /// Says what is missing of the technical contact, and of that for security when it is begun.
    fn missing_contacts(&self) -> Vec<String> {
        let contacts = &self.record.contacts;
        let security = Some(&contacts.security).filter(|contact| !contact.is_empty());
        let named = [("technical", Some(&contacts.technical)), ("security", security)];
        let named = named.into_iter().filter_map(|(name, contact)| {
            let missing = contact?.missing().into_iter().map(|words| self.say(words));
            let missing: Vec<String> = missing.collect();
            let line = || format!("onboarding.toml: [contacts.{name}]: {}", missing.join(", "));
            (!missing.is_empty()).then(line)
        });
        named.collect()
    }

    fn turn(&self, step: &Step, missing: &[String]) -> &'static str {
        match step.turn {
            Turn::Us => "us",
            Turn::Operator => "operator",
            // The requests are there, so that what is missing is with those who issue.
            Turn::Both if step.about == About::Certificates && !missing.is_empty() => {
                "us, then operator"
            }
            Turn::Both if step.about == About::Sheet && missing.is_empty() => "us, then operator",
            Turn::Both => "us",
        }
    }

    fn task(&self, step: &Step, missing: &[String]) -> String {
        let is_seen = matches!(step.about, About::Certificates | About::BoughtCertificates);
        if is_seen && missing.is_empty() {
            let number = step.number;
            let what = both("all is in place; record it: ", "wszystko jest na miejscu; zapisz: ");
            return format!("{}brama onboarding status --done {number}", self.say(what));
        }
        self.say(step.task)
    }

    fn say(&self, words: Words) -> String {
        words.of(self.language).to_owned()
    }
}

fn window_status(window: Window, windows: &Windows, begun: Date, until: Date) -> WindowStatus {
    let days_given = match window {
        Window::Verification => windows.verification_days,
        Window::Tests => windows.tests_days,
        Window::Decision => windows.decision_days,
    };
    let used = days(begun, until);
    WindowStatus {
        days: days_given,
        used,
        until: begun.saturating_add(Span::new().days(i64::from(days_given))),
        is_over: used > i64::from(days_given),
    }
}

/// Returns the days from one day to another.
fn days(from: Date, until: Date) -> i64 {
    from.until((Unit::Day, until)).map_or(0, |span| i64::from(span.get_days()))
}

fn tell(status: &Status, language: Language) {
    let say = |en: &'static str, pl: &'static str| both(en, pl).of(language);
    let Status { issuer, today, days, steps } = status;
    let done = steps.iter().filter(|step| step.state == State::Done).count();
    let issuer = Foreign::new(issuer);
    let since = match days {
        Some(days) => {
            format!(
                ", {} {days} {}",
                say("day", "dzień"),
                say("since the application", "od złożenia wniosku")
            )
        }
        None => String::new(),
    };
    let of =
        say("steps done: {} of 16", "wykonane kroki: {} z 16").replace("{}", &done.to_string());
    print(format_args!("{issuer}: {of}{since} ({today})"));
    for step in steps {
        tell_step(step, language);
    }
    let next = say("record a step: ", "zapisz krok: ");
    print(format_args!("{next}brama onboarding status --done N [--on {today}]"));
}

fn tell_step(step: &StepStatus, language: Language) {
    let say = |en: &'static str, pl: &'static str| both(en, pl).of(language);
    let state = match (step.state, step.done_on, step.turn) {
        (State::Done, Some(day), _) => format!("{} {day}", say("done", "ok  ")),
        (State::Due, _, Some("operator")) => say("OPERATOR", "OPERATOR").to_owned(),
        (State::Due, _, Some("us")) => say("YOUR TURN", "TWOJA KOLEJ").to_owned(),
        (State::Due, ..) => say("YOU, OPERATOR", "TY, OPERATOR").to_owned(),
        _ => say("later", "później").to_owned(),
    };
    let window = step.window.as_ref().map(|window| {
        let WindowStatus { days, used, until, is_over } = window;
        let count = format!("{used} {} {days} {}", say("of", "z"), say("days", "dni"));
        match (step.state, is_over) {
            (State::Done, _) => format!(" ({count})"),
            (_, false) => format!(" ({count}, {} {until})", say("until", "do")),
            (_, true) => format!(" ({count}, {} {until})", say("OVER since", "PO TERMINIE od")),
        }
    });
    let (number, title) = (step.number, &step.title);
    print(format_args!(" {number:>2}  {state:<15} {title}{}", window.unwrap_or_default()));
    let line = |what: &str, text: &str| print(format_args!("     {:<15} {what}: {text}", ""));
    for missing in &step.missing {
        line(say("missing", "brak"), missing);
    }
    for contradiction in &step.contradictions {
        line(say("recorded as done, but", "zapisany jako wykonany, ale"), contradiction);
    }
    if let Some(task) = &step.task {
        line(say("do", "zrób"), task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_counted_in_days_from_the_step_before() {
        let windows = Windows::default();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let status =
            |until| window_status(Window::Verification, &windows, day("2026-11-02"), day(until));
        let first = status("2026-11-02");
        assert_eq!(
            (first.days, first.used, first.until, first.is_over),
            (21, 0, day("2026-11-23"), false)
        );
        assert_eq!((status("2026-11-23").used, status("2026-11-23").is_over), (21, false));
        assert_eq!((status("2026-11-24").used, status("2026-11-24").is_over), (22, true));
        // Over the change of the clocks and of the year.
        assert_eq!(days(day("2026-10-20"), day("2027-01-02")), 74);
    }
}
