//! The COPY text codec against a real server, byte for byte.
//!
//! Needs a server: `bin/with-postgres cargo test`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use pg_dump_archive::copy::{decode, encode, fields};
use tokio_postgres::{Client, NoTls};

/// A client of a database of this test's own. Its encoding is SQL_ASCII, so that text can be any bytes.
async fn connect(name: &str) -> Client {
    let url = std::env::var("TEST_PG_URL").unwrap_or_else(|_| {
        panic!("TEST_PG_URL is not set: run this test through bin/with-postgres or bin/test")
    });
    let database = format!("copy_{name}_{}", std::process::id());
    let server = client(&url).await;
    let create = format!("CREATE DATABASE {database} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    server.batch_execute(&create).await.unwrap();
    client(&format!("{}/{database}", url.rsplit_once('/').unwrap().0)).await
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Sends rows of COPY text to a table.
async fn copy_in(client: &Client, into: &str, text: Vec<u8>) {
    let sql = format!("COPY {into} FROM STDIN WITH (ENCODING 'SQL_ASCII')");
    let sink = client.copy_in::<_, Bytes>(&sql).await.unwrap();
    futures_util::pin_mut!(sink);
    sink.send(Bytes::from(text)).await.unwrap();
    sink.finish().await.unwrap();
}

/// What the server writes for a query's rows.
async fn copy_out(client: &Client, query: &str) -> Vec<u8> {
    let sql = format!("COPY ({query}) TO STDOUT WITH (ENCODING 'SQL_ASCII')");
    let stream = client.copy_out(&sql).await.unwrap();
    stream
        .try_fold(Vec::new(), |mut all, part| async move {
            all.extend_from_slice(&part);
            Ok(all)
        })
        .await
        .unwrap()
}

/// The bytes of each value of `body`, as the server has them, in the order of `id`.
async fn stored(client: &Client, table: &str) -> Vec<Option<Vec<u8>>> {
    let sql = format!("SELECT convert_to(body, 'SQL_ASCII') FROM {table} ORDER BY id");
    client
        .query(&sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

/// Values that are hard to carry: each byte alone, between others and doubled, NULL, what looks like NULL.
fn values() -> Vec<Option<Vec<u8>>> {
    let mut values = vec![None, Some(Vec::new())];
    for byte in 1..=255 {
        values.extend(
            [
                vec![byte],
                vec![b'a', byte, b'b'],
                vec![byte, byte],
                vec![b'\\', byte],
            ]
            .map(Some),
        );
    }
    values.push(Some((1..=255).collect()));
    for text in [
        "\\N",
        "\\\\N",
        "\\.",
        "N",
        "\\x41",
        "\\101",
        "é日😀",
        "\r\n",
        "a\\",
    ] {
        values.push(Some(text.as_bytes().to_vec()));
    }
    values
}

#[tokio::test]
async fn what_is_encoded_is_what_the_server_stores_and_writes_itself() {
    let client = connect("encode").await;
    client
        .batch_execute("CREATE TABLE t (id integer, body text, raw bytea)")
        .await
        .unwrap();
    let values = values();
    let mut text = Vec::new();
    for (id, value) in values.iter().enumerate() {
        text.extend_from_slice(format!("{id}\t").as_bytes());
        encode(value.as_deref(), &mut text);
        text.push(b'\t');
        let hex = value.as_ref().map(|bytes| {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\\x{digits}").into_bytes()
        });
        encode(hex.as_deref(), &mut text);
        text.push(b'\n');
    }
    copy_in(&client, "t", text.clone()).await;
    assert_eq!(stored(&client, "t").await, values);
    let raw = client.query("SELECT raw FROM t ORDER BY id", &[]).await.unwrap();
    assert_eq!(
        raw.iter().map(|row| row.get(0)).collect::<Vec<Option<Vec<u8>>>>(),
        values
    );

    let theirs = copy_out(&client, "SELECT * FROM t ORDER BY id").await;
    assert_eq!(theirs.escape_ascii().to_string(), text.escape_ascii().to_string());
    let mut scratch = Vec::new();
    for (row, value) in theirs.split(|&byte| byte == b'\n').zip(&values) {
        let field = fields(row).nth(1).unwrap();
        assert_eq!(
            decode(field, &mut scratch),
            value.as_deref(),
            "{}",
            field.escape_ascii()
        );
    }
}

/// Fields with every escape there is, and with what looks like one.
fn escapes() -> Vec<Vec<u8>> {
    let mut raw: Vec<Vec<u8>> = Vec::new();
    for byte in 1..=255u8 {
        // Raw line ends are none of COPY text's bytes, a raw tab ends the field, and `\.` is for the closing line.
        if !matches!(byte, b'\n' | b'\r' | b'\t' | b'.') {
            raw.extend([
                vec![b'\\', byte],
                vec![b'a', b'\\', byte, b'b'],
                vec![b'\\', b'\\', byte, b'c'],
            ]);
        }
        raw.extend([
            format!("\\{byte:o}").into_bytes(),
            format!("\\{byte:03o}7").into_bytes(),
            format!("\\x{byte:x}").into_bytes(),
            format!("\\x{byte:02X}f").into_bytes(),
            format!("\\x{byte:x}\\{byte:o}g").into_bytes(),
        ]);
    }
    for text in [
        "\\N",
        "\\\\N",
        "\\NN",
        "a\\N",
        "\\xg",
        "\\x",
        "\\8",
        "\\9",
        "\\777",
        "\\401",
        "\\18",
        "\\128",
        "",
        "\\b\\f\\n\\r\\t\\v",
    ] {
        raw.push(text.as_bytes().to_vec());
    }
    raw
}

#[tokio::test]
async fn every_escape_is_decoded_as_the_server_does() {
    let client = connect("decode").await;
    client
        .batch_execute("CREATE TABLE t (id integer, body text)")
        .await
        .unwrap();
    let mut raw = escapes();
    // A byte of zero is refused by the server and cannot be compared.
    let mut scratch = Vec::new();
    raw.retain(|field| !decode(field, &mut scratch).is_some_and(|value| value.contains(&0)));

    let mut text = Vec::new();
    for (id, field) in raw.iter().enumerate() {
        text.extend_from_slice(format!("{id}\t").as_bytes());
        text.extend_from_slice(field);
        text.push(b'\n');
    }
    copy_in(&client, "t", text).await;
    let stored = stored(&client, "t").await;
    assert_eq!(stored.len(), raw.len());
    for (field, theirs) in raw.iter().zip(stored) {
        assert_eq!(
            decode(field, &mut scratch),
            theirs.as_deref(),
            "{}",
            field.escape_ascii()
        );
    }
}
