//! Large objects: one writer after another, and no two of them over one session.

use super::{Done, Restore};
use crate::error::{Error, Result};
use crate::postgres::load::large_objects;
use crate::postgres::load::large_objects::{LargeObjectPart, LargeObjectWriter};
use tokio::sync::mpsc;

impl Restore<'_> {
    pub(super) async fn large_object(&mut self, part: LargeObjectPart) -> Result<()> {
        let sender = match &self.large_objects {
            Some(sender) => sender.clone(),
            None => {
                let session = self.free_session().await?;
                let buffers = self.target.buffers();
                let (sender, mut receiver) = mpsc::channel(4);
                self.tasks.spawn(async move {
                    let oids = LargeObjectWriter::new(&session, buffers)
                        .run(&mut receiver)
                        .await?;
                    Ok(Done::LargeObjects { session, oids })
                });
                self.writers += 1;
                self.large_objects = Some(sender.clone());
                sender
            }
        };
        loop {
            tokio::select! {
                permit = sender.reserve() => match permit {
                    Ok(permit) => {
                        permit.send(part);
                        return Ok(());
                    }
                    Err(_) => return Err(self.failure().await),
                },
                Some(done) = self.tasks.join_next() => {
                    self.finished(done)?;
                    self.start_steps()?;
                }
            }
        }
    }

    /// Creates the large objects that have no contents, once it is known which ones have some.
    pub(super) async fn finish_large_objects(&mut self) -> Result<()> {
        while self.writers > 0 {
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("The writer of large objects is gone.")),
            }
            self.start_steps()?;
        }
        let oids = self.plan.large_objects.oids.iter();
        let comes = |oid: &&u32| self.objects_kept.as_ref().is_none_or(|kept| kept.contains(**oid));
        let oids: Vec<u32> = oids.filter(comes).copied().collect();
        if oids.iter().all(|oid| self.written.contains(oid)) {
            return Ok(());
        }
        let session = self.free_session().await?;
        let created = large_objects::create_empty(&session, &oids, &self.written).await;
        self.free.push(session);
        self.report.large_objects += created?;
        Ok(())
    }
}
