//! Philox4x64-10 (Salmon et al., SC 2011): random words as a function of a key and a counter.
//!
//! The same words as NumPy's `Philox(key=key, counter=counter).random_raw(n)`.

const MULTIPLIERS: [u64; 2] = [0xD2E7_470E_E14C_6C93, 0xCA5A_8263_9512_1157];
const WEYL: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];
const ROUNDS: usize = 10;

/// Fills `words` with the words that follow `counter`, whose first element is the least significant.
pub fn fill_words(key: [u64; 2], mut counter: [u64; 4], words: &mut [u64]) {
    for block in words.chunks_mut(4) {
        increment(&mut counter); // NumPy steps the counter before it draws, so word 0 is of counter + 1
        block.copy_from_slice(&encrypt(key, counter)[..block.len()]);
    }
}

fn increment(counter: &mut [u64; 4]) {
    for word in counter {
        *word = word.wrapping_add(1);
        if *word != 0 {
            break;
        }
    }
}

fn encrypt(mut key: [u64; 2], mut x: [u64; 4]) -> [u64; 4] {
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let a = u128::from(MULTIPLIERS[0]) * u128::from(x[0]);
        let b = u128::from(MULTIPLIERS[1]) * u128::from(x[2]);
        x = [(b >> 64) as u64 ^ x[1] ^ key[0], b as u64, (a >> 64) as u64 ^ x[3] ^ key[1], a as u64];
    }
    x
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "as they were published")]
mod tests {
    use super::*;

    /// The known answers that the authors publish with Random123.
    #[test]
    fn known_answers() {
        assert_eq!(
            encrypt([0; 2], [0; 4]),
            [0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b]
        );
        assert_eq!(
            encrypt([u64::MAX; 2], [u64::MAX; 4]),
            [0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0]
        );
        assert_eq!(
            encrypt(
                [0x452821e638d01377, 0xbe5466cf34e90c6c],
                [0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89]
            ),
            [0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6]
        );
    }

    #[test]
    fn the_counter_steps_before_each_block_and_carries() {
        let mut words = [0; 6];
        fill_words([1, 2], [u64::MAX, 7, 0, 0], &mut words);
        assert_eq!(words[..4], encrypt([1, 2], [0, 8, 0, 0]));
        assert_eq!(words[4..], encrypt([1, 2], [1, 8, 0, 0])[..2]);
    }
}
