//! All findings together: as a table for people, as JSON for programs, masked for strangers.

use std::fmt::Write as _;

use serde::Serialize;

use super::check::{Check, Level};
use super::mask::mask;
use super::probe::ProbeReport;
use crate::telemetry::redact::scrub;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of the program.
    pub bluebucket: &'static str,
    /// The service version that requests named.
    pub api_version: String,
    /// The worst of the checks.
    pub result: Level,
    pub checks: Vec<Check>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeReport>,
    #[serde(skip)]
    account: String,
}

impl Report {
    pub fn new(api_version: &str, account: &str, checks: Vec<Check>, probe: Option<ProbeReport>) -> Self {
        let result = checks.iter().map(|check| check.result).max().unwrap_or(Level::Ok);
        let (api_version, account) = (api_version.to_owned(), account.to_owned());
        Self { bluebucket: env!("CARGO_PKG_VERSION"), api_version, result, checks, probe, account }
    }

    /// One line per check, and the remedy below where there is one.
    pub fn table(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut table = String::new();
        for check in &self.checks {
            let level = match check.result {
                Level::Ok => "ok     ",
                Level::Warning => "warning",
                Level::Problem => "PROBLEM",
            };
            let _ = writeln!(table, "{level}  {:width$}  {}", check.name, check.found);
            if let Some(remedy) = &check.remedy {
                let _ = writeln!(table, "{:9}{:width$}  -> {remedy}", "", "");
            }
        }
        if let Some(probe) = &self.probe {
            let _ = write!(table, "\n{}", probe.table());
        }
        let count = |level| self.checks.iter().filter(|check| check.result == level).count();
        let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
        let _ = writeln!(table, "\n{} checks, {problems} problems, {warnings} warnings", self.checks.len());
        scrub(&table).into_owned()
    }

    /// # Errors
    /// If it cannot be written as JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        let json = serde_json::to_string_pretty(self)?;
        Ok(scrub(&json).into_owned() + "\n")
    }

    /// The JSON with the account and all ids masked, to be sent to others.
    ///
    /// # Errors
    /// As [`Report::json`].
    pub fn masked_json(&self) -> serde_json::Result<String> {
        Ok(mask(&self.json()?, &self.account))
    }
}
