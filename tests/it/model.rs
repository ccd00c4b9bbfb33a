//! What a server means: every request and its answer, without a disk, a thread or a socket.
//!
//! A map from paths to contents, a map of accounts, and who each session is. All that makes the
//! real server hard is missing here, for here one thing happens after another and nothing is ever
//! lost. What is left is the protocol, and the order in which it asks: is this a path, may you, is
//! the name free, does somebody else hold it, is there room.
//!
//! Answers are as on the wire, without what no model can know: messages and times.
//!
//! Here stand what is known, who asks, and where a path leads; the requests about files are in
//! `files`, those about accounts in `people`.

mod files;
mod people;

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What a home may use, in bytes.
pub(crate) const QUOTA: usize = 100;

/// What a session asks. Paths and names are as written.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    List(&'static str),
    Get(&'static str, usize),
    Stat(&'static str),
    Sum(&'static str),
    Mkdir(&'static str),
    Delete(&'static str),
    Rename(&'static str, &'static str),
    /// Body and checksum at once; `true` if the checksum is that of the body.
    Put(Put, bool),
    Register(&'static str, &'static str),
    Login(&'static str, &'static str),
    Passwd(&'static str, &'static str),
    Who,
}

/// A file on its way.
#[derive(Debug, Clone)]
pub(crate) struct Put {
    pub(crate) path: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) overwrite: bool,
}

/// An answer, and the bytes behind it.
pub(crate) type Answer = (Value, Vec<u8>);

/// What stands in the place of an `OK`.
type Refused = Value;

/// Whether a file may be replaced, if that was asked for.
type Overwrite = Option<Result<(), Refused>>;

/// What is to be done at a path.
#[derive(Clone, Copy, PartialEq)]
enum Deed {
    Look,
    Create,
    Remove,
}

#[derive(Debug, Clone)]
enum Node {
    Folder,
    File(Vec<u8>),
}

#[derive(Debug)]
struct Account {
    password: &'static str,
    admin: bool,
}

/// An upload that has begun.
#[derive(Debug)]
struct Upload {
    /// The path that nobody else may write meanwhile.
    claim: String,
    /// Where the file will be. The folder may be renamed meanwhile; `None` if it was removed.
    target: Option<String>,
    body: Vec<u8>,
    overwrite: Overwrite,
}

#[derive(Debug, Default)]
struct Session {
    user: Option<String>,
    upload: Option<Upload>,
}

/// All that a server knows. Every path in it is the one path that all ways lead to: `/home/a` of
/// ann is `/homes/ann/a`.
#[derive(Debug)]
pub(crate) struct Model {
    nodes: BTreeMap<String, Node>,
    accounts: BTreeMap<String, Account>,
    /// Wrong passwords since the last right one, for whatever name.
    failures: BTreeMap<String, u32>,
    sessions: Vec<Session>,
    quota: Option<usize>,
}

fn fail(reason: &str) -> Refused {
    json!({"status": "FAIL", "reason": reason})
}

fn done() -> Value {
    json!({"status": "OK"})
}

/// `value` with the fields of `more`.
fn with(mut value: Value, more: &Value) -> Value {
    for (key, field) in more.as_object().unwrap() {
        value[key] = field.clone();
    }
    value
}

/// The places themselves, which nobody makes, removes or renames.
fn is_place(path: &str) -> bool {
    let home = path.strip_prefix("/homes").is_some_and(|rest| rest.matches('/').count() <= 1);
    path == "/" || path == "/library" || home
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap()
}

/// Whose home a path lies in.
fn owner(path: &str) -> Option<&str> {
    path.strip_prefix("/homes/")?.split('/').next()
}

impl Model {
    /// A server with an administrator, and so many guests in it.
    pub(crate) fn new(guests: usize, admin: &str, password: &'static str, quota: bool) -> Self {
        let places = ["/", "/library", "/homes"].map(|path| (path.to_owned(), Node::Folder));
        let boss = Account { password, admin: true };
        Self {
            nodes: BTreeMap::from(places),
            accounts: BTreeMap::from([(admin.to_owned(), boss)]),
            failures: BTreeMap::new(),
            sessions: (0..guests).map(|_| Session::default()).collect(),
            quota: quota.then_some(QUOTA),
        }
    }

    /// A request that is answered at once.
    pub(crate) fn ask(&mut self, session: usize, ask: &Ask) -> Answer {
        let line = |answer: Result<Value, Refused>| answer.map(|line| (line, vec![]));
        let answer = match ask {
            Ask::List(path) => line(self.list(session, path)),
            Ask::Get(path, offset) => self.get(session, path, *offset),
            Ask::Stat(path) => line(self.stat(session, path)),
            Ask::Sum(path) => line(self.sum(session, path)),
            Ask::Mkdir(path) => line(self.mkdir(session, path)),
            Ask::Delete(path) => line(self.delete(session, path)),
            Ask::Rename(from, to) => line(self.rename(session, from, to)),
            Ask::Put(put, whole) => {
                line(self.plan(session, put).and_then(|upload| self.publish(upload, *whole)))
            }
            Ask::Register(user, password) => line(self.register(session, user, password)),
            Ask::Login(user, password) => line(self.login(session, user, password)),
            Ask::Passwd(old, new) => line(self.passwd(session, old, new)),
            Ask::Who => Ok((self.identity(session), vec![])),
        };
        answer.unwrap_or_else(|refused| (refused, vec![]))
    }

    /// An upload in two steps begins, and may take its time.
    pub(crate) fn begin(&mut self, session: usize, put: &Put) -> Value {
        match self.plan(session, put) {
            Ok(upload) => {
                self.sessions[session].upload = Some(upload);
                json!({"status": "OK", "offset": 0})
            }
            Err(refused) => refused,
        }
    }

    /// The body has come to its end, with the checksum that was sent, or another.
    pub(crate) fn end(&mut self, session: usize, whole: bool) -> Value {
        let upload = self.sessions[session].upload.take().unwrap();
        self.publish(upload, whole).unwrap_or_else(|refused| refused)
    }

    /// The connection has come to its end. Who comes next in its place is a guest.
    pub(crate) fn cut(&mut self, session: usize) {
        self.sessions[session] = Session::default();
    }

    /// Where a text leads, for one who may do that there.
    fn find(&self, session: usize, text: &str, deed: Deed) -> Result<String, Refused> {
        let user = self.sessions[session].user.as_deref();
        let admin = user.is_some_and(|user| self.accounts[user].admin);
        let start = if user.is_some() { "home" } else { "library" };
        let start = if text.starts_with('/') { None } else { Some(start) };
        let names = start.into_iter().chain(text.split('/').filter(|name| !name.is_empty()));
        let mut names: Vec<&str> = names.collect();
        if names.iter().any(|name| name.starts_with('.')) {
            return Err(fail("bad-name"));
        }
        match (names.first().copied(), user) {
            (None, _) if deed == Deed::Remove => return Err(fail("denied")),
            (Some("library"), _) if deed == Deed::Remove && !admin => return Err(fail("denied")),
            (None | Some("library"), _) => {}
            (Some("home"), None) => return Err(fail("login-required")),
            (Some("home"), Some(user)) => drop(names.splice(..1, ["homes", user])),
            (Some("homes"), _) if admin => {}
            (Some("homes"), _) => return Err(fail("denied")),
            _ => return Err(fail("not-found")),
        }
        Ok(format!("/{}", names.join("/")))
    }

    fn node(&self, path: &str) -> Result<&Node, Refused> {
        self.nodes.get(path).ok_or_else(|| fail("not-found"))
    }

    fn folder_of(&self, path: &str) -> Result<(), Refused> {
        match self.node(split(path).0)? {
            Node::Folder => Ok(()),
            Node::File(_) => Err(fail("not-found")),
        }
    }

    /// Something may come to be here, if nothing is.
    fn new_entry(&self, path: &str) -> Result<(), Refused> {
        if is_place(path) {
            let there = self.nodes.contains_key(path);
            return Err(if there { self.exists(path) } else { fail("denied") });
        }
        self.folder_of(path)?;
        if split(path).1 == "CON" { Err(fail("bad-name")) } else { Ok(()) }
    }

    /// Something here may lose its name, if it is there.
    fn old_entry(&self, path: &str) -> Result<(), Refused> {
        if is_place(path) { Err(fail("denied")) } else { self.folder_of(path) }
    }

    fn unclaimed(&self, path: &str) -> Result<(), Refused> {
        let mut uploads = self.sessions.iter().filter_map(|session| session.upload.as_ref());
        if uploads.any(|upload| upload.claim == path) { Err(fail("busy")) } else { Ok(()) }
    }

    fn free(&self, path: &str, overwrite: &Overwrite) -> Result<(), Refused> {
        match (self.nodes.get(path), overwrite) {
            (None, _) | (Some(Node::File(_)), Some(Ok(()))) => Ok(()),
            (Some(_), Some(Err(refused))) => Err(refused.clone()),
            (Some(_), _) => Err(self.exists(path)),
        }
    }

    fn exists(&self, path: &str) -> Refused {
        let exists = json!({"status": "EXISTS"});
        if path == "/" { exists } else { with(exists, &self.described(path)) }
    }

    fn described(&self, path: &str) -> Value {
        match &self.nodes[path] {
            Node::Folder => json!({"kind": "folder", "size": 0}),
            Node::File(content) => json!({"kind": "file", "size": content.len()}),
        }
    }

    /// What is in a home, and what is on its way there.
    fn used(&self, user: &str) -> usize {
        let files = self.nodes.iter().map(|(path, node)| match node {
            Node::File(content) if owner(path) == Some(user) => content.len(),
            _ => 0,
        });
        let uploads = self.sessions.iter().filter_map(|session| session.upload.as_ref());
        let uploads = uploads.filter(|upload| owner(&upload.claim) == Some(user));
        files.sum::<usize>() + uploads.map(|upload| upload.body.len()).sum::<usize>()
    }

    fn usage(&self, user: &str) -> Value {
        let mut usage = json!({"used": self.used(user)});
        if let Some(quota) = self.quota {
            usage["quota"] = json!(quota);
        }
        usage
    }
}
