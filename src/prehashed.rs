//! A hasher for maps whose keys are hashes already.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds [`Prehashed`].
pub(crate) type BuildPrehashed = BuildHasherDefault<Prehashed>;

/// Takes a number as it is. Whatever else is hashed beside it is folded in.
#[derive(Default)]
pub(crate) struct Prehashed(u64);

impl Hasher for Prehashed {
    fn write_u64(&mut self, hash: u64) {
        self.0 = self.0.rotate_left(5) ^ hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn a_number_is_its_own_hash_and_stays_told_apart_beside_others() {
        let build = BuildPrehashed::default();
        assert_eq!(build.hash_one(7_u64), 7);
        assert_ne!(
            build.hash_one((1_u64, 2_u64)),
            build.hash_one((2_u64, 1_u64))
        );
        assert_ne!(build.hash_one("a"), build.hash_one("b"));
    }
}
