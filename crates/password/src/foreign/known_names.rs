//! TABLE: what a text that names its own format is called, in logs and in answers of `--prove`, by
//! the letters it begins with. Reading it is the dispatch's; a beginning missing here is `known`.

/// Beginnings and names; of two that fit, the first counts.
const NAMES: &[(&str, &str)] = &[
    ("$1$", "md5-crypt"),
    ("$apr1$", "apr1"),
    ("$5$", "sha256-crypt"),
    ("$6$", "sha512-crypt"),
    ("$2", "bcrypt"),
    ("$wp$", "wordpress-bcrypt"),
    ("$argon2id$", "argon2id"),
    ("$argon2i$", "argon2i"),
    ("$argon2d$", "argon2d"),
    ("$sha1$pf=", "kratos-sha1"),
    ("$sha1$", "sha1-crypt"),
    ("$md5$pf=", "kratos-md5"),
    ("$md5", "sun-md5"),
    ("$y$", "yescrypt"),
    ("$gy$", "gost-yescrypt"),
    ("$7$", "scrypt-crypt"),
    ("$3$", "nt"),
    ("_", "bsdi-crypt"),
    ("$P$", "phpass"),
    ("$H$", "phpass"),
    ("$S$", "drupal7"),
    ("U$", "drupal-upgraded"),
    ("$pbkdf2", "pbkdf2"),
    ("$scrypt$", "scrypt"),
    ("$bcrypt-sha256$", "bcrypt-sha256"),
    ("$scram$", "scram"),
    ("$ml$", "macos-pbkdf2"),
    ("grub.pbkdf2.", "grub-pbkdf2"),
    ("$p5k2$", "p5k2"),
    ("$8$", "cisco-8"),
    ("$9$", "cisco-9"),
    ("$firescrypt$", "firebase-scrypt"),
    ("$fbscrypt$", "firebase-scrypt"),
    ("$sha256$", "kratos-sha256"),
    ("$sha512$", "kratos-sha512"),
    ("$hmac-", "kratos-hmac"),
    ("$md5salted-", "passwap-md5"),
    ("$shiro1$", "shiro1"),
    ("$sspr$", "sspr"),
    ("$SHA$", "authme"),
    ("$B$", "mediawiki"),
    (":", "mediawiki"),
    ("pbkdf2_sha256$", "django-pbkdf2-sha256"),
    ("pbkdf2_sha1$", "django-pbkdf2-sha1"),
    ("argon2$", "django-argon2"),
    ("bcrypt$", "django-bcrypt"),
    ("bcrypt_sha256$", "django-bcrypt-sha256"),
    ("scrypt$", "django-scrypt"),
    ("sha1$", "django-sha1"),
    ("md5$", "django-md5"),
    ("crypt$", "django-crypt"),
    ("pbkdf2:", "werkzeug-pbkdf2"),
    ("scrypt:", "werkzeug-scrypt"),
    ("sha224$", "werkzeug-hmac"),
    ("sha256$", "werkzeug-hmac"),
    ("sha384$", "werkzeug-hmac"),
    ("sha512$", "werkzeug-hmac"),
    ("md5:", "pbkdf2-colons"),
    ("sha1:", "pbkdf2-colons"),
    ("sha256:", "pbkdf2-colons"),
    ("sha384:", "pbkdf2-colons"),
    ("sha512:", "pbkdf2-colons"),
    ("SCRYPT:", "scrypt-colons"),
    ("otm_sha256:", "otm"),
    ("SCRAM-SHA-256$", "scram-sha-256"),
    ("*", "mysql41"),
    ("0x0100", "mssql2005"),
    ("0x0200", "mssql2012"),
    ("S:", "oracle"),
    ("T:", "oracle"),
    ("[\"", "logto"),
    ("sambaNTPassword: ", "nt"),
    ("ipaNTHash: ", "nt"),
    ("A", "aspnet-identity"),
];

/// The same of words in braces, in capitals.
const SCHEMES: &[(&str, &str)] = &[
    ("FSHP", "fshp"),
    ("CRYPT", "crypt"),
    ("ARGON2", "argon2"),
    ("BCRYPT", "bcrypt"),
    ("BLF-CRYPT", "bcrypt"),
    ("MD5-CRYPT", "md5-crypt"),
    ("SHA256-CRYPT", "sha256-crypt"),
    ("SHA512-CRYPT", "sha512-crypt"),
    ("YESCRYPT", "yescrypt"),
    ("SCRYPT", "spring-scrypt"),
    ("PBKDF2", "pbkdf2"),
    ("PKCS5S2", "atlassian-pbkdf2"),
    ("SHA-", "sha-in-braces"),
    ("MD5", "ldap-md5"),
    ("SMD5", "ldap-smd5"),
    ("SHA", "ldap-sha"),
    ("SSHA", "ldap-ssha"),
];

/// The format's name.
pub(crate) fn known_name(text: &str) -> &'static str {
    let found = match text.strip_prefix('{') {
        Some(scheme) => {
            let scheme: String = scheme.chars().take(16).collect();
            let scheme = scheme.to_ascii_uppercase();
            SCHEMES.iter().find(|(begin, _)| scheme.starts_with(begin))
        }
        None => NAMES.iter().find(|(begin, _)| text.starts_with(begin)),
    };
    found.map_or("known", |(_, name)| name)
}
