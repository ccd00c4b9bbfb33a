//! What the pages say is in the code: lines, and tests.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use harness::page::{Reference, line_at, names_a_test, root};

use super::{edit, pages, updates};
use crate::house::sources;

/// The line, from 1, that a reference should give; or what is wrong with it.
fn place_of(reference: &Reference, lines: &[&str]) -> Result<usize, String> {
    let named = lines.get(reference.number.wrapping_sub(1));
    let Some(quoted) = &reference.quoted else {
        let blank = named.is_none_or(|line| line.trim().is_empty());
        return if blank {
            Err("there is no such line, or it is blank".into())
        } else {
            Ok(reference.number)
        };
    };
    if named.is_some_and(|line| line.contains(quoted)) {
        return Ok(reference.number);
    }
    let holds =
        (1_usize..).zip(lines).filter(|(_, line)| line.contains(quoted)).map(|(number, _)| number);
    let nearest = holds.min_by_key(|number| number.abs_diff(reference.number));
    nearest.ok_or_else(|| format!("no line of it holds `{quoted}`{}", elsewhere(quoted)))
}

/// Where a line that is gone from its file may have gone.
fn elsewhere(quoted: &str) -> String {
    let folders = ["common/src", "server/src", "client/src", "tests/harness"];
    let sources = folders.iter().flat_map(|folder| sources(&root().join(folder)));
    let holds = sources.filter(|(_, text)| text.contains(quoted));
    let files: Vec<String> = holds.map(|(path, _)| path.display().to_string()).collect();
    if files.is_empty() { String::new() } else { format!("; look in {}", files.join(", ")) }
}

#[test]
fn every_line_of_code_that_a_page_refers_to_is_there_and_holds_what_is_quoted() {
    let mut wrong = Vec::new();
    for page in pages() {
        let mut moved: Vec<(usize, usize)> = Vec::new();
        for (index, reference) in page.references.iter().enumerate() {
            let (file, number) = (reference.file.display(), reference.number);
            let text = fs::read_to_string(root().join(&reference.file));
            let place = text.map_err(|error| error.to_string());
            let place =
                place.and_then(|text| place_of(reference, &text.lines().collect::<Vec<_>>()));
            let at =
                format!("{}:{}", page.path.display(), line_at(&page.text, reference.range.start));
            match place {
                Ok(now) if now == number => {}
                Ok(now) if updates() => moved.push((index, now)),
                Ok(now) => wrong.push(format!("{at}: {file}:{number} is line {now} now")),
                Err(why) => wrong.push(format!("{at}: {file}:{number}: {why}")),
            }
        }
        if !moved.is_empty() {
            edit(&page.path, |page| {
                let edits = moved.into_iter().map(|(index, now)| {
                    let Reference { range, number, .. } = &page.references[index];
                    let text = &page.text[range.clone()];
                    let text = text.replace(&format!(":{number}"), &format!(":{now}"));
                    (range.clone(), text.replace(&format!("#L{number}"), &format!("#L{now}")))
                });
                edits.collect()
            });
        }
    }
    assert!(wrong.is_empty(), "UPDATE_DOCS=1 moves what has moved:\n{}", wrong.join("\n"));
}

#[test]
fn every_test_that_the_pages_name_is_there() {
    let folders = ["common/src", "server/src", "client/src", "tests"];
    let sources: Vec<_> = folders.iter().flat_map(|folder| sources(&root().join(folder))).collect();
    let is_there = |module: &str, test: &str| {
        sources.iter().any(|(path, text)| {
            let own = path.file_stem().is_some_and(|stem| stem == module);
            let inside = path.parent().unwrap().ends_with(module);
            (own || inside) && text.contains(&format!("fn {test}()"))
        })
    };
    let mut counts: HashMap<PathBuf, usize> = HashMap::new();
    for page in pages() {
        for name in
            page.spans.iter().filter(|span| names_a_test(span) && !span.starts_with("module::"))
        {
            let (module, test) = (name.split("::").next().unwrap(), name.rsplit("::").next());
            let is_there = is_there(module, test.unwrap());
            assert!(is_there, "{} names `{name}`, and there is no such test", page.path.display());
            *counts.entry(page.path.clone()).or_default() += 1;
        }
    }
    for (page, least) in [("docs/trust.md", 100), ("docs/user-manual.md", 30)] {
        let count = counts.get(&PathBuf::from(page)).copied().unwrap_or_default();
        assert!(count > least, "{page} names only {count} tests");
    }
}

/// A requirement that nothing shows would be a wish; one that changes its number is lost.
#[test]
fn every_requirement_has_its_number_and_what_shows_it() {
    let text = fs::read_to_string(root().join("docs/requirements.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| R")?.split_once(" | "));
    let mut numbers = Vec::new();
    for (number, rest) in rows {
        let named = rest.split('`').skip(1).step_by(2).any(names_a_test);
        assert!(named, "nothing shows R{number}: {rest}");
        numbers.push(number.parse::<usize>().unwrap());
    }
    // A later one may stand among those it belongs to.
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "each number once");
    assert!(numbers.len() > 50, "only {} requirements", numbers.len());
}
