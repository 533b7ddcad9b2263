//! The recovery code: what lets somebody in whose second factor is lost. One for a user, 24 letters
//! and digits, used once and replaced by another that is shown once.

use std::fmt;

use zeroize::Zeroizing;

use crate::entropy::Entropy;

const LENGTH: usize = 24;

/// 32 that nobody confuses when copying from paper: 24 of them are 120 bits.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A recovery code, plain.
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// A new random code.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0_u8; LENGTH]);
        entropy.fill(&mut *bytes);
        let letters = bytes
            .iter()
            .filter_map(|byte| LETTERS.get(usize::from(byte % 32)));
        Self(Zeroizing::new(
            letters.map(|letter| char::from(*letter)).collect(),
        ))
    }

    /// A code as a person typed it: letter case, blanks and dashes do not matter.
    pub fn typed(text: &str) -> Self {
        let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let letters = kept.take(LENGTH * 2).map(|c| c.to_ascii_uppercase());
        Self(Zeroizing::new(letters.collect()))
    }

    /// The plain text. The caller must not log or store it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            for (byte, n) in buffer.iter_mut().zip(self.0..) {
                *byte = n;
            }
        }
    }

    #[test]
    fn a_code_is_24_letters_and_is_read_as_people_type() {
        let code = RecoveryCode::generate(&Fixed(7));
        assert_eq!(code.expose().len(), 24);
        let (one, other) = code.expose().split_at(12);
        let typed = RecoveryCode::typed(&format!(" {}-{} ", one.to_lowercase(), other));
        assert_eq!(typed.expose(), code.expose());
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }
}
