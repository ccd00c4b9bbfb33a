//! Many small uploads, one sync.
//!
//! A client may send many small files without waiting for the answers. What has been received
//! when the session would have to wait for more is a batch: all of it is published, each folder is
//! synced once, and then all answers go out.

use common::protocol::Refusal;

use crate::answer::Answer;
use crate::point;
use crate::refusal;
use crate::store::{Folder, Inode};
use crate::upload::{Received, Report};

/// Uploads that may await their common sync. Each holds two file descriptors and a claim.
const UPLOADS_MAX: usize = 64;

/// Bytes of buffers they may keep meanwhile.
const BUFFER_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Uploads that have been received and await their common sync, in the order they came.
#[derive(Debug, Default)]
pub struct Batch<'s> {
    received: Vec<Received<'s>>,
}

impl<'s> Batch<'s> {
    /// Adds one.
    pub fn push(&mut self, received: Received<'s>) {
        self.received.push(received);
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// Whether it must be settled before another may be added.
    pub fn is_full(&self) -> bool {
        let buffers: u64 = self.received.iter().map(Received::buffer_bytes).sum();
        self.received.len() >= UPLOADS_MAX || buffers >= BUFFER_BYTES_MAX
    }

    /// Whether [`settle`](Self::settle) would wait for nothing but the disk.
    pub fn is_written(&mut self) -> bool {
        self.received.iter_mut().all(Received::is_written)
    }

    /// Publishes everything, syncs every folder concerned once, and gives the answers in order.
    /// After this the batch is empty and its claims are given back.
    pub fn settle(&mut self) -> Vec<(Report, Answer)> {
        let published: Vec<_> =
            self.received.drain(..).map(|one| (one.report(), one.publish())).collect();
        // Only now, behind the last rename: one sync of a folder covers every name in it.
        let mut folders = SyncOnce::default();
        published
            .into_iter()
            .map(|(report, published)| {
                let synced = published.and_then(|one| Ok(folders.sync(&one.folder)?));
                point::pass("put.synced");
                (report, synced.map_or_else(|refused| refused, |()| Answer::done()))
            })
            .collect()
    }
}

/// The folders that were synced, and how that went.
#[derive(Default)]
struct SyncOnce {
    folders: Vec<(Inode, Result<(), Refusal>)>,
}

impl SyncOnce {
    fn sync(&mut self, folder: &Folder) -> Result<(), Refusal> {
        let inode = folder.inode();
        if let Some((_, result)) = self.folders.iter().find(|(synced, _)| *synced == inode) {
            return result.clone();
        }
        let result = folder.sync().map_err(|e| refusal::unconfirmed(&e));
        self.folders.push((inode, result.clone()));
        result
    }
}
