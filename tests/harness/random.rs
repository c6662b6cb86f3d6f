//! Seeded randomness whose draws depend on what is asked, never on the order of threads.

/// The seed of a randomised test: `BLUEBUCKET_SEED` or a fresh one, printed so that a failure can
/// be run again.
pub fn seed(test: &str) -> u64 {
    let seed = std::env::var("BLUEBUCKET_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(fastrand_seed);
    println!("{test}: seed {seed} (set BLUEBUCKET_SEED={seed} to repeat)");
    seed
}

fn fastrand_seed() -> u64 {
    u64::from(fastrand::u32(..))
}

/// A bijective mix of 64 bits (the finaliser of splitmix64).
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A number drawn from a seed and a text: the same for the same pair.
pub fn draw(seed: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed), |state, byte| mix(state ^ u64::from(byte)))
}

/// A stream of numbers from a seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `limit`, or 0 if that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}
