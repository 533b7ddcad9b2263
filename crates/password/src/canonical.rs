//! The stored spelling of an imported hash: one JSON text per meaning. Members in fixed order,
//! defaults left out, bytes as padded standard base64. Every word written here is plain ASCII
//! without quotes or backslashes; a text that may be anything is escaped.

use zeroize::Zeroizing;

use crate::custom::CUSTOM_PREFIX;
use crate::encoding::{PasswordEncoding, to_base64};
use crate::record::Salt;

/// Builds the text from left to right.
pub(crate) struct Canonical {
    text: String,
    first: bool,
}

impl Canonical {
    pub(crate) fn new(algorithm: &str) -> Self {
        // Enough for any usual record: a growing buffer would leave copies of secrets behind.
        let mut text = String::with_capacity(512);
        text.push_str(CUSTOM_PREFIX);
        text.push('{');
        let mut canonical = Self { text, first: true };
        canonical.word("algorithm", algorithm);
        canonical
    }

    fn name(&mut self, name: &str) {
        if !self.first {
            self.text.push(',');
        }
        self.first = false;
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    pub(crate) fn word(&mut self, name: &str, word: &str) {
        self.name(name);
        self.text.push('"');
        self.text.push_str(word);
        self.text.push('"');
    }

    /// Any text at all, escaped.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        let escaped = Zeroizing::new(serde_json::Value::from(text).to_string());
        self.text.push_str(&escaped);
    }

    pub(crate) fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.text.push_str(&number.to_string());
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.name(name);
        self.text.push('{');
        self.first = true;
    }

    pub(crate) fn close(&mut self) {
        self.text.push('}');
        self.first = false;
    }

    /// `"hash":{"value":…}` of a hash that is a text of its own.
    pub(crate) fn text_hash(&mut self, value: &str) {
        self.open("hash");
        self.word("value", value);
        self.close();
    }

    /// `"value":…,"encoding":"base64"`.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.word("value", &to_base64(bytes));
        self.word("encoding", "base64");
    }

    /// `"hash":{…}` of a hash that is bytes.
    pub(crate) fn binary_hash(&mut self, bytes: &[u8]) {
        self.open("hash");
        self.bytes(bytes);
        self.close();
    }

    pub(crate) fn salt(&mut self, salt: Option<&Salt>) {
        let Some(salt) = salt else { return };
        self.open("salt");
        self.bytes(&salt.bytes);
        if salt.suffix {
            self.word("position", "suffix");
        }
        self.close();
    }

    pub(crate) fn finish(mut self, password: PasswordEncoding) -> String {
        if password != PasswordEncoding::default() {
            self.open("password");
            self.word("encoding", password.name());
            self.close();
        }
        self.text.push('}');
        self.text
    }
}
