//! The sheet as a page of HTML to print. It loads nothing from elsewhere.

use maud::{DOCTYPE, html};

use super::markdown::MISSING;
use super::model::{Sheet, Value};
use crate::cli::tools::onboarding::words::Language;

/// Returns the page.
pub(super) fn page(sheet: &Sheet, language: Language) -> String {
    let code = match language {
        Language::En => "en",
        Language::Pl => "pl",
    };
    let page = html! {
        (DOCTYPE)
        html lang=(code) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (sheet.title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { (sheet.title) }
                @for section in &sheet.sections {
                    section {
                        h2 { (section.title) }
                        table {
                            @for (name, value) in &section.rows {
                                tr {
                                    th scope="row" { (name) }
                                    td { (shown(value, language)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn shown(value: &Value, language: Language) -> maud::Markup {
    match value {
        Value::Text(text) => html! { (text) },
        Value::Exact(text) => html! { code { (text) } },
        Value::Block(text) => html! { pre { (text) } },
        Value::Missing => html! { strong { (MISSING.of(language)) } },
    }
}

const STYLE: &str = "\
@page { size: A4; margin: 18mm }
body { font: 10.5pt/1.4 sans-serif; color: #000; max-width: 180mm; margin: 1em auto; padding: 0 1em }
h1 { font-size: 15pt } h2 { font-size: 11.5pt; margin: 1.2em 0 .3em }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #888; padding: .25em .5em; text-align: left; vertical-align: top }
th { width: 32%; font-weight: normal; background: #f2f2f2 }
code, pre { font: 9.5pt/1.3 monospace; overflow-wrap: anywhere; white-space: pre-wrap; margin: 0 }
pre { font-size: 8pt } strong { border: 2px solid #000; padding: 0 .3em }
tr { break-inside: avoid }
";
