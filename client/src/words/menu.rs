//! What the numbered menu says.

use std::path::Path;

use common::escape::Safe;
use common::protocol::Stat;
use common::user::UserName;

use super::part::There;
use super::{Lang, Size, Words, messages};
use crate::error::Error;

messages! {
    /// What the menu shows, asks and tells.
    Message:
    Entrance: "------- Ferry user login -------", "------- Ferry 用户登录界面 -------";
    LogIn: "log in", "登录";
    Register: "register", "注册";
    Exit: "exit", "退出";
    Desk { user: &'a UserName }: "------ [{user}] ------", "------ [{user}] ------";
    Upload: "upload", "上传文件";
    Download: "download", "下载文件";
    List: "list", "查看文件";
    Choice: "Your choice>>> ", "请输入选择>>> ";
    UserName: "User name>>> ", "请输入用户名>>> ";
    Password: "Password>>> ", "请输入密码>>> ";
    Again: "Password again>>> ", "请再次输入密码>>> ";
    Uploading { here: &'a Path }: "---- upload from {here} ----", "---- 上传文件（{here}）----";
    Downloading { here: &'a Path }: "---- download to {here} ----", "---- 下载文件（到 {here}）----";
    Listing { user: &'a UserName }: "---- files of [{user}] ----", "---- [{user}] 的文件 ----";
    Which: "File numbers, spaces between (Enter: back)>>> ", "请输入文件编号，多个用空格分开（回车返回）>>> ";
    NoFiles: "There are no files.", "没有文件。";
    NoSuchNumber { word: Safe<'a> }:
        "`{word}` is none of these numbers; try again.", "没有编号“{word}”，请重新输入。";
    LoggedIn { user: &'a UserName }: "User [{user}] is logged in.", "用户 [{user}] 登录成功。";
    Registered { user: &'a UserName }:
        "User [{user}] is registered and logged in.", "用户 [{user}] 注册成功，已登录。";
    Uploaded { name: Safe<'a>, size: Size }:
        "`{name}` is uploaded ({size}).", "“{name}” 上传成功（{size}）。";
    Downloaded { name: Safe<'a>, size: Size }:
        "`{name}` is downloaded ({size}).", "“{name}” 下载成功（{size}）。";
    Left { user: &'a UserName }: "User [{user}] is logged out.", "用户 [{user}] 已退出登录。";
    Goodbye: "Goodbye.", "已退出 Ferry，再见。";
    NotThatUser: "The user name or the password is wrong.", "用户名或密码不正确。";
    NameTaken { name: Safe<'a> }:
        "The user name [{name}] is taken; choose another.", "用户名 [{name}] 已被注册，请换一个。";
    PasswordsDiffer: "The two passwords differ; nothing was done.", "两次输入的密码不一致，未做任何修改。";
    ExistsThere { name: Safe<'a> }:
        "`{name}` exists on the server; nothing was replaced.", "服务器上已有 “{name}”，没有覆盖。";
    ExistsHere { name: Safe<'a> }:
        "`{name}` exists here; nothing was replaced.", "本地已有 “{name}”，没有覆盖。";
    ReplaceThere { name: Safe<'a>, what: Brackets }:
        "`{name}` exists on the server{what}. Replace it? (y: yes, Enter: no)>>> ",
        "服务器上已有 “{name}”{what}，要覆盖吗？（y 覆盖，回车不覆盖）>>> ";
    ReplaceHere { name: Safe<'a> }:
        "`{name}` exists here. Replace it? (y: yes, Enter: no)>>> ",
        "本地已有 “{name}”，要覆盖吗？（y 覆盖，回车不覆盖）>>> ";
    Missing { name: Safe<'a> }: "`{name}` is not there any more.", "“{name}” 已经不存在。";
    NoRoom { name: Safe<'a>, cause: &'a Error }:
        "There is no room for `{name}`: {cause}", "无法存放 “{name}”：{cause}";
    CutOff { name: Safe<'a>, cause: &'a Error }:
        "`{name}` was cut off: {cause}. Choose it again to go on from there.",
        "“{name}” 中断：{cause}。再次选择它即可从断点继续。";
    Abandoned { name: Safe<'a> }: "`{name}` is abandoned.", "已放弃 “{name}”。";
    NotDone { name: Safe<'a>, cause: &'a Error }:
        "`{name}` was not done: {cause}", "“{name}” 没有完成：{cause}";
    NoName: "That cannot be a user name; use a-z 0-9 . _ -", "用户名只能用 a-z 0-9 . _ -，请重新输入。";
}

impl<'a> Message<'a> {
    pub(crate) fn uploaded(name: &'a str, bytes: u64) -> Self {
        Self::Uploaded { name: Safe(name), size: Size(bytes) }
    }

    pub(crate) fn downloaded(name: &'a str, bytes: u64) -> Self {
        Self::Downloaded { name: Safe(name), size: Size(bytes) }
    }
}

/// What stands there, in brackets, where that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brackets(pub(crate) Option<Stat>);

impl Words for Brackets {
    fn words(&self, lang: Lang) -> String {
        let Some(stat) = self.0 else { return String::new() };
        let what = There(stat).words(lang);
        match lang {
            Lang::En => format!(" ({what})"),
            Lang::Zh => format!("（{what}）"),
        }
    }
}
