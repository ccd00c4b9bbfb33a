//! One of those in a hurry.
//!
//! They have places of their own, so that they alone know what must be there, and do whatever the
//! dice say: small files ahead of their answers, large files, new names and old ones, folders,
//! renames, removals, accounts, passwords.

use std::io;
use std::net::SocketAddr;

use client::client::{Client, PutOptions};
use client::error::Error;

use crate::content;
use crate::dice::Dice;
use crate::promises::{Content, Deed, Place, Promises, Thing};
use crate::rush::Scene;

/// How many requests each of them makes, at most: a rush that nothing strikes ends.
const DEEDS_MAX: u64 = 100;

/// The length of a small file, in bytes.
const SMALL: usize = 4096;

/// The shortest of the large files, in bytes, and how much longer they may be.
const LARGE: (usize, usize) = (1 << 20, 7 << 20);

/// How many small files are sent ahead of their answers, at most.
const AHEAD_MAX: usize = 24;

/// How many of them, at most, take the place of an older version.
const NOTES: usize = 3;

/// One of them.
pub(crate) struct Visitor<'s> {
    client: Client,
    server: SocketAddr,
    user: String,
    password: String,
    dice: Dice,
    /// What no two things of theirs share.
    count: u64,
    promises: Promises,
    scene: &'s Scene,
}

impl<'s> Visitor<'s> {
    /// Comes, does this and that, and goes when it is enough or when something fails. What they
    /// were told; or what failed, if nothing was struck yet.
    pub(crate) fn visit(
        server: SocketAddr,
        user: String,
        seed: u64,
        scene: &'s Scene,
    ) -> io::Result<Promises> {
        let client = match Client::connect(&server.to_string()) {
            Ok(client) => client,
            Err(error) if scene.excuses(&error) => return Ok(Promises::default()),
            Err(error) => return Err(io::Error::other(error)),
        };
        let mut visitor = Self {
            client,
            server,
            password: "123456".to_owned(),
            dice: Dice::new(seed),
            count: 0,
            promises: Promises::default(),
            scene,
            user,
        };
        match visitor.stay() {
            Err(error) if !scene.excuses(&error) => Err(io::Error::other(error)),
            _ => Ok(visitor.promises),
        }
    }

    fn stay(&mut self) -> Result<(), Error> {
        let (user, password) = (self.user.clone(), self.password.clone());
        self.promises.ask(account(&user, &password));
        self.client.register(&user, &password)?;
        self.told_ok();
        for _ in 0..DEEDS_MAX {
            if self.scene.is_over() {
                break;
            }
            match self.dice.below(20) {
                0..8 => self.send_small()?,
                8..11 => self.send_large()?,
                11..13 => self.make_folder()?,
                13..16 => self.rename()?,
                16..18 => self.delete()?,
                18 => self.invite()?,
                _ => self.change_password()?,
            }
        }
        Ok(())
    }

    /// Many small files, one behind the other, before any answer is read.
    fn send_small(&mut self) -> Result<(), Error> {
        for n in 0..=self.dice.below(AHEAD_MAX) {
            let overwrite = n < NOTES;
            let path = if overwrite { format!("/home/note{n}") } else { self.new_path() };
            let bytes = content::bytes(self.dice.throw(), SMALL);
            self.promises.ask(self.file(&path, &bytes));
            self.client.put_ahead(&path, &bytes, options(overwrite))?;
        }
        while let Some(answer) = self.client.answer_ahead() {
            answer?;
            self.told_ok();
        }
        Ok(())
    }

    fn send_large(&mut self) -> Result<(), Error> {
        let overwrite = self.dice.below(3) == 0;
        let path = if overwrite { "/home/film".to_owned() } else { self.new_path() };
        let size = LARGE.0 + self.dice.below(LARGE.1);
        let bytes = content::bytes(self.dice.throw(), size);
        self.promises.ask(self.file(&path, &bytes));
        self.client.put(&path, size as u64, &mut bytes.as_slice(), options(overwrite))?;
        self.told_ok();
        Ok(())
    }

    fn make_folder(&mut self) -> Result<(), Error> {
        let path = self.new_path();
        self.promises.ask(Deed::Make(self.place(&path), Thing::Folder));
        self.client.mkdir(&path)?;
        self.told_ok();
        Ok(())
    }

    fn rename(&mut self) -> Result<(), Error> {
        let (Some(from), to) = (self.old_path(), self.new_home_path()) else { return Ok(()) };
        self.promises.ask(Deed::Move(self.place(&from), self.place(&to)));
        self.client.rename(&from, &to)?;
        self.told_ok();
        Ok(())
    }

    fn delete(&mut self) -> Result<(), Error> {
        let Some(path) = self.old_path() else { return Ok(()) };
        self.promises.ask(Deed::Make(self.place(&path), Thing::Nothing));
        self.client.delete(&path)?;
        self.told_ok();
        Ok(())
    }

    /// Opens an account for somebody else.
    fn invite(&mut self) -> Result<(), Error> {
        let mut client = Client::connect(&self.server.to_string())?;
        let number = self.next();
        let user = format!("{}-{number}", self.user);
        self.promises.ask(account(&user, "abcdef"));
        client.register(&user, "abcdef")?;
        self.told_ok();
        Ok(())
    }

    fn change_password(&mut self) -> Result<(), Error> {
        let new = format!("secret{}", self.next());
        self.promises.ask(account(&self.user, &new));
        self.client.passwd(&self.password, &new)?;
        self.password = new;
        self.told_ok();
        Ok(())
    }

    fn told_ok(&mut self) {
        self.promises.told_ok();
        self.scene.told_ok();
    }

    /// A name that nothing has, in the library or at home.
    fn new_path(&mut self) -> String {
        if self.dice.below(2) == 0 {
            let number = self.next();
            return format!("/library/{}-{number}", self.user);
        }
        self.new_home_path()
    }

    /// A name that nothing has, in any folder of theirs.
    fn new_home_path(&mut self) -> String {
        let mut folders = self.paths(|thing| *thing == Thing::Folder);
        folders.push("/home".to_owned());
        let folder = self.dice.pick(&folders).map_or("/home", String::as_str);
        format!("{folder}/{}", self.next())
    }

    /// A file at home.
    fn old_path(&mut self) -> Option<String> {
        let files = self.paths(|thing| matches!(thing, Thing::File(_)));
        self.dice.pick(&files).cloned()
    }

    /// Where at home there is something like this.
    fn paths(&self, like: impl Fn(&Thing) -> bool) -> Vec<String> {
        let home = format!("/homes/{}/", self.user);
        let settled = self.promises.settled().iter().filter(|(_, thing)| like(thing));
        let paths = settled.filter_map(|(place, _)| match place {
            Place::Path(path) => path.strip_prefix(&home),
            Place::Account(_) => None,
        });
        paths.map(|path| format!("/home/{path}")).collect()
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Where others would say that a path of theirs leads.
    fn place(&self, path: &str) -> Place {
        Place::Path(match path.strip_prefix("/home/") {
            Some(inside) => format!("/homes/{}/{inside}", self.user),
            None => path.to_owned(),
        })
    }

    fn file(&self, path: &str, bytes: &[u8]) -> Deed {
        Deed::Make(self.place(path), Thing::File(Content::of(bytes)))
    }
}

fn account(user: &str, password: &str) -> Deed {
    Deed::Make(Place::Account(user.to_owned()), Thing::Account(password.to_owned()))
}

/// Neither a time nor resuming is asked for: no part of theirs may outlive a restart.
fn options(overwrite: bool) -> PutOptions {
    PutOptions { overwrite, ..PutOptions::default() }
}
