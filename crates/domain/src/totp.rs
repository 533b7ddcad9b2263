//! Codes of authenticator applications (RFC 4226, RFC 6238): SHA-1, six digits, thirty seconds, as
//! every application on the market computes them. Owns the arithmetic; that no step is accepted
//! twice is the caller's to see to.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::clock::Instant;
use crate::entropy::Entropy;
use crate::secret::TotpSecret;

const STEP_MILLIS: i64 = 30_000;

/// Steps before and after the present one that are accepted too: clocks differ, people are slow.
const WINDOW: i64 = 1;

/// Bytes of a new secret: 160 bit, as long as the digest (RFC 4226 §4).
const SECRET_BYTES: usize = 20;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step that a time lies in.
pub const fn step_at(now: Instant) -> i64 {
    now.millis().div_euclid(STEP_MILLIS)
}

impl TotpSecret {
    /// A new random secret.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES]);
        entropy.fill(&mut *bytes);
        let mut text = String::with_capacity(SECRET_BYTES * 8 / 5);
        let (mut bits, mut held) = (0_u32, 0_u32);
        for byte in bytes.iter() {
            bits = (bits << 8) | u32::from(*byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                let letter = ALPHABET.get(((bits >> held) & 31) as usize);
                text.extend(letter.map(|letter| char::from(*letter)));
            }
        }
        Self::from(text)
    }

    /// The code of a step; none when the secret is not base32.
    pub fn code(&self, step: i64) -> Option<String> {
        let key = decode(self.expose())?;
        let mut mac = Hmac::<Sha1>::new_from_slice(&key).ok()?;
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest.last()? & 15);
        let four: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
        let number = u32::from_be_bytes(four) & 0x7fff_ffff;
        Some(format!("{:06}", number % 1_000_000))
    }

    /// The step whose code this is, of those that are accepted now.
    pub fn matching_step(&self, typed: &str, now: Instant) -> Option<i64> {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        let present = step_at(now);
        let mut found = None;
        // All are computed and compared, so that the time tells nothing.
        for step in present - WINDOW..=present + WINDOW {
            let code = self.code(step)?;
            if constant_time_eq::constant_time_eq(code.as_bytes(), typed.as_bytes()) {
                found = Some(step);
            }
        }
        found
    }

    /// What the QR code says (the key URI format that the applications share).
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (percent(issuer), percent(account));
        let secret = self.expose();
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}\
             &algorithm=SHA1&digits=6&period=30"
        )
    }
}

/// Unpadded base32 of any length: what is left of a last byte is dropped, as applications do.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 255).ok()?);
        }
    }
    Some(bytes)
}

fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "12345678901234567890" of both RFCs, in base32.
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_vectors_of_rfc_4226() {
        let secret = TotpSecret::from(RFC);
        let codes: Vec<_> = (0..10).filter_map(|step| secret.code(step)).collect();
        assert_eq!(
            codes,
            [
                "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
                "399871", "520489"
            ]
        );
    }

    #[test]
    fn the_vectors_of_rfc_6238() {
        let secret = TotpSecret::from(RFC);
        // The RFC prints eight digits; six are its last six.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Instant::from_millis(seconds * 1000);
            assert_eq!(secret.code(step_at(now)).as_deref(), Some(code));
            assert_eq!(secret.matching_step(code, now), Some(step_at(now)));
        }
    }

    #[test]
    fn one_step_to_either_side_is_accepted_and_no_more() {
        let secret = TotpSecret::from(RFC);
        let now = Instant::from_millis(100 * STEP_MILLIS + 5);
        for (step, accepted) in [
            (98, false),
            (99, true),
            (100, true),
            (101, true),
            (102, false),
        ] {
            let code = secret.code(step).unwrap();
            assert_eq!(
                secret.matching_step(&code, now).is_some(),
                accepted,
                "{step}"
            );
        }
        let spaced = secret.code(100).unwrap();
        let spaced = format!(" {} {} ", &spaced[..3], &spaced[3..]);
        assert_eq!(secret.matching_step(&spaced, now), Some(100));
        for wrong in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert_eq!(secret.matching_step(wrong, now), None);
        }
    }

    #[test]
    fn a_new_secret_is_160_bits_and_an_odd_one_is_read() {
        struct Count;
        impl Entropy for Count {
            fn fill(&self, buffer: &mut [u8]) {
                for (byte, n) in buffer.iter_mut().zip(1..) {
                    *byte = n;
                }
            }
        }
        let secret = TotpSecret::generate(&Count);
        assert_eq!(secret.expose().len(), 32);
        let bytes: Vec<u8> = (1..=20).collect();
        assert_eq!(decode(secret.expose()).unwrap().as_slice(), bytes);
        assert!(TotpSecret::from("ABC").code(1).is_some());
        assert!(TotpSecret::from("abc").code(1).is_none());
    }

    #[test]
    fn the_uri_escapes_names() {
        let uri = TotpSecret::from("AB").uri("Ferry & Söhne", "zoë@x.org");
        assert_eq!(
            uri,
            "otpauth://totp/Ferry%20%26%20S%C3%B6hne:zo%C3%AB@x.org?secret=AB\
             &issuer=Ferry%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30"
        );
    }
}
