//! Listings and metadata against a small model, through the facade, on a flat and on a hierarchical
//! account: any legal key, prefix, delimiter, page size and start, in both versions of the operation.
//!
//! A few worlds by default, 200 of each kind with `BLUEBUCKET_FULL=1`, any number with
//! `BLUEBUCKET_WORLDS`. A failing one prints its seed; `BLUEBUCKET_SEED` runs it alone.

#[path = "harness/harness.rs"]
mod harness;
#[path = "listing_model/model.rs"]
mod model;

use std::collections::BTreeSet;

use bluebucket::emulator::{AccountConfig, DEVELOPMENT_ACCOUNT};
use harness::percent;
use harness::product::{BUCKET, Product, Setup};
use harness::random::{Random, mix};
use harness::s3_client::{BodyMode, Connection, S3Client};
use model::{Model, Query};

const QUICK: u64 = 6;
const FULL: u64 = 200;
const LISTINGS: u32 = 12;

#[tokio::test]
async fn flat_listings_agree_with_the_model() {
    worlds(AccountConfig::memory(DEVELOPMENT_ACCOUNT)).await;
}

#[tokio::test]
async fn hierarchical_listings_agree_with_the_model() {
    worlds(AccountConfig::memory(DEVELOPMENT_ACCOUNT).hierarchical()).await;
}

#[tokio::test]
async fn any_metadata_comes_back() {
    let seed = harness::random::seed("metadata");
    let mut random = Random::new(seed);
    let product = Product::start().await;
    let client = product.client();
    let rounds = if full() { 2_000 } else { 150 };
    for round in 0..rounds {
        let metadata = model::metadata(&mut random);
        let mut request = client.object("PUT", BUCKET, "key").body(b"x", BodyMode::Signed);
        for (name, value) in &metadata {
            request = request.header(&format!("x-amz-meta-{name}"), value);
        }
        let put = client.send(&request.build()).await.unwrap();
        assert_eq!(put.status, 200, "seed {seed}, round {round}: {metadata:?}: {}", put.text());
        for method in ["GET", "HEAD"] {
            let got = client.send(&client.object(method, BUCKET, "key").build()).await.unwrap();
            for (name, value) in &metadata {
                let shown = got.header(&format!("x-amz-meta-{}", name.to_ascii_lowercase()));
                assert_eq!(shown, Some(value.as_str()), "seed {seed}, round {round}: {name}");
            }
            let shown = got.head.headers.iter().filter(|(name, _)| name.starts_with("x-amz-meta-")).count();
            assert_eq!(shown, metadata.len(), "seed {seed}, round {round}: {:?}", got.head.headers);
        }
    }
}

fn full() -> bool {
    std::env::var("BLUEBUCKET_FULL").is_ok()
}

async fn worlds(account: AccountConfig) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (count, base) = match number("BLUEBUCKET_SEED") {
        Some(seed) => (1, seed),
        None => {
            let count = number("BLUEBUCKET_WORLDS").unwrap_or(if full() { FULL } else { QUICK });
            (count, u64::from(fastrand::u32(..)))
        }
    };
    println!("{count} worlds from seed {base}");
    let mut entries = 0;
    for seed in base..base + count {
        entries += world(account.clone(), seed).await;
    }
    println!("{entries} entries were listed");
    assert!(entries > 0);
}

/// Fills a bucket and lists it in several ways; returns how many entries were compared.
async fn world(account: AccountConfig, seed: u64) -> usize {
    let mut random = Random::new(mix(seed));
    let hierarchical = account.hierarchical;
    let mut setup = Setup::of(account);
    // Small pages of the service make large trees of small ones.
    setup.emulator.page_max = *random.pick(&[1, 2, 3, 5, 5000]);
    setup.emulator.empty_page_every = *random.pick(&[None, None, Some(2), Some(3)]);
    let product = Product::with(setup).await;
    let mut world =
        World { client: product.client(), connection: product.client().open().await.unwrap(), seed, compared: 0 };
    let mut model = Model::new(hierarchical);
    for _ in 0..5 + random.below(35) {
        let key = model::key(&mut random, &model);
        world.put(&mut model, &key).await;
        if !model.keys.is_empty() && random.chance(0.15) {
            let victim = random.pick(&model.keys.iter().cloned().collect::<Vec<_>>()).clone();
            world.delete(&mut model, &victim).await;
        }
        if hierarchical && random.chance(0.1) {
            let directory = model::directory(&mut random, &model);
            if model.may_make_directory(&directory) {
                product.data_lake().make_directory(&directory).await;
            }
        }
    }
    for _ in 0..LISTINGS {
        let query = Query::draw(&mut random, &model);
        world.list(&model, &query).await;
    }
    world.compared
}

struct World {
    client: S3Client,
    connection: Connection,
    seed: u64,
    compared: usize,
}

impl World {
    async fn send(&mut self, request: &harness::s3_client::RawRequest) -> harness::s3_client::Response {
        match self.connection.send(request).await {
            Ok(response) => response,
            Err(_) => {
                self.connection = self.client.open().await.unwrap();
                self.connection.send(request).await.unwrap()
            }
        }
    }

    async fn put(&mut self, model: &mut Model, key: &str) {
        let request = self.client.object("PUT", BUCKET, key).body(key.as_bytes(), BodyMode::Signed).build();
        let put = self.send(&request).await;
        let expected = model.put(key);
        assert_eq!(put.status, expected, "seed {}: PUT {key:?}: {}\n{:?}", self.seed, put.text(), model.keys);
    }

    async fn delete(&mut self, model: &mut Model, key: &str) {
        let request = self.client.object("DELETE", BUCKET, key).build();
        assert_eq!(self.send(&request).await.status, 204, "seed {}: DELETE {key:?}", self.seed);
        model.keys.remove(key);
    }

    async fn list(&mut self, model: &Model, query: &Query) {
        let expected = model.list(query);
        let mut found: Vec<(String, bool)> = Vec::new();
        let mut after = query.after.clone();
        let mut token = None;
        loop {
            let page = self.page(query, after.as_deref(), token.as_deref()).await;
            let context = || format!("seed {}: {query:?} after {after:?}: {page:?}\n{:?}", self.seed, model.keys);
            assert!(page.entries.len() <= query.limit, "{}", context());
            assert!(!page.truncated || !page.entries.is_empty(), "empty and truncated: {}", context());
            if !model.hierarchical && page.truncated {
                assert_eq!(page.entries.len(), query.limit, "{}", context());
            }
            found.extend(page.entries.iter().cloned());
            assert!(found.len() <= expected.len(), "too much: {}\n{found:?}\n{expected:?}", context());
            if !page.truncated {
                break;
            }
            (after, token) = (Some(found.last().unwrap().0.clone()), page.token);
        }
        assert_eq!(found, expected, "seed {}: {query:?}\n{:?}", self.seed, model.keys);
        self.compared += found.len();
    }

    async fn page(&mut self, query: &Query, after: Option<&str>, token: Option<&str>) -> Page {
        let encode = |text: &str| percent::encode(text.as_bytes(), b"");
        let mut target = format!("/{BUCKET}?encoding-type=url&max-keys={}", query.limit);
        let mut add = |name: &str, value: &str| target.push_str(&format!("&{name}={}", encode(value)));
        add("prefix", &query.prefix);
        if let Some(delimiter) = &query.delimiter {
            add("delimiter", delimiter);
        }
        match (query.version, token, after) {
            (1, _, Some(after)) => add("marker", after),
            (2, Some(token), _) => add("continuation-token", token),
            (2, None, Some(after)) => add("start-after", after),
            _ => {}
        }
        if query.version == 2 {
            add("list-type", "2");
        }
        let request = self.client.request("GET", &target).build();
        let response = self.send(&request).await;
        assert_eq!(response.status, 200, "seed {}: {target}: {}", self.seed, response.text());
        Page::read(&response)
    }
}

/// A page as the client sees it, keys and prefixes in one order.
#[derive(Debug)]
struct Page {
    entries: Vec<(String, bool)>,
    truncated: bool,
    token: Option<String>,
}

impl Page {
    fn read(response: &harness::s3_client::Response) -> Self {
        let decode =
            |text: String| String::from_utf8(percent::decode(&text.replace('+', " "), false).unwrap()).unwrap();
        let prefix = |text: &String| Some(text.strip_prefix("<Prefix>")?.strip_suffix("</Prefix>")?.to_owned());
        let keys: Vec<_> = response.elements("Key").into_iter().map(decode).collect();
        let prefixes: Vec<_> = response.elements("CommonPrefixes").iter().filter_map(prefix).map(decode).collect();
        assert!(keys.is_sorted() && prefixes.is_sorted(), "{}", response.text());
        let all = keys.into_iter().map(|key| (key, false)).chain(prefixes.into_iter().map(|prefix| (prefix, true)));
        let entries: BTreeSet<_> = all.collect();
        Self {
            entries: entries.into_iter().collect(),
            truncated: response.element("IsTruncated").as_deref() == Some("true"),
            token: response.element("NextContinuationToken"),
        }
    }
}
