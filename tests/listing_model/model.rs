//! What a bucket should hold and list.

use std::collections::BTreeSet;

use crate::harness::random::Random;

/// Characters whose order traps: around `/`, around the surrogates, of one to four bytes.
const CHARACTERS: [char; 22] = [
    'a',
    'a',
    'b',
    'A',
    '0',
    ' ',
    '!',
    '-',
    '+',
    '%',
    '&',
    '.',
    '~',
    '\u{e9}',
    '\u{d7ff}',
    '\u{e001}',
    '\u{fffd}',
    '\u{10000}',
    '\u{1f600}',
    '\u{10ffff}',
    '/',
    '/',
];
const DELIMITERS: [&str; 12] =
    ["/", "/", "/", "/", "-", "a", "a/", "\u{1f600}", "!", "/a", "a\u{1f600}", "\u{e001}\u{10000}"];

pub struct Model {
    pub keys: BTreeSet<String>,
    pub hierarchical: bool,
}

#[derive(Clone, Debug)]
pub struct Query {
    pub prefix: String,
    pub delimiter: Option<String>,
    pub after: Option<String>,
    pub limit: usize,
    pub version: u8,
}

impl Model {
    pub fn new(hierarchical: bool) -> Self {
        Self { keys: BTreeSet::new(), hierarchical }
    }

    /// Puts a key; returns the status that is to be answered.
    pub fn put(&mut self, key: &str) -> u16 {
        let named = key.strip_suffix('/').unwrap_or(key);
        if self.hierarchical && named.split('/').any(str::is_empty) {
            return 400;
        }
        if self.hierarchical && !self.keys.contains(key) && self.collides(key) {
            return 409;
        }
        self.keys.insert(key.to_owned());
        200
    }

    /// Whether a part of the path is an object, or the path a directory with keys in it.
    fn collides(&self, key: &str) -> bool {
        let mut parents = key.match_indices('/').map(|(at, _)| &key[..at]);
        let below = format!("{key}/");
        let is_directory = || self.keys.range(below.clone()..).next().is_some_and(|other| other.starts_with(&below));
        parents.any(|parent| self.keys.contains(parent)) || !key.ends_with('/') && is_directory()
    }

    pub fn may_make_directory(&self, path: &str) -> bool {
        let mut parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        !self.keys.contains(path) && !parents.any(|parent| self.keys.contains(parent))
    }

    /// All entries of a listing: keys, and folded prefixes (`true`).
    pub fn list(&self, query: &Query) -> Vec<(String, bool)> {
        let mut entries: Vec<(String, bool)> = Vec::new();
        for key in self.keys.iter().filter(|key| key.starts_with(&query.prefix)) {
            let rest = &key[query.prefix.len()..];
            let folded = query.delimiter.as_deref().and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
            let entry = match folded {
                Some(end) => (key[..query.prefix.len() + end].to_owned(), true),
                None => (key.clone(), false),
            };
            let comes = query.after.as_ref().is_none_or(|after| entry.0 > *after);
            if comes && entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
        entries
    }
}

impl Query {
    pub fn draw(random: &mut Random, model: &Model) -> Self {
        Self {
            prefix: if random.chance(0.4) { String::new() } else { beginning(random, model) },
            delimiter: random.chance(0.7).then(|| (*random.pick(&DELIMITERS)).to_owned()),
            after: random.chance(0.5).then(|| beginning(random, model)).filter(|after| !after.is_empty()),
            limit: 1 + random.below(5) as usize,
            version: 1 + random.below(2) as u8,
        }
    }
}

/// A legal key: often one that goes on from another.
pub fn key(random: &mut Random, model: &Model) -> String {
    loop {
        let mut key = if random.chance(0.6) { beginning(random, model) } else { String::new() };
        for _ in 0..1 + random.below(4) {
            key.push(*random.pick(&CHARACTERS));
        }
        let legal = key.split('/').all(|segment| !segment.ends_with('.'));
        let plain = !model.hierarchical || random.chance(0.05) || !key.contains("//") && !key.starts_with('/');
        if legal && plain {
            return key;
        }
    }
}

/// A path on which a native client may make a directory.
pub fn directory(random: &mut Random, model: &Model) -> String {
    loop {
        let path = key(random, model);
        let path = path.trim_end_matches('/');
        if !path.split('/').any(str::is_empty) {
            return path.to_owned();
        }
    }
}

/// The beginning of a key, of any length, at times with another character behind.
fn beginning(random: &mut Random, model: &Model) -> String {
    let keys: Vec<&String> = model.keys.iter().collect();
    if keys.is_empty() {
        return String::new();
    }
    let characters: Vec<char> = random.pick(&keys).chars().collect();
    let mut text: String = characters[..random.below(characters.len() as u64 + 1) as usize].iter().collect();
    if random.chance(0.2) {
        text.push(*random.pick(&CHARACTERS));
    }
    text
}

/// Names that RFC 7230 allows, and values of any UTF-8 that a header can carry, in all less than the 2
/// KiB of S3.
pub fn metadata(random: &mut Random) -> Vec<(String, String)> {
    const TOKEN: &[u8] = b"!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz";
    const VALUE: [char; 24] = [
        'a',
        'Z',
        '0',
        ' ',
        '!',
        '"',
        '#',
        '%',
        '&',
        '+',
        ',',
        ';',
        '=',
        '?',
        '\\',
        '~',
        '\u{e9}',
        '\u{df}',
        '\u{4e2d}',
        '\u{fffd}',
        '\u{10000}',
        '\u{1f600}',
        '|',
        '_',
    ];
    let mut names = BTreeSet::new();
    let mut metadata = Vec::new();
    for _ in 0..random.below(6) {
        let name: String =
            (0..1 + random.below(12)).map(|_| char::from(*random.pick(TOKEN))).collect::<String>().to_ascii_lowercase();
        let value: String = (0..random.below(40)).map(|_| *random.pick(&VALUE)).collect();
        let reserved = ["hdi_isfolder", "bluebucket"];
        let name = if random.chance(0.05) { (*random.pick(&reserved)).to_owned() } else { name };
        if names.insert(name.clone()) {
            metadata.push((name, value.trim().to_owned()));
        }
    }
    metadata
}
