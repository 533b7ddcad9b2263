//! One module per family of hashes. Each reads its own text or members, refuses what it cannot
//! verify, verifies, and writes itself back.

pub(crate) mod argon2;
pub(crate) mod bcrypt;
pub(crate) mod hmac;
pub(crate) mod ldap;
pub(crate) mod pbkdf2;
pub(crate) mod plain;
pub(crate) mod scrypt;
