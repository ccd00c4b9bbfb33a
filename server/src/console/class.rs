//! What the console does in class mode: hold the server up, so that a class can see what happens
//! meanwhile. What it sets is in the log.

use std::time::Duration;

use common::protocol::{Reason, Refusal};
use common::size::size;

use super::Console;
use super::command::Speed;
use super::table::{table, titles};
use crate::brakes::{Brakes, Sleep, brakes};
use crate::point::{PLACES, SleepAt};

impl Console<'_> {
    /// Has threads sleep at a place, or shows where they do.
    pub(super) fn sleep_at(&self, at: Option<SleepAt>) -> Result<String, Refusal> {
        let brakes = self.brakes()?;
        let Some(SleepAt { place, sleep }) = at else { return Ok(places(brakes)) };
        let said = match &sleep {
            Some(sleep) => format!("{} at {place}", sleeps(sleep)),
            None => format!("nobody sleeps at {place}"),
        };
        brakes.set_sleep(place, sleep);
        log::debug!("{said}");
        Ok(said)
    }

    /// Gives the disk another speed, or shows it.
    pub(super) fn disk_rate(&self, speed: Option<Speed>) -> Result<String, Refusal> {
        let brakes = self.brakes()?;
        if let Some(speed) = speed {
            brakes.set_disk_rate(match speed {
                Speed::AtMost(rate) => Some(rate),
                Speed::Full => None,
            });
            log::debug!("{}", disk(brakes));
        }
        Ok(disk(brakes))
    }

    /// The brakes, where they may be put on, and reach those who serve.
    fn brakes(&self) -> Result<&'static Brakes, Refusal> {
        let message = if !self.class {
            "this holds the server up, and is there only in class mode: start it with --class"
        } else if self.shared.is_none() {
            "each session has a process of its own, and nothing that is typed here reaches it: start \
             the server with --sleep-at or --disk-rate"
        } else {
            return Ok(brakes());
        };
        Err(Refusal::new(Reason::Denied, message))
    }
}

/// A line for each place.
fn places(brakes: &Brakes) -> String {
    let sleeping = brakes.sleeps();
    let rows = PLACES.iter().map(|place| {
        let sleep = sleeping.get(place.name).map_or("-".to_owned(), sleeps);
        [place.name.to_owned(), sleep, place.meaning.to_owned()]
    });
    let titles = titles(["PLACE", "SLEEPS", "WHAT IT MEANS"]);
    table(&[titles].into_iter().chain(rows).collect::<Vec<_>>())
}

/// `everybody 3 s`
fn sleeps(Sleep { time, thread }: &Sleep) -> String {
    let who = thread.as_deref().unwrap_or("everybody");
    format!("{who} {} s", seconds(*time))
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

fn disk(brakes: &Brakes) -> String {
    match brakes.disk_rate() {
        Some(rate) => format!("all uploads together are written at {}/s, at most", size(rate)),
        None => "uploads are written as fast as the disk takes them".into(),
    }
}
