//! Reads the two numbers of an RSA public key from its DER form (RFC 8017 §A.1.1):
//! `SEQUENCE { modulus INTEGER, publicExponent INTEGER }`. The crypto library gives no other way to
//! them without a further dependency. The input is that library's own output, never a stranger's.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Modulus and exponent, big-endian without leading zeros as JWK wants them (RFC 7518 §6.3.1).
pub(super) fn modulus_and_exponent(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, rest) = element(SEQUENCE, der)?;
    let (modulus, body_rest) = element(INTEGER, body)?;
    let (exponent, end) = element(INTEGER, body_rest)?;
    (rest.is_empty() && end.is_empty()).then_some((unsigned(modulus), unsigned(exponent)))
}

/// Splits off one element with the given tag: its content, and what follows.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, input) = input.split_first()?;
    let (&length, input) = input.split_first()?;
    let (length, input) = match length {
        0..=0x7f => (usize::from(length), input),
        0x81..=0x84 => {
            let (digits, input) = input.split_at_checked(usize::from(length & 0x7f))?;
            (
                digits
                    .iter()
                    .fold(0, |sum, digit| sum << 8 | usize::from(*digit)),
                input,
            )
        }
        _ => return None,
    };
    (found == tag)
        .then(|| input.split_at_checked(length))
        .flatten()
}

/// Drops the zero in front that DER puts before a high bit.
fn unsigned(integer: &[u8]) -> &[u8] {
    match integer {
        [0, rest @ ..] => rest,
        _ => integer,
    }
}
