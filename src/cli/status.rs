//! `bluebucket status`: asks a running process how it is.

mod table;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{Request, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::{CommonOptions, Exit, Failure};
use crate::config::{AdminConfig, Environment, Secrets};

/// Asks a running process how far it is and whether it is well
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct StatusArgs {
    /// The admin listener; else the one of the configuration, else 127.0.0.1:9090
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub admin: Option<SocketAddr>,
    /// Prints the report as JSON
    #[arg(long, conflicts_with_all = ["health", "ready"])]
    pub json: bool,
    /// Prints nothing but ends with 0 only if the process answers, for container health checks
    #[arg(long, conflicts_with = "ready")]
    pub health: bool,
    /// Ends with 0 only if the process is ready for requests
    #[arg(long)]
    pub ready: bool,
}

const EXAMPLES: &str = "\
Examples:
  bluebucket status
      A short report of the process that the configuration describes.
  bluebucket status --admin 10.0.3.17:9090 --json
      The whole report of some pod, for jq.
  bluebucket status --health
      For HEALTHCHECK, in an image without a shell.";

/// A health check has to answer within the three seconds that container engines usually give.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest report that is read, in bytes.
const REPORT_BYTES_MAX: usize = 8 << 20;

pub fn run(common: &CommonOptions, args: &StatusArgs) -> Result<Exit, Failure> {
    let address = args.admin.unwrap_or_else(|| configured_address(common));
    let path = match (args.health, args.ready) {
        (true, _) => "/healthz",
        (_, true) => "/readyz",
        _ => "/status",
    };
    let (status, text) = fetch_blocking(address, path)?;
    if args.ready {
        print!("{text}");
    } else if !args.health {
        print!("{}", if args.json { text + "\n" } else { describe(&text) });
    }
    Ok(if status == 200 { Exit::Done } else { Exit::Fatal })
}

/// Where the configuration says that the listener is. A configuration that cannot be read must not
/// make a health check fail, since the process itself runs: the usual address is tried then.
fn configured_address(common: &CommonOptions) -> SocketAddr {
    let config = common.load(&Environment::of_process(), Secrets::Ignored);
    let mut address = config.map_or_else(|_| AdminConfig::default().listen, |config| config.admin.listen);
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn fetch_blocking(address: SocketAddr, path: &str) -> Result<(u16, String), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::fatal(format!("no runtime: {error}")))?;
    let answer = runtime.block_on(async { tokio::time::timeout(ANSWER_TIMEOUT, fetch(address, path)).await });
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::fatal(format!("{address} does not answer: {error}"))),
        Err(_) => Err(Failure::fatal(format!("{address} does not answer within {} s", ANSWER_TIMEOUT.as_secs()))),
    }
}

/// Sends one GET over a connection of its own.
async fn fetch(address: SocketAddr, path: &str) -> Result<(u16, String), Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header(header::HOST, address.to_string()).body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), REPORT_BYTES_MAX).collect().await?.to_bytes();
    connection.abort();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// The report as indented text, its lists as tables; what is no JSON is shown as it is.
fn describe(text: &str) -> String {
    let Ok(Value::Object(report)) = serde_json::from_str(text) else { return text.to_owned() };
    let mut lines = String::new();
    for (name, value) in &report {
        match value {
            Value::Array(rows) if !rows.is_empty() => {
                lines.push_str(&format!("{}:\n", name.replace('_', " ")));
                let each = || rows.iter().map(|row| format!("  {}\n", one_line(row))).collect();
                lines.push_str(&table::render(rows).unwrap_or_else(each));
            }
            Value::Array(_) => {}
            other => lines.push_str(&format!("{}: {}\n", name.replace('_', " "), one_line(other))),
        }
    }
    lines
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}={}", one_line(value))).collect();
            fields.join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use hyper::service::service_fn;

    use super::*;
    use crate::admin::{Admin, Readiness, Status};
    use crate::telemetry::Metrics;

    #[tokio::test]
    async fn a_running_process_is_asked_over_http() {
        let readiness = Readiness::default();
        let status = Status::default();
        status.section("buckets", || serde_json::json!([{"bucket": "local-iceberg-test", "phase": "mirror"}]));
        let admin = Admin::new(Arc::new(Metrics::new()), readiness.clone(), status);
        let _starting = readiness.flag("token");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let admin = admin.clone();
                let service = service_fn(move |request| {
                    let admin = admin.clone();
                    async move { Ok::<_, Infallible>(admin.handle(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        assert_eq!(fetch(address, "/healthz").await.unwrap(), (200, "ok\n".to_owned()));
        assert_eq!(fetch(address, "/readyz").await.unwrap().0, 503);
        let (code, text) = fetch(address, "/status").await.unwrap();
        let shown = describe(&text);
        assert!(code == 200 && shown.contains("ready: false\n"), "{shown}");
        let table = "buckets:\n  bucket              phase\n  local-iceberg-test  mirror\n";
        assert!(shown.contains(table), "{shown}");
    }
}
