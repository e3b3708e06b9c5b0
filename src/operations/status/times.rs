//! The table of how long things took.

use maud::{Markup, html};

use super::durations::{Lasted, What};
use super::words::Words;
use crate::observe::metrics::histogram::Spread;

/// Writes the table: in the last hour and day, how often, and within what time half and nearly all of it
/// ended. A time is the bound of a bucket, which it does not exceed.
pub(super) fn table(words: &Words, lasted: &[Lasted]) -> Markup {
    let cells = |spread: &Spread| {
        html! {
            td.number { (spread.count()) }
            td.number { (time(words, spread, 0.5)) }
            td.number { (time(words, spread, 0.99)) }
        }
    };
    let spans = [words.hour, words.day];
    html! {
        table.times {
            thead {
                tr {
                    th scope="col" rowspan="2" { (words.what) }
                    @for span in spans { th.group scope="colgroup" colspan="3" { (span) } }
                }
                tr {
                    @for _ in spans {
                        th.number scope="col" { (words.number) }
                        th.number scope="col" { (words.half) }
                        th.number scope="col" { (words.nearly_all) }
                    }
                }
            }
            tbody {
                @for one in lasted {
                    tr { th.name scope="row" { (name(words, &one.what)) } (cells(&one.hour)) (cells(&one.day)) }
                }
            }
        }
    }
}

fn name(words: &Words, what: &What) -> String {
    match what {
        What::Upstream(name) => format!("{}: {name}", words.until_answered),
        What::Resolve => words.resolve.to_owned(),
        What::Logout => words.logout.to_owned(),
        What::Store => words.store.to_owned(),
    }
}

fn time(words: &Words, spread: &Spread, share: f64) -> String {
    let written = |seconds: f64| {
        let text = match seconds < 1.0 {
            true => format!("{} ms", (seconds * 10_000.0).round() / 10.0),
            false => format!("{seconds} s"),
        };
        text.replace('.', words.decimal)
    };
    match spread.within(share) {
        None => "–".to_owned(),
        Some(bound) if bound.is_finite() => format!("≤ {}", written(bound)),
        Some(_) => format!("> {}", written(spread.longest())),
    }
}
