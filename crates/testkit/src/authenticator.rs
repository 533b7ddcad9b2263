//! An authenticator in software, with the browser before it: makes passkeys and signs with them as
//! `navigator.credentials` would, in the form of `PublicKeyCredential.toJSON`.

use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

/// One credential on one authenticator. What it does wrong can be set.
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user_handle: Option<String>,
    /// What the browser says of where it is.
    pub origin: String,
    /// The site that it signs for; that of the options when none is set.
    pub rp_id: Option<String>,
    /// The counter of its last signature.
    pub count: u32,
    /// Whether it asks its user for a fingerprint or a PIN.
    pub verifies_user: bool,
}

impl Authenticator {
    /// A new one, in a browser at an origin.
    pub fn new(origin: &str, id: &str) -> Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
        Ok(Self {
            key,
            id: id.as_bytes().to_vec(),
            user_handle: None,
            origin: origin.to_owned(),
            rp_id: None,
            count: 0,
            verifies_user: true,
        })
    }

    /// `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value) -> Result<Value> {
        let handle = options.pointer("/user/id").and_then(Value::as_str);
        self.user_handle = handle.map(str::to_owned);
        let host = options.pointer("/rp/id").and_then(Value::as_str);
        let mut data = self.data(host.context("rp.id")?, 0x40);
        data.extend([0_u8; 16]);
        data.extend(u16::try_from(self.id.len())?.to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose()?);
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x59");
        object.extend(u16::try_from(data.len())?.to_be_bytes());
        object.extend(data);
        let client_data = self.client_data("webauthn.create", options);
        Ok(self.credential(json!({
            "clientDataJSON": BASE64.encode(client_data),
            "attestationObject": BASE64.encode(object), "transports": ["internal", "odd"],
        })))
    }

    /// `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value) -> Result<Value> {
        self.count += 1;
        let host = options.get("rpId").and_then(Value::as_str);
        let data = self.data(host.context("rpId")?, 0);
        let client_data = self.client_data("webauthn.get", options);
        let hash = digest(&SHA256, client_data.as_bytes());
        let message = [data.as_slice(), hash.as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &message)?;
        Ok(self.credential(json!({
            "clientDataJSON": BASE64.encode(client_data),
            "authenticatorData": BASE64.encode(data),
            "signature": BASE64.encode(signature.as_ref()), "userHandle": self.user_handle,
        })))
    }

    fn credential(&self, response: Value) -> Value {
        let id = BASE64.encode(&self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "response": response,
            "clientExtensionResults": {}, "authenticatorAttachment": "platform"})
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = options.get("challenge");
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
    }

    fn data(&self, host: &str, more: u8) -> Vec<u8> {
        let host = self.rp_id.as_deref().unwrap_or(host);
        let verified = if self.verifies_user { 0x04 } else { 0 };
        let mut data = digest(&SHA256, host.as_bytes()).as_ref().to_vec();
        data.push(0x01 | verified | more);
        data.extend(self.count.to_be_bytes());
        data
    }

    fn cose(&self) -> Result<Vec<u8>> {
        let point = self.key.public_key().as_ref();
        let (x, y) = point.get(1..33).zip(point.get(33..65)).context("a point")?;
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        Ok([&head, x, &[0x22, 0x58, 0x20], y].concat())
    }
}
