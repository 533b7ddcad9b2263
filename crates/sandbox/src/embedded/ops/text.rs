//! Texts to bytes and back, in the encodings of `Buffer`, with Node's leniency: what is no digit
//! ends a hexadecimal text, and is skipped in a base64 one.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{
    DecodePaddingMode,
    general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rquickjs::function::Opt;
use rquickjs::{Ctx, Error, Object, Result};

use super::op;
use crate::embedded::value::{Bytes, Text, refuse};

/// Takes what other decoders refuse: bits that are left over, and texts without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    op!(
        native,
        ctx,
        "encode",
        |ctx: Ctx<'js>, text: Text, encoding: Text| {
            encode(&text.0, &encoding.0)
                .map(Bytes)
                .ok_or_else(|| unknown(&ctx, &encoding.0))
        }
    );
    op!(
        native,
        ctx,
        "decode",
        |ctx: Ctx<'js>, bytes: Bytes, encoding: Text, start: Opt<usize>, end: Opt<usize>| {
            let all = bytes.0.as_slice();
            let end = end.0.unwrap_or(all.len()).min(all.len());
            let part = all.get(start.0.unwrap_or(0)..end).unwrap_or_default();
            decode(part, &encoding.0).ok_or_else(|| unknown(&ctx, &encoding.0))
        }
    );
    op!(native, ctx, "utf8Length", |text: Text| text.0.len());
    Ok(())
}

fn unknown(ctx: &Ctx<'_>, encoding: &str) -> Error {
    let message = format!("Unknown encoding: {encoding}");
    refuse(ctx, "ERR_UNKNOWN_ENCODING", &message)
}

fn encode(text: &str, encoding: &str) -> Option<Vec<u8>> {
    let bytes = match encoding {
        "utf8" => text.as_bytes().to_vec(),
        // A character's low eight bits, as Node takes them.
        "latin1" | "ascii" => text
            .encode_utf16()
            .map(|unit| u8::try_from(unit & 0xff).unwrap_or_default())
            .collect(),
        "utf16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "hex" => from_hex(text),
        "base64" | "base64url" => from_base64(text),
        _ => return None,
    };
    Some(bytes)
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .map_while(|digit| digit.to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    let (pairs, _) = digits.as_chunks::<2>();
    pairs.iter().map(|[high, low]| high << 4 | low).collect()
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut plain: String = text
        .chars()
        .take_while(|letter| *letter != '=')
        .filter_map(|letter| match letter {
            '-' => Some('+'),
            '_' => Some('/'),
            'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/' => Some(letter),
            _ => None,
        })
        .collect();
    if plain.len() % 4 == 1 {
        plain.pop();
    }
    LENIENT.decode(plain).unwrap_or_default()
}

fn decode(bytes: &[u8], encoding: &str) -> Option<String> {
    let text = match encoding {
        "utf8" => String::from_utf8_lossy(bytes).into_owned(),
        "latin1" => bytes.iter().copied().map(char::from).collect(),
        "ascii" => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
        "utf16le" => {
            let (units, _) = bytes.as_chunks::<2>();
            let units = units.iter().copied().map(u16::from_le_bytes);
            char::decode_utf16(units)
                .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        "hex" => hex::encode(bytes),
        "base64" => STANDARD.encode(bytes),
        "base64url" => URL_SAFE_NO_PAD.encode(bytes),
        _ => return None,
    };
    Some(text)
}
