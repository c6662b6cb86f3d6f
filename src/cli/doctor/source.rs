//! Each source, and each bucket on it.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use tokio::time::timeout;

use super::check::Check;
use super::{clock, reach, remedy};
use crate::config::{BucketSource, SourceConfig};
use crate::daemon::SourceAccess;
use crate::net::{Body, Client, PoolLimits};
use crate::object::{BucketName, Error, ErrorKind, Result, Span};
use crate::source::{GetSource, SourceClient, SourceList, SourceObject};
use crate::telemetry::Metrics;

/// The client itself goes on for minutes, as a backfill should and somebody who waits should not.
const PATIENCE: Duration = Duration::from_secs(20);
/// Credentials that end sooner will not last for a backfill unless somebody renews them.
const CREDENTIAL_LIFE_WARNING: Duration = Duration::from_secs(900);

/// Checks a source as a whole; gives a client if its buckets can be looked at.
pub async fn check(config: &SourceConfig, metrics: Arc<Metrics>, checks: &mut Vec<Check>) -> Option<SourceClient> {
    let name = |what: &str| format!("source/{}/{what}", config.name);
    let ca_file = config.ca_file.as_ref().map(|pem| pem.path.clone());
    let (network, reached) = reach::check(name("network"), &config.endpoint.endpoint, ca_file).await;
    checks.push(network);
    if reached {
        checks.push(clock::check(name("clock"), date(config).await.as_deref()));
    }
    match SourceAccess::new(config, metrics).await {
        Err(error) => {
            checks.push(Check::problem(name("credentials"), error.to_string(), remedy::of_source(&error)));
            None
        }
        Ok(access) => {
            checks.push(lifetime(name("credentials"), access.credentials().valid_for()));
            access.client().ok().filter(|_| reached)
        }
    }
}

/// Checks a bucket from its region to its first object.
pub async fn check_bucket(client: &SourceClient, region: &str, source: &BucketSource, checks: &mut Vec<Check>) {
    let bucket = &source.bucket;
    let name = |what: &str| format!("source-bucket/{bucket}/{what}");
    let failed = |what: &str, error: &Error| Check::problem(name(what), error.to_string(), remedy::of_source(error));
    match patient(client.head_bucket(bucket)).await {
        Err(error) => {
            // The answer to HEAD has no code; the listing tells what is wrong.
            let told = patient(first_object(client, source)).await.err().unwrap_or(error);
            return checks.push(failed("exists", &told));
        }
        Ok(Some(actual)) if actual != region => checks.push(Check::problem(
            name("exists"),
            format!("it is in region {actual}, not in {region}"),
            format!("Set region = \"{actual}\" in its [source] section."),
        )),
        Ok(_) => checks.push(Check::ok(name("exists"), format!("it is there, region {region}"))),
    }
    let first = match patient(first_object(client, source)).await {
        Ok(first) => first,
        Err(error) => return checks.push(failed("list", &error)),
    };
    let Some(first) = first else {
        return checks.push(Check::ok(name("list"), "it holds no object to copy"));
    };
    checks.push(Check::ok(name("list"), "it holds objects"));
    checks.push(match patient(read(client, bucket, &first)).await {
        Ok(()) => Check::ok(name("read"), "its first object can be read"),
        Err(error) if matches!(error.kind(), ErrorKind::Archived | ErrorKind::Unsupported) => {
            Check::warning(name("read"), error.to_string(), remedy::of_source(&error))
        }
        Err(error) => failed("read", &error),
    });
}

async fn first_object(client: &SourceClient, source: &BucketSource) -> Result<Option<SourceObject>> {
    let prefix = source.prefix.clone().unwrap_or_default();
    let list = SourceList { prefix, max_keys: Some(1), ..SourceList::default() };
    Ok(client.list_objects(&source.bucket, &list).await?.objects.into_iter().next())
}

/// Reads one byte, or what there is of an object without any.
async fn read(client: &SourceClient, bucket: &BucketName, object: &SourceObject) -> Result<()> {
    if object.size == 0 {
        return client.head_object(bucket, &object.key, None).await.map(drop);
    }
    let get = GetSource { range: Some(Span { start: 0, end: 1 }), ..GetSource::default() };
    let download = client.get_object(bucket, &object.key, &get).await?;
    crate::object::body::collect(download.body, 1).await.map(drop)
}

async fn patient<T>(request: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || Error::new(ErrorKind::Timeout, format!("no usable answer within {} s", PATIENCE.as_secs()));
    timeout(PATIENCE, request).await.unwrap_or_else(|_| Err(late()))
}

fn lifetime(name: String, left: Option<Duration>) -> Check {
    match left {
        None => Check::ok(name, "they do not expire"),
        Some(left) if left < CREDENTIAL_LIFE_WARNING => Check::warning(
            name,
            format!("they expire in {} s", left.as_secs()),
            "Use credentials that are renewed by themselves (credentials = \"chain\", or files that somebody keeps new), or get longer ones.",
        ),
        Some(left) => Check::ok(name, format!("they expire in {} min", left.as_secs() / 60)),
    }
}

/// The clock of the source, from an answer to a request that nobody signed: whatever it is, it has a date.
async fn date(config: &SourceConfig) -> Option<String> {
    let dialer = reach::dialer(config.ca_file.as_ref().map(|pem| pem.path.clone())).ok()?;
    let limits =
        PoolLimits { connections_max: 1, idle_max: PATIENCE, connect_timeout: PATIENCE, read_timeout: PATIENCE };
    let request = Request::builder().method(Method::GET).uri("/").body(Body::Empty).ok()?;
    let answer = Client::new(dialer, limits).send(&config.endpoint.endpoint, request).await.ok()?;
    Some(answer.headers().get(http::header::DATE)?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::check::Level;
    use super::*;

    #[test]
    fn credentials_that_end_soon_are_told() {
        for (left, level) in [(None, Level::Ok), (Some(3600), Level::Ok), (Some(60), Level::Warning)] {
            assert_eq!(lifetime("x".into(), left.map(Duration::from_secs)).result, level);
        }
    }
}
