//! Digests by the names that OpenSSL and Node give them, and what is built of them alone: HMAC,
//! PBKDF2, HKDF.

use std::num::NonZeroU32;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Digest as _;

/// A digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Md4,
    Md5,
    Ripemd160,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512T256,
}

/// Runs a piece of code with `$Hash` standing for the digest's type.
macro_rules! dispatch {
    ($algorithm:expr, $Hash:ident => $code:expr) => {
        match $algorithm {
            Algorithm::Md4 => {
                type $Hash = md4::Md4;
                $code
            }
            Algorithm::Md5 => {
                type $Hash = md5::Md5;
                $code
            }
            Algorithm::Ripemd160 => {
                type $Hash = ripemd::Ripemd160;
                $code
            }
            Algorithm::Sha1 => {
                type $Hash = sha1::Sha1;
                $code
            }
            Algorithm::Sha224 => {
                type $Hash = sha2::Sha224;
                $code
            }
            Algorithm::Sha256 => {
                type $Hash = sha2::Sha256;
                $code
            }
            Algorithm::Sha384 => {
                type $Hash = sha2::Sha384;
                $code
            }
            Algorithm::Sha512 => {
                type $Hash = sha2::Sha512;
                $code
            }
            Algorithm::Sha512T256 => {
                type $Hash = sha2::Sha512_256;
                $code
            }
        }
    };
}

impl Algorithm {
    /// The names that `getHashes` lists.
    pub const NAMES: [&'static str; 9] = [
        "md4",
        "md5",
        "ripemd160",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "sha512-256",
    ];

    /// By name: `sha256`, `SHA-256`, `RSA-SHA256`, ….
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix("rsa-").unwrap_or(&name);
        Some(match name {
            "md4" => Self::Md4,
            "md5" => Self::Md5,
            "ripemd160" | "ripemd" | "rmd160" => Self::Ripemd160,
            "sha1" | "sha-1" => Self::Sha1,
            "sha224" | "sha-224" => Self::Sha224,
            "sha256" | "sha-256" => Self::Sha256,
            "sha384" | "sha-384" => Self::Sha384,
            "sha512" | "sha-512" => Self::Sha512,
            "sha512-256" | "sha512/256" | "sha-512/256" => Self::Sha512T256,
            _ => return None,
        })
    }

    /// The digest of a message.
    pub fn hash(self, message: &[u8]) -> Vec<u8> {
        dispatch!(self, Hash => Hash::digest(message).to_vec())
    }

    /// The HMAC of a message.
    pub fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        dispatch!(self, Hash => {
            // Keys of any length will do.
            let mac = Hmac::<Hash>::new_from_slice(key).map(|mac| mac.chain_update(message));
            mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
        })
    }

    /// PBKDF2 with HMAC.
    pub fn pbkdf2(
        self,
        password: &[u8],
        salt: &[u8],
        iterations: NonZeroU32,
        length: usize,
    ) -> Vec<u8> {
        use aws_lc_rs::pbkdf2::{
            PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512, derive,
        };
        let mut output = vec![0; length];
        let fast = match self {
            Self::Sha1 => Some(PBKDF2_HMAC_SHA1),
            Self::Sha256 => Some(PBKDF2_HMAC_SHA256),
            Self::Sha384 => Some(PBKDF2_HMAC_SHA384),
            Self::Sha512 => Some(PBKDF2_HMAC_SHA512),
            _ => None,
        };
        match fast {
            Some(fast) if length > 0 => derive(fast, iterations, salt, password, &mut output),
            _ => dispatch!(self, Hash => {
                pbkdf2::pbkdf2_hmac::<Hash>(password, salt, iterations.get(), &mut output);
            }),
        }
        output
    }

    /// HKDF (RFC 5869); `None` when more is asked for than it gives.
    pub fn hkdf(self, key: &[u8], salt: &[u8], info: &[u8], length: usize) -> Option<Vec<u8>> {
        let secret = self.hmac(salt, key);
        let mut output = Vec::with_capacity(length + 64);
        let mut block = Vec::new();
        for count in 1..=u8::MAX {
            if output.len() >= length {
                break;
            }
            block.extend_from_slice(info);
            block.push(count);
            block = self.hmac(&secret, &block);
            output.extend_from_slice(&block);
        }
        if output.len() < length {
            return None;
        }
        output.truncate(length);
        Some(output)
    }
}
