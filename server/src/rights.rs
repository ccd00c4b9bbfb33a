//! Who may do what, where: one table, one function.
//!
//! | | look | read | create | replace | remove |
//! |---|---|---|---|---|---|
//! | guest in the library | `--guests` ≥ read | `--guests` ≥ read | `--guests write` and `--library-writers all` | never | never |
//! | user in the library | yes | yes | `--library-writers` all or users | never | never |
//! | user in their own home | yes | yes | yes | yes | yes |
//! | user in another's home | never | never | never | never | never |
//! | admin anywhere | yes | yes | yes | yes | yes |
//!
//! Every handler asks here before it touches anything: a path is turned into a place on disk only
//! together with what is to be done there (see [`places`](crate::places)).

use std::fmt;

use clap::ValueEnum;
use common::protocol::{Reason, Refusal, Role};

/// What guests may do in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Guests {
    /// Look, read and create.
    Write,
    /// Look and read.
    Read,
    /// Nothing: everybody must log in.
    None,
}

/// Who may create files in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LibraryWriters {
    /// Everybody; guests if `--guests` lets them.
    All,
    /// Who has logged in.
    Users,
    /// Administrators: "students can download, only teachers upload".
    Admins,
}

/// The settings the table depends on.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// `--guests`.
    pub guests: Guests,
    /// `--library-writers`.
    pub library_writers: LibraryWriters,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// See names, sizes and times: `LIST`, `STAT`.
    Look,
    /// See contents: `GET`, `SUM`.
    Read,
    /// Make something new: `PUT`, `MKDIR`, the target of a `RENAME`.
    Create,
    /// Put something in the place of a file: `PUT` with `overwrite`.
    Replace,
    /// Take a name away: `DELETE`, the source of a `RENAME`.
    Remove,
}

impl fmt::Display for Deed {
    /// Completes "only an administrator may …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Look => "look at",
            Self::Read => "read",
            Self::Create => "make",
            Self::Replace => "replace",
            Self::Remove => "remove or rename",
        })
    }
}

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The virtual root, which only holds the other places.
    Root,
    /// The shared folder.
    Library,
    /// One's own home.
    Home,
    /// Everybody's homes.
    Homes,
}

/// What the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Yes,
    /// Not as a guest; a user may.
    LogIn,
    /// Not in this role.
    No,
}

impl Policy {
    /// Looks into the table.
    pub fn verdict(self, role: Role, deed: Deed, place: Place) -> Verdict {
        match (place, role) {
            (Place::Root, _) if matches!(deed, Deed::Replace | Deed::Remove) => Verdict::No,
            // Whoever wants to read or make the root is told by what it is that this cannot be.
            (Place::Root, Role::Guest) => self.guest_reads(),
            (Place::Library | Place::Homes, Role::Admin)
            | (Place::Home | Place::Root, Role::User | Role::Admin) => Verdict::Yes,
            (Place::Library, Role::User) => self.user_in_library(deed),
            (Place::Library, Role::Guest) => self.guest_in_library(deed),
            (Place::Home, Role::Guest) => Verdict::LogIn,
            (Place::Homes, Role::Guest | Role::User) => Verdict::No,
        }
    }

    fn guest_reads(self) -> Verdict {
        if self.guests == Guests::None { Verdict::LogIn } else { Verdict::Yes }
    }

    fn guest_in_library(self, deed: Deed) -> Verdict {
        match deed {
            Deed::Look | Deed::Read => self.guest_reads(),
            Deed::Create => match (self.library_writers, self.guests) {
                (LibraryWriters::Admins, _) => Verdict::No,
                (LibraryWriters::All, Guests::Write) => Verdict::Yes,
                _ => Verdict::LogIn,
            },
            Deed::Replace | Deed::Remove => Verdict::No,
        }
    }

    fn user_in_library(self, deed: Deed) -> Verdict {
        match deed {
            Deed::Look | Deed::Read => Verdict::Yes,
            Deed::Create => yes_if(self.library_writers != LibraryWriters::Admins),
            Deed::Replace | Deed::Remove => Verdict::No,
        }
    }

    /// The verdict as an error with its words; `path` as the person wrote it, made absolute.
    pub fn check(
        self,
        role: Role,
        deed: Deed,
        place: Place,
        path: &dyn fmt::Display,
    ) -> Result<(), Refusal> {
        match self.verdict(role, deed, place) {
            Verdict::Yes => Ok(()),
            Verdict::LogIn => {
                let message = format!("only users may {deed} `{path}`; log in or register first");
                Err(Refusal::new(Reason::LoginRequired, message))
            }
            Verdict::No => {
                let message = format!("only an administrator may {deed} `{path}`");
                Err(Refusal::new(Reason::Denied, message))
            }
        }
    }
}

fn yes_if(condition: bool) -> Verdict {
    if condition { Verdict::Yes } else { Verdict::No }
}
