//! Keys as scripts hold them (PEM, DER, JWK) and as everything else here wants them: one kind, the
//! public half raw, the private half as PKCS#8.

use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::pem::{PemObject, SectionKind};
use serde_json::{Value, json};

use super::der::{
    BIT_STRING, INTEGER, NULL, OCTET_STRING, OID, Reader, SEQUENCE, element, integer,
};

const RSA_OID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS_OID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC_OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519_OID: &[u8] = &[0x2b, 0x65, 0x70];

/// A named curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
    K256,
}

impl Curve {
    const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::K256];

    const fn oid(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
            Self::K256 => &[0x2b, 0x81, 0x04, 0x00, 0x0a],
        }
    }

    /// OpenSSL's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "prime256v1",
            Self::P384 => "secp384r1",
            Self::P521 => "secp521r1",
            Self::K256 => "secp256k1",
        }
    }

    const fn jwk(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::K256 => "secp256k1",
        }
    }

    /// Bits of the field.
    pub const fn bits(self) -> usize {
        match self {
            Self::P256 | Self::K256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rsa,
    Ec(Curve),
    Ed25519,
}

/// A key.
pub struct Key {
    pub kind: Kind,
    /// The private half as PKCS#8.
    pub private: Option<Vec<u8>>,
    /// The public half: `RSAPublicKey`, a point, or 32 bytes.
    pub public: Vec<u8>,
}

impl Key {
    /// Reads a key in any of the forms.
    pub fn read(material: &[u8]) -> Option<Self> {
        let start = material.iter().find(|byte| !byte.is_ascii_whitespace())?;
        match start {
            0x30 => Self::from_der(material),
            b'{' => Self::from_jwk(&serde_json::from_slice(material).ok()?),
            _ => {
                let (kind, der) = <(SectionKind, Vec<u8>)>::pem_slice_iter(material)
                    .filter_map(Result::ok)
                    .find(|(kind, _)| *kind != SectionKind::Crl)?;
                match kind {
                    SectionKind::Certificate => Self::from_certificate(&der),
                    _ => Self::from_der(&der),
                }
            }
        }
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        Self::from_pkcs8(der)
            .or_else(|| Self::from_spki(der))
            .or_else(|| Self::from_pkcs1(der))
            .or_else(|| Self::from_sec1(der, None))
            .or_else(|| Self::from_certificate(der))
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let mut body = Reader(der).enter(SEQUENCE)?;
        body.take(INTEGER)?;
        let kind = read_algorithm(body.enter(SEQUENCE)?)?;
        let inner = body.take(OCTET_STRING)?.inside;
        match kind {
            Kind::Rsa => Self::from_pkcs1(inner),
            Kind::Ec(curve) => Self::from_sec1(inner, Some(curve)),
            Kind::Ed25519 => {
                let seed = Reader(inner).take(OCTET_STRING)?.inside;
                Self::from_seed(seed)
            }
        }
    }

    fn from_seed(seed: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        Some(Self {
            kind: Kind::Ed25519,
            private: Some(pkcs8(Kind::Ed25519, &element(OCTET_STRING, &[seed]))),
            public: pair.public_key().as_ref().to_vec(),
        })
    }

    /// A private or public RSA key without a wrapping.
    fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let mut body = Reader(der).enter(SEQUENCE)?;
        let first = body.take(INTEGER)?;
        let second = body.take(INTEGER)?;
        let Some(third) = body.next() else {
            return Some(Self {
                kind: Kind::Rsa,
                private: None,
                public: der.to_vec(),
            });
        };
        let is_private = first.inside == [0] && third.tag == INTEGER;
        is_private.then(|| Self {
            kind: Kind::Rsa,
            private: Some(pkcs8(Kind::Rsa, der)),
            public: element(SEQUENCE, &[second.whole, third.whole]),
        })
    }

    fn from_sec1(der: &[u8], curve: Option<Curve>) -> Option<Self> {
        let mut body = Reader(der).enter(SEQUENCE)?;
        body.take(INTEGER)?;
        let secret = body.take(OCTET_STRING)?.inside;
        let mut curve = curve;
        let mut point = None;
        while let Some(extra) = body.next() {
            match extra.tag {
                0xa0 => curve = Some(read_curve(Reader(extra.inside).take(OID)?.inside)?),
                0xa1 => point = Some(bits(Reader(extra.inside))?),
                _ => return None,
            }
        }
        Self::from_scalar(curve?, secret, point)
    }

    fn from_scalar(curve: Curve, secret: &[u8], point: Option<&[u8]>) -> Option<Self> {
        let named = element(0xa0, &[&element(OID, &[curve.oid()])]);
        let version = integer(&[1]);
        let secret = element(OCTET_STRING, &[secret]);
        let bare = element(SEQUENCE, &[&version, &secret, &named]);
        let public = if let Some(point) = point {
            point.to_vec()
        } else {
            let algorithm = super::sign::ecdsa_signing(curve, None, false)?;
            let pair = EcdsaKeyPair::from_private_key_der(algorithm, &bare).ok()?;
            pair.public_key().as_ref().to_vec()
        };
        let bits = element(0xa1, &[&bit_string(&public)]);
        let whole = element(SEQUENCE, &[&version, &secret, &bits]);
        Some(Self {
            kind: Kind::Ec(curve),
            private: Some(pkcs8(Kind::Ec(curve), &whole)),
            public,
        })
    }

    fn from_spki(der: &[u8]) -> Option<Self> {
        let mut body = Reader(der).enter(SEQUENCE)?;
        let kind = read_algorithm(body.enter(SEQUENCE)?)?;
        Some(Self {
            kind,
            private: None,
            public: bits(body)?.to_vec(),
        })
    }

    fn from_certificate(der: &[u8]) -> Option<Self> {
        let mut body = Reader(der).enter(SEQUENCE)?.enter(SEQUENCE)?;
        while let Some(part) = body.next() {
            if let Some(key) = Self::from_spki(part.whole) {
                return Some(key);
            }
        }
        None
    }

    fn from_jwk(jwk: &Value) -> Option<Self> {
        let field = |name: &str| {
            let text = jwk.get(name)?.as_str()?;
            BASE64_URL_SAFE_NO_PAD
                .decode(text.trim_end_matches('='))
                .ok()
        };
        match jwk.get("kty")?.as_str()? {
            "RSA" => {
                let (modulus, exponent) = (integer(&field("n")?), integer(&field("e")?));
                if jwk.get("d").is_none() {
                    return Self::from_pkcs1(&element(SEQUENCE, &[&modulus, &exponent]));
                }
                let mut parts = vec![integer(&[0]), modulus, exponent];
                for name in ["d", "p", "q", "dp", "dq", "qi"] {
                    parts.push(integer(&field(name)?));
                }
                let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                Self::from_pkcs1(&element(SEQUENCE, &parts))
            }
            "EC" => {
                let name = jwk.get("crv")?.as_str()?;
                let curve = Curve::ALL.into_iter().find(|curve| curve.jwk() == name)?;
                let point = [vec![4], field("x")?, field("y")?].concat();
                match field("d") {
                    Some(secret) => Self::from_scalar(curve, &secret, Some(&point)),
                    None => Some(Self {
                        kind: Kind::Ec(curve),
                        private: None,
                        public: point,
                    }),
                }
            }
            "OKP" if jwk.get("crv")?.as_str()? == "Ed25519" => match field("d") {
                Some(seed) => Self::from_seed(&seed),
                None => Some(Self {
                    kind: Kind::Ed25519,
                    private: None,
                    public: field("x")?,
                }),
            },
            _ => None,
        }
    }

    /// The public half as SPKI.
    pub fn spki(&self) -> Vec<u8> {
        element(
            SEQUENCE,
            &[&algorithm(self.kind), &bit_string(&self.public)],
        )
    }

    /// The private half without its wrapping: PKCS#1, SEC1 or the seed.
    pub fn inner_private(&self) -> Option<&[u8]> {
        let mut body = Reader(self.private.as_ref()?).enter(SEQUENCE)?;
        body.take(INTEGER)?;
        body.take(SEQUENCE)?;
        Some(body.take(OCTET_STRING)?.inside)
    }

    /// Modulus and public exponent of an RSA key.
    pub fn rsa(&self) -> Option<(&[u8], &[u8])> {
        let mut body = Reader(&self.public).enter(SEQUENCE)?;
        let modulus = strip(body.take(INTEGER)?.inside);
        Some((modulus, strip(body.take(INTEGER)?.inside)))
    }

    /// The key as a JWK.
    pub fn jwk(&self, with_private: bool) -> Option<Value> {
        let text = |bytes: &[u8]| Value::from(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        let mut jwk = match self.kind {
            Kind::Rsa => {
                let (modulus, exponent) = self.rsa()?;
                json!({"kty": "RSA", "n": text(modulus), "e": text(exponent)})
            }
            Kind::Ec(curve) => {
                let coordinates = self.public.strip_prefix(&[4])?;
                let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
                json!({"kty": "EC", "x": text(x), "y": text(y), "crv": curve.jwk()})
            }
            Kind::Ed25519 => json!({"kty": "OKP", "crv": "Ed25519", "x": text(&self.public)}),
        };
        if with_private {
            let mut inner = Reader(self.inner_private()?);
            let fields = jwk.as_object_mut()?;
            match self.kind {
                Kind::Rsa => {
                    let mut body = inner.enter(SEQUENCE)?;
                    let names = ["", "n", "e", "d", "p", "q", "dp", "dq", "qi"];
                    for name in names {
                        let number = strip(body.take(INTEGER)?.inside);
                        if !name.is_empty() {
                            fields.insert(name.to_owned(), text(number));
                        }
                    }
                }
                Kind::Ec(_) => {
                    let mut body = inner.enter(SEQUENCE)?;
                    body.take(INTEGER)?;
                    fields.insert("d".to_owned(), text(body.take(OCTET_STRING)?.inside));
                }
                Kind::Ed25519 => {
                    fields.insert("d".to_owned(), text(inner.take(OCTET_STRING)?.inside));
                }
            }
        }
        Some(jwk)
    }

    /// A signer's or verifier's view of the public half.
    pub fn verifier<'a>(
        &'a self,
        algorithm: &'static dyn signature::VerificationAlgorithm,
    ) -> signature::UnparsedPublicKey<&'a [u8]> {
        signature::UnparsedPublicKey::new(algorithm, self.public.as_slice())
    }
}

fn strip(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}

fn read_curve(oid: &[u8]) -> Option<Curve> {
    Curve::ALL.into_iter().find(|curve| curve.oid() == oid)
}

fn read_algorithm(mut body: Reader<'_>) -> Option<Kind> {
    match body.take(OID)?.inside {
        RSA_OID | RSA_PSS_OID => Some(Kind::Rsa),
        EC_OID => read_curve(body.take(OID)?.inside).map(Kind::Ec),
        ED25519_OID => Some(Kind::Ed25519),
        _ => None,
    }
}

fn bits(mut body: Reader<'_>) -> Option<&[u8]> {
    body.take(BIT_STRING)?.inside.strip_prefix(&[0])
}

fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes])
}

fn algorithm(kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Rsa => element(SEQUENCE, &[&element(OID, &[RSA_OID]), &element(NULL, &[])]),
        Kind::Ec(curve) => element(
            SEQUENCE,
            &[&element(OID, &[EC_OID]), &element(OID, &[curve.oid()])],
        ),
        Kind::Ed25519 => element(SEQUENCE, &[&element(OID, &[ED25519_OID])]),
    }
}

fn pkcs8(kind: Kind, inner: &[u8]) -> Vec<u8> {
    let inner = element(OCTET_STRING, &[inner]);
    element(SEQUENCE, &[&integer(&[0]), &algorithm(kind), &inner])
}
