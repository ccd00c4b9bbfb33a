//! What `ferryd` and `ferry` agree on, and nothing else: no sockets, no threads, no files.
//!
//! A session is a conversation in lines. Each line is one JSON object; file bytes follow a line
//! raw, and the line before them says how many:
//!
//! ```text
//! server  {"status":"OK","server":"ferryd 0.1.0","protocol":1,"session":7}\n      greeting
//! client  {"cmd":"PUT","path":"ip.txt","size":9}\n
//! server  {"status":"OK","offset":0}\n
//! client  127.0.0.1{"crc32":"d7b7e7a8"}\n              nine raw bytes, then their checksum
//! server  {"status":"OK"}\n                            on disk, whole, under that name
//! ```
//!
//! Read in this order:
//! - [`limits`]: every bound, with its unit.
//! - [`path`]: names and paths that cannot be wrong once parsed.
//! - [`user`]: user names.
//! - [`room`]: names and lines of the chat, and its events.
//! - [`watch`]: what a server tells of its threads, queues and locks.
//! - [`protocol`]: the requests and the replies.
//! - [`frame`]: lines on and off a byte stream.
//! - [`escape`]: other people's text, made safe to print.
//!
//! Apart from the conversation stand what both programs need towards people: [`mod@reference`],
//! completions and manual pages; [`mod@size`], how a size is written; and [`terminal`], which is
//! given back as it was found.

pub mod escape;
pub mod frame;
pub mod limits;
pub mod path;
pub mod protocol;
pub mod reference;
pub mod room;
pub mod size;
pub mod terminal;
pub mod user;
pub mod watch;
