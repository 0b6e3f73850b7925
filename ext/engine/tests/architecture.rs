//! The walls: which module may know which, as `docs/architecture.md` has it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A list of the document: the folder, and its modules with the number of their line, from the top.
type Layers = BTreeMap<String, usize>;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn documented() -> Vec<(String, Layers)> {
    let text = fs::read_to_string(project().join("docs/architecture.md")).unwrap();
    let list = Regex::new(r"(?s)### `([^`]+)`\n\n```text\n(.*?)```").unwrap();
    list.captures_iter(&text)
        .map(|found| {
            let layers = found[2].lines().enumerate();
            let modules =
                layers.flat_map(|(line, names)| names.split(' ').map(move |name| (name.to_owned(), line)));
            (found[1].to_owned(), modules.collect())
        })
        .collect()
}

/// The modules of a folder, with their files. Files that only tests use are none.
fn modules(folder: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut modules = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let files = modules.entry(name).or_insert_with(Vec::new);
        sources(&path, files);
    }
    let declared =
        fs::read_to_string(folder.join("lib.rs")).or_else(|_| fs::read_to_string(folder.join("mod.rs")));
    let for_tests = Regex::new(r"#\[cfg\(test\)\]\s*mod (\w+);").unwrap();
    let for_tests: BTreeSet<String> = for_tests
        .captures_iter(&declared.unwrap())
        .map(|found| found[1].to_owned())
        .collect();
    modules.retain(|name, files| {
        !files.is_empty() && !["lib", "mod"].contains(&name.as_str()) && !for_tests.contains(name)
    });
    modules
}

fn sources(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
        files.push(path.to_owned());
    }
}

/// The modules of `folder` that one of its files names, by `crate::` or by `super::`.
fn imported(file: &Path, folder: &Path, crate_path: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code = Regex::new(r"//.*").unwrap().replace_all(code, "");
    let below = file.strip_prefix(folder).unwrap().with_extension("");
    let depth = below.components().count() - usize::from(below.ends_with("mod"));
    let supers = "super::".repeat(depth);
    let mut names = BTreeSet::new();
    for begin in [format!(r"\b{crate_path}"), format!(r"(?:^|[^:]){supers}")] {
        let named = Regex::new(&format!(r"{begin}(?:(\w+)|\{{((?s:[^;]*?))\}};)")).unwrap();
        for found in named.captures_iter(&code) {
            match found.get(1) {
                Some(name) => drop(names.insert(name.as_str().to_owned())),
                None => names.extend(heads(&found[2])),
            }
        }
    }
    names
}

/// `a::{b, c}, d` names `a` and `d`.
fn heads(list: &str) -> BTreeSet<String> {
    let inner = Regex::new(r"\{[^{}]*\}").unwrap();
    let mut flat = list.to_owned();
    while inner.is_match(&flat) {
        flat = inner.replace_all(&flat, "").into_owned();
    }
    flat.split(',')
        .map(|part| part.trim().split("::").next().unwrap().to_owned())
        .collect()
}

#[test]
fn no_module_knows_one_above_it() {
    let mut wrong = Vec::new();
    for (folder, layers) in documented() {
        let path = project().join(&folder);
        let inside = folder.split_once("/src").unwrap().1.replace('/', "::");
        let crate_path = format!("crate{inside}::");
        for (module, files) in modules(&path) {
            for file in files {
                for name in imported(&file, &path, &crate_path) {
                    let (Some(above), Some(below)) = (layers.get(&module), layers.get(&name)) else {
                        continue;
                    };
                    if name != module && above >= below {
                        wrong.push(format!("{folder}: {module} imports {name} ({})", file.display()));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_module_stands_in_its_list_and_nothing_else_does() {
    let lists = documented();
    assert_eq!(lists.len(), 7, "a list is missing, or is not read");
    for (folder, layers) in lists {
        let there: BTreeSet<String> = modules(&project().join(&folder)).into_keys().collect();
        assert_eq!(layers.into_keys().collect::<BTreeSet<_>>(), there, "{folder}");
    }
}

/// The crates below the engine know each other only as drawn, and never the engine.
#[test]
fn the_crates_below_know_nothing_of_this_product() {
    let own = Regex::new(r#"(?m)^([\w-]+) = \{ path = "#).unwrap();
    let product = Regex::new(r"(?i)scalingo|\brails\b|active ?record|config\.\w").unwrap();
    for (name, may_know) in [
        ("archive", &[][..]),
        ("personal_data", &["phrases"]),
        ("near", &[]),
        ("phrases", &[]),
        ("masking", &["near", "pg-dump-archive", "phrases"]),
        ("leak_check", &["masking", "personal-data", "pg-dump-archive"]),
    ] {
        let manifest = fs::read_to_string(project().join(format!("ext/{name}/Cargo.toml"))).unwrap();
        let known: Vec<String> = own
            .captures_iter(&manifest)
            .map(|found| found[1].to_owned())
            .collect();
        assert_eq!(known, may_know, "{name}");
        let mut files = Vec::new();
        sources(&project().join(format!("ext/{name}/src")), &mut files);
        for file in files
            .iter()
            .filter(|_| ["archive", "near", "phrases"].contains(&name))
        {
            let text = fs::read_to_string(file).unwrap();
            assert!(!product.is_match(&text), "{} names the product", file.display());
        }
    }
}
