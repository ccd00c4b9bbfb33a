//! `ferry`: see the `client` library for all it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    client::main(std::env::args_os())
}
