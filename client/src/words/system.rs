//! Why the system refuses. In English it says so itself.

use std::io::{self, ErrorKind};

use common::escape::Safe;

use super::{Lang, Words, say};
use crate::error::Loss;

/// Why nobody answered: `connection refused`, or what the resolver says, which has no kind.
pub(super) struct Unanswered<'a>(pub(super) &'a io::Error);

impl Words for Unanswered<'_> {
    fn words(&self, lang: Lang) -> String {
        let Self(error) = self;
        match error.raw_os_error() {
            Some(_) => Loss::Broken(error.kind()).words(lang),
            None => error.words(lang),
        }
    }
}

impl Words for io::Error {
    fn words(&self, lang: Lang) -> String {
        match (lang, self.kind()) {
            // A file that was measured before.
            (_, ErrorKind::UnexpectedEof) => {
                say!(lang, "it is shorter than it was", "它比原来短了")
            }
            (Lang::Zh, kind) if let Some(words) = chinese(kind) => words.to_owned(),
            _ => Safe(&self.to_string()).to_string(),
        }
    }
}

/// What people meet, in Chinese. The system's own words serve for the rest.
pub(super) fn chinese(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NotFound => "没有这个文件或文件夹",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::AlreadyExists => "已经存在",
        ErrorKind::NotADirectory => "不是文件夹",
        ErrorKind::IsADirectory => "是文件夹",
        ErrorKind::DirectoryNotEmpty => "文件夹不是空的",
        ErrorKind::ReadOnlyFilesystem => "磁盘是只读的",
        ErrorKind::StorageFull => "磁盘已满",
        ErrorKind::QuotaExceeded => "空间配额已用完",
        ErrorKind::FileTooLarge => "文件太大",
        ErrorKind::InvalidFilename => "名字太长或不合规则",
        ErrorKind::InvalidData => "内容不是文本",
        ErrorKind::ConnectionRefused => "连接被拒绝",
        ErrorKind::ConnectionReset => "连接被对方重置",
        ErrorKind::ConnectionAborted => "连接被中止",
        ErrorKind::BrokenPipe => "连接已被对方关闭",
        ErrorKind::NotConnected => "没有连接",
        ErrorKind::HostUnreachable => "主机不可达",
        ErrorKind::NetworkUnreachable => "网络不可达",
        ErrorKind::NetworkDown => "网络已断开",
        ErrorKind::TimedOut => "超时",
        ErrorKind::OutOfMemory => "内存不足",
        _ => return None,
    })
}
