//! AES in the modes that scripts meet, and ChaCha20-Poly1305: a whole message at once.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use rquickjs::{Ctx, Error, Object, Result};

use super::op;
use crate::embedded::value::{Bytes, Text, member, refuse};

/// Length of a tag, in bytes.
const TAG: usize = 16;

const NAMES: [&str; 13] = [
    "aes-128-cbc",
    "aes-128-ctr",
    "aes-128-ecb",
    "aes-128-gcm",
    "aes-192-cbc",
    "aes-192-ctr",
    "aes-192-ecb",
    "aes-192-gcm",
    "aes-256-cbc",
    "aes-256-ctr",
    "aes-256-ecb",
    "aes-256-gcm",
    "chacha20-poly1305",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Cbc,
    Ctr,
    Ecb,
}

/// What is wrong, as a code and a sentence of OpenSSL's.
type Refused = (&'static str, &'static str);

const BAD_DECRYPT: Refused = (
    "ERR_OSSL_BAD_DECRYPT",
    "error:1C800064:Provider routines::bad decrypt",
);
const BAD_LENGTH: Refused = (
    "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH",
    "error:1C80006B:Provider routines::wrong final block length",
);
const BAD_IV: Refused = ("ERR_CRYPTO_INVALID_IV", "Invalid initialization vector");
const BAD_KEY: Refused = ("ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
const UNAUTHENTIC: Refused = ("", "Unsupported state or unable to authenticate data");

struct Order {
    name: String,
    key: Vec<u8>,
    iv: Vec<u8>,
    aad: Vec<u8>,
    tag: Option<Vec<u8>>,
    is_padded: bool,
    is_encrypting: bool,
}

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    op!(native, ctx, "ciphers", || NAMES.to_vec());
    op!(
        native,
        ctx,
        "cipher",
        |ctx: Ctx<'js>, options: Object<'js>, bytes: Bytes| {
            let order = Order {
                name: member::<Text>(&options, "name")?
                    .map(|name| name.0.to_ascii_lowercase())
                    .unwrap_or_default(),
                key: part(&options, "key")?.unwrap_or_default(),
                iv: part(&options, "iv")?.unwrap_or_default(),
                aad: part(&options, "aad")?.unwrap_or_default(),
                tag: part(&options, "tag")?,
                is_padded: member(&options, "padding")?.unwrap_or(true),
                is_encrypting: member(&options, "encrypt")?.unwrap_or(false),
            };
            let (bytes, tag) = order
                .run(bytes.0)
                .map_err(|(code, message)| refuse(&ctx, code, message))?;
            let outcome = Object::new(ctx)?;
            outcome.set("bytes", Bytes(bytes))?;
            if let Some(tag) = tag {
                outcome.set("tag", Bytes(tag))?;
            }
            Ok::<_, Error>(outcome)
        }
    );
    Ok(())
}

fn part(options: &Object<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(member::<Bytes>(options, name)?.map(|bytes| bytes.0))
}

impl Order {
    fn run(&self, bytes: Vec<u8>) -> std::result::Result<(Vec<u8>, Option<Vec<u8>>), Refused> {
        let sealing = match self.name.as_str() {
            "aes-128-gcm" | "id-aes128-gcm" => Some(&aead::AES_128_GCM),
            "aes-192-gcm" | "id-aes192-gcm" => Some(&aead::AES_192_GCM),
            "aes-256-gcm" | "id-aes256-gcm" => Some(&aead::AES_256_GCM),
            "chacha20-poly1305" => Some(&aead::CHACHA20_POLY1305),
            _ => None,
        };
        if let Some(algorithm) = sealing {
            return self.seal_or_open(algorithm, bytes);
        }
        let unknown = ("ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
        let (family, mode) = self.name.rsplit_once('-').unwrap_or((&self.name, "cbc"));
        let algorithm = match family {
            "aes-128" | "aes128" => &AES_128,
            "aes-192" | "aes192" => &AES_192,
            "aes-256" | "aes256" => &AES_256,
            _ => return Err(unknown),
        };
        let mode = match mode {
            "cbc" | "128" | "192" | "256" => Mode::Cbc,
            "ctr" => Mode::Ctr,
            "ecb" => Mode::Ecb,
            _ => return Err(unknown),
        };
        let key = UnboundCipherKey::new(algorithm, &self.key).map_err(|_| BAD_KEY)?;
        let done = if self.is_encrypting {
            self.encrypt(key, mode, bytes)
        } else {
            self.decrypt(key, mode, bytes)
        };
        done.map(|bytes| (bytes, None))
    }

    fn iv(&self) -> std::result::Result<FixedLength<16>, Refused> {
        FixedLength::try_from(self.iv.as_slice()).map_err(|_| BAD_IV)
    }

    fn encrypt(
        &self,
        key: UnboundCipherKey,
        mode: Mode,
        mut bytes: Vec<u8>,
    ) -> std::result::Result<Vec<u8>, Refused> {
        let context = match mode {
            Mode::Ecb => EncryptionContext::None,
            Mode::Cbc | Mode::Ctr => EncryptionContext::Iv128(self.iv()?),
        };
        let done =
            match (mode, self.is_padded) {
                (Mode::Ctr, _) => EncryptingKey::ctr(key)
                    .and_then(|key| key.less_safe_encrypt(&mut bytes, context)),
                (Mode::Cbc, true) => PaddedBlockEncryptingKey::cbc_pkcs7(key)
                    .and_then(|key| key.less_safe_encrypt(&mut bytes, context)),
                (Mode::Ecb, true) => PaddedBlockEncryptingKey::ecb_pkcs7(key)
                    .and_then(|key| key.less_safe_encrypt(&mut bytes, context)),
                (Mode::Cbc, false) => EncryptingKey::cbc(key)
                    .and_then(|key| key.less_safe_encrypt(&mut bytes, context)),
                (Mode::Ecb, false) => EncryptingKey::ecb(key)
                    .and_then(|key| key.less_safe_encrypt(&mut bytes, context)),
            };
        done.map_err(|_| BAD_LENGTH)?;
        Ok(bytes)
    }

    fn decrypt(
        &self,
        key: UnboundCipherKey,
        mode: Mode,
        mut bytes: Vec<u8>,
    ) -> std::result::Result<Vec<u8>, Refused> {
        if mode != Mode::Ctr
            && (!bytes.len().is_multiple_of(16) || self.is_padded && bytes.is_empty())
        {
            return Err(BAD_LENGTH);
        }
        let context = match mode {
            Mode::Ecb => DecryptionContext::None,
            Mode::Cbc | Mode::Ctr => DecryptionContext::Iv128(self.iv()?),
        };
        let plain = match (mode, self.is_padded) {
            (Mode::Ctr, _) => DecryptingKey::ctr(key)
                .and_then(|key| key.decrypt(&mut bytes, context).map(|plain| plain.len())),
            (Mode::Cbc, true) => PaddedBlockDecryptingKey::cbc_pkcs7(key)
                .and_then(|key| key.decrypt(&mut bytes, context).map(|plain| plain.len())),
            (Mode::Ecb, true) => PaddedBlockDecryptingKey::ecb_pkcs7(key)
                .and_then(|key| key.decrypt(&mut bytes, context).map(|plain| plain.len())),
            (Mode::Cbc, false) => DecryptingKey::cbc(key)
                .and_then(|key| key.decrypt(&mut bytes, context).map(|plain| plain.len())),
            (Mode::Ecb, false) => DecryptingKey::ecb(key)
                .and_then(|key| key.decrypt(&mut bytes, context).map(|plain| plain.len())),
        };
        bytes.truncate(plain.map_err(|_| BAD_DECRYPT)?);
        Ok(bytes)
    }

    fn seal_or_open(
        &self,
        algorithm: &'static aead::Algorithm,
        mut bytes: Vec<u8>,
    ) -> std::result::Result<(Vec<u8>, Option<Vec<u8>>), Refused> {
        let key = UnboundKey::new(algorithm, &self.key).map_err(|_| BAD_KEY)?;
        let key = LessSafeKey::new(key);
        let nonce = Nonce::try_assume_unique_for_key(&self.iv).map_err(|_| BAD_IV)?;
        let aad = Aad::from(self.aad.as_slice());
        if self.is_encrypting {
            let tag = key.seal_in_place_separate_tag(nonce, aad, &mut bytes);
            let tag = tag.map_err(|_| UNAUTHENTIC)?;
            return Ok((bytes, Some(tag.as_ref().to_vec())));
        }
        // Shorter tags would have to be computed anew: none of ours does.
        let tag = self
            .tag
            .as_ref()
            .filter(|tag| tag.len() == TAG)
            .ok_or(UNAUTHENTIC)?;
        bytes.extend_from_slice(tag);
        let plain = key
            .open_in_place(nonce, aad, &mut bytes)
            .map_err(|_| UNAUTHENTIC)?
            .len();
        bytes.truncate(plain);
        Ok((bytes, None))
    }
}
