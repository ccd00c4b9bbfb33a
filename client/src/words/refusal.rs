//! What the server means. In English its own words say it; in Chinese the reason does, which is one
//! of a fixed set, with the server's words behind it where they add facts.

use common::escape::Safe;
use common::limits::{NAME_BYTES_MAX, PATH_BYTES_MAX};
use common::path::PathError;
use common::protocol::Reason;

use super::{Lang, Words};

/// A refusal.
pub(super) struct Refused<'a> {
    pub(super) path: &'a str,
    pub(super) reason: Reason,
    pub(super) message: &'a str,
}

impl Words for Refused<'_> {
    fn words(&self, lang: Lang) -> String {
        let message = Safe(self.message);
        match (lang, self.adds_facts()) {
            (Lang::En, _) => message.to_string(),
            (Lang::Zh, true) => format!("{}（服务器说明：{message}）", self.chinese()),
            (Lang::Zh, false) => self.chinese(),
        }
    }
}

impl Refused<'_> {
    /// No `_` in these two: a new reason must choose.
    fn adds_facts(&self) -> bool {
        match self.reason {
            Reason::LoginRequired | Reason::ChecksumMismatch | Reason::Full => false,
            Reason::NotFound
            | Reason::Denied
            | Reason::BadName
            | Reason::BadRequest
            | Reason::Busy
            | Reason::TooLarge
            | Reason::NoSpace
            | Reason::Quota
            | Reason::Timeout
            | Reason::Internal => true,
        }
    }

    fn chinese(&self) -> String {
        let meaning = match self.reason {
            // Somebody in the room, or a question: files have whole paths.
            Reason::NotFound if !self.path.starts_with('/') => "没有找到",
            Reason::NotFound => "服务器上没有这个文件或文件夹；可用 list 查看有哪些",
            Reason::LoginRequired => "访客不能这样做；请先登录（login）或注册（register）",
            Reason::Denied => "服务器不允许这样做",
            Reason::BadName => "名字不合规则；请换一个名字",
            Reason::BadRequest => "服务器不接受这个请求",
            Reason::Busy => "现在正忙；请稍后再试",
            Reason::TooLarge => "太大，服务器不接收",
            Reason::NoSpace => "服务器的磁盘已满，没有保存；请联系管理员",
            Reason::Quota => "个人空间不足；请先删除一些文件",
            Reason::ChecksumMismatch => "传输中有损坏（校验和不一致），没有保存；请重新上传",
            Reason::Timeout => "太慢，服务器不再等待；请重试",
            Reason::Full => "服务器的连接已满；请稍后再试",
            Reason::Internal => "服务器内部出错；请联系管理员查看服务器日志",
        };
        match self.path {
            "" => meaning.to_owned(),
            path => format!("“{}”：{meaning}", Safe(path)),
        }
    }
}

/// A name that no server accepts.
pub(super) struct Rejected<'a>(pub(super) &'a PathError);

impl Words for Rejected<'_> {
    fn words(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.0.to_string(),
            Lang::Zh => self.chinese(),
        }
    }
}

impl Rejected<'_> {
    fn chinese(&self) -> String {
        match self.0 {
            PathError::Dots(name) => {
                format!("路径中不能有 “{}”；请写出完整的路径，例如 /library/notes", Safe(name))
            }
            PathError::Hidden(name) => {
                format!("“{}” 以点开头，是隐藏的名字，服务器不提供", Safe(name))
            }
            PathError::Unprintable(name) => {
                format!("“{}” 含有控制字符或方向字符；请换一个普通的名字", Safe(name))
            }
            PathError::NameTooLong(bytes) => {
                format!("名字有 {bytes} 字节，太长了；最多 {NAME_BYTES_MAX} 字节")
            }
            PathError::PathTooLong(bytes) => {
                format!("路径有 {bytes} 字节，太长了；最多 {PATH_BYTES_MAX} 字节")
            }
            PathError::NoName(path) => {
                format!("“{}” 缺少文件名；请补上，例如 /library/notes.txt", Safe(path))
            }
            PathError::NotPortable { name, .. } => format!(
                "“{}” 在 Windows 上不能用：不能含 \\ : * ? \" < > |，不能以点或空格结尾，也不能是设备名\
                 （如 CON）；请换一个名字",
                Safe(name)
            ),
        }
    }
}
