//! Ory Kratos's spellings (`$sha256$pf=…`, `$md5$…`, `$hmac-sha256$…`, `$sha512-crypt$…`) and
//! passwap's `$md5salted-…$`.

use zeroize::Zeroizing;

use super::compute::{computed, join};
use super::{Reading, UnreadableHash, modular};
use crate::digest::Digest;
use crate::encoding::{SecretBytes, from_base64};
use crate::limits::Limits;

/// The longest message that a template may make of a password.
const LONGEST_MESSAGE: usize = 1 << 16;

fn base64(text: &str) -> Option<SecretBytes> {
    from_base64(text).map(Zeroizing::new)
}

/// What a template consists of.
enum Piece {
    Text(Vec<u8>),
    Salt,
    Password,
}

/// `{SALT}` and `{PASSWORD}` among literal text.
fn pieces(mut template: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while !template.is_empty() {
        let next = [("{SALT}", true), ("{PASSWORD}", false)]
            .into_iter()
            .filter_map(|(name, is_salt)| Some((template.find(name)?, name, is_salt)))
            .min_by_key(|(at, ..)| *at);
        let Some((at, name, is_salt)) = next else {
            pieces.push(Piece::Text(template.as_bytes().to_vec()));
            break;
        };
        let (before, rest) = template.split_at(at);
        if !before.is_empty() {
            pieces.push(Piece::Text(before.as_bytes().to_vec()));
        }
        pieces.push(if is_salt {
            Piece::Salt
        } else {
            Piece::Password
        });
        template = rest.get(name.len()..).unwrap_or_default();
    }
    pieces
}

/// `$sha256$pf=<template>$<salt>$<hash>`, or `$md5$<hash>` alone.
pub(super) fn template(digest: Digest, text: &str) -> Reading {
    let malformed = || UnreadableHash::malformed("a hash of Ory Kratos");
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let (template, salt, hash) = match fields.as_slice() {
        [hash] => (
            "{PASSWORD}".to_owned(),
            SecretBytes::default(),
            base64(hash),
        ),
        [template, salt, hash] => {
            let template = template.strip_prefix("pf=").and_then(from_base64);
            let template = template.and_then(|bytes| String::from_utf8(bytes).ok());
            let salt = base64(salt).ok_or_else(malformed)?;
            (template.ok_or_else(malformed)?, salt, base64(hash))
        }
        _ => return Err(malformed()),
    };
    let hash = hash.filter(|hash| hash.len() == digest.size());
    let hash = hash.ok_or_else(malformed)?;
    let pieces = pieces(&template);
    let passwords = pieces
        .iter()
        .filter(|piece| matches!(piece, Piece::Password));
    if !(1..=8).contains(&passwords.count()) {
        return Err(malformed());
    }
    Ok(computed(hash, move |password| {
        let mut message = Zeroizing::new(Vec::new());
        for piece in &pieces {
            let bytes = match piece {
                Piece::Text(text) => text.as_slice(),
                Piece::Salt => salt.as_slice(),
                Piece::Password => password,
            };
            if message.len() + bytes.len() > LONGEST_MESSAGE {
                return Zeroizing::new(Vec::new());
            }
            message.extend_from_slice(bytes);
        }
        digest.hash(&message)
    }))
}

/// `$hmac-sha256$<hash>$<key>`; the hash is base64 of the digest's hex.
pub(super) fn hmac(name: &str, text: &str) -> Reading {
    let malformed = || UnreadableHash::malformed("an HMAC of Ory Kratos");
    let digest = name.strip_prefix("hmac-").and_then(Digest::parse);
    let digest = digest.ok_or_else(malformed)?;
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let [hash, key] = fields.as_slice() else {
        return Err(malformed());
    };
    let key = base64(key).ok_or_else(malformed)?;
    let hash = base64(hash).and_then(|hex| hex::decode(hex.as_slice()).ok());
    let hash = hash.filter(|hash| hash.len() == digest.size());
    let hash = Zeroizing::new(hash.ok_or_else(malformed)?);
    Ok(computed(hash, move |password| digest.hmac(&key, password)))
}

/// `$md5-crypt$…` and its kin: the number of crypt(3) written as a word.
pub(super) fn crypt_word(id: &str, text: &str, limits: &Limits) -> Reading {
    let number = match id {
        "md5-crypt" => "1",
        "sha256-crypt" => "5",
        _ => "6",
    };
    let rest = text.get(id.len() + 1..).unwrap_or_default();
    modular(&Zeroizing::new(format!("${number}{rest}")), limits)
}

/// passwap: `$md5salted-suffix$<salt>$<base64>`, the salt as text.
pub(super) fn passwap(id: &str, text: &str) -> Reading {
    let malformed = || UnreadableHash::malformed("a salted MD5 of passwap");
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let [salt, hash] = fields.as_slice() else {
        return Err(malformed());
    };
    let suffix = id.ends_with("-suffix");
    let hash = base64(hash).filter(|hash| hash.len() == Digest::Md5.size());
    let hash = hash.ok_or_else(malformed)?;
    let salt = Zeroizing::new(salt.as_bytes().to_vec());
    Ok(computed(hash, move |password| {
        Digest::Md5.hash(&if suffix {
            join(&[password, &salt])
        } else {
            join(&[&salt, password])
        })
    }))
}
