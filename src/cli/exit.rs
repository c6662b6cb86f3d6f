//! How a command ends.

use std::process::{ExitCode, Termination};

/// The exit codes of every command; `src/docs/errors.md` explains them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done,
    /// It failed, and the reason was printed.
    Fatal,
    /// The command line or the configuration is wrong; nothing was begun.
    Usage,
    /// It was done in part: some objects need attention.
    Partial,
}

impl Exit {
    pub const ALL: [Self; 4] = [Self::Done, Self::Fatal, Self::Usage, Self::Partial];

    /// The code that a shell sees. 2 is also what the parser of the command line uses.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Fatal => 1,
            Self::Usage => 2,
            Self::Partial => 3,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
