#![allow(clippy::unwrap_used)]
use super::*;
use sha2::Digest;

async fn open_file(path: &Path) -> Result<Backup> {
    open(&settings::Source::File(path.to_owned()), 300.0, &Sink::silent()).await
}

#[tokio::test]
async fn a_file_is_read_with_its_name_its_size_and_its_digest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.dump");
    let bytes = b"PGDMP\x01\x10\x00\x04\x08\x01 and so on";
    std::fs::write(&path, bytes).unwrap();
    let mut backup = open_file(&path).await.unwrap();
    assert_eq!(backup.info.id, "shop.dump");
    assert_eq!(backup.info.origin, "the file shop.dump");
    assert_eq!(backup.info.size, Some(bytes.len() as u64));
    assert_eq!(backup.digest.get(), None);
    let mut read = Vec::new();
    backup.archive.read_to_end(&mut read).unwrap();
    assert_eq!(read, bytes);
    assert_eq!(
        backup.digest.get(),
        Some(&file::hex(sha2::Sha256::new_with_prefix(bytes)))
    );
}

#[tokio::test]
async fn a_file_that_is_missing_or_a_directory_is_reported_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    for (path, word) in [
        (directory.path().join("none.tar.gz"), "file_missing"),
        (directory.path().to_owned(), "file_is_directory"),
    ] {
        let error = open_file(&path).await.unwrap_err();
        assert_eq!(error.kind, Kind::Configuration);
        assert!(
            error.what.contains(&*path.to_string_lossy()) && error.is(word),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_chosen_file_is_announced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.dump");
    std::fs::write(&path, b"PGDMP").unwrap();
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let events = Sink::new(move |event| hears.lock().unwrap().push(event));
    open(&settings::Source::File(path), 300.0, &events).await.unwrap();
    let chosen = Event::BackupChosen {
        id: "shop.dump".into(),
        created_at: None,
        size: Some(5),
    };
    assert_eq!(*heard.lock().unwrap(), [chosen]);
}

#[tokio::test]
async fn a_file_can_be_opened_again_and_is_not_announced_twice() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.dump");
    std::fs::write(&path, b"PGDMP and so on").unwrap();
    let known = open_file(&path).await.unwrap().info;
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let events = Sink::new(move |event| hears.lock().unwrap().push(event));
    let source = settings::Source::File(path);
    let mut again = open_again(&source, &known, 300.0, &events).await.unwrap();
    let mut read = Vec::new();
    again.archive.read_to_end(&mut read).unwrap();
    assert_eq!(read, b"PGDMP and so on");
    assert_eq!(*heard.lock().unwrap(), []);
}

#[tokio::test]
async fn what_can_be_read_only_once_is_not_opened_again() {
    let known = BackupInfo {
        id: "null".into(),
        created_at: None,
        size: None,
        database: None,
        origin: "the file null".into(),
        file: true,
    };
    // A character device, as a pipe is: not a file with a length.
    let source = settings::Source::File("/dev/null".into());
    let error = open_again(&source, &known, 300.0, &Sink::silent())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Configuration);
    assert!(error.is("file_read_once"), "{error}");
}

#[test]
fn the_engines_error_is_found_under_layers_of_io_errors() {
    let mine = Error::new(Kind::Download, "It broke.", "Try again.");
    let wrapped = io::Error::new(
        io::ErrorKind::InvalidData,
        io::Error::other(io::Error::other(mine.clone())),
    );
    assert_eq!(error_from_io(&wrapped), Some(mine));
}

#[test]
fn a_foreign_io_error_holds_no_error_of_the_engine() {
    assert_eq!(error_from_io(&io::Error::other("something else")), None);
}
