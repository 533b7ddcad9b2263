//! The one-way functions that imported hashes are made of, under every name OpenSSL gives them.
//! Owns the dispatch from a name to a `RustCrypto` type; refuses MDC-2, which has no maintained
//! implementation in Rust.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::Digest as _;
use zeroize::Zeroizing;

use crate::encoding::SecretBytes;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    Md4,
    Md5,
    Ripemd160,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Whirlpool,
}

/// A function of messages, under a key.
pub(crate) type Keyed = Box<dyn Fn(&[u8]) -> SecretBytes>;

macro_rules! dispatch {
    ($digest:expr, $Hash:ident => $body:expr) => {
        match $digest {
            Digest::Md4 => {
                type $Hash = md4::Md4;
                $body
            }
            Digest::Md5 => {
                type $Hash = md5::Md5;
                $body
            }
            Digest::Ripemd160 => {
                type $Hash = ripemd::Ripemd160;
                $body
            }
            Digest::Sha1 => {
                type $Hash = sha1::Sha1;
                $body
            }
            Digest::Sha224 => {
                type $Hash = sha2::Sha224;
                $body
            }
            Digest::Sha256 => {
                type $Hash = sha2::Sha256;
                $body
            }
            Digest::Sha384 => {
                type $Hash = sha2::Sha384;
                $body
            }
            Digest::Sha512 => {
                type $Hash = sha2::Sha512;
                $body
            }
            Digest::Whirlpool => {
                type $Hash = whirlpool::Whirlpool;
                $body
            }
        }
    };
}

impl Digest {
    /// Reads a canonical name, as `hash.digest` spells it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "md4" => Some(Self::Md4),
            "md5" => Some(Self::Md5),
            "ripemd160" => Some(Self::Ripemd160),
            "sha1" => Some(Self::Sha1),
            "sha224" => Some(Self::Sha224),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            "whirlpool" => Some(Self::Whirlpool),
            _ => None,
        }
    }

    /// Reads any of the OpenSSL names that a pbkdf2 string may use.
    pub(crate) fn parse_alias(name: &str) -> Option<Self> {
        match name {
            "RSA-MD4" | "md4WithRSAEncryption" => Some(Self::Md4),
            "RSA-MD5" | "md5WithRSAEncryption" | "ssl3-md5" => Some(Self::Md5),
            "RSA-RIPEMD160" | "ripemd" | "ripemd160WithRSA" | "rmd160" => Some(Self::Ripemd160),
            "RSA-SHA1" | "RSA-SHA1-2" | "sha1WithRSAEncryption" | "ssl3-sha1" => Some(Self::Sha1),
            "RSA-SHA224" | "sha224WithRSAEncryption" => Some(Self::Sha224),
            "RSA-SHA256" | "sha256WithRSAEncryption" => Some(Self::Sha256),
            "RSA-SHA384" | "sha384WithRSAEncryption" => Some(Self::Sha384),
            "RSA-SHA512" | "sha512WithRSAEncryption" => Some(Self::Sha512),
            canonical => Self::parse(canonical),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md4 => "md4",
            Self::Md5 => "md5",
            Self::Ripemd160 => "ripemd160",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Whirlpool => "whirlpool",
        }
    }

    /// Bytes of output.
    pub(crate) fn size(self) -> usize {
        dispatch!(self, Hash => <Hash as md4::Digest>::output_size())
    }

    /// One round over the message.
    pub(crate) fn hash(self, message: &[u8]) -> SecretBytes {
        dispatch!(self, Hash => Zeroizing::new(Hash::digest(message).to_vec()))
    }

    /// HMAC of the message. A key of any length is legal, so the only error cannot occur; an
    /// empty answer would equal no digest.
    pub(crate) fn hmac(self, key: &[u8], message: &[u8]) -> SecretBytes {
        dispatch!(self, Hash => {
            let mac = Hmac::<Hash>::new_from_slice(key).map(|mac| mac.chain_update(message));
            Zeroizing::new(mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default())
        })
    }

    /// HMAC under one key, for many messages.
    pub(crate) fn keyed(self, key: &[u8]) -> Keyed {
        dispatch!(self, Hash => {
            let mac = Hmac::<Hash>::new_from_slice(key);
            Box::new(move |message| {
                let mac = mac.clone().map(|mac| mac.chain_update(message));
                Zeroizing::new(mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default())
            })
        })
    }

    /// PBKDF2 with HMAC of this digest, `length` bytes.
    pub(crate) fn pbkdf2(
        self,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        length: usize,
    ) -> SecretBytes {
        let mut output = Zeroizing::new(vec![0; length]);
        dispatch!(self, Hash => pbkdf2::pbkdf2_hmac::<Hash>(password, salt, iterations, &mut output));
        output
    }

    /// The first block of PBKDF2 after every round, until `goes_on` says no.
    pub(crate) fn pbkdf2_rounds(
        self,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        goes_on: &mut dyn FnMut(u32, &[u8]) -> bool,
    ) {
        dispatch!(self, Hash => {
            let Ok(keyed) = Hmac::<Hash>::new_from_slice(password) else {
                return;
            };
            let first = keyed.clone().chain_update(salt).chain_update([0, 0, 0, 1]);
            let mut last = first.finalize().into_bytes();
            let mut block = last;
            for round in 1..=iterations {
                if !goes_on(round, &block) {
                    return;
                }
                last = keyed.clone().chain_update(last).finalize().into_bytes();
                block.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
            }
        });
    }
}

/// Whether the name is one of OpenSSL's for MDC-2.
pub(crate) fn is_mdc2(name: &str) -> bool {
    matches!(name, "mdc2" | "RSA-MDC2" | "mdc2WithRSA")
}
