//! `filename`: another name, with the extension of the old one.

use crate::bytes::{is_hex, write_hex};
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::key::Function;
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("passport_ada_lovelace.pdf"),
    joins: true,
    own_form: |_| true,
    ..CatalogueEntry::new("filename", "a file's name with the same extension", fit)
};

/// What a name begins with.
const STEM: &[u8] = b"file-";

/// Hex digits of a name: as many bits as a unique index asks for.
const DIGITS: usize = 14;

/// The longest extension with its dots: `.markdown`, `.tar.bz2`.
const LONGEST: usize = 9;

/// Extensions that are kept. What follows the last dot of a name without one can be a part of the name: `cv.ada.king`.
const EXTENSIONS: &str = " 3gp 7z aac accdb ai aif aiff amr apk asc asice ase avi avif azw3 bak bin bmp bz2 cdr cer \
    cfg conf cpp crt css csr csv dat db dbf dcm dmg doc docm docx dotx dwf dwg dxf edi eml emz eps epub exe fit flac flv fods \
    fodt geojson gif gml gpg gpx gz heic heif hl7 htm html ical icns ico ics ifc igs indd ini ipa ipynb iso jar jfif jp2 jpe \
    jpeg jpg js json jsonl key keynote kml kmz log lz4 m3u8 m4a m4v md mdb mht mid mkv mobi mov mp2 mp3 mp4 mpeg mpg mpp msg \
    mts numbers oda odg odp ods odt oft ogg ogv opus otf p12 p7b p7m p7s pages parquet pct pdf pem pfx pgp php pkpass plist png \
    pot potx pps ppsx ppt pptm pptx ps psd psb pst pub py qif qxd rar raw rb rdf rtf sav sds ser sgml shp sig skp sla smi \
    sql sqlite srt stl stp step svg swf tar tex tgz tif tiff tmp toml torrent tsv ttf txt vcf vcs vsd vsdx vtt wav weba webm \
    webp wmf wmv woff woff2 wps xades xcf xfdf xhtml xls xlsb xlsm xlsx xltx xml xps xsd xsl xz yaml yml zip zst zstd markdown ";

/// Extensions that another one stands before.
const PACKINGS: [&[u8]; 5] = [b".gz", b".bz2", b".xz", b".zst", b".gpg"];

#[derive(Debug)]
struct FileName {
    function: Function,
    fold: Fold,
}

impl Pseudonym for FileName {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let digest = self
            .function
            .digest_of(value, row.piece, self.fold, &mut work.first);
        out.extend_from_slice(STEM);
        write_hex(&digest, DIGITS, out);
        out.extend_from_slice(extension(value));
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let digits = value
            .strip_prefix(STEM)
            .and_then(|rest| rest.split_at_checked(DIGITS));
        digits.is_some_and(|(digits, rest)| is_hex(digits) && extension(value) == rest)
    }
}

/// A name's extension with its dots; two of an archive that is packed twice.
fn extension(name: &[u8]) -> &[u8] {
    let Some(last) = known(name) else { return b"" };
    let (stem, packed) = name.split_at(name.len() - last);
    let is_packing = PACKINGS.iter().any(|ending| ending.eq_ignore_ascii_case(packed));
    let before = known(stem).filter(|before| is_packing && before + last <= LONGEST);
    &name[stem.len() - before.unwrap_or(0)..]
}

/// The length of a known extension with its dot.
fn known(name: &[u8]) -> Option<usize> {
    let dot = name
        .iter()
        .rposition(|byte| *byte == b'.')
        .filter(|dot| *dot > 0)?;
    let extension = std::str::from_utf8(&name[dot + 1..]).ok()?;
    let is_known = extension.len() < LONGEST
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && EXTENSIONS
            .split(' ')
            .any(|known| !known.is_empty() && known.eq_ignore_ascii_case(extension));
    is_known.then_some(name.len() - dot)
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let text = fitting.text_of(STEM.len() + DIGITS + LONGEST)?;
    let mask = FileName {
        function: fitting.function("filename"),
        fold: text.fold,
    };
    let form = fitting.matches("^file-[0-9a-f]{14}([.][A-Za-z0-9]+){0,2}$");
    Ok(fitting.fitted(mask, form))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::testing::{case, Case};

    pub(crate) const CASES: &[Case] = &[case(
        "filename",
        "[a-zé]{1,12}([.](pdf|PDF|tar[.]gz|numbers))?",
        |old, new| {
            new.starts_with("file-")
                && new.split_once('.').map(|(_, end)| end) == old.split_once('.').map(|(_, end)| end)
        },
    )];

    #[test]
    fn an_extension_is_kept_and_nothing_of_the_name() {
        for (name, kept) in [
            ("passport_ada_lovelace.pdf", ".pdf"),
            ("Ada.Lovelace.JPG", ".JPG"),
            ("ada.tar.gz", ".tar.gz"),
            ("ada.lovelace.gz", ".gz"),
            ("uploads/ada/cv.docx", ".docx"),
            ("cv.ada", ""),
            ("Ada.King", ""),
            ("passport", ""),
            (".pdf", ""),
            ("é.numbers", ".numbers"),
            ("ada.", ""),
        ] {
            assert_eq!(extension(name.as_bytes()), kept.as_bytes(), "{name}");
        }
    }
}
