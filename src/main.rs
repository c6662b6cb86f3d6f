//! Parses the arguments, runs the command, ends with its exit code.

#![forbid(unsafe_code)]

use bluebucket::cli::{self, Exit};

fn main() -> Exit {
    cli::main()
}
