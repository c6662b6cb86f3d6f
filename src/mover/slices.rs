//! Reads whole buckets in parallel: cut into slices, each read by whichever thread is free.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::merge::Slice;
use super::split::{SourceProbe, split};
use super::stop::Stop;
use super::{BucketClients, Factory, ThreadClients, threads};
use crate::object::{Error, ErrorKind, Result};

/// How buckets are read.
#[derive(Clone)]
pub(super) struct Reading {
    /// Key prefix of each bucket, in the order of the clients.
    pub prefixes: Vec<String>,
    pub threads: usize,
    /// Slices that a bucket is cut into at the most.
    pub slices: usize,
    pub stop: Stop,
}

/// Slices that one thread reads at one time: while one waits for a page, the other works.
const AT_ONCE: usize = 2;

/// Applies `each` to every slice of every bucket; returns what came of them with the bucket's index.
///
/// # Errors
/// The first of `each`, and those of cutting; `Cancelled` if stopped.
pub(super) async fn each<T, W, F>(reading: &Reading, factory: &Factory, each: W) -> Result<Vec<(usize, T)>>
where
    T: Send + 'static,
    W: Fn(usize, BucketClients, Slice) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let (prefixes, count) = (reading.prefixes.clone(), reading.slices.max(1));
    let begin = move |clients| cut(clients, prefixes, count);
    let slices = threads::finish(threads::start("mover-begin", factory, begin)?).await?;
    let queue = Arc::new(Mutex::new(VecDeque::from(slices)));
    let mut running = JoinSet::new();
    for index in 0..reading.threads.max(1) {
        let (queue, each, stop) = (queue.clone(), each.clone(), reading.stop.clone());
        let work = move |clients: ThreadClients| read(clients, queue, each, stop);
        running.spawn(threads::finish(threads::start(&format!("mover-{index}"), factory, work)?));
    }
    let mut results = Vec::new();
    while let Some(ended) = running.join_next().await {
        results.extend(ended.map_err(|error| lost(&error))??);
    }
    if reading.stop.is_requested() {
        return Err(Error::new(ErrorKind::Cancelled, "stopped before everything was read"));
    }
    Ok(results)
}

async fn cut(clients: ThreadClients, prefixes: Vec<String>, count: usize) -> Result<Vec<(usize, Slice)>> {
    let mut slices = Vec::new();
    for (bucket, clients) in clients.buckets.iter().enumerate() {
        let prefix = prefixes.get(bucket).map_or("", String::as_str);
        let mut probe = SourceProbe { source: &clients.source, bucket: &clients.source_bucket, prefix };
        let bounds = split(&mut probe, count).await?;
        let mut after = None;
        for through in bounds.into_iter().map(Some).chain([None]) {
            slices.push((bucket, Slice { prefix: prefix.to_owned(), after, through: through.clone() }));
            after = through;
        }
    }
    Ok(slices)
}

type Queue = Arc<Mutex<VecDeque<(usize, Slice)>>>;

async fn read<T, W, F>(clients: ThreadClients, queue: Queue, each: W, stop: Stop) -> Result<Vec<(usize, T)>>
where
    T: Send + 'static,
    W: Fn(usize, BucketClients, Slice) -> F,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let mut reading = JoinSet::new();
    let mut results = Vec::new();
    loop {
        while reading.len() < AT_ONCE && !stop.is_requested() {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((bucket, slice)) = next else { break };
            let Some(clients) = clients.buckets.get(bucket) else { continue };
            let future = each(bucket, clients.clone(), slice);
            reading.spawn(async move { future.await.map(|result| (bucket, result)) });
        }
        match reading.join_next().await {
            Some(ended) => results.push(ended.map_err(|error| lost(&error))??),
            None => return Ok(results),
        }
    }
}

fn lost(error: &tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Unexpected, format!("a part of the work ended early: {error}"))
}
