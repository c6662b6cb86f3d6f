//! `--name value` pairs, the last one of a name counts.

/// The arguments of this process.
pub struct Arguments(Vec<(String, String)>);

impl Arguments {
    pub fn read() -> Self {
        let mut pairs = Vec::new();
        let mut words = std::env::args().skip(1).peekable();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else { continue };
            // `cargo bench` adds a `--bench` of its own.
            let value = words.next_if(|next| !next.starts_with("--")).unwrap_or_default();
            pairs.push((name.to_owned(), value));
        }
        Self(pairs)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub fn text_or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.text(name).unwrap_or(default)
    }

    pub fn number_or(&self, name: &str, default: u64) -> u64 {
        match self.text(name) {
            Some(text) => text.parse().unwrap_or_else(|_| panic!("--{name} must be a number, not {text:?}")),
            None => default,
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }
}
