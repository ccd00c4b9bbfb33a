//! What happened, of everything that can go wrong.

use common::escape::Safe;
use common::protocol::{Kind, Stat};

use super::part::There;
use super::refusal::{Refused, Rejected};
use super::system::Unanswered;
use super::{Lang, Words, say};
use crate::error::Error;

impl Words for Error {
    fn words(&self, lang: Lang) -> String {
        match self {
            Self::Usage(misuse) => misuse.words(lang),
            Self::NoServer { address, source } => say!(
                lang,
                "no ferryd answers at {address} ({why}). Is it running? Start it with `ferryd`, or \
                 name another with --server HOST:PORT.",
                "{address} 没有 ferryd 应答（{why}）。服务器启动了吗？用 `ferryd` 启动它，或用 \
                 --server HOST:PORT 指定另一台服务器。",
                address = address,
                why = Unanswered(source)
            ),
            Self::Lost(why) => say!(
                lang,
                "the connection to the server is lost: {why}",
                "与服务器的连接已断开：{why}",
                why = why
            ),
            Self::Protocol(said) => say!(
                lang,
                "what the server says makes no sense: {said}",
                "看不懂服务器的答复：{said}",
                said = Safe(said)
            ),
            Self::Exists { path, existing, .. } => exists(lang, Safe(path), existing.stat),
            Self::ExistsHere(path) => say!(
                lang,
                "`{path}` exists here. Use --force to replace it, or --as NAME.",
                "本地已有 “{path}”。用 --force 覆盖它，或用 --as NAME 换个名字。",
                path = path
            ),
            Self::NameTaken(name) => say!(
                lang,
                "`{name}` is somebody else's name; choose another",
                "“{name}” 已有人使用，请换一个名字",
                name = Safe(name)
            ),
            Self::Refused { path, reason, message } => {
                Refused { path, reason: *reason, message }.words(lang)
            }
            Self::LoginRefused(message) => match lang {
                Lang::En => Safe(message).words(lang),
                Lang::Zh => format!("用户名或密码不正确（服务器说明：{}）", Safe(message)),
            },
            Self::NoPassword(why) => why.words(lang),
            Self::PasswordsDiffer => say!(
                lang,
                "the two passwords differ; nothing was changed",
                "两次输入的密码不一致，未做任何修改"
            ),
            Self::Integrity { path, expected, actual } => say!(
                lang,
                "`{path}` arrived damaged (crc32 {actual} here, {expected} there); nothing was \
                 kept. Get it again.",
                "“{path}” 在传输中损坏（本地 crc32 {actual}，服务器 {expected}），没有保存。\
                 请重新下载。",
                path = Safe(path),
                actual = actual,
                expected = expected
            ),
            Self::ChangedThere(path) => say!(
                lang,
                "`{path}` changed on the server just now; nothing was kept. Get it again.",
                "服务器上的 “{path}” 刚刚变更，没有保存。请重新下载。",
                path = Safe(path)
            ),
            Self::ChangedHere(path) => say!(
                lang,
                "`{path}` was changed while it was being sent; nothing was stored. Put it again.",
                "“{path}” 在上传途中被修改，服务器没有保存。请重新上传。",
                path = path
            ),
            Self::Unfinished(cause) => say!(
                lang,
                "{cause}; run the same command again to go on from there",
                "{cause}；再次运行同一命令即可从断点继续",
                cause = &**cause
            ),
            Self::Unsendable { file, why } => {
                say!(lang, "`{file}` {why}", "“{file}” 不能上传：{why}", file = file, why = why)
            }
            Self::Unwalkable(why) => why.words(lang),
            Self::NoMatch(pattern) => say!(
                lang,
                "no name matches `{pattern}`; list shows those on the server, lls those here",
                "没有与 “{pattern}” 匹配的名字；list 查看服务器上的文件，lls 查看本地的",
                pattern = Safe(pattern)
            ),
            Self::BadName(error) => Rejected(error).words(lang),
            Self::Local { what, source } => {
                say!(lang, "{what}: {why}", "{what}：{why}", what = what, why = source)
            }
            Self::Interrupted => say!(lang, "interrupted", "已中断"),
            Self::Closed => say!(lang, "nobody reads the results any more", "结果已无人读取"),
        }
    }
}

fn exists(lang: Lang, path: Safe<'_>, stat: Option<Stat>) -> String {
    match stat {
        Some(Stat { kind: Kind::Folder, .. }) => say!(
            lang,
            "`{path}` is a folder on the server.",
            "服务器上的 “{path}” 是文件夹。",
            path = path
        ),
        Some(stat) => say!(
            lang,
            "`{path}` exists on the server ({what}).",
            "服务器上已有 “{path}”（{what}）。",
            path = path,
            what = There(stat)
        ),
        None => {
            say!(lang, "`{path}` exists on the server.", "服务器上已有 “{path}”。", path = path)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use common::path::PathError;
    use common::protocol::{Crc32, Existing, Reason};

    use super::super::{is_chinese, is_english};
    use super::*;
    use crate::error::{Deed, Loss, Misuse, Unasked, Unsendable, Unwalkable};

    /// What a name may hold that somebody else chose.
    const NAME: &str = "文\u{1b}[2J\u{202e}";
    /// And how it is shown.
    const SHOWN: &str = r"文\u{1b}[2J\u{202e}";

    /// Errors about [`NAME`], at least one of each kind.
    fn about_a_name() -> Vec<Error> {
        let name = || NAME.to_owned();
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let existing = |kind| Existing {
            message: name(),
            stat: Some(Stat { kind, size: 12_400_000, mtime: 0 }),
        };
        let exists =
            |kind| Error::Exists { path: name(), existing: existing(kind), replaceable: true };
        let refused = |reason| Error::Refused { path: name(), reason, message: name() };
        let unsendable = |why| Error::Unsendable { file: NAME.into(), why };
        let local = |what| Error::Local { what, source: denied() };
        let mut errors = vec![
            Error::Usage(Misuse::OpenQuote(name())),
            Error::Usage(Misuse::NoConfig { file: "f".into(), name: name() }),
            Error::Usage(Misuse::UnreadableConfig { file: NAME.into(), source: denied() }),
            Error::Usage(Misuse::BadConfig { file: "f".into(), line: 1, why: name() }),
            Error::Usage(Misuse::NotInConfig { file: "f".into(), name: name(), known: vec![] }),
            Error::Usage(Misuse::NotInConfig {
                file: "f".into(),
                name: "n".into(),
                known: vec![name()],
            }),
            Error::Protocol(name()),
            exists(Kind::File),
            exists(Kind::Folder),
            Error::ExistsHere(NAME.into()),
            Error::NameTaken(name()),
            Error::LoginRefused(name()),
            Error::Integrity { path: name(), expected: Crc32(1), actual: Crc32(2) },
            Error::ChangedThere(name()),
            Error::ChangedHere(NAME.into()),
            Error::Unfinished(Box::new(Error::Protocol(name()))),
            Error::Unwalkable(Unwalkable::File(name())),
            Error::Unwalkable(Unwalkable::FileThere(name())),
            Error::Unwalkable(Unwalkable::FileHere(NAME.into())),
            Error::Unwalkable(Unwalkable::DeepThere(name())),
            Error::Unwalkable(Unwalkable::DeepHere(NAME.into())),
            Error::NoMatch(name()),
            Error::BadName(PathError::Hidden(name())),
            Error::BadName(PathError::Unprintable(name())),
            Error::BadName(PathError::NotPortable { name: name(), why: "why" }),
            Error::Local { what: Deed::Match, source: io::Error::other(NAME) },
        ];
        errors.extend(Reason::ALL.into_iter().filter(|r| *r != Reason::Full).map(refused));
        errors.extend(
            [Unsendable::NoName, Unsendable::NotText, Unsendable::Folder, Unsendable::NotRegular]
                .map(unsendable),
        );
        errors.extend(
            [
                Deed::Run(NAME.into()),
                Deed::ReadPasswordFile(NAME.into()),
                Deed::GoTo(NAME.into()),
                Deed::MakeFolder(NAME.into()),
                Deed::ListFolder(NAME.into()),
                Deed::LookInto(NAME.into()),
                Deed::ReadFile(NAME.into()),
                Deed::WriteFile(NAME.into()),
                Deed::NameFile(NAME.into()),
                Deed::ReadBytesOf(name()),
                Deed::KeepBytesOf(name()),
            ]
            .map(local),
        );
        errors
    }

    #[test]
    fn a_name_that_somebody_else_chose_is_shown_and_not_obeyed() {
        for error in about_a_name() {
            for said in [Lang::En, Lang::Zh].map(|lang| error.words(lang)) {
                assert!(!said.contains(NAME) && said.contains(SHOWN), "{error:?}: {said}");
            }
        }
    }

    #[test]
    fn every_error_is_said_in_the_language_that_is_asked_for() {
        let others = [
            Error::NoServer {
                address: "a".parse().unwrap(),
                source: io::Error::from_raw_os_error(111),
            },
            Error::Lost(Loss::Broken(io::ErrorKind::ConnectionReset)),
            Error::Lost(Loss::Silence),
            Error::NoPassword(Unasked::NotGiven),
            Error::NoPassword(Unasked::NoTerminal { option: "--o", variable: "V" }),
            Error::NoPassword(Unasked::Guest),
            Error::PasswordsDiffer,
            Error::Interrupted,
            Error::Closed,
        ];
        for error in about_a_name().into_iter().chain(others) {
            let [en, zh] =
                [Lang::En, Lang::Zh].map(|lang| error.words(lang).replace(SHOWN, "NAME"));
            assert!(is_english(&en), "{error:?}: {en}");
            assert!(is_chinese(&zh), "{error:?}: {zh}");
        }
    }

    #[test]
    fn the_system_says_why_in_both_languages() {
        let error = Error::NoServer {
            address: "127.0.0.1".parse().unwrap(),
            source: io::Error::from_raw_os_error(111),
        };
        assert!(
            error
                .to_string()
                .starts_with("no ferryd answers at 127.0.0.1:9021 (connection refused). ")
        );
        assert!(
            error.words(Lang::Zh).starts_with("127.0.0.1:9021 没有 ferryd 应答（连接被拒绝）。")
        );
    }
}
