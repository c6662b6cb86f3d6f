//! The command line: one file per subcommand, with its arguments and what it does.

mod backfill;
mod config;
mod demo;
mod doctor;
mod emulator;
mod exit;
mod mover_run;
mod options;
mod plan;
mod serve;
mod status;
mod verify;

use clap::{Parser, Subcommand};

pub use backfill::BackfillArgs;
pub use config::ConfigArgs;
pub use demo::DemoArgs;
pub use doctor::DoctorArgs;
pub use emulator::{EmulatorArgs, EmulatorStorage};
pub use exit::Exit;
pub use options::{CommonOptions, Failure};
pub use plan::PlanArgs;
pub use serve::ServeArgs;
pub use status::StatusArgs;
pub use verify::VerifyArgs;

/// Moves object storage from S3 to Azure Blob Storage while the applications keep running.
#[derive(Debug, Parser)]
#[command(name = "bluebucket", version, about, long_about = LONG, after_long_help = AFTER)]
pub struct Cli {
    #[command(flatten)]
    pub common: CommonOptions,
    #[command(subcommand)]
    pub command: Command,
}

const LONG: &str = "\
Moves object storage from S3 to Azure Blob Storage while the applications keep running.

The mover copies buckets into containers and proves that they are equal; the facade is an S3 API on \
Blob Storage, so that every S3 client keeps working while its configuration changes.

See it work first, without any account:  bluebucket demo";

const AFTER: &str = "\
The way through a migration:
  bluebucket config check       is the configuration right?
  bluebucket doctor             do identities, network and account work?
  bluebucket plan               what will be moved, how long will it take, what is in the way?
  bluebucket backfill           copy what is there; again, to copy what has changed
  bluebucket verify             prove that both sides are equal
  bluebucket serve              the facade; move the applications to it one by one
  bluebucket status             how far is it?

Exit codes:
  0  done
  1  failed: nothing, or not everything, could be done, and the reason was printed
  2  the command line or the configuration is wrong; nothing was begun
  3  done in part: some objects need attention, the report names them";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(DemoArgs),
    Doctor(DoctorArgs),
    Plan(PlanArgs),
    Backfill(BackfillArgs),
    Verify(VerifyArgs),
    Serve(ServeArgs),
    Status(StatusArgs),
    Emulator(EmulatorArgs),
    Config(ConfigArgs),
}

/// Reads the command line of the process, does what it says, and tells how it ended.
pub fn main() -> Exit {
    run(Cli::parse())
}

/// Does what a command line says.
pub fn run(cli: Cli) -> Exit {
    let outcome = match &cli.command {
        Command::Status(args) => status::run(&cli.common, args),
        Command::Config(args) => config::run(&cli.common, args),
        Command::Serve(args) => serve::run(&cli.common, args),
        Command::Emulator(args) => emulator::run(&cli.common, args),
        Command::Plan(args) => plan::run(&cli.common, args),
        Command::Backfill(args) => backfill::run(&cli.common, args),
        Command::Verify(args) => verify::run(&cli.common, args),
        Command::Demo(args) => demo::run(&cli.common, args),
        Command::Doctor(args) => doctor::run(&cli.common, args),
    };
    outcome.unwrap_or_else(|failure| failure.report())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_teaches_by_example() {
        for command in Cli::command().get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:") && help.contains("bluebucket "), "{}", command.get_name());
        }
    }

    #[test]
    fn the_exit_codes_of_the_help_are_those_of_the_enum() {
        for exit in Exit::ALL {
            assert!(AFTER.contains(&format!("\n  {}  ", exit.code())), "{exit:?}");
            assert!(include_str!("docs/errors.md").contains(&format!("| {} |", exit.code())), "{exit:?}");
        }
    }

    #[test]
    fn common_options_may_stand_anywhere() {
        for line in ["bluebucket --log debug status --json", "bluebucket status --json --log debug"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.common.log.as_deref(), Some("debug"), "{line}");
        }
    }
}
