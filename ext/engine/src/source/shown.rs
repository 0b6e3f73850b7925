//! Paths that the user gave, as a message may show them.

use std::borrow::Cow;
use std::path::Path;

/// What stands for a path that is not shown.
const HIDDEN: &str = "[hidden: credentials may be in it]";

/// The path, unless it looks like a URL, or like `name:password@host`: credentials may be in those.
pub(super) fn shown(path: &Path) -> Cow<'_, str> {
    let text = path.to_string_lossy();
    if is_url(&text) || has_password(&text) {
        return HIDDEN.into();
    }
    text
}

/// Whether a scheme is in it. Two slashes become one where a path is made absolute; a single letter is a drive.
fn is_url(text: &str) -> bool {
    text.match_indices(":/").any(|(at, _)| {
        let scheme = text[..at].bytes().rev().take_while(u8::is_ascii_alphanumeric);
        scheme.count() >= 2
    })
}

fn has_password(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, rest)| rest.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_credentials_is_not_shown() {
        for text in [
            "postgres://ada:hush@db.example/shop",
            "/app/postgres:/ada:hush@db.example/shop",
            "/app/https:/storage.example/backup?sig=hush",
            "ada:hush@db.example/shop",
        ] {
            assert_eq!(shown(Path::new(text)), HIDDEN, "{text}");
        }
    }

    #[test]
    fn an_ordinary_path_is_shown() {
        for text in [
            "/app/tmp/shop.dump",
            "C:/shop.dump",
            "/app/ada@example/shop 10:30.dump",
        ] {
            assert_eq!(shown(Path::new(text)), text);
        }
    }
}
