//! No two files of `src` import each other, directly or over others.
//!
//! A name is followed to the file that defines it: `crate::store::Document` is
//! `store/document.rs`, whatever `store/mod.rs` re-exports. A module that declares or
//! re-exports its parts does not import them by that. Unit tests do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module path below the crate, like `["store", "files"]`; the crate itself is empty.
type Module = Vec<String>;

/// The files of `src` and what they name.
#[derive(Default)]
struct Crate {
    files: BTreeMap<Module, String>,
    /// The paths that a module's file names.
    named: BTreeMap<Module, Vec<Module>>,
    /// What a module re-exports: the name, and the path that it stands for.
    reexports: BTreeMap<Module, BTreeMap<String, Module>>,
}

impl Crate {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Self::default();
        let mut directories = vec![root.clone()];
        while let Some(directory) = directories.pop() {
            for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    directories.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let file = path.strip_prefix(&root).unwrap();
                    found.files.insert(module_of(file), file.to_str().unwrap().to_owned());
                }
            }
        }
        found.files.retain(|_, file| !file.starts_with("build/") && file != "main.rs");
        let modules: Vec<_> = found.files.clone().into_iter().collect();
        for (module, file) in modules {
            let text = std::fs::read_to_string(root.join(file)).unwrap();
            let code = without_comments(text.split("#[cfg(test)]").next().unwrap());
            found.scan(&module, &code);
        }
        found
    }

    fn scan(&mut self, module: &Module, code: &str) {
        let mut rest = String::new();
        for statement in code.split_inclusive(';') {
            let Some(at) = use_in(statement) else {
                rest.push_str(statement);
                continue;
            };
            rest.push_str(&statement[..at]);
            let is_public = statement[..at].trim_end().ends_with("pub")
                || statement[..at].trim_end().ends_with(')');
            let tree = statement[at..].trim_start_matches("use ").trim_end_matches(';');
            for (path, name) in leaves(tree) {
                let Some(path) = self.absolute(module, &path) else { continue };
                if is_public {
                    self.reexports.entry(module.clone()).or_default().insert(name, path);
                } else {
                    self.named.entry(module.clone()).or_default().push(path);
                }
            }
        }
        for path in inline_paths(&rest) {
            if let Some(path) = self.absolute(module, &path) {
                self.named.entry(module.clone()).or_default().push(path);
            }
        }
    }

    /// The path from the crate's root; `None` where it leads out of the crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let mut base = match path.first()?.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" => module.clone(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            child => {
                let mut below = module.clone();
                below.push(child.to_owned());
                return self.files.contains_key(&below).then(|| [module, path].concat());
            }
        };
        let mut rest = &path[1..];
        while rest.first().is_some_and(|step| step == "super") {
            base.pop()?;
            rest = &rest[1..];
        }
        Some([base.as_slice(), rest].concat())
    }

    /// The module whose file defines what a path names.
    fn definition(&self, path: &[String]) -> Option<Module> {
        let mut path = path.to_vec();
        for _ in 0..16 {
            let inside =
                (0..=path.len()).rev().find(|end| self.files.contains_key(&path[..*end]))?;
            let module = path[..inside].to_vec();
            let named = path.get(inside);
            let reexport = named.and_then(|name| self.reexports.get(&module)?.get(name));
            match reexport {
                Some(target) => path = [target.as_slice(), &path[inside + 1..]].concat(),
                None => return Some(module),
            }
        }
        None
    }

    /// Which files each file imports.
    fn imports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (module, paths) in &self.named {
            for found in paths.iter().filter_map(|path| self.definition(path)) {
                if found != *module {
                    imports.entry(&self.files[module]).or_default().insert(&self.files[&found]);
                }
            }
        }
        imports
    }
}

fn module_of(file: &Path) -> Module {
    let mut parts: Vec<_> =
        file.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] {
        parts.pop();
    }
    parts
}

/// The code without comments and without the modules that a visibility names.
fn without_comments(code: &str) -> String {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut parts = code.split("pub(in ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| code + "pub(" + &part[part.find(')').unwrap()..])
}

/// Where the `use` declaration of a statement begins.
fn use_in(statement: &str) -> Option<usize> {
    let starts = statement.match_indices("use ").map(|(at, _)| at);
    starts.filter(|at| is_declaration(&statement[..*at])).last()
}

fn is_declaration(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap();
    line.is_empty() || line.starts_with("pub")
}

/// The paths of a use tree, each with the name under which it is known.
fn leaves(tree: &str) -> Vec<(Module, String)> {
    let tree = tree.trim();
    let Some((prefix, group)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(p, a)| (p, Some(a)));
        let path: Module = path.split("::").map(|part| part.trim().to_owned()).collect();
        let name = alias.map_or_else(|| path.last().unwrap().clone(), |alias| alias.trim().into());
        return vec![(path, name)];
    };
    let group = group.trim_end().trim_end_matches('}');
    let prefix: Module =
        prefix.split("::").map(str::trim).filter(|part| !part.is_empty()).map(Into::into).collect();
    let mut found = Vec::new();
    for part in split_group(group) {
        for (path, name) in leaves(part) {
            let path = if path == ["self"] { Vec::new() } else { path };
            let name = if name == "self" { prefix.last().unwrap().clone() } else { name };
            found.push(([prefix.as_slice(), path.as_slice()].concat(), name));
        }
    }
    found
}

/// The parts of a group between the commas that are in no group of their own.
fn split_group(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

/// The paths in an expression or a type that start at a module.
fn inline_paths(code: &str) -> Vec<Module> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    code.split(|c| !is_part(c))
        .filter(|word| word.contains("::"))
        .map(|word| word.split("::").map(str::to_owned).collect::<Module>())
        .filter(|path| path[0].starts_with(|c: char| c.is_ascii_lowercase()))
        .collect()
}

/// The groups of files that reach each other, each in alphabetical order.
fn circles<'f>(imports: &BTreeMap<&'f str, BTreeSet<&'f str>>) -> BTreeSet<Vec<&'f str>> {
    let reached = |from: &'f str| {
        let mut found = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for next in imports.get(file).into_iter().flatten() {
                if found.insert(*next) {
                    open.push(next);
                }
            }
        }
        found
    };
    let all: BTreeMap<_, _> = imports.keys().map(|file| (*file, reached(file))).collect();
    let circle_of = |file: &'f str| {
        let reaches_back = |other: &&&str| all.get(**other).is_some_and(|back| back.contains(file));
        all[file].iter().filter(reaches_back).copied().collect::<Vec<_>>()
    };
    all.keys().map(|file| circle_of(file)).filter(|circle| !circle.is_empty()).collect()
}

/// The imports within a circle, one a line.
fn told(circle: &[&str], imports: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let mut lines = vec![format!("circle: {circle:?}")];
    for file in circle {
        let within = imports[file].iter().filter(|to| circle.contains(to));
        lines.extend(within.map(|to| format!("  {file} imports {to}")));
    }
    lines.join("\n")
}

#[test]
fn files_import_each_other_in_no_circle() {
    let found = Crate::read();
    let imports = found.imports();
    let count: usize = imports.values().map(BTreeSet::len).sum();
    assert!(count > 800, "the scan has found imports: {count}");
    let circles = circles(&imports);
    let told: Vec<_> = circles.iter().map(|circle| told(circle, &imports)).collect();
    assert!(told.is_empty(), "circles of files:\n{}", told.join("\n"));
}

#[test]
fn a_circle_is_found_over_a_reexport() {
    let mut found = Crate::default();
    for (module, file) in [("", "lib.rs"), ("a", "a/mod.rs"), ("a::b", "a/b.rs"), ("c", "c.rs")] {
        let module = module.split("::").filter(|part| !part.is_empty()).map(Into::into).collect();
        found.files.insert(module, file.to_owned());
    }
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Module>();
    found.scan(&path("a"), "mod b;\npub use b::{B, other as Other};\n");
    found.scan(&path("a::b"), "use crate::c::C;\n\npub struct B(C);\n");
    found.scan(&path("c"), "use std::io;\nuse crate::a::{self, B};\n\nfn f() -> a::Other { B }\n");
    let imports = found.imports();
    assert_eq!(imports["c.rs"], ["a/b.rs", "a/mod.rs"].into());
    assert_eq!(circles(&imports), [vec!["a/b.rs", "c.rs"]].into());
}
