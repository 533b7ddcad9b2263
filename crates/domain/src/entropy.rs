//! Randomness as a parameter, and the shapes of random text the wire knows.

/// Source of random bytes. The server's is the operating system; tests may bring a seeded one.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}

const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Random letters and digits, each equally likely.
pub fn alphanumeric(entropy: &dyn Entropy, length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        entropy.fill(&mut bytes);
        // 248 = 4 × 62: above it a byte would favour the first letters.
        let letters = bytes.iter().filter(|byte| **byte < 248);
        let letters = letters.filter_map(|byte| ALPHANUMERIC.get(usize::from(byte % 62)));
        text.extend(
            letters
                .take(length - text.len())
                .map(|letter| char::from(*letter)),
        );
    }
    text
}

/// `length` random hexadecimal digits, lower case; 24 is the shape of a generated user id.
pub fn hexadecimal(entropy: &dyn Entropy, length: usize) -> String {
    let mut bytes = vec![0_u8; length.div_ceil(2)];
    entropy.fill(&mut bytes);
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .take(length)
        .collect()
}
