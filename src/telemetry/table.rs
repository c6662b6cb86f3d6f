//! Metric handles indexed by labels.

use std::marker::PhantomData;
use std::sync::OnceLock;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::label::Label;

/// Counters by one label. A series appears when its counter is first asked for.
pub struct LazyCounters<A> {
    family: IntCounterVec,
    /// Labels behind the one, fixed for this table.
    rest: Vec<String>,
    handles: Box<[OnceLock<IntCounter>]>,
    label: PhantomData<A>,
}

impl<A: Label> LazyCounters<A> {
    pub fn new(family: IntCounterVec, rest: Vec<String>) -> Self {
        let handles = A::VALUES.iter().map(|_| OnceLock::new()).collect();
        Self { family, rest, handles, label: PhantomData }
    }

    pub fn handle(&self, value: A) -> Option<&IntCounter> {
        let handle = self.handles.get(value.index())?;
        Some(handle.get_or_init(|| resolve(&self.family, &[value.label()], &self.rest)))
    }

    pub fn get(&self, value: A) -> u64 {
        self.handles.get(value.index()).map_or(0, count)
    }
}

/// Counters by two labels. A series appears when it is first counted: most pairs never happen.
pub struct PairCounters<A, B> {
    family: IntCounterVec,
    /// Labels behind the two, fixed for this table.
    rest: Vec<String>,
    handles: Box<[OnceLock<IntCounter>]>,
    labels: PhantomData<(A, B)>,
}

impl<A: Label, B: Label> PairCounters<A, B> {
    pub fn new(family: IntCounterVec, rest: Vec<String>) -> Self {
        let handles = (0..A::VALUES.len() * B::VALUES.len()).map(|_| OnceLock::new()).collect();
        Self { family, rest, handles, labels: PhantomData }
    }

    pub fn inc(&self, a: A, b: B) {
        if let Some(handle) = self.handle(a, b) {
            handle.get_or_init(|| resolve(&self.family, &[a.label(), b.label()], &self.rest)).inc();
        }
    }

    pub fn get(&self, a: A, b: B) -> u64 {
        self.handle(a, b).map_or(0, count)
    }

    fn handle(&self, a: A, b: B) -> Option<&OnceLock<IntCounter>> {
        self.handles.get(a.index() * B::VALUES.len() + b.index())
    }
}

fn resolve(family: &IntCounterVec, labels: &[&str], rest: &[String]) -> IntCounter {
    let values: Vec<&str> = labels.iter().copied().chain(rest.iter().map(String::as_str)).collect();
    family.with_label_values(&values)
}

/// What was counted under a series that may not have appeared yet.
fn count(handle: &OnceLock<IntCounter>) -> u64 {
    handle.get().map_or(0, IntCounter::get)
}

/// Counters by one label, every series present from the start so that rates begin at zero.
pub struct Counters<A> {
    handles: Box<[IntCounter]>,
    label: PhantomData<A>,
}

impl<A: Label> Counters<A> {
    pub fn new(family: &IntCounterVec) -> Self {
        let handles = A::VALUES.iter().map(|value| family.with_label_values(&[value.label()])).collect();
        Self { handles, label: PhantomData }
    }

    pub fn add(&self, value: A, count: u64) {
        if let Some(handle) = self.handles.get(value.index()) {
            handle.inc_by(count);
        }
    }

    pub fn get(&self, value: A) -> u64 {
        self.handles.get(value.index()).map_or(0, IntCounter::get)
    }

    /// The counter of one label, to be kept.
    pub fn handle(&self, value: A) -> Option<IntCounter> {
        self.handles.get(value.index()).cloned()
    }
}

/// Gauges by one label.
pub struct Gauges<A> {
    handles: Box<[IntGauge]>,
    label: PhantomData<A>,
}

impl<A: Label> Gauges<A> {
    pub fn new(family: &IntGaugeVec) -> Self {
        let handles = A::VALUES.iter().map(|value| family.with_label_values(&[value.label()])).collect();
        Self { handles, label: PhantomData }
    }

    pub fn set(&self, value: A, level: i64) {
        if let Some(handle) = self.handles.get(value.index()) {
            handle.set(level);
        }
    }
}

/// Histograms by one label. A series appears when it is first observed: each has many lines.
pub struct Histograms<A> {
    family: HistogramVec,
    handles: Box<[OnceLock<Histogram>]>,
    label: PhantomData<A>,
}

impl<A: Label> Histograms<A> {
    pub fn new(family: HistogramVec) -> Self {
        let handles = A::VALUES.iter().map(|_| OnceLock::new()).collect();
        Self { family, handles, label: PhantomData }
    }

    pub fn observe(&self, value: A, level: f64) {
        if let Some(handle) = self.handles.get(value.index()) {
            handle.get_or_init(|| self.family.with_label_values(&[value.label()])).observe(level);
        }
    }
}
