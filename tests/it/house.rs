//! The house rules that can be counted: which way imports point, what may not occur, and that the
//! pages say what the code says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::protocol::Reason;
use server::point::PLACES;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file below `folder`, with its text.
pub(crate) fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() == "target" {
            // What fuzzing builds is nobody's source.
        } else if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// The server's sources, each with the module at the top of the crate it belongs to, and without
/// its unit tests.
fn server_modules() -> Vec<(String, String)> {
    let src = root().join("server/src");
    let module = |path: &Path| {
        let inside = path.strip_prefix(&src).unwrap();
        inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
    };
    let code = |text: &str| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    sources(&src).iter().map(|(path, text)| (module(path), code(text))).collect()
}

#[test]
fn imports_in_the_server_point_one_way() {
    // From the doorway down. A module may use only what stands behind it.
    let order = [
        "main", "lib", "cli", "admin", "server", "models", "config", "session", "service",
        "console", "watch", "batch", "upload", "plan", "room", "accounts", "places", "rights",
        "quota", "claims", "registry", "stripes", "writer", "listener", "roster", "input",
        "socket", "patience", "answer", "refusal", "counters", "trace", "journal", "queue",
        "store", "class", "stop", "point", "brakes", "state", "party", "seldom", "clock", "named",
        "sync", "bell",
    ];
    let rank = |module: &str| {
        let found = order.iter().position(|known| *known == module);
        found.unwrap_or_else(|| panic!("`{module}` has no place in the order of the house"))
    };
    for (module, text) in server_modules() {
        for line in text.lines().filter_map(|l| l.trim().strip_prefix("use crate::")) {
            let used = line.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            let ok = rank(used) >= rank(&module);
            assert!(ok, "`{module}` uses `{used}`, which stands before it: use crate::{line}");
        }
    }
}

#[test]
fn what_must_be_absent_is_absent() {
    // What may not occur, where it may all the same, and why.
    let rules: [(&str, &[&str], &str); 8] = [
        ("File::open(", &["store", "listener"], "only the store opens a path in the data folder"),
        ("File::options(", &["store", "trace"], "only the store opens a path in the data folder"),
        ("openat", &["store"], "only the store opens a path in the data folder"),
        ("create_dir", &["store"], "only the store makes folders"),
        ("TcpStream", &["listener", "roster", "socket"], "no handler knows a socket"),
        ("unbounded(", &[], "no queue is without a bound"),
        ("thread::sleep", &["listener"], "nothing sleeps but the accept loop, after an error"),
        ("thread::spawn(", &[], "it panics when the system has no thread left; use a Builder"),
    ];
    for (module, text) in server_modules() {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (word, allowed, why) in rules {
                let fine = !line.contains(word) || allowed.contains(&module.as_str());
                assert!(fine, "`{module}` says `{}`: {why}", line.trim());
            }
        }
    }
}

#[test]
fn whatever_the_client_says_stands_with_its_words_in_both_languages() {
    let src = root().join("client/src");
    for (path, text) in sources(&src) {
        let inside = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        let is_words = inside == "words.rs" || inside.starts_with("words/");
        // `talk` and `complain` take nothing else.
        assert!(is_words || !text.contains("Words for "), "{inside} has words of its own");
        // A question goes to the terminal itself, and Ctrl-D leaves the cursor behind it.
        let may_write = ["printer.rs", "password.rs"].contains(&inside.as_str());
        assert!(may_write || !text.contains("stderr().lock()"), "{inside} writes on stderr");
        assert!(may_write || !text.contains("(io::stderr()"), "{inside} writes on stderr");
    }
}

#[test]
fn every_source_file_opens_with_what_it_is() {
    for folder in ["common/src", "server/src", "client/src", "tests"] {
        for (path, text) in sources(&root().join(folder)) {
            assert!(text.starts_with("//! "), "{} has no header", path.display());
        }
    }
}

#[test]
fn the_protocol_page_names_every_request_status_and_reason() {
    let page = fs::read_to_string(root().join("docs/protocol.md")).unwrap();
    let source = fs::read_to_string(root().join("common/src/protocol.rs")).unwrap();
    // The verbs are read from the one place that spells them, so a new one cannot be forgotten.
    let verbs: BTreeSet<&str> = source
        .lines()
        .filter(|line| line.contains("=> \"") && line.trim_start().starts_with("Self::"))
        .filter_map(|line| line.split('"').nth(1))
        .filter(|verb| !verb.is_empty())
        .collect();
    assert!(verbs.len() >= 9, "only {verbs:?}");
    for verb in verbs {
        assert!(page.contains(&format!("\n### {verb}\n")), "no section ### {verb}");
    }
    for status in ["OK", "EMPTY", "FAIL", "EXISTS", "WAIT"] {
        assert!(page.contains(&format!("| `{status}` |")), "no row for {status}");
    }
    for reason in Reason::ALL {
        assert!(page.contains(&format!("| `{reason}` |")), "no row for {reason}");
    }
}

#[test]
fn every_limit_both_sides_know_is_on_the_protocol_page() {
    let page = fs::read_to_string(root().join("docs/protocol.md")).unwrap();
    let limits = fs::read_to_string(root().join("common/src/limits.rs")).unwrap();
    let names = limits.lines().filter_map(|l| l.strip_prefix("pub const ")?.split(':').next());
    let missing: Vec<&str> = names.filter(|name| !page.contains(*name)).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}

#[test]
fn every_file_that_the_page_for_contributors_names_is_there() {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let words = page.split('`').skip(1).step_by(2);
    let files: Vec<&str> = words.filter(|w| w.contains('/') && !w.contains(' ')).collect();
    assert!(files.len() > 20, "only {files:?}");
    let missing: Vec<_> = files.iter().filter(|file| !root().join(file).exists()).collect();
    assert!(missing.is_empty(), "not there: {missing:?}");
}

#[test]
fn what_the_manual_says_of_ferry_beside_others_has_a_test_in_its_row() {
    let page = fs::read_to_string(root().join("docs/user-manual.md")).unwrap();
    let (_, section) = page.split_once("\n## Beside other clients\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let is_row = |line: &&str| line.starts_with("| ") && !line.contains("| tested by |");
    let mut claims = 0;
    for row in section.lines().filter(is_row) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [what, ferry, .., tests] = cells.as_slice() else { panic!("{row}") };
        assert_eq!(cells.len(), 7, "{what}");
        assert_eq!(*ferry != "no", tests.contains("::"), "{what}: {ferry}, tested by {tests}");
        claims += usize::from(*ferry != "no");
    }
    assert!(claims > 20, "only {claims}");
}

#[test]
fn every_place_that_threads_come_by_is_in_the_table_and_in_the_manual() {
    let code: String =
        sources(&root().join("server/src")).into_iter().map(|(_, text)| text).collect();
    let passed = code.split("point::pass(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let passed: BTreeSet<&str> = passed.collect();
    let known: BTreeSet<&str> = PLACES.iter().map(|place| place.name).collect();
    assert_eq!(passed, known);
    let manual = fs::read_to_string(root().join("docs/user-manual.md")).unwrap();
    for place in PLACES {
        let row = format!("| `{}` | {} |", place.name, place.meaning);
        assert!(manual.contains(&row), "not in the manual: {row}");
    }
}
