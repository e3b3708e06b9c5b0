//! The pages for readers lead somewhere, on a code host and in rustdoc.
//!
//! A code host follows the paths that a page has at its end; rustdoc takes the definitions of
//! `src/manual/links.md` before them, and checks those itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use brama::doctor::Check;

/// A page: where it stands, and its text without blocks of code.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Where a link leads, as it is written: `operations.md#stopping`.
struct Link {
    target: String,
    is_inline: bool,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let whole = fs::read_to_string(&path).unwrap();
        let mut is_code = false;
        let mut text = String::new();
        for line in whole.lines() {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            if !is_fence && !is_code {
                text.push_str(line);
                text.push('\n');
            }
        }
        assert!(!is_code, "{}: a block of code does not end", path.display());
        Self { path, text }
    }

    pub(crate) fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    /// What the references of the page refer to.
    fn definitions(&self) -> BTreeMap<&str, &str> {
        let lines = self.text.lines().filter(|line| line.starts_with('['));
        let pairs = lines.filter_map(|line| line[1..].split_once("]: "));
        pairs.filter(|(label, target)| !label.contains(']') && !target.contains(' ')).collect()
    }

    /// The text, without what brackets and parentheses mean in code.
    fn prose(&self) -> String {
        let is_bracket = |c: char| "[]()".contains(c);
        let parts = self.text.split('`').enumerate();
        let parts = parts.map(|(number, part)| match number % 2 {
            0 => part.to_owned(),
            _ => part.replace(is_bracket, ""),
        });
        parts.collect::<Vec<_>>().join("`")
    }

    fn links(&self) -> Vec<Link> {
        let prose = self.prose();
        let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let inline = inline.map(|target| Link { target: target.to_owned(), is_inline: true });
        let defined = self.definitions();
        let defined = defined.into_values();
        let defined = defined.map(|target| Link { target: target.to_owned(), is_inline: false });
        inline.chain(defined).filter(|link| !link.target.contains("://")).collect()
    }

    /// The anchors of its headings, as code hosts make them.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        let anchor = |heading: &str| {
            let kept = heading.trim_start_matches('#').trim().chars();
            let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        };
        headings.map(anchor).collect()
    }
}

/// The folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page that is Markdown: of the manual, and those beside what they are about.
pub(crate) fn pages() -> Vec<Page> {
    let mut found = Vec::new();
    for folder in ["", "docs", "benches", "config", "deploy", "tests"] {
        collect(&root().join(folder), !folder.is_empty(), &mut found);
    }
    assert!(found.len() > 20, "pages were found");
    found
}

fn collect(folder: &Path, goes_down: bool, found: &mut Vec<Page>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if goes_down && !path.ends_with("node_modules") {
                collect(&path, goes_down, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(Page::read(path));
        }
    }
}

/// The pages of the manual, the guides in their folders among them.
pub(crate) fn manual() -> Vec<Page> {
    pages().into_iter().filter(|page| page.path.starts_with(root().join("docs"))).collect()
}

#[test]
fn every_link_of_a_page_leads_to_a_file_and_a_heading_that_are_there() {
    let mut wrong = Vec::new();
    for page in pages() {
        for Link { target, .. } in page.links() {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => page.path.clone(),
                file => page.path.parent().unwrap().join(file),
            };
            if !path.exists() {
                wrong.push(format!("{}: {target} is nowhere", page.name()));
            } else if !anchor.is_empty() && !Page::read(path).anchors().contains(anchor) {
                wrong.push(format!("{}: no heading makes {target}", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_reference_is_defined_and_every_definition_is_used() {
    let mut wrong = Vec::new();
    for page in pages() {
        let definitions = page.definitions();
        for label in definitions.keys() {
            let used = page.text.matches(&format!("[{label}]")).count();
            if used < 2 {
                wrong.push(format!("{}: nothing refers to [{label}]", page.name()));
            }
        }
        // `[text][label]`; a lone `[label]` is a link only when it is defined.
        for rest in page.prose().split("][").skip(1) {
            let label = rest.split(']').next().unwrap();
            if !definitions.contains_key(label) {
                wrong.push(format!("{}: [{label}] is not defined", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_of_the_manual_is_in_its_index_and_in_rustdoc() {
    let modules = fs::read_to_string(root().join("src/manual/mod.rs")).unwrap();
    for page in manual() {
        let name = page.name();
        assert!(modules.contains(&format!("\"../../{name}\"")), "{name} is not in src/manual");
        // The index of a folder has its pages, and stands in the index above.
        let is_index = page.path.ends_with("README.md");
        let folder = page.path.parent().unwrap();
        let above = if is_index { folder.parent().unwrap() } else { folder };
        if above == root() {
            continue;
        }
        let index = Page::read(above.join("README.md"));
        let listed = index.links().into_iter().map(|link| above.join(link.target));
        assert!(listed.into_iter().any(|path| path == page.path), "{name} is in no index");
    }
}

/// What a reader of rustdoc clicks is what a reader of files clicks.
#[test]
fn the_manual_refers_to_the_same_in_files_and_in_rustdoc() {
    let links = Page::read(root().join("src/manual/links.md"));
    let links = links.definitions();
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for page in manual() {
        // To a heading of the same page: its anchor is the same in both.
        let is_elsewhere = |link: &Link| link.is_inline && !link.target.starts_with('#');
        for link in page.links().into_iter().filter(is_elsewhere) {
            wrong.push(format!("{}: {} is no reference", page.name(), link.target));
        }
        for (label, target) in page.definitions() {
            if target.contains("://") {
                continue;
            }
            used.insert(label.to_owned());
            let expected = links.get(label).map(|item| file_of(item));
            let path = page.path.parent().unwrap().join(target.split('#').next().unwrap());
            let is_same = expected.as_ref().is_some_and(|expected| has(expected, &path));
            if !is_same {
                wrong.push(format!("{}: [{label}] is {target}, and {expected:?}", page.name()));
            }
        }
    }
    let surplus = links.keys().filter(|label| !used.contains(**label));
    wrong.extend(surplus.map(|label| format!("src/manual/links.md: nobody uses [{label}]")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The file that has an item: the page of a module of the manual, or the source of another.
fn file_of(item: &str) -> PathBuf {
    let item = item.split('#').next().unwrap();
    let mut parts: Vec<_> = item.split("::").skip(1).collect();
    if let ["manual", pages @ ..] = &parts[..] {
        let page = format!("docs/{}", pages.join("/").replace('_', "-"));
        let index = root().join(&page).join("README.md");
        return if index.is_file() { index } else { root().join(format!("{page}.md")) };
    }
    while !parts.is_empty() {
        let inside = format!("src/{}", parts.join("/"));
        for file in [format!("{inside}.rs"), format!("{inside}/mod.rs")] {
            if root().join(&file).is_file() {
                return root().join(file);
            }
        }
        parts.pop();
    }
    root().join("src/lib.rs")
}

/// Whether an item of a file is in another: in the same, or what a folder's `mod.rs` gives out is
/// in a file beside it.
fn has(file: &Path, other: &Path) -> bool {
    let other = other.canonicalize().unwrap_or_default();
    other == file || file.ends_with("mod.rs") && other.starts_with(file.parent().unwrap())
}

/// A block without a language is Rust to rustdoc, which compiles it.
#[test]
fn every_block_of_code_says_its_language() {
    let mut wrong = Vec::new();
    for page in manual() {
        let text = fs::read_to_string(&page.path).unwrap();
        let fences = text.lines().enumerate().filter(|(_, line)| line.trim().starts_with("```"));
        for (number, _) in fences.step_by(2).filter(|(_, line)| line.trim() == "```") {
            wrong.push(format!("{}:{}", page.name(), number + 1));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A path in backticks, such as `deploy/nginx/brama.conf`, is one that a reader looks for.
#[test]
fn every_file_that_a_page_names_is_there() {
    let mut wrong = Vec::new();
    for page in pages().iter().filter(|page| !page.path.ends_with("CHANGELOG.md")) {
        let folders = ["src/", "docs/", "tests/", "benches/", "config/", "deploy/"];
        for name in page.text.split('`').skip(1).step_by(2) {
            let is_path = folders.iter().any(|folder| name.starts_with(folder))
                && !name.contains(|c: char| c.is_whitespace() || "*<>{}…".contains(c));
            let is_there = || root().join(name).exists() || beside(&page.path, name).exists();
            if is_path && !is_there() {
                wrong.push(format!("{}: {name}", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "named, and nowhere:\n{}", wrong.join("\n"));
}

/// Each check of the doctor has its row, in the order of the report, and says what it looks at as the
/// program does.
#[test]
fn the_page_of_the_doctor_has_every_check() {
    let text = fs::read_to_string(root().join("docs/doctor.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.trim_end_matches(" |").split(" | ");
        let id = cells.next()?.strip_suffix('`').filter(|id| id.contains('.'))?;
        Some((id.to_owned(), cells.next()?.to_owned(), cells.next()?.to_owned()))
    });
    let rows: Vec<_> = rows.collect();
    let listed: Vec<_> = rows.iter().map(|(id, looks, _)| (&**id, &**looks)).collect();
    let known: Vec<_> = Check::ALL.iter().map(|check| (check.id(), check.looks_at())).collect();
    assert_eq!(listed, known);
    assert!(rows.iter().all(|(_, _, advice)| advice.len() > 5), "each says what to do");
}

fn beside(page: &Path, name: &str) -> PathBuf {
    page.parent().unwrap().join(name)
}

/// What an example shows of itself: its lines between the two marks, without their indentation.
fn shown(example: &Path) -> String {
    let text = fs::read_to_string(example).unwrap_or_else(|e| panic!("{}: {e}", example.display()));
    let is_mark = |line: &str, mark: &str| line.trim_start_matches(['/', '#', ' ']) == mark;
    let lines = text.lines().skip_while(|line| !is_mark(line, "--- who it is")).skip(1);
    let lines: Vec<_> = lines.take_while(|line| !is_mark(line, "--- end")).collect();
    assert!(!lines.is_empty(), "{}: nothing stands between the marks", example.display());
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let least = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines = lines.iter().map(|line| line.get(least..).unwrap_or_default().trim_end());
    lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

/// Cuts the blocks of a page that say where they are from out of the files anew. Returns the page
/// and the files.
fn with_examples(text: &str) -> (String, BTreeSet<String>) {
    let mut examples = BTreeSet::new();
    let mut cut = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        cut.push(line.to_owned());
        let name = line.strip_prefix("<!-- from ").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(name) = name else { continue };
        let fence = lines.next().expect("a block follows");
        assert!(fence.starts_with("```"), "{name}: a block follows, not {fence}");
        cut.extend([fence.to_owned(), shown(&root().join(name)), "```".to_owned()]);
        assert!(lines.any(|line| line == "```"), "{name}: the block ends");
        examples.insert(name.to_owned());
    }
    (cut.join("\n") + "\n", examples)
}

/// They run in the tests of backends and portals; what a page shows is what ran. With `BRAMA_CUT=1` the pages
/// are written anew.
#[test]
fn what_a_page_shows_of_an_example_is_cut_from_it() {
    let mut shown = BTreeSet::new();
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page.path).unwrap();
        let (cut, examples) = with_examples(&text);
        shown.extend(examples);
        if cut != text && std::env::var_os("BRAMA_CUT").is_some() {
            fs::write(&page.path, cut).unwrap();
        } else if cut != text {
            wrong.push(page.name());
        }
    }
    assert!(wrong.is_empty(), "cut them anew with BRAMA_CUT=1: {}", wrong.join(", "));
    // Each example is on a page.
    let folders = ["deploy/backends", "deploy/portals"];
    for entry in folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap()) {
        let folder = entry.unwrap().path();
        let name = folder.strip_prefix(root()).unwrap().display().to_string();
        let is_shown = shown.iter().any(|example| example.starts_with(&format!("{name}/")));
        assert!(is_shown || !folder.is_dir(), "{name} is on no page");
        assert!(!folder.is_dir() || folder.join("README.md").is_file(), "{name} has no README.md");
    }
}
