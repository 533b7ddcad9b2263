//! Whose record it looks like, for whoever named the wrong product.

use super::Product;
use crate::record::Record;

/// Members that only this product's records have together.
const MARKS: &[(&[&str], Product)] = &[
    (&["pk", "model", "fields"], Product::Django),
    (&["localId"], Product::Firebase),
    (&["traits", "schema_id"], Product::Kratos),
    (&["user_login", "user_pass"], Product::Wordpress),
    (&["NormalizedUserName"], Product::Aspnet),
    (
        &["encrypted_password", "raw_user_meta_data"],
        Product::Supabase,
    ),
    (&["cognito:username"], Product::Cognito),
    (&["Username", "UserStatus"], Product::Cognito),
    (&["password_digest", "password_hasher"], Product::Clerk),
    (&["_id", "passwordHash"], Product::Auth0),
    (&["user_id", "identities"], Product::Auth0),
    (&["profile", "status", "credentials"], Product::Okta),
    (&["dn", "objectclass"], Product::Ldap),
    (&["username", "requiredActions"], Product::Keycloak),
    (
        &["username", "password", "last_login", "date_joined"],
        Product::Django,
    ),
];

/// The product that a record gives away.
pub(super) fn product(record: &Record) -> Option<Product> {
    let fits = |names: &[&str]| names.iter().all(|name| record.has(name));
    MARKS
        .iter()
        .find(|(names, _)| fits(names))
        .map(|(_, product)| *product)
}
