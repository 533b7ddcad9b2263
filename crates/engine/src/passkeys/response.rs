//! What a browser sends back (Web Authentication Level 2 §5.8.1, §6.1, §6.5), read once into types.
//! Whether any of it is true is decided by the caller, but for the checks that have one answer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use constant_time_eq::constant_time_eq;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::cbor::{self, Cbor};
use super::public_key::PublicKey;

/// Why a response is worth nothing: for the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit(pub(super) &'static str);

/// A response as browsers serialise it (`PublicKeyCredential.toJSON`).
#[derive(Deserialize)]
pub struct CredentialResponse {
    id: String,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: Option<String>,
    authenticator_data: Option<String>,
    signature: Option<String>,
    user_handle: Option<String>,
    #[serde(default)]
    transports: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// The authenticator's own words (§6.1).
pub(super) struct AuthenticatorData<'a> {
    flags: u8,
    pub(super) sign_count: u32,
    /// In a registration: the credential's id and its key.
    pub(super) attested: Option<(&'a [u8], &'a [u8])>,
}

/// A registration that was read.
pub(super) struct Registration {
    pub(super) credential_id: String,
    pub(super) public_key: Vec<u8>,
    pub(super) sign_count: u32,
    pub(super) user_verified: bool,
    pub(super) backed_up: bool,
    pub(super) transports: Vec<String>,
}

/// An assertion whose signature was checked.
pub(super) struct Assertion {
    pub(super) sign_count: u32,
    pub(super) user_verified: bool,
    pub(super) backed_up: bool,
}

impl AuthenticatorData<'_> {
    pub(super) const fn user_verified(&self) -> bool {
        self.flags & 0x04 != 0
    }

    pub(super) const fn backed_up(&self) -> bool {
        self.flags & 0x10 != 0
    }
}

impl CredentialResponse {
    /// The credential's id, base64url, in its one spelling.
    pub(super) fn credential_id(&self) -> Result<String, Unfit> {
        Ok(URL_SAFE_NO_PAD.encode(bytes(&self.id)?))
    }

    /// The handle by which the authenticator knows the user.
    pub(super) fn user_handle(&self) -> Result<Option<Vec<u8>>, Unfit> {
        let handle = self.response.user_handle.as_deref();
        handle
            .filter(|text| !text.is_empty())
            .map(bytes)
            .transpose()
    }

    /// The challenge that this answers: only a name to look it up by.
    pub(super) fn challenge(&self) -> Result<String, Unfit> {
        Ok(self.client_data()?.1.challenge)
    }

    fn client_data(&self) -> Result<(Vec<u8>, ClientData), Unfit> {
        let raw = bytes(&self.response.client_data)?;
        let data = serde_json::from_slice(&raw).map_err(|_| Unfit("clientDataJSON"))?;
        Ok((raw, data))
    }

    fn checked_client_data(&self, kind: &str, origin: &str) -> Result<Vec<u8>, Unfit> {
        let (raw, data) = self.client_data()?;
        if data.kind != kind {
            return Err(Unfit("another ceremony"));
        }
        if data.origin != origin || data.cross_origin {
            return Err(Unfit("another origin"));
        }
        Ok(raw)
    }

    /// Reads a new credential (§7.1). Its attestation statement is not looked at: none was asked
    /// for, and nobody here trusts a maker of authenticators.
    pub(super) fn registration(&self, origin: &str, rp_id: &str) -> Result<Registration, Unfit> {
        self.checked_client_data("webauthn.create", origin)?;
        let object = self.response.attestation_object.as_deref();
        let object = bytes(object.ok_or(Unfit("no attestation object"))?)?;
        let (object, _) = cbor::read(&object).ok_or(Unfit("attestation object"))?;
        let data = object.get("authData").and_then(Cbor::bytes);
        let data = authenticator_data(data.ok_or(Unfit("no authenticator data"))?, rp_id)?;
        let (id, key) = data.attested.ok_or(Unfit("no credential"))?;
        PublicKey::parse(key).ok_or(Unfit("a key of no algorithm of ours"))?;
        let credential_id = URL_SAFE_NO_PAD.encode(id);
        if credential_id != self.credential_id()? {
            return Err(Unfit("another credential id"));
        }
        let known = |name: &&String| {
            ["usb", "nfc", "ble", "hybrid", "internal", "smart-card"].contains(&name.as_str())
        };
        Ok(Registration {
            credential_id,
            public_key: key.to_vec(),
            sign_count: data.sign_count,
            user_verified: data.user_verified(),
            backed_up: data.backed_up(),
            transports: self
                .response
                .transports
                .iter()
                .filter(known)
                .cloned()
                .collect(),
        })
    }

    /// Reads an assertion and checks its signature (§7.2).
    pub(super) fn assertion(
        &self,
        (origin, rp_id): (&str, &str),
        public_key: &[u8],
    ) -> Result<Assertion, Unfit> {
        let client_data = self.checked_client_data("webauthn.get", origin)?;
        let data = self.response.authenticator_data.as_deref();
        let data = bytes(data.ok_or(Unfit("no authenticator data"))?)?;
        let signature = self.response.signature.as_deref();
        let signature = bytes(signature.ok_or(Unfit("no signature"))?)?;
        let read = authenticator_data(&data, rp_id)?;
        let assertion = Assertion {
            sign_count: read.sign_count,
            user_verified: read.user_verified(),
            backed_up: read.backed_up(),
        };
        let message = [data.as_slice(), &Sha256::digest(&client_data)].concat();
        let key = PublicKey::parse(public_key).ok_or(Unfit("the stored key"))?;
        if key.verifies(&message, &signature) {
            Ok(assertion)
        } else {
            Err(Unfit("wrong signature"))
        }
    }
}

/// `rpIdHash (32) ‖ flags ‖ signCount (4) [‖ aaguid (16) ‖ length (2) ‖ id ‖ key]`.
fn authenticator_data<'a>(data: &'a [u8], rp_id: &str) -> Result<AuthenticatorData<'a>, Unfit> {
    let short = || Unfit("authenticator data is cut short");
    let (hash, rest) = data.split_at_checked(32).ok_or_else(short)?;
    let (head, rest) = rest.split_first_chunk::<5>().ok_or_else(short)?;
    let [flags, count @ ..] = *head;
    if !constant_time_eq(hash, &Sha256::digest(rp_id.as_bytes())) {
        return Err(Unfit("another relying party"));
    }
    if flags & 0x01 == 0 {
        return Err(Unfit("nobody was present"));
    }
    let attested = if flags & 0x40 == 0 {
        None
    } else {
        let (_, rest) = rest.split_at_checked(16).ok_or_else(short)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > 1023 {
            return Err(Unfit("the length of the credential id"));
        }
        let (id, rest) = rest.split_at_checked(length).ok_or_else(short)?;
        let (_, after) = cbor::read(rest).ok_or(Unfit("the public key"))?;
        let key = rest.get(..rest.len() - after.len()).ok_or_else(short)?;
        Some((id, key))
    };
    Ok(AuthenticatorData {
        flags,
        sign_count: u32::from_be_bytes(count),
        attested,
    })
}

fn bytes(text: &str) -> Result<Vec<u8>, Unfit> {
    let unpadded = text.trim_end_matches('=');
    URL_SAFE_NO_PAD
        .decode(unpadded)
        .map_err(|_| Unfit("base64url"))
}
