//! Keys that are at once an object and a directory: `a` beside `a/b`. A hierarchical account can hold
//! only one of the two.

/// Finds such keys in a sorted stream. Holds only keys that begin with one another, so never more
/// than the longest key has bytes.
#[derive(Default)]
pub struct Collisions {
    open: Vec<(String, bool)>,
}

impl Collisions {
    /// Takes the next key; returns the keys that turn out to be a directory too, each once.
    pub fn take(&mut self, key: &str) -> Vec<String> {
        while self.open.last().is_some_and(|(open, _)| !key.starts_with(open.as_str())) {
            self.open.pop();
        }
        let mut found = Vec::new();
        for (open, told) in &mut self.open {
            // A key that ends in a slash is a directory marker, and no object in its way.
            if !*told && !open.ends_with('/') && key[open.len()..].starts_with('/') {
                *told = true;
                found.push(open.clone());
            }
        }
        self.open.push((key.to_owned(), false));
        found
    }

    /// Takes a key that came before the first one; `told` if it was found to be a directory already.
    /// Such keys come in ascending order too, and each begins with the one before.
    pub fn seed(&mut self, key: String, told: bool) {
        self.open.push((key, told));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_keys_may_sort_in_between() {
        let mut collisions = Collisions::default();
        let found: Vec<_> = ["a", "a-b", "a.b", "a/", "a/b", "a/b/c", "b/", "b/x", "c", "c0"]
            .iter()
            .flat_map(|key| collisions.take(key))
            .collect();
        assert_eq!(found, ["a", "a/b"]);
    }

    proptest! {
        #[test]
        fn as_a_search_of_all_pairs(keys in proptest::collection::btree_set("[a/-]{1,5}", 0..60)) {
            let mut collisions = Collisions::default();
            let mut found: Vec<_> = keys.iter().flat_map(|key| collisions.take(key)).collect();
            found.sort();
            let is_directory = |key: &&String| {
                !key.ends_with('/') && keys.iter().any(|other| other.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('/')))
            };
            let expected: Vec<_> = keys.iter().filter(is_directory).cloned().collect();
            prop_assert_eq!(found, expected);
        }
    }
}
