//! Public keys in PEM (RFC 7468): `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::der::{self, Reader};
use super::foreign::ForeignKeyError;

/// What a PEM text holds.
pub(super) struct Pem {
    /// The public key.
    pub key: PublicKey,
    /// The last second of a certificate, since the epoch.
    pub not_after: Option<i64>,
}

/// A public key, its kind known.
pub(super) enum PublicKey {
    /// PKCS#1 DER.
    Rsa(Vec<u8>),
    /// A point, uncompressed.
    P256(Vec<u8>),
    /// A point, uncompressed.
    P384(Vec<u8>),
}

pub(super) fn read(text: &str) -> Result<Pem, ForeignKeyError> {
    let (label, bytes) = unwrapped(text).ok_or(ForeignKeyError::Malformed)?;
    let (key, not_after) = match label {
        "PUBLIC KEY" => (public_key(&bytes), None),
        "RSA PUBLIC KEY" => (Ok(PublicKey::Rsa(bytes)), None),
        "CERTIFICATE" => {
            let (key, until) = certificate(&bytes).ok_or(ForeignKeyError::Malformed)?;
            (public_key(key), Some(until))
        }
        label if label.ends_with("PRIVATE KEY") => return Err(ForeignKeyError::Private),
        _ => return Err(ForeignKeyError::Malformed),
    };
    key.map(|key| Pem { key, not_after })
}

fn unwrapped(text: &str) -> Option<(&str, Vec<u8>)> {
    let text = text.trim().strip_prefix("-----BEGIN ")?;
    let (label, rest) = text.split_once("-----")?;
    let (body, end) = rest.split_once("-----END ")?;
    if end != format!("{label}-----") {
        return None;
    }
    let body: String = body.split_ascii_whitespace().collect();
    Some((label, STANDARD.decode(body).ok()?))
}

/// `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
fn public_key(der: &[u8]) -> Result<PublicKey, ForeignKeyError> {
    let parts = || {
        let mut outer = Reader(der);
        let mut body = Reader(outer.take(der::SEQUENCE)?);
        let mut algorithm = Reader(body.take(der::SEQUENCE)?);
        let (unused, key) = body.take(der::BIT_STRING)?.split_first()?;
        outer.end().and(body.end())?;
        let oid = algorithm.take(der::OID)?;
        (*unused == 0).then_some((oid, algorithm, key.to_vec()))
    };
    let (oid, mut parameters, key) = parts().ok_or(ForeignKeyError::Malformed)?;
    match (oid, parameters.peek()) {
        (der::RSA, _) => Ok(PublicKey::Rsa(key)),
        (der::EC, Some(der::OID)) => match parameters.take(der::OID) {
            Some(der::P256) => Ok(PublicKey::P256(key)),
            Some(der::P384) => Ok(PublicKey::P384(key)),
            _ => Err(ForeignKeyError::Unsupported),
        },
        _ => Err(ForeignKeyError::Unsupported),
    }
}

/// The key of a certificate, and its end. Nobody's signature on it is looked at: whoever may store
/// the key is believed.
fn certificate(der: &[u8]) -> Option<(&[u8], i64)> {
    let mut outer = Reader(der);
    let mut certificate = Reader(outer.take(der::SEQUENCE)?);
    outer.end()?;
    let mut body = Reader(certificate.take(der::SEQUENCE)?);
    if body.peek() == Some(der::CONTEXT) {
        body.take(der::CONTEXT)?;
    }
    body.take(der::INTEGER)?;
    body.take(der::SEQUENCE)?;
    body.take(der::SEQUENCE)?;
    let mut validity = Reader(body.take(der::SEQUENCE)?);
    time(&mut validity)?;
    let until = time(&mut validity)?;
    body.take(der::SEQUENCE)?;
    Some((body.take_whole(der::SEQUENCE)?, until))
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ` as seconds since the epoch.
fn time(reader: &mut Reader<'_>) -> Option<i64> {
    let tag = reader.peek()?;
    let text = std::str::from_utf8(reader.take(tag)?).ok()?;
    let text = text.strip_suffix('Z')?;
    let (year, rest) = match tag {
        der::UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year = number(year)?;
            (if year < 50 { year + 2000 } else { year + 1900 }, rest)
        }
        der::GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (number(year)?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let pair = |at: usize| number(rest.get(at..at + 2)?);
    let (month, day) = (pair(0)?, pair(2)?);
    let (hour, minute, second) = (pair(4)?, pair(6)?, pair(8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn number(digits: &str) -> Option<i64> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

/// Days since the epoch of a Gregorian date, the year beginning in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
