//! Every input in `fuzz/corpus` passes its fuzz target: what fuzzing has found once stays found, and the targets are
//! compiled with everything else. `fuzz/` is a workspace of its own, which only a nightly compiler builds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A target's name, and what it does with an input.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 12] = [
    ("answers", targets::answers),
    ("blocks", targets::blocks),
    ("contents", targets::contents),
    ("copy_binary", targets::copy_binary),
    ("copy_text", targets::copy_text),
    ("decompress", targets::decompress),
    ("detectors", targets::detectors),
    ("inserts", targets::inserts),
    ("masks", targets::masks),
    ("schema", targets::schema),
    ("sql_rules", targets::sql_rules),
    ("unpack", targets::unpack),
];

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz")
        .join(folder)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap();
    let stem = |file: fs::DirEntry| file.path().file_stem().unwrap().to_str().unwrap().to_owned();
    files.map(|file| stem(file.unwrap())).collect()
}

#[test]
fn each_input_of_the_corpus_passes_its_target() {
    for (name, target) in TARGETS {
        let folder = fuzz("corpus").join(name);
        let inputs = fs::read_dir(&folder).unwrap();
        let inputs: Vec<PathBuf> = inputs.map(|input| input.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            target(&fs::read(input).unwrap());
        }
    }
}

#[test]
fn each_target_is_tried_here() {
    let tried = TARGETS.map(|(name, _)| name.to_owned());
    assert_eq!(names(&fuzz("targets")), BTreeSet::from(tried));
}
