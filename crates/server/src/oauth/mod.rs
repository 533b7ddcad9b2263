//! The OAuth and OpenID Connect endpoints.

pub mod discovery;
pub mod jwks;
pub mod token;
pub mod userinfo;
