//! Operations with keys: signatures, RSA encryption, and what a key is.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey,
    Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rquickjs::function::Opt;
use rquickjs::{Ctx, Error, IntoJs, Object, Result, Value};

use super::digests::Algorithm;
use super::material::{Key, Kind};
use super::op;
use super::sign::{Style, sign, verify};
use crate::embedded::value::{Bytes, Text, member, refuse};

/// Node's numbers of paddings.
const PKCS1_PADDING: i32 = 1;
const PSS_PADDING: i32 = 6;

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    op!(
        native,
        ctx,
        "sign",
        |ctx: Ctx<'js>, name: Value<'js>, key: Bytes, message: Bytes, options: Opt<Object<'js>>| {
            let key = private(&ctx, &key.0)?;
            let digest = digest(&ctx, name)?;
            let signature = sign(&key, digest, style(options.0.as_ref())?, &message.0);
            signature.map(Bytes).ok_or_else(|| unsupported(&ctx))
        }
    );
    op!(
        native,
        ctx,
        "verify",
        |ctx: Ctx<'js>,
         name: Value<'js>,
         key: Bytes,
         message: Bytes,
         signature: Bytes,
         options: Opt<Object<'js>>| {
            let key = read(&ctx, &key.0)?;
            let digest = digest(&ctx, name)?;
            let style = style(options.0.as_ref())?;
            verify(&key, digest, style, &message.0, &signature.0).ok_or_else(|| unsupported(&ctx))
        }
    );
    install_encryption(ctx, native)
}

fn install_encryption<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    op!(
        native,
        ctx,
        "publicEncrypt",
        |ctx: Ctx<'js>, key: Bytes, bytes: Bytes, options: Opt<Object<'js>>| {
            let key = read(&ctx, &key.0)?;
            let padding = Padding::of(&ctx, options.0.as_ref())?;
            encrypt(&key, &padding, &bytes.0)
                .map(Bytes)
                .ok_or_else(|| failed(&ctx))
        }
    );
    op!(native, ctx, "privateDecrypt", |ctx: Ctx<'js>,
                                        key: Bytes,
                                        bytes: Bytes,
                                        options: Opt<
        Object<'js>,
    >| {
        let key = private(&ctx, &key.0)?;
        let padding = Padding::of(&ctx, options.0.as_ref())?;
        decrypt(&key, &padding, &bytes.0)
            .map(Bytes)
            .ok_or_else(|| failed(&ctx))
    });
    op!(
        native,
        ctx,
        "keyInfo",
        |ctx: Ctx<'js>, key: Bytes, wanted: Opt<Value<'js>>| { info(&ctx, &key.0, wanted.0) }
    );
    op!(
        native,
        ctx,
        "keyExport",
        |ctx: Ctx<'js>, key: Bytes, half: Text, options: Object<'js>| {
            export(&ctx, &key.0, half.0 == "private", &options)
        }
    );
    Ok(())
}

fn read(ctx: &Ctx<'_>, material: &[u8]) -> Result<Key> {
    let refused = || {
        refuse(
            ctx,
            "ERR_OSSL_UNSUPPORTED",
            "error:1E08010C:DECODER routines::unsupported",
        )
    };
    Key::read(material).ok_or_else(refused)
}

fn private(ctx: &Ctx<'_>, material: &[u8]) -> Result<Key> {
    let key = read(ctx, material)?;
    if key.private.is_none() {
        return Err(refuse(
            ctx,
            "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE",
            "a private key is needed",
        ));
    }
    Ok(key)
}

fn unsupported(ctx: &Ctx<'_>) -> Error {
    let message = "this key and this digest do not make a supported signature";
    refuse(ctx, "ERR_CRYPTO_INVALID_DIGEST", message)
}

fn failed(ctx: &Ctx<'_>) -> Error {
    refuse(
        ctx,
        "ERR_OSSL_RSA_OPERATION_FAILED",
        "the RSA operation failed",
    )
}

fn digest<'js>(ctx: &Ctx<'js>, name: Value<'js>) -> Result<Option<Algorithm>> {
    if name.is_null() || name.is_undefined() {
        return Ok(None);
    }
    let name = name.get::<Text>()?.0;
    let unknown = || {
        refuse(
            ctx,
            "ERR_CRYPTO_INVALID_DIGEST",
            &format!("Invalid digest: {name}"),
        )
    };
    Algorithm::parse(&name).map(Some).ok_or_else(unknown)
}

fn style(options: Option<&Object<'_>>) -> Result<Style> {
    let Some(options) = options else {
        return Ok(Style {
            is_pss: false,
            is_flat: false,
        });
    };
    let encoding: Option<Text> = member(options, "dsaEncoding")?;
    Ok(Style {
        is_pss: member::<i32>(options, "padding")? == Some(PSS_PADDING),
        is_flat: encoding.is_some_and(|encoding| encoding.0 == "ieee-p1363"),
    })
}

enum Padding {
    Pkcs1,
    Oaep(&'static OaepAlgorithm),
}

impl Padding {
    /// OAEP with SHA-1 unless something else is said, as in Node.
    fn of(ctx: &Ctx<'_>, options: Option<&Object<'_>>) -> Result<Self> {
        let Some(options) = options else {
            return Ok(Self::Oaep(&OAEP_SHA1_MGF1SHA1));
        };
        if member::<i32>(options, "padding")? == Some(PKCS1_PADDING) {
            return Ok(Self::Pkcs1);
        }
        let hash: Option<Text> = member(options, "oaepHash")?;
        match hash.map_or(Some(Algorithm::Sha1), |hash| Algorithm::parse(&hash.0)) {
            Some(Algorithm::Sha1) => Ok(Self::Oaep(&OAEP_SHA1_MGF1SHA1)),
            Some(Algorithm::Sha256) => Ok(Self::Oaep(&OAEP_SHA256_MGF1SHA256)),
            Some(Algorithm::Sha384) => Ok(Self::Oaep(&OAEP_SHA384_MGF1SHA384)),
            Some(Algorithm::Sha512) => Ok(Self::Oaep(&OAEP_SHA512_MGF1SHA512)),
            _ => Err(refuse(
                ctx,
                "ERR_CRYPTO_INVALID_DIGEST",
                "Invalid digest for OAEP",
            )),
        }
    }
}

fn encrypt(key: &Key, padding: &Padding, bytes: &[u8]) -> Option<Vec<u8>> {
    let public = PublicEncryptingKey::from_der(&key.spki()).ok()?;
    let mut output = vec![0; public.key_size_bytes()];
    let length = match padding {
        Padding::Pkcs1 => Pkcs1PublicEncryptingKey::new(public)
            .ok()?
            .encrypt(bytes, &mut output)
            .ok()?
            .len(),
        Padding::Oaep(algorithm) => {
            let public = OaepPublicEncryptingKey::new(public).ok()?;
            public
                .encrypt(algorithm, bytes, &mut output, None)
                .ok()?
                .len()
        }
    };
    output.truncate(length);
    Some(output)
}

fn decrypt(key: &Key, padding: &Padding, bytes: &[u8]) -> Option<Vec<u8>> {
    let private = PrivateDecryptingKey::from_pkcs8(key.private.as_ref()?).ok()?;
    let mut output = vec![0; private.key_size_bytes()];
    let length = match padding {
        Padding::Pkcs1 => Pkcs1PrivateDecryptingKey::new(private)
            .ok()?
            .decrypt(bytes, &mut output)
            .ok()?
            .len(),
        Padding::Oaep(algorithm) => {
            let private = OaepPrivateDecryptingKey::new(private).ok()?;
            private
                .decrypt(algorithm, bytes, &mut output, None)
                .ok()?
                .len()
        }
    };
    output.truncate(length);
    Some(output)
}

fn info<'js>(ctx: &Ctx<'js>, material: &[u8], wanted: Option<Value<'js>>) -> Result<Object<'js>> {
    let wanted = wanted
        .filter(Value::is_string)
        .map(|wanted| wanted.get::<Text>())
        .transpose()?;
    let key = match wanted.as_ref().map(|wanted| wanted.0.as_str()) {
        Some("private") => private(ctx, material)?,
        _ => read(ctx, material)?,
    };
    let is_public = wanted.is_some_and(|wanted| wanted.0 == "public") || key.private.is_none();
    let info = Object::new(ctx.clone())?;
    info.set("type", if is_public { "public" } else { "private" })?;
    match key.kind {
        Kind::Rsa => {
            info.set("asymmetricKeyType", "rsa")?;
            if let Some((modulus, exponent)) = key.rsa() {
                let leading = modulus
                    .first()
                    .map_or(0, |first| first.leading_zeros() as usize);
                info.set("bits", modulus.len() * 8 - leading)?;
                let exponent = exponent
                    .iter()
                    .fold(0u32, |number, byte| number << 8 | u32::from(*byte));
                info.set("publicExponent", exponent)?;
            }
        }
        Kind::Ec(curve) => {
            info.set("asymmetricKeyType", "ec")?;
            info.set("bits", curve.bits())?;
            info.set("curve", curve.name())?;
        }
        Kind::Ed25519 => {
            info.set("asymmetricKeyType", "ed25519")?;
            info.set("bits", 256)?;
        }
    }
    Ok(info)
}

fn export<'js>(
    ctx: &Ctx<'js>,
    material: &[u8],
    is_private: bool,
    options: &Object<'js>,
) -> Result<Value<'js>> {
    let key = if is_private {
        private(ctx, material)?
    } else {
        read(ctx, material)?
    };
    let format =
        member::<Text>(options, "format")?.map_or_else(|| "pem".to_owned(), |format| format.0);
    let form = member::<Text>(options, "type")?.map(|form| form.0);
    let refused = || {
        refuse(
            ctx,
            "ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS",
            "this key has no such form",
        )
    };
    if format == "jwk" {
        let jwk = key.jwk(is_private).ok_or_else(refused)?;
        return ctx.json_parse(jwk.to_string());
    }
    let (label, der) = match (is_private, form.as_deref()) {
        (true, None | Some("pkcs8")) => ("PRIVATE KEY", key.private.clone()),
        (true, Some("pkcs1")) if key.kind == Kind::Rsa => {
            ("RSA PRIVATE KEY", key.inner_private().map(<[u8]>::to_vec))
        }
        (true, Some("sec1")) if matches!(key.kind, Kind::Ec(_)) => {
            ("EC PRIVATE KEY", key.inner_private().map(<[u8]>::to_vec))
        }
        (false, None | Some("spki")) => ("PUBLIC KEY", Some(key.spki())),
        (false, Some("pkcs1")) if key.kind == Kind::Rsa => {
            ("RSA PUBLIC KEY", Some(key.public.clone()))
        }
        _ => return Err(refused()),
    };
    let der = der.ok_or_else(refused)?;
    if format == "der" {
        return Bytes(der).into_js(ctx);
    }
    pem(label, &der).into_js(ctx)
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, letter) in BASE64_STANDARD.encode(der).chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text + "\n-----END " + label + "-----\n"
}
