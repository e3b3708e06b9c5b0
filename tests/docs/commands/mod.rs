//! What a page tells to type is what the program takes, and it runs.
//!
//! 1. Every line with `brama` in a block, and every span of code that begins with it, is read by the
//!    parser of the program ([`brama::cli::understands`]).
//! 2. Every block of `sh` and `console` runs, page by page, in the order in which a reader comes to it
//!    ([`world`]). What cannot run here stands in a list with the reason ([`excuses`]).
//! 3. A block that is cut from a file (`<!-- from … -->`) runs with that file, in other tests.

mod blocks;
mod excuses;
mod world;

use std::fs;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use self::blocks::{Block, blocks, commands, spans};
use self::excuses::{EXCUSES, LINES_OF_THE_LOG};
use crate::pages::{pages, root};

/// A page with commands: its name and its text.
struct Told {
    name: String,
    text: String,
}

/// Every page but the changelog, which tells of what was.
fn all() -> Vec<Told> {
    let names = pages().into_iter().map(|page| page.name()).filter(|name| name != "CHANGELOG.md");
    let read = |name: String| {
        let text = fs::read_to_string(root().join(&name)).unwrap();
        Told { name, text }
    };
    let mut pages: Vec<_> = names.map(read).collect();
    pages.sort_by(|one, other| one.name.cmp(&other.name));
    pages
}

/// Those whose blocks run. What stands beside an example runs with the example, in other tests.
fn told() -> Vec<Told> {
    let is_told = |page: &Told| page.name.starts_with("docs/") || !page.name.contains('/');
    all().into_iter().filter(is_told).collect()
}

/// What is wrong with the commands of a page, as far as their words say.
fn misunderstood(page: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    for block in blocks(&page.text) {
        for words in commands(&block.typed()) {
            if let Err(why) = brama::cli::understands(&words, true) {
                wrong.push(format!("{}:{}: {}\n{why}", page.name, block.line, words.join(" ")));
            }
        }
    }
    let is_line = |span: &String| LINES_OF_THE_LOG.contains(&span.as_str());
    for span in spans(&page.text).into_iter().filter(|span| !is_line(span)) {
        for words in commands(&span) {
            if let Err(why) = brama::cli::understands(&words, false) {
                wrong.push(format!("{}: `{span}`\n{why}", page.name));
            }
        }
    }
    wrong
}

#[test]
fn the_program_takes_every_command_of_the_pages() {
    let pages = all();
    let wrong: Vec<_> = pages.iter().flat_map(misunderstood).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let count: usize = pages
        .iter()
        .flat_map(|page| blocks(&page.text))
        .map(|block| commands(&block.typed()).len())
        .sum();
    assert!(count > 40, "{count} commands were found");
}

/// The commands of the program, as its help lists them.
fn listed() -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_brama")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(String::from).collect()
}

#[test]
fn every_command_of_the_program_is_told_on_a_page() {
    let pages = told();
    let is_told = |name: &String| {
        let mut typed = pages.iter().flat_map(|page| {
            let blocks = blocks(&page.text).into_iter().map(|block| block.typed());
            blocks.chain(spans(&page.text)).flat_map(|typed| commands(&typed)).collect::<Vec<_>>()
        });
        typed.any(|words| words.first() == Some(name))
    };
    let commands = listed();
    assert!(commands.len() > 15, "{commands:?}");
    let wrong: Vec<_> = commands.iter().filter(|name| !is_told(name)).collect();
    assert!(wrong.is_empty(), "no page tells of {wrong:?}");
    assert!(!is_told(&String::from("undo")));
}

/// What stands behind a prompt is a command, whatever its block says.
#[test]
fn no_command_hides_in_a_block_of_text() {
    let hides = |text: &str| text.contains("```text\n$ ");
    let pages = told();
    let wrong: Vec<_> =
        pages.iter().filter(|page| hides(&page.text)).map(|page| &page.name).collect();
    assert!(wrong.is_empty(), "write ```console in {wrong:?}");
    assert!(hides("```text\n$ brama check\n```\n"));
}

#[test]
fn a_page_with_a_wrong_option_is_told() {
    let page = |text: &str| Told { name: String::from("page.md"), text: text.to_owned() };
    for good in [
        "```sh\nbrama check --config brama.toml && brama reason login.expired > file # why\n```\n",
        "```console\n$ brama certs csr signing \\\n    --issuer \"a b\"\nwhat --it says\n```\n",
        "- ```sh\n  kubectl exec pod -- /usr/bin/brama keys list --config /etc/brama/brama.toml\n  ```\n",
        "`brama explain`, `brama keys retire KID` and `brama --help`",
    ] {
        assert_eq!(misunderstood(&page(good)), Vec::<String>::new(), "{good}");
    }
    for bad in [
        "```sh\nbrama check --configuration brama.toml\n```\n",
        "```sh\nBRAMA_LEVEL=high cargo run -- demmo\n```\n",
        "```sh\ncurl -H \"X-Brama-Assertion: $(brama token --persona zofia)\" localhost:3000\n```\n",
        "```console\n$ brama certs csr signing --out keys\n```\n",
        "    - ```sh\n      kubectl exec pod -- /usr/bin/brama keys lst\n      ```\n",
        "`brama certs compair`",
    ] {
        assert_eq!(misunderstood(&page(bad)).len(), 1, "{bad}");
    }
}

/// The reason why a block does not run here, if there is one.
fn excuse(page: &str, block: &Block) -> Option<&'static str> {
    let typed = block.typed();
    let is_meant = |(of, begin, _): &&(&str, &str, &str)| *of == page && typed.starts_with(begin);
    let listed = EXCUSES.iter().find(is_meant).map(|(_, _, why)| *why);
    listed.or(block.is_cut.then_some("it is cut from a file that runs whole in other tests"))
}

#[test]
fn every_excuse_is_needed() {
    let pages = told();
    for (name, begin, why) in EXCUSES {
        let page = pages.iter().find(|page| page.name == *name);
        let page = page.unwrap_or_else(|| panic!("{name} is no page"));
        let count = blocks(&page.text).iter().filter(|b| b.typed().starts_with(begin)).count();
        assert_eq!(count, 1, "{name}: {begin} ({why})");
    }
}

/// The blocks of a page that run, each with its name.
fn story(page: &Told) -> Vec<(String, String)> {
    let all = blocks(&page.text);
    let run = all.iter().filter(|block| excuse(&page.name, block).is_none());
    run.map(|block| (format!("{}:{}", page.name, block.line), block.typed())).collect()
}

#[test]
fn the_commands_of_the_pages_run() {
    if !world::is_possible() {
        return;
    }
    let stories: Vec<_> = told().into_iter().map(|page| (story(&page), page.name)).collect();
    let count: usize = stories.iter().map(|(story, _)| story.len()).sum();
    // Pages know nothing of each other, so two run at a time.
    let waiting = Mutex::new(stories.iter());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some((story, name)) = next else { break };
                    if let Err(why) = world::run(name, story) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let pages = told();
    let all: usize = pages.iter().map(|page| blocks(&page.text).len()).sum();
    let is_cut = pages.iter().flat_map(|page| blocks(&page.text)).filter(|block| block.is_cut);
    eprintln!("{count} of {all} blocks ran");
    assert_eq!(count + EXCUSES.len() + is_cut.count(), all);
}

#[test]
fn a_block_that_fails_is_told() {
    if !world::is_possible() {
        return;
    }
    let page = |text: &str| Told { name: String::from("page.md"), text: text.to_owned() };
    let good = "```sh\nbrama reason login.expired | grep -q citizen\n```\n";
    assert_eq!(world::run("page.md", &story(&page(good))), Ok(()));
    let bad = format!("{good}\n```sh\nbrama reason login.expird\ntrue\n```\n");
    let why = world::run("page.md", &story(&page(&bad))).unwrap_err();
    assert!(why.contains("page.md:5") && why.contains("there is no reason code"), "{why}");
}
