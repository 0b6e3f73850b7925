//! Connections that drop, links that expire, ranges that are ignored, silence.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_is_resumed_at_the_missing_byte_with_a_fresh_link() {
    let (archive, packed, scalingo) = scene().await;
    let cut = Reply::bytes(200, packed)
        .with("etag", "\"v1\"")
        .end(End::CutAfter(100_000));
    scalingo.next(FILE, [cut]);
    let heard = Heard::default();
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &heard)
            .await
            .unwrap(),
        archive
    );
    let asked = scalingo.asked(FILE);
    assert_eq!(asked.len(), 2);
    let first = range_start(&asked[1]).unwrap();
    assert!(first > 0 && first <= 100_000, "{first}");
    assert_eq!(asked[1].header("if-range"), Some("\"v1\""));
    assert_ne!(asked[0].target, asked[1].target);
    assert_eq!(resumed(&heard), [(1, first as u64)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_etag_is_no_reason_to_ask_for_a_range() {
    let (archive, packed, scalingo) = scene().await;
    let date = "Wed, 19 Nov 2025 03:10:00 GMT";
    let cut = Reply::bytes(200, packed)
        .with("etag", "W/\"v1\"")
        .with("last-modified", date)
        .end(End::CutAfter(100_000));
    scalingo.next(FILE, [cut]);
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap(),
        archive
    );
    assert_eq!(scalingo.asked(FILE)[1].header("if-range"), Some(date));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_drops_are_survived_as_long_as_each_brings_something() {
    let (archive, packed, scalingo) = scene().await;
    scalingo.on(FILE, move |request| {
        serve(request, &packed).end(End::CutAfter(25_000))
    });
    let heard = Heard::default();
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &heard)
            .await
            .unwrap(),
        archive
    );
    assert!(
        resumed(&heard).len() > patience().download_attempts,
        "{:?}",
        resumed(&heard)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_over_is_coped_with() {
    let (archive, packed, scalingo) = scene().await;
    scalingo.next(
        FILE,
        [Reply::bytes(200, packed.clone()).end(End::CutAfter(100_000))],
    );
    scalingo.on(FILE, move |_| Reply::bytes(200, packed.clone()));
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap(),
        archive
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_length_arrives_and_starts_over_too() {
    let (archive, packed, scalingo) = scene().await;
    scalingo.next(
        FILE,
        [Reply::bytes(200, packed.clone())
            .chunked()
            .end(End::CutAfter(100_000))],
    );
    scalingo.on(FILE, move |_| Reply::bytes(200, packed.clone()).chunked());
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap(),
        archive
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_meanwhile_is_never_stitched() {
    let (_, file, _) = scene().await;
    let mut other = file.clone();
    other[50_000] ^= 1;
    let longer = [&file[..], b"more"].concat();
    let first = || {
        Reply::bytes(200, file.clone())
            .with("etag", "\"v1\"")
            .end(End::CutAfter(100_000))
    };
    let unnamed = || Reply::bytes(200, file.clone()).end(End::CutAfter(100_000));
    let rest = |range: &str| Reply::bytes(206, b"x".to_vec()).with("content-range", range);
    let cases = [
        ("another length", unnamed(), Reply::bytes(200, longer.clone())),
        (
            "another ETag",
            first(),
            Reply::bytes(200, file.clone()).with("etag", "\"v2\""),
        ),
        ("other bytes", unnamed(), Reply::bytes(200, other)),
        (
            "other bytes without a length",
            unnamed().chunked(),
            Reply::bytes(200, b"PGDMP".to_vec()).chunked(),
        ),
        (
            "a shorter file",
            unnamed().chunked(),
            Reply::bytes(200, file[..50_000].to_vec()),
        ),
        (
            "another length in a range",
            unnamed(),
            rest("bytes 100000-100000/100001"),
        ),
        (
            "past the end of what is now shorter",
            unnamed(),
            Reply::status(416).with("content-range", "bytes */7"),
        ),
    ];
    for (case, before, after) in cases {
        let (_, _, scalingo) = scene().await;
        scalingo.next(FILE, [before, after]);
        // The cut has to be at a known byte for the range to fit.
        let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind, Kind::Download, "{case}: {error}");
        assert!(error.is("file_changed"), "{case}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_is_replaced_at_the_beginning_and_in_the_middle() {
    for status in [401, 403, 404, 410, 400] {
        let (archive, packed, scalingo) = scene().await;
        let expired = || Reply::bytes(status, "<Error><Code>Expired</Code></Error>");
        scalingo.next(FILE, [expired(), serve_cut(&packed), expired()]);
        let heard = Heard::default();
        assert_eq!(
            open_and_read(scalingo.settings(), &patience(), &heard)
                .await
                .unwrap(),
            archive,
            "{status}"
        );
        assert_eq!(scalingo.asked(LINKS).len(), 4);
        assert_eq!(resumed(&heard).len(), 1);
    }
}

fn serve_cut(packed: &[u8]) -> Reply {
    Reply::bytes(200, packed).end(End::CutAfter(100_000))
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_always_refused_end_the_download_soon() {
    let (_, _, scalingo) = scene().await;
    scalingo.on(FILE, |_| Reply::bytes(403, "<Error>Request has expired</Error>"));
    let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Download);
    assert!(error.what.contains("403"), "{error}");
    assert_eq!(scalingo.asked(FILE).len(), patience().refusals);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_gone_by_the_time_of_a_retry_is_reported_as_that() {
    let (_, packed, scalingo) = scene().await;
    scalingo.on(FILE, move |_| serve_cut(&packed));
    scalingo.on("GET /api/databases/ad-1/backups/b1/archive", |_| {
        Reply::status(404)
    });
    let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::BackupNotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_the_wrong_range_is_asked_for_all_of_it() {
    let (archive, packed, scalingo) = scene().await;
    let wrong = Reply::bytes(206, &packed[5..]).with("content-range", &format!("bytes 5-9/{}", packed.len()));
    scalingo.next(FILE, [serve_cut(&packed), wrong]);
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap(),
        archive
    );
    let asked = scalingo.asked(FILE);
    assert!(range_start(&asked[1]).is_some() && range_start(&asked[2]).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_ranges_is_asked_for_all_of_it() {
    let (archive, packed, scalingo) = scene().await;
    scalingo.next(FILE, [serve_cut(&packed), Reply::status(416)]);
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap(),
        archive
    );
    assert_eq!(range_start(&scalingo.asked(FILE)[2]), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_unknown_length_that_broke_right_at_its_end_is_whole() {
    let (archive, packed, scalingo) = scene().await;
    let at_the_end = End::CutAfter(packed.len());
    scalingo.next(
        FILE,
        [Reply::bytes(200, packed.clone()).chunked().end(at_the_end)],
    );
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap(),
        archive
    );
    assert_eq!(range_start(&scalingo.asked(FILE)[1]), Some(packed.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_gets_further_fails_after_the_attempts_and_says_how_far_it_was() {
    let (_, packed, scalingo) = scene().await;
    let total = packed.len();
    scalingo.on(FILE, move |request| match range_start(request) {
        None => serve_cut(&packed),
        Some(_) => serve(request, &packed).end(End::CutAfter(0)),
    });
    let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Download);
    assert!(
        error.is("broke_off") && error.what.contains(&format!("\"total\":{total}")),
        "{error}"
    );
    assert_eq!(scalingo.asked(FILE).len(), 1 + patience().download_attempts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_without_end_is_given_up_even_if_it_crawls() {
    let (_, packed, scalingo) = scene().await;
    scalingo.on(FILE, move |request| {
        serve(request, &packed).end(End::CutAfter(2000))
    });
    let patience = source::Patience {
        breaks: 12,
        ..patience()
    };
    let error = open_and_read(scalingo.settings(), &patience, &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Download);
    assert_eq!(scalingo.asked(FILE).len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_left_and_the_download_goes_on() {
    let (archive, packed, scalingo) = scene().await;
    scalingo.next(FILE, [Reply::bytes(200, packed).end(End::SilentAfter(100_000))]);
    let patience = source::Patience {
        stalled: Duration::from_millis(200),
        ..patience()
    };
    assert_eq!(
        open_and_read(scalingo.settings(), &patience, &Heard::default())
            .await
            .unwrap(),
        archive
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_a_byte_at_a_time_is_left_and_in_the_end_given_up() {
    let (archive, packed, scalingo) = scene().await;
    let trickle = || Reply::bytes(200, packed.clone()).end(End::Trickling(Duration::from_millis(10)));
    let patience = source::Patience {
        slow: Duration::from_millis(200),
        ..patience()
    };
    scalingo.next(FILE, [trickle()]);
    let read = open_and_read(scalingo.settings(), &patience, &Heard::default()).await;
    assert_eq!(read.unwrap(), archive);

    scalingo.next(FILE, std::iter::repeat_with(trickle).take(20));
    let error = open_and_read(scalingo.settings(), &patience, &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Download);
    assert!(
        error
            .what
            .contains(r#""kind":"too_slow","kibibytes":64,"seconds":"0.2""#),
        "{error}"
    );
    // Those before, and as many as bring nothing.
    assert_eq!(scalingo.asked(FILE).len(), 2 + patience.download_attempts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_after_each_byte_is_given_up() {
    let (_, packed, scalingo) = scene().await;
    scalingo.on(FILE, move |request| serve(request, &packed).end(End::CutAfter(1)));
    let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Download);
    assert_eq!(scalingo.asked(FILE).len(), patience().download_attempts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_no_slow_server() {
    let (archive, _, scalingo) = scene().await;
    let patience = source::Patience {
        slow: Duration::from_millis(200),
        ..patience()
    };
    let mut backup = open(scalingo.settings(), &patience, &Heard::default())
        .await
        .unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0];
        backup.archive.read_exact(&mut bytes).unwrap();
        std::thread::sleep(Duration::from_millis(600));
        backup.archive.read_to_end(&mut bytes).map(|_| bytes)
    });
    assert_eq!(read.await.unwrap().unwrap(), archive);
    assert_eq!(scalingo.asked(FILE).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_trouble_is_asked_again_when_it_wants_to_be() {
    for status in [429, 503] {
        let (archive, _, scalingo) = scene().await;
        scalingo.next(
            FILE,
            [
                Reply::status(status).with("retry-after", "1"),
                Reply::status(status),
            ],
        );
        let begun = Instant::now();
        assert_eq!(
            open_and_read(scalingo.settings(), &patience(), &Heard::default())
                .await
                .unwrap(),
            archive
        );
        assert!(begun.elapsed() >= Duration::from_secs(1), "{status}");
    }
}
