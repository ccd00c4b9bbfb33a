//! What the console shows: who is here, what they do, what was done. Names that others chose stand
//! last in a line where that can be.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use common::protocol::Refusal;
use common::size::size;
use common::user::GUEST;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::table::{NOTHING, some, span, table, titles};
use super::{Console, Shared};
use crate::registry::Held;
use crate::roster::Attendee;
use crate::state::State;

/// What is told of what each process counts alone.
const UNKNOWN: &str = "not known here: each session counts in a process of its own";

impl Console<'_> {
    /// A line for each session.
    pub(super) fn who(&self) -> String {
        let members = self.shared.map(|shared| shared.room.members()).unwrap_or_default();
        let members: HashMap<u64, String> = members
            .into_iter()
            .map(|member| (member.session, if member.guest { member.name } else { "yes".into() }))
            .collect();
        let titles = titles(["SESSION", "USER", "ADDRESS", "HERE FOR", "STATE", "FOR", "ROOM", ""]);
        let sessions = self.roster.attendees();
        let rows = sessions.iter().map(|attendee| {
            row_of(attendee, self.user_of(attendee), members.get(&attendee.session))
        });
        table(&[titles].into_iter().chain(rows).collect::<Vec<_>>())
    }

    /// A line for each name that is being written.
    pub(super) fn files(&self) -> Result<String, Refusal> {
        let held = self.shared()?.claims.snapshot();
        if held.is_empty() {
            return Ok("nobody writes a file".into());
        }
        let titles = titles(["BY", "HAS COME", "FOR", "WAITING", "FILE"]);
        let rows = held.into_iter().map(|Held { path, holder, line }| {
            let come = format!("{} of {}", size(holder.received), size(holder.size));
            [
                holder.holder,
                come,
                span(Duration::from_secs(holder.since)),
                some(&line),
                path.to_string(),
            ]
        });
        Ok(table(&[titles].into_iter().chain(rows).collect::<Vec<_>>()))
    }

    /// What was done since the server began.
    pub(super) fn stats(&self) -> String {
        let (counts, attendance) = (self.counters.counts(), self.roster.attendance());
        let up = SystemTime::now().duration_since(counts.begun).unwrap_or_default();
        let files = |(files, bytes): (u64, u64)| format!("{files} files, {}", size(bytes));
        let row = |head: &str, says: String| [head.to_owned(), says];
        let mut rows = vec![
            row("up", format!("since {}, for {}", local(counts.begun), span(up))),
            row(
                "sessions",
                format!(
                    "{} now, {} at most, {} in all; {} found no place",
                    attendance.now, attendance.most, attendance.ever, attendance.turned_away
                ),
            ),
        ];
        match self.shared {
            Some(Shared { room, .. }) => rows.extend([
                row("in the room", room.members().len().to_string()),
                row("received", files(counts.received)),
                row("sent", files(counts.sent)),
                row("refusals", counts.refusals.to_string()),
            ]),
            None => rows.push(row("transfers", UNKNOWN.into())),
        }
        table(&rows)
    }

    /// As whom somebody has logged in: where sessions share nothing, only they know.
    fn user_of(&self, attendee: &Attendee) -> String {
        match (&attendee.user, self.shared) {
            (Some(user), _) => user.to_string(),
            (None, Some(_)) => GUEST.into(),
            (None, None) => NOTHING.into(),
        }
    }

    /// A line for each account, and the guests.
    pub(super) fn users(&self) -> Result<String, Refusal> {
        let mut here: HashMap<Option<_>, Vec<String>> = HashMap::new();
        for attendee in self.roster.attendees() {
            here.entry(attendee.user).or_default().push(thread_of(attendee.session));
        }
        let guests = self.shared.and_then(|_| here.get(&None));
        let guests = some(guests.map_or(&[], Vec::as_slice));
        let accounts = self.accounts.all()?.into_iter().map(|(user, role)| {
            let sessions = here.remove(&Some(user.clone())).unwrap_or_default();
            [role.to_string(), user.to_string(), some(&sessions)]
        });
        let titles = titles(["ROLE", "USER", "HERE AS"]);
        let guests = [GUEST.into(), NOTHING.into(), guests];
        Ok(table(&[titles].into_iter().chain(accounts).chain([guests]).collect::<Vec<_>>()))
    }
}

fn row_of(attendee: &Attendee, user: String, in_room: Option<&String>) -> [String; 8] {
    let here = span(attendee.since.elapsed());
    let (state, since, on) = match &attendee.row {
        // Who is idle works on nothing any more.
        Some(row) if row.state() == State::Idle => (row.state(), row.since(), String::new()),
        Some(row) => (row.state(), row.since(), row.work()),
        // Let in, and its thread has not begun.
        None => (State::Run, Duration::ZERO, String::new()),
    };
    let room = in_room.map_or(NOTHING.into(), Clone::clone);
    let (session, peer) = (thread_of(attendee.session), attendee.peer.to_string());
    [session, user, peer, here, state.to_string(), span(since), room, on]
}

/// A session's thread, by which everybody knows it.
pub(super) fn thread_of(session: u64) -> String {
    format!("c{session:02}")
}

/// `2026-11-19 14:02:00`, on the clock of the machine.
fn local(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(
        |_| NOTHING.into(),
        |time| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}
