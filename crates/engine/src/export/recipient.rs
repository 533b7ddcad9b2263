//! Whom a file with credentials is for: an age recipient (X25519) or an OpenPGP key.
//!
//! Refuses keys that can't encrypt, that say they are for something else, that are revoked or past
//! their time, and RSA below 2048 bits: whoever holds the file has years to work on it.

use std::io::{Error, Read, Write};
use std::str::FromStr as _;
use std::time::Duration;

use domain::{Entropy, Instant};
use pgp::composed::{Deserializable as _, MessageBuilder, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, PublicParams, Timestamp};
use rand_core::{CryptoRng, RngCore};

/// Least bits of an RSA key.
const LEAST_RSA: usize = 2048;

/// A public key that is fit for it.
pub(super) enum Recipient {
    /// `age1…`.
    Age(Box<age::x25519::Recipient>),
    /// An encryption key of a certificate.
    Pgp(Box<PgpKey>),
}

/// The key that is encrypted to.
pub(super) enum PgpKey {
    /// Usually a subkey,
    Sub(SignedPublicSubKey),
    /// in old keys the only one.
    Primary(SignedPublicKey),
}

impl Recipient {
    /// Reads `age1…` or `-----BEGIN PGP PUBLIC KEY BLOCK-----`.
    pub(super) fn parse(text: &str, now: Instant) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with("age1") {
            let key = age::x25519::Recipient::from_str(text);
            let key = key.map_err(|why| format!("Not an age recipient: {why}"))?;
            return Ok(Self::Age(Box::new(key)));
        }
        if text.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
            return encryption_key(text, now).map(Box::new).map(Self::Pgp);
        }
        Err("Expected age1… or an armored OpenPGP public key".into())
    }

    /// What the log calls it: the age recipient, or the key's fingerprint.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Age(key) => key.to_string(),
            Self::Pgp(key) => match &**key {
                PgpKey::Sub(key) => key.fingerprint().to_string(),
                PgpKey::Primary(key) => key.fingerprint().to_string(),
            },
        }
    }

    /// The ending of the file's name.
    pub(super) const fn ending(&self) -> &'static str {
        match self {
            Self::Age(_) => ".age",
            Self::Pgp(_) => ".pgp",
        }
    }

    /// Encrypts all of a source. Both formats notice when the end is missing.
    pub(super) fn encrypt(
        &self,
        mut source: impl Read,
        mut out: impl Write,
        entropy: &dyn Entropy,
    ) -> std::io::Result<()> {
        match self {
            Self::Age(key) => {
                let keys = std::iter::once(&**key as &dyn age::Recipient);
                let encryptor = age::Encryptor::with_recipients(keys).map_err(Error::other)?;
                let mut sealed = encryptor.wrap_output(out)?;
                std::io::copy(&mut source, &mut sealed)?;
                sealed.finish()?.flush()
            }
            Self::Pgp(key) => {
                let mut random = Random(entropy);
                let mut message = MessageBuilder::from_reader("", source)
                    .seipd_v1(&mut random, SymmetricKeyAlgorithm::AES256);
                let added = match &**key {
                    PgpKey::Sub(key) => message.encrypt_to_key(&mut random, key).map(drop),
                    PgpKey::Primary(key) => message.encrypt_to_key(&mut random, key).map(drop),
                };
                added.map_err(Error::other)?;
                message
                    .to_writer(&mut random, &mut out)
                    .map_err(Error::other)?;
                out.flush()
            }
        }
    }
}

/// The first key of a certificate that is meant for encryption and valid now.
fn encryption_key(text: &str, now: Instant) -> Result<PgpKey, String> {
    let (certificate, _) = SignedPublicKey::from_string(text)
        .map_err(|why| format!("Not an OpenPGP public key: {why}"))?;
    certificate
        .verify_bindings()
        .map_err(|why| format!("The OpenPGP key's own signatures do not hold: {why}"))?;
    let primary = &certificate.primary_key;
    let own: Vec<&Signature> = certificate
        .details
        .users
        .iter()
        .flat_map(|user| &user.signatures)
        .chain(&certificate.details.direct_signatures)
        .collect();
    let created = primary.created_at().as_secs();
    if !certificate.details.revocation_signatures.is_empty() {
        return Err("The OpenPGP key is revoked".into());
    }
    if !own.is_empty() && own.iter().all(|binding| is_over(binding, created, now)) {
        return Err("The OpenPGP key is past its time".into());
    }
    let subkey = certificate.public_subkeys.iter().find(|subkey| {
        let created = subkey.key.created_at().as_secs();
        subkey.algorithm().can_encrypt()
            && is_strong(subkey.key.public_params())
            && !is_revoked(&subkey.signatures)
            && newest(&subkey.signatures).is_some_and(|binding| {
                is_for_encryption(binding) && !is_over(binding, created, now)
            })
    });
    if let Some(subkey) = subkey {
        return Ok(PgpKey::Sub(subkey.clone()));
    }
    let encrypts = primary.algorithm().can_encrypt() && is_strong(primary.public_params());
    if encrypts && own.iter().any(|binding| is_for_encryption(binding)) {
        return Ok(PgpKey::Primary(certificate));
    }
    Err("The OpenPGP key has no valid key for encryption".into())
}

fn newest(signatures: &[Signature]) -> Option<&Signature> {
    let bindings = signatures
        .iter()
        .filter(|signature| signature.typ() == Some(SignatureType::SubkeyBinding));
    bindings.max_by_key(|signature| signature.created().map(Timestamp::as_secs))
}

fn is_revoked(signatures: &[Signature]) -> bool {
    let kind = Some(SignatureType::SubkeyRevocation);
    signatures.iter().any(|signature| signature.typ() == kind)
}

fn is_for_encryption(binding: &Signature) -> bool {
    let flags = binding.key_flags();
    flags.encrypt_comms() || flags.encrypt_storage()
}

fn is_over(binding: &Signature, created: u32, now: Instant) -> bool {
    binding.key_expiration_time().is_some_and(|lifetime| {
        let lifetime = Duration::from_secs(u64::from(lifetime.as_secs()));
        let begin = Instant::from_millis(i64::from(created) * 1000);
        !lifetime.is_zero() && begin.plus(lifetime) <= now
    })
}

fn is_strong(params: &PublicParams) -> bool {
    match params {
        // Modulus and exponent as they are written, which is the modulus and a few bytes.
        PublicParams::RSA(rsa) => rsa.write_len() * 8 >= LEAST_RSA,
        _ => true,
    }
}

/// Our randomness as the OpenPGP crate asks for it. age draws its own from the system.
struct Random<'a>(&'a dyn Entropy);

impl RngCore for Random<'_> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl CryptoRng for Random<'_> {}
