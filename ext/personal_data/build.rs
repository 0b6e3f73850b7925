//! Compresses the tables of names: as text they would be a hundredth of the whole library, and they are read once at most.

use flate2::{write::ZlibEncoder, Compression};
use std::{env, fs, io, io::Write, path::Path};

const TABLES: [&str; 2] = ["weights.tsv", "classes.txt"];

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo names no OUT_DIR"))?;
    for table in TABLES {
        let source = Path::new("src/names").join(table);
        println!("cargo::rerun-if-changed={}", source.display());
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&fs::read(&source)?)?;
        fs::write(Path::new(&out).join(table), packed.finish()?)?;
    }
    Ok(())
}
