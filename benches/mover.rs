//! CPU cost of a backfill: small objects, large objects, and a second run that finds all unchanged.
//!
//! ```text
//! cargo bench --bench mover -- [--objects 200000] [--large 16] [--large-mib 256] [--rounds 3]
//!     [--before PATH]       another build of the product in place of this one
//!     [--mover "MOVER --config {config}" --config-template FILE]
//!     [--backend "EMULATOR --listen {listen}" | --backend stub]
//! ```
//!
//! Without `--mover` and `--backend` this build's `backfill` and `emulator` are measured, with the
//! configuration in `support/mover.toml`. In commands and template `{source}` is host:port of the S3
//! source, `{backend}` of the backend, `{bucket}` the bucket to move, `{config}` the filled-in
//! template, `{secrets}` a directory of secrets. The mover runs on core 0, source and backend on
//! core 1. A fresh source and backend serve every round. The floor is what a TCP relay takes to pass
//! the bytes of the large objects on, 8 MiB at a time: the facade's benchmark tells it (`get_8m`).

#[path = "../tests/harness/harness.rs"]
mod harness;
#[path = "support/support.rs"]
mod support;

use std::time::Instant;

use harness::s3_source::{Access, Generated, Object, S3Source};
use serde_json::json;
use support::arguments::Arguments;
use support::child::{self, Pinned};
use support::cpu::CpuTime;
use support::{product, report};

const MOVER_CORE: usize = 0;
const OTHER_CORE: usize = 1;

fn main() {
    let arguments = Arguments::read();
    match arguments.text("role") {
        Some("source") => serve_source(&arguments),
        Some("stub") => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(support::stub::run(None));
        }
        Some(other) => panic!("no role {other:?}"),
        None => bench(&arguments),
    }
}

fn serve_source(arguments: &Arguments) {
    let source = S3Source::new(1);
    source.set_access(Access::Anyone);
    source.keep_requests(0);
    source.create_bucket("small");
    source.create_bucket("large");
    let objects = arguments.number_or("objects", 200_000);
    source.generate("small", Generated { prefix: "data/".into(), count: objects, size: 4096, seed: 1 });
    let bytes = arguments.number_or("large-mib", 256) << 20;
    for number in 0..arguments.number_or("large", 16) {
        // An ETag as of a multipart upload, without hashing that much here.
        let object = Object::synthetic(number, bytes).etag(&format!("{number:032x}-{}", bytes.div_ceil(8 << 20)));
        source.put("large", &format!("large/{number}"), object);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listening = source.listen().await.expect("a free port");
        println!("{}", listening.address);
        std::future::pending::<()>().await;
    });
}

struct Run {
    name: &'static str,
    cpu_seconds: f64,
    wall_seconds: f64,
    objects: u64,
    bytes: u64,
}

fn bench(arguments: &Arguments) {
    let own = product::command(arguments.text("before"), "backfill --config {config}");
    let command = arguments.text_or("mover", &own);
    let mut runs = Vec::new();
    for _ in 0..arguments.number_or("rounds", 3) {
        runs.extend(round(arguments, command));
    }
    publish(&runs);
}

fn round(arguments: &Arguments, command: &str) -> Vec<Run> {
    let (objects, large) = (arguments.number_or("objects", 200_000), arguments.number_or("large", 16));
    let large_mib = arguments.number_or("large-mib", 256);
    let counts = [objects.to_string(), large.to_string(), large_mib.to_string()];
    let source = Pinned::role(
        OTHER_CORE,
        &["--role", "source", "--objects", &counts[0], "--large", &counts[1], "--large-mib", &counts[2]],
    );
    let backend = arguments.text("backend").map_or_else(|| product::backend("synthetic"), str::to_owned);
    let backend = match backend.as_str() {
        "stub" => Pinned::role(OTHER_CORE, &["--role", "stub"]),
        command => {
            let address = child::free_address();
            Pinned::server(OTHER_CORE, &command.replace("{listen}", &address.to_string()), address)
        }
    };
    let small_bytes = objects * 4096;
    [
        ("small", "small", objects, small_bytes),
        ("small unchanged", "small", objects, small_bytes),
        ("large", "large", large, large * (large_mib << 20)),
    ]
    .into_iter()
    .map(|(name, bucket, objects, bytes)| {
        let command = fill(arguments, command, &source, &backend, bucket);
        let (before, began) = (CpuTime::of_ended_children(), Instant::now());
        let status = child::run(MOVER_CORE, &command);
        assert!(status.success(), "{command:?} ended with {status}");
        let cpu_seconds = CpuTime::of_ended_children().since(before).total_ns as f64 / 1e9;
        Run { name, cpu_seconds, wall_seconds: began.elapsed().as_secs_f64(), objects, bytes }
    })
    .collect()
}

fn fill(arguments: &Arguments, command: &str, source: &Pinned, backend: &Pinned, bucket: &str) -> String {
    let fill = |text: &str| {
        text.replace("{source}", &source.address.to_string())
            .replace("{backend}", &backend.address.to_string())
            .replace("{bucket}", bucket)
    };
    let template = product::template(arguments, include_str!("support/mover.toml"));
    let file = product::file("mover.toml");
    std::fs::write(&file, fill(&template)).expect("the target folder");
    fill(command).replace("{config}", &file.display().to_string())
}

fn publish(runs: &[Run]) {
    let (mut rows, mut records) = (Vec::new(), Vec::new());
    for name in ["small", "small unchanged", "large"] {
        let of_name: Vec<_> = runs.iter().filter(|run| run.name == name).collect();
        let Some(first) = of_name.first() else { continue };
        let (least, median) = report::least_and_median(&of_name.iter().map(|run| run.cpu_seconds).collect::<Vec<_>>());
        let wall = report::least_and_median(&of_name.iter().map(|run| run.wall_seconds).collect::<Vec<_>>()).0;
        let per_cpu_second = first.objects as f64 / least.max(0.01);
        let mib_per_cpu_second = first.bytes as f64 / least.max(0.01) / f64::from(1 << 20);
        rows.push(vec![
            name.to_owned(),
            first.objects.to_string(),
            format!("{least:.2}"),
            format!("{median:.2}"),
            format!("{wall:.2}"),
            format!("{:.1}", least * 1e6 / first.objects.max(1) as f64),
            format!("{per_cpu_second:.0}"),
            format!("{mib_per_cpu_second:.0}"),
        ]);
        records.push(json!({
            "run": name, "objects": first.objects, "bytes": first.bytes, "cpu_seconds_least": least,
            "cpu_seconds_median": median, "wall_seconds_least": wall, "objects_per_cpu_second": per_cpu_second,
            "mib_per_cpu_second": mib_per_cpu_second,
        }));
    }
    report::table(
        &["run", "objects", "cpu s min", "cpu s med", "wall s", "us/object", "objects/cpu s", "MiB/cpu s"],
        &rows,
    );
    report::save("mover", &json!({ "results": records }));
}
