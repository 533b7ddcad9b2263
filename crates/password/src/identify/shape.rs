//! Names: of strings that say what they are, of sizes, of recipes that applications are known by.

use domain::ConfigurationValue;

use super::Sample;
use super::probe::outers;
use super::reading::Reading;
use crate::foreign;
use crate::limits::Limits;

/// Outermost functions that verify a string.
pub(super) const VERIFIERS: [&str; 3] = ["bcrypt(", "argon2(", "known("];

/// The function that verifies such a string.
pub(super) fn verifier(text: &str) -> &'static str {
    if text.starts_with("$2") {
        "bcrypt"
    } else if text.starts_with("$argon2") {
        "argon2"
    } else {
        "known"
    }
}

/// What strings begin with, the longer beginnings first.
const BEGINNINGS: &[(&str, &str)] = &[
    ("$2", "bcrypt"),
    ("$argon2id$", "argon2id"),
    ("$argon2i$", "argon2i"),
    ("$argon2d$", "argon2d"),
    ("$wp$", "WordPress from 6.8 (bcrypt behind HMAC-SHA384)"),
    ("$P$", "phpass (WordPress up to 6.7, Joomla)"),
    ("$H$", "phpass (phpBB 3)"),
    ("U$S$", "Drupal 7 over the MD5 sums of Drupal 6"),
    ("$S$", "Drupal 7"),
    ("$1$", "md5-crypt"),
    ("$apr1$", "md5-crypt of Apache"),
    ("$5$", "sha256-crypt"),
    ("$6$", "sha512-crypt"),
    ("$SHA$", "AuthMe"),
    ("$bcrypt-sha256$", "passlib bcrypt-sha256"),
    ("$pbkdf2", "PBKDF2 (passlib or PHC)"),
    ("$scrypt$", "scrypt (passlib, PHC or Kratos)"),
    ("$ml$", "macOS PBKDF2-SHA512"),
    ("$firescrypt$", "Firebase scrypt"),
    ("$fbscrypt$", "Firebase scrypt"),
    ("pbkdf2_sha256$", "Django pbkdf2_sha256"),
    ("pbkdf2_sha1$", "Django pbkdf2_sha1"),
    ("bcrypt_sha256$", "Django bcrypt_sha256"),
    ("bcrypt$", "Django bcrypt"),
    ("argon2$", "Django argon2"),
    ("scrypt$", "Django scrypt"),
    ("sha1$", "Django's salted SHA-1"),
    ("md5$", "Django's salted MD5"),
    ("crypt$", "Django crypt"),
    ("pbkdf2:", "Werkzeug PBKDF2"),
    ("scrypt:", "Werkzeug scrypt"),
    (":pbkdf2:", "MediaWiki PBKDF2"),
    (":B:", "MediaWiki B"),
    (":A:", "MediaWiki A"),
    ("sha256:", "PBKDF2-SHA256 between colons"),
    ("sha512:", "PBKDF2-SHA512 between colons"),
    ("sha1:", "PBKDF2-SHA1 between colons"),
    ("md5:", "PBKDF2-MD5 between colons"),
    ("*", "MySQL 4.1 account"),
    ("AQAAAA", "ASP.NET Identity v3"),
    ("A", "ASP.NET Identity v2"),
    ("{PKCS5S2}", "Atlassian PKCS5S2"),
    ("{", "an LDAP userPassword with its scheme in braces"),
];

/// The name of a string that says what it is.
pub(super) fn name(text: &str) -> &'static str {
    BEGINNINGS
        .iter()
        .find(|(beginning, _)| text.starts_with(beginning))
        .map_or("a known hash string", |(_, name)| name)
}

/// Recipes that applications of `docs/hash-formats.md` are known by.
const APPLICATIONS: &[(&str, &str)] = &[
    ("md4(utf16le(password))", "NT hash"),
    ("md5(password + salt)", "Joomla 1"),
    ("md5(salt + password)", "Magento 1"),
    ("sha256(salt + password)", "Magento 2 or hMailServer"),
    ("md5(md5hex(password) + salt)", "vBulletin"),
    ("md5(md5hex(salt) + md5hex(password))", "MyBB or IP.Board"),
    ("sha1(lower(username) + password)", "SMF"),
    ("sha1(salt + sha1hex(password))", "PunBB or Redmine"),
    ("sha1(salt + sha1hex(salt + sha1hex(password)))", "OpenCart"),
    ("md5(pepper + password)", "PrestaShop"),
    ("sha256(sha256hex(password) + salt)", "XenForo or AuthMe"),
    ("sha1(sha1hex(password) + salt)", "XenForo"),
    ("sha1(sha1(password))", "MySQL 4.1"),
    ("sha1(salt + utf16le(password))", "ASP.NET Membership"),
    ("bcrypt(sha256hex(password))", "Meteor"),
    ("bcrypt(password + pepper)", "Devise"),
    ("pbkdf2_sha256(password, salt, 27500, 64)", "Keycloak"),
    ("pbkdf2_sha512(password, salt, 210000, 64)", "Keycloak"),
    ("pbkdf2_sha256(password, salt, 64000, 32)", "Discourse"),
    (
        "pbkdf2_sha256(password, salt, 25000, 512)",
        "passport-local-mongoose",
    ),
];
/// Parts of recipes that have a number of rounds.
const CHAINS: &[(&str, &str)] = &[
    ("password + '{' + salt + '}'", "Symfony"),
    (
        "d -> sha1hex(d + '--' + salt + '--' + password + '--' + pepper)",
        "restful_authentication",
    ),
    ("sha512(password + salt), d -> sha512(hex(d)))", "Authlogic"),
    (
        "d -> sha512hex('--' + salt + '--' + d + '--'",
        "devise-encryptable",
    ),
    (
        "d -> sha1hex('--' + salt + '--' + d + '--'",
        "devise-encryptable",
    ),
];

/// Whose a recipe is known to be.
pub(super) fn application(recipe: &str) -> Option<&'static str> {
    let whole = APPLICATIONS.iter().find(|(known, _)| *known == recipe);
    let known = whole.or_else(|| CHAINS.iter().find(|(part, _)| recipe.contains(part)))?;
    Some(known.1)
}

/// Formats that look like a value.
pub(super) fn candidates(text: &str) -> Vec<String> {
    if foreign::check_known(text, &Limits::default()).is_ok() {
        return vec![name(text).to_owned()];
    }
    let sample = Sample {
        hash: text.into(),
        salt: None,
        username: None,
        email: None,
        user_id: None,
        password: None,
    };
    let mut all = Vec::new();
    for reading in super::reading::readings(&sample) {
        let Some(parts) = reading.read(&sample) else {
            continue;
        };
        let size = parts.hash.len();
        let names: Vec<&str> = outers(size)
            .into_iter()
            .filter(|digest| digest.size() == size)
            .map(crate::digest::Digest::name)
            .collect();
        if !names.is_empty() {
            let words = reading
                .in_words()
                .map_or(String::new(), |words| format!(", if {words}"));
            all.push(format!(
                "{size} bytes: {} or something over it{words}",
                names.join(", ")
            ));
        } else if size >= 16 && parts.salt.is_none() {
            all.push(format!(
                "{size} bytes: PBKDF2, scrypt or a hash and its salt in one"
            ));
        }
    }
    all.dedup();
    if all.is_empty() {
        all.push("no format that is known here".to_owned());
    }
    all
}

/// What to say when nothing fits.
pub(super) fn nearest(
    text: &str,
    sample: &Sample,
    targets: &[(Reading, &[u8])],
    pepper: Option<&ConfigurationValue>,
) -> String {
    if let Err(error) = foreign::check_known(text, &Limits::default())
        && BEGINNINGS
            .iter()
            .any(|(known, _)| known.len() > 2 && text.starts_with(known))
    {
        return format!("it begins like {}, but {error}", name(text));
    }
    let Some((_, target)) = targets.first() else {
        return "it is neither a known string nor eight or more bytes in hex or base64".to_owned();
    };
    let size = target.len();
    let names: Vec<&str> = outers(size)
        .into_iter()
        .filter(|digest| digest.size() == size)
        .map(crate::digest::Digest::name)
        .collect();
    let looks = if names.is_empty() {
        format!("{size} bytes, which is no digest's size")
    } else {
        format!("{size} bytes, the size of {}", names.join(" and "))
    };
    let absent: Vec<&str> = [
        ("salt", sample.salt.is_none()),
        ("pepper", pepper.is_none()),
        ("username", sample.username.is_none()),
        ("email", sample.email.is_none()),
    ]
    .into_iter()
    .filter(|(_, is_absent)| *is_absent)
    .map(|(name, _)| name)
    .collect();
    let hint = if absent.is_empty() {
        String::new()
    } else {
        format!(" Not given: {}.", absent.join(", "))
    };
    let wrong = empty_password(targets);
    format!(
        "it has {looks}, and no composition that was tried makes it of this password.{wrong}{hint}"
    )
}

/// A column may hold the digest of nothing.
fn empty_password(targets: &[(Reading, &[u8])]) -> String {
    for (_, target) in targets {
        for digest in outers(target.len()) {
            if digest.hash(b"").get(..target.len()) == Some(*target) {
                return format!(" It is the {} of an empty text.", digest.name());
            }
        }
    }
    String::new()
}
