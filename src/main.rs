//! Parses the arguments, runs the command, ends with its exit code.

use bluebucket::cli::{self, Exit};

fn main() -> Exit {
    cli::main()
}
