//! The binary: hands the command line to the library's commands, and ends with their exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    meshform::cli::main()
}
