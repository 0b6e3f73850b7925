//! Large objects: created with the oids of the backup, small ones many per statement, huge ones in chunks.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::postgres::buffers::Buffers;
use crate::postgres::session::connect::Session;
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// Objects per transaction. Each holds a lock or two until the commit.
const PER_TRANSACTION: usize = 1_000;

/// Bytes per statement, and the size from which on an object is written in chunks.
const PER_STATEMENT: usize = 1024 * 1024;

/// Bytes per transaction.
const BYTES_PER_TRANSACTION: u64 = 64 * 1024 * 1024;

/// After this long without data, what is there is committed: the server's answer also keeps a proxy from taking
/// the connection for dead.
const SILENCE: Duration = Duration::from_secs(120);

/// What arrives.
pub(crate) enum LargeObjectPart {
    Start(u32),
    Data(Vec<u8>),
    End,
}

/// Writes what arrives.
pub(crate) struct LargeObjectWriter<'s> {
    session: &'s Session,
    buffers: Buffers,
    /// Whole objects that are not written yet.
    batch: Vec<(u32, Vec<u8>)>,
    batch_bytes: usize,
    /// The object that arrives.
    current: Option<CurrentObject>,
    /// Objects and bytes since the last commit; a transaction is open when there are any.
    objects: usize,
    bytes: u64,
    written: Vec<u32>,
}

struct CurrentObject {
    oid: u32,
    data: Vec<u8>,
    /// Bytes that the server has. 0: the object is not created yet.
    sent: i64,
}

fn refused(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithRows(&Attempt::LoadingLargeObjects), &error)
}

impl<'s> LargeObjectWriter<'s> {
    pub(crate) fn new(session: &'s Session, buffers: Buffers) -> Self {
        Self {
            session,
            buffers,
            batch: Vec::new(),
            batch_bytes: 0,
            current: None,
            objects: 0,
            bytes: 0,
            written: Vec::new(),
        }
    }

    /// Writes everything that arrives, until the sender is gone. Returns the oids.
    pub(crate) async fn run(mut self, parts: &mut mpsc::Receiver<LargeObjectPart>) -> Result<Vec<u32>> {
        loop {
            match tokio::time::timeout(SILENCE, parts.recv()).await {
                Ok(Some(part)) => self.take(part).await?,
                Ok(None) => break,
                Err(_) => {
                    self.write_batch().await?;
                    self.commit().await?;
                    self.session.ping().await?;
                }
            }
        }
        if self.current.is_some() {
            return Err(Error::internal("The data of a large object ended in the middle."));
        }
        self.write_batch().await?;
        self.commit().await?;
        Ok(self.written)
    }

    async fn take(&mut self, part: LargeObjectPart) -> Result<()> {
        match part {
            LargeObjectPart::Start(oid) => {
                self.current = Some(CurrentObject {
                    oid,
                    data: Vec::new(),
                    sent: 0,
                });
                Ok(())
            }
            LargeObjectPart::Data(data) => {
                let Some(current) = &mut self.current else {
                    return Err(outside());
                };
                current.data.extend_from_slice(&data);
                self.buffers.give(data);
                if current.data.len() < PER_STATEMENT {
                    return Ok(());
                }
                self.write_chunk().await
            }
            LargeObjectPart::End => match self.current.take() {
                None => Err(outside()),
                Some(current) if current.sent == 0 => self.enqueue(current.oid, current.data).await,
                Some(current) => {
                    let last = !current.data.is_empty();
                    self.current = Some(current);
                    if last {
                        self.write_chunk().await?;
                    }
                    self.current = None;
                    self.commit_when_due().await
                }
            },
        }
    }

    async fn enqueue(&mut self, oid: u32, data: Vec<u8>) -> Result<()> {
        self.batch_bytes += data.len();
        self.batch.push((oid, data));
        if self.objects + self.batch.len() >= PER_TRANSACTION || self.batch_bytes >= PER_STATEMENT {
            self.write_batch().await?;
        }
        Ok(())
    }

    /// Writes what has arrived of the current object.
    async fn write_chunk(&mut self) -> Result<()> {
        let Some(mut current) = self.current.take() else {
            return Err(outside());
        };
        let data = std::mem::take(&mut current.data);
        if current.sent == 0 {
            self.begin().await?;
            let sql = "SELECT lo_from_bytea($1, $2)";
            self.session
                .execute(sql, &[&current.oid, &data])
                .await
                .map_err(refused)?;
            self.objects += 1;
            self.written.push(current.oid);
        } else {
            self.begin().await?;
            let sql = "SELECT lo_put($1, $2, $3)";
            self.session
                .execute(sql, &[&current.oid, &current.sent, &data])
                .await
                .map_err(refused)?;
        }
        self.bytes += data.len() as u64;
        current.sent += i64::try_from(data.len()).unwrap_or(i64::MAX);
        // The buffer is used again for the next chunk.
        current.data = data;
        current.data.clear();
        self.current = Some(current);
        self.commit_when_due().await
    }

    async fn write_batch(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        let batch = std::mem::take(&mut self.batch);
        let oids: Vec<u32> = batch.iter().map(|(oid, _)| *oid).collect();
        let contents: Vec<&[u8]> = batch.iter().map(|(_, data)| data.as_slice()).collect();
        let sql = "SELECT count(lo_from_bytea(o, d)) FROM unnest($1::oid[], $2::bytea[]) AS t (o, d)";
        self.session
            .execute(sql, &[&oids, &contents])
            .await
            .map_err(refused)?;
        self.objects += oids.len();
        self.bytes += std::mem::take(&mut self.batch_bytes) as u64;
        self.written.extend(oids);
        self.commit_when_due().await
    }

    async fn begin(&mut self) -> Result<()> {
        if self.objects == 0 && self.bytes == 0 {
            self.session.batch_execute("BEGIN").await.map_err(refused)?;
        }
        Ok(())
    }

    async fn commit_when_due(&mut self) -> Result<()> {
        if self.objects >= PER_TRANSACTION || self.bytes >= BYTES_PER_TRANSACTION {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        if self.objects > 0 || self.bytes > 0 {
            self.session.batch_execute("COMMIT").await.map_err(refused)?;
            self.objects = 0;
            self.bytes = 0;
        }
        Ok(())
    }
}

/// Creates, empty, those of `oids` that are not in `written`. Returns how many.
pub(crate) async fn create_empty(session: &Session, oids: &[u32], written: &HashSet<u32>) -> Result<u64> {
    let mut missing: Vec<u32> = oids
        .iter()
        .copied()
        .filter(|oid| !written.contains(oid))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    for some in missing.chunks(PER_TRANSACTION) {
        let sql = "SELECT count(lo_create(o)) FROM unnest($1::oid[]) AS t (o)";
        session.execute(sql, &[&some]).await.map_err(refused)?;
    }
    Ok(missing.len() as u64)
}

fn outside() -> Error {
    Error::internal("Data of a large object arrived outside of one.")
}
