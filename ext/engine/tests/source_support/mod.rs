//! A Scalingo of the tests' own, over real HTTP: its API and a file to download, with every way to misbehave.
//!
//! One request a connection; answers are scripted per route or, by default, those of a healthy platform.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flate2::write::GzEncoder;
use serde_json::{json, Value};
use staging_sync_engine::error::Error;
use staging_sync_engine::event::{Event, Sink};
use staging_sync_engine::settings::{self, BaseUrls};
use staging_sync_engine::source::{self, Backup, Patience};
use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const API_TOKEN: &str = "tk-us-secret0api0token";
pub const JWT: &str = "header.secretjwt.signature";
pub const ADDON_TOKEN: &str = "secretaddontoken";
pub const LINK: &str = "secretlink";

/// A request, as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Request {
    /// `GET /path`, without the query.
    pub fn route(&self) -> String {
        format!("{} {}", self.method, self.target.split('?').next().unwrap())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As announced.
    Whole,
    /// The connection closes after so many bytes of the body.
    CutAfter(usize),
    /// Nothing more comes after so many bytes of the body, and the connection stays.
    SilentAfter(usize),
    /// The body is repeated without end.
    Endless,
    /// A byte comes at a time, so far apart.
    Trickling(Duration),
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub end: End,
    /// Without a length, in chunks.
    pub chunked: bool,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            end: End::Whole,
            chunked: false,
        }
    }

    pub fn bytes(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::status(status)
        }
    }

    pub fn json(status: u16, body: Value) -> Self {
        Self::bytes(status, body.to_string()).with("content-type", "application/json")
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }
}

type Answer = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

#[derive(Default)]
struct State {
    requests: Mutex<Vec<Request>>,
    /// Answers to the next requests of a route, before its handler.
    scripts: Mutex<HashMap<String, VecDeque<Reply>>>,
    handlers: Mutex<HashMap<String, Answer>>,
    sent: AtomicU64,
    links: AtomicU64,
}

/// The platform, its auth and its databases' API, and the server of the archives: all at one address.
pub struct Scalingo {
    pub url: String,
    state: Arc<State>,
}

impl Scalingo {
    /// A healthy platform: the app `shop` with the PostgreSQL addon `ad-1`, whose backup `b1` is `archive`.
    pub async fn with_archive(archive: Vec<u8>) -> Self {
        let scalingo = Self::start().await;
        scalingo.on("GET /file", move |request| serve(request, &archive));
        scalingo
    }

    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let scalingo = Self {
            url: url.clone(),
            state: Arc::clone(&state),
        };
        scalingo.on("POST /v1/tokens/exchange", |_| {
            Reply::json(200, json!({ "token": JWT }))
        });
        scalingo.addons(json!([addon("ad-1", "postgresql", "postgresql-starter-512")]));
        scalingo.on("POST /v1/apps/shop/addons/ad-1/token", |_| {
            Reply::json(200, json!({ "addon": { "id": "ad-1", "token": ADDON_TOKEN } }))
        });
        scalingo.backups(json!([backup("b1", "2025-11-19T03:00:00Z", "done")]));
        let (links, base) = (Arc::clone(&state), url);
        for id in ["b1", "b2", "b3"] {
            let (links, base) = (Arc::clone(&links), base.clone());
            scalingo.on(
                &format!("GET /api/databases/ad-1/backups/{id}/archive"),
                move |_| {
                    let number = links.links.fetch_add(1, Ordering::Relaxed);
                    Reply::json(
                        200,
                        json!({ "download_url": format!("{base}/file?token={LINK}{number}") }),
                    )
                },
            );
        }
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move {
                    let _ = handle(stream, &state).await;
                });
            }
        });
        scalingo
    }

    /// Answers a route (`GET /path`) from now on.
    pub fn on(&self, route: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        self.state
            .handlers
            .lock()
            .unwrap()
            .insert(route.into(), Arc::new(answer));
    }

    /// Answers the next requests of a route with these, and then as before.
    pub fn next(&self, route: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state
            .scripts
            .lock()
            .unwrap()
            .entry(route.into())
            .or_default()
            .extend(replies);
    }

    pub fn addons(&self, addons: Value) {
        self.on("GET /v1/apps/shop/addons", move |_| {
            Reply::json(200, json!({ "addons": addons }))
        });
    }

    pub fn backups(&self, backups: Value) {
        self.on("GET /api/databases/ad-1/backups", move |_| {
            Reply::json(200, json!({ "database_backups": backups }))
        });
    }

    /// The requests of a route so far.
    pub fn asked(&self, route: &str) -> Vec<Request> {
        self.all()
            .into_iter()
            .filter(|request| request.route() == route)
            .collect()
    }

    pub fn all(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// Bytes of bodies that went into sockets so far.
    pub fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::Relaxed)
    }

    /// Settings for this server.
    pub fn settings(&self) -> settings::Scalingo {
        settings::Scalingo {
            app: "shop".into(),
            api_token: API_TOKEN.to_owned().into(),
            region: "osc-fr1".into(),
            addon_id: None,
            backup_max_age: None,
            urls: BaseUrls {
                auth: Some(self.url.clone()),
                api: Some(self.url.clone()),
                database: Some(self.url.clone()),
            },
            keep_in: None,
            force_download: false,
            stall_timeout: 300.0,
            poll_interval: 0.002,
        }
    }
}

/// An addon, as the API describes it.
pub fn addon(id: &str, provider: &str, plan: &str) -> Value {
    json!({ "id": id, "app_id": "1", "resource_id": "shop_1", "status": "running", "plan": { "name": plan },
            "addon_provider": { "id": provider, "name": provider } })
}

/// A backup, as the API describes it.
pub fn backup(id: &str, created_at: &str, status: &str) -> Value {
    let size = if status == "done" {
        json!(1234)
    } else {
        Value::Null
    };
    json!({ "id": id, "created_at": created_at, "started_at": null, "name": format!("2025_{id}"), "size": size,
            "status": status, "database_id": "ad-1", "method": "periodic" })
}

/// A moment so many seconds ago, RFC 3339.
pub fn ago(seconds: i64) -> String {
    (jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds)).to_string()
}

/// A file, with ranges.
pub fn serve(request: &Request, file: &[u8]) -> Reply {
    let Some(first) = range_start(request) else {
        return Reply::bytes(200, file);
    };
    if first >= file.len() {
        return Reply::status(416).with("content-range", &format!("bytes */{}", file.len()));
    }
    Reply::bytes(206, &file[first..]).with(
        "content-range",
        &format!("bytes {first}-{}/{}", file.len() - 1, file.len()),
    )
}

/// The first byte that a request wants.
pub fn range_start(request: &Request) -> Option<usize> {
    request
        .header("range")?
        .strip_prefix("bytes=")?
        .strip_suffix('-')?
        .parse()
        .ok()
}

async fn handle(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let request = read_request(&mut stream).await?;
    state.requests.lock().unwrap().push(request.clone());
    let scripted = state
        .scripts
        .lock()
        .unwrap()
        .get_mut(&request.route())
        .and_then(VecDeque::pop_front);
    let reply = scripted.unwrap_or_else(|| {
        let handler = state.handlers.lock().unwrap().get(&request.route()).cloned();
        handler.map_or_else(
            || Reply::json(404, json!({ "error": "not found" })),
            |handler| handler(&request),
        )
    });
    write_reply(&mut stream, reply, state).await
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (
        first.next().unwrap_or_default().into(),
        first.next().unwrap_or_default().into(),
    );
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            break;
        }
    }
    Ok(Request {
        method,
        target,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

async fn write_reply(stream: &mut TcpStream, reply: Reply, state: &State) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Whatever\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = if reply.end == End::Endless {
        1 << 40
    } else {
        reply.body.len() as u64
    };
    if reply.chunked {
        head.push_str("transfer-encoding: chunked\r\n\r\n");
    } else {
        head.push_str(&format!("content-length: {length}\r\n\r\n"));
    }
    stream.write_all(head.as_bytes()).await?;
    let body = match reply.end {
        End::CutAfter(length) | End::SilentAfter(length) => &reply.body[..length.min(reply.body.len())],
        End::Whole | End::Endless | End::Trickling(_) => &reply.body[..],
    };
    if let End::Trickling(apart) = reply.end {
        for byte in body.chunks(1) {
            stream.write_all(byte).await?;
            tokio::time::sleep(apart).await;
        }
        return stream.shutdown().await;
    }
    loop {
        for piece in body.chunks(16 * 1024) {
            if reply.chunked {
                stream
                    .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
                    .await?;
            }
            stream.write_all(piece).await?;
            if reply.chunked {
                stream.write_all(b"\r\n").await?;
            }
            state.sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        if reply.end != End::Endless {
            break;
        }
    }
    match reply.end {
        End::SilentAfter(_) => tokio::time::sleep(Duration::from_secs(600)).await,
        End::Whole if reply.chunked => stream.write_all(b"0\r\n\r\n").await?,
        _ => {}
    }
    stream.shutdown().await
}

/// No waiting where a test does not want it; time enough where the machine is slow.
pub fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(10),
        answer: Duration::from_secs(20),
        stalled: Duration::from_secs(20),
        first_delay: Duration::from_millis(1),
        longest_delay: Duration::from_millis(4),
        longest_retry_after: Duration::from_secs(60),
        api_attempts: 4,
        download_attempts: 5,
        refusals: 3,
        breaks: 50,
        fresh_backup: Duration::from_secs(60),
        ..Patience::default()
    }
}

/// Events, as they were heard.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<Event>>>);

impl Heard {
    pub fn sink(&self) -> Sink {
        let heard = Arc::clone(&self.0);
        Sink::new(move |event| heard.lock().unwrap().push(event))
    }

    pub fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

/// The beginning of an archive in pg_dump's custom format, then bytes that do not compress.
pub fn archive(length: usize) -> Vec<u8> {
    let mut bytes = b"PGDMP\x01\x10\x00\x04\x08\x01".to_vec();
    let mut state = 7_u32;
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((state >> 24) as u8);
    }
    bytes
}

/// The archive as Scalingo packs it.
pub fn packed(archive: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(archive.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "./2025_b1.pgsql", archive).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar.into_inner().unwrap()).unwrap();
    gzip.finish().unwrap()
}

/// Opens the backup that `settings` ask for.
pub async fn open(settings: settings::Scalingo, patience: &Patience, heard: &Heard) -> Result<Backup, Error> {
    let opened = source::open_with(&settings::Source::Scalingo(settings), &heard.sink(), patience).await;
    opened.inspect_err(holds_no_secret)
}

/// Reads the archive to its end, on a thread that may block.
pub async fn read(mut backup: Backup) -> Result<Vec<u8>, Error> {
    tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        match backup.archive.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(source::error_from_io(&error).expect("an error of the engine inside")),
        }
    })
    .await
    .unwrap()
    .inspect_err(holds_no_secret)
}

/// Opens and reads; the first failure of either.
pub async fn open_and_read(
    settings: settings::Scalingo,
    patience: &Patience,
    heard: &Heard,
) -> Result<Vec<u8>, Error> {
    let bytes = read(open(settings, patience, heard).await?).await;
    holds_no_secret(&heard.all());
    bytes
}

/// Fails when what is printed of a thing holds a secret or a URL.
pub fn holds_no_secret<T: std::fmt::Debug>(thing: &T) {
    let text = format!("{thing:?}");
    for secret in [API_TOKEN, JWT, ADDON_TOKEN, LINK, "://", "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
