//! The self-signed certificate of a signing key (RFC 5280). It proves nothing that the key does not
//! prove; it is there for software that takes keys as certificates only. Nothing of it is kept: name,
//! time and key are known, and the signature has no randomness, so the same bytes come out each
//! time.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Instant;
use std::time::Duration;

use super::{der, encode};

const LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);

const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

/// The certificate of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// Writes and signs it. `rsa_key` is the public key as PKCS#1 DER.
    pub(super) fn new<E>(
        serial: &str,
        subject: &str,
        since: Instant,
        rsa_key: &[u8],
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let body = to_be_signed(serial, subject, since, rsa_key);
        let signature = sign(&body)?;
        let signature = der::join(der::BIT_STRING, &[&[0], &signature]);
        Ok(Self(der::join(
            der::SEQUENCE,
            &[&body, &algorithm(SHA256_WITH_RSA), &signature],
        )))
    }

    /// The DER bytes.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.0)
    }

    /// The certificate alone in a PKCS #7 envelope, in PEM.
    pub fn pkcs7(&self) -> String {
        let data = der::join(der::SEQUENCE, &[&der::join(der::OID, &[DATA])]);
        let signed = der::join(
            der::SEQUENCE,
            &[
                &der::integer(&[1]),
                &der::join(der::SET, &[]),
                &data,
                &der::join(der::CONTEXT, &[&self.0]),
                &der::join(der::SET, &[]),
            ],
        );
        let content = der::join(der::CONTEXT, &[&signed]);
        let envelope = der::join(
            der::SEQUENCE,
            &[&der::join(der::OID, &[SIGNED_DATA]), &content],
        );
        pem("PKCS7", &envelope)
    }

    /// SHA-1, hexadecimal in capitals: a name, not a proof.
    pub fn thumbprint(&self) -> String {
        self.fingerprint().replace(':', "")
    }

    /// The same with colons.
    pub fn fingerprint(&self) -> String {
        let pairs: Vec<String> = self
            .sha1()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        pairs.join(":")
    }

    /// The `x5t` member of a JWK.
    pub(super) fn x5t(&self) -> String {
        encode(&self.sha1())
    }

    /// The one entry of a JWK's `x5c`: plain base64, unlike everything around it (RFC 7517 §4.7).
    pub(super) fn x5c(&self) -> String {
        STANDARD.encode(&self.0)
    }

    fn sha1(&self) -> Vec<u8> {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.0).as_ref().to_vec()
    }
}

fn to_be_signed(serial: &str, subject: &str, since: Instant, rsa_key: &[u8]) -> Vec<u8> {
    let serial = digest(&SHA256, serial.as_bytes());
    let serial = serial.as_ref().get(..16).unwrap_or_default();
    let name = der::join(
        der::SEQUENCE,
        &[
            &der::join(der::OID, &[COMMON_NAME]),
            &der::join(der::UTF8, &[subject.as_bytes()]),
        ],
    );
    let name = der::join(der::SEQUENCE, &[&der::join(der::SET, &[&name])]);
    let validity = der::join(der::SEQUENCE, &[&time(since), &time(since.plus(LIFETIME))]);
    let key = der::join(der::BIT_STRING, &[&[0], rsa_key]);
    let key = der::join(der::SEQUENCE, &[&algorithm(der::RSA), &key]);
    der::join(
        der::SEQUENCE,
        &[
            &der::integer(serial),
            &algorithm(SHA256_WITH_RSA),
            &name,
            &validity,
            &name,
            &key,
        ],
    )
}

fn algorithm(oid: &[u8]) -> Vec<u8> {
    der::join(
        der::SEQUENCE,
        &[&der::join(der::OID, &[oid]), &der::join(der::NULL, &[])],
    )
}

/// Two digits of the year up to 2049, four later (RFC 5280 §4.1.2.5).
fn time(instant: Instant) -> Vec<u8> {
    let seconds = Instant::from_millis(instant.seconds().saturating_mul(1000)).to_string();
    let mut digits: String = seconds.chars().filter(char::is_ascii_digit).collect();
    digits.truncate(14);
    digits.push('Z');
    let is_short = digits.as_str() < "2050" && digits.as_str() >= "1950";
    match digits.get(2..).filter(|_| is_short) {
        Some(short) => der::join(der::UTC_TIME, &[short.as_bytes()]),
        None => der::join(der::GENERALIZED_TIME, &[digits.as_bytes()]),
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    pem
}
