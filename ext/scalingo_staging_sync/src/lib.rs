//! The Ruby binding of staging-sync-engine: one struct in, a stream of events out, errors as exceptions.
//!
//! It holds no logic. `call` runs the engine and waits for it, `gvl` is how it waits, `convert` and `errors`
//! are the two borders, `words` asks Ruby for its own, `memory` gives back what a phase has left; `bars` draws on a terminal. The Ruby module it defines, `ScalingoStagingSync::Native`, is private to the gem; its
//! signatures stand in `sig/scalingo_staging_sync/native.rbs`.

#![allow(missing_docs)] // The only public item is the init function that magnus writes.

mod bars;
mod call;
mod convert;
mod errors;
mod gvl;
mod panics;
mod words;

use magnus::{function, prelude::*, Error, Ruby, Value};
use staging_sync_engine::jobs;
use staging_sync_engine::jobs::scan::ScanPlace;
use staging_sync_engine::phrase::Vocabulary;
use staging_sync_engine::settings::{Dump, Extract, Scalingo, Settings, TargetSettings};
use std::path::PathBuf;

/// `Native.run(settings) { |event| } → report`: the whole job.
fn run(ruby: &Ruby, settings: Value) -> Result<Value, Error> {
    let settings: Settings = convert::settings(ruby, settings)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::run(&settings, &events, cancel).await
    })
}

/// `Native.dump(settings, to) { |event| } → report`: the backup into a masked archive; no database is touched.
fn dump(ruby: &Ruby, settings: Value, to: Value) -> Result<Value, Error> {
    let settings: Settings = convert::settings(ruby, settings)?;
    let to: Dump = convert::settings(ruby, to)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::dump(&settings, &to, &events, cancel).await
    })
}

/// `Native.extract(extract) → taken`: a part of a masked archive, from what is open into what is open.
fn extract(ruby: &Ruby, extract: Value) -> Result<Value, Error> {
    let extract: Extract = convert::settings(ruby, extract)?;
    call::run(ruby, None, move |_, cancel| async move {
        jobs::extract(&extract, cancel).await
    })
}

/// `Native.anonymize(settings) { |event| } → report`: masks the target's own rows; the source is not read.
fn anonymize(ruby: &Ruby, settings: Value) -> Result<Value, Error> {
    let settings: Settings = convert::settings(ruby, settings)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::anonymize(&settings, &events, cancel).await
    })
}

/// `Native.fetch(settings, directory) { |event| } → path`: downloads and unpacks the archive.
fn fetch(ruby: &Ruby, settings: Value, directory: String) -> Result<Value, Error> {
    let settings: Scalingo = convert::settings(ruby, settings)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::fetch(&settings, &PathBuf::from(directory), &events, cancel).await
    })
}

/// `Native.masks → [{ name:, doc:, options:, from:, to: }]`: the catalogue, for people.
fn masks(ruby: &Ruby) -> Result<Value, Error> {
    convert::to_hash(ruby, &masking::listing())
}

/// `Native.vocabulary → { kinds: [{ kind:, fields: }], failures: [{ kind:, fields: }], terms:, personal: }`: all that the engine says as data, for
/// the tests of the words.
fn vocabulary(ruby: &Ruby) -> Result<Value, Error> {
    convert::to_hash(ruby, &Vocabulary::all())
}

/// `Native.plan(settings) { |event| } → dry_run`: what a run would do; nothing is touched.
fn plan(ruby: &Ruby, settings: Value) -> Result<Value, Error> {
    let settings: Settings = convert::settings(ruby, settings)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::dry_run(&settings, &events, cancel).await
    })
}

/// `Native.sample(settings, table) { |event| } → sample`: ten rows before and after; nothing is touched.
fn sample(ruby: &Ruby, settings: Value, table: String) -> Result<Value, Error> {
    let settings: Settings = convert::settings(ruby, settings)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::sample(&settings, &table, &events, cancel).await
    })
}

/// `Native.why(settings, table, id) { |event| } → reasons`: why a row of a subset comes, or not; nothing is touched.
fn why(ruby: &Ruby, settings: Value, table: String, id: String) -> Result<Value, Error> {
    let settings: Settings = convert::settings(ruby, settings)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::why(&settings, &table, &id, &events, cancel).await
    })
}

/// `Native.scan(settings, place) { |event| } → findings`: personal data in the backup (nil), in a database
/// (`{ "database" => url }`) or in the names of a schema (`{ "sql" => text }`); nothing is touched.
fn scan(ruby: &Ruby, settings: Value, place: Value) -> Result<Value, Error> {
    let settings: Settings = convert::settings(ruby, settings)?;
    let place: Option<ScanPlace> = convert::settings(ruby, place)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::scan(&settings, place.unwrap_or_default(), &events, cancel).await
    })
}

/// `Native.examine(target) { |event| } → examination`: tries what a run needs of the target, rolled back.
fn examine(ruby: &Ruby, settings: Value) -> Result<Value, Error> {
    let settings: TargetSettings = convert::settings(ruby, settings)?;
    call::run(ruby, block(ruby), move |_, cancel| async move {
        jobs::check(&settings, cancel).await
    })
}

/// `Native.cleanup(target) → leftover`: clears what killed runs have left in the target.
fn cleanup(ruby: &Ruby, settings: Value) -> Result<Value, Error> {
    let settings: TargetSettings = convert::settings(ruby, settings)?;
    call::run(ruby, block(ruby), move |events, cancel| async move {
        jobs::cleanup(&settings, &events, cancel).await
    })
}

/// `Native.engine_version → String`.
fn engine_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn block(ruby: &Ruby) -> Option<magnus::block::Proc> {
    ruby.block_given().then(|| ruby.block_proc().ok()).flatten()
}

/// `Native.panic`: a defect made on purpose, so that a test can see it become an exception. Debug builds only.
#[cfg(debug_assertions)]
#[allow(clippy::panic)]
fn panic(ruby: &Ruby) -> Result<Value, Error> {
    call::run(ruby, None, |_, _| async {
        if true {
            panic!("a value of a row");
        }
        Ok(())
    })
}

#[magnus::init]
fn init(ruby: &Ruby) -> Result<(), Error> {
    panics::install_hook();
    let module = ruby
        .define_module("ScalingoStagingSync")?
        .define_module("Native")?;
    module.define_singleton_method("run", function!(run, 1))?;
    module.define_singleton_method("dump", function!(dump, 2))?;
    module.define_singleton_method("extract", function!(extract, 1))?;
    module.define_singleton_method("anonymize", function!(anonymize, 1))?;
    module.define_singleton_method("fetch", function!(fetch, 2))?;
    module.define_singleton_method("masks", function!(masks, 0))?;
    module.define_singleton_method("vocabulary", function!(vocabulary, 0))?;
    module.define_singleton_method("plan", function!(plan, 1))?;
    module.define_singleton_method("sample", function!(sample, 2))?;
    module.define_singleton_method("why", function!(why, 3))?;
    module.define_singleton_method("scan", function!(scan, 2))?;
    module.define_singleton_method("examine", function!(examine, 1))?;
    module.define_singleton_method("cleanup", function!(cleanup, 1))?;
    module.define_singleton_method("engine_version", function!(engine_version, 0))?;
    bars::define(module, ruby)?;
    #[cfg(debug_assertions)]
    module.define_singleton_method("panic", function!(panic, 0))?;
    Ok(())
}
