//! Redirects, and answers that are no archive.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_followed_without_saying_where_from() {
    let (archive, _, scalingo) = scene().await;
    let elsewhere = Scalingo::with_archive(packed(&archive)).await;
    let location = format!("{}/file?token={LINK}elsewhere", elsewhere.url);
    scalingo.on(FILE, move |_| Reply::status(302).with("location", &location));
    assert_eq!(
        open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap(),
        archive
    );
    let request = &elsewhere.asked(FILE)[0];
    assert_eq!(
        (request.header("referer"), request.header("authorization")),
        (None, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_circle_of_redirects_is_an_error_without_the_link() {
    let (_, _, scalingo) = scene().await;
    let location = format!("{}/file?token={LINK}", scalingo.url);
    scalingo.on(FILE, move |_| Reply::status(302).with("location", &location));
    let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Download);
    assert!(error.what.contains("redirects_in_circle"), "{error}");
    assert!(scalingo.asked(FILE).len() <= 2);
}

/// What ends a download whose file answers like this, after one link and so many requests of the file.
async fn ends_at_once(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static, requests: usize) -> String {
    let (_, _, scalingo) = scene().await;
    scalingo.on(FILE, answer);
    let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Download, "{error}");
    assert!(error.is("impossible"), "{error}");
    assert_eq!(scalingo.asked(LINKS).len(), 1, "{error}");
    assert_eq!(scalingo.asked(FILE).len(), requests, "{error}");
    error.what.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_what_is_not_on_the_web_ends_the_download_at_once() {
    for place in ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"] {
        let why = ends_at_once(move |_| Reply::status(302).with("location", place), 1).await;
        assert!(why.contains("redirects_elsewhere"), "{why}");
    }
    let why = ends_at_once(|_| Reply::status(302).with("location", "http://"), 1).await;
    assert!(why.contains("redirects_to_no_url"), "{why}");
    let why = ends_at_once(|_| Reply::status(307), 1).await;
    assert!(why.contains("redirects_nowhere"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_redirects_without_end_ends_the_download_at_once() {
    let why = ends_at_once(
        |request| {
            let place = format!("/file?{LINK}{}", request.target.len());
            Reply::status(302).with(
                "location",
                &format!("{place}{}", "x".repeat(request.target.len())),
            )
        },
        11,
    )
    .await;
    assert!(why.contains("redirects_too_often"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_headers_have_no_end_ends_the_download_at_once() {
    for (count, length) in [(20_000, 30), (1, 2_000_000)] {
        let why = ends_at_once(
            move |_| {
                let value = "x".repeat(length);
                (0..count).fold(Reply::status(200), |reply, at| {
                    reply.with(&format!("x-{at}"), &value)
                })
            },
            1,
        )
        .await;
        assert!(why.contains("endless_headers"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_no_other_link_would_change_ends_the_download_at_once() {
    for status in [204, 300, 304, 405, 418] {
        let why = ends_at_once(move |_| Reply::status(status), 1).await;
        assert!(why.contains(&status.to_string()), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_leads_nowhere_is_an_error_without_the_link() {
    let (_, _, scalingo) = scene().await;
    for link in [
        format!("http://127.0.0.1:1/{LINK}"),
        format!("{LINK}: no url"),
        format!("ftp://h/{LINK}"),
    ] {
        scalingo.on(LINKS, move |_| {
            Reply::json(200, serde_json::json!({ "download_url": link }))
        });
        let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
            .await
            .unwrap_err();
        assert!(matches!(error.kind, Kind::Download | Kind::Api), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_instead_of_the_file_is_no_archive() {
    let (_, _, scalingo) = scene().await;
    scalingo.on(FILE, |_| Reply::bytes(200, "<html>Maintenance</html>"));
    let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Archive, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_no_archive() {
    let (_, _, scalingo) = scene().await;
    scalingo.on(FILE, |_| Reply::status(200));
    let error = open_and_read(scalingo.settings(), &patience(), &Heard::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Archive, "{error}");
    assert!(error.is("empty"), "{error}");
}
