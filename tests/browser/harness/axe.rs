//! axe-core, which finds what keeps people from using a page (WCAG 2.2 and good practice).

use std::path::PathBuf;
use std::{env, fs};

use super::citizen::Citizen;

/// The judge, as a script.
pub(crate) struct Axe(String);

impl Axe {
    /// Finds it where `tests/browser/setup.sh` put it.
    pub(crate) fn find() -> Option<Self> {
        let all = env::var_os("BRAMA_BACKENDS").map(PathBuf::from);
        let script = all.and_then(|all| fs::read_to_string(all.join("axe/axe.min.js")).ok());
        if script.is_none() {
            super::tools::skip(
                "axe-core is not there (tests/browser/setup.sh \"$BRAMA_BACKENDS\")",
            );
        }
        script.map(Self)
    }

    /// Returns what is wrong with the page that the citizen sees, a line each.
    pub(crate) async fn judges(&self, citizen: &Citizen) -> Vec<String> {
        let script = format!(
            "if (!window.axe) {{ {} }}\n\
             const done = arguments[0];\n\
             axe.run(document, {{ preload: false, resultTypes: ['violations'] }})\
             .then((found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) =>\
             `${{rule.id}}: ${{node.target.join(' ')}}: ${{node.failureSummary}}`))),\
             (error) => done(['axe: ' + error]));",
            self.0
        );
        let found = citizen.runs_to_its_end(&script).await;
        let lines = found.as_array().expect("a list").iter();
        lines.map(|line| line.as_str().unwrap().replace('\n', " ")).collect()
    }
}
