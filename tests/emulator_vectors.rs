//! Asserts `tests/vectors/*.txt` against the emulator.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bluebucket::emulator::{AccountConfig, Clock, DEVELOPMENT_ACCOUNT, Emulator, EmulatorConfig, STORAGE_AUDIENCE};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};

#[tokio::test]
async fn recorded_answers() {
    check(include_str!("vectors/blob.txt"), AccountConfig::memory(DEVELOPMENT_ACCOUNT), 100).await;
}

#[tokio::test]
async fn recorded_answers_of_hierarchical_accounts() {
    let account = AccountConfig::memory(DEVELOPMENT_ACCOUNT).hierarchical();
    check(include_str!("vectors/hierarchical.txt"), account, 40).await;
}

async fn check(text: &str, account: AccountConfig, requests_min: usize) {
    let mut failures = Vec::new();
    let mut requests = 0;
    for (number, case) in text.split("\ncase ").skip(1).enumerate() {
        let (title, body) = case.split_once('\n').unwrap();
        let mut run = Run::new(number, account.clone()).await;
        let mut lines = body.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        while let Some(request) = lines.next() {
            let expected = lines.next().unwrap_or_else(|| panic!("{title}: no answer to {request}"));
            requests += 1;
            for failure in run.step(request, expected).await {
                failures.push(format!("{title}\n  {request}\n  {expected}\n  {failure}"));
            }
        }
    }
    println!("{requests} requests");
    assert!(requests > requests_min, "the table was not read: {requests}");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

struct Run {
    emulator: Arc<Emulator>,
    container: String,
    names: HashMap<String, String>,
}

impl Run {
    async fn new(number: usize, account: AccountConfig) -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let config = EmulatorConfig { accounts: vec![account], clock: Clock::manual(now), ..EmulatorConfig::default() };
        let emulator = Emulator::new(config);
        let container = format!("con{number}");
        emulator.create_container(DEVELOPMENT_ACCOUNT, &container);
        let token = format!("Bearer {}", emulator.mint_token(STORAGE_AUDIENCE, Duration::from_secs(3600)));
        let date = |offset: i64| httpdate::fmt_http_date(now.checked_add_signed(offset));
        let names = HashMap::from([
            ("con".to_owned(), format!("http://127.0.0.1/{DEVELOPMENT_ACCOUNT}/{container}")),
            ("name".to_owned(), container.clone()),
            ("token".to_owned(), token),
            ("past".to_owned(), date(-3600)),
            ("future".to_owned(), date(3600)),
        ]);
        Self { emulator, container, names }
    }

    async fn step(&mut self, request: &str, expected: &str) -> Vec<String> {
        let request = self.fill(request.strip_prefix("> ").unwrap());
        let mut parts = request.split(" | ");
        let (method, path) = parts.next().unwrap().split_once(' ').unwrap();
        let path = match path.strip_prefix('/') {
            Some(rest) => format!("/{DEVELOPMENT_ACCOUNT}/{rest}"),
            None if path.starts_with('?') => format!("/{DEVELOPMENT_ACCOUNT}/{}{path}", self.container),
            None => format!("/{DEVELOPMENT_ACCOUNT}/{}/{path}", self.container),
        };
        let mut builder = Request::builder().method(method).uri(path);
        let mut body = "";
        let mut version = false;
        for part in parts {
            let (name, value) = part.split_once(": ").unwrap();
            match name {
                "body" => body = value,
                name => {
                    version |= name == "x-ms-version";
                    builder = builder.header(name, value);
                }
            }
        }
        if !version {
            builder = builder.header("x-ms-version", "2026-04-06");
        }
        if method != "GET" && method != "HEAD" {
            builder = builder.header("content-length", body.len());
        }
        builder = builder.header("authorization", &self.names["token"]).header("host", "127.0.0.1");
        let request = builder.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response = self.emulator.handle(request).await;
        self.compare(response, expected).await
    }

    async fn compare(&mut self, response: http::Response<bluebucket::net::Body>, expected: &str) -> Vec<String> {
        let (head, body) = response.into_parts();
        let exact = http_body::Body::size_hint(&body).exact();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        let mut headers = head.headers.clone();
        // The server adds the length of a body that it knows, not of one that it must not send.
        let bodiless = text.is_empty() && head.status.as_u16() >= 400;
        if let Some(length) = exact.filter(|_| !headers.contains_key("content-length") && !bodiless) {
            headers.insert("content-length", length.into());
        }
        let mut failures = Vec::new();
        let expected = expected.strip_prefix("< ").unwrap().to_owned();
        let mut parts = expected.split(" | ");
        let first = parts.next().unwrap();
        let (status, code) = first.split_once(' ').map_or((first, None), |(status, code)| (status, Some(code)));
        if head.status.as_str() != status {
            failures.push(format!("status {} {text}", head.status));
        }
        let found_code = headers.get("x-ms-error-code").and_then(|value| value.to_str().ok());
        match code {
            Some("-") => {}
            code if code != found_code => failures.push(format!("code {found_code:?}")),
            Some(code)
                if !text.is_empty()
                    && !text.contains(&format!("<Code>{code}</Code>"))
                    && !text.contains(&format!("\"code\":\"{code}\"")) =>
            {
                failures.push(format!("body {text}"));
            }
            _ => {}
        }
        if !text.is_empty() && head.status.as_u16() >= 400 && !text.starts_with(['\u{FEFF}', '{']) {
            failures.push("no byte order mark".to_owned());
        }
        for part in parts {
            if let Some(failure) = self.compare_part(part, &headers, &text) {
                failures.push(failure);
            }
        }
        failures
    }

    fn compare_part(&mut self, part: &str, headers: &http::HeaderMap, text: &str) -> Option<String> {
        if let Some(wanted) = part.strip_prefix("body~ ") {
            return (!text.contains(wanted)).then(|| format!("body without {wanted}: {text}"));
        }
        if let Some(unwanted) = part.strip_prefix("body!~ ") {
            return text.contains(unwanted).then(|| format!("body with {unwanted}: {text}"));
        }
        if let Some(name) = part.strip_prefix('-') {
            return headers.get(name).map(|value| format!("{name}: {value:?}"));
        }
        let (name, wanted) = part.split_once(": ").unwrap();
        let Some(found) = headers.get(name).and_then(|value| value.to_str().ok()) else {
            return Some(format!("no {name}"));
        };
        if let Some(key) = wanted.strip_prefix('=') {
            self.names.insert(key.to_owned(), found.to_owned());
            return None;
        }
        let wanted = self.fill(wanted);
        (wanted != "*" && wanted != found).then(|| format!("{name}: {found}"))
    }

    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.names {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

trait AddSigned {
    fn checked_add_signed(self, seconds: i64) -> SystemTime;
}

impl AddSigned for SystemTime {
    fn checked_add_signed(self, seconds: i64) -> SystemTime {
        let step = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { self - step } else { self + step }
    }
}
