//! What the console does: speak, put questions, send away, stop. The last two are in the log, under
//! the name of the thread that was told to.

use std::time::Duration;

use common::protocol::{Reason, Refusal};
use common::room::{Saying, Tally};

use super::Console;
use super::command::{Ask, Step, When};
use super::countdown::Due;
use super::overview::thread_of;
use super::table::{span, table};
use crate::refusal;
use crate::room::Asked;
use crate::roster::SentAway;

impl Console<'_> {
    /// Speaks as the administrator.
    pub(super) fn say(&self, text: &str) -> Result<String, Refusal> {
        let saying = Saying::parse(text).map_err(|error| refusal::bad_saying(&error))?;
        self.shared()?.room.announce(&saying);
        Ok("said to everybody".into())
    }

    /// Ends the sessions of somebody.
    pub(super) fn kick(&self, whom: &str) -> Result<String, Refusal> {
        let sessions = self.sessions_of(whom).into_iter();
        let kicked: Vec<String> = sessions
            .filter(|session| self.roster.send_away(*session, SentAway::Kicked))
            .map(thread_of)
            .collect();
        if kicked.is_empty() {
            let message = format!("`{whom}` is not here; `who` shows who is");
            return Err(Refusal::new(Reason::NotFound, message));
        }
        let kicked = kicked.join(", ");
        log::info!("sends away {kicked}");
        Ok(format!("sent away: {kicked}"))
    }

    /// The session of that number; else those of the user, or of the guest in the room, who is
    /// called so.
    fn sessions_of(&self, whom: &str) -> Vec<u64> {
        let attendees = self.roster.attendees();
        let number = whom.strip_prefix('c').and_then(|digits| digits.parse::<u64>().ok());
        if let Some(there) = number.filter(|id| attendees.iter().any(|a| a.session == *id)) {
            return vec![there];
        }
        let user = whom.to_ascii_lowercase();
        let named = |name: &str| name.to_lowercase() == whom.to_lowercase();
        let members = self.shared.map(|shared| shared.room.members()).unwrap_or_default();
        let guests = members.into_iter().filter(|m| m.guest && named(&m.name));
        let users = attendees
            .iter()
            .filter(|attendee| attendee.user.as_ref().is_some_and(|name| name.as_str() == user));
        users.map(|attendee| attendee.session).chain(guests.map(|m| m.session)).collect()
    }

    /// Puts a question, or goes on with it. First how the round ended that this has ended.
    pub(super) fn ask(&self, ask: Ask) -> Result<String, Refusal> {
        let Ask { step, question, choices } = ask;
        let room = self.shared()?.room;
        let Asked { ended, begun } = match step {
            Some(Step::Close) => return room.close_vote().map(|ended| stands(&ended)),
            Some(Step::Again) => room.ask_again()?,
            None => room.ask(&question.unwrap_or_default(), &choices)?,
        };
        let rounds: Vec<String> = ended.iter().chain([&begun]).map(stands).collect();
        Ok(rounds.join("\n"))
    }

    /// How the last vote stands, or ended.
    pub(super) fn tally(&self) -> Result<String, Refusal> {
        let nothing = || Refusal::new(Reason::NotFound, "nothing was asked yet; `ask` asks");
        self.shared()?.room.tally().map(|tally| stands(&tally)).ok_or_else(nothing)
    }

    /// Stops the server, or plans to.
    pub(super) fn shutdown(&self, when: When) -> String {
        match when {
            When::In { time } => {
                let said = stops_in(time);
                self.announce(&said);
                self.countdown.begin(time);
                log::info!("{said}");
                format!("{said}; `shutdown cancel` takes it back")
            }
            When::Now => self.stop_now(),
            When::Cancel if self.countdown.cancel() => {
                self.announce("the server does not stop after all");
                log::info!("the stop was cancelled");
                "the server goes on".into()
            }
            When::Cancel => "no stop is planned".into(),
        }
    }

    /// Tells everybody, and stops.
    fn stop_now(&self) -> String {
        let said = stops_in(Duration::ZERO);
        self.announce(&said);
        log::info!("{said}");
        self.stop.ask();
        said
    }

    /// Says what was planned when its time has come, until the countdown is closed. For a thread of
    /// its own.
    pub fn count_down(&self) {
        while let Some(due) = self.countdown.next() {
            match due {
                Due::Stop(Duration::ZERO) => drop(self.stop_now()),
                Due::Stop(left) => self.announce(&stops_in(left)),
                Due::Standing => self.tell_standing(),
            }
        }
    }

    /// Says how the vote stands, or will when it is time: another may have been told meanwhile.
    fn tell_standing(&self) {
        let later = self.shared.and_then(|shared| shared.room.tell_standing());
        later.inspect(|at| self.countdown.tell_standing_at(*at));
    }

    /// In the administrator's voice, where there is a room.
    fn announce(&self, text: &str) {
        // Our own words are always such as can be said.
        if let (Some(shared), Ok(saying)) = (self.shared, Saying::parse(text)) {
            shared.room.announce(&saying);
        }
    }
}

/// The question, and a line for each answer.
fn stands(tally: &Tally) -> String {
    let votes = if tally.open { "open" } else { "closed" };
    let rows = tally.choices.iter().map(|choice| [choice.choice.clone(), choice.votes.to_string()]);
    let choices = table(&rows.collect::<Vec<_>>());
    format!("{} (round {}, {votes})\n{choices}", tally.question, tally.round)
}

fn stops_in(left: Duration) -> String {
    if left.is_zero() {
        return "the server stops now".into();
    }
    format!("the server stops in {}", span(left))
}
