//! What the menu says, in the two languages of its users, side by side; and what is said by the
//! way while it works, which the prompt says too, in English.
//!
//! `{0}`, `{1}` and so on stand for what is put in; each language may put them where its grammar
//! wants.

use std::fmt::Display;

use clap::ValueEnum;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// The language of the person's other programs. POSIX: the first of these that is set decides.
    pub(crate) fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable);
        match set.find(|value| !value.is_empty()) {
            Some(locale) if locale.starts_with("zh") => Self::Zh,
            _ => Self::En,
        }
    }

    /// The message in this language, with `parts` put in.
    pub(crate) fn say(self, message: Message, parts: &[&dyn Display]) -> String {
        let (en, zh) = message.both();
        fill(if self == Self::Zh { zh } else { en }, parts)
    }
}

/// A table with a message a row: adding one without both languages does not compile.
macro_rules! messages {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// Something to be said.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Message { $($name),* }

        impl Message {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name),*];

            const fn both(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($en, $zh)),* }
            }
        }
    };
}

messages! {
    Entrance: "------- Ferry user login -------", "------- Ferry 用户登录界面 -------";
    LogIn: "log in", "登录";
    Register: "register", "注册";
    Exit: "exit", "退出";
    Desk: "------ [{0}] ------", "------ [{0}] ------";
    Upload: "upload", "上传文件";
    Download: "download", "下载文件";
    List: "list", "查看文件";
    Choice: "Your choice>>> ", "请输入选择>>> ";
    UserName: "User name>>> ", "请输入用户名>>> ";
    Password: "Password>>> ", "请输入密码>>> ";
    Again: "Password again>>> ", "请再次输入密码>>> ";
    Uploading: "---- upload from {0} ----", "---- 上传文件（{0}）----";
    Downloading: "---- download to {0} ----", "---- 下载文件（到 {0}）----";
    Listing: "---- files of [{0}] ----", "---- [{0}] 的文件 ----";
    Which: "File numbers, spaces between (Enter: back)>>> ", "请输入文件编号，多个用空格分开（回车返回）>>> ";
    NoFiles: "There are no files.", "没有文件。";
    NoSuchNumber: "`{0}` is none of these numbers; try again.", "没有编号“{0}”，请重新输入。";
    LoggedIn: "User [{0}] is logged in.", "用户 [{0}] 登录成功。";
    Registered: "User [{0}] is registered and logged in.", "用户 [{0}] 注册成功，已登录。";
    Uploaded: "`{0}` is uploaded ({1}).", "“{0}” 上传成功（{1}）。";
    Downloaded: "`{0}` is downloaded ({1}).", "“{0}” 下载成功（{1}）。";
    Left: "User [{0}] is logged out.", "用户 [{0}] 已退出登录。";
    Goodbye: "Goodbye.", "已退出 Ferry，再见。";
    NotThatUser: "The user name or the password is wrong.", "用户名或密码不正确。";
    NameTaken: "The user name [{0}] is taken; choose another.", "用户名 [{0}] 已被注册，请换一个。";
    PasswordsDiffer: "The two passwords differ; nothing was done.", "两次输入的密码不一致，未做任何修改。";
    ExistsThere: "`{0}` exists on the server; nothing was replaced.", "服务器上已有 “{0}”，没有覆盖。";
    ExistsHere: "`{0}` exists here; nothing was replaced.", "本地已有 “{0}”，没有覆盖。";
    ReplaceThere: "`{0}` exists on the server. Replace it? (y: yes, Enter: no)>>> ",
        "服务器上已有 “{0}”，要覆盖吗？（y 覆盖，回车不覆盖）>>> ";
    ReplaceHere: "`{0}` exists here. Replace it? (y: yes, Enter: no)>>> ",
        "本地已有 “{0}”，要覆盖吗？（y 覆盖，回车不覆盖）>>> ";
    Missing: "`{0}` is not there any more.", "“{0}” 已经不存在。";
    NoRoom: "There is no room for `{0}`: {1}", "空间不足，无法存放 “{0}”：{1}";
    Waiting: "`{0}` is busy: {1} is writing it, {2} %, since {3} s; waiting, Ctrl-C to stop",
        "{1} 正在写入 “{0}”（{2} %，已 {3} 秒）；等待中，按 Ctrl-C 停止";
    ConnectedAgain: "the connection was lost; connected to {0} again", "连接已断开，已重新连接 {0}";
    GoingOn: "going on with `{0}` at {1} of {2}", "“{0}” 从断点继续：{1}，共 {2}";
    Changed: "`{0}` changed on the server since; starting anew", "服务器上的 “{0}” 已变更，重新开始";
    NotItsBytes: "the bytes that the server had of `{0}` were not this file's; starting anew",
        "服务器上保留的部分不属于 “{0}”，重新开始";
    CutOff: "`{0}` was cut off: {1}. Choose it again to go on from there.",
        "“{0}” 中断：{1}。再次选择它即可从断点继续。";
    Abandoned: "`{0}` is abandoned.", "已放弃 “{0}”。";
    NotDone: "`{0}` was not done: {1}", "“{0}” 没有完成：{1}";
    NoName: "That cannot be a user name; use a-z 0-9 . _ -", "用户名只能用 a-z 0-9 . _ -，请重新输入。";
}

/// Puts `parts` in where they belong. What a part itself holds is not looked at.
fn fill(text: &str, parts: &[&dyn Display]) -> String {
    let mut pieces = text.split('{');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for (number, rest) in pieces.filter_map(|piece| piece.split_once('}')) {
        let part = number.parse().ok().and_then(|number: usize| parts.get(number));
        filled.extend(part.map(ToString::to_string));
        filled.push_str(rest);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_says_the_same_in_both_languages() {
        for message in Message::ALL {
            let (en, zh) = message.both();
            assert!(!en.is_empty() && !zh.is_empty(), "{message:?}");
            assert_eq!(en.ends_with(">>> "), zh.ends_with(">>> "), "{message:?}");
            for part in ["{0}", "{1}", "{2}", "{3}"] {
                let in_each = [en, zh].map(|text| text.matches(part).count());
                assert_eq!(in_each[0], in_each[1], "{message:?} {part}");
            }
            let filled = [Lang::En, Lang::Zh].map(|lang| lang.say(*message, &[&"x", &"y", &1, &2]));
            assert!(!filled.concat().contains(['{', '}']), "{filled:?}");
        }
    }

    #[test]
    fn a_wait_says_who_and_how_far() {
        let parts: [&dyn Display; 4] = [&"a", &"guest c03", &43, &12];
        assert_eq!(
            Lang::En.say(Message::Waiting, &parts),
            "`a` is busy: guest c03 is writing it, 43 %, since 12 s; waiting, Ctrl-C to stop"
        );
    }

    #[test]
    fn what_is_put_in_is_not_filled_again() {
        assert_eq!(fill("{1}, {0}.", &[&"{1}", &"a"]), "a, {1}.");
        assert_eq!(fill("none", &[&"a"]), "none");
    }

    #[test]
    fn the_first_variable_that_is_set_chooses_the_language() {
        let lang = |all: &str, lang: &str| {
            Lang::of_locale(|name| match name {
                "LC_ALL" => Some(all.to_owned()),
                "LANG" => Some(lang.to_owned()),
                _ => None,
            })
        };
        assert_eq!(lang("", "zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(lang("en_US.UTF-8", "zh_CN.UTF-8"), Lang::En);
        assert_eq!(lang("zh", ""), Lang::Zh);
        assert_eq!(lang("", "C"), Lang::En);
    }
}
