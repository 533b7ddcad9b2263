//! Who says to be the client, and with what proof (RFC 6749 §2.3). Whether the proof holds, and
//! whether the client may use this way, is for the caller to decide.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::{ClientId, ClientSecret, TokenEndpointAuth};
use zeroize::Zeroizing;

use super::params::Params;
use crate::client_assertion::ClientAssertion;
use crate::error::OAuthError;

/// Some clients leave the padding out of the header.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A client's name and proof, as the request has them.
#[derive(Clone, Debug)]
pub struct ClientAuthentication {
    /// The client's name; see [`require_client_id`](Self::require_client_id).
    pub client_id: Option<String>,
    /// The proof; `None` proves nothing, whatever the method.
    pub secret: Option<ClientSecret>,
    /// How the client came.
    pub method: TokenEndpointAuth,
    /// A signed assertion in place of a secret.
    pub assertion: Option<ClientAssertion>,
}

impl ClientAuthentication {
    /// The client's name, or the error of a request that has none.
    pub fn require_client_id(&self) -> Result<ClientId, OAuthError> {
        let id = self.client_id.as_deref();
        id.map(ClientId::from)
            .ok_or_else(|| OAuthError::missing_parameter("client_id"))
    }

    pub(super) fn read(params: &mut Params, header: Option<&str>) -> Result<Self, OAuthError> {
        let client_id = params.take("client_id")?;
        let secret = params.take("client_secret")?.map(ClientSecret::from);
        let kind = params.take("client_assertion_type")?;
        let assertion = ClientAssertion::read(kind, params.take("client_assertion")?)?;
        let basic = header.and_then(basic_credentials);
        if let Some(assertion) = assertion {
            if secret.is_some() || basic.is_some() {
                return Err(more_than_one_way());
            }
            return Ok(Self {
                client_id: client_id.or_else(|| assertion.subject()),
                secret: None,
                method: TokenEndpointAuth::PrivateKeyJwt,
                assertion: Some(assertion),
            });
        }
        let Some(credentials) = basic else {
            let method = match secret {
                Some(_) => TokenEndpointAuth::ClientSecretPost,
                None => TokenEndpointAuth::None,
            };
            return Ok(Self {
                client_id,
                secret,
                method,
                assertion: None,
            });
        };
        let authentication = Self::read_basic(credentials)?;
        // RFC 6749 §2.3: not more than one way in one request. The name alone may stand in both.
        if secret.is_some() || (client_id.is_some() && client_id != authentication.client_id) {
            return Err(more_than_one_way());
        }
        Ok(authentication)
    }

    /// Name and secret are form-encoded first, then joined and put into base64 (RFC 6749 §2.3.1).
    fn read_basic(credentials: &str) -> Result<Self, OAuthError> {
        let malformed = || OAuthError::invalid_client("malformed Basic credentials");
        let bytes = Zeroizing::new(BASE64.decode(credentials.trim()).map_err(|_| malformed())?);
        let colon = bytes
            .iter()
            .position(|byte| *byte == b':')
            .ok_or_else(malformed)?;
        let (id, secret) = bytes.split_at_checked(colon).ok_or_else(malformed)?;
        let id = form_decode(id).ok_or_else(malformed)?;
        let secret = form_decode(secret.get(1..).unwrap_or_default()).ok_or_else(malformed)?;
        if id.is_empty() || id.contains('\0') || secret.contains('\0') {
            return Err(malformed());
        }
        Ok(Self {
            client_id: Some(id),
            secret: Some(ClientSecret::from(secret)).filter(|secret| !secret.is_empty()),
            method: TokenEndpointAuth::ClientSecretBasic,
            assertion: None,
        })
    }
}

fn more_than_one_way() -> OAuthError {
    OAuthError::invalid_request("The client must authenticate in one way only.")
}

/// What follows the scheme `Basic`, whose letter case does not matter; `None` for other schemes,
/// which are not ours to judge.
fn basic_credentials(header: &str) -> Option<&str> {
    let header = header.trim();
    let (scheme, credentials) = header.split_once(' ').unwrap_or((header, ""));
    scheme.eq_ignore_ascii_case("Basic").then_some(credentials)
}

/// Undoes form encoding. A `%` without two digits stands for itself: many clients do not encode.
fn form_decode(text: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                }
                _ => decoded.push(b'%'),
            },
            _ => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
