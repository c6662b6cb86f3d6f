//! What a backfill would meet and cost, before one byte is copied.

mod collisions;
mod estimate;
mod survey;
mod text;

use serde::Serialize;

pub use estimate::{Estimate, Prices};
pub use survey::{BucketPlan, Sampled};

use super::slices::{self, Reading};
use super::stop::Stop;
use super::transfer::TransferSettings;
use super::{Factory, ThreadClients, threads};
use crate::object::Result;

/// How a plan is made.
#[derive(Clone)]
pub struct PlanSettings {
    /// Key prefix of each bucket, in the order of the clients; empty = the whole bucket.
    pub prefixes: Vec<String>,
    /// Runtime threads; default 2.
    pub threads: usize,
    /// Slices that a bucket is listed in at the most; default 16.
    pub ranges: usize,
    /// Objects of each bucket, about, whose headers are read to see whether their metadata fits and who
    /// holds their keys; default 200.
    pub samples: usize,
    /// Decides which objects go in blocks.
    pub transfer: TransferSettings,
    pub prices: Prices,
    /// Rates that the time is estimated with; default 1,000 objects and 200 MB per second.
    pub objects_per_second: f64,
    pub bytes_per_second: f64,
    pub stop: Stop,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            prefixes: Vec::new(),
            threads: 2,
            ranges: 16,
            samples: 200,
            transfer: TransferSettings::default(),
            prices: Prices::default(),
            objects_per_second: 1000.0,
            bytes_per_second: 200e6,
            stop: Stop::default(),
        }
    }
}

/// What a backfill would meet. `Display` is a table for people, `Serialize` the same as JSON.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    pub buckets: Vec<BucketPlan>,
    pub total: BucketPlan,
    pub estimate: Estimate,
}

impl Plan {
    /// Nothing was seen that a backfill would leave behind.
    pub fn clean(&self) -> bool {
        let total = &self.total;
        let sampled = &total.sampled;
        total.unmappable.is_empty()
            && total.archived == 0
            && total.foreign == 0
            && sampled.metadata_too_large + sampled.customer_keys + sampled.unreadable == 0
    }
}

/// Lists both sides of all buckets of the clients and says what a backfill would do.
///
/// # Errors
/// Those of listing; objects that cannot be read are part of the plan.
pub async fn run(settings: PlanSettings, factory: Factory) -> Result<Plan> {
    let names = |clients: ThreadClients| async move {
        Ok(clients.buckets.iter().map(|bucket| bucket.importer.bucket().name().to_string()).collect::<Vec<_>>())
    };
    let names = threads::finish(threads::start("mover-names", &factory, names)?).await?;
    let reading = Reading {
        prefixes: settings.prefixes.clone(),
        threads: settings.threads,
        slices: settings.ranges,
        stop: settings.stop.clone(),
    };
    let (samples, large) = (settings.samples.div_ceil(settings.ranges.max(1)), settings.transfer.large_threshold);
    let survey = move |_, clients, slice| survey::slice(clients, slice, samples, large);
    let mut plan = Plan {
        buckets: names.into_iter().map(|bucket| BucketPlan { bucket, ..BucketPlan::default() }).collect(),
        ..Plan::default()
    };
    for (bucket, part) in slices::each(&reading, &factory, survey).await? {
        plan.total.add(&part);
        if let Some(bucket) = plan.buckets.get_mut(bucket) {
            bucket.add(&part);
        }
    }
    plan.total.bucket = "total".to_owned();
    plan.estimate = Estimate::new(&plan.total, &settings);
    Ok(plan)
}
