//! Reads the imports of a crate: which file takes something from which other file.
//!
//! 1. A path counts wherever it stands: in a `use`, in an expression, a type, an attribute or the
//!    tokens of a macro; from `crate`, `super` or `self`, and from the name of a child module.
//! 2. What is compiled for tests only does not count, file or item, and what follows it does.
//! 3. A path belongs to the file of the longest module that it begins with. A name that this file
//!    has from another one belongs to that one.
//! 4. `mod x;` is no import, and neither is handing on a name of a module below (`pub use`): the
//!    file is its face then, and whoever takes the name takes it from below.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

/// A crate, by the path of each file below `src`.
pub(crate) struct House {
    /// What each file imports, by the paths of files.
    pub(crate) imports: BTreeMap<String, BTreeSet<String>>,
}

impl House {
    /// Reads the files of a crate, given as path below `src` and text.
    pub(crate) fn read<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let parsed: BTreeMap<String, syn::File> = files
            .into_iter()
            .map(|(path, text)| {
                let file = syn::parse_file(text).unwrap_or_else(|e| panic!("{path}: {e}"));
                (path.to_owned(), file)
            })
            .collect();
        // 1. Which module stands in which file, and which files are for tests only.
        let modules: BTreeMap<Vec<String>, &str> =
            parsed.keys().map(|path| (module(path), &**path)).collect();
        let mut for_tests = BTreeSet::new();
        for (path, file) in &parsed {
            let mut declared = Declared { module: module(path), for_tests: Vec::new() };
            declared.visit_file(file);
            for module in declared.for_tests {
                let below = modules.range(module.clone()..);
                let below = below.take_while(|(other, _)| other.starts_with(&module));
                for_tests.extend(below.map(|(_, path)| (*path).to_owned()));
            }
        }
        // 2. What paths stand in each of the others, and which names it has from elsewhere.
        let mut all = BTreeMap::new();
        for (path, file) in &parsed {
            if for_tests.contains(path) {
                continue;
            }
            let here = module(path);
            let children = modules
                .keys()
                .filter(|other| other.len() == here.len() + 1 && other.starts_with(&here));
            let children = children.filter_map(|child| child.last().cloned()).collect();
            let mut paths =
                Paths { here, children, depth: 0, found: BTreeSet::new(), names: BTreeMap::new() };
            paths.visit_file(file);
            all.insert(&**path, paths);
        }
        // 3. Which files these lead to.
        let resolve = |found: &[String]| {
            let mut found = found.to_vec();
            for _ in 0..MOST_HANDS {
                let end =
                    (0..=found.len()).rev().find(|end| modules.contains_key(&found[..*end]))?;
                let file = modules[&found[..end]];
                let name = found.get(end).and_then(|name| all.get(file)?.names.get(name));
                let Some(name) = name else { return Some(file) };
                found = name.iter().chain(&found[end + 1..]).cloned().collect();
            }
            None
        };
        let imports = all.iter().map(|(path, paths)| {
            let files = paths.found.iter().filter_map(|found| resolve(found));
            let files = files.filter(|other| other != path).map(str::to_owned).collect();
            ((*path).to_owned(), files)
        });
        let imports = imports.collect();
        Self { imports }
    }

    /// Returns the imports that lead up, by the floor of the first part of a path.
    pub(crate) fn upward(&self, floors: &[&[&str]]) -> Vec<String> {
        let floor = |path: &str| {
            let room = path.split('/').next().unwrap_or(path).trim_end_matches(".rs");
            floors.iter().position(|floor| floor.contains(&room))
        };
        let mut wrong = Vec::new();
        for (path, imports) in &self.imports {
            if matches!(&**path, "main.rs" | "lib.rs") {
                continue;
            }
            let Some(here) = floor(path) else {
                wrong.push(format!("{path} stands on no floor"));
                continue;
            };
            let above =
                imports.iter().filter(|other| floor(other).is_none_or(|there| there > here));
            wrong.extend(above.map(|other| format!("{path} imports {other}")));
        }
        wrong
    }

    /// Returns the circles: files of which each reaches each other by imports.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.imports.keys().map(|path| (&**path, self.reached_from(path))).collect();
        let mut circles = BTreeSet::new();
        for (path, reached_from_it) in &reached {
            let back = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(path));
            let circle: Vec<_> =
                reached_from_it.iter().filter(back).map(|path| (*path).to_owned()).collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reached_from<'h>(&'h self, path: &str) -> BTreeSet<&'h str> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&str> = self.of(path).collect();
        while let Some(path) = next.pop() {
            if reached.insert(path) {
                next.extend(self.of(path));
            }
        }
        reached
    }

    fn of<'h>(&'h self, path: &str) -> impl Iterator<Item = &'h str> {
        self.imports.get(path).into_iter().flatten().map(|path| &**path)
    }
}

/// The module of a file.
fn module(path: &str) -> Vec<String> {
    let parts = path.trim_end_matches(".rs").split('/').map(str::to_owned);
    let mut module: Vec<String> = parts.collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// Whether something is compiled for tests only.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string().replace(' ', "");
        list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all(test"))
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Looks for modules that are declared for tests only.
struct Declared {
    module: Vec<String>,
    for_tests: Vec<Vec<String>>,
}

impl Visit<'_> for Declared {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        self.module.push(item.ident.to_string());
        if is_for_tests(&item.attrs) {
            self.for_tests.push(self.module.clone());
        } else {
            visit::visit_item_mod(self, item);
        }
        self.module.pop();
    }
}

/// Through how many hands a name may go.
const MOST_HANDS: usize = 10;

/// Looks for paths.
struct Paths {
    here: Vec<String>,
    children: BTreeSet<String>,
    /// In how many modules of the file we are.
    depth: usize,
    found: BTreeSet<Vec<String>>,
    /// Names that the file has from elsewhere.
    names: BTreeMap<String, Vec<String>>,
}

impl Paths {
    /// Notes a path, when it leads to something in the crate.
    fn note(&mut self, path: &[String]) {
        self.found.extend(self.absolute(path));
    }

    /// Returns a path from the crate on.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let first = path.first()?;
        let mut found = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.here.clone(),
            child if self.children.contains(child) => {
                let mut found = self.here.clone();
                found.push(child.to_owned());
                found
            }
            _ => return None,
        };
        for part in &path[1..] {
            if part == "super" {
                found.pop();
            } else {
                found.push(part.clone());
            }
        }
        if first == "super" {
            // The first one, of the module itself.
            let ups = path.iter().take_while(|part| *part == "super").count();
            found = self.here.clone();
            found.truncate(self.here.len().saturating_sub(ups));
            found.extend(path[ups..].iter().cloned());
        }
        Some(found)
    }

    /// Notes the paths of a `use`; of one that is handed on, those that do not lead below.
    fn note_use(&mut self, item: &syn::ItemUse) {
        let is_handed_on = !matches!(item.vis, syn::Visibility::Inherited);
        let mut leaves = Vec::new();
        collect(&item.tree, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            let Some(path) = self.absolute(&path) else { continue };
            let is_below = path.len() > self.here.len() && path.starts_with(&self.here);
            if !(is_handed_on && is_below) {
                self.found.insert(path.clone());
            }
            if self.depth == 0 && !name.is_empty() {
                self.names.insert(name, path);
            }
        }
    }
}

/// Collects the paths of a `use`, each with the name that it gives; a glob gives none.
fn collect(tree: &syn::UseTree, before: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    let mut leaf = |name: &syn::Ident, given: &syn::Ident| {
        let mut path = before.clone();
        let mut given = given.to_string();
        if name == "self" {
            given = before.last().cloned().unwrap_or_default();
        } else {
            path.push(name.to_string());
        }
        leaves.push((path, given));
    };
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            collect(&path.tree, before, leaves);
            before.pop();
        }
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|tree| collect(tree, before, leaves));
        }
        syn::UseTree::Name(name) => leaf(&name.ident, &name.ident),
        syn::UseTree::Rename(name) => leaf(&name.ident, &name.rename),
        syn::UseTree::Glob(_) => leaves.push((before.clone(), String::new())),
    }
}

impl<'t> Visit<'t> for Paths {
    fn visit_item(&mut self, item: &'t syn::Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'t syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'t syn::ItemMod) {
        // A module in the file: `super` means something else there.
        self.here.push(item.ident.to_string());
        self.depth += 1;
        let children = std::mem::take(&mut self.children);
        visit::visit_item_mod(self, item);
        self.children = children;
        self.depth -= 1;
        self.here.pop();
    }

    fn visit_item_use(&mut self, item: &'t syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.note_use(item);
        }
    }

    fn visit_path(&mut self, path: &'t syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        // A single name is a name of the file, such as a variable that is called like a child.
        if path.leading_colon.is_none() && parts.len() > 1 {
            self.note(&parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'t syn::Visibility) {
        // `pub(in crate::a)` imports nothing.
    }

    fn visit_macro(&mut self, item: &'t syn::Macro) {
        self.visit_path(&item.path);
        // The tokens are text to whoever does not know the macro.
        let text = item.tokens.to_string();
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let mut path = vec![word.trim_start_matches(['&', '(', '[', '{', '!', '*']).to_owned()];
            while words.peek() == Some(&"::") {
                words.next();
                path.extend(words.next().map(str::to_owned));
            }
            if path.len() > 1 {
                self.note(&path);
            }
        }
    }
}
