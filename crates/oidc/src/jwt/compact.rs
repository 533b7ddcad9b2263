//! A compact JWS (RFC 7515 §7.1) taken apart, before anything of it is believed.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::key_set::TokenError;
use super::{Algorithm, decode};

/// Longer than this is no token of anybody's.
const LONGEST: usize = 64 * 1024;

/// The three parts.
pub(crate) struct Compact<'a> {
    /// The algorithm that the header names: to be compared with the key's, never to be obeyed.
    pub algorithm: Algorithm,
    /// The header, whole. Keys and addresses of keys in it are worth nothing by themselves.
    pub header: Map<String, Value>,
    /// What the signature is over.
    pub signed: &'a str,
    /// The claims, not yet read.
    payload: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let header = object(header)?;
        let algorithm = header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.ok_or(TokenError::Malformed)?;
        let algorithm = Algorithm::parse(algorithm).ok_or(TokenError::Algorithm)?;
        // An extension that must be understood: none is.
        if header.contains_key("crit") {
            return Err(TokenError::Algorithm);
        }
        let signature = decode(signature).ok_or(TokenError::Malformed)?;
        Ok(Self {
            algorithm,
            header,
            signed,
            payload,
            signature,
        })
    }

    /// The name of the key.
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// The claims. To be asked for when the signature was found good, or for a name to look up.
    pub fn claims(&self) -> Result<Map<String, Value>, TokenError> {
        object(self.payload)
    }
}

fn object(part: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = decode(part).ok_or(TokenError::Malformed)?;
    let object: Object = serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)?;
    Ok(object.0)
}

/// A JSON object in which no member stands twice (RFC 7515 §4, RFC 7519 §4): two readers might see
/// two different ones.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member stands twice"));
                    }
                }
                Ok(Object(object))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
