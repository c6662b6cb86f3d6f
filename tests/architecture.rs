//! The shape of the code, checked: which module may import which, and the rules of the house.
//! Every violation is listed with file and line.

use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom, besides itself. `main`, `lib`, `cli` and `daemon` may import everything.
const IMPORTS: &[(&str, &[&str])] = &[
    ("object", &[]),
    ("telemetry", &[]),
    ("net", &["telemetry"]),
    ("emulator", &["net", "telemetry"]),
    ("s3", &["object"]),
    ("source", &["s3", "object", "net", "telemetry"]),
    ("blob", &["object", "net", "telemetry"]),
    ("state", &["blob", "object", "net", "telemetry"]),
    ("bucket", &["state", "blob", "object", "net", "telemetry"]),
    ("migration", &["bucket", "state", "blob", "source", "object", "net", "telemetry"]),
    ("facade", &["migration", "s3", "object", "net", "telemetry"]),
    ("mover", &["migration", "source", "object", "net", "telemetry"]),
    ("admin", &["migration", "net", "telemetry"]),
    ("config", &["object", "net", "telemetry"]),
];

const IMPORT_EVERYTHING: &[&str] = &["main", "lib", "cli", "daemon"];

/// Who may read the environment and the command line.
const ENVIRONMENT_READERS: &[&str] = &["config", "cli"];

/// Files that may hold `unsafe`. There is none, and a first one needs a very good reason.
const UNSAFE_FILES: &[&str] = &[];

/// Names that say nothing about what a file is for.
const EMPTY_NAMES: &[&str] = &["mod", "utils", "util", "common", "helpers", "helper", "misc"];

#[test]
fn modules_import_only_what_they_may() {
    report(sources("src").iter().flat_map(forbidden_imports).collect());
}

#[test]
fn files_are_named_after_their_idea() {
    let nameless = sources("src").into_iter().chain(sources("tests")).filter(|source| {
        let names = Path::new(&source.name).with_extension("");
        names.iter().any(|name| EMPTY_NAMES.iter().any(|empty| name == *empty))
    });
    report(nameless.map(|source| format!("{}: the name says nothing", source.name)).collect());
}

#[test]
fn only_config_and_cli_read_the_environment() {
    let readers = ["std::env::", "std::env;", "env::var", "env::args", "env::set_var"];
    let others = sources("src").into_iter().filter(|source| !ENVIRONMENT_READERS.contains(&source.module.as_str()));
    report(others.flat_map(|source| find(&source, source.product_code(), &readers, "reads the environment")).collect());
}

#[test]
fn there_is_no_unsafe_code() {
    let others = sources("src").into_iter().filter(|source| !UNSAFE_FILES.contains(&source.name.as_str()));
    report(others.flat_map(|source| find(&source, &source.code, &["unsafe"], "is unsafe code")).collect());
}

/// A signature is a `Mac` and a secret a `Secret`: their `==` takes the same time wherever they differ. As plain bytes or
/// text they would be compared like any other.
#[test]
fn signatures_and_secrets_are_compared_in_constant_time() {
    let compared = ["expose() ==", "expose() !=", "expose().eq(", "expose().cmp(", "expose().as_bytes() =="];
    let plain = ["signature: [u8; 32]", "signature: Option<[u8; 32]>", "claimed: [u8; 32]", "mac: [u8; 32]"];
    let found = sources("src").into_iter().flat_map(|source| {
        let code = source.product_code();
        let mut found = find(&source, code, &compared, "takes longer the more of a guess is right");
        found.extend(find(&source, code, &plain, "has to be a `Mac`"));
        found
    });
    report(found.collect());
}

#[test]
fn nothing_is_left_for_later() {
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X ")];
    let stubs = ["todo!", "unimplemented!", "dbg!"];
    let files = || sources("src").into_iter().chain(sources("tests"));
    let mut found: Vec<String> = files().flat_map(|source| find(&source, &source.text, &notes, "is a note")).collect();
    found.extend(files().flat_map(|source| find(&source, &source.code, &stubs, "is unfinished")));
    report(found);
}

/// A file of Rust, as it is and without what the compiler passes over.
struct Source {
    /// Its path, as violations name it.
    name: String,
    /// The top-level module that it belongs to.
    module: String,
    /// How many modules deep it is: 1 for `src/blob.rs`.
    depth: usize,
    text: String,
    /// Comments and the contents of literals blanked out, line by line the same.
    code: String,
}

impl Source {
    fn new(name: &str, text: String) -> Self {
        let path = Path::new(name).with_extension("");
        let parts: Vec<&str> = path.iter().skip(1).filter_map(|part| part.to_str()).collect();
        let module = parts.first().copied().unwrap_or_default().to_owned();
        Self { name: name.to_owned(), module, depth: parts.len(), code: blank(&text), text }
    }

    /// The code without the tests, which stand at the end of a file or in a file of their own.
    fn product_code(&self) -> &str {
        if self.name.ends_with("/tests.rs") || self.name.contains("/tests/") {
            return "";
        }
        let inline = self.code.find("#[cfg(test)]\nmod tests {");
        &self.code[..inline.unwrap_or(self.code.len())]
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    files.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root).ok()?.to_str()?.to_owned();
        Some(Source::new(&name, fs::read_to_string(path).ok()?))
    };
    files.into_iter().filter_map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn report(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// Finds words that do not belong; a word that begins or ends in a letter is found whole only.
fn find(source: &Source, code: &str, words: &[&str], what: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for word in words {
            if whole_word(line, word) {
                found.push(format!("{}:{}: `{word}` {what}", source.name, number + 1));
            }
        }
    }
    found
}

fn whole_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let glued =
            |neighbour: Option<char>, edge: Option<char>| neighbour.is_some_and(is_word) && edge.is_some_and(is_word);
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !(glued(before, word.chars().next()) || word == "unsafe" && glued(after, word.chars().next_back()))
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn forbidden_imports(source: &Source) -> Vec<String> {
    if IMPORT_EVERYTHING.contains(&source.module.as_str()) {
        return Vec::new();
    }
    let Some((_, allowed)) = IMPORTS.iter().find(|(module, _)| *module == source.module) else {
        return vec![format!("{}:1: the table of imports does not know the module {}", source.name, source.module)];
    };
    let wrong = imports(source).into_iter().filter(|(_, to)| *to != source.module && !allowed.contains(&to.as_str()));
    wrong.map(|(line, to)| format!("{}:{line}: {} must not import {to}", source.name, source.module)).collect()
}

/// The top-level modules that a file names, each with its line: `crate::a`, `crate::{a, b::c}`, and as
/// many `super::` as lead to the root.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let code = source.product_code();
    let mut found = Vec::new();
    for root in ["crate::".to_owned(), "super::".repeat(source.depth)] {
        for (start, _) in code.match_indices(&root) {
            let before = &code[..start];
            let continues = before.ends_with("::") || before.ends_with(is_word) || before.ends_with('$');
            if continues || root.is_empty() {
                continue;
            }
            let line = before.matches('\n').count() + 1;
            let names = first_names(&code[start + root.len()..]);
            // Macros of the crate live at its root and belong to nobody.
            found
                .extend(names.into_iter().filter(|name| name.starts_with(char::is_lowercase)).map(|name| (line, name)));
        }
    }
    found
}

/// The first name of a path, or of every path in a group.
fn first_names(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        let name: String = rest.chars().take_while(|&character| is_word(character)).collect();
        return if name == "super" { Vec::new() } else { vec![name] };
    };
    let mut names = Vec::new();
    let (mut depth, mut name, mut fresh) = (1, String::new(), true);
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        let top = depth == 1;
        if top && fresh && is_word(character) {
            name.push(character);
        } else if !name.is_empty() {
            names.push(std::mem::take(&mut name));
            fresh = false;
        }
        if top && character == ',' {
            fresh = true;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Blanks comments and the contents of string and character literals; lines stay where they are.
fn blank(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = literal_end(&characters, at);
        match end {
            Some(end) => {
                code.extend(characters[at..end].iter().map(|&character| if character == '\n' { '\n' } else { ' ' }));
                at = end;
            }
            None => {
                code.push(characters[at]);
                at += 1;
            }
        }
    }
    code
}

/// Where the comment or literal that begins at `at` ends, if one does.
fn literal_end(text: &[char], at: usize) -> Option<usize> {
    let starts = |word: &str| word.chars().enumerate().all(|(index, c)| text.get(at + index) == Some(&c));
    if starts("//") {
        return Some(text[at..].iter().position(|&c| c == '\n').map_or(text.len(), |length| at + length));
    }
    if starts("/*") {
        return Some(block_comment_end(text, at));
    }
    let after_word = at > 0 && is_word(text[at - 1]);
    if text[at] == 'r' && !after_word || text[at] == 'r' && at > 0 && text[at - 1] == 'b' {
        return raw_string_end(text, at + 1);
    }
    match text[at] {
        '"' => Some(quoted_end(text, at, '"')),
        // A lifetime has no quote behind its name.
        '\'' if text.get(at + 1) == Some(&'\\') || text.get(at + 2) == Some(&'\'') => Some(quoted_end(text, at, '\'')),
        _ => None,
    }
}

fn block_comment_end(text: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    while at + 1 < text.len() {
        match (text[at], text[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn raw_string_end(text: &[char], hashes_from: usize) -> Option<usize> {
    let hashes = text[hashes_from..].iter().take_while(|&&c| c == '#').count();
    let mut at = hashes_from + hashes;
    if text.get(at) != Some(&'"') {
        return None;
    }
    loop {
        at += 1;
        match text.get(at) {
            None => return Some(text.len()),
            Some('"') if text[at + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes => {
                return Some(at + 1 + hashes);
            }
            Some(_) => {}
        }
    }
}

fn quoted_end(text: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while let Some(&character) = text.get(at) {
        if character == quote {
            return at + 1;
        }
        at += if character == '\\' { 2 } else { 1 };
    }
    text.len()
}

/// The check itself can fail: each of these files breaks a rule, or looks as if it did.
#[test]
fn the_check_sees_what_it_should() {
    let cases = [
        ("src/blob/client.rs", "use crate::s3::Header;", 1),
        ("src/blob/client.rs", "use crate::{net::Body, object, s3};", 1),
        ("src/blob/client.rs", "use crate::{\n    net::{self, s3},\n    migration,\n};", 1),
        ("src/blob/client.rs", "fn f() -> crate::facade::X { pub(crate) fn g() {} }", 1),
        ("src/blob/client.rs", "use super::super::mover;", 1),
        ("src/blob.rs", "use super::mover;", 1),
        ("src/blob/client.rs", "use super::facade;", 0),
        ("src/blob/client.rs", "use crate::blob::facade; // crate::s3\nconst A: &str = \"crate::s3\";", 0),
        ("src/blob/client.rs", "let a = r#\"\"crate::s3\"#; let b = '\"'; let c: &'a str; use crate::object;", 0),
        ("src/blob/client.rs", "/* /* crate::s3 */ crate::s3 */", 0),
        ("src/blob/client.rs", "#[cfg(test)]\nmod tests {\n    use crate::emulator;\n}", 0),
        ("src/object/key.rs", "use crate::telemetry::Secret;", 1),
        ("src/unknown.rs", "", 1),
        ("src/daemon.rs", "use crate::{blob, facade, mover};", 0),
    ];
    for (name, text, expected) in cases {
        let found = forbidden_imports(&Source::new(name, text.to_owned()));
        assert_eq!(found.len(), expected, "{name}: {text}\n{found:?}");
    }
    assert!(whole_word("let x = unsafe { 1 };", "unsafe") && !whole_word("#![forbid(unsafe_code)]", "unsafe"));
    assert!(whole_word("std::env::var(\"A\")", "env::var") && !whole_word("my_env::var(x)", "env::var"));
    let multiline = Source::new("src/blob/a.rs", "fn a() {}\n// x\nuse crate::s3;\n".to_owned());
    assert_eq!(forbidden_imports(&multiline), ["src/blob/a.rs:3: blob must not import s3"]);
}
