//! A plan for people.

use std::fmt::{self, Display};

use super::{BucketPlan, Plan};
use crate::mover::summary::{bytes, write_table};

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&BucketPlan> = match self.buckets.as_slice() {
            [one] => vec![one],
            several => several.iter().chain([&self.total]).collect(),
        };
        write_table(f, &rows(&columns))?;
        for plan in &self.buckets {
            examples(f, plan, "cannot be held by Blob", &plan.unmappable_examples)?;
            examples(f, plan, "an object and a directory at once", &plan.collision_examples)?;
        }
        writeln!(f, "\nsizes of all objects:")?;
        write_table(f, &histogram(&self.total.histogram))?;
        let estimate = &self.estimate;
        writeln!(
            f,
            "\nestimate: {}, {} GET and {} LIST at S3, {} writes and {} lists at Blob; requests {:.2}, egress {:.2} at the given prices",
            duration(estimate.seconds),
            estimate.s3_get,
            estimate.s3_list,
            estimate.blob_write,
            estimate.blob_list,
            estimate.requests_cost,
            estimate.egress_cost
        )
    }
}

fn rows(columns: &[&BucketPlan]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = |name: &str, cell: &dyn Fn(&BucketPlan) -> String| {
        rows.push(std::iter::once(name.to_owned()).chain(columns.iter().map(|plan| cell(plan))).collect());
    };
    row("", &|plan| plan.bucket.clone());
    row("objects", &|plan| plan.objects.to_string());
    row("bytes", &|plan| bytes(plan.bytes));
    row("to copy", &|plan| plan.to_copy.to_string());
    row("bytes to copy", &|plan| bytes(plan.bytes_to_copy));
    row("  of them in blocks", &|plan| plan.large.to_string());
    row("there already", &|plan| plan.unchanged.to_string());
    row("written by clients", &|plan| plan.client_newer.to_string());
    row("foreign blobs in the way", &|plan| plan.foreign.to_string());
    row("blobs without a source", &|plan| plan.extra.to_string());
    row("unmappable keys", &|plan| {
        let reasons: Vec<_> = plan.unmappable.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        if reasons.is_empty() { "0".to_owned() } else { reasons.join(", ") }
    });
    row("archived (restore first)", &|plan| plan.archived.to_string());
    row("multipart", &|plan| format!("{} %", percent(plan.multipart, plan.objects)));
    row("with a checksum", &|plan| format!("{} %", percent(plan.with_checksum, plan.objects)));
    row("file and directory", &|plan| plan.collisions.to_string());
    row("largest", &|plan| bytes(plan.largest_bytes));
    row("headers sampled", &|plan| plan.sampled.objects.to_string());
    row("  metadata too large", &|plan| plan.sampled.metadata_too_large.to_string());
    row("  encrypted by owner (SSE-C)", &|plan| plan.sampled.customer_keys.to_string());
    row("  with tags", &|plan| plan.sampled.tagged.to_string());
    row("  unreadable", &|plan| plan.sampled.unreadable.to_string());
    rows
}

fn examples(f: &mut fmt::Formatter<'_>, plan: &BucketPlan, what: &str, keys: &[String]) -> fmt::Result {
    if keys.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}: {what}, for example:", plan.bucket)?;
    keys.iter().try_for_each(|key| writeln!(f, "  {key:?}"))
}

fn histogram(counts: &[u64]) -> Vec<Vec<String>> {
    let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    filled
        .map(|(place, count)| {
            let name = match place {
                0 => "0 B".to_owned(),
                _ => format!("from {}", bytes(1 << (place - 1))),
            };
            vec![name, count.to_string()]
        })
        .collect()
}

fn percent(part: u64, whole: u64) -> u64 {
    (part * 100).checked_div(whole).unwrap_or(0)
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..5400 => format!("{} min", seconds.div_ceil(60)),
        5400..172_800 => format!("{:.1} h", seconds as f64 / 3600.0),
        _ => format!("{:.1} days", seconds as f64 / 86_400.0),
    }
}
