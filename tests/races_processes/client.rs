//! A client of the replicas: each request once, over a connection of its own, and what it learned on
//! record.

use std::sync::Arc;
use std::time::Duration;

use bluebucket::object::ETag;
use tokio::time::timeout;

use crate::fleet::{BUCKET, Fleet};
use crate::harness::oracle::{Demand, Held, Label, ObjectAction, Value};
use crate::harness::s3_client::{BodyMode, RequestBuilder, Response};
use crate::record::Record;

/// A client gives up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whom a client speaks to, and about what.
#[derive(Clone)]
pub struct Client {
    pub fleet: Arc<Fleet>,
    pub record: Arc<Record>,
    pub key: String,
}

/// What came back.
pub enum Told {
    /// Nobody was there: nothing was asked.
    NotAsked,
    /// No answer, or one that does not say what happened.
    Unknown,
    Answer(Box<Response>),
}

impl Client {
    /// Asks a replica.
    pub async fn ask(&self, which: usize, build: impl FnOnce(&str) -> (&'static str, String, Ask)) -> Told {
        let client = self.fleet.client(which);
        let (method, target, ask) = build(&self.key);
        let request: RequestBuilder = client.request(method, &target);
        let request = ask.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(&ask.body, BodyMode::Signed).build();
        let Ok(mut connection) = client.open().await else { return Told::NotAsked };
        match timeout(PATIENCE, connection.send(&request)).await {
            Ok(Ok(response)) if response.cut || response.status >= 500 => Told::Unknown,
            Ok(Ok(response)) => Told::Answer(Box::new(response)),
            _ => Told::Unknown,
        }
    }

    pub async fn put(&self, which: usize, tagged: bool, demands: Demand) {
        let makes = self.record.labelled(|values| values.add_whole(|value| 10 + value as usize * 3), tagged);
        let body = self.record.kept().values.bytes(makes.value).to_vec();
        let called = self.begin(format!("PUT of {makes:?} demands {demands:?} at {which}"));
        let mut headers = labels(makes);
        headers.extend(self.condition(demands));
        let told = self.ask(which, |key| ("PUT", object(key), Ask { headers, body })).await;
        if let Told::Answer(answer) = &told
            && answer.status == 200
        {
            self.check_etag("PUT", makes.value, answer.etag());
        }
        self.end("PUT", called, &told, demands, |landed| ObjectAction::Write { makes, demands, landed });
    }

    /// Copies an object whose value is `value` onto the key.
    pub async fn copy_onto(&self, which: usize, source: &str, value: Value) {
        let makes = self.record.labelled(|_| value, true);
        let called = self.begin(format!("copy of {makes:?} at {which}"));
        let mut headers = labels(makes);
        headers.extend(copying(source));
        let told = self.ask(which, |key| ("PUT", object(key), Ask::with(headers))).await;
        let action = |landed| ObjectAction::Write { makes, demands: Demand::Nothing, landed };
        self.end("copy", called, &told, Demand::Nothing, action);
    }

    pub async fn copy_in_place(&self, which: usize) {
        let makes = self.record.labelled(|_| 0, true);
        let called = self.begin(format!("copy onto itself, {makes:?} at {which}"));
        let mut headers = labels(makes);
        headers.extend(copying(&self.key));
        let told = self.ask(which, |key| ("PUT", object(key), Ask::with(headers))).await;
        let etag = told.ok().and_then(|answer| answer.element("ETag"));
        let value = etag.and_then(|etag| self.value_of(&etag.replace("&quot;", "")));
        let action = |found| ObjectAction::InPlace { value, meta: makes.meta, tags: makes.tags, found };
        self.end("copy in place", called, &told, Demand::Nothing, action);
    }

    pub async fn delete(&self, which: usize, demands: Demand) {
        let called = self.begin(format!("DELETE demands {demands:?} at {which}"));
        let headers = self.condition(demands).into_iter().collect();
        let told = self.ask(which, |key| ("DELETE", object(key), Ask::with(headers))).await;
        self.end("DELETE", called, &told, demands, |landed| ObjectAction::Delete { demands, landed });
    }

    pub async fn retag(&self, which: usize) {
        let tags = self.record.labelled(|_| 0, true).tags;
        let called = self.begin(format!("tagging with {tags} at {which}"));
        let body = format!("<Tagging><TagSet><Tag><Key>set</Key><Value>{tags}</Value></Tag></TagSet></Tagging>");
        let ask = Ask { headers: Vec::new(), body: body.into_bytes() };
        let told = self.ask(which, |key| ("PUT", format!("{}?tagging", object(key)), ask)).await;
        self.end("tagging", called, &told, Demand::Nothing, |found| ObjectAction::Retag { tags, found });
    }

    pub async fn read_tags(&self, which: usize) -> bool {
        let called = self.begin(format!("GET of tags at {which}"));
        let told = self.ask(which, |key| ("GET", format!("{}?tagging", object(key)), Ask::default())).await;
        let returned = self.record.tick();
        let seen = match &told {
            Told::Answer(answer) if answer.status == 404 => None,
            Told::Answer(answer) if answer.status == 200 => {
                Some(answer.element("Value").map_or(0, |text| number(&text)))
            }
            _ => return false,
        };
        self.record.note(returned, format!("GET of tags of {called}: {seen:?}"));
        self.record.push(called, Some(returned), ObjectAction::ReadTags(seen));
        true
    }

    /// Reads the object: `None` if that failed, else whose bytes are there.
    pub async fn get(&self, which: usize) -> Option<Option<Value>> {
        let called = self.begin(format!("GET at {which}"));
        let told = self.ask(which, |key| ("GET", object(key), Ask::default())).await;
        let returned = self.record.tick();
        let Told::Answer(answer) = told else { return None };
        let seen = match answer.status {
            404 => None,
            200 => {
                let etag = answer.etag().unwrap_or_default().to_owned();
                let kept = self.record.kept();
                let value = kept.values.of_bytes(&answer.body.clone().into());
                let right = value.filter(|value| kept.values.etag(*value).is_some_and(|known| known.as_str() == etag));
                drop(kept);
                let Some(value) = right else {
                    let start = String::from_utf8_lossy(&answer.body[..answer.body.len().min(80)]).into_owned();
                    self.record.wrong(format!("a read saw {} bytes {start:?} with {etag}", answer.body.len()));
                    return None;
                };
                Some((value, answer.header("x-amz-meta-label").map_or(0, number)))
            }
            status => {
                self.record.wrong(format!("GET answered {status}: {}", answer.text()));
                return None;
            }
        };
        self.record.note(returned, format!("GET of {called}: {seen:?}"));
        self.record.push(called, Some(returned), ObjectAction::ReadObject(seen));
        self.record.kept().tally.count("GET answered");
        Some(seen.map(|(value, _)| value))
    }

    /// Headers of a condition.
    pub fn condition(&self, demands: Demand) -> Option<(&'static str, String)> {
        match demands {
            Demand::Nothing => None,
            Demand::Absent => Some(("if-none-match", "*".to_owned())),
            Demand::Value(value) => {
                let etag = self.record.kept().values.etag(value).map(ETag::quoted).unwrap_or_default();
                Some(("if-match", etag))
            }
        }
    }

    pub fn begin(&self, line: String) -> u64 {
        let called = self.record.tick();
        self.record.note(called, line);
        called
    }

    pub fn check_etag(&self, what: &str, value: Value, etag: Option<&str>) {
        let known = self.record.kept().values.etag(value).map(|known| known.as_str().to_owned());
        if known.as_deref() != etag {
            self.record.wrong(format!("{what} of value {value} answered the ETag {etag:?}"));
        }
    }

    fn value_of(&self, etag: &str) -> Option<Value> {
        self.record.kept().values.of_etag(&ETag::parse(etag))
    }

    /// Records an operation by what its client was told.
    fn end(&self, what: &str, called: u64, told: &Told, demands: Demand, action: impl FnOnce(bool) -> ObjectAction) {
        let at = self.record.tick();
        let (returned, landed) = match told {
            Told::NotAsked => return self.record.note(at, format!("{what} of {called}: nobody is there")),
            Told::Unknown => (None, false),
            Told::Answer(answer) => match answer.status {
                200 | 204 => (Some(at), true),
                412 if demands != Demand::Nothing => (Some(at), false),
                404 if answer.code().as_deref() == Some("NoSuchKey") => (Some(at), false),
                // Others were faster: refused without a judgement.
                409 => return self.record.note(at, format!("{what} of {called}: 409")),
                status => return self.record.wrong(format!("{what} of {called} answered {status}: {}", answer.text())),
            },
        };
        self.record.note(at, format!("{what} of {called}: {}", outcome(returned, landed)));
        self.record.kept().tally.count(format!("{what} {}", outcome(returned, landed)));
        let action = match (action(landed), told) {
            // What S3 says of a demand on nothing: whoever hears it knows that nothing is there.
            (ObjectAction::Delete { .. }, Told::Answer(answer)) if answer.status == 404 => {
                ObjectAction::ReadObject(None)
            }
            (action, _) => action,
        };
        self.record.push(called, returned, action);
    }
}

impl Told {
    /// The answer, if it is a success.
    pub fn ok(&self) -> Option<&Response> {
        match self {
            Self::Answer(answer) if answer.status < 300 && answer.code().is_none() => Some(answer),
            _ => None,
        }
    }
}

/// Headers and body of a request.
#[derive(Default)]
pub struct Ask {
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Ask {
    pub fn with(headers: Vec<(&'static str, String)>) -> Self {
        Self { headers, body: Vec::new() }
    }
}

/// The path of a key.
pub fn object(key: &str) -> String {
    format!("/{BUCKET}/{key}")
}

/// Metadata and tags of a write.
pub fn labels(makes: Held) -> Vec<(&'static str, String)> {
    let mut headers = vec![("x-amz-meta-label", makes.meta.to_string())];
    if makes.tags != 0 {
        headers.push(("x-amz-tagging", format!("set={}", makes.tags)));
    }
    headers
}

fn copying(source: &str) -> [(&'static str, String); 3] {
    [
        ("x-amz-copy-source", object(source)),
        ("x-amz-metadata-directive", "REPLACE".to_owned()),
        ("x-amz-tagging-directive", "REPLACE".to_owned()),
    ]
}

fn number(text: &str) -> Label {
    text.parse().unwrap_or(Label::MAX)
}

fn outcome(returned: Option<u64>, landed: bool) -> &'static str {
    match (returned, landed) {
        (None, _) => "unknown",
        (_, true) => "done",
        (_, false) => "refused",
    }
}
