//! `--probe`: asks an account what its documentation leaves open, by trying it on a scratch prefix.
//!
#![doc = include_str!("../../docs/probe.md")]

mod blocks;
mod checksums;
mod conditions;
mod copies;
mod hierarchical;
mod leases;
mod listing;
mod metadata;
mod names;
mod notebook;
mod question;
mod ranges;
mod scratch;

use std::fmt::Write as _;

use serde::Serialize;

use self::notebook::{Finding, Notebook, Verdict};
use self::scratch::Scratch;
use super::check::Check;
use super::remedy;
use crate::daemon::AzureAccess;
use crate::object::{ContainerName, Error, ErrorKind, Result};

/// What was asked and answered.
#[derive(Debug, Serialize)]
pub struct ProbeReport {
    pub hierarchical: bool,
    pub findings: Vec<Finding>,
}

/// Asks everything and removes what was written, also after an interruption.
pub async fn run(
    azure: &AzureAccess,
    container: &ContainerName,
    hierarchical: bool,
    checks: &mut Vec<Check>,
) -> ProbeReport {
    let scratch = Scratch::new(azure.client(), container.clone(), hierarchical);
    let mut notebook = Notebook::default();
    checks.push(may_create(&scratch).await);
    checks.push(may_write(&scratch).await);
    if checks.last().is_some_and(|check| check.remedy.is_none()) {
        tokio::select! {
            () = ask(azure, &scratch, &mut notebook) => {}
            _ = tokio::signal::ctrl_c() => checks.push(Check::warning(
                "probe/complete",
                "it was interrupted",
                "Run it again to have every question answered.",
            )),
        }
    }
    checks.push(clean(&scratch).await);
    let report = ProbeReport { hierarchical, findings: notebook.findings };
    checks.extend(report.check());
    report
}

async fn ask(azure: &AzureAccess, scratch: &Scratch, notebook: &mut Notebook) {
    blocks::ask(scratch, notebook).await;
    conditions::ask(scratch, notebook).await;
    checksums::ask(scratch, notebook).await;
    metadata::ask(scratch, notebook).await;
    names::ask(scratch, notebook).await;
    listing::ask(scratch, notebook).await;
    ranges::ask(scratch, notebook).await;
    leases::ask(scratch, notebook).await;
    copies::ask(scratch, notebook).await;
    hierarchical::ask(azure, scratch, notebook).await;
}

/// The state container and those of CreateBucket have to be made by somebody.
async fn may_create(scratch: &Scratch) -> Check {
    match try_to_create(scratch).await {
        Ok(()) => Check::ok("container/create", "a container could be made and deleted"),
        Err(error) => Check::warning(
            "container/create",
            error.to_string(),
            "Make all containers, the state container among them, yourself, or assign Storage Blob Data Contributor on the account.",
        ),
    }
}

async fn try_to_create(scratch: &Scratch) -> Result<()> {
    let name = scratch.prefix().trim_end_matches('/');
    let name = ContainerName::new(name).map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))?;
    scratch.blobs.create_container(&name).await?;
    scratch.blobs.delete_container(&name).await
}

async fn may_write(scratch: &Scratch) -> Check {
    let name = format!("container/{}/write", scratch.container());
    match try_to_write(scratch).await {
        Ok(()) => Check::ok(name, "a blob could be written and deleted"),
        Err(error) => Check::problem(name, error.to_string(), remedy::of_store(&error, scratch.container().as_str())),
    }
}

async fn try_to_write(scratch: &Scratch) -> Result<()> {
    scratch.must_put("write", "written").await?;
    scratch.must_delete("write").await
}

async fn clean(scratch: &Scratch) -> Check {
    let name = "probe/cleanup";
    let by_hand = format!("Delete everything below {} in container {} by hand.", scratch.prefix(), scratch.container());
    match scratch.clean().await {
        Ok(0) => Check::ok(name, "everything that was written is removed"),
        Ok(left) => Check::problem(name, format!("{left} blobs could not be removed"), by_hand),
        Err(error) => Check::problem(name, error.to_string(), by_hand),
    }
}

impl ProbeReport {
    /// The findings in one line of the checks; `None` if nothing was asked.
    fn check(&self) -> Option<Check> {
        let count = |verdict| self.findings.iter().filter(|finding| finding.verdict == verdict).count();
        let (different, unanswered) = (count(Verdict::Different), count(Verdict::Unanswered));
        let name = "probe/findings";
        let total = self.findings.len();
        match (total, different + unanswered) {
            (0, _) => None,
            (_, 0) => Some(Check::ok(name, format!("{total} questions, all answered as expected"))),
            _ => Some(Check::warning(
                name,
                format!("{total} questions, {different} answered otherwise than expected, {unanswered} unanswered"),
                "Read below what depends on each, and send the file of --report along with a question.",
            )),
        }
    }

    /// Every finding in a line, and more about those that differ.
    pub fn table(&self) -> String {
        let width = self.findings.iter().map(|finding| finding.id.len()).max().unwrap_or(0);
        let mut table = String::new();
        for finding in &self.findings {
            let verdict = match finding.verdict {
                Verdict::AsExpected => "expected ",
                Verdict::Different => "DIFFERENT",
                Verdict::NotApplicable => "-        ",
                Verdict::Unanswered => "no answer",
            };
            let _ = writeln!(table, "{verdict}  {:width$}  {} {}", finding.id, finding.question, finding.observed);
            if matches!(finding.verdict, Verdict::Different | Verdict::Unanswered) {
                let _ = writeln!(table, "{:11}{:width$}  expected: {}", "", "", finding.expected);
                let _ = writeln!(table, "{:11}{:width$}  it matters: {}", "", "", finding.matters);
            }
        }
        table
    }
}
