//! Time and requests of a backfill.

use serde::Serialize;

use super::{BucketPlan, PlanSettings};

/// Prices in one currency. The defaults are list prices in US dollars (AWS "Amazon S3 pricing",
/// us-east-1, and Azure "Azure Blob Storage pricing", hot tier, locally redundant): put in your own.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Prices {
    /// 1,000 GET or HEAD requests at S3.
    pub s3_get_1000: f64,
    /// 1,000 LIST requests at S3.
    pub s3_list_1000: f64,
    /// A gigabyte (10^9 bytes) that leaves AWS; 0 within a private connection priced otherwise.
    pub s3_egress_gb: f64,
    /// 10,000 write operations at Blob Storage.
    pub blob_write_10000: f64,
    /// 10,000 list operations at Blob Storage.
    pub blob_list_10000: f64,
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            s3_get_1000: 0.0004,
            s3_list_1000: 0.005,
            s3_egress_gb: 0.09,
            blob_write_10000: 0.065,
            blob_list_10000: 0.065,
        }
    }
}

/// What a backfill would take. Retries are not part of it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Estimate {
    pub s3_get: u64,
    pub s3_list: u64,
    pub blob_write: u64,
    pub blob_list: u64,
    /// In the currency of the prices.
    pub requests_cost: f64,
    pub egress_cost: f64,
    pub seconds: f64,
}

impl Estimate {
    pub(super) fn new(total: &BucketPlan, settings: &PlanSettings) -> Self {
        let small = total.to_copy - total.large;
        let blocks = total.bytes_large.div_ceil(settings.transfer.block_size.max(1)) + total.large;
        let share = total.sampled.tagged as f64 / (total.sampled.objects as f64).max(1.0);
        let tags = (share * total.to_copy as f64) as u64;
        // Large: a HEAD, a GET and a Put Block each block, a Get Block List and a Put Block List.
        let s3_get = small + blocks + total.large + tags;
        let blob_write = small + blocks + 2 * total.large;
        let s3_list = total.objects.div_ceil(1000).max(1);
        let on_blob = total.unchanged + total.client_newer + total.foreign + total.extra;
        let blob_list = on_blob.div_ceil(4990).max(1);
        let prices = &settings.prices;
        let requests_cost = s3_get as f64 / 1e3 * prices.s3_get_1000
            + s3_list as f64 / 1e3 * prices.s3_list_1000
            + blob_write as f64 / 1e4 * prices.blob_write_10000
            + blob_list as f64 / 1e4 * prices.blob_list_10000;
        let by_objects = total.to_copy as f64 / settings.objects_per_second.max(0.001);
        let by_bytes = total.bytes_to_copy as f64 / settings.bytes_per_second.max(1.0);
        Self {
            s3_get,
            s3_list,
            blob_write,
            blob_list,
            requests_cost,
            egress_cost: total.bytes_to_copy as f64 / 1e9 * prices.s3_egress_gb,
            seconds: by_objects.max(by_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket() {
        let total = BucketPlan {
            objects: 1_000_001,
            to_copy: 1_000_001,
            bytes_to_copy: 1_000_000_000 + (1 << 30),
            large: 1,
            bytes_large: 1 << 30,
            ..BucketPlan::default()
        };
        let estimate = Estimate::new(&total, &PlanSettings::default());
        assert_eq!((estimate.s3_get, estimate.s3_list), (1_000_000 + 129 + 1, 1001));
        assert_eq!((estimate.blob_write, estimate.blob_list), (1_000_000 + 129 + 2, 1));
        assert!((estimate.requests_cost - (0.4 + 0.005 + 6.5)).abs() < 0.01, "{estimate:?}");
        assert!((estimate.seconds - 1000.0).abs() < 1.0);
    }
}
