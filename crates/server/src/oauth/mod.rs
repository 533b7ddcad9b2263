//! The OAuth and OpenID Connect endpoints.

mod again;
pub mod authorize;
pub mod device;
pub mod discovery;
pub mod form;
pub mod introspect;
pub mod jwks;
pub mod logout;
pub mod par;
pub mod revoke;
pub mod token;
pub mod userinfo;
