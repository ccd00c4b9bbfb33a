//! Every bound both ends must know, in one place, with its unit in its name.
//!
//! A limit that only one side needs stands in that side's own crate.

/// The longest line, in bytes, its `\n` included. Checked while reading, before it is kept.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// The longest name of one file or folder, in bytes of UTF-8 (`NAME_MAX` of Linux file systems).
pub const NAME_BYTES_MAX: usize = 255;

/// The longest path, in bytes. Linux refuses paths of 4096 and more (`PATH_MAX`).
pub const PATH_BYTES_MAX: usize = 4000;

/// The largest file, in bytes: what a signed file offset can say.
pub const FILE_BYTES_MAX: u64 = i64::MAX as u64;

/// The largest body that may follow its `PUT` at once (`eager`), in bytes. A refused eager body
/// is read to its end and thrown away, so this also bounds the work of a refusal.
pub const EAGER_BYTES_MAX: u64 = 1024 * 1024;

/// Entries in one page of a `LIST` answer. A hundred of the longest names, every byte of them
/// escaped to two, still fit [`LINE_BYTES_MAX`].
pub const PAGE_ENTRIES_MAX: usize = 100;

/// The longest user name, in bytes; all of them ASCII.
pub const USER_BYTES_MAX: usize = 32;

/// The longest name in the room, in characters.
pub const NAME_CHARS_MAX: usize = 32;

/// The longest line that can be said in the room, in bytes.
pub const SAY_BYTES_MAX: usize = 2048;

/// The longest password, in bytes. Hashing a longer one would cost time and add nothing.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// The shortest password, in bytes, unless the server is told otherwise (`--password-min`).
pub const PASSWORD_BYTES_MIN: usize = 6;

/// How long a `PUT` may ask to wait for its turn at a name, in seconds.
pub const WAIT_SECONDS_MAX: u64 = 3600;

/// How long a session may wait for the server's own writer, in seconds, before it says that this is
/// stuck. A client waits longer, to be told so. (Class mode holds a writer up on purpose, for longer.)
pub const WRITER_SECONDS_MAX: u64 = 120;

/// The shortest time from one table of a `WATCH` to the next, in milliseconds.
pub const WATCH_MS_MIN: u64 = 100;

/// The longest, in milliseconds.
pub const WATCH_MS_MAX: u64 = 60_000;

/// The port `ferryd` listens on and `ferry` calls unless told otherwise.
pub const DEFAULT_PORT: u16 = 9021;

const _: () = assert!(PAGE_ENTRIES_MAX * (2 * NAME_BYTES_MAX + 100) < LINE_BYTES_MAX);
