//! The table of rights, every cell of it, over sockets.
//!
//! Goal: each verb in each place does for each role, under each policy, what the table below says,
//! and a refusal changes nothing. Method: the table is written by hand and read as data. Each cell
//! is tried on things made for it alone; the answer is compared with the table, and the disk with
//! the answer. `--nocapture` shows what was found, a grid for each policy.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use harness::Peer;

use crate::people::{administrator, newcomer, overwrite, rename};
use crate::talk::{ask_about, get, names, put, quick_with};

const VERBS: [&str; 9] = ["LIST", "STAT", "GET", "SUM", "PUT", "PUT!", "MKDIR", "DELETE", "RENAME"];
const GUESTS: [&str; 3] = ["write", "read", "none"];
const WRITERS: [&str; 3] = ["all", "users", "admins"];
const PLACES: [&str; 4] = ["root", "library", "own", "other"];
const ROLES: [&str; 3] = ["guest", "user", "admin"];

/// Role, place, `--guests`/`--library-writers` (`*`: whichever), and a sign for each verb.
///
/// `y` it is done · `L` log in first · `D` denied · `E` the name is taken · `F` there is no such
/// file. `PUT!` replaces a file that is there. `root` is `/` itself, `own` one's own home, `other`
/// somebody else's by way of `/homes`.
const TABLE: &str = "
    guest root    write,read/*         y y F F E E E D D
    guest root    none/*               L L L L L L L D D
    guest library write/all            y y y y y D y D D
    guest library write/users          y y y y L L L D D
    guest library write/admins         y y y y D D D D D
    guest library read/all,users       y y y y L L L D D
    guest library read/admins          y y y y D D D D D
    guest library none/all,users       L L L L L L L D D
    guest library none/admins          L L L L D D D D D
    guest own     */*                  L L L L L L L L L
    guest other   */*                  D D D D D D D D D
    user  root    */*                  y y F F E E E D D
    user  library */all,users          y y y y y D y D D
    user  library */admins             y y y y D D D D D
    user  own     */*                  y y y y y y y y y
    user  other   */*                  D D D D D D D D D
    admin root    */*                  y y F F E E E D D
    admin library */*                  y y y y y y y y y
    admin own     */*                  y y y y y y y y y
    admin other   */*                  y y y y y y y y y
";

/// The signs of the one row that speaks of this.
fn row(role: &str, place: &str, guests: &str, writers: &str) -> Vec<&'static str> {
    let has = |list: &str, word: &str| list == "*" || list.split(',').any(|one| one == word);
    let mut rows = TABLE.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let speaks = |row: &Vec<&str>| {
        row.len() == 3 + VERBS.len() && row[0] == role && row[1] == place && {
            let (g, w) = row[2].split_once('/').unwrap();
            has(g, guests) && has(w, writers)
        }
    };
    let found = rows.find(speaks).unwrap_or_else(|| panic!("no row for a {role} in {place}"));
    assert!(!rows.any(|row| speaks(&row)), "two rows for a {role} in {place}");
    found[3..].to_vec()
}

/// A place, as the asker names it and on disk; `None` for what is not on disk.
struct Ground {
    place: &'static str,
    path: String,
    disk: Option<PathBuf>,
}

impl Ground {
    /// Something in this place; the place itself where nothing can be in it.
    fn path(&self, name: &str) -> String {
        if self.place == "root" { "/".into() } else { format!("{}/{name}", self.path) }
    }

    fn content(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.disk.as_ref()?.join(name)).ok()
    }

    fn is_folder(&self, name: &str) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.join(name).is_dir())
    }
}

/// Tries one cell: the sign of the answer, and whether what was asked for is done.
fn attempt(peer: &mut Peer, verb: &str, ground: &Ground) -> (String, bool) {
    let (old, new) = (format!("old {verb}"), format!("new {verb}").replace('!', "-over"));
    let old = old.replace('!', "-over");
    if let Some(disk) = &ground.disk {
        fs::write(disk.join(&old), "old").unwrap();
    }
    let (from, to) = (ground.path(&old), ground.path(&new));
    let mut seen = false;
    let answer = match verb {
        "LIST" => {
            let answer = ask_about(peer, "LIST", &ground.path);
            seen = answer["status"] == "OK" && {
                let expected = if ground.place == "root" { "library" } else { &old };
                names(peer, &ground.path).iter().any(|name| name == expected)
            };
            answer
        }
        "STAT" => ask_about(peer, "STAT", &from),
        "GET" => {
            let (line, bytes) = get(peer, &from);
            seen = bytes == b"old";
            line
        }
        "SUM" => ask_about(peer, "SUM", &from),
        "PUT" => put(peer, &to, b"new"),
        "PUT!" => overwrite(peer, &from, b"new"),
        "MKDIR" => ask_about(peer, "MKDIR", &to),
        "DELETE" => ask_about(peer, "DELETE", &from),
        "RENAME" => rename(peer, &from, &to),
        other => panic!("{other}?"),
    };
    let done = match verb {
        "STAT" => answer["kind"] == if ground.place == "root" { "folder" } else { "file" },
        "SUM" => answer["crc32"] == harness::content::crc(b"old"),
        "PUT" => ground.content(&new).is_some_and(|bytes| bytes == b"new"),
        "PUT!" => ground.content(&old).is_some_and(|bytes| bytes == b"new"),
        "MKDIR" => ground.is_folder(&new),
        "DELETE" => ground.disk.is_some() && ground.content(&old).is_none(),
        "RENAME" => ground.content(&new).is_some() && ground.content(&old).is_none(),
        _ => seen,
    };
    let sign = match (answer["status"].as_str(), answer["reason"].as_str()) {
        (Some("OK"), _) => "y",
        (Some("EXISTS"), _) => "E",
        (_, Some("login-required")) => "L",
        (_, Some("denied")) => "D",
        (_, Some("not-found")) => "F",
        _ => return (answer.to_string(), done),
    };
    (sign.to_owned(), done)
}

/// Tries all cells of one policy: the grid of what was found. What is wrong goes to `wrong`.
fn try_policy(guests: &str, writers: &str, wrong: &mut Vec<String>) -> String {
    let server = quick_with(&["--guests", guests, "--library-writers", writers]);
    let mut peers = [server.peer(), newcomer(&server, "yuki"), administrator(&server, "boss")];
    newcomer(&server, "other");
    let mut grid = format!("--guests {guests} --library-writers {writers}\n{:14}", "");
    for verb in VERBS {
        write!(grid, " {verb:>6}").unwrap();
    }
    for (role, peer) in ROLES.into_iter().zip(&mut peers) {
        for place in PLACES {
            write!(grid, "\n{role:<6}{place:<8}").unwrap();
            let ground = ground(server.data(), role, place);
            for (verb, expected) in VERBS.into_iter().zip(row(role, place, guests, writers)) {
                let (found, done) = attempt(peer, verb, &ground);
                write!(grid, " {found:>6}").unwrap();
                let cell = format!("{guests}/{writers}: {role} {verb} {place}");
                if found != expected {
                    wrong.push(format!("{cell}: {found}, not {expected}"));
                }
                if done != (found == "y") {
                    wrong.push(format!("{cell}: said {found}, and done is {done}"));
                }
            }
        }
    }
    assert_eq!(server.parts(), 0);
    grid + "\n"
}

fn ground(data: &Path, role: &str, place: &'static str) -> Ground {
    let (path, disk) = match (place, role) {
        ("library", _) => ("/library", Some(data.join("library"))),
        ("own", "user") => ("/home", Some(data.join("home/yuki"))),
        ("own", "admin") => ("/home", Some(data.join("home/boss"))),
        ("own", _) => ("/home", None),
        ("other", _) => ("/homes/other", Some(data.join("home/other"))),
        _ => ("/", None),
    };
    // Each role has a folder of its own to work in, so that no cell meets what another has left.
    let folder = |disk: PathBuf| {
        let disk = disk.join(role);
        fs::create_dir(&disk).unwrap();
        disk
    };
    match disk {
        Some(disk) => Ground { place, path: format!("{path}/{role}"), disk: Some(folder(disk)) },
        None => Ground { place, path: path.to_owned(), disk: None },
    }
}

#[test]
pub(crate) fn every_verb_in_every_place_for_every_role_under_every_policy_is_as_the_table_says() {
    let mut wrong = Vec::new();
    let mut grids = String::from("y done, L log in first, D denied, E exists, F no such file\n\n");
    for guests in GUESTS {
        for writers in WRITERS {
            grids += &try_policy(guests, writers, &mut wrong);
            grids.push('\n');
        }
    }
    // Shown with --nocapture, and whenever the test fails.
    #[allow(clippy::print_stdout)]
    {
        println!("{grids}");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
pub(crate) fn every_row_of_the_table_is_reached() {
    for line in TABLE.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words.len(), 3 + VERBS.len(), "{line}");
        let reached = GUESTS.iter().any(|guests| {
            let speaks = |w: &&str| row(words[0], words[1], guests, w) == words[3..];
            WRITERS.iter().any(speaks)
        });
        assert!(reached, "{line}");
    }
}
