//! What is said by the way, and what is asked.

use std::path::Path;
use std::process::ExitStatus;

use common::escape::Safe;
use common::protocol::Wait;
use common::user::UserName;

use super::{Lang, Size, Words, messages, say};
use crate::address::Address;

/// What a script is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Command,
    Line,
}

/// What in a folder here is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOut {
    Link,
    Special,
}

messages! {
    /// Something by the way, or a question.
    Talk:
    Welcome { server: Safe<'a>, session: u64 }:
        "connected to {server}, session {session}. `help` lists commands, Ctrl-D leaves.",
        "已连接 {server}，会话 {session}。输入 help 列出命令，Ctrl-D 退出。";
    ConnectedAgain { server: &'a Address, session: u64 }:
        "the connection had ended; connected to {server} again, session {session}",
        "原连接已结束，已重新连接 {server}，会话 {session}";
    GoingOn { name: Safe<'a>, at: Size, of: Size }:
        "going on with `{name}` at {at} of {of}",
        "“{name}” 从断点继续：已有 {at}，共 {of}";
    ChangedSince { name: Safe<'a> }:
        "`{name}` changed on the server since; starting anew",
        "服务器上的 “{name}” 已变更，重新开始";
    NotItsBytes { name: Safe<'a> }:
        "the bytes that the server had of `{name}` were not this file's; starting anew",
        "服务器上保留的部分不属于 “{name}”，重新开始";
    LeftOut { path: &'a Path, what: LeftOut }:
        "left out `{path}`: {what}",
        "跳过 “{path}”：{what}";
    Empty: "(empty)", "（空）";
    NoAnswers { count: usize }:
        "no answer came for {count} more; `ferry list` shows whether they are stored.",
        "另有 {count} 个文件没有收到答复；是否已保存，可用 `ferry list` 查看。";
    Stopped { unit: Unit, number: u64 }:
        "stopped at {unit} {number} of the script",
        "脚本停在第 {number} {unit}";
    LocalEnded { line: Safe<'a>, status: ExitStatus }:
        "!{line} ended with {status}",
        "!{line} 运行失败：{status}";
    Entered { name: Safe<'a>, members: u64 }:
        "in the room as {name}, {members} there. / goes back, /help chat says more.",
        "已进入聊天室，名字 {name}，共 {members} 人。/ 返回命令行，/help chat 说明用法。";
    EnteredAgain { name: Safe<'a>, members: u64 }:
        "the connection to the room was lost; in it again as {name}, {members} there",
        "与聊天室的连接曾断开，已重新进入，名字 {name}，共 {members} 人";
    LeftRoom: "you have left the room", "已离开聊天室";
    Frozen { name: Safe<'a>, members: u64 }:
        "frozen in the room as {name}, {members} there: nothing is read any more. Ctrl-C ends it.",
        "已冻结在聊天室中，名字 {name}，共 {members} 人：不再读取任何内容。按 Ctrl-C 结束。";
    Thawed: "frozen no more, and out of the room", "冻结结束，已离开聊天室";
    TooFast { count: u64 }:
        "… {count} more lines came too fast to be shown",
        "… 另有 {count} 行来得太快，没有显示";
    OpenPasswordFile { file: &'a Path }:
        "others on this machine may read the password file `{file}`; use chmod 600",
        "本机的其他人可以读取密码文件 “{file}”；请用 chmod 600 限制";
    FilesDone { done: u64, all: u64 }: "{done} of {all} files", "{done}/{all} 个文件";
    TimeLeft { time: Safe<'a> }: "{time} left", "剩余 {time}";
    PasswordOf { user: &'a UserName }: "Password for {user}: ", "{user} 的密码：";
    OldPassword: "Old password: ", "旧密码：";
    NewPassword: "New password: ", "新密码：";
    OnceMore: "Once more: ", "再输入一次：";
    Lull { since: u64 }:
        "waiting for the server, {since} s: it may be busy, its disk or the network slow; Ctrl-C to stop",
        "等待服务器，已 {since} 秒：可能它正忙，也可能是磁盘慢或网络慢；按 Ctrl-C 停止";
    Busy { path: Safe<'a>, holder: Safe<'a>, percent: u128, since: u64, patience: Patience }:
        "`{path}` is busy: {holder} is writing it, {percent} %, since {since} s; {patience}, Ctrl-C to stop",
        "“{path}” 正忙：{holder} 正在写入，已完成 {percent} %，已用 {since} 秒；{patience}，按 Ctrl-C 停止";
}

/// How long the server lets one wait, in seconds, where it says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(Option<u64>);

impl<'a> Talk<'a> {
    /// One has come into the room, or again after the connection was lost.
    pub(crate) fn entered(name: &'a str, members: u64, is_again: bool) -> Self {
        let name = Safe(name);
        if is_again {
            Self::EnteredAgain { name, members }
        } else {
            Self::Entered { name, members }
        }
    }

    /// Who is in the way of an upload to `path`.
    pub(crate) fn busy(path: &'a str, wait: &'a Wait) -> Self {
        let &Wait { ref holder, received, size, since, limit } = wait;
        let percent = u128::from(received) * 100 / u128::from(size.max(1));
        let (path, holder, patience) = (Safe(path), Safe(holder), Patience(limit));
        Self::Busy { path, holder, percent, since, patience }
    }
}

impl Words for Patience {
    fn words(&self, lang: Lang) -> String {
        let Some(limit) = self.0 else { return say!(lang, "waiting", "等待中") };
        say!(lang, "waiting up to {limit} s", "最多等待 {limit} 秒", limit = limit)
    }
}

impl Words for Unit {
    fn words(&self, lang: Lang) -> String {
        match self {
            Self::Command => say!(lang, "command", "条命令"),
            Self::Line => say!(lang, "line", "行"),
        }
    }
}

impl Words for LeftOut {
    fn words(&self, lang: Lang) -> String {
        match self {
            Self::Link => say!(lang, "a link", "是链接"),
            Self::Special => say!(lang, "no regular file", "不是普通文件"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_says_who_how_far_and_for_how_long() {
        let holder = "xiaoyu\u{1b}".to_owned();
        let mut wait = Wait { holder, received: 43, size: 100, since: 12, limit: Some(30) };
        assert_eq!(
            Talk::busy("a", &wait).words(Lang::En),
            "`a` is busy: xiaoyu\\u{1b} is writing it, 43 %, since 12 s; waiting up to 30 s, Ctrl-C \
             to stop"
        );
        wait.limit = None;
        let said = Talk::busy("a", &wait).words(Lang::Zh);
        assert!(said.contains("等待中，按 Ctrl-C 停止"), "{said}");
    }
}
