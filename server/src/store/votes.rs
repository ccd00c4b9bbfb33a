//! `votes.csv`: every round of every vote, a row for each answer, for a spreadsheet to open.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use common::room::Tally;
use jiff::Timestamp;

use super::Durability;

/// What the columns are.
const HEADER: [&str; 5] = ["time", "question", "round", "choice", "votes"];

/// Adds a round to the file, which is made if it is missing. The rows go out in one write at the
/// file's end, so two servers that share the folder do not mix theirs.
pub(super) fn append(path: &Path, durability: Durability, tally: &Tally) -> io::Result<()> {
    let (mut file, fresh) = open(path)?;
    file.write_all(&rows(tally, fresh)?)?;
    match durability {
        Durability::Full => file.sync_all(),
        Durability::None => Ok(()),
    }
}

/// The file, and whether it was made just now. Only whoever made it writes the header.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.append(true);
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok((options.open(path)?, false)),
        Err(error) => Err(error),
    }
}

fn rows(tally: &Tally, fresh: bool) -> io::Result<Vec<u8>> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    if fresh {
        rows.write_record(HEADER)?;
    }
    let time = Timestamp::from_second(tally.at).unwrap_or_default().to_string();
    let round = tally.round.to_string();
    for choice in &tally.choices {
        let votes = choice.votes.to_string();
        rows.write_record([&time, &tally.question, &round, &choice.choice, &votes])?;
    }
    rows.into_inner().map_err(csv::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use common::room::Choice;

    use super::*;

    #[test]
    fn a_round_is_a_row_for_each_answer_under_one_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes.csv");
        let choices =
            ["yes", "no, \"never\""].map(|choice| Choice { choice: choice.into(), votes: 3 });
        let mut tally = Tally {
            question: "both?".into(),
            round: 1,
            choices: choices.into(),
            open: false,
            at: 1_795_199_007,
        };
        append(&path, Durability::Full, &tally).unwrap();
        tally.round = 2;
        append(&path, Durability::None, &tally).unwrap();
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "time,question,round,choice,votes\n\
             2026-11-20T18:23:27Z,both?,1,yes,3\n\
             2026-11-20T18:23:27Z,both?,1,\"no, \"\"never\"\"\",3\n\
             2026-11-20T18:23:27Z,both?,2,yes,3\n\
             2026-11-20T18:23:27Z,both?,2,\"no, \"\"never\"\"\",3\n"
        );
    }
}
