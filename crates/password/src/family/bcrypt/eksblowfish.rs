//! The core of bcrypt: Blowfish whose key schedule is costly on purpose, and six words encrypted
//! with what it left.
//!
//! Ours, because the core is where a login's time goes (docs/decisions/0014-bcrypt-core.md). A
//! round of Blowfish waits for the round before it, so what counts is how few instructions lie
//! between two of them: the boxes are indexed by bytes, which need no check of bounds, and nothing
//! else is in their way.
//!
//! Refuses nothing and knows no text: costs, lengths and letters are for `bcrypt`.
//!
//! Source: Provos and Mazières, "A Future-Adaptable Password Scheme", 1999, sections 4 and 5.

use zeroize::{Zeroize, Zeroizing};

use super::pi::{BOXES, SUBKEYS};

/// `OrpheanBeholderScryDoubt`, in words.
const TEXT: [[u32; 2]; 3] = [
    [0x4F72_7068, 0x6561_6E42],
    [0x6568_6F6C, 0x6465_7253],
    [0x6372_7944, 0x6F75_6274],
];

/// How often each part of the text is encrypted.
const PASSES: usize = 64;

type Boxes = [[u32; 256]; 4];
type Subkeys = [u32; 18];

/// The 24 bytes that bcrypt makes of key and salt, of which its text keeps 23. The cost is the
/// logarithm of the passes over the schedule, the key at most 72 bytes with its closing zero; an
/// empty key counts as one zero byte.
pub(super) fn digest(cost: u8, salt: &[u8; 16], key: &[u8]) -> Zeroizing<[u8; 24]> {
    let key = Zeroizing::new(cyclic(key));
    let salt_words = cyclic(salt);
    let mut state = Zeroizing::new(State {
        boxes: BOXES,
        subkeys: SUBKEYS,
    });
    state.expand(&key, &salt_words);
    for _ in 0..1_u64 << cost.min(63) {
        state.mix(&key);
        state.mix(&salt_words);
    }
    let mut digest = Zeroizing::new([0; 24]);
    let (halves, _) = digest.as_chunks_mut::<4>();
    let words = TEXT.into_iter().flat_map(|[left, right]| {
        let pass = |(left, right), _| encrypt(&state.boxes, &state.subkeys, left, right);
        let (left, right) = (0..PASSES).fold((left, right), pass);
        [left, right]
    });
    for (to, word) in halves.iter_mut().zip(words) {
        *to = word.to_be_bytes();
    }
    digest
}

/// The bytes again and again, as words.
fn cyclic(bytes: &[u8]) -> Subkeys {
    let mut bytes = bytes.iter().copied().cycle();
    let mut word = || u32::from_be_bytes(std::array::from_fn(|_| bytes.next().unwrap_or_default()));
    std::array::from_fn(|_| word())
}

#[derive(Zeroize)]
struct State {
    boxes: Boxes,
    subkeys: Subkeys,
}

impl State {
    /// The first expansion, which mixes the salt in: its four words in turn, two at a time.
    fn expand(&mut self, key: &Subkeys, salt: &Subkeys) {
        let [first, second, third, fourth, ..] = *salt;
        self.replace(key, (first, second), (third, fourth));
    }

    /// An expansion by the key alone.
    fn mix(&mut self, key: &Subkeys) {
        self.replace(key, (0, 0), (0, 0));
    }

    /// Puts the key into the subkeys, then replaces subkeys and boxes, two words at a time, by
    /// what the words before encrypt to; the salt's halves are mixed in by turns.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "without a salt, none of its work may be left"
    )]
    fn replace(&mut self, key: &Subkeys, even: (u32, u32), odd: (u32, u32)) {
        // A copy: what it holds is not to be read again after each write to the boxes.
        let mut subkeys = self.subkeys;
        for (subkey, word) in subkeys.iter_mut().zip(key) {
            *subkey ^= word;
        }
        let (mut left, mut right) = (0, 0);
        for place in 0..SUBKEYS.len() / 2 {
            let salt = if place % 2 == 0 { even } else { odd };
            (left, right) = encrypt(&self.boxes, &subkeys, left ^ salt.0, right ^ salt.1);
            if let Some(two) = subkeys.as_chunks_mut().0.get_mut(place) {
                *two = [left, right];
            }
        }
        for number in 0..BOXES.len() {
            for place in 0..BOXES[0].len() / 2 {
                // The subkeys' nine pairs were an odd number.
                let salt = if place % 2 == 0 { odd } else { even };
                (left, right) = encrypt(&self.boxes, &subkeys, left ^ salt.0, right ^ salt.1);
                let one = self.boxes.get_mut(number);
                if let Some(two) = one.and_then(|one| one.as_chunks_mut().0.get_mut(place)) {
                    *two = [left, right];
                }
            }
        }
        self.subkeys = subkeys;
        subkeys.zeroize();
    }
}

/// Sixteen rounds, two at a time, so that the halves need no exchange.
#[inline(always)]
#[expect(clippy::inline_always, reason = "halves and subkeys stay in registers")]
fn encrypt(boxes: &Boxes, subkeys: &Subkeys, mut left: u32, mut right: u32) -> (u32, u32) {
    let [first, rounds @ .., last] = subkeys;
    left ^= first;
    for [odd, even] in rounds.as_chunks::<2>().0 {
        right = right ^ odd ^ scramble(boxes, left);
        left = left ^ even ^ scramble(boxes, right);
    }
    (right ^ last, left)
}

/// Blowfish's round function. The boxes are indexed by shifted words, not by `to_be_bytes`: turning
/// the word around would be two more instructions in the one place where they count.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a third of a billion calls a login")]
#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a byte of the word is meant"
)]
fn scramble([first, second, third, fourth]: &Boxes, word: u32) -> u32 {
    let byte = |shift: u32| usize::from((word >> shift) as u8);
    let sum = first[byte(24)].wrapping_add(second[byte(16)]);
    (sum ^ third[byte(8)]).wrapping_add(fourth[byte(0)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Another's bcrypt makes the same of any key and salt.
        #[test]
        fn any_key_and_salt_make_what_the_bcrypt_crate_makes(
            cost in 4_u8..6, salt: [u8; 16], key in prop::collection::vec(any::<u8>(), 1..=72),
        ) {
            let expected = ::bcrypt::bcrypt(u32::from(cost), salt, &key);
            prop_assert_eq!(*digest(cost, &salt, &key), expected);
        }
    }

    #[test]
    fn costs_double() {
        for cost in [4, 7, 10] {
            let expected = ::bcrypt::bcrypt(u32::from(cost), [cost; 16], b"correct horse\0");
            assert_eq!(*digest(cost, &[cost; 16], b"correct horse\0"), expected);
        }
    }

    /// 4 arctan(1/5) - arctan(1/239) is a quarter of pi (Machin, 1706), in fixed point: words from
    /// the most significant on, the first before the point.
    #[test]
    fn the_beginning_is_pi() {
        const WORDS: usize = 1 + 18 + 4 * 256 + 2;
        fn divide(number: &mut [u32], by: u32) {
            let mut rest = 0_u64;
            for word in number {
                let part = rest << 32 | u64::from(*word);
                *word = u32::try_from(part / u64::from(by)).unwrap();
                rest = part % u64::from(by);
            }
        }
        fn combine(sum: &mut [u32], other: &[u32], is_minus: bool) {
            let mut carry = 0_i64;
            for (word, other) in sum.iter_mut().zip(other).rev() {
                let other = i64::from(*other);
                let total = i64::from(*word) + carry + if is_minus { -other } else { other };
                *word = u32::try_from(total.rem_euclid(1 << 32)).unwrap();
                carry = total.div_euclid(1 << 32);
            }
        }
        fn arctangent(of_one_by: u32, times: u32) -> Vec<u32> {
            let mut power = vec![0; WORDS];
            power[0] = times;
            divide(&mut power, of_one_by);
            let mut sum = power.clone();
            for odd in (3..).step_by(2) {
                divide(&mut power, of_one_by * of_one_by);
                if power.iter().all(|word| *word == 0) {
                    break;
                }
                let mut term = power.clone();
                divide(&mut term, odd);
                combine(&mut sum, &term, odd % 4 == 3);
            }
            sum
        }
        let mut pi = arctangent(5, 16);
        combine(&mut pi, &arctangent(239, 4), true);
        assert_eq!(pi[0], 3);
        assert_eq!(pi[1..19], SUBKEYS);
        assert_eq!(pi[19..WORDS - 2], *BOXES.as_flattened());
    }
}
