//! The binary: the result of [`corredor::cli::run`] as an exit code, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(corredor::cli::run(std::env::args_os()))
}
