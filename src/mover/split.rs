//! Finds bounds that cut a bucket into ranges of about equal numbers of keys, by probing.
//!
//! S3 lists in byte order and starts after any text, so a probe tells where the next key lies. The
//! key space is halved between two known keys in an alphabet learned from the keys themselves; empty
//! halves cost one small request each. How many keys a piece has is estimated from how far its first
//! page reaches. Needs no delimiter, so flat prefixes are cut as well as deep ones.

use std::collections::BTreeSet;

use crate::object::{BucketName, Result};
use crate::source::{SourceClient, SourceList};

/// Pieces of at most this many keys are not cut further.
const PIECE_MIN: f64 = 4000.0;
/// Keys from whose reach the number in a piece is estimated. Every cut asks for them twice: more would
/// cost a bucket of some ten thousand keys as much as listing it.
const SAMPLE: u32 = 200;
/// Probes for one cut: enough to find the way down a common prefix.
const PROBES_PER_CUT: u32 = 48;
/// Empty halves after which the common prefix is searched for.
const HALVES_BEFORE_NARROWING: u32 = 3;
/// Characters beyond the common prefix that are told apart, if the alphabet is small.
const DIGITS: u32 = 12;

/// Where probes go: the source, or a model of it in tests.
pub trait Probe {
    /// The first keys after `after` within the prefix, at most `limit`, and whether more follow.
    fn keys(&mut self, after: Option<&str>, limit: u32) -> impl Future<Output = Result<(Vec<String>, bool)>> + Send;
}

/// Probes a bucket.
pub struct SourceProbe<'a> {
    pub source: &'a SourceClient,
    pub bucket: &'a BucketName,
    pub prefix: &'a str,
}

impl Probe for SourceProbe<'_> {
    async fn keys(&mut self, after: Option<&str>, limit: u32) -> Result<(Vec<String>, bool)> {
        let list = SourceList {
            prefix: self.prefix.to_owned(),
            start_after: after.map(str::to_owned),
            max_keys: Some(limit),
            ..SourceList::default()
        };
        let page = self.source.list_objects(self.bucket, &list).await?;
        Ok((page.objects.into_iter().map(|object| object.key).collect(), page.truncated))
    }
}

/// The bounds of at most `ranges` ranges: the last possible key of each but the last, ascending.
///
/// # Errors
/// Those of the probe.
pub async fn split(probe: &mut impl Probe, ranges: usize) -> Result<Vec<String>> {
    let (page, truncated) = probe.keys(None, 1000).await?;
    let (Some(first), true) = (page.first(), truncated && ranges > 1) else { return Ok(Vec::new()) };
    let mut alphabet = Alphabet::default();
    page.iter().for_each(|key| alphabet.learn(key));
    let mut pieces = vec![Piece { after: None, first: first.clone(), end: None, keys: f64::MAX, whole: false }];
    while pieces.len() < ranges {
        let Some(at) = heaviest(&pieces) else { break };
        match cut(probe, &mut alphabet, &mut pieces[at]).await? {
            Some(upper) => {
                let upper = measured(probe, &mut alphabet, upper).await?;
                let lower = std::mem::replace(&mut pieces[at], Piece::empty());
                pieces[at] = measured(probe, &mut alphabet, lower).await?;
                pieces.insert(at + 1, upper);
            }
            None => pieces[at].whole = true,
        }
    }
    Ok(pieces.into_iter().filter_map(|piece| piece.after).collect())
}

/// Keys after `after`, the first of them `first`, none at or after `end` within the piece.
#[derive(Clone, Debug)]
struct Piece {
    after: Option<String>,
    first: String,
    end: Option<String>,
    /// Estimated.
    keys: f64,
    /// Cannot be cut.
    whole: bool,
}

impl Piece {
    fn empty() -> Self {
        Self { after: None, first: String::new(), end: None, keys: 0.0, whole: true }
    }
}

fn heaviest(pieces: &[Piece]) -> Option<usize> {
    let candidates = pieces.iter().enumerate().filter(|(_, piece)| !piece.whole && piece.keys >= PIECE_MIN);
    candidates.max_by(|(_, a), (_, b)| a.keys.total_cmp(&b.keys)).map(|(index, _)| index)
}

/// Cuts the upper half off a piece, lowering its end; `None` if no cut was found.
async fn cut(probe: &mut impl Probe, alphabet: &mut Alphabet, piece: &mut Piece) -> Result<Option<Piece>> {
    for tries in 0..PROBES_PER_CUT {
        if tries == HALVES_BEFORE_NARROWING {
            narrow(probe, piece).await?;
        }
        let Some(middle) = alphabet.middle(&piece.first, piece.end.as_deref()) else { return Ok(None) };
        let found = first_after(probe, &middle, piece).await?;
        let old_end = piece.end.replace(middle.clone());
        if let Some(first) = found {
            alphabet.learn(&first);
            return Ok(Some(Piece { after: Some(middle), first, end: old_end, keys: 0.0, whole: false }));
        }
    }
    Ok(None)
}

/// Lowers the end of a piece to the longest beginning of its first key that all its keys share: a
/// search over the length of that beginning, so that a deep common prefix costs few probes.
async fn narrow(probe: &mut impl Probe, piece: &mut Piece) -> Result<()> {
    let starts: Vec<usize> = piece.first.char_indices().map(|(at, _)| at).collect();
    let behind = |length: usize| format!("{}{}", &piece.first[..starts[length]], char::MAX);
    // Nothing lies behind the beginning of length `low`; of `high` it is not so, or not known.
    let (mut low, mut high) = (0, starts.len());
    while high - low > 1 {
        let length = low.midpoint(high);
        match first_after(probe, &behind(length), piece).await? {
            None => low = length,
            Some(_) => high = length,
        }
    }
    let end = behind(low);
    if low > 0 && piece.end.as_ref().is_none_or(|old| end < *old) {
        piece.end = Some(end);
    }
    Ok(())
}

async fn first_after(probe: &mut impl Probe, after: &str, piece: &Piece) -> Result<Option<String>> {
    let (keys, _) = probe.keys(Some(after), 1).await?;
    Ok(keys.into_iter().next().filter(|key| piece.end.as_deref().is_none_or(|end| key.as_str() < end)))
}

/// Estimates how many keys a piece has from the reach of its first page.
async fn measured(probe: &mut impl Probe, alphabet: &mut Alphabet, piece: Piece) -> Result<Piece> {
    let (page, truncated) = probe.keys(piece.after.as_deref(), SAMPLE).await?;
    page.iter().step_by(20).for_each(|key| alphabet.learn(key));
    let within = |key: &String| piece.end.as_deref().is_none_or(|end| key.as_str() < end);
    let count = page.iter().filter(|key| within(key)).count();
    let keys = match page.last() {
        Some(last) if truncated && count == page.len() => {
            let share = alphabet.share(&piece.first, last, piece.end.as_deref());
            count as f64 / share.max(1e-12)
        }
        _ => count as f64,
    };
    Ok(Piece { keys, ..piece })
}

/// The characters that keys are made of: digits of a number system in which keys can be halved.
#[derive(Default)]
struct Alphabet(BTreeSet<char>);

impl Alphabet {
    fn learn(&mut self, key: &str) {
        self.0.extend(key.chars());
    }

    /// A text about half way from `low` to `high`, greater than `low` and less than `high`; `None` if
    /// there is none that this alphabet can write.
    fn middle(&self, low: &str, high: Option<&str>) -> Option<String> {
        let letters: Vec<char> = self.0.iter().copied().collect();
        let common = high.map_or(0, |high| common_prefix(low, high));
        let (a, b) = self.numbers(&letters, low, high, common);
        let middle = a + b.checked_sub(a)? / 2;
        let mut text = low.get(..common)?.to_owned();
        let base = letters.len() as u128 + 1;
        for place in (0..digits(&letters)).rev() {
            let digit = middle / base.pow(place) % base;
            match usize::try_from(digit).ok()?.checked_sub(1) {
                Some(index) => text.push(*letters.get(index)?),
                None => break,
            }
        }
        (text.as_str() > low && high.is_none_or(|high| text.as_str() < high)).then_some(text)
    }

    /// How much of the way from `low` to `high` lies before `at`.
    fn share(&self, low: &str, at: &str, high: Option<&str>) -> f64 {
        let letters: Vec<char> = self.0.iter().copied().collect();
        let common = high.map_or(0, |high| common_prefix(low, high));
        let (a, b) = self.numbers(&letters, low, high, common);
        let at = number(&letters, at.get(common..).unwrap_or(""));
        at.saturating_sub(a) as f64 / (b.saturating_sub(a) as f64).max(1.0)
    }

    fn numbers(&self, letters: &[char], low: &str, high: Option<&str>, common: usize) -> (u128, u128) {
        let a = number(letters, low.get(common..).unwrap_or(""));
        let b = high.map_or_else(|| top(letters), |high| number(letters, high.get(common..).unwrap_or("")));
        (a, b)
    }
}

/// As many digits as fit into a number, at most [`DIGITS`].
fn digits(letters: &[char]) -> u32 {
    let bits = usize::BITS - (letters.len() + 1).leading_zeros();
    DIGITS.min(127 / bits.max(1)).max(1)
}

/// The text as a number of digits; 0 is the end of the text.
fn number(letters: &[char], text: &str) -> u128 {
    let base = letters.len() as u128 + 1;
    let mut characters = text.chars();
    (0..digits(letters)).fold(0, |number, _| {
        let digit = characters.next().map_or(0, |letter| match letters.binary_search(&letter) {
            Ok(index) => index + 1,
            // Just below the next letter known.
            Err(index) => index,
        });
        number.saturating_mul(base).saturating_add(digit as u128)
    })
}

fn top(letters: &[char]) -> u128 {
    (0..digits(letters)).fold(0_u128, |number, _| {
        number.saturating_mul(letters.len() as u128 + 1).saturating_add(letters.len() as u128)
    })
}

/// Length in bytes of the characters that both begin with.
fn common_prefix(a: &str, b: &str) -> usize {
    a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b).map_or(a.len().min(b.len()), |((at, _), _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Model {
        keys: Vec<String>,
        probes: usize,
        pages: usize,
    }

    impl Probe for Model {
        async fn keys(&mut self, after: Option<&str>, limit: u32) -> Result<(Vec<String>, bool)> {
            if limit == 1 {
                self.probes += 1
            } else {
                self.pages += 1
            }
            let start = after.map_or(0, |after| self.keys.partition_point(|key| key.as_str() <= after));
            let end = (start + limit as usize).min(self.keys.len());
            Ok((self.keys[start..end].to_vec(), end < self.keys.len()))
        }
    }

    async fn sizes(mut keys: Vec<String>, ranges: usize) -> (Vec<usize>, Model) {
        keys.sort();
        keys.dedup();
        let mut model = Model { keys, probes: 0, pages: 0 };
        let bounds = split(&mut model, ranges).await.unwrap();
        assert!(bounds.is_sorted() && bounds.windows(2).all(|pair| pair[0] != pair[1]));
        let mut cuts: Vec<_> = bounds.iter().map(|bound| model.keys.partition_point(|key| key <= bound)).collect();
        cuts.insert(0, 0);
        cuts.push(model.keys.len());
        (cuts.windows(2).map(|pair| pair[1] - pair[0]).collect(), model)
    }

    #[tokio::test]
    async fn small_buckets_are_one_range() {
        for count in [0, 1, 1000] {
            let (sizes, model) = sizes((0..count).map(|n| format!("k{n}")).collect(), 8).await;
            assert_eq!((sizes, model.pages, model.probes), (vec![count], 1, 0));
        }
    }

    #[tokio::test]
    async fn shapes_of_keys() {
        let hash = |n: u64| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let shapes: [(&str, Vec<String>); 6] = [
            ("sequence", (0..60_000).map(|n| format!("data/part-{n:010}.parquet")).collect()),
            ("hashes", (0..60_000).map(hash).collect()),
            ("dates", (0..60_000).map(|n| format!("t/y=2026/m={:02}/d={:02}/{}", n % 12, n % 28, hash(n))).collect()),
            (
                "two prefixes",
                (0..60_000).map(|n| format!("{}/{n:08}", if n % 3 == 0 { "zeta" } else { "alpha" })).collect(),
            ),
            ("unicode", (0..60_000).map(|n| format!("é/😀{}", hash(n))).collect()),
            (
                "skewed",
                (0..60_000).map(|n| if n < 55_000 { format!("logs/{}", hash(n)) } else { format!("x{n}") }).collect(),
            ),
        ];
        for (name, keys) in shapes {
            let (sizes, model) = sizes(keys, 16).await;
            let largest = sizes.iter().max().unwrap();
            assert!(sizes.len() >= 8, "{name}: {sizes:?}");
            assert!(*largest < 60_000 / 3, "{name}: {sizes:?}");
            assert!(model.probes + model.pages < 16 * 40, "{name}: {} probes, {} pages", model.probes, model.pages);
        }
    }
}
