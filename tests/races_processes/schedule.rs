//! One schedule: one key, what clients mean to do to it, and the replica that is killed meanwhile.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::client::{Ask, Client, Told, labels, object};
use crate::fleet::{BUCKET, Fleet};
use crate::harness::oracle::{Demand, ObjectAction, Value};
use crate::harness::random::Random;
use crate::record::{Record, Tally, Upload};
use crate::values::{Shape, content};

/// Calls of Complete by one client until it gives up.
const TRIES: usize = 4;
/// Calls of what has to be done in the end.
const PATIENCE: usize = 40;

/// What a client was told of a Complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Completion {
    Done,
    /// Its condition does not hold; the upload is as open as before.
    Refused,
    /// There is no such upload any more.
    Gone,
}

#[derive(Clone)]
struct Actor {
    client: Client,
    random: Arc<Mutex<Random>>,
}

/// Runs a schedule; the reason if something is wrong.
pub async fn run(fleet: &Arc<Fleet>, place: u64, seed: u64) -> Result<Tally, String> {
    let record = Arc::new(Record::default());
    let client = Client { fleet: fleet.clone(), record: record.clone(), key: format!("key-{place}") };
    let actor = Actor { client, random: Arc::new(Mutex::new(Random::new(seed))) };
    actor.act().await;
    let outcome = match actor.settle().await {
        Ok(()) => record.judge(),
        Err(reason) => Err(reason),
    };
    record.kept().tally.count("schedules");
    if outcome.is_err() {
        let file = std::env::temp_dir().join(format!("bluebucket-races-{seed}.log"));
        std::fs::write(&file, record.print()).unwrap();
        println!("the history of schedule {place} is in {}", file.display());
    }
    outcome
}

impl Actor {
    async fn act(&self) {
        let source = format!("{}-source", self.client.key);
        let value = self.source(&source).await;
        if self.chance(0.5) {
            self.client.put(self.replica(), true, Demand::Nothing).await;
        }
        let uploads = if self.chance(0.7) { 2 + self.below(3) } else { 5 + self.below(6) };
        let mut tasks: Vec<JoinHandle<()>> = Vec::new();
        for number in 0..uploads {
            let actor = self.clone();
            tasks.push(tokio::spawn(async move { actor.uploader(number).await }));
        }
        for number in 0..2 {
            let (actor, source) = (self.clone(), value.map(|value| (source.clone(), value)));
            tasks.push(tokio::spawn(async move { actor.writer(source.filter(|_| number == 0)).await }));
        }
        let actor = self.clone();
        tasks.push(tokio::spawn(async move { actor.reader().await }));
        let actor = self.clone();
        tasks.push(tokio::spawn(async move { actor.killer().await }));
        for task in tasks {
            if let Err(error) = task.await {
                self.client.record.wrong(format!("an actor failed: {error}"));
            }
        }
    }

    /// An object to copy from.
    async fn source(&self, key: &str) -> Option<Value> {
        let source = Client { key: key.to_owned(), ..self.client.clone() };
        let value = self.client.record.kept().values.add_whole(|_| 50);
        for _ in 0..PATIENCE {
            let body = self.client.record.kept().values.bytes(value).to_vec();
            let ask = Ask { headers: Vec::new(), body };
            if source.ask(self.replica(), |key| ("PUT", object(key), ask)).await.ok().is_some() {
                return Some(value);
            }
        }
        None
    }

    async fn killer(&self) {
        let which = self.replica();
        sleep(Duration::from_micros(self.below(300_000))).await;
        let record = &self.client.record;
        record.note(record.tick(), format!("replica {which} is killed"));
        self.client.fleet.kill(which).await;
        sleep(Duration::from_micros(self.below(200_000))).await;
        self.client.fleet.launch(which).await;
        record.note(record.tick(), format!("replica {which} is back"));
    }

    async fn uploader(&self, number: u64) {
        self.pause().await;
        let Some(index) = self.begin(number).await else { return };
        self.pause().await;
        let twice = self.chance(0.3);
        let aborted = self.chance(0.15);
        let other = async {
            if twice {
                self.completer(index).await;
            }
        };
        let abort = async {
            if aborted {
                self.pause().await;
                self.abort(index).await;
            }
        };
        tokio::join!(self.completer(index), other, abort);
    }

    /// Creates an upload and its parts.
    async fn begin(&self, number: u64) -> Option<usize> {
        let record = &self.client.record;
        let shape = match self.below(20) {
            0 if number == 0 => Shape::Empty,
            1 if number == 0 => Shape::Large,
            _ => Shape::Small,
        };
        let planned = shape.parts(&mut self.random.lock().unwrap());
        let tagged = self.chance(0.5);
        let makes = record.labelled(|values| values.add_parts(None, &planned), tagged);
        let mut id = None;
        for _ in 0..PATIENCE {
            let ask = Ask::with(labels(makes));
            let told = self.client.ask(self.replica(), |key| ("POST", format!("{}?uploads", object(key)), ask)).await;
            id = told.ok().and_then(|answer| answer.element("UploadId"));
            if id.is_some() {
                break;
            }
            self.pause().await;
        }
        let id = id?;
        let mut parts = Vec::new();
        for (number, length) in planned {
            parts.push((number, self.part(&id, number, &content(makes.value, number, length)).await?));
        }
        let demands = self.draw_demand().await;
        let line = format!("upload {id} of {makes:?} demands {demands:?}");
        record.note(record.tick(), line);
        let upload = Upload {
            id,
            makes,
            demands,
            parts,
            called: None,
            completed: None,
            etag: None,
            was_unknown: false,
            abort_called: false,
            aborted: false,
        };
        let mut kept = record.kept();
        kept.uploads.push(upload);
        Some(kept.uploads.len() - 1)
    }

    async fn part(&self, id: &str, number: u16, bytes: &[u8]) -> Option<String> {
        for _ in 0..PATIENCE {
            let ask = Ask { headers: Vec::new(), body: bytes.to_vec() };
            let target = |key: &str| format!("{}?partNumber={number}&uploadId={id}", object(key));
            let told = self.client.ask(self.replica(), |key| ("PUT", target(key), ask)).await;
            if let Some(etag) = told.ok().and_then(|answer| answer.etag()) {
                return Some(etag.to_owned());
            }
            self.pause().await;
        }
        None
    }

    async fn draw_demand(&self) -> Demand {
        match self.below(10) {
            0 | 1 => Demand::Absent,
            2 => self.client.get(self.replica()).await.flatten().map_or(Demand::Absent, Demand::Value),
            _ => Demand::Nothing,
        }
    }

    /// Calls Complete until it is answered, as SDKs do.
    async fn completer(&self, index: usize) {
        for _ in 0..TRIES {
            if self.complete(index).await.is_some() {
                return;
            }
            self.pause().await;
        }
    }

    /// Calls Complete once: what the client was told, if it was told something.
    async fn complete(&self, index: usize) -> Option<Completion> {
        let which = self.replica();
        let record = &self.client.record;
        let called = record.tick();
        let (id, makes, demands, document) = {
            let mut kept = record.kept();
            let upload = &mut kept.uploads[index];
            let part = |(number, etag): &(u16, String)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            };
            let parts: String = upload.parts.iter().map(part).collect();
            let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
            (upload.id.clone(), upload.makes, upload.demands, document)
        };
        record.note(called, format!("Complete of {makes:?} at {which}"));
        let headers = self.client.condition(demands).into_iter().collect();
        let ask = Ask { headers, body: document.into_bytes() };
        let told = self.client.ask(which, |key| ("POST", format!("{}?uploadId={id}", object(key)), ask)).await;
        let returned = record.tick();
        let answer = match told {
            Told::NotAsked => return None,
            Told::Unknown => {
                record.note(returned, format!("Complete of {called}: unknown"));
                self.may_have_landed(index, called, None);
                let mut kept = record.kept();
                kept.uploads[index].was_unknown = true;
                kept.tally.count("complete unknown");
                return None;
            }
            Told::Answer(answer) => answer,
        };
        // An answer that has begun as a 200 may turn out to be an error's.
        let code = answer.code();
        record.note(returned, format!("Complete of {called}: {} {code:?}", answer.status));
        record.kept().tally.count(format!("complete {}", code.as_deref().unwrap_or("200")));
        match (answer.status, code.as_deref()) {
            (200, None) => {
                let etag = answer.element("ETag").unwrap_or_default().replace("&quot;", "");
                self.client.check_etag("Complete", makes.value, Some(&etag));
                self.may_have_landed(index, called, Some((returned, etag)));
                Some(Completion::Done)
            }
            (200, Some(_)) => {
                self.may_have_landed(index, called, None);
                None
            }
            (412, _) | (404, Some("NoSuchKey")) if demands != Demand::Nothing => {
                record.push(called, Some(returned), ObjectAction::Write { makes, demands, landed: false });
                Some(Completion::Refused)
            }
            (404, Some("NoSuchUpload")) if record.kept().uploads[index].abort_called => {
                // It may have been freed after a commit whose outcome nobody learned.
                self.may_have_landed(index, called, None);
                Some(Completion::Gone)
            }
            _ => {
                record.wrong(format!("Complete of {makes:?} answered {}: {}", answer.status, answer.text()));
                Some(Completion::Gone)
            }
        }
    }

    fn may_have_landed(&self, index: usize, called: u64, known: Option<(u64, String)>) {
        let record = &self.client.record;
        let mut kept = record.kept();
        let upload = &mut kept.uploads[index];
        upload.called = Some(upload.called.map_or(called, |earlier| earlier.min(called)));
        let Some((returned, etag)) = known else { return };
        upload.completed = Some(upload.completed.map_or(returned, |earlier| earlier.min(returned)));
        if upload.etag.get_or_insert_with(|| etag.clone()) != &etag {
            let id = upload.id.clone();
            kept.wrong.push(format!("upload {id} was answered with two ETags"));
        }
    }

    /// Calls Abort once: the status of the answer, if there was one.
    async fn abort(&self, index: usize) -> Option<u16> {
        let record = &self.client.record;
        let id = {
            let mut kept = record.kept();
            kept.uploads[index].abort_called = true;
            kept.uploads[index].id.clone()
        };
        let called = self.client.begin(format!("Abort of upload {id}"));
        let target = |key: &str| format!("{}?uploadId={id}", object(key));
        let told = self.client.ask(self.replica(), |key| ("DELETE", target(key), Ask::default())).await;
        let Told::Answer(answer) = told else { return None };
        record.note(record.tick(), format!("Abort of {called}: {}", answer.status));
        let mut kept = record.kept();
        kept.tally.count(format!("abort {}", answer.status));
        match answer.status {
            204 => kept.uploads[index].aborted = true,
            404 => {}
            status => kept.wrong.push(format!("Abort of upload {id} answered {status}: {}", answer.text())),
        }
        Some(answer.status)
    }

    async fn writer(&self, mut source: Option<(String, Value)>) {
        let steps = 3 + self.below(5);
        let mut seen: Option<Value> = None;
        let known = |seen: Option<Value>| seen.map_or(Demand::Absent, Demand::Value);
        for _ in 0..steps {
            self.pause().await;
            let (client, which) = (&self.client, self.replica());
            match self.below(16) {
                0..=2 => client.put(which, self.chance(0.5), Demand::Nothing).await,
                3 => client.put(which, self.chance(0.5), Demand::Absent).await,
                4 => client.put(which, self.chance(0.5), known(seen)).await,
                5 | 6 => client.delete(which, Demand::Nothing).await,
                7 | 8 => {
                    seen = client.get(which).await.flatten();
                    client.delete(which, seen.map_or(Demand::Nothing, Demand::Value)).await;
                }
                9 | 10 => match source.take() {
                    Some((source, value)) => client.copy_onto(which, &source, value).await,
                    None => client.put(which, true, Demand::Nothing).await,
                },
                11 => client.copy_in_place(which).await,
                12 | 13 => client.retag(which).await,
                _ => seen = client.get(which).await.flatten(),
            }
        }
    }

    async fn reader(&self) {
        let steps = 6 + self.below(6);
        for _ in 0..steps {
            self.pause().await;
            if self.chance(0.3) {
                self.client.read_tags(self.replica()).await;
            } else {
                self.client.get(self.replica()).await;
            }
        }
    }

    /// Once both replicas are back: every upload comes to its end, and everybody sees the same.
    async fn settle(&self) -> Result<(), String> {
        let uploads = self.client.record.kept().uploads.len();
        for index in 0..uploads {
            let mut told = None;
            for _ in 0..TRIES * 2 {
                told = self.complete(index).await;
                if told.is_some() {
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
            let completed = self.client.record.kept().uploads[index].completed.is_some();
            if completed && told != Some(Completion::Done) {
                return Err(format!("the repeated Complete of upload {index} answered {told:?}"));
            }
            if matches!(told, Some(Completion::Done | Completion::Gone)) {
                continue;
            }
            for _ in 0..PATIENCE {
                if self.abort(index).await.is_some() {
                    break;
                }
            }
        }
        for which in [0, 1] {
            self.insist(async || self.client.get(which).await.is_some()).await?;
            self.insist(async || self.client.read_tags(which).await).await?;
        }
        self.nothing_is_open().await
    }

    /// Tries until it is done.
    async fn insist(&self, mut step: impl AsyncFnMut() -> bool) -> Result<(), String> {
        for _ in 0..PATIENCE {
            if step().await {
                return Ok(());
            }
        }
        Err("a read in the end is not answered".to_owned())
    }

    async fn nothing_is_open(&self) -> Result<(), String> {
        let known: Vec<_> = self.client.record.kept().uploads.iter().map(|upload| upload.id.clone()).collect();
        for _ in 0..PATIENCE {
            let target = |key: &str| format!("/{BUCKET}?uploads&prefix={key}");
            let told = self.client.ask(0, |key| ("GET", target(key), Ask::default())).await;
            let Some(answer) = told.ok() else { continue };
            let open: Vec<_> = answer.elements("UploadId").into_iter().filter(|id| known.contains(id)).collect();
            return if open.is_empty() { Ok(()) } else { Err(format!("uploads {open:?} are left")) };
        }
        Err("the list of uploads is not answered".to_owned())
    }

    fn replica(&self) -> usize {
        self.below(2) as usize
    }

    fn below(&self, limit: u64) -> u64 {
        self.random.lock().unwrap().below(limit)
    }

    fn chance(&self, probability: f64) -> bool {
        self.random.lock().unwrap().chance(probability)
    }

    async fn pause(&self) {
        let longest = *self.random.lock().unwrap().pick(&[0, 1, 10, 50, 150]);
        sleep(Duration::from_micros(self.below(longest * 1000 + 1))).await;
    }
}
