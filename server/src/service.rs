//! Who may do what, and what comes of it: a request in, a [`Reply`] out.
//!
//! Nothing here knows a socket. A reply says what is to be sent or received; the model that runs
//! the session moves the bytes. So one set of handlers and one check of rights serve every model
//! and every door.

use std::fmt;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::time::Duration;

use common::limits::{EAGER_BYTES_MAX, FILE_BYTES_MAX};
use common::path::{Name, VirtualPath};
use common::protocol::{Crc32, Entry, Page, Put, Reason, Refusal, Request, Response, Sum};

use crate::answer::Answer;
use crate::refusal;
use crate::registry::Registry;
use crate::state::{self, State};
use crate::stop::Stop;
use crate::store::{Folder, Listing, Opened, Store, Tree};
use crate::upload::Plan;
use crate::writer::{CHUNK_BYTES, Writer};

/// The name of the shared folder in the virtual root.
const LIBRARY: &str = "library";

/// The name of a user's own folder in the virtual root.
const HOME: &str = "home";

/// The times a `PUT` may give a file: what four digits of years can show.
const MTIME_MAX: i64 = 253_402_300_799;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Who {
    /// The session's number.
    pub session: u64,
    /// Where they come from.
    pub peer: SocketAddr,
}

impl fmt::Display for Who {
    /// What others are shown: the name of a guest is the name of their thread.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "guest c{:02}", self.session)
    }
}

/// What comes of a request.
#[derive(Debug)]
pub enum Reply {
    /// A line.
    Answer(Answer),
    /// A line for each page.
    Pages(Listing),
    /// A line, then the file's bytes from `offset` on.
    Send {
        /// The open file.
        opened: Opened,
        /// The first byte wanted; not beyond the file's end.
        offset: u64,
    },
    /// An upload is welcome.
    Receive(Plan),
    /// The session ends.
    Bye,
}

/// What the handlers work with.
#[derive(Debug)]
pub struct Service<'s> {
    /// The disk.
    pub store: &'s Store,
    /// The claims.
    pub registry: &'s Registry,
    /// The writer thread.
    pub writer: &'s Writer,
    /// Asked before every step of something long.
    pub stop: &'s Stop,
    /// The longest an upload may wait for a name.
    pub claim_wait: Duration,
    /// The longest a client may be silent between two requests.
    pub idle_timeout: Duration,
}

impl Service<'_> {
    /// Turns a request into what comes of it.
    pub fn handle(&self, request: Request) -> Reply {
        let handled = match request {
            Request::List { path } => self.list(path.as_deref().unwrap_or_default()),
            Request::Get { path, offset } => self.get(&path, offset.unwrap_or(0)),
            Request::Put(put) => self.put(&put),
            Request::Stat { path } => self.stat(&path),
            Request::Sum { path } => self.sum(&path),
            Request::Mkdir { path } => self.mkdir(&path),
            Request::Delete { path } => Self::only_admins("remove", &path),
            Request::Rename { from, .. } => Self::only_admins("rename", &from),
            Request::Quit {} => Ok(Reply::Bye),
        };
        handled.unwrap_or_else(|refusal| Reply::Answer(refusal.into()))
    }

    fn list(&self, text: &str) -> Result<Reply, Refusal> {
        let path = parse(text)?;
        let Some((tree, names)) = self.locate(&path)? else { return self.list_root() };
        let listing = tree
            .open_folder(names)
            .and_then(Folder::list)
            .map_err(|e| refusal::of_io("list", &path, &e))?;
        Ok(Reply::Pages(listing))
    }

    fn list_root(&self) -> Result<Reply, Refusal> {
        let library = self.store.library().stat(&[]);
        let stat = library.map_err(|e| refusal::of_io("list", &VirtualPath::root(), &e))?;
        let entries = vec![Entry { name: LIBRARY.to_owned(), stat }];
        Ok(Reply::Answer(Answer::of(&Response::Ok(Page { entries, more: false }))))
    }

    fn get(&self, text: &str, offset: u64) -> Result<Reply, Refusal> {
        let (path, opened) = self.open_file("get", text)?;
        if offset > opened.stat.size {
            let message =
                format!("offset {offset} is beyond the end of `{path}` ({})", opened.stat.size);
            return Err(Refusal::new(Reason::BadRequest, message));
        }
        Ok(Reply::Send { opened, offset })
    }

    fn stat(&self, text: &str) -> Result<Reply, Refusal> {
        let path = parse(text)?;
        let stat = match self.locate(&path)? {
            Some((tree, names)) => tree.stat(names),
            // The root holds one thing, and is as old as it.
            None => self.store.library().stat(&[]),
        };
        let stat = stat.map_err(|e| refusal::of_io("look at", &path, &e))?;
        Ok(Reply::Answer(Answer::of(&Response::Ok(stat))))
    }

    fn sum(&self, text: &str) -> Result<Reply, Refusal> {
        let (path, opened) = self.open_file("read", text)?;
        let crc32 = self.checksum(opened).map_err(|e| refusal::of_io("read", &path, &e))?;
        Ok(Reply::Answer(Answer::of(&Response::Ok(Sum { crc32 }))))
    }

    fn mkdir(&self, text: &str) -> Result<Reply, Refusal> {
        let path = parse(text)?;
        let (folder, name) = match self.new_entry("make", &path)? {
            Ok(entry) => entry,
            Err(exists) => return Ok(Reply::Answer(exists)),
        };
        let answer = match folder.make_folder(&name) {
            Ok(()) => Answer::done(),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                Answer::exists(&path, folder.stat(&name).ok())
            }
            Err(e) => return Err(refusal::of_io("make the folder", &path, &e)),
        };
        Ok(Reply::Answer(answer))
    }

    fn put(&self, put: &Put) -> Result<Reply, Refusal> {
        let too_large = |what| Err(Refusal::new(Reason::TooLarge, what));
        if put.size > FILE_BYTES_MAX {
            return too_large(format!(
                "no file has {} bytes; the limit is {FILE_BYTES_MAX}",
                put.size
            ));
        }
        if put.eager && put.size > EAGER_BYTES_MAX {
            return too_large(format!("an eager body has at most {EAGER_BYTES_MAX} bytes"));
        }
        if put.mtime.is_some_and(|t| t.unsigned_abs() > MTIME_MAX.unsigned_abs()) {
            return Err(Refusal::new(Reason::BadRequest, "mtime is in seconds since 1970"));
        }
        let path = parse(&put.path)?;
        let (folder, name) = match self.new_entry("put", &path)? {
            Ok(entry) => entry,
            Err(exists) => return Ok(Reply::Answer(exists)),
        };
        if put.overwrite && folder.has(&name).is_ok_and(|taken| taken) {
            return Self::only_admins("replace", &put.path);
        }
        self.check_room(&path, put.size)?;
        let patience = put.wait.map_or(self.claim_wait, Duration::from_secs).min(self.claim_wait);
        let (size, mtime, eager) = (put.size, put.mtime, put.eager);
        Ok(Reply::Receive(Plan { path, folder, name, size, mtime, eager, patience }))
    }

    /// A body that cannot fit is refused before it is sent. Small ones are left to the write
    /// itself, which is asked anyway.
    fn check_room(&self, path: &VirtualPath, size: u64) -> Result<(), Refusal> {
        if size <= EAGER_BYTES_MAX {
            return Ok(());
        }
        match self.store.library().free_bytes() {
            Ok(free) if free < size => {
                let message = format!("cannot put `{path}`: {size} bytes, and {free} are free");
                Err(Refusal::new(Reason::NoSpace, message))
            }
            _ => Ok(()),
        }
    }

    /// The open folder in which a new entry is to be made, and its name; or the answer `EXISTS`
    /// if the path is that of a place, which is always there.
    fn new_entry(
        &self,
        doing: &str,
        path: &VirtualPath,
    ) -> Result<Result<(Folder, Name), Answer>, Refusal> {
        let located = self.locate(path)?;
        let Some((tree, (name, above))) =
            located.and_then(|(tree, names)| Some((tree, names.split_last()?)))
        else {
            return Ok(Err(Answer::exists(path, None)));
        };
        name.check_portable().map_err(|e| refusal::bad_name(&e))?;
        match tree.open_folder(above) {
            Ok(folder) if !tree.can_publish_into(&folder) => {
                let message = format!("the folder for `{path}` lies on another disk; choose one");
                Err(Refusal::new(Reason::Denied, message + " that does not"))
            }
            Ok(folder) => Ok(Ok((folder, name.clone()))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let message = format!("the folder for `{path}` is not there; make it first");
                Err(Refusal::new(Reason::NotFound, message))
            }
            Err(e) => Err(refusal::of_io(doing, path, &e)),
        }
    }

    fn open_file(&self, doing: &str, text: &str) -> Result<(VirtualPath, Opened), Refusal> {
        let path = parse(text)?;
        let found = match self.locate(&path)? {
            Some((tree, names)) => tree.open_file(names),
            None => Err(io::ErrorKind::IsADirectory.into()),
        };
        let opened = found.map_err(|e| refusal::of_io(doing, &path, &e))?;
        Ok((path, opened))
    }

    /// The tree a path lies in and the names below its top; `None` for the virtual root itself.
    fn locate<'p>(&self, path: &'p VirtualPath) -> Result<Option<(&Tree, &'p [Name])>, Refusal> {
        let Some((place, names)) = path.names().split_first() else { return Ok(None) };
        match place.as_str() {
            LIBRARY => Ok(Some((self.store.library(), names))),
            HOME => Err(Refusal::new(
                Reason::LoginRequired,
                "a home belongs to a user; guests find their files in /library",
            )),
            _ => Err(Refusal::new(
                Reason::NotFound,
                format!("there is no `{path}`; everything lies in /{LIBRARY}"),
            )),
        }
    }

    /// Reads a file to its end: what is on disk now, not what was once recorded. It may be long, so
    /// a stop ends it.
    fn checksum(&self, mut opened: Opened) -> io::Result<Crc32> {
        let _doing = state::enter(State::Disk);
        let size = usize::try_from(opened.stat.size).unwrap_or(CHUNK_BYTES);
        let mut buffer = vec![0; size.clamp(1, CHUNK_BYTES)];
        let mut hasher = crc32fast::Hasher::new();
        while !self.stop.is_asked() {
            match opened.file.read(&mut buffer)? {
                0 => return Ok(Crc32(hasher.finalize())),
                bytes => hasher.update(buffer.get(..bytes).unwrap_or_default()),
            }
        }
        Err(io::Error::other("the server is stopping"))
    }

    /// In the library guests may create, but never replace or remove.
    fn only_admins(doing: &str, text: &str) -> Result<Reply, Refusal> {
        let path = parse(text)?;
        let message = format!("only an administrator may {doing} `{path}`; the library keeps it");
        Err(Refusal::new(Reason::Denied, message))
    }
}

fn parse(text: &str) -> Result<VirtualPath, Refusal> {
    VirtualPath::parse(LIBRARY, &VirtualPath::root())
        .and_then(|start| VirtualPath::parse(text, &start))
        .map_err(|e| refusal::bad_name(&e))
}
