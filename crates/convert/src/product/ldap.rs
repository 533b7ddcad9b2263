//! A directory's LDIF: `slapcat` or `ldapsearch` of OpenLDAP and its like, with `userPassword`;
//! Active Directory's `ldifde`, which gives no passwords.

use serde_json::Value;

use super::Converter;
use crate::hash::{self, Hash};
use crate::person::Person;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;

pub(super) struct Ldap;

/// Object classes of people.
const PEOPLE: &[&str] = &[
    "inetorgperson",
    "person",
    "organizationalperson",
    "user",
    "posixaccount",
];
/// In Active Directory, computers are users too.
const OTHERS: &[&str] = &["computer", "group", "organizationalrole"];
/// The bit of `userAccountControl` that says "may not log in".
const DISABLED: u64 = 2;

fn classes(record: &Record) -> Vec<String> {
    let texts = match record.members.get("objectclass") {
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => vec![text.as_str()],
        _ => Vec::new(),
    };
    texts.iter().map(|text| text.to_ascii_lowercase()).collect()
}

impl Converter for Ldap {
    fn is_ours(&self, record: &Record) -> bool {
        let classes = classes(record);
        let is_any = |of: &[&str]| classes.iter().any(|class| of.contains(&class.as_str()));
        record.has("dn") && is_any(PEOPLE) && !is_any(OTHERS)
    }

    fn take(&mut self, mut record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal> {
        let place = record.place;
        let mut first = |name: &str| first(&mut record, name);
        let guid = first("objectguid").and_then(|text| guid(&text));
        let mut person = Person {
            // They stay when a person is renamed or moved, unlike the distinguished name.
            id: first("entryuuid").or(guid).or_else(|| first("nsuniqueid")),
            email: first("mail"),
            email_verified: rows.options.emails_are_verified,
            username: first("uid").or_else(|| first("samaccountname")),
            given_name: first("givenname"),
            family_name: first("sn"),
            name: first("cn").or_else(|| first("displayname")),
            ..Person::default()
        };
        let control = first("useraccountcontrol").and_then(|text| text.parse::<u64>().ok());
        person.blocked = control.is_some_and(|bits| bits & DISABLED != 0);
        match first("userpassword").map(hash_of) {
            Some(Some(hash)) => person.hash = Some(hash),
            Some(None) => rows.warn(
                place,
                "userpassword",
                "in clear or of no scheme that can be carried over",
            ),
            None => {}
        }
        let count = record.list("userpassword").len();
        if count > 0 {
            rows.warn(
                place,
                "userpassword",
                "more than one password; the first comes",
            );
        }
        record.drop_all(&[
            "structuralobjectclass",
            "entrycsn",
            "creatorsname",
            "modifiersname",
            "jpegphoto",
            "thumbnailphoto",
            "usercertificate",
            "objectsid",
            "unicodepwd",
            "changetype",
        ]);
        person.kept = record.rest();
        rows.write(place, person)
    }
}

/// The first value; the others stay, for whoever keeps the rest.
fn first(record: &mut Record, name: &str) -> Option<String> {
    match record.take(name)? {
        Value::Array(mut values) => {
            let value = values.remove(0);
            record.members.insert(name.to_owned(), values.into());
            value.as_str().map(str::to_owned)
        }
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// `{SCHEME}…`. A password in clear is not carried through files.
fn hash_of(stored: String) -> Option<Hash> {
    let scheme = stored
        .strip_prefix('{')?
        .split_once('}')?
        .0
        .to_ascii_lowercase();
    match scheme.as_str() {
        "cleartext" | "clear" | "plain" | "plaintext" | "sasl" | "kerberos" => None,
        _ => Some(Hash::from_text(stored)),
    }
}

/// Active Directory's id: sixteen bytes, the first three groups of them backwards.
fn guid(base64: &str) -> Option<String> {
    let bytes: [u8; 16] = hash::bytes(base64)?.try_into().ok()?;
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::new();
    for (at, index) in order.into_iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        let byte = bytes.get(index).copied().unwrap_or_default();
        text.push_str(&data_encoding::HEXLOWER.encode(&[byte]));
    }
    Some(text)
}
