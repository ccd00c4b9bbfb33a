//! Fuller and fuller folders, listed: is a page of a million as cheap as a page of a hundred, and
//! does the server keep more than a page?

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;

use common::protocol::{Page, Request};

use super::Survey;
use super::growth::{Growth, Point, Series};
use super::rounds::medians;
use crate::gauges::peak_resident_kib;
use crate::stress::figures::float;
use crate::stress::line::Line;

/// How many entries are listed of each folder at least; a small one is listed again and again.
const ENTRIES_MIN: u32 = 20_000;

/// But not more often than this.
const LISTINGS_MAX: u32 = 500;

/// A page: below it, what is felt is the asking.
const PAGE: u64 = common::limits::PAGE_ENTRIES_MAX as u64;

/// How much more memory the fullest folder may take than the emptiest, in KiB. A page is under 64.
const GROWTH_KIB_MAX: u64 = 4096;

pub(super) fn measure(survey: Survey<'_>) -> io::Result<Growth> {
    let Survey { ground, scale, interrupt } = survey;
    let site = ground.serve(1, &[])?;
    let mut folders = Vec::new();
    for files in &scale.files {
        let folder = site.folder(&format!("of{files}"))?;
        fill(folder.path(), *files, || interrupt.is_set())?;
        folders.push(folder);
    }
    let mut line = Line::connect(site.address())?;
    line.greeted()?;
    let before = peak_resident_kib(site.process())?;
    // The most it has ever held never falls, so it is looked at in the first round, which goes from
    // the emptiest to the fullest; a round later each would show the fullest one's.
    let mut peaks = Vec::new();
    let rows = medians(&scale.files, scale.repeats, interrupt, |files| {
        let cost = list(&mut line, files)?;
        if peaks.len() < scale.files.len() {
            peaks.push(peak_resident_kib(site.process())?);
        }
        Ok([cost])
    })?;
    let after = peak_resident_kib(site.process())?;
    let grown = after - peaks.first().copied().unwrap_or(before);
    let too_much = grown > GROWTH_KIB_MAX;
    Ok(Growth {
        name: "folders",
        title: "Fuller folders, listed",
        grows: "files",
        points: scale.files.iter().copied().map(Point::count).collect(),
        series: vec![
            Series {
                name: "",
                unit: "µs per entry",
                values: rows.into_iter().map(|[cost]| cost).collect(),
                from: PAGE,
            },
            Series {
                name: "",
                unit: "KiB at most",
                values: peaks.into_iter().map(float).collect(),
                from: 1,
            },
        ],
        notes: vec![format!(
            "the server's memory, at most: {before} KiB before the first listing, {after} KiB after \
             the last"
        )],
        wrong: too_much
            .then(|| format!("listing more files took {grown} KiB more memory"))
            .into_iter()
            .collect(),
    })
}

/// Lays so many empty files into a folder.
fn fill(folder: &Path, files: u32, is_over: impl Fn() -> bool) -> io::Result<()> {
    // A name is never long enough to have to grow the path again.
    let mut path = folder.join("f");
    for file in 0..files {
        if file % 1000 == 0 && is_over() {
            return Err(io::Error::other(super::ENDED));
        }
        path.set_file_name(format!("file{file}"));
        File::create_new(&path)?;
    }
    Ok(())
}

/// What an entry costs, in microseconds.
fn list(line: &mut Line, files: u32) -> io::Result<f64> {
    let listings = (ENTRIES_MIN / files).clamp(1, LISTINGS_MAX);
    let begun = Instant::now();
    for _ in 0..listings {
        line.ask(&[Request::List { path: Some(format!("/library/of{files}")) }])?;
        let mut count = 0;
        loop {
            let Page { entries, more } = line.answer()?;
            count += entries.len();
            if !more {
                break;
            }
        }
        if count != files as usize {
            return Err(io::Error::other(format!("{count} entries of {files} were listed")));
        }
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(listings * files))
}
