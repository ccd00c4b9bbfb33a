//! A disk in a file, whose power can be cut.
//!
//! The file is mounted through a loop device. The cut is an ioctl that ext4 and xfs have for the
//! purpose (`EXT4_IOC_SHUTDOWN`, `XFS_IOC_GOINGDOWN`): from then on nothing more reaches the disk,
//! and what was only in memory is gone with the unmount. The next mount finds what a machine finds
//! that lost its power: a log to be recovered, and files as far as they had come. What this does
//! not show is a disk that lies about having flushed, or that tears a sector.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{fmt, fs};

use rustix::process::getuid;
use tempfile::TempDir;

use crate::eventually;

/// How large the disk is, in bytes. Most of it is never written, and takes no space; xfs makes no
/// smaller ones than 300 MiB.
const IMAGE_BYTES: u64 = 1 << 30;

/// A file system that a power cut can be tried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystem {
    /// What most machines have.
    Ext4,
    /// What allocates as late as it can, and forgives least.
    Xfs,
}

impl FileSystem {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ext4, Self::Xfs];
}

impl fmt::Display for FileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        })
    }
}

/// What becomes of the file system's log at the cut. It tells which mistakes a cut can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// It just made it to disk (flag 1): names are there, and bytes nobody synced are not.
    Flushed,
    /// It did not (flag 2): names nobody synced are not there either.
    Lost,
}

impl Log {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Flushed, Self::Lost];
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flushed => "log flushed",
            Self::Lost => "log lost",
        })
    }
}

/// A disk without power.
#[derive(Debug)]
pub struct Image {
    file_system: FileSystem,
    folder: TempDir,
}

impl Image {
    /// A new one, empty. The error says what this machine lacks for that.
    pub fn make(file_system: FileSystem) -> Result<Self, String> {
        if !getuid().is_root() {
            return Err("root, who alone can mount".to_owned());
        }
        if run(Command::new("xfs_io").arg("-V")).is_err() {
            return Err("xfs_io (it comes with xfsprogs)".to_owned());
        }
        let made = Self::format(file_system).and_then(|image| {
            image.mount()?.unmount()?;
            Ok(image)
        });
        made.map_err(|error| format!("{file_system} in a file ({error})"))
    }

    fn format(file_system: FileSystem) -> io::Result<Self> {
        let image = Self { file_system, folder: tempfile::tempdir()? };
        File::create(image.file())?.set_len(IMAGE_BYTES)?;
        fs::create_dir(image.mount_point())?;
        run(Command::new(format!("mkfs.{file_system}")).arg("-q").arg(image.file()))?;
        Ok(image)
    }

    /// Gives it power. If it was cut before, the file system recovers its log now.
    pub fn mount(&self) -> io::Result<Mounted<'_>> {
        let kind = self.file_system.to_string();
        let mut mount = Command::new("mount");
        mount.args(["-t", &kind, "-o", "loop"]).arg(self.file()).arg(self.mount_point());
        run(&mut mount)?;
        Ok(Mounted { image: self })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount_point(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }
}

/// A disk at work. Unmounted when dropped.
#[derive(Debug)]
pub struct Mounted<'i> {
    image: &'i Image,
}

impl Mounted<'_> {
    /// Its top folder.
    pub fn path(&self) -> PathBuf {
        self.image.mount_point()
    }

    /// Cuts its power. Whoever still uses it gets errors from now on.
    pub fn cut(&self, log: Log) -> io::Result<()> {
        let command = match log {
            Log::Flushed => "shutdown -f",
            Log::Lost => "shutdown",
        };
        run(Command::new("xfs_io").args(["-x", "-c", command]).arg(self.path()))
    }

    /// Takes it off, so that nothing of it is left in memory. Nobody may use it any more.
    pub fn unmount(self) -> io::Result<()> {
        // A process that is being started by another test has, for a moment, all files open that
        // are open here. Behind another failure the drop tries again, lazily.
        let mut taken_off = Ok(());
        eventually("nobody uses the disk", || {
            taken_off = run(Command::new("umount").arg(self.path()));
            !taken_off.as_ref().is_err_and(|error| error.to_string().contains("busy"))
        });
        taken_off?;
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // Lazily: also when something has failed with a file still open.
        let _ = run(Command::new("umount").arg("-l").arg(self.path()));
    }
}

/// Runs a program that must succeed; an error has what it complained of.
fn run(command: &mut Command) -> io::Result<()> {
    let program = command.get_program().display().to_string();
    let run = command.stdin(Stdio::null()).output();
    let output = run.map_err(|error| io::Error::other(format!("{program}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program} ended with {}: {}", output.status, said.trim())))
}
