//! DES (FIPS 46-3) with what crypt(3) added to it: a salt that swaps bits of the expansion, and many
//! passes. Ciphers of a library have no place for that salt.
//!
//! Blocks and keys are 64 bits, the first byte highest.

/// The swaps of bits that begin and end the cipher.
const INITIAL: [u8; 64] = [
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6,
    64, 56, 48, 40, 32, 24, 16, 8, 57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61,
    53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];
const FINAL: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30,
    37, 5, 45, 13, 53, 21, 61, 29, 36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27,
    34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
];
/// What the key schedule chooses, and where it shifts.
const CHOICE_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60,
    52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29,
    21, 13, 5, 28, 20, 12, 4,
];
const CHOICE_2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52,
    31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const SHIFTS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
/// The permutation behind the boxes.
const BEHIND: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19,
    13, 30, 6, 22, 11, 4, 25,
];
/// The boxes, each by row and column.
const BOXES: [[u8; 64]; 8] = [
    [
        14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, 0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12,
        11, 9, 5, 3, 8, 4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, 15, 12, 8, 2, 4, 9,
        1, 7, 5, 11, 3, 14, 10, 0, 6, 13,
    ],
    [
        15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, 3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1,
        10, 6, 9, 11, 5, 0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, 13, 8, 10, 1, 3, 15,
        4, 2, 11, 6, 7, 12, 0, 5, 14, 9,
    ],
    [
        10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, 13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5,
        14, 12, 11, 15, 1, 13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, 1, 10, 13, 0, 6,
        9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12,
    ],
    [
        7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, 13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2,
        12, 1, 10, 14, 9, 10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, 3, 15, 0, 6, 10, 1,
        13, 8, 9, 4, 5, 11, 12, 7, 2, 14,
    ],
    [
        2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, 14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15,
        10, 3, 9, 8, 6, 4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, 11, 8, 12, 7, 1, 14,
        2, 13, 6, 15, 0, 9, 10, 4, 5, 3,
    ],
    [
        12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, 10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13,
        14, 0, 11, 3, 8, 9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, 4, 3, 2, 12, 9, 5,
        15, 10, 11, 14, 1, 7, 6, 0, 8, 13,
    ],
    [
        4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, 13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5,
        12, 2, 15, 8, 6, 1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, 6, 11, 13, 8, 1, 4,
        10, 7, 9, 5, 0, 15, 14, 2, 3, 12,
    ],
    [
        13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, 1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6,
        11, 0, 14, 9, 2, 7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, 2, 1, 14, 7, 4, 10,
        8, 13, 15, 12, 9, 0, 3, 5, 6, 11,
    ],
];

/// The bits of `value` (of so many bits) in the order of the table.
fn permute(value: u64, width: u32, table: &[u8]) -> u64 {
    table.iter().fold(0, |output, bit| {
        output << 1 | (value >> (width - u32::from(*bit)) & 1)
    })
}

/// A key's schedule.
pub(super) struct Des {
    rounds: [u64; 16],
    /// Each box with the permutation behind it.
    boxes: Box<[[u32; 64]; 8]>,
}

impl Des {
    /// The lowest bit of each byte, a parity, is ignored.
    pub(super) fn new(key: u64) -> Self {
        const HALF: u64 = (1 << 28) - 1;
        let chosen = permute(key, 64, &CHOICE_1);
        let (mut left, mut right) = (chosen >> 28, chosen & HALF);
        let mut rounds = [0; 16];
        for (round, shift) in rounds.iter_mut().zip(SHIFTS) {
            left = (left << shift | left >> (28 - shift)) & HALF;
            right = (right << shift | right >> (28 - shift)) & HALF;
            *round = permute(left << 28 | right, 56, &CHOICE_2);
        }
        let mut boxes = Box::new([[0; 64]; 8]);
        for (at, (boxed, table)) in (0_u32..).zip(boxes.iter_mut().zip(&BOXES)) {
            for (input, output) in (0_usize..).zip(boxed.iter_mut()) {
                // The outer bits are the row.
                let place = (input & 32) | (input & 1) << 4 | (input >> 1 & 15);
                let value = u64::from(table.get(place).copied().unwrap_or(0)) << (28 - 4 * at);
                let [_, _, _, _, low @ ..] = permute(value, 32, &BEHIND).to_be_bytes();
                *output = u32::from_be_bytes(low);
            }
        }
        Self { rounds, boxes }
    }

    /// So many encryptions of the block, one after the other. Bit `i` of the salt swaps bits `i` and
    /// `i + 24` of the expansion.
    pub(super) fn encrypt(&self, block: u64, salt: u32, passes: u32) -> u64 {
        let mask = u64::from(salt.reverse_bits() >> 8);
        let start = permute(block, 64, &INITIAL).to_be_bytes();
        let [a, b, c, d, rest @ ..] = start;
        let (mut left, mut right) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(rest));
        for _ in 0..passes {
            for round in self.rounds {
                let mixed = left ^ self.function(right, round, mask);
                left = right;
                right = mixed;
            }
            std::mem::swap(&mut left, &mut right);
        }
        permute(u64::from(left) << 32 | u64::from(right), 64, &FINAL)
    }

    fn function(&self, half: u32, key: u64, mask: u64) -> u32 {
        let mut expanded = 0;
        for group in 0..8 {
            expanded = expanded << 6 | u64::from(half.rotate_left(4 * group + 5) & 63);
        }
        let swapped = (expanded >> 24 ^ expanded) & mask;
        let mut input = expanded ^ swapped ^ swapped << 24 ^ key;
        let mut output = 0;
        for table in self.boxes.iter().rev() {
            let place = usize::try_from(input & 63).unwrap_or(0);
            output |= table.get(place).copied().unwrap_or(0);
            input >>= 6;
        }
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_example() {
        // Without a salt and in one pass it is DES: the worked example of every textbook.
        let des = Des::new(0x1334_5779_9bbc_dff1);
        assert_eq!(
            des.encrypt(0x0123_4567_89ab_cdef, 0, 1),
            0x85e8_1354_0f0a_b405
        );
    }
}
