//! What to say of a failure besides the error itself.

use common::escape::Safe;
use common::protocol::Kind;

use crate::error::Error;

/// The error with what it happened to, where it does not say that itself, and what to do.
pub(super) fn describe(command: &str, path: &str, error: &Error) -> String {
    match error {
        Error::Lost { .. } | Error::Interrupted | Error::Unfinished(_) => {
            let gap = if path.is_empty() { "" } else { " " };
            format!("{command}{gap}{}: {error}{}", Safe(path), doubt(command, error))
        }
        _ => format!("{error}{}", remedy(command, error)),
    }
}

/// What to do about it, where that depends on the command.
fn remedy(command: &str, error: &Error) -> &'static str {
    let Error::Exists { existing, .. } = error else { return "" };
    let is_folder = existing.stat.is_some_and(|stat| stat.kind == Kind::Folder);
    match command {
        "put" if is_folder => " Put the file elsewhere with --to.",
        "put" => " Use --force to replace it, or put it elsewhere with --to.",
        "mkdir" if is_folder => "",
        _ => " Choose another name.",
    }
}

/// What was sent and not answered may have been done.
fn doubt(command: &str, error: &Error) -> &'static str {
    match command {
        // To go on shows that, too.
        _ if matches!(error, Error::Unfinished(_)) => "",
        "put" | "mkdir" | "rm" | "mv" => "; `ferry list` shows whether it was done",
        "register" | "passwd" => "; `ferry login` shows whether it was done",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_done_is_said_to_be_in_doubt() {
        let lost = || Error::lost("reset");
        let said = "put a: the connection to the server is lost: reset; `ferry list` shows \
                    whether it was done";
        assert_eq!(describe("put", "a", &lost()), said);
        assert!(describe("who", "", &lost()).starts_with("who: the connection"));
        let said = "put a: the connection to the server is lost: reset; run the same command again \
                    to go on from there";
        assert_eq!(describe("put", "a", &lost().unfinished()), said);
    }
}
