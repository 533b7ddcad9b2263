//! The names that have to be said, since the text of such a hash does not say what it is.

use super::{ForeignOptions, Reading, apps, database, des_crypt};
use crate::limits::Limits;

/// One format, the members it takes besides the hash, and its reader.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) takes: &'static [&'static str],
    pub(super) read: fn(&ForeignOptions, &str, &Limits) -> Reading,
}

const fn format(
    name: &'static str,
    takes: &'static [&'static str],
    read: fn(&ForeignOptions, &str, &Limits) -> Reading,
) -> Format {
    Format { name, takes, read }
}

/// In the order of `docs/hash-formats.md`.
pub(super) const NAMES: &[Format] = &[
    format("des-crypt", &[], |_, text, _| des_crypt::traditional(text)),
    format("bigcrypt", &[], des_crypt::bigcrypt),
    format("crypt16", &[], des_crypt::crypt16),
    format("lm", &[], des_crypt::lan_manager),
    format("dcc", &["username"], database::cached_1),
    format("dcc2", &["username", "iterations"], database::cached_2),
    format("postgres-md5", &["username"], database::postgres_md5),
    format("mysql323", &[], database::mysql_323),
    format("oracle10", &["username"], des_crypt::oracle_10),
    format("joomla", &["salt"], apps::joomla),
    format("vbulletin", &["salt"], apps::vbulletin),
    format("mybb", &["salt"], apps::mybb),
    format("smf", &["username"], apps::smf),
    format("punbb", &["salt"], apps::punbb),
    format("redmine", &["salt"], apps::punbb),
    format("opencart", &["salt"], apps::opencart),
    format("prestashop", &["key"], apps::prestashop),
    format("magento", &[], apps::magento),
    format("xenforo", &["salt"], apps::xenforo),
    format("xenforo-sha1", &["salt"], apps::xenforo_sha1),
    format("hmailserver", &[], apps::hmailserver),
    format("netscaler", &[], apps::netscaler),
    format(
        "restful-authentication",
        &["salt", "key", "iterations"],
        apps::restful,
    ),
    format(
        "devise-sha1",
        &["salt", "key", "iterations"],
        apps::devise_sha1,
    ),
    format(
        "devise-sha512",
        &["salt", "key", "iterations"],
        apps::devise_sha512,
    ),
    format("authlogic-sha512", &["salt", "iterations"], apps::authlogic),
    format("better-auth", &[], apps::better_auth),
    format("aspnet-membership", &["salt"], apps::aspnet_membership),
    format("okta-bcrypt", &["salt", "cost"], apps::okta_bcrypt),
    format(
        "firebase-scrypt",
        &["salt", "key", "cost", "iterations"],
        apps::firebase_export,
    ),
    format("clerk-firebase", &[], apps::clerk_firebase),
    format("supertokens-firebase", &["key"], apps::supertokens),
];

/// The format of a name.
pub(super) fn find(name: &str) -> Option<&'static Format> {
    NAMES.iter().find(|format| format.name == name)
}
