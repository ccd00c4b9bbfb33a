//! A vote: one question, a few answers, one vote for each person, as many rounds as one likes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use common::limits::NAME_CHARS_MAX;
use common::protocol::{Reason, Refusal};
use common::room::{Choice, Saying, Tally};

use crate::clock;

/// Answers there may be to choose from.
const CHOICES_MAX: usize = 10;

/// People who may vote in one round. Guests have as many names as they like.
const VOTERS_MAX: usize = 10_000;

/// While a round is open, everybody is told once in this time how it stands: a class that votes
/// would else be a line for each of them on everybody's screen.
const STANDING_EVERY: Duration = Duration::from_secs(1);

/// Who votes: an account wherever it is, or a guest by their name in the room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Voter {
    /// The account of this name.
    User(String),
    /// The guest of this name, in small letters.
    Guest(String),
}

/// One round of a vote.
#[derive(Debug)]
pub(super) struct Round {
    tally: Tally,
    /// Which choice each has made.
    votes: HashMap<Voter, usize>,
    /// Others do not know how it stands now.
    is_untold: bool,
    /// They may be told again from then on.
    told_again: Instant,
}

impl Round {
    /// The first round of a question.
    pub(super) fn first(question: &str, choices: &[String]) -> Result<Self, Refusal> {
        let question = Saying::parse(question)
            .map_err(|e| bad_request(format!("the question cannot be asked: {e}")))?;
        let fits = |choice: &String| {
            Saying::parse(choice).is_ok() && choice.chars().count() <= NAME_CHARS_MAX
        };
        if !(2..=CHOICES_MAX).contains(&choices.len()) || !choices.iter().all(fits) {
            return Err(bad_request(format!(
                "give 2 to {CHOICES_MAX} answers to choose from, each of 1 to {NAME_CHARS_MAX} \
                 characters"
            )));
        }
        let mut keys: Vec<String> = choices.iter().map(|choice| choice.to_lowercase()).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(bad_request("two of the answers are the same".to_owned()));
        }
        let choices = choices.iter().map(|choice| Choice { choice: choice.clone(), votes: 0 });
        Ok(Self::of(question.as_str().to_owned(), 1, choices.collect()))
    }

    /// The same question again, from nothing.
    pub(super) fn next(&self) -> Self {
        let Tally { question, round, choices, .. } = self.tally.clone();
        let choices = choices.into_iter().map(|choice| Choice { votes: 0, ..choice });
        Self::of(question, round.saturating_add(1), choices.collect())
    }

    fn of(question: String, round: u32, choices: Vec<Choice>) -> Self {
        let tally = Tally { question, round, choices, open: true, at: clock::seconds() };
        Self { tally, votes: HashMap::new(), is_untold: false, told_again: Instant::now() }
    }

    /// How it stands.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// When others are to be told how it stands; `None` if they know.
    pub(super) fn due(&self) -> Option<Instant> {
        self.is_untold.then_some(self.told_again)
    }

    /// How it stands, if it is time that others are told.
    pub(super) fn standing(&mut self, now: Instant) -> Option<Tally> {
        self.due().filter(|due| *due <= now)?;
        (self.is_untold, self.told_again) = (false, now + STANDING_EVERY);
        Some(self.tally.clone())
    }

    /// Ends the round; `None` if it had ended before. Who is told of that knows how it stands.
    pub(super) fn close(&mut self) -> Option<Tally> {
        self.is_untold = false;
        let was_open = std::mem::replace(&mut self.tally.open, false);
        was_open.then(|| self.tally.clone())
    }

    /// Counts a vote, in the place of the voter's last.
    pub(super) fn vote(&mut self, voter: Voter, choice: &str) -> Result<(), Refusal> {
        let key = choice.to_lowercase();
        let choices = &mut self.tally.choices;
        let Some(chosen) = choices.iter().position(|known| known.choice.to_lowercase() == key)
        else {
            let known: Vec<&str> = choices.iter().map(|choice| choice.choice.as_str()).collect();
            return Err(bad_request(format!("choose one of: {}", known.join(", "))));
        };
        if self.votes.len() >= VOTERS_MAX && !self.votes.contains_key(&voter) {
            let message = format!("{VOTERS_MAX} have voted, and no more can be counted");
            return Err(Refusal::new(Reason::Denied, message));
        }
        let before = self.votes.insert(voter, chosen);
        if let Some(choice) = before.and_then(|before| choices.get_mut(before)) {
            choice.votes -= 1;
        }
        if let Some(choice) = choices.get_mut(chosen) {
            choice.votes += 1;
        }
        self.is_untold |= before != Some(chosen);
        Ok(())
    }
}

fn bad_request(message: String) -> Refusal {
    Refusal::new(Reason::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    fn user(name: &str) -> Voter {
        Voter::User(name.into())
    }

    fn counts(round: &Round) -> Vec<u64> {
        round.tally().choices.iter().map(|choice| choice.votes).collect()
    }

    #[test]
    fn one_vote_a_person_and_the_last_counts() {
        let mut round = Round::first("both?", &words(&["Yes", "no"])).unwrap();
        round.vote(user("anna"), "yes").unwrap();
        round.vote(Voter::Guest("anna".into()), "yes").unwrap();
        round.vote(user("anna"), "YES").unwrap();
        assert_eq!(counts(&round), [2, 0]);
        round.vote(user("anna"), "no").unwrap();
        assert_eq!(counts(&round), [1, 1]);
        let refusal = round.vote(user("anna"), "maybe").unwrap_err();
        assert_eq!(refusal.message, "choose one of: Yes, no");
        assert_eq!(counts(&round), [1, 1]);
    }

    #[test]
    fn others_are_told_once_a_second_how_it_stands_and_not_if_nothing_has_changed() {
        let mut round = Round::first("both?", &words(&["yes", "no"])).unwrap();
        let begun = Instant::now();
        let told = |round: &mut Round, now| round.standing(now).map(|tally| tally.choices[0].votes);
        assert_eq!((round.due(), told(&mut round, begun)), (None, None));
        round.vote(user("anna"), "yes").unwrap();
        assert_eq!(told(&mut round, begun), Some(1));
        round.vote(user("anna"), "YES").unwrap();
        assert_eq!(round.due(), None, "nothing has changed");
        round.vote(user("bob"), "yes").unwrap();
        round.vote(user("carl"), "yes").unwrap();
        let due = begun + STANDING_EVERY;
        assert_eq!((round.due(), told(&mut round, begun)), (Some(due), None));
        assert_eq!((told(&mut round, due), round.due()), (Some(3), None));
        round.vote(user("dora"), "no").unwrap();
        round.close().unwrap();
        assert_eq!(told(&mut round, due + STANDING_EVERY), None, "the end was told");
    }

    #[test]
    fn a_second_round_asks_the_same_from_nothing() {
        let mut round = Round::first("both?", &words(&["yes", "no"])).unwrap();
        round.vote(user("anna"), "yes").unwrap();
        let next = round.next();
        assert_eq!((next.tally().round, counts(&next)), (2, vec![0, 0]));
        assert_eq!(round.close().map(|tally| tally.open), Some(false));
        assert_eq!(round.close(), None);
    }

    #[test]
    fn a_question_has_words_and_a_few_different_answers() {
        let many: Vec<String> = (0..=CHOICES_MAX).map(|n| n.to_string()).collect();
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for (question, choices) in [
            ("", words(&["yes", "no"])),
            ("\x1b[2J", words(&["yes", "no"])),
            ("both?", words(&["yes"])),
            ("both?", words(&["yes", "Yes"])),
            ("both?", words(&["yes", ""])),
            ("both?", words(&["yes", "\u{202e}no"])),
            ("both?", words(&["yes", &long])),
            ("both?", many),
        ] {
            assert!(Round::first(question, &choices).is_err(), "{question:?} {choices:?}");
        }
    }
}
