//! A facade for two components, and what it says that each of them did.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::product::{ACCESS_KEY, Pair, Product, SECRET, Seen, Setup};
use crate::harness::s3_client::{BodyMode, Response, S3Client};

pub const FLINK: &str = "akflink";
pub const TRINO: &str = "aktrino";
const TRINO_KEY: &str = "AKTRINO";
const TRINO_SECRET: &str = "canary-secret-of-trino-0123456789";

/// Numbers by component and a second label.
pub type Table = BTreeMap<(String, String), u64>;

/// The facade and what it had counted when somebody looked last.
pub struct World {
    pub product: Product,
    pub flink: S3Client,
    pub trino: S3Client,
    seen: Seen,
    counted: Table,
}

impl World {
    pub async fn new() -> Self {
        let pairs = vec![Pair::all(ACCESS_KEY, SECRET), Pair::all(TRINO_KEY, TRINO_SECRET)];
        let product = Product::with(Setup { pairs, ..Setup::default() }).await;
        let (flink, trino) = (product.client(), product.client_as(TRINO_KEY, TRINO_SECRET));
        let seen = product.seen();
        Self { product, flink, trino, seen, counted: Table::new() }
    }

    /// Requests to the account since the last look, as the facade attributes them, which have to be those that the
    /// account saw. `batched` deletes of them came in batches: the account counts each beside its batch.
    #[track_caller]
    pub fn calls(&mut self, batched: u64) -> Table {
        let table = self.table("bluebucket_facade_blob_requests_total", "operation");
        let new = table.iter().map(|(who, count)| (who.clone(), count - self.counted.get(who).unwrap_or(&0)));
        let new: Table = new.filter(|(_, count)| *count > 0).collect();
        let asked = self.product.calls_since(&self.seen);
        let (counted, came) = (new.values().sum::<u64>() + batched, asked.values().sum::<u64>());
        assert_eq!(counted, came, "{new:?}, but the account saw {asked:?}");
        (self.counted, self.seen) = (table, self.product.seen());
        new
    }

    /// The series of a metric by component and another label.
    pub fn table(&self, metric: &str, label: &str) -> Table {
        let text = self.product.metrics.render();
        let samples = text.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix('{')?.split_once("} "));
        let mut table = Table::new();
        for (labels, value) in samples {
            let of = |name: &str| {
                let found = labels.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                found.unwrap_or_default().trim_matches('"').to_owned()
            };
            *table.entry((of("component"), of(label))).or_default() += value.parse::<u64>().unwrap();
        }
        table
    }

    /// Waits until `count` requests have ended: an answer counts when its last byte has gone.
    pub async fn ended(&self, count: u64) {
        for _ in 0..1000 {
            if self.table("bluebucket_facade_requests_total", "operation").values().sum::<u64>() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("not {count} requests:\n{}", self.product.metrics.render());
    }
}

/// Entries of a table.
pub fn table<const N: usize>(entries: [(&str, &str, u64); N]) -> Table {
    entries.map(|(component, label, count)| ((component.to_owned(), label.to_owned()), count)).into()
}

/// Sends a request with a signed body.
pub async fn send(client: &S3Client, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let request = client.request(method, target).body(body, BodyMode::Signed);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    client.send(&request.build()).await.unwrap()
}

/// An upload of which nothing is missing but its Complete.
pub struct Upload {
    pub target: String,
    pub document: Vec<u8>,
}

impl Upload {
    /// Begins it and sends its parts.
    pub async fn of(client: &S3Client, path: &str, parts: &[&[u8]]) -> Self {
        let created = send(client, "POST", &format!("{path}?uploads"), &[], b"").await;
        let target = format!("{path}?uploadId={}", created.element("UploadId").unwrap());
        let mut document = String::new();
        for (index, part) in parts.iter().enumerate() {
            let number = index + 1;
            let put = client.request("PUT", &format!("{target}&partNumber={number}")).body(part, BodyMode::Unsigned);
            let put = client.send(&put.build()).await.unwrap();
            let etag = put.etag().unwrap();
            document += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        let document = format!("<CompleteMultipartUpload>{document}</CompleteMultipartUpload>").into_bytes();
        Self { target, document }
    }

    pub async fn complete(&self, client: &S3Client) -> Response {
        send(client, "POST", &self.target, &[], &self.document).await
    }
}
