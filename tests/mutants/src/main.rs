//! Writes mutations into a copy of the sources, each behind a switch, so that one build has them all.
//!
//!     brama-mutants ROOT LEFT_OUT FILE...
//!
//! 1. A mutation is a rule taken away: a condition that is not looked at, a statement that is not
//!    run, a function that says the same always, a comparison with the other bound.
//! 2. `BRAMA_MUTANT=7` switches the seventh on. Without it the program is what it was, and with
//!    `BRAMA_REACHED=FILE` it writes down who came by which mutation: the test that nextest runs,
//!    or the thread, since a test has one of its name.
//! 3. Nothing moves to another line, so an error of the compiler names the line of the mutations
//!    that do not fit; `LEFT_OUT` lists them, one `FILE:LINE` a line. A line that is listed twice
//!    has an error that stands elsewhere: then no assignment of the file is taken away.
//! 4. Written out is a list: number, place, and what is done.
//!
//! Tests, constants and functions that are constant are passed over.

mod find;

use std::collections::HashSet;
use std::path::Path;
use std::{env, fs};

use find::{Insertion, Mutation};

/// What asks for the switch; it is added to `src/lib.rs`.
const SWITCH: &str = r#"
#[doc(hidden)]
#[allow(missing_docs)]
pub mod mutant {
    use std::cell::RefCell;
    use std::fs::File;
    use std::io::Write;
    use std::sync::OnceLock;
    use std::{env, mem, thread};

    static ON: OnceLock<u32> = OnceLock::new();
    static REACHED: OnceLock<Option<File>> = OnceLock::new();

    thread_local! {
        static SEEN: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
    }

    pub fn on(number: u32) -> bool {
        let read = || env::var("BRAMA_MUTANT").ok().and_then(|text| text.parse().ok());
        let on = *ON.get_or_init(|| read().unwrap_or(0));
        if on == 0 {
            reach(number);
        }
        on == number
    }

    fn reach(number: u32) {
        let open = || {
            let path = env::var_os("BRAMA_REACHED")?;
            File::options().append(true).create(true).open(path).ok()
        };
        let Some(mut file) = REACHED.get_or_init(open).as_ref() else { return };
        let _ = SEEN.try_with(|seen| {
            let Ok(mut seen) = seen.try_borrow_mut() else { return };
            let place = number as usize;
            if seen.len() <= place {
                seen.resize(place + 1, false);
            }
            if !mem::replace(&mut seen[place], true) {
                let thread = thread::current();
                let test = env::var("NEXTEST_TEST_NAME").ok();
                let name = test.as_deref().or(thread.name()).unwrap_or("?");
                let _ = file.write_all(format!("{number}\t{name}\n").as_bytes());
            }
        });
    }
}
"#;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [root, left_out, files @ ..] = arguments.as_slice() else {
        panic!("brama-mutants ROOT LEFT_OUT FILE...");
    };
    let root = Path::new(root);
    let left_out = fs::read_to_string(left_out).unwrap_or_default();
    let (mut lines, mut files_of_moves) = (HashSet::new(), HashSet::new());
    for line in left_out.lines() {
        if !lines.insert(line) {
            files_of_moves.extend(line.split(':').next());
        }
    }
    let mut number = 0;
    for file in files {
        let path = root.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
        let mut insertions = Vec::new();
        for mutation in find::mutations(&text) {
            number += 1;
            let Mutation { line, last_line, is_assignment, what, .. } = &mutation;
            let is_left_out = |line| lines.contains(format!("{file}:{line}").as_str());
            let is_move = *is_assignment && files_of_moves.contains(file.as_str());
            if !(is_left_out(line) || is_left_out(last_line) || is_move) {
                println!("{number}\t{file}:{line}\t{what}");
                insertions.extend(mutation.insertions(number));
            }
        }
        fs::write(&path, insert(&text, insertions)).unwrap_or_else(|e| panic!("{file}: {e}"));
    }
    let library = root.join("src/lib.rs");
    let text = fs::read_to_string(&library).expect("src/lib.rs is there");
    if !text.contains("pub mod mutant {") {
        fs::write(library, text + SWITCH).expect("src/lib.rs can be written");
    }
}

/// What opens further out comes first where two open at one place, and last where they close.
fn insert(text: &str, mut insertions: Vec<Insertion>) -> String {
    insertions.sort_by_key(|insertion| (insertion.at, insertion.order));
    let mut result = String::new();
    let mut from = 0;
    for Insertion { at, text: inserted, .. } in insertions {
        result.push_str(&text[from..at]);
        result.push_str(&inserted);
        from = at;
    }
    result + &text[from..]
}
