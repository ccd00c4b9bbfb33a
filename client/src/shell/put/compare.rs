//! Comparing: a folder that was there already may hold some of the files, from an earlier attempt.
//! Those are compared many at a time, before anything is sent, and what is the same is left alone.

use std::mem;
use std::ops::ControlFlow;

use common::protocol::{Crc32, Kind};

use super::{Upload, Uploads};
use crate::client::BATCH;
use crate::error::Error;
use crate::transfer;

impl Uploads<'_> {
    /// Sends those of the doubtful that are not there yet.
    pub(super) fn compare(&mut self) -> ControlFlow<()> {
        let doubtful = mem::take(&mut self.doubtful);
        let Some(first) = doubtful.first() else { return ControlFlow::Continue(()) };
        self.settle(0)?;
        let sums = match self.sums(&doubtful) {
            Ok(sums) => sums,
            Err(error) if error.ends_everything() => return self.failed(&first.file, error),
            // What speaks against one of them only, that one will say in its turn.
            Err(_) => vec![None; doubtful.len()],
        };
        for (upload, there) in doubtful.into_iter().zip(sums) {
            match self.is_same(&upload, there) {
                Ok(true) => self.unchanged(&upload)?,
                Ok(false) => match self.open(&upload.file, upload.shown) {
                    Ok((upload, source)) => self.send(upload, source)?,
                    Err(error) => self.failed(&upload.file, error)?,
                },
                Err(error) => self.failed(&upload.file, error)?,
            }
        }
        ControlFlow::Continue(())
    }

    fn sums<'u>(
        &mut self,
        uploads: impl IntoIterator<Item = &'u Upload>,
    ) -> Result<Vec<Option<Crc32>>, Error> {
        let files: Vec<_> = uploads.into_iter().map(|u| (u.path.clone(), u.size)).collect();
        self.link.client()?.sums_of_size(&files)
    }

    fn is_same(&mut self, upload: &Upload, there: Option<Crc32>) -> Result<bool, Error> {
        let Some(there) = there else { return Ok(false) };
        transfer::is_same(self.link.client()?, &upload.path, &upload.file, there)
    }

    /// Compares what came to stand there since it was first looked at. After a cut the server may
    /// still have been storing what had arrived, or a second `put -r` is under way.
    pub(super) fn look_again(&mut self) {
        let mut taken = mem::take(&mut self.taken);
        while !taken.is_empty() {
            let batch: Vec<_> = taken.drain(..taken.len().min(BATCH)).collect();
            let sums = self.sums(batch.iter().map(|(upload, _)| upload));
            let sums = sums.unwrap_or_else(|_| vec![None; batch.len()]);
            for ((upload, error), there) in batch.into_iter().zip(sums) {
                let done = match self.is_same(&upload, there) {
                    Ok(true) => self.unchanged(&upload),
                    _ => self.report.failed(&upload.shown, &error),
                };
                if done.is_break() {
                    return;
                }
            }
        }
    }

    fn unchanged(&mut self, upload: &Upload) -> ControlFlow<()> {
        self.settle(0)?;
        self.progress.skip(upload.size);
        self.progress.file_done();
        match self.report.unchanged(&upload.shown, upload.size) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.report.failed(&upload.shown, &error),
        }
    }
}

/// Whether the name is taken by a file of that size.
pub(super) fn is_as_long(error: &Error, size: u64) -> bool {
    let Error::Exists { existing, .. } = error else { return false };
    existing.stat.is_some_and(|stat| stat.kind == Kind::File && stat.size == size)
}
