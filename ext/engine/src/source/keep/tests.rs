#![allow(clippy::unwrap_used)]
use super::*;
use std::os::unix::fs::PermissionsExt;

fn description(id: &str) -> Description {
    Description {
        region: "osc-fr1".into(),
        app: "shop".into(),
        addon: "ad-1".into(),
        database: None,
        id: id.into(),
        name: id.into(),
        created_at: None,
        size: None,
        bytes: 0,
        sha256: String::new(),
    }
}

fn keep(directory: &Path, id: &str, bytes: &[u8]) {
    let digest = Arc::new(OnceLock::from("d1".to_owned()));
    let mut tee = Tee::new(bytes, directory, description(id), digest, Sink::silent()).unwrap();
    io::copy(&mut tee, &mut io::sink()).unwrap();
    tee.copying().keep();
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_kept_archive_is_found_again_with_what_is_known_of_it() {
    let directory = tempfile::tempdir().unwrap();
    keep(directory.path(), "b1", b"packed");
    let kept = find(directory.path());
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].description.bytes, 6);
    assert_eq!(kept[0].description.sha256, "d1");
    assert_eq!(std::fs::read(&kept[0].path).unwrap(), b"packed");
    assert_eq!(
        std::fs::metadata(&kept[0].path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn an_archive_that_was_not_kept_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let digest = Arc::new(OnceLock::new());
    let mut tee = Tee::new(
        &b"packed"[..],
        directory.path(),
        description("b1"),
        digest,
        Sink::silent(),
    )
    .unwrap();
    let mut buffer = [0; 3];
    tee.read_exact(&mut buffer).unwrap();
    assert_eq!(names(directory.path()).len(), 1);
    drop(tee);
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn a_newer_archive_of_the_same_database_takes_the_place_of_the_older_one() {
    let directory = tempfile::tempdir().unwrap();
    keep(directory.path(), "b1", b"old");
    keep(directory.path(), "b2", b"new");
    assert_eq!(
        names(directory.path()),
        ["shop.ad-1.b2.json", "shop.ad-1.b2.tar.gz"]
    );
}

#[test]
fn an_archive_whose_length_is_not_as_noted_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    keep(directory.path(), "b1", b"packed");
    std::fs::write(directory.path().join("shop.ad-1.b1.tar.gz"), b"pack").unwrap();
    assert!(find(directory.path()).is_empty());
}

#[test]
fn json_files_of_others_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("package.json"), b"{}").unwrap();
    std::fs::write(directory.path().join("a.b.json"), b"[1]").unwrap();
    assert!(find(directory.path()).is_empty());
}

#[test]
fn a_foreign_name_cannot_leave_the_directory() {
    assert_eq!(file_name_part("../../etc/passwd"), "______etc_passwd");
    assert_eq!(file_name_part(""), "backup");
    assert_eq!(file_name_part("20251120_my-app"), "20251120_my-app");
}

#[test]
fn temporary_files_of_killed_runs_go_after_a_day() {
    let directory = tempfile::tempdir().unwrap();
    let day_before_yesterday = std::time::SystemTime::now() - 2 * LEFT_OVER;
    for name in [".scalingo-staging-sync-1-0-0.part", "mine.part"] {
        let file = File::create(directory.path().join(name)).unwrap();
        file.set_modified(day_before_yesterday).unwrap();
    }
    File::create(directory.path().join(".scalingo-staging-sync-2-0-0.part")).unwrap();
    remove_left_overs(directory.path());
    assert_eq!(
        names(directory.path()),
        [".scalingo-staging-sync-2-0-0.part", "mine.part"]
    );
}

#[test]
fn a_disk_that_refuses_costs_the_copy_and_not_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let warned = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&warned);
    let events = Sink::new(move |event| heard.lock().unwrap().push(event));
    let digest = Arc::new(OnceLock::from("d1".to_owned()));
    let mut tee = Tee::new(
        &b"packed"[..],
        directory.path(),
        description("b1"),
        digest,
        events,
    )
    .unwrap();
    // The directory is taken away under it, so that the copy cannot get its name.
    std::fs::remove_dir_all(directory.path()).unwrap();
    std::fs::write(directory.path(), b"now a file").unwrap();
    let mut bytes = Vec::new();
    tee.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"packed");
    tee.copying().keep();
    assert_eq!(warned.lock().unwrap().len(), 1);
    std::fs::remove_file(directory.path()).unwrap();
}
