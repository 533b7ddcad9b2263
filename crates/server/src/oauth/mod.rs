//! The OAuth and OpenID Connect endpoints.

pub mod answer;
pub mod authorize;
pub mod discovery;
pub mod jwks;
pub mod logout;
pub mod token;
pub mod userinfo;
