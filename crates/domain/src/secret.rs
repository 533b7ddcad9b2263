//! Values that must never be seen: typed passwords, client secrets, configuration values, keys.
//!
//! A secret has no `Display`, no `Serialize`, a `Debug` that prints only its name, and is wiped
//! when dropped. It is read with [`expose`](Password::expose), so that every use can be found by
//! searching for that word. `Clone` is left out on purpose where a copy has no reason to exist.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

macro_rules! secret_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(from = "String")]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// The plain text. The caller must not log, store or print it.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Whether the secret is the empty text.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Zeroizing::new(text))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::from(text.to_owned())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

secret_text! {
    /// A password as a person typed it.
    Password
}
secret_text! {
    /// What a confidential client proves itself with.
    ClientSecret
}
secret_text! {
    /// A code or token of the protocol that lets in whoever holds it.
    Token
}
secret_text! {
    /// A stored password hash: not a password, yet enough to attack one.
    HashText
}
secret_text! {
    /// One `configuration` value of a connection, plain.
    ConfigurationValue
}
secret_text! {
    /// What the cookie of a browser session holds.
    SessionToken
}
secret_text! {
    /// What binds logins under way to the browser that began them.
    BrowserToken
}
secret_text! {
    /// The shared secret of an authenticator application, unpadded base32.
    TotpSecret
}

impl Clone for ClientSecret {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Clone for ConfigurationValue {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A key of 32 bytes: the master key that seals secrets at rest.
pub struct Key32(Zeroizing<[u8; 32]>);

impl Key32 {
    /// The raw bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Key32 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Key32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key32(…)")
    }
}

/// A private key as PKCS#8 DER.
pub struct PrivateKeyDer(Zeroizing<Vec<u8>>);

impl PrivateKeyDer {
    /// The DER bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for PrivateKeyDer {
    fn from(der: Vec<u8>) -> Self {
        Self(Zeroizing::new(der))
    }
}

impl fmt::Debug for PrivateKeyDer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKeyDer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_type_prints_its_content() {
        let needle = "s3cr3t-needle";
        let printed = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            Password::from(needle),
            ClientSecret::from(needle),
            HashText::from(needle),
            ConfigurationValue::from(needle),
            TotpSecret::from(needle),
            Key32::from(*b"s3cr3t-needle-s3cr3t-needle-1234"),
            PrivateKeyDer::from(needle.as_bytes().to_vec()),
        );
        assert!(!printed.contains(needle), "{printed}");
    }
}
