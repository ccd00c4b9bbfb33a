//! `ferryd`: the doorway. Everything is in the library, where tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::main(std::env::args_os())
}
