//! Names in folders on the server.
//!
//! The question is asked by a thread, over a connection of its own: the one of the commands must
//! stay in step, and a person at the prompt must not wait for a dead network. What does not come in
//! time may have come when Tab is pressed again.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use common::path::Name;
use common::protocol::Kind;

use super::names::Names;
use crate::connection::Terms;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::link::Lookout;

/// How long Tab waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// How long an answer holds. Others change folders, too.
const FRESH: Duration = Duration::from_secs(5);

/// A server's folders, as seen while one line is typed.
#[derive(Debug, Default)]
pub(super) struct Remote {
    lookout: Option<Lookout>,
    /// The last: who completes a path is in one folder at a time.
    question: RefCell<Option<Question>>,
}

impl Remote {
    pub(super) fn new(lookout: Option<Lookout>) -> Self {
        Self { lookout, question: RefCell::default() }
    }

    /// The names in `folder`, as it was typed, that begin with `prefix`; `None` if they are not to
    /// be had, or not yet.
    pub(super) fn names(&self, folder: &str, prefix: &str) -> Option<Names> {
        let lookout = self.lookout.as_ref()?;
        let folder = lookout.place.resolve(folder).ok()?.to_string();
        let mut question = self.question.borrow_mut();
        if !question.as_ref().is_some_and(|question| question.covers(&folder, prefix)) {
            // The one before ends first: there is never more than one at work.
            *question = None;
            *question = Question::ask(lookout, folder, prefix.to_owned());
        }
        let answered = question.as_mut().and_then(Question::answer).map(|n| n.beginning(prefix));
        if question.as_ref().is_some_and(|question| matches!(question.answer, Answer::Failed)) {
            *question = None;
        }
        answered
    }
}

/// What is in a folder, asked for.
#[derive(Debug)]
struct Question {
    folder: String,
    prefix: String,
    answer: Answer,
    /// Ends the thread that asks.
    stop: Interrupt,
}

#[derive(Debug)]
enum Answer {
    Awaited(Receiver<Names>),
    Known(Names, Instant),
    Failed,
}

impl Question {
    fn ask(lookout: &Lookout, folder: String, prefix: String) -> Option<Self> {
        let (sender, receiver) = sync_channel(1);
        let stop = Interrupt::default();
        let asks = Asker { lookout: lookout.clone(), stop: stop.clone(), sender };
        let (where_, what) = (folder.clone(), prefix.clone());
        // Not joined: a resolver that hangs would hold up who leaves. Whoever drops the question
        // ends it otherwise, and it holds nothing but a connection.
        let named = thread::Builder::new().name("names".into());
        named.spawn(move || asks.ask(&where_, &what)).ok()?;
        Some(Self { folder, prefix, answer: Answer::Awaited(receiver), stop })
    }

    /// Whether its answer, if there is one, says what begins with `prefix`.
    fn covers(&self, folder: &str, prefix: &str) -> bool {
        let is_good = match &self.answer {
            Answer::Awaited(_) => true,
            Answer::Known(names, when) => {
                when.elapsed() < FRESH && (!names.is_cut || prefix == self.prefix)
            }
            Answer::Failed => false,
        };
        is_good && self.folder == folder && prefix.starts_with(&self.prefix)
    }

    /// The answer, if it comes in time.
    fn answer(&mut self) -> Option<&Names> {
        if let Answer::Awaited(receiver) = &self.answer {
            match receiver.recv_timeout(PATIENCE) {
                Ok(names) => self.answer = Answer::Known(names, Instant::now()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.answer = Answer::Failed,
            }
        }
        if let Answer::Known(names, _) = &self.answer { Some(names) } else { None }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.stop.set();
    }
}

/// The thread's part.
struct Asker {
    lookout: Lookout,
    stop: Interrupt,
    sender: SyncSender<Names>,
}

impl Asker {
    fn ask(self, folder: &str, prefix: &str) {
        // Why it cannot be had, the command will say when it is given.
        let _ = self.list(folder, prefix);
    }

    fn list(self, folder: &str, prefix: &str) -> Result<(), Error> {
        let mut client = self.lookout.connect(Terms::until(self.stop))?;
        let mut names = Names::default();
        client.list_pages(Some(folder), |page| {
            let wanted = page.into_iter().filter(|entry| entry.name.starts_with(prefix));
            for entry in wanted {
                // A server can call anything a name; what is none could not be asked for either.
                if Name::parse(&entry.name).is_ok() {
                    names.add(entry.name, entry.stat.kind == Kind::Folder);
                }
            }
            if names.is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        // Nobody may be waiting any more.
        let _ = self.sender.send(names);
        if client.is_usable() { client.quit() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::scripted::{GREETING, Peer, Script, serve_each};
    use crate::command::Output;
    use crate::link::Link;
    use crate::password::Passwords;
    use crate::printer::Printer;
    use crate::words::Lang;

    fn remote(sessions: Vec<Script>) -> Remote {
        let server = serve_each(sessions).parse().unwrap();
        let printer = Printer::new(Output::default(), Lang::En);
        let interrupt = Interrupt::default();
        let passwords = Passwords::current(None, interrupt.clone());
        let terms = Terms::until(interrupt);
        Remote::new(Link::new(server, None, passwords, printer, terms).lookout())
    }

    /// A session that is asked once what a folder holds, and says this.
    fn says(names: Vec<String>, more: bool) -> Script {
        Box::new(move |peer: &mut Peer| {
            peer.say(GREETING);
            peer.hear();
            let entry = |name: &String| {
                let name = serde_json::to_string(name).unwrap();
                format!(r#"{{"name":{name},"kind":"file","size":1,"mtime":0}}"#)
            };
            let entries: Vec<String> = names.iter().map(entry).collect();
            let entries = entries.join(",");
            peer.say(&format!(r#"{{"status":"OK","entries":[{entries}],"more":{more}}}"#));
            peer.hear();
        })
    }

    fn found(names: &Names) -> Vec<&str> {
        names.found.iter().map(|found| found.name.as_str()).collect()
    }

    #[test]
    fn one_answer_serves_as_more_is_typed() {
        let names = ["ab", "b", "a\u{1b}[2J", "../a", ".a", "aa"].map(str::to_owned);
        let remote = remote(vec![says(names.into(), false)]);
        assert_eq!(found(&remote.names("", "a").unwrap()), ["aa", "ab"]);
        assert_eq!(found(&remote.names("", "ab").unwrap()), ["ab"]);
        assert!(remote.names("", "abc").unwrap().found.is_empty());
    }

    #[test]
    fn of_a_crowd_no_more_is_read_than_is_offered_and_more_letters_ask_again() {
        let crowd: Vec<String> = (0..1001).map(|n| format!("a{n}")).collect();
        let remote = remote(vec![says(crowd, true), says(vec!["a1".into()], false)]);
        let names = remote.names("", "a").unwrap();
        assert!(names.is_cut && names.found.len() == 1000, "{}", names.found.len());
        assert_eq!(found(&remote.names("", "a1").unwrap()), ["a1"]);
    }

    #[test]
    fn who_is_silent_holds_nobody_up_and_who_is_gone_is_asked_again() {
        let silent: Script = Box::new(|peer: &mut Peer| {
            peer.say(GREETING);
            // Until the question is dropped.
            while !peer.hear().is_empty() {}
        });
        let gone: Script = Box::new(|_: &mut Peer| {});
        let remote = remote(vec![silent, gone, says(vec!["xa".into()], false)]);
        let start = Instant::now();
        assert!(remote.names("", "").is_none());
        assert!((PATIENCE..PATIENCE + Duration::from_secs(20)).contains(&start.elapsed()));
        assert!(remote.names("/", "x").is_none());
        let asked = std::iter::repeat_with(|| remote.names("/", "x"));
        assert_eq!(found(&asked.take(20).flatten().next().unwrap()), ["xa"]);
    }
}
