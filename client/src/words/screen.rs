//! What stands on the live screen besides what the server calls things: its states, its queues and
//! its locks have the same names in every language.

use common::escape::Safe;

use super::{Size, messages};

messages! {
    /// A word on the live screen.
    OnScreen:
    Title { server: Safe<'a>, model: Safe<'a>, class: Safe<'a>, up: Safe<'a>, sessions: u64 }:
        "ferryd {server}   model {model}{class}   up {up}   sessions {sessions}",
        "ferryd {server}   模型 {model}{class}   已运行 {up}   会话 {sessions}";
    Thread: "thread", "线程";
    Client: "client", "客户端";
    Command: "command", "命令";
    State: "state", "状态";
    Reason: "on / held by", "等待 / 持有者";
    For: "for", "时长";
    In: "in", "收到";
    Out: "out", "发出";
    SlowReader: "slow reader", "对方接收慢";
    SlowSender: "slow sender", "对方发送慢";
    More { count: u64 }: "and {count} more", "另有 {count} 个";
    Queues: "queues", "队列";
    Full: "full", "已满";
    Oldest { age: Safe<'a> }: "oldest {age}", "最早 {age}";
    Waiting { count: u64 }: "{count} waiting", "{count} 个线程等待";
    Files: "files", "文件";
    Held { name: Safe<'a>, by: Safe<'a>, received: Size, size: Size }:
        "{name}: {by}, {received} of {size}", "{name}：{by}，{received}/{size}";
    Locks: "locks", "锁";
    SoFar: "so far", "累计";
    LetIn { count: u64, most: u64 }:
        "{count} sessions, {most} at once", "{count} 个会话，最多同时 {most} 个";
    TurnedAway { count: u64 }: "{count} turned away", "拒绝连接 {count} 个";
    Received { files: u64, size: Size }: "{files} files in, {size}", "收到 {files} 个文件，{size}";
    Sent { files: u64, size: Size }: "{files} files out, {size}", "发出 {files} 个文件，{size}";
    Refusals { count: u64 }: "{count} refusals", "拒绝 {count} 次";
}
