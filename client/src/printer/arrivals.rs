//! What arrives unasked, on its way to a terminal that others write on, too.
//!
//! Whoever brings a line leaves it here and never waits. One thread puts the lines on the terminal
//! when whose turn it is allows that (the table is in [`super`]), in the order in which they came.
//!
//! **With the editor one text is on its way at a time.** The editor takes texts from another thread
//! one by one, and only while it waits for a key. What it was given when a line is just finished,
//! it draws with the next line. If more was given meanwhile, or written past it, lines would change
//! places; so nothing follows until the editor has drawn the line anew, which it does behind each
//! text. (It may draw it anew for a key as well. Then the next text waits within the editor.)

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How much may wait, in bytes. A person reads none of what scrolls by faster.
const WAITING_BYTES_MAX: usize = 256 * 1024;

/// What has arrived and whose turn it is. Clones share both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whole lines.
    waiting: String,
    /// How many lines more there were than have room.
    missed: u64,
    turn: Turn,
    /// The editor has been given a text, and may not have drawn it yet.
    handed: bool,
    /// A text is being written past everybody.
    writing: bool,
}

/// Who writes on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Turn {
    /// A command.
    #[default]
    Command,
    /// The editor in a moment: it is still making the terminal ready.
    EditorSoon,
    Editor,
    /// Another program, or who asks for a password.
    Other,
}

/// What is to be put on the terminal now.
#[derive(Debug)]
pub(super) struct Delivery {
    /// Whole lines.
    pub(super) text: String,
    /// How many lines are missing behind them.
    pub(super) missed: u64,
    /// By the editor; or else past everybody.
    pub(super) by_editor: bool,
}

impl Arrivals {
    /// Leaves a line for the terminal.
    pub(super) fn add(&self, line: &str) {
        let mut state = self.state();
        // Behind a gap comes nothing before the gap is told of.
        if state.missed > 0 || state.waiting.len() + line.len() >= WAITING_BYTES_MAX {
            state.missed += 1;
        } else {
            state.waiting.push_str(line);
            state.waiting.push('\n');
        }
        self.0.changed.notify_all();
    }

    /// Waits until there is something to put on the terminal and this is the time for it.
    pub(super) fn next(&self) -> Delivery {
        let mut state = self.state();
        loop {
            let has_some = state.missed > 0 || !state.waiting.is_empty();
            let is_time = !state.handed && matches!(state.turn, Turn::Command | Turn::Editor);
            if has_some && is_time {
                let by_editor = state.turn == Turn::Editor;
                (state.handed, state.writing) = (by_editor, !by_editor);
                let (text, missed) =
                    (std::mem::take(&mut state.waiting), std::mem::take(&mut state.missed));
                return Delivery { text, missed, by_editor };
            }
            state = self.wait(state);
        }
    }

    /// What was to be put on the terminal past everybody stands there.
    pub(super) fn written(&self) {
        let mut state = self.state();
        (state.handed, state.writing) = (false, false);
        self.0.changed.notify_all();
    }

    /// The editor is about to take over.
    pub(crate) fn line_begins(&self) {
        self.turn(Turn::EditorSoon);
    }

    /// The editor has drawn its line, or is about to and has the terminal.
    pub(crate) fn line_drawn(&self) {
        let mut state = self.state();
        match state.turn {
            Turn::EditorSoon => state.turn = Turn::Editor,
            _ => state.handed = false,
        }
        self.0.changed.notify_all();
    }

    /// The line is finished; a command may write.
    pub(crate) fn line_ends(&self) {
        self.turn(Turn::Command);
    }

    /// Lends the terminal to somebody who knows nothing of this.
    pub(super) fn lend<T>(&self, act: impl FnOnce() -> T) -> T {
        self.turn(Turn::Other);
        let done = act();
        self.turn(Turn::Command);
        done
    }

    /// From now on it is the turn of this one, who finds only whole lines on the terminal.
    fn turn(&self, turn: Turn) {
        let mut state = self.state();
        while state.writing {
            state = self.wait(state);
        }
        state.turn = turn;
        self.0.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(arrivals: &Arrivals) -> (String, bool) {
        let Delivery { text, by_editor, .. } = arrivals.next();
        (text, by_editor)
    }

    #[test]
    fn while_the_editor_has_one_text_the_others_wait_and_then_go_together() {
        let arrivals = Arrivals::default();
        arrivals.line_begins();
        arrivals.add("a");
        arrivals.line_drawn();
        assert_eq!(text(&arrivals), ("a\n".into(), true));
        arrivals.add("b");
        arrivals.add("c");
        assert!(arrivals.state().handed);
        arrivals.line_drawn();
        assert_eq!(text(&arrivals), ("b\nc\n".into(), true));
        // The line ends before the editor says that it has drawn that: it may still have it.
        arrivals.line_ends();
        arrivals.add("d");
        assert!(arrivals.state().handed);
        arrivals.line_begins();
        arrivals.line_drawn();
        assert!(arrivals.state().handed, "that was only the new line");
        arrivals.line_drawn();
        assert_eq!(text(&arrivals), ("d\n".into(), true));
    }

    #[test]
    fn between_lines_what_arrives_is_written_and_what_is_too_much_is_counted() {
        let arrivals = Arrivals::default();
        arrivals.add(&"a".repeat(WAITING_BYTES_MAX - 2));
        arrivals.add("b");
        arrivals.add("");
        let Delivery { text, missed, by_editor } = arrivals.next();
        assert_eq!((text.len(), missed, by_editor), (WAITING_BYTES_MAX - 1, 2, false));
        assert!(arrivals.state().writing);
        arrivals.written();
        assert_eq!(arrivals.lend(|| arrivals.state().turn), Turn::Other);
        assert_eq!(arrivals.state().turn, Turn::Command);
    }
}
