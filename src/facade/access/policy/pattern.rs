//! Patterns with `*` (any characters) and `?` (one character).

/// What is compared with a pattern: a text, or bucket and key joined by a slash without being copied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Name<'a> {
    head: &'a [u8],
    tail: Option<&'a [u8]>,
}

impl<'a> Name<'a> {
    pub fn text(text: &'a str) -> Self {
        Self { head: text.as_bytes(), tail: None }
    }

    pub fn bucket(name: &'a str) -> Self {
        Self::text(name)
    }

    pub fn object(bucket: &'a str, key: &'a str) -> Self {
        Self { head: bucket.as_bytes(), tail: Some(key.as_bytes()) }
    }

    fn at(self, index: usize) -> Option<u8> {
        match index.checked_sub(self.head.len()) {
            None => self.head.get(index).copied(),
            Some(0) => self.tail.map(|_| b'/'),
            Some(after) => self.tail?.get(after - 1).copied(),
        }
    }

    /// The index after the character that begins at `index`; `None` at the end.
    fn after_character(self, index: usize) -> Option<usize> {
        self.at(index)?;
        let mut end = index + 1;
        while self.at(end).is_some_and(is_continuation) {
            end += 1;
        }
        Some(end)
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Whether the whole of a name fits a pattern. Never goes back further than the last `*`.
pub fn matches(pattern: &str, name: Name<'_>) -> bool {
    let pattern = pattern.as_bytes();
    let (mut at, mut seen) = (0, 0);
    // Where to go on if what follows the last `*` does not fit: the `*` then takes one byte more.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let next = match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, seen));
                at += 1;
                continue;
            }
            Some(b'?') => name.after_character(seen),
            Some(&byte) => (name.at(seen) == Some(byte)).then_some(seen + 1),
            None if name.at(seen).is_none() => return true,
            None => None,
        };
        match (next, retry) {
            (Some(next), _) => (at, seen) = (at + 1, next),
            (None, Some((after_star, from))) if name.at(from).is_some() => {
                retry = Some((after_star, from + 1));
                (at, seen) = (after_star, from + 1);
            }
            (None, _) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (pattern, name, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b/ü", true),
            ("**", "a", true),
            ("a", "a", true),
            ("a", "A", false),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "aba", true),
            ("*a", "ab", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("?", "a", true),
            ("?", "ü", true),
            ("?", "😀", true),
            ("?", "", false),
            ("?", "ab", false),
            ("??", "ü", false),
            ("*?", "😀", true),
            ("*??", "😀", false),
            ("*?*?*", "ü", false),
            ("a?c", "aüc", true),
            ("*aab", "aaaab", true),
            ("[a]", "a", false),
            ("b/t/*", "b/t/x/y", true),
            ("b/t/*", "b/t", false),
            ("b/t/*", "b/t/", true),
        ] {
            assert_eq!(matches(pattern, Name::text(name)), fits, "{pattern} {name}");
            if let Some((bucket, key)) = name.split_once('/') {
                assert_eq!(matches(pattern, Name::object(bucket, key)), fits, "{pattern} {name}");
            }
        }
        assert!(!matches("b", Name::object("b", "")) && matches("b/", Name::object("b", "")));
    }
}
