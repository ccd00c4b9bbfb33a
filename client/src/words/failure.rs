//! Why something was not done, and what to do about it, which depends on what was to be done.

use common::escape::Safe;
use common::protocol::Kind;

use super::{Lang, Words, say};
use crate::error::Error;

/// A command that failed, on `path`, which is empty for what is about none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure<'a> {
    pub(crate) command: &'static str,
    pub(crate) path: &'a str,
    pub(crate) error: &'a Error,
}

impl Words for Failure<'_> {
    fn words(&self, lang: Lang) -> String {
        let Self { command, path, error } = *self;
        match error {
            // These do not say themselves what they happened to.
            Error::Lost(_) | Error::Interrupted | Error::Unfinished(_) => {
                let gap = if path.is_empty() { "" } else { " " };
                let what = format!("{command}{gap}{path}");
                let said = say!(
                    lang,
                    "{what}: {error}",
                    "{what}：{error}",
                    what = Safe(&what),
                    error = error
                );
                said + &self.doubt(lang)
            }
            _ => error.words(lang) + &self.remedy(lang),
        }
    }
}

impl Failure<'_> {
    /// What to do about it, where that depends on the command.
    fn remedy(&self, lang: Lang) -> String {
        let Error::Exists { existing, replaceable, .. } = self.error else { return String::new() };
        let is_folder = existing.stat.is_some_and(|stat| stat.kind == Kind::Folder);
        match self.command {
            "put" if is_folder => say!(
                lang,
                " Use --as NAME, or put it elsewhere with --to.",
                "请用 --as NAME 换个名字，或用 --to 放到别处。"
            ),
            "put" if *replaceable => say!(
                lang,
                " Use --force to replace it, or --as NAME.",
                "用 --force 覆盖它，或用 --as NAME 换个名字。"
            ),
            "put" => say!(
                lang,
                " Only an administrator may replace it; use --as NAME, or put it elsewhere with --to.",
                "只有管理员可以覆盖它；请用 --as NAME 换个名字，或用 --to 放到别处。"
            ),
            "mkdir" if is_folder => String::new(),
            _ => say!(lang, " Choose another name.", "请换一个名字。"),
        }
    }

    /// What was sent and not answered may have been done.
    fn doubt(&self, lang: Lang) -> String {
        match self.command {
            // To go on shows that, too.
            _ if matches!(self.error, Error::Unfinished(_)) => String::new(),
            "put" | "mkdir" | "rm" | "mv" => say!(
                lang,
                "; `ferry list` shows whether it was done",
                "；是否已完成，可用 `ferry list` 查看"
            ),
            "register" | "passwd" => say!(
                lang,
                "; `ferry login` shows whether it was done",
                "；是否已完成，可用 `ferry login` 检验"
            ),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use common::protocol::{Existing, Stat};

    use super::*;
    use crate::error::Loss;

    fn said(command: &'static str, path: &str, error: &Error) -> [String; 2] {
        [Lang::En, Lang::Zh].map(|lang| Failure { command, path, error }.words(lang))
    }

    #[test]
    fn what_may_have_been_done_is_said_to_be_in_doubt() {
        let lost = || Error::Lost(Loss::Closed);
        let [en, zh] = said("put", "a", &lost());
        assert_eq!(
            en,
            "put a: the connection to the server is lost: the server closed it; `ferry list` shows \
             whether it was done"
        );
        assert_eq!(
            zh,
            "put a：与服务器的连接已断开：服务器关闭了连接；是否已完成，可用 `ferry list` 查看"
        );
        assert!(said("who", "", &lost())[0].starts_with("who: the connection"));
        let [en, zh] = said("put", "a", &lost().unfinished());
        assert!(en.ends_with("closed it; run the same command again to go on from there"), "{en}");
        assert!(zh.ends_with("关闭了连接；再次运行同一命令即可从断点继续"), "{zh}");
    }

    #[test]
    fn force_is_advised_only_where_it_helps() {
        let taken = |kind, replaceable| {
            let stat = Some(Stat { kind, size: 9, mtime: 0 });
            let existing = Existing { message: String::new(), stat };
            Error::Exists { path: "/home/a".into(), existing, replaceable }
        };
        for (command, kind, replaceable, advises) in [
            ("put", Kind::File, true, true),
            ("put", Kind::File, false, false),
            ("put", Kind::Folder, true, false),
            ("mv", Kind::File, false, false),
        ] {
            for said in said(command, "a", &taken(kind, replaceable)) {
                assert_eq!(said.contains("--force"), advises, "{said}");
                assert_eq!(said.contains("--as NAME"), command == "put", "{said}");
            }
        }
    }
}
