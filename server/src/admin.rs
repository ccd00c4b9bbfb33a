//! `ferryd user …`: looks after accounts on the data folder itself, whether a server runs there or
//! not. An account is one file that is replaced whole, so neither disturbs the other.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::path::Path;

use common::path::Name;
use common::protocol::{Password, Role};
use common::user::UserName;

use crate::accounts::{AccountError, Accounts, file_of};
use crate::clock;
use crate::config::UserTask;
use crate::store::{Store, Tree};

/// Why it was not done, for the person at the terminal.
type Error = Box<dyn std::error::Error>;

/// Does one task.
pub(crate) fn run(task: &UserTask, data: &Path, password_bytes_min: usize) -> Result<(), Error> {
    // The first account may come before the first start. The others cannot: a missing folder is a
    // mistake in where one stands, and must not look like a server without users.
    if !data.join("users").is_dir() && !matches!(task, UserTask::Add { .. }) {
        let message = "is no data folder; stand where the server was started, or use --data";
        return Err(format!("{} {message}", data.display()).into());
    }
    let users = Store::open_users(data)?;
    let accounts = Accounts::new(&users, password_bytes_min, 1);
    match task {
        UserTask::Add { name, admin } => add(&accounts, name, *admin, data),
        UserTask::Passwd { name } => passwd(&accounts, name),
        UserTask::List => list(&accounts),
        UserTask::Remove { name } => remove(&accounts, &users, name, data),
    }
}

fn add(accounts: &Accounts<'_>, name: &str, admin: bool, data: &Path) -> Result<(), Error> {
    let user = UserName::parse(name)?;
    if accounts.find(&user)?.is_some() {
        return Err(format!("there is a user `{user}` already").into());
    }
    let role = if admin { Role::Admin } else { Role::User };
    match accounts.register(&user, &new_password()?, role) {
        Ok(_) if admin => say(format_args!("{user} is an admin now, in {}", data.display())),
        Ok(_) => say(format_args!("{user} is a user now, in {}", data.display())),
        Err(AccountError::Exists) => Err(format!("there is a user `{user}` already").into()),
        Err(AccountError::Refused(refusal)) => Err(refusal.into()),
    }
}

fn passwd(accounts: &Accounts<'_>, name: &str) -> Result<(), Error> {
    let user = UserName::parse(name)?;
    let account = accounts.find(&user)?.ok_or_else(|| no_such(&user))?;
    accounts.set_password(&user, &account, &new_password()?)?;
    say(format_args!("{user} has a new password"))
}

fn list(accounts: &Accounts<'_>) -> Result<(), Error> {
    let all = accounts.all()?;
    all.iter().try_for_each(|(user, role)| say(format_args!("{:<5}  {user}", role.to_string())))
}

/// Closes an account. Its home is put aside: whoever takes the name next must not find it.
fn remove(accounts: &Accounts<'_>, users: &Tree, name: &str, data: &Path) -> Result<(), Error> {
    let user = UserName::parse(name)?;
    accounts.find(&user)?.ok_or_else(|| no_such(&user))?;
    // The home first: from the moment the name is free, it must not lead there.
    let aside = put_home_aside(&user, data)?;
    users.open_folder(&[])?.remove(&file_of(&user)?)?;
    // Whoever logged in between the two was given a home once more. But if the name has a new
    // owner by now, it is theirs.
    if accounts.find(&user)?.is_none() {
        put_home_aside(&user, data)?;
    }
    match aside {
        Some(name) => say(format_args!("{user} is no user any more; the home is kept as {name}")),
        None => say(format_args!("{user} is no user any more; there was no home")),
    }
}

/// Where the home is now, if there was one.
fn put_home_aside(user: &UserName, data: &Path) -> Result<Option<String>, Error> {
    // So fine a time that the next who has the name and loses it gets another one.
    let aside = format!(".removed-{user}-{}", clock::nanoseconds());
    match Store::open_homes(data)?.put_aside(&Name::parse(user.as_str())?, &aside) {
        Ok(()) => Ok(Some(format!("home/{aside}"))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => {
            Err(format!("cannot put the home of {user} aside: {e}; nothing else done").into())
        }
    }
}

fn no_such(user: &UserName) -> String {
    format!("there is no user `{user}`; `ferryd user list` shows all")
}

/// From the terminal without echo, twice; else the first line of stdin.
fn new_password() -> Result<Password, Error> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        return Ok(Password(line.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Once more: ")? != password {
        return Err("the two passwords differ; nothing was changed".into());
    }
    Ok(Password(password))
}

fn say(words: std::fmt::Arguments<'_>) -> Result<(), Error> {
    Ok(writeln!(io::stdout(), "{words}")?)
}
