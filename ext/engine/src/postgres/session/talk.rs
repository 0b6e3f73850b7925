//! What is said on a session. Whatever waits for an answer here counts as waiting for the [watch](super::watch).
//!
//! A query without parameters takes one round trip. One with parameters takes two, since the server is asked for their types
//! first, unless it says them: [`Session::query_typed`].

use super::connect::Session;
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use bytes::Buf;
use futures_util::TryStreamExt;
use std::future::Future;
use std::pin::Pin;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CopyInSink, CopyOutStream, Row, SimpleQueryMessage, Statement, ToStatement};

type Answer<T> = std::result::Result<T, tokio_postgres::Error>;
type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

impl Session {
    /// Does something that waits for the server, such as handing on a piece of a COPY.
    pub(crate) async fn during<F: Future>(&self, work: F) -> F::Output {
        self.pulse().during(work).await
    }

    pub(crate) async fn batch_execute(&self, sql: &str) -> Answer<()> {
        self.during(self.client().batch_execute(sql)).await
    }

    pub(crate) async fn simple_query(&self, sql: &str) -> Answer<Vec<SimpleQueryMessage>> {
        self.during(self.client().simple_query(sql)).await
    }

    pub(crate) async fn prepare(&self, sql: &str) -> Answer<Statement> {
        self.during(self.client().prepare(sql)).await
    }

    pub(crate) async fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Answer<u64> {
        if parameters.is_empty() {
            return self.during(self.client().execute_typed(sql, &[])).await;
        }
        self.during(self.client().execute(sql, parameters)).await
    }

    pub(crate) async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Answer<Vec<Row>> {
        if parameters.is_empty() {
            return self.during(self.client().query_typed(sql, &[])).await;
        }
        self.during(self.client().query(sql, parameters)).await
    }

    pub(crate) async fn query_one(&self, sql: &str, parameters: Parameters<'_>) -> Answer<Row> {
        if parameters.is_empty() {
            return self.during(self.client().query_typed_one(sql, &[])).await;
        }
        self.during(self.client().query_one(sql, parameters)).await
    }

    pub(crate) async fn query_opt(&self, sql: &str, parameters: Parameters<'_>) -> Answer<Option<Row>> {
        if parameters.is_empty() {
            return self.during(self.client().query_typed_opt(sql, &[])).await;
        }
        self.during(self.client().query_opt(sql, parameters)).await
    }

    pub(crate) async fn query_typed(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Answer<Vec<Row>> {
        self.during(self.client().query_typed(sql, parameters)).await
    }

    /// Begins a COPY to the server; what is sent by it is to be sent within [`Session::during`].
    pub(crate) async fn copy_in<B: Buf + Send + 'static>(
        &self,
        sql: &(impl ToStatement + ?Sized + Sync),
    ) -> Answer<CopyInSink<B>> {
        self.during(self.client().copy_in(sql)).await
    }

    /// Begins a COPY from the server.
    pub(crate) async fn copy_out(&self, sql: &str) -> Answer<CopiedOut<'_>> {
        let stream = self.during(self.client().copy_out(sql)).await?;
        Ok(CopiedOut {
            session: self,
            stream: Box::pin(stream),
            ended: false,
        })
    }

    /// Whether the connection is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client().is_closed()
    }

    /// Says something, so that a proxy that cuts silent connections does not cut this one.
    pub(crate) async fn ping(&self) -> Result<()> {
        self.ping_while(&Attempt::KeepingAlive).await
    }

    /// The same, where what is being done is more than that.
    pub(super) async fn ping_while(&self, doing: &Attempt) -> Result<()> {
        let answer = self.during(self.client().check_connection()).await;
        answer.map_err(|error| Error::from_server(Doing::WithoutRows(doing), &error))
    }
}

/// What a COPY from the server brings.
pub(crate) struct CopiedOut<'s> {
    session: &'s Session,
    stream: Pin<Box<CopyOutStream>>,
    ended: bool,
}

impl CopiedOut<'_> {
    /// The next message, of one row where the COPY is of text; None at the end.
    pub(crate) async fn try_next(&mut self) -> Answer<Option<bytes::Bytes>> {
        self.session.during(self.stream.try_next()).await
    }

    /// Replaces what is in `piece` by the next rows, whole ones, of about so many bytes together. False where none is left.
    pub(crate) async fn next_piece(&mut self, bytes: usize, piece: &mut Vec<u8>) -> Answer<bool> {
        piece.clear();
        // PostgreSQL sends each row as one message. Behind the last, the stream cannot be asked again.
        while !self.ended && piece.len() < bytes {
            match self.try_next().await? {
                Some(row) => piece.extend_from_slice(&row),
                None => self.ended = true,
            }
        }
        Ok(!piece.is_empty())
    }
}
