//! CPU cost of a request through the facade, beside a TCP relay over the same backend.
//!
//! ```text
//! cargo bench --bench facade -- [--ops get_4k,put_4k] [--seconds 3] [--rounds 3] [--connections 16] [--tls]
//!     [--before PATH]       another build of the product, measured in turns with this one
//!     [--facade "SERVER --config {config}" --config-template FILE]
//!     [--backend "EMULATOR --listen {listen}" | --backend stub] [--name facade]
//! ```
//!
//! Without `--facade` and `--backend` this build's `serve` and `emulator` are measured, with the
//! configuration in `support/facade.toml`; then the operations on 8 MiB once more with the stub as the
//! backend, because the emulator takes longer for such a body (it computes the MD5, as Blob Storage does)
//! than the facade does, which is then idle most of the time. The results are saved under `--name`, those
//! with the stub under that and `-stub`. `--facade none` measures the floor alone. In commands and template
//! `{listen}` is where to serve, `{backend}` is host:port of the backend, `{config}` the filled-in template,
//! `{secrets}` a directory of secrets, `{ca}` the certificate of a backend that speaks TLS (`--tls`, with a
//! backend of one's own or the stub: the backend leg is TLS, for the relay too). The server runs on core 0,
//! generator and backend on core 1.

#[path = "../tests/harness/harness.rs"]
mod harness;
#[path = "support/support.rs"]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use harness::hash::Algorithm;
use harness::s3_client::{BodyMode, RequestBuilder, S3Client};
use harness::sigv4::Credentials;
use serde_json::json;
use support::arguments::Arguments;
use support::child::{self, Pinned};
use support::cpu::{self, CpuTime};
use support::load::{self, Requests};
use support::{product, report};

const SERVER_CORE: usize = 0;
const OTHER_CORE: usize = 1;

fn main() {
    let arguments = Arguments::read();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match arguments.text("role") {
        Some("relay") => {
            let backend = arguments.text("to").expect("--to").parse().expect("an address");
            runtime().block_on(support::relay::run(backend, arguments.text("ca")));
        }
        Some("stub") => runtime().block_on(support::stub::run(arguments.text("certificate"))),
        Some("s3") => runtime().block_on(stand_in(&arguments)),
        Some(other) => panic!("no role {other:?}"),
        None => {
            child::pin_self(OTHER_CORE);
            runtime().block_on(bench(&arguments, arguments.text("backend").unwrap_or("emulator"), |_| true));
            if !arguments.has("backend") {
                runtime().block_on(bench(&arguments, "stub", |operation| operation.size == LARGE));
            }
        }
    }
}

/// An S3 server of the tests in place of a facade, to try the benchmark itself:
/// `--facade "<this program> --role s3 --listen {listen}"`.
async fn stand_in(arguments: &Arguments) {
    let source = harness::s3_source::S3Source::new(1);
    source.create_bucket("bench");
    source.keep_requests(0);
    let at = arguments.text("listen").expect("--listen").parse().expect("an address");
    let _listening = source.listen_at(at).await.expect("a free port");
    std::future::pending::<()>().await;
}

/// One operation, as an S3 client and as a Blob client ask for it.
struct Operation {
    name: &'static str,
    method: &'static str,
    kind: Kind,
    size: usize,
    mode: BodyMode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Get,
    Put,
    Part,
    Head,
    List,
}

const SMALL: usize = 4096;
const LARGE: usize = 8 << 20;

const OPERATIONS: [Operation; 11] = [
    op("get_4k", "GET", Kind::Get, SMALL, BodyMode::Unsigned),
    op("put_4k", "PUT", Kind::Put, SMALL, BodyMode::Unsigned),
    op("put_4k_signed", "PUT", Kind::Put, SMALL, BodyMode::Signed),
    op("put_4k_crc32_trailer", "PUT", Kind::Put, SMALL, TRAILER),
    op("head", "HEAD", Kind::Head, SMALL, BodyMode::Unsigned),
    op("list_1000", "GET", Kind::List, 0, BodyMode::Unsigned),
    op("get_8m", "GET", Kind::Get, LARGE, BodyMode::Unsigned),
    op("put_8m", "PUT", Kind::Put, LARGE, BodyMode::Unsigned),
    op("put_8m_signed", "PUT", Kind::Put, LARGE, BodyMode::Signed),
    op("put_8m_crc32_trailer", "PUT", Kind::Put, LARGE, TRAILER),
    op("part_8m", "PUT", Kind::Part, LARGE, BodyMode::Unsigned),
];

const TRAILER: BodyMode = BodyMode::ChunkedUnsignedTrailer { chunk: 64 * 1024, algorithm: Algorithm::Crc32 };

const fn op(name: &'static str, method: &'static str, kind: Kind, size: usize, mode: BodyMode) -> Operation {
    Operation { name, method, kind, size, mode }
}

/// A server under measurement.
struct Subject {
    name: &'static str,
    process: Pinned,
    speaks: Speaks,
}

enum Speaks {
    /// The backend's own protocol, at a container's path; the query authorizes.
    Blob {
        base: String,
        query: String,
    },
    S3 {
        client: S3Client,
        bucket: String,
    },
}

/// Requests that take turns, so that not all writes meet on one name.
fn keys(size: usize) -> usize {
    if size < 1 << 20 { 64 } else { 8 }
}

/// Measures those of the chosen operations that are of interest, if there are any.
async fn bench(arguments: &Arguments, backend: &str, is_of_interest: impl Fn(&Operation) -> bool) {
    let chosen: Vec<_> = arguments.text("ops").map(|ops| ops.split(',').collect()).unwrap_or_default();
    let is_known = |name: &&str| OPERATIONS.iter().any(|operation| operation.name == *name);
    assert!(chosen.iter().all(is_known), "one of {chosen:?} is no operation");
    let is_chosen = |operation: &&Operation| chosen.is_empty() || chosen.contains(&operation.name);
    let operations: Vec<_> =
        OPERATIONS.iter().filter(is_chosen).filter(|operation| is_of_interest(operation)).collect();
    if operations.is_empty() {
        return;
    }
    println!("backend: {backend}");
    let suffix = if backend == "stub" { "-stub" } else { "" };
    let name = format!("{}{suffix}", arguments.text_or("name", "facade"));
    let backend = start_backend(arguments, backend);
    let mut subjects = vec![relay(arguments, &backend)];
    let own = arguments.text("facade").map_or_else(|| product::command(None, SERVE), str::to_owned);
    if own != "none" {
        subjects.push(facade(arguments, "facade", &own, &backend));
    }
    if let Some(program) = arguments.text("before") {
        subjects.push(facade(arguments, "before", &product::command(Some(program), SERVE), &backend));
    }
    let rounds = arguments.number_or("rounds", 3) as usize;
    let mut cells = vec![vec![Vec::new(); subjects.len()]; operations.len()];
    for round in 0..rounds {
        for (row, operation) in operations.iter().enumerate() {
            for (column, subject) in subjects.iter().enumerate() {
                if round == 0 {
                    prepare(subject, operation).await;
                }
                cells[row][column].push(measure(arguments, subject, operation).await);
            }
        }
    }
    publish(arguments, &name, &subjects, &operations, &cells);
}

const SERVE: &str = "serve --config {config}";

fn start_backend(arguments: &Arguments, backend: &str) -> Pinned {
    let command = if backend == "emulator" { product::backend("memory") } else { backend.to_owned() };
    match command.as_str() {
        "stub" => match arguments.has("tls") {
            true => Pinned::role(OTHER_CORE, &["--role", "stub", "--certificate", &bench_file("ca.pem")]),
            false => Pinned::role(OTHER_CORE, &["--role", "stub"]),
        },
        command => {
            let address = child::free_address();
            let command = command.replace("{listen}", &address.to_string()).replace("{ca}", &bench_file("ca.pem"));
            Pinned::server(OTHER_CORE, &command, address)
        }
    }
}

/// A file of a run.
fn bench_file(name: &str) -> String {
    product::file(name).display().to_string()
}

fn relay(arguments: &Arguments, backend: &Pinned) -> Subject {
    let to = backend.address.to_string();
    let mut words = vec!["--role", "relay", "--to", &to];
    let ca = bench_file("ca.pem");
    if arguments.has("tls") {
        words.extend(["--ca", &ca]);
    }
    Subject {
        name: "relay",
        process: Pinned::role(SERVER_CORE, &words),
        speaks: Speaks::Blob {
            base: arguments.text_or("blob-base", "/devstoreaccount1/bench").to_owned(),
            query: arguments.text("blob-query").map_or_else(product::account_sas, str::to_owned),
        },
    }
}

fn facade(arguments: &Arguments, name: &'static str, command: &str, backend: &Pinned) -> Subject {
    let address = child::free_address();
    let config = bench_file(&format!("{name}.toml"));
    let fill = |text: &str| {
        text.replace("{listen}", &address.to_string())
            .replace("{backend}", &backend.address.to_string())
            .replace("{config}", &config)
            .replace("{ca}", &bench_file("ca.pem"))
    };
    let template = product::template(arguments, include_str!("support/facade.toml"));
    std::fs::write(&config, fill(&template)).expect("the target folder");
    let credentials = Credentials::new(
        arguments.text_or("access-key", product::ACCESS_KEY),
        arguments.text_or("secret-key", product::SECRET_KEY),
    );
    Subject {
        name,
        process: Pinned::server(SERVER_CORE, &fill(command), address),
        speaks: Speaks::S3 {
            client: S3Client::tcp(address, credentials),
            bucket: arguments.text_or("bucket", "bench").to_owned(),
        },
    }
}

/// Puts there what the operation reads.
async fn prepare(subject: &Subject, operation: &Operation) {
    let keys: Vec<String> = match operation.kind {
        Kind::Get | Kind::Head => (0..keys(operation.size)).map(|number| read_key(number, operation.size)).collect(),
        Kind::List => (0..1000).map(list_key).collect(),
        Kind::Put | Kind::Part => return,
    };
    let put = op("prepare", "PUT", Kind::Put, operation.size.max(1), BodyMode::Unsigned);
    let wire = keys.iter().map(|key| subject.speaks.request(&put, key, "")).collect();
    let requests = Requests { wire, expected_status: subject.speaks.success(&put), is_head: false };
    load::once_each(subject.process.address, &requests)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", subject.name));
}

fn read_key(number: usize, size: usize) -> String {
    format!("read/{number}-{size}")
}

fn list_key(number: usize) -> String {
    format!("list/{number:04}")
}

#[derive(Clone)]
struct Cell {
    cpu_us: f64,
    system_share: f64,
    per_second: f64,
    p50_us: u32,
    p99_us: u32,
}

async fn measure(arguments: &Arguments, subject: &Subject, operation: &Operation) -> Cell {
    let upload = subject.speaks.create_upload(operation).await;
    let wire = (0..keys(operation.size))
        .map(|number| subject.speaks.request(operation, &operation.key(number), &upload))
        .collect();
    let requests = Arc::new(Requests {
        wire,
        expected_status: subject.speaks.success(operation),
        is_head: operation.kind == Kind::Head,
    });
    let connections = arguments.number_or("connections", 16) as usize;
    let seconds = Duration::from_secs(arguments.number_or("seconds", 3));
    let address: SocketAddr = subject.process.address;
    let run = |duration| load::closed_loop(address, requests.clone(), connections, duration);
    let fail = |error| panic!("{} {}: {error}", subject.name, operation.name);
    run(Duration::from_millis(500)).await.unwrap_or_else(fail);
    let before = CpuTime::of(subject.process.pid());
    let outcome = run(seconds).await.unwrap_or_else(fail);
    let used = CpuTime::of(subject.process.pid()).since(before);
    Cell {
        cpu_us: used.total_ns as f64 / 1000.0 / outcome.requests.max(1) as f64,
        system_share: used.system_share(),
        per_second: outcome.requests as f64 / outcome.elapsed.as_secs_f64(),
        p50_us: outcome.percentile(50),
        p99_us: outcome.percentile(99),
    }
}

impl Operation {
    fn key(&self, number: usize) -> String {
        match self.kind {
            Kind::Get | Kind::Head => read_key(number, self.size),
            Kind::Put => format!("write/{number}-{}", self.size),
            Kind::Part => "part".into(),
            Kind::List => String::new(),
        }
    }
}

impl Speaks {
    fn success(&self, operation: &Operation) -> u16 {
        match (self, operation.kind) {
            (Self::Blob { .. }, Kind::Put | Kind::Part) => 201,
            _ => 200,
        }
    }

    async fn create_upload(&self, operation: &Operation) -> String {
        match (self, operation.kind) {
            (Self::S3 { client, bucket }, Kind::Part) => {
                let request = client.request("POST", &format!("/{bucket}/part?uploads")).build();
                let response = client.send(&request).await.expect("CreateMultipartUpload");
                response.element("UploadId").unwrap_or_else(|| panic!("no upload id in {}", response.text()))
            }
            _ => String::new(),
        }
    }

    /// A request as bytes.
    fn request(&self, operation: &Operation, key: &str, upload: &str) -> Vec<u8> {
        let body = vec![b'x'; if operation.method == "PUT" { operation.size } else { 0 }];
        match self {
            Self::S3 { client, bucket } => {
                let target = match operation.kind {
                    Kind::List => format!("/{bucket}?list-type=2&max-keys=1000&prefix=list%2F"),
                    Kind::Part => {
                        format!("/{bucket}/part?partNumber={}&uploadId={upload}", 1 + fastrand::u32(..64))
                    }
                    _ => format!("/{bucket}/{key}"),
                };
                let request: RequestBuilder = client.request(operation.method, &target).body(&body, operation.mode);
                request.build().to_bytes()
            }
            Self::Blob { base, query } => {
                let target = match operation.kind {
                    Kind::List => format!("{base}?restype=container&comp=list&prefix=list%2F&maxresults=1000&{query}"),
                    _ => format!("{base}/{key}?{query}"),
                };
                let mut head = format!(
                    "{} {target} HTTP/1.1\r\nhost: localhost\r\nx-ms-version: 2023-11-03\r\n",
                    operation.method
                );
                head.push_str("x-ms-date: Mon, 23 Nov 2026 05:41:51 GMT\r\n");
                if operation.method == "PUT" {
                    head.push_str(&format!("x-ms-blob-type: BlockBlob\r\ncontent-length: {}\r\n", body.len()));
                }
                let mut wire = (head + "\r\n").into_bytes();
                wire.extend_from_slice(&body);
                wire
            }
        }
    }
}

fn publish(
    arguments: &Arguments,
    name: &str,
    subjects: &[Subject],
    operations: &[&Operation],
    cells: &[Vec<Vec<Cell>>],
) {
    let (mut rows, mut records) = (Vec::new(), Vec::new());
    for (operation, columns) in operations.iter().zip(cells) {
        let cost = |cells: &[Cell]| report::least_and_median(&cells.iter().map(|cell| cell.cpu_us).collect::<Vec<_>>());
        let (floor, floor_median) = cost(&columns[0]);
        for (subject, cells) in subjects.iter().zip(columns) {
            let (least, median) = cost(cells);
            let best = cells.iter().min_by(|a, b| a.cpu_us.total_cmp(&b.cpu_us)).expect("a round");
            rows.push(vec![
                operation.name.to_owned(),
                subject.name.to_owned(),
                format!("{least:.1}"),
                format!("{median:.1}"),
                format!("{:.2}", least / floor),
                format!("{:.2}", median / floor_median),
                format!("{:.0}%", best.system_share * 100.0),
                format!("{:.0}", best.per_second),
                best.p50_us.to_string(),
                best.p99_us.to_string(),
            ]);
            records.push(json!({
                "operation": operation.name, "server": subject.name,
                "cpu_us_least": least, "cpu_us_median": median,
                "cpu_us_rounds": cells.iter().map(|cell| cell.cpu_us).collect::<Vec<_>>(),
                "ratio_least": least / floor, "ratio_median": median / floor_median,
                "system_share": best.system_share, "requests_per_second": best.per_second,
                "p50_us": best.p50_us, "p99_us": best.p99_us,
            }));
        }
    }
    report::table(
        &["operation", "server", "us min", "us med", "x min", "x med", "sys", "req/s", "p50 us", "p99 us"],
        &rows,
    );
    let mut memory = serde_json::Map::new();
    for subject in subjects {
        let peak = cpu::peak_memory_kib(subject.process.pid());
        println!("{}: peak resident memory {peak} KiB", subject.name);
        memory.insert(subject.name.into(), peak.into());
    }
    report::save(
        name,
        &json!({ "connections": arguments.number_or("connections", 16), "peak_memory_kib": memory, "results": records }),
    );
}
