//! What all commands have in common: the configuration, the log, and how a failure is told.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Exit;
use crate::config::{Config, Environment, Mistakes, Secrets};
use crate::telemetry::log::{self, LogFormat};
use crate::telemetry::redact::scrub;

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub struct CommonOptions {
    /// The configuration; else BLUEBUCKET_CONFIG, ./bluebucket.toml or /etc/bluebucket/bluebucket.toml
    #[arg(long, short = 'c', global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How log lines look; else as the configuration says
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormatArg>,
    /// What is logged, such as "info,bluebucket::mover=debug"; else as the configuration says
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormatArg {
    Human,
    Json,
}

/// Why a command ended early, and with which code.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
}

const FALLBACKS: [&str; 2] = ["bluebucket.toml", "/etc/bluebucket/bluebucket.toml"];

impl CommonOptions {
    /// The configuration file: the option, the variable, or the first of the usual places that exists.
    pub fn config_path(&self, environment: &Environment) -> PathBuf {
        let usual = || FALLBACKS.iter().map(Path::new).find(|path| path.exists());
        self.config
            .clone()
            .or_else(|| environment.path("BLUEBUCKET_CONFIG"))
            .unwrap_or_else(|| usual().unwrap_or(Path::new(FALLBACKS[0])).to_path_buf())
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn load(&self, environment: &Environment, secrets: Secrets) -> Result<Config, Failure> {
        Ok(Config::load(&self.config_path(environment), environment, secrets)?)
    }

    /// Begins logging: by the options where they are given, else by the configuration.
    ///
    /// # Errors
    /// If the filter makes no sense.
    pub fn begin_logging(&self, config: Option<&Config>) -> Result<(), Failure> {
        let configured = config.map(|config| config.log.clone()).unwrap_or_default();
        let format = match self.log_format {
            Some(LogFormatArg::Human) => LogFormat::Human,
            Some(LogFormatArg::Json) => LogFormat::Json,
            None => configured.format,
        };
        let filter = self.log.as_deref().unwrap_or(&configured.filter);
        log::init(format, filter).map_err(|error| Failure::usage(error.to_string()))
    }
}

impl Failure {
    /// Something could not be done.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self { exit: Exit::Fatal, message: message.into() }
    }

    /// The command line or the configuration is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// An operation failed: with the code for a wrong configuration where that is the reason.
    pub fn of(error: crate::object::Error) -> Self {
        let exit = if error.kind() == crate::object::ErrorKind::Invalid { Exit::Usage } else { Exit::Fatal };
        Self { exit, message: error.to_string() }
    }

    /// Prints the reason and gives the code to end with.
    pub fn report(&self) -> Exit {
        eprintln!("{self}");
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bluebucket: {}", scrub(&self.message))
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        Self::usage(format!("the configuration is wrong\n{mistakes}"))
    }
}
