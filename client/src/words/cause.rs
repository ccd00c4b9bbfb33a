//! How it happened: the several ways in which an [`Error`](crate::error::Error) comes about.

use common::escape::Safe;
use common::limits::DEFAULT_PORT;

use super::system::chinese;
use super::{Lang, Words, say};
use crate::client::WINDOW;
use crate::error::{Deed, Loss, Misuse, Unasked, Unsendable, Unwalkable};
use crate::transfer::DEPTH;

impl Words for Misuse {
    fn words(&self, lang: Lang) -> String {
        match self {
            Self::Address(bad) => say!(
                lang,
                "`{text}` is no server address; write HOST or HOST:PORT, as in 192.168.1.5:{port}",
                "“{text}” 不是服务器地址；请写成 HOST 或 HOST:PORT，例如 192.168.1.5:{port}",
                text = Safe(bad.text()),
                port = u64::from(DEFAULT_PORT)
            ),
            Self::SeveralNames => say!(
                lang,
                "--as is a name for one file, and these are several",
                "--as 只能给一个文件换名，这里有多个"
            ),
            Self::OpenQuote(command) => say!(
                lang,
                "a quote is not closed in: {command}",
                "引号没有配对：{command}",
                command = Safe(command)
            ),
            Self::NotText(variable) => say!(
                lang,
                "{variable} is not UTF-8",
                "环境变量 {variable} 不是 UTF-8 文本",
                variable = Safe(variable)
            ),
            Self::TooManyAhead => say!(
                lang,
                "at most {most} uploads may be under way",
                "同时进行的上传最多 {most} 个",
                most = WINDOW
            ),
            Self::NoRoomName => say!(
                lang,
                "a guest needs a name there: `chat NAME`, or `say TEXT --as NAME`",
                "访客需要一个名字：`chat 名字`，或 `say 内容 --as 名字`"
            ),
            Self::NotInRoom => say!(
                lang,
                "you are not in the room; `chat` goes in",
                "您不在聊天室中；用 `chat` 进入"
            ),
            Self::NoPrompt => say!(
                lang,
                "in a script nobody types what is to be said; `ferry chat` takes it from stdin, \
                 and `say TEXT` says one thing",
                "脚本中没有人输入发言；`ferry chat` 从标准输入读取，`say 内容` 说一句话"
            ),
            Self::NoConfigPlace => say!(
                lang,
                "there is no place for a configuration file; set HOME or XDG_CONFIG_HOME",
                "不知道配置文件放在哪里；请设置 HOME 或 XDG_CONFIG_HOME"
            ),
            Self::NoConfig { file, name } => say!(
                lang,
                "@{name} would be a server in `{file}`, and there is no such file; write one with:\
                 \n\n[servers.{name}]\nserver = \"HOST:PORT\"",
                "@{name} 应写在 “{file}” 中，但没有这个文件；请新建并写入：\
                 \n\n[servers.{name}]\nserver = \"HOST:PORT\"",
                file = file,
                name = Safe(name)
            ),
            Self::UnreadableConfig { file, source } => say!(
                lang,
                "cannot read `{file}`: {why}",
                "无法读取 “{file}”：{why}",
                file = file,
                why = source
            ),
            Self::BadConfig { file, line, why } => say!(
                lang,
                "`{file}`, line {line}: {why}; correct it",
                "“{file}” 第 {line} 行有误：{why}；请改正",
                file = file,
                line = line,
                why = Safe(why)
            ),
            Self::NotInConfig { file, name, known } if known.is_empty() => say!(
                lang,
                "`{file}` has no server @{name}; it has none",
                "“{file}” 中没有服务器 @{name}，也没有别的服务器",
                file = file,
                name = Safe(name)
            ),
            Self::NotInConfig { file, name, known } => say!(
                lang,
                "`{file}` has no server @{name}; it has @{known}",
                "“{file}” 中没有服务器 @{name}；有：@{known}",
                file = file,
                name = Safe(name),
                known = Safe(&known.join(", @"))
            ),
        }
    }
}

impl Words for Loss {
    fn words(&self, lang: Lang) -> String {
        match *self {
            Self::Closed => say!(lang, "the server closed it", "服务器关闭了连接"),
            Self::MidReply => say!(lang, "it ended in the middle of a reply", "答复只收到一半"),
            Self::MidFile => say!(lang, "it ended in the middle of a file", "文件只收到一半"),
            Self::Silence => say!(lang, "no answer in time", "等待答复超时"),
            Self::OutOfStep => {
                say!(lang, "an exchange before this one was cut short", "前一次请求中途中断")
            }
            Self::Grown => {
                say!(lang, "a file has grown since it was looked at", "有文件在查看之后变大了")
            }
            Self::NeverSent => say!(lang, "it was never sent", "没有发送出去"),
            Self::NeverAsked => say!(lang, "it was never asked for", "没有请求过它"),
            Self::Remaking => say!(
                lang,
                "that to the room is being made again; try again in a moment",
                "正在重新连接聊天室，请稍后再试"
            ),
            Self::Broken(kind) => match lang {
                Lang::En => kind.to_string(),
                Lang::Zh => chinese(kind).map_or_else(|| kind.to_string(), str::to_owned),
            },
        }
    }
}

impl Words for Unasked {
    fn words(&self, lang: Lang) -> String {
        match *self {
            Self::NotGiven => say!(lang, "no password was given", "没有输入密码"),
            Self::NoTerminal { option, variable } => say!(
                lang,
                "a password is needed, and there is no terminal to ask on; use {option} FILE or \
                 set {variable}",
                "需要密码，但没有可以询问的终端；请用 {option} FILE 或设置 {variable}",
                option = Safe(option),
                variable = Safe(variable)
            ),
            Self::Guest => {
                say!(lang, "a guest has no password; log in first", "访客没有密码；请先登录")
            }
        }
    }
}

impl Words for Unsendable {
    /// Behind the name of the file.
    fn words(&self, lang: Lang) -> String {
        match self {
            Self::NoName => say!(lang, "names no file", "这不是文件名"),
            Self::NotText => say!(
                lang,
                "has a name that is not UTF-8; rename it to send it",
                "文件名不是 UTF-8 文本，请先改名"
            ),
            Self::Folder => say!(
                lang,
                "is a folder; put -r sends it with all that is in it",
                "这是文件夹；put -r 可以连同其中的内容一起上传"
            ),
            Self::NotRegular => say!(lang, "is no regular file", "不是普通文件"),
        }
    }
}

impl Words for Unwalkable {
    fn words(&self, lang: Lang) -> String {
        match self {
            Self::File(path) => say!(
                lang,
                "`{path}` is a file; cd goes to folders",
                "“{path}” 是文件；cd 只能进入文件夹",
                path = Safe(path)
            ),
            Self::FileThere(path) => say!(
                lang,
                "`{path}` is a file on the server; no folder can be made there",
                "服务器上的 “{path}” 是文件，不能在那里建文件夹",
                path = Safe(path)
            ),
            Self::FileHere(path) => say!(
                lang,
                "`{path}` is a file here; no folder can be made there",
                "本地的 “{path}” 是文件，不能在那里建文件夹",
                path = path
            ),
            Self::DeepThere(path) => say!(
                lang,
                "`{path}` lies more than {depth} folders deep; name it by itself",
                "“{path}” 超过 {depth} 层文件夹；请单独指定它",
                path = Safe(path),
                depth = DEPTH
            ),
            Self::DeepHere(path) => say!(
                lang,
                "`{path}` lies more than {depth} folders deep; put it by itself",
                "“{path}” 超过 {depth} 层文件夹；请单独上传它",
                path = path,
                depth = DEPTH
            ),
        }
    }
}

impl Words for Deed {
    fn words(&self, lang: Lang) -> String {
        match self {
            Self::CatchSignals => say!(lang, "cannot catch signals", "无法接收信号"),
            Self::ReadCommands => say!(lang, "cannot read the commands", "无法读取命令"),
            Self::ReadTerminal => say!(lang, "cannot read from the terminal", "无法读取终端"),
            Self::WriteResults => say!(lang, "cannot write the results", "无法输出结果"),
            Self::WriteJson => {
                say!(lang, "cannot write the result as JSON", "无法把结果写成 JSON")
            }
            Self::Run(shell) => {
                say!(lang, "cannot run `{shell}`", "无法运行 “{shell}”", shell = shell)
            }
            Self::ReadPasswordFile(file) => say!(
                lang,
                "cannot read the password file `{file}`",
                "无法读取密码文件 “{file}”",
                file = file
            ),
            Self::FindCurrentFolder => {
                say!(lang, "cannot tell the current folder here", "无法确定本地的当前文件夹")
            }
            Self::GoTo(path) => {
                say!(lang, "cannot go to `{path}` here", "无法进入本地的 “{path}”", path = path)
            }
            Self::MakeFolder(path) => say!(
                lang,
                "cannot make the folder `{path}` here",
                "无法在本地建文件夹 “{path}”",
                path = path
            ),
            Self::ListFolder(path) => {
                say!(lang, "cannot list `{path}` here", "无法列出本地的 “{path}”", path = path)
            }
            Self::LookInto(path) => {
                say!(lang, "cannot look into `{path}` here", "无法查看本地的 “{path}”", path = path)
            }
            Self::Match => say!(lang, "cannot look here", "无法在本地查找"),
            Self::ReadFile(path) => {
                say!(lang, "cannot read `{path}` here", "无法读取本地的 “{path}”", path = path)
            }
            Self::WriteFile(path) => {
                say!(lang, "cannot write `{path}` here", "无法写入本地的 “{path}”", path = path)
            }
            Self::NameFile(path) => {
                say!(lang, "cannot name `{path}`", "无法命名为 “{path}”", path = path)
            }
            Self::ReadBytesOf(path) => say!(
                lang,
                "cannot read what belongs to `{path}` here",
                "无法读取本地属于 “{path}” 的内容",
                path = Safe(path)
            ),
            Self::KeepBytesOf(path) => say!(
                lang,
                "cannot keep `{path}` here",
                "无法在本地保存 “{path}”",
                path = Safe(path)
            ),
        }
    }
}
