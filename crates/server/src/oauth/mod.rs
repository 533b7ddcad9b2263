//! The OAuth and OpenID Connect endpoints.

pub mod device;
pub mod discovery;
pub mod form;
pub mod introspect;
pub mod jwks;
pub mod par;
pub mod revoke;
pub mod token;
pub mod userinfo;
