//! What happens in the room, a line each.
//!
//! What is said looks the same in every language, and as in the course: `张三 say : hello`. No name
//! has a colon or a bracket, so nothing that somebody says can pass for another kind of line.

use common::escape::Safe;
use common::room::{Choice, Event, Tally};

use super::{Lang, Size, Words, say};
use crate::display;

/// An event, as it is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happening<'a> {
    pub(crate) event: &'a Event,
    /// It happened before one came, so it has its time in front.
    pub(crate) is_past: bool,
    /// The number of the file it tells of.
    pub(crate) number: Option<usize>,
}

impl Words for Happening<'_> {
    fn words(&self, lang: Lang) -> String {
        let said = self.line(lang);
        match (self.is_past, self.at()) {
            (true, Some(at)) => format!("{} {said}", display::moment(at)),
            _ => said,
        }
    }
}

impl Happening<'_> {
    fn at(&self) -> Option<i64> {
        match self.event {
            Event::Say { at, .. }
            | Event::Enter { at, .. }
            | Event::Leave { at, .. }
            | Event::Admin { at, .. }
            | Event::Notice { at, .. }
            | Event::Vote(Tally { at, .. }) => Some(*at),
            Event::Missed { .. } => None,
        }
    }

    fn line(&self, lang: Lang) -> String {
        match self.event {
            Event::Say { from, text, to, .. } => {
                let line = format!("{} say : {}", Safe(from), Safe(text));
                if to.is_none() { line } else { private(lang, &line) }
            }
            Event::Enter { name, guest, .. } => say!(
                lang,
                "{name}comes in",
                "{name}进入聊天室",
                name = Safe(&marked(lang, name, *guest))
            ),
            Event::Leave { name, guest, .. } => say!(
                lang,
                "{name}leaves",
                "{name}离开聊天室",
                name = Safe(&marked(lang, name, *guest))
            ),
            Event::Admin { text, .. } => {
                say!(lang, "[administrator] {text}", "[管理员] {text}", text = Safe(text))
            }
            Event::Notice { user, path, size, more, .. } => {
                self.notice(lang, user, path, Size(*size), *more)
            }
            Event::Vote(tally) => vote(lang, tally),
            Event::Missed { lines } => say!(
                lang,
                "… {lines} lines were too many for this connection and are lost",
                "… 连接太慢，丢失了 {lines} 行",
                lines = lines
            ),
        }
    }

    fn notice(&self, lang: Lang, user: &str, path: &str, size: Size, more: u64) -> String {
        let number = self.number.map(|number| format!("[n{number}] ")).unwrap_or_default();
        let path = path.strip_prefix("/library/").unwrap_or(path);
        let said = say!(
            lang,
            "{number}{user} uploaded {path} ({size})",
            "{number}{user} 上传了 {path}（{size}）",
            number = Safe(&number),
            user = Safe(user),
            path = Safe(path),
            size = size
        );
        match more {
            0 => said,
            more => said + &say!(lang, ", and {more} more", "，另有 {more} 个", more = more),
        }
    }
}

fn private(lang: Lang, line: &str) -> String {
    say!(lang, "[private] {line}", "[私信] {line}", line = Safe(line))
}

/// A name, whose it is, and the gap behind it, which Chinese has in the bracket.
fn marked(lang: Lang, name: &str, guest: bool) -> String {
    let mark = if guest { say!(lang, " (guest) ", "（访客）") } else { " ".into() };
    format!("{name}{mark}")
}

fn vote(lang: Lang, tally: &Tally) -> String {
    let &Tally { ref question, round, ref choices, open, .. } = tally;
    let counts = display::counts(choices);
    let (question, counts) = (Safe(question), Safe(&counts));
    if !open {
        return say!(
            lang,
            "[vote] {question} It is over: {counts}",
            "[投票] {question} 投票结束：{counts}",
            question = question,
            counts = counts
        );
    }
    let round = u64::from(round);
    let example = choices.first().map_or("", |Choice { choice, .. }| choice);
    say!(
        lang,
        "[vote] {question} {counts} (round {round}; as in: /vote {example})",
        "[投票] {question} {counts}（第 {round} 轮，例如 /vote {example}）",
        question = question,
        counts = counts,
        round = round,
        example = Safe(example)
    )
}

#[cfg(test)]
mod tests {
    use common::escape::is_unprintable;

    use super::*;

    fn shown(line: &str, number: Option<usize>) -> [String; 2] {
        let event: Event = serde_json::from_str(line).unwrap();
        let happening = Happening { event: &event, is_past: false, number };
        [Lang::En, Lang::Zh].map(|lang| happening.words(lang))
    }

    #[test]
    fn what_is_said_looks_as_in_the_course_and_the_rest_is_in_the_readers_language() {
        let said = r#"{"event":"say","from":"张三","guest":true,"text":"hello","at":9}"#;
        assert_eq!(shown(said, None), ["张三 say : hello"; 2]);
        for (line, en, zh) in [
            (
                r#"{"event":"say","from":"a","text":"b","to":"c","at":9}"#,
                "[private] a say : b",
                "[私信] a say : b",
            ),
            (
                r#"{"event":"enter","name":"a","guest":true,"at":9}"#,
                "a (guest) comes in",
                "a（访客）进入聊天室",
            ),
            (r#"{"event":"leave","name":"a","at":9}"#, "a leaves", "a 离开聊天室"),
            (r#"{"event":"admin","text":"b","at":9}"#, "[administrator] b", "[管理员] b"),
            (
                r#"{"event":"notice","user":"a","path":"/library/m/b.pdf","size":12000000,"more":2,"at":9}"#,
                "[n7] a uploaded m/b.pdf (12.0 MB), and 2 more",
                "[n7] a 上传了 m/b.pdf（12.0 MB），另有 2 个",
            ),
            (
                r#"{"event":"vote","question":"both?","round":2,"choices":[{"choice":"yes","votes":2},{"choice":"no","votes":0}],"open":true,"at":9}"#,
                "[vote] both? yes 2, no 0 (round 2; as in: /vote yes)",
                "[投票] both? yes 2, no 0（第 2 轮，例如 /vote yes）",
            ),
        ] {
            assert_eq!(shown(line, Some(7)), [en, zh]);
        }
    }

    #[test]
    fn what_was_said_before_has_its_time_in_front() {
        let event = Event::Admin { text: "b".into(), at: 0 };
        let shown = Happening { event: &event, is_past: true, number: None }.words(Lang::En);
        assert!(shown.ends_with(" [administrator] b") && shown.starts_with("19"), "{shown}");
    }

    #[test]
    fn nothing_in_an_event_acts_on_the_terminal() {
        let bad = r"\u001b]0;x\u0007\u202e\u009b2J\n";
        for line in [
            r#"{"event":"say","from":"X","text":"X","to":"X","at":9}"#,
            r#"{"event":"enter","name":"X","guest":true,"at":9}"#,
            r#"{"event":"leave","name":"X","at":9}"#,
            r#"{"event":"admin","text":"X","at":9}"#,
            r#"{"event":"notice","user":"X","path":"/library/X","size":1,"at":9}"#,
            r#"{"event":"vote","question":"X","round":2,"choices":[{"choice":"X","votes":2}],"open":true,"at":9}"#,
            r#"{"event":"vote","question":"X","round":2,"choices":[{"choice":"X","votes":2}],"open":false,"at":9}"#,
        ] {
            for shown in shown(&line.replace('X', bad), Some(1)) {
                assert!(!shown.contains(is_unprintable), "{shown:?}");
                assert!(shown.contains(r"\u{1b}"), "{shown:?}");
            }
        }
    }
}
