//! How a target URL is read, and what connecting to it does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod target_support;

use secrecy::ExposeSecret;
use staging_sync_engine::error::Kind;
use staging_sync_engine::event::Sink;
use staging_sync_engine::postgres::url::{ChannelBinding, ConnectionUrl, Host, Roots, SslMode};
use staging_sync_engine::postgres::{JobRecord, Target};
use staging_sync_engine::settings;
use std::time::Duration;
use target_support::{cluster_port, cluster_url, session, settings, Database};

fn parse(url: &str) -> ConnectionUrl {
    ConnectionUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn tcp(name: &str) -> Host {
    Host::Tcp {
        name: name.into(),
        address: None,
    }
}

#[test]
fn every_part_of_a_url_is_read_as_libpq_reads_it() {
    let url = parse("postgresql://ada:p%40ss%2Fw%3Ard@db.example:31000/sta%20ging?sslmode=prefer");
    assert_eq!(url.user.as_deref(), Some("ada"));
    assert_eq!(url.password.unwrap().expose_secret(), "p@ss/w:rd");
    assert_eq!(url.hosts.len(), 1);
    assert_eq!(
        (url.hosts[0].host.clone(), url.hosts[0].port),
        (tcp("db.example"), 31000)
    );
    assert_eq!(url.database.as_deref(), Some("sta ging"));
    assert_eq!(url.tls.mode, SslMode::Prefer);

    let url = parse("postgis://");
    assert_eq!((url.user, url.database), (None, None));
    assert_eq!(
        (url.hosts[0].host.clone(), url.hosts[0].port),
        (Host::Default, 5432)
    );

    assert_eq!(
        parse("postgres://ada:a:b?c#d@host")
            .password
            .unwrap()
            .expose_secret(),
        "a:b?c#d"
    );
    assert_eq!(parse("POSTGRES://host/db").database.as_deref(), Some("db"));
    assert_eq!(parse("postgres://[::1]:6000/db").hosts[0].host, tcp("::1"));
    assert_eq!(
        parse("postgres://%2Fvar%2Frun/db").hosts[0].host,
        Host::Socket("/var/run".into())
    );
    assert_eq!(
        parse("postgres:///db?host=/tmp&port=6000").hosts[0].host,
        Host::Socket("/tmp".into())
    );
    assert_eq!(
        parse("postgres:///db?user=bob&dbname=other").database.as_deref(),
        Some("other")
    );
}

#[test]
fn several_hosts_are_kept_in_order_with_their_ports() {
    let url = parse("postgres://a:1,b,[::2]:3/db");
    let places: Vec<(Host, u16)> = url
        .hosts
        .into_iter()
        .map(|place| (place.host, place.port))
        .collect();
    assert_eq!(places, [(tcp("a"), 1), (tcp("b"), 5432), (tcp("::2"), 3)]);

    let url = parse("postgres:///db?host=a,b&port=7&hostaddr=10.0.0.1,10.0.0.2");
    assert_eq!(url.hosts[1].port, 7);
    assert_eq!(
        url.hosts[1].host,
        Host::Tcp {
            name: "b".into(),
            address: "10.0.0.2".parse().ok()
        }
    );
}

#[test]
fn parameters_have_libpqs_meaning() {
    let url = parse(
        "postgres://h/d?connect_timeout=1&options=-c%20geqo%3Doff&keepalives=1&keepalives_idle=30&keepalives_count=4\
         &tcp_user_timeout=1500&target_session_attrs=primary&channel_binding=require&load_balance_hosts=random\
         &sslmode=verify-full&sslrootcert=/ca.pem&sslsni=0&ssl_min_protocol_version=TLSv1.3",
    );
    assert_eq!(url.connect_timeout, Some(Duration::from_secs(2)));
    assert_eq!(url.options.as_deref(), Some("-c geqo=off"));
    assert_eq!(
        (url.keepalive.idle, url.keepalive.count),
        (Duration::from_secs(30), 4)
    );
    assert_eq!(url.tcp_user_timeout, Some(Duration::from_millis(1500)));
    assert!(url.must_be_writable && url.shuffle_hosts);
    assert_eq!(url.channel_binding, ChannelBinding::Require);
    assert_eq!(url.tls.roots, Some(Roots::File("/ca.pem".into())));
    assert!(!url.tls.server_name_indication && !url.tls.allow_1_2 && url.tls.allow_1_3);
    assert_eq!(parse("postgres://h/d?connect_timeout=0").connect_timeout, None);
    assert_eq!(
        parse("postgres://h/d?sslrootcert=system").tls.mode,
        SslMode::VerifyFull
    );
    assert_eq!(parse("postgres://h/d?ssl=true").tls.mode, SslMode::Require);
    assert!(
        parse("postgres://h/d?sslmode=require&sslnegotiation=direct")
            .tls
            .direct
    );
}

#[test]
fn what_rails_adds_to_a_database_url_is_no_hindrance() {
    parse("postgres://h/d?pool=5&encoding=unicode&prepared_statements=false&application_name=web&reaping_frequency=10");
    parse(
        "postgres://h/d?gssencmode=disable&client_encoding=auto&fallback_application_name=x&sslcompression=0",
    );
    parse("postgres://u:p@h/d?passfile=/home/ada/.pgpass");
}

#[test]
fn what_cannot_be_read_or_honoured_is_an_error_that_names_no_value() {
    let bad = [
        "mysql://ada:hunter2@host/db",
        "hunter2",
        "postgres://ada:hunter2@host:port/db",
        "postgres://ada:hunter2@host:0/db",
        "postgres://ada:hunter2%zz@host/db",
        "postgres://ada:hunter2%ff@host/db",
        "postgres://ada:hunter2@[::1/db",
        "postgres://ada:hunter2@host/db?sslmode=hunter2",
        "postgres://ada:hunter2@host/db?hunter2",
        "postgres://ada@host/db?hunter2/=1",
        "postgres://ada:hunter2@host/db?sslcrl=hunter2",
        "postgres://ada:hunter2@host/db?sslpassword=hunter2",
        "postgres://ada:hunter2@host/db?service=hunter2",
        "postgres://ada:hunter2@host/db?gssencmode=require",
        "postgres://ada:hunter2@host/db?target_session_attrs=standby",
        "postgres://ada:hunter2@host/db?connect_timeout=hunter2",
        "postgres://ada:hunter2@host/db?sslmode=verify-full",
        "postgres://ada:hunter2@host/db?sslmode=require&sslrootcert=system",
        "postgres://ada:hunter2@host/db?sslnegotiation=direct",
        "postgres://ada:hunter2@host/db?sslcert=hunter2",
        "postgres://ada:hunter2@a,b,c/db?port=1,2",
        "postgres://ada@host/db?passfile=hunter2",
        "postgres://@hunter2/db?host=@hunter2",
    ];
    for url in bad {
        match ConnectionUrl::parse(url) {
            Ok(_) => panic!("{url} was accepted"),
            Err(error) => {
                assert_eq!(error.kind, Kind::Configuration, "{url}");
                assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
            }
        }
    }
    let error = ConnectionUrl::parse("postgres://h/d?requirepeer=x").unwrap_err();
    assert!(error.what.contains("requirepeer"), "{error}");
}

/// Opens a target and says whether its control session is encrypted.
async fn encrypted(url: &str) -> Result<bool, staging_sync_engine::error::Error> {
    let target = Target::open(&settings(url), &Sink::silent()).await?;
    let admin = session(&cluster_url()).await;
    let name = format!("scalingo-staging-sync {}", target.run_id());
    let sql = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = $1";
    let row = admin
        .query_one(sql, &[&name])
        .await
        .expect("the run's session is named after it");
    target.close().await?;
    Ok(row.get(0))
}

fn authority() -> String {
    std::env::var("TEST_PG_CA")
        .expect("TEST_PG_CA is not set: run the tests by bin/test or bin/with-postgres")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sslmode_encrypts_and_verifies_as_libpq_does() {
    let database = Database::of_superuser().await;
    let (port, name, ca) = (cluster_port(), &database.name, authority());
    let by_name = format!("postgres://postgres@localhost:{port}/{name}?hostaddr=127.0.0.1");
    let by_address = format!("postgres://postgres@127.0.0.1:{port}/{name}?");
    let cases = [
        (format!("{by_name}&sslmode=disable"), false),
        (format!("{by_name}&sslmode=allow"), false),
        (by_name.clone(), true),
        (format!("{by_name}&sslmode=prefer"), true),
        (format!("{by_name}&sslmode=require"), true),
        (format!("{by_name}&sslmode=require&sslrootcert={ca}"), true),
        (format!("{by_name}&sslmode=verify-ca&sslrootcert={ca}"), true),
        (format!("{by_name}&sslmode=verify-full&sslrootcert={ca}"), true),
        (
            format!("{by_name}&sslmode=verify-full&sslrootcert={ca}&ssl_max_protocol_version=TLSv1.2"),
            true,
        ),
        // The certificate is for localhost only.
        (format!("{by_address}sslmode=require"), true),
        (format!("{by_address}sslmode=verify-ca&sslrootcert={ca}"), true),
    ];
    for (url, expected) in cases {
        assert_eq!(encrypted(&url).await, Ok(expected), "{url}");
    }
    let error = encrypted(&format!("{by_address}sslmode=verify-full&sslrootcert={ca}"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::TargetConnection);
    assert!(error.what.contains("other_host"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_unknown_authority_is_refused_when_verified() {
    let database = Database::of_superuser().await;
    let url = format!(
        "postgres://postgres@localhost:{}/{}?hostaddr=127.0.0.1",
        cluster_port(),
        database.name
    );
    let error = encrypted(&format!("{url}&sslmode=verify-full&sslrootcert=system"))
        .await
        .unwrap_err();
    assert!(
        error.what.contains("unknown_authority") || error.is("no_authority"),
        "{error}"
    );
    let error = encrypted(&format!("{url}&sslmode=verify-ca&sslrootcert=/nowhere/ca.pem"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Configuration);
    assert!(
        error.what.contains("sslrootcert") && !error.to_string().contains("nowhere"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_host_is_tried_when_the_first_is_down() {
    let database = Database::of_superuser().await;
    let url = format!(
        "postgres://postgres@127.0.0.1:1,127.0.0.1:{}/{}",
        cluster_port(),
        database.name
    );
    assert_eq!(encrypted(&url).await, Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_never_encrypted() {
    let database = Database::of_superuser().await;
    let directory = std::path::Path::new(&authority())
        .parent()
        .unwrap()
        .display()
        .to_string()
        .replace('/', "%2F");
    let url = format!(
        "postgres://postgres@{directory}:{}/{}?sslmode=require",
        cluster_port(),
        database.name
    );
    assert_eq!(encrypted(&url).await, Ok(false));
}

async fn opening(target: settings::TargetSettings) -> staging_sync_engine::error::Error {
    Target::open(&target, &Sink::silent())
        .await
        .expect_err("this target cannot be opened")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_of_not_getting_in_has_its_own_sentence() {
    let port = cluster_port();
    let admin = session(&cluster_url()).await;
    // A role of the name that every version's pg_hba.conf asks for a password.
    let create = "DROP ROLE IF EXISTS pw_user; CREATE ROLE pw_user LOGIN PASSWORD 'right'";
    admin.batch_execute(create).await.unwrap();
    let cases = [
        (
            "postgres://ada:hunter2@127.0.0.1:1/db".to_owned(),
            r#""trouble":"connection refused""#,
        ),
        (
            "postgres://ada:hunter2@no-such-host.invalid/db".to_owned(),
            "unknown_host",
        ),
        (
            format!("postgres://pw_user:hunter2@127.0.0.1:{port}/postgres"),
            "wrong_password",
        ),
        (
            format!("postgres://pw_user@127.0.0.1:{port}/postgres"),
            "password_missing",
        ),
        (
            format!("postgres://postgres@127.0.0.1:{port}/hunter2"),
            "no_such_database",
        ),
        (
            format!("postgres://hunter2@127.0.0.1:{port}/postgres"),
            "role_not_let_in",
        ),
        (
            format!("postgres://postgres@127.0.0.1:{port}/postgres?channel_binding=require"),
            "no_channel_binding",
        ),
    ];
    for (url, sentence) in cases {
        let error = opening(settings(&url)).await;
        assert_eq!(error.kind, Kind::TargetConnection, "{url}: {error}");
        assert!(error.what.contains(sentence), "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let right =
        format!("postgres://pw_user:right@127.0.0.1:{port}/postgres?sslmode=require&channel_binding=require");
    Target::open(&settings(&right), &Sink::silent())
        .await
        .expect("the right password")
        .close()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_reported_from_one_that_is_down() {
    // A server that answers N to the request for TLS, as PostgreSQL without a certificate does.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 8];
            let _ = socket.read_exact(&mut request).await;
            let _ = socket.write_all(b"N").await;
        }
    });
    let error = opening(settings(&format!(
        "postgres://ada@127.0.0.1:{port}/db?sslmode=require"
    )))
    .await;
    assert!(error.is("no_tls"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_set_up_for_a_restore() {
    let database = Database::of_restricted().await;
    let role = &database.role;
    let hostile = format!(
        "ALTER ROLE {role} SET statement_timeout = '1ms'; ALTER ROLE {role} SET search_path = public; \
         ALTER ROLE {role} SET default_transaction_read_only = on; ALTER ROLE {role} SET DateStyle = 'German'"
    );
    database.admin.batch_execute(&hostile).await.unwrap();
    let target = Target::open(&database.settings(), &Sink::silent())
        .await
        .expect("no setting of the role hinders");
    target
        .reset_and_create(&target_support::Planner::new().plan(), &JobRecord::default())
        .await
        .expect("no timeout, no read-only session");
    target.close().await.unwrap();
}
