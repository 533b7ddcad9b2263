//! The protocol: OAuth 2.0 and OpenID Connect as Auth0 speaks them. Pure: request in, decision
//! out. It knows no HTTP library, no database, no clock; time comes in as [`domain::Instant`].
//!
//! What exists is what the token endpoint needs:
//!
//! | module | owns |
//! |---|---|
//! | [`authorize`] | authorization requests, their checks and their answers |
//! | [`logout`] | requests to log out, and logout tokens |
//! | [`token`] | the parameters of `POST /oauth/token`, read once into a typed request |
//! | [`jwt`] | RS256 tokens, the signing keys and their rotation, JWKS |
//! | [`claims`] | what the tokens and the userinfo endpoint say of a person |
//! | [`scopes`] | sets of scopes |
//! | [`error`] | every refusal: code, public text, private detail, status |
//! | [`discovery`] | the document that tells clients all this |
//! | [`client_assertion`] | clients that prove themselves by a signature |
//! | [`dpop`] | proofs that a client holds a key |
//! | [`relying_party`] | the other side: people who sign in with somebody else's provider |
//! | [`issuer`] | the server's own name, from which every URL here is built |
//!
//! Whether a password is right, a client known or a grant allowed is the `engine`'s to find out;
//! it answers with an [`OAuthError`] from here.

pub mod authorize;
pub mod claims;
pub mod client_assertion;
pub mod discovery;
pub mod dpop;
pub mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod issuer;
pub mod jwt;
pub mod logout;
pub mod relying_party;
pub mod scopes;
pub mod token;

pub use claims::{Audience, Subject};
pub use client_assertion::ClientAssertion;
pub use discovery::Discovery;
pub use error::OAuthError;
pub use issuer::Issuer;
pub use jwt::{
    Algorithm, Jwk, Jwks, KeySet, RetiredKey, SigningKey, Thumbprint, TokenError, VerifyingKey,
};
pub use scopes::Scopes;
pub use token::{
    ClientAuthentication, DeviceRequest, GrantType, MfaAnswer, MfaChallengeRequest, MfaGrant,
    Params, PasswordGrant, PresentedToken, PushedRequest, TokenExchange, TokenRequest,
    TokenResponse, parse_mfa_challenge, parse_token_request,
};
