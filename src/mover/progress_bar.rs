//! Progress for a person at a terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::progress::{Progress, Snapshot};
use super::summary::bytes;

/// Shows the progress on stderr until dropped or aborted. `None` if stderr is no terminal: log lines
/// serve better there.
pub fn show(progress: Arc<Progress>) -> Option<impl Future<Output = ()> + Send> {
    std::io::stderr().is_terminal().then(|| draw(progress))
}

async fn draw(progress: Arc<Progress>) {
    let lines = MultiProgress::new();
    let style =
        ProgressStyle::with_template("{spinner} {prefix:.bold} {msg}").unwrap_or(ProgressStyle::default_spinner());
    let bars: Vec<_> = progress
        .buckets()
        .iter()
        .map(|bucket| lines.add(ProgressBar::new_spinner().with_style(style.clone()).with_prefix(bucket.name.clone())))
        .collect();
    loop {
        for (bar, bucket) in bars.iter().zip(progress.buckets()) {
            bar.set_message(message(&bucket.snapshot(), progress.elapsed()));
            bar.tick();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn message(now: &Snapshot, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let ranges = now.ranges_pending + now.ranges_owned + now.ranges_done;
    let mut text = format!(
        "listed {} · copied {} ({}, {}/s) · unchanged {} · ranges {}/{ranges}",
        now.listed,
        now.copied,
        bytes(now.bytes_copied),
        bytes((now.bytes_moved as f64 / seconds) as u64),
        now.unchanged,
        now.ranges_done,
    );
    let not_done = now.failed + now.unmappable + now.needs_action + now.foreign;
    if not_done > 0 {
        text.push_str(&format!(" · not copied {not_done}"));
    }
    text
}
