//! A long file over a line that keeps breaking.
//!
//! ```text
//! cargo run --release --bin broken_line -- [--mib 1024] [--cuts 10] [--seed N]
//! ```
//!
//! The real `ferry` sends one file, and fetches it back, over a cable that is cut at random moments;
//! after each cut the same command is given again. Printed is how many bytes went over the wire in
//! all, beside how many the file has. It fails if that is a tenth more, or if the file is another
//! one in the end.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, Read, Write as _};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Instant;

use clap::Parser;
use harness::actor::{self, Ferryd};
use harness::{Cable, Fate, content};

/// How much may go over the wire, in thousandths of the file.
const WIRE_MAX: u64 = 1100;

/// What `ferry` ends with when the connection is lost.
const LOST: i32 = 3;

#[derive(Parser)]
#[command(about = "Send and fetch a long file over a line that keeps breaking")]
struct Args {
    /// How long the file is, in MiB
    #[arg(long, default_value_t = 1024)]
    mib: usize,
    /// How often each way is cut
    #[arg(long, default_value_t = 10)]
    cuts: u64,
    /// Where the cuts are follows from this
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    if let Some(played) = actor::play() {
        return played;
    }
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "broken_line: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let (data, here) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let stage = std::env::current_exe()?;
    let server = Ferryd::start(&stage, data.path(), &[])?;
    let (sent, got) = (here.path().join("film"), here.path().join("got"));
    make_file(&sent, args)?;
    fs::create_dir(&got)?;
    let visits = [
        ("upload", vec!["put", "film"], Cable::sent as fn(&Cable) -> u64),
        ("download", vec!["get", "film", "--to", "got"], Cable::carried),
    ];
    for (way, words, counted) in visits {
        let begun = Instant::now();
        let bytes = (args.mib as u64) << 20;
        let (mut wire, mut lengths) = (0, Vec::new());
        // A cut for each piece of the file, at a random place in what was still to come.
        for cut in random_cuts(args, bytes).into_iter().map(Some).chain([None]) {
            let fate = match (cut, way) {
                (Some(after), "upload") => Fate::CutAfterSent(after),
                (Some(after), _) => Fate::CutAfter(after),
                (None, _) => Fate::Sound,
            };
            let cable = Cable::to(server.address, fate)?;
            let mut ferry = actor::ferry(&stage, cable.address, &words);
            ferry.current_dir(here.path()).stdin(Stdio::null());
            let ended = ferry.output()?;
            let expected = if cut.is_some() { LOST } else { 0 };
            if ended.status.code() != Some(expected) {
                let said = String::from_utf8_lossy(&ended.stderr).into_owned();
                return Err(format!("ferry ended with {}: {said}", ended.status).into());
            }
            lengths.push(counted(&cable) >> 20);
            wire += counted(&cable);
        }
        let thousandths = wire * 1000 / bytes;
        let seconds = begun.elapsed().as_secs_f64();
        let mut out = std::io::stdout();
        writeln!(
            out,
            "{way}: {} MiB cut {} times, MiB each time {lengths:?}",
            args.mib, args.cuts
        )?;
        writeln!(out, "  {wire} bytes on the wire for {bytes}: {thousandths} ‰, {seconds:.1} s")?;
        if thousandths >= WIRE_MAX {
            return Err(format!("{thousandths} ‰ of the file is over {WIRE_MAX} ‰").into());
        }
    }
    let sums = [sent, data.path().join("library/film"), got.join("film")];
    let sums = sums.iter().map(|file| checksum(file)).collect::<Result<Vec<_>, _>>()?;
    writeln!(std::io::stdout(), "checksums here, there and back: {sums:08x?}")?;
    if sums.iter().any(|sum| *sum != sums[0]) {
        return Err("the file is another one".into());
    }
    server.stop()?;
    Ok(())
}

/// After how many bytes of each connection it is cut: so that all cuts together leave something to
/// be done.
fn random_cuts(args: &Args, bytes: u64) -> Vec<u64> {
    let random = content::bytes(args.seed, usize::try_from(args.cuts).unwrap_or(0) * 8);
    let most = bytes / (args.cuts + 1);
    random
        .chunks_exact(8)
        .map(|eight| 4096 + u64::from_le_bytes(eight.try_into().unwrap_or_default()) % most)
        .collect()
}

fn make_file(path: &Path, args: &Args) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    (0..args.mib).try_for_each(|n| file.write_all(&content::bytes(args.seed + n as u64, 1 << 20)))
}

fn checksum(path: &Path) -> std::io::Result<u32> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut hasher, mut buffer) = (crc32fast::Hasher::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(&buffer[..read]),
        }
    }
}
