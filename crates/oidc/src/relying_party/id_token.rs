//! Whether an ID token is one for this login (OpenID Connect Core §3.1.3.7). The signature first:
//! nothing else of a token is looked at before.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use domain::Instant;
use serde_json::{Map, Value};

use crate::client_assertion::seconds;
use crate::jwt::foreign;
use crate::jwt::{Algorithm, ForeignKey, TokenError, encode};

/// How far two clocks may stand apart, in seconds.
const LEEWAY: i64 = 60;

/// Longest `sub` (OpenID Connect Core §2), in characters.
const LONGEST_SUBJECT: usize = 255;

/// What the token must say.
pub struct Expected<'a> {
    /// The provider's name.
    pub issuer: &'a str,
    /// Our name there.
    pub client_id: &'a str,
    /// The nonce of this login.
    pub nonce: &'a str,
    /// The access token that came beside it.
    pub access_token: Option<&'a str>,
    /// Algorithms that are believed.
    pub algorithms: &'a [Algorithm],
    /// How old the proof may be, where our own client asks.
    pub max_age: Option<u64>,
    /// Now.
    pub now: Instant,
}

/// Why a token is not believed. For the log: the person learns no more than that it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// Not a token, or not signed by the provider.
    #[error("ID token: {0}")]
    Token(#[from] TokenError),
    /// Another provider's.
    #[error("ID token: iss is not the provider")]
    Issuer,
    /// Another client's.
    #[error("ID token: aud or azp is not this client")]
    Audience,
    /// Its time is over, or it names none.
    #[error("ID token: exp is past or missing")]
    Expired,
    /// Its time has not come.
    #[error("ID token: iat or nbf lies in the future")]
    Early,
    /// Another login's.
    #[error("ID token: nonce is not that of this login")]
    Nonce,
    /// Beside another access token.
    #[error("ID token: at_hash does not fit the access token")]
    AccessToken,
    /// The person proved who they are too long ago.
    #[error("ID token: auth_time is missing or too long ago")]
    Stale,
    /// It names nobody.
    #[error("ID token: sub is missing or no name")]
    Subject,
}

impl Expected<'_> {
    /// Checks a token; gives its claims, among them `sub`.
    pub fn check(
        &self,
        token: &str,
        keys: &[ForeignKey],
    ) -> Result<Map<String, Value>, IdTokenError> {
        let signed = foreign::verify(token, keys, self.algorithms)?;
        let claims = signed.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(self.issuer) {
            return Err(IdTokenError::Issuer);
        }
        if !self.is_for_us(&claims) {
            return Err(IdTokenError::Audience);
        }
        self.check_times(&claims)?;
        let same = aws_lc_rs::constant_time::verify_slices_are_equal;
        let nonce = text("nonce").unwrap_or_default();
        if same(nonce.as_bytes(), self.nonce.as_bytes()).is_err() {
            return Err(IdTokenError::Nonce);
        }
        // Nobody has to send the hash beside a code; who does must send the right one.
        if let (Some(access_token), Some(hash)) = (self.access_token, claims.get("at_hash"))
            && hash.as_str() != Some(half_hash(signed.algorithm, access_token).as_str())
        {
            return Err(IdTokenError::AccessToken);
        }
        let subject = text("sub").unwrap_or_default();
        let is_name = !subject.is_empty()
            && subject.chars().count() <= LONGEST_SUBJECT
            && !subject.chars().any(char::is_control);
        if is_name {
            Ok(claims)
        } else {
            Err(IdTokenError::Subject)
        }
    }

    /// We are an audience; where there are others too, the token says that it was issued to us.
    fn is_for_us(&self, claims: &Map<String, Value>) -> bool {
        let (is_named, is_only) = match claims.get("aud") {
            Some(Value::String(one)) => (one == self.client_id, true),
            Some(Value::Array(all)) => {
                (all.iter().any(|one| one == self.client_id), all.len() == 1)
            }
            _ => (false, false),
        };
        let issued_to = claims.get("azp");
        is_named && (issued_to.map_or(is_only, |azp| azp == self.client_id))
    }

    fn check_times(&self, claims: &Map<String, Value>) -> Result<(), IdTokenError> {
        let now = self.now.seconds();
        let time = |name: &str| claims.get(name).and_then(seconds);
        if time("exp").is_none_or(|end| end.saturating_add(LEEWAY) <= now) {
            return Err(IdTokenError::Expired);
        }
        for name in ["iat", "nbf"] {
            let is_early = |begin: i64| begin > now.saturating_add(LEEWAY);
            if claims.contains_key(name) && time(name).is_none_or(is_early) {
                return Err(IdTokenError::Early);
            }
        }
        if let Some(longest) = self.max_age {
            let longest = i64::try_from(longest).unwrap_or(i64::MAX);
            let latest = longest.saturating_add(LEEWAY);
            if time("auth_time").is_none_or(|at| now.saturating_sub(at) > latest) {
                return Err(IdTokenError::Stale);
            }
        }
        Ok(())
    }
}

/// The left half of a hash, by the hash of the token's own algorithm (OpenID Connect Core §3.1.3.6).
fn half_hash(algorithm: Algorithm, text: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &SHA256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &SHA384,
        Algorithm::Rs512 | Algorithm::Ps512 => &SHA512,
    };
    let digest = digest::digest(hash, text.as_bytes());
    let half = digest.as_ref().len() / 2;
    encode(digest.as_ref().get(..half).unwrap_or_default())
}
