//! The servers to which a person gave names, in `$XDG_CONFIG_HOME/ferry/config.toml`:
//!
//! ```toml
//! [servers.school]
//! server = "192.168.1.5:9021"
//! user = "xiaoyu"
//! password-file = "school.password"
//! ```
//!
//! `ferry @school list` goes by it. The keys are the options' own names, and there is none for a
//! password: a file that is shown to others, or kept with one's other settings, must not hold one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use common::user::UserName;
use serde::{Deserialize, Deserializer, de};

use crate::address::Address;
use crate::error::Misuse;
use crate::tilde;
use crate::xdg;

/// What the file knows of a server.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Known {
    pub(crate) server: Address,
    #[serde(default, deserialize_with = "user")]
    pub(crate) user: Option<UserName>,
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    servers: BTreeMap<String, Known>,
}

/// What the person's file knows of the server of that name; or else what to do about it.
pub(crate) fn server(name: &str) -> Result<Known, Misuse> {
    let file = xdg::config_file("config.toml").ok_or(Misuse::NoConfigPlace)?;
    let text = fs::read_to_string(&file).map_err(|error| unreadable(&file, name, error))?;
    find(&text, name, &file)
}

fn unreadable(file: &Path, name: &str, source: io::Error) -> Misuse {
    let file = file.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => Misuse::NoConfig { file, name: name.to_owned() },
        _ => Misuse::UnreadableConfig { file, source },
    }
}

fn find(text: &str, name: &str, file: &Path) -> Result<Known, Misuse> {
    let Config { mut servers } = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        Misuse::BadConfig { file: file.to_owned(), line, why: error.message().to_owned() }
    })?;
    let Some(mut known) = servers.remove(name) else {
        let (file, name) = (file.to_owned(), name.to_owned());
        return Err(Misuse::NotInConfig { file, name, known: servers.into_keys().collect() });
    };
    known.password_file = known.password_file.map(|named| resolve(&named, file));
    Ok(known)
}

/// Counted from 1, as editors do.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// A relative path starts beside `file`, wherever one stands; `~` is one's home, as in a shell.
fn resolve(named: &Path, file: &Path) -> PathBuf {
    tilde::expand(named).unwrap_or_else(|| file.with_file_name(named))
}

fn user<'de, D: Deserializer<'de>>(text: D) -> Result<Option<UserName>, D::Error> {
    let text = String::deserialize(text)?;
    UserName::parse(&text).map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    const FILE: &str = "/c/ferry/config.toml";

    fn school(text: &str) -> Result<Known, String> {
        find(text, "school", Path::new(FILE)).map_err(|misuse| Error::from(misuse).to_string())
    }

    #[test]
    fn a_server_is_what_its_name_says() {
        let text = "[servers.home]\nserver = \"a\"\n[servers.school]\nserver = \"10.0.0.7\"\n\
                    user = \"XiaoYu\"\npassword-file = \"p\"\n";
        let known = school(text).unwrap();
        assert_eq!(known.server.to_string(), "10.0.0.7:9021");
        assert_eq!(known.user.as_ref().map(UserName::as_str), Some("xiaoyu"));
        assert_eq!(known.password_file.as_deref(), Some(Path::new("/c/ferry/p")));
        let bare = school("servers.school.server = \"a:1\"").unwrap();
        assert_eq!((bare.user, bare.password_file), (None, None));
    }

    #[test]
    fn a_password_file_is_beside_the_file_that_names_it_or_where_its_path_leads() {
        let resolve = |named: &str| resolve(Path::new(named), Path::new(FILE));
        assert_eq!(resolve("p"), Path::new("/c/ferry/p"));
        assert_eq!(resolve("/p"), Path::new("/p"));
        assert_eq!(Some(resolve("~/p")), std::env::home_dir().map(|home| home.join("p")));
    }

    #[test]
    fn a_mistake_is_said_with_its_line() {
        for (text, line, said) in [
            ("[servers.school]\n\nserver = 7\n", 3, "expected a string"),
            ("[servers.school]\nserver = \"a:b\"\n", 2, "write HOST or HOST:PORT"),
            ("[servers.school]\nserver = \"a\"\nuser = \"a b\"\n", 3, "cannot be a user name"),
            ("[servers.school]\nserver = \"a\"\npassword = \"123456\"\n", 3, "`password-file`"),
            ("[servers.school]\nuser = \"a\"\n", 1, "missing field `server`"),
            ("# mine\n[server.school]\nserver = \"a\"\n", 2, "expected `servers`"),
            ("[servers.school\n", 1, "unclosed"),
        ] {
            let error = school(text).unwrap_err();
            let place = format!("`{FILE}`, line {line}: ");
            assert!(error.starts_with(&place) && error.contains(said), "{text:?}: {error}");
            assert!(!error.contains("123456"), "{error}");
        }
    }

    #[test]
    fn who_is_not_in_the_file_is_told_who_is() {
        let text = "[servers.lab]\nserver = \"a\"\n[servers.home]\nserver = \"b\"\n";
        let error = school(text).unwrap_err();
        assert_eq!(error, format!("`{FILE}` has no server @school; it has @home, @lab"));
        assert!(school("").unwrap_err().ends_with("it has none"));
    }
}
