use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

struct Counting;

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for (place, byte) in buffer.iter_mut().enumerate() {
            *byte = u8::try_from(place % 251).unwrap();
        }
    }
}

fn limits() -> RowLimits {
    RowLimits {
        metadata: 200,
        hash: password::Limits::default(),
        hashing: crate::recipes::HashingThere::default(),
    }
}

fn read(text: &[u8]) -> Result<ImportRow, Vec<RowError>> {
    let mut reader = RowReader::new(limits(), Arc::new(Counting));
    reader.read(&Bytes::copy_from_slice(text), 1000)
}

/// Code, path and message of every fault, a line each.
fn faults(text: &[u8]) -> String {
    let lines = read(text).map_or_else(
        |errors| {
            let line = |e: &RowError| format!("{} [{}] {}", e.code.as_str(), e.path, e.message);
            errors.iter().map(line).collect()
        },
        |row| vec![format!("accepted {}", row.email)],
    );
    lines.join("\n")
}

const BCRYPT: &str = "$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

#[test]
fn reads_every_member() {
    let text = r#" {"email":"MiXed@Example.com","email_verified":true,"phone_number":"+49123",
        "phone_verified":false,"user_id":"auth0|42","username":"Zoë".replace,"#;
    assert!(read(text.as_bytes()).is_err());
    let text = format!(
        r#"{{"email":"MiXed@Example.com","email_verified":true,"phone_number":"+49123","phone_verified":false,
        "user_id":"auth0|auth0|42","username":"Zoe_1","given_name":"Zo\u00eb","family_name":"M","name":"Zoë M","nickname":"z",
        "picture":"https://x.org/p.png","blocked":true,"password_hash":"{BCRYPT}",
        "user_metadata": {{"a": [1, {{}}]}} ,"app_metadata":{{}},
        "mfa_factors":[{{"totp":{{"secret":"ABC"}}}},{{"email":{{"value":"A@b.co"}}}}]}}"#
    );
    let row = read(text.as_bytes()).unwrap();
    assert_eq!((row.offset, row.raw.as_ref()), (1000, text.as_bytes()));
    assert_eq!(row.foreign_id, "auth0|42");
    assert_eq!(
        (row.email.as_str(), row.username.as_deref()),
        ("mixed@example.com", Some("zoe_1"))
    );
    assert_eq!(row.given_name.as_deref(), Some("Zoë"));
    assert_eq!(row.user_metadata.as_deref(), Some(r#"{"a": [1, {}]}"#));
    assert_eq!(row.password.unwrap().expose(), BCRYPT);
    let factors: Vec<_> = row.factors.iter().map(|f| (f.kind(), f.expose())).collect();
    assert_eq!(factors, [("totp", "ABC"), ("email", "a@b.co")]);
}

#[test]
fn takes_any_hash_that_names_its_format() {
    let stored = |members: &str| {
        let row = read(format!(r#"{{"email":"A@b.co",{members}}}"#).as_bytes()).unwrap();
        row.password
            .map_or("none".to_owned(), |hash| hash.expose().to_owned())
    };
    let known = [
        r#""password_hash":"$1$38652870$DUjsu4TTlTsOe/xxZ05uf/""#,
        // Factors go the second way.
        r#""mfa_factors":[{"totp":{"secret":"ABC"}}],"password_hash":"$1$38652870$DUjsu4TTlTsOe/xxZ05uf/""#,
    ];
    assert_eq!(
        known.map(stored),
        ["known:$1$38652870$DUjsu4TTlTsOe/xxZ05uf/"; 2]
    );
    assert_eq!(stored(r#""password_hash":"!unusable""#), "none");
    let smf = r#""username":"Jane","custom_password_hash":{"algorithm":"smf","hash":{"value":"d27c0a627a45db487af161fcc3a4005d88eb8a1f"}}"#;
    assert!(stored(smf).ends_with(r#""username":"Jane"}"#), "frozen");
    let nameless = smf.replace(r#""username":"Jane","#, "");
    assert!(stored(&nameless).ends_with(r#""username":"A@b.co"}"#));
}

#[test]
fn makes_an_id_when_none_is_given() {
    let mut reader = RowReader::new(limits(), Arc::new(Counting));
    let raw = Bytes::from_static(br#"{"email":"a@b.co"}"#);
    let ids: Vec<_> = (0..3)
        .map(|_| reader.read(&raw, 0).unwrap().foreign_id)
        .collect();
    assert_eq!(ids[0], "000102030405060708090a0b");
    assert!(ids[1] != ids[0] && ids[2].len() == 24);
}

#[test]
fn names_every_fault() {
    let long = "x".repeat(351);
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let rows: Vec<Vec<u8>> = [
        "{}",
        "[1]",
        "7",
        "{bad json}",
        "{\n\"email\": \"a@b.co\",\n}",
        r#"{"email":"a@b.co","name":"\ud800"}"#,
        r#"{"email":null,"blocked":"yes","user_metadata":[],"name":7}"#,
        r#"{"email":"x@y","unknown":1,"phone_number":"0049","picture":"no uri","username":"a@b.co"}"#,
        r#"{"email":"a@b.co","email":"c@d.co"}"#,
        r#"{"email":"a@b.co","name":"","user_id":"auth0|","given_name":"a\u0000b"}"#,
        r#"{"email":"a@b.co","app_metadata":{"email":1,"ok":{"email":1},"lastIP":2}}"#,
        r#"{"email":"a@b.co","user_metadata":{"a":{"b":1,"b":2}}}"#,
        r#"{"email":"a@b.co","password_hash":"S3CRET"}"#,
        r#"{"email":"a@b.co","password_hash":7,"custom_password_hash":"S3CRET"}"#,
        r#"{"email":"a@b.co","custom_password_hash":{"algorithm":"md5","hash":{"value":"S3CRET","encoding":"hex"}}}"#,
        r#"{"email":"a@b.co","custom_password_hash":{"algorithm":"md6","hash":{"value":"S3CRET","encoding":"hex"}}}"#,
        r#"{"email":"a@b.co","mfa_factors":[]}"#,
        r#"{"email":"a@b.co","mfa_factors":[{"totp":{"secret":"S3CRET1"}},{"sms":{}},{"phone":{}}]}"#,
        r#"{"email":"a@b.co","mfa_factors":[{"totp":{"secret":"ABC"},"phone":{"value":"+1"}}]}"#,
        r#"{"email":"a@b.co","mfa_factors":[{}]}"#,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        format!(r#"{{"email":"a@b.co","nickname":"{long}"}}"#).into_bytes(),
        format!(r#"{{"email":"a@b.co","user_metadata":{{"a":"{long}"}}}}"#).into_bytes(),
        format!(r#"{{"email":"a@b.co","user_metadata":{{"a":{deep}}}}}"#).into_bytes(),
        format!(r#"{{"email":"a@b.co","password_hash":"{BCRYPT}","custom_password_hash":{{"algorithm":"bcrypt","hash":{{"value":"{BCRYPT}"}}}}}}"#).into_bytes(),
        b"{\"email\":\"a\xFF@b.co\"}".to_vec(),
    ])
    .collect();
    let mut report = String::new();
    for row in rows {
        let shown: String = String::from_utf8_lossy(&row).chars().take(110).collect();
        writeln!(report, "--- {shown}\n{}", faults(&row)).unwrap();
    }
    assert!(
        !report.replace("\"S3CRET", "").contains("S3CRET"),
        "{report}"
    );
    insta::assert_snapshot!(report, @r###"
    --- {}
    OBJECT_MISSING_REQUIRED_PROPERTY [email] Missing required property: email
    --- [1]
    OBJECT_REQUIRED [] Expected type object but found type array
    --- 7
    OBJECT_REQUIRED [] Expected type object but found type integer
    --- {bad json}
    FORMAT [] Object didn't pass validation for format json: byte 1001: key must be a string
    --- {
    "email": "a@b.co",
    }
    FORMAT [] Object didn't pass validation for format json: byte 1021: trailing comma
    --- {"email":"a@b.co","name":"\ud800"}
    FORMAT [] Object didn't pass validation for format json: byte 1032: unexpected end of hex escape
    --- {"email":null,"blocked":"yes","user_metadata":[],"name":7}
    INVALID_TYPE [email] Expected type string but found type null
    INVALID_TYPE [blocked] Expected type boolean but found type string
    INVALID_TYPE [user_metadata] Expected type object but found type array
    INVALID_TYPE [name] Expected type string but found type integer
    --- {"email":"x@y","unknown":1,"phone_number":"0049","picture":"no uri","username":"a@b.co"}
    FORMAT [email] Object didn't pass validation for format email: x@y
    OBJECT_ADDITIONAL_PROPERTIES [unknown] Additional properties not allowed: unknown
    PATTERN [phone_number] String does not match pattern ^\+[0-9]{1,15}$: 0049
    FORMAT [picture] Object didn't pass validation for format uri: no uri
    PATTERN [username] String does not match pattern ^[A-Za-z0-9@`^$!\-#.+'~_]{1,128}$: a@b.co
    --- {"email":"a@b.co","email":"c@d.co"}
    NOT_PASSED [email] Property given twice: email
    --- {"email":"a@b.co","name":"","user_id":"auth0|","given_name":"a\u0000b"}
    MIN_LENGTH [name] String is too short (0 chars), minimum 1
    PATTERN [user_id] String does not match pattern ^(auth0\|)?[^\x00-\x1f\x7f]{1,255}$: auth0|
    PATTERN [given_name] Text must not contain the character U+0000
    --- {"email":"a@b.co","app_metadata":{"email":1,"ok":{"email":1},"lastIP":2}}
    NOT_PASSED [app_metadata.email] Property not allowed in app_metadata: email
    NOT_PASSED [app_metadata.lastIP] Property not allowed in app_metadata: lastIP
    --- {"email":"a@b.co","user_metadata":{"a":{"b":1,"b":2}}}
    NOT_PASSED [user_metadata] Property given twice: b
    --- {"email":"a@b.co","password_hash":"S3CRET"}
    PATTERN [password_hash] String does not match pattern ^\$2[ab]?\$10+\$[./A-Za-z0-9]{53}$
    --- {"email":"a@b.co","password_hash":7,"custom_password_hash":"S3CRET"}
    INVALID_TYPE [password_hash] Expected type string but found type integer
    INVALID_TYPE [custom_password_hash] Expected type object but found type string
    NOT_PASSED [custom_password_hash] Forbidden attribute in appUser: password_hash and custom_password_hash exclude each other
    --- {"email":"a@b.co","custom_password_hash":{"algorithm":"md5","hash":{"value":"S3CRET","encoding":"hex"}}}
    PATTERN [custom_password_hash.hash.value] String does not match pattern ^([0-9A-Fa-f]{2})*$
    --- {"email":"a@b.co","custom_password_hash":{"algorithm":"md6","hash":{"value":"S3CRET","encoding":"hex"}}}
    ENUM_MISMATCH [custom_password_hash.algorithm] No enum match for: md6
    --- {"email":"a@b.co","mfa_factors":[]}
    ARRAY_LENGTH_SHORT [mfa_factors] Array is too short (0), minimum 1
    --- {"email":"a@b.co","mfa_factors":[{"totp":{"secret":"S3CRET1"}},{"sms":{}},{"phone":{}}]}
    PATTERN [mfa_factors[0].totp.secret] String does not match pattern ^[A-Z2-7]+$
    OBJECT_ADDITIONAL_PROPERTIES [mfa_factors[1].sms] Additional properties not allowed: sms
    OBJECT_MISSING_REQUIRED_PROPERTY [mfa_factors[2].phone.value] Missing required property: value
    --- {"email":"a@b.co","mfa_factors":[{"totp":{"secret":"ABC"},"phone":{"value":"+1"}}]}
    ANY_OF_MISSING [mfa_factors[0]] Exactly one of totp, phone, email is expected
    --- {"email":"a@b.co","mfa_factors":[{}]}
    ANY_OF_MISSING [mfa_factors[0]] Exactly one of totp, phone, email is expected
    --- {"email":"a@b.co","nickname":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    MAX_LENGTH [nickname] String is too long (351 chars), maximum 350
    --- {"email":"a@b.co","user_metadata":{"a":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    PROFILE_SIZE_EXCEEDED [user_metadata] user_metadata has 359 bytes, more than the 200 allowed
    --- {"email":"a@b.co","user_metadata":{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]
    NOT_PASSED [user_metadata] user_metadata nests deeper than 64 levels
    --- {"email":"a@b.co","password_hash":"$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234","custom_passw
    NOT_PASSED [custom_password_hash] Forbidden attribute in appUser: password_hash and custom_password_hash exclude each other
    --- {"email":"a�@b.co"}
    FORMAT [] Object didn't pass validation for format json: byte 1011: invalid UTF-8
    "###);
}

/// The fields of a row, for comparison.
fn shown(row: &ImportRow) -> String {
    let hash = row.password.as_ref().map(HashText::expose);
    format!("{row:?} {hash:?}")
}

fn member() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just(r#""a@b.co""#),
        Just(r#""A@B.co""#),
        Just(r#""x""#),
        Just(r#""""#),
        Just("null"),
        Just("true"),
        Just("7"),
        Just("1e999"),
        Just(r#""+491""#),
        Just(r#""auth0|7""#),
        Just(r#""auth0|""#),
        Just(r#""https://x.org/""#),
        Just("{}"),
        Just("[]"),
        Just(r#"{"a":{"b":[1,"\u00e9"]}}"#),
        Just(r#"{"email":1}"#),
        Just(r#"{"a":1,"a":2}"#),
        Just(r#"{"a":"\ud800"}"#),
        Just(r#""\ud800""#),
        Just(r#""a\u0000b""#),
        Just(r#""\u0061\n""#),
        Just(r#""$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234""#),
        Just(
            r#"{"algorithm":"md5","hash":{"value":"5f4dcc3b5aa765d61d8327deb882cf99","encoding":"hex"}}"#
        ),
        Just(r#"[{"totp":{"secret":"ABC"}}]"#),
        Just("[{}]"),
    ];
    let names: Vec<String> = user_schema::USER
        .iter()
        .map(|field| field.name.to_owned())
        .chain(["unknown".into(), r"\u0065mail".into()])
        .collect();
    (proptest::sample::select(names), text).prop_map(|(name, text)| format!("\"{name}\": {text}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// The first way takes a row exactly when the second does (factors aside, which are always
    /// looked at with care), and both make the same of it.
    #[test]
    fn both_ways_agree(
        members in proptest::collection::vec(member(), 0..4), email in any::<bool>(),
    ) {
        let mut members = members;
        if email {
            members.insert(0, r#""email": "a@b.co""#.into());
        }
        let text = format!("{{{}}}", members.join(", "));
        let careful = read_with_care(&text, 0, &limits());
        match (read_plain(&text, &limits()), careful) {
            (Some(plain), Ok(careful)) => prop_assert_eq!(shown(&plain), shown(&careful)),
            (None, Ok(careful)) => prop_assert!(!careful.factors.is_empty(), "{}", text),
            (Some(_), Err(errors)) => prop_assert!(false, "{} {:?}", text, errors),
            (None, Err(_)) => {}
        }
    }

    /// Foreign bytes are refused or read, never a panic, and what is let in can be read back.
    #[test]
    fn survives_any_bytes(noise in proptest::collection::vec(any::<u8>(), 0..40), at in 0_usize..60) {
        let mut bytes = br#"{"email":"a@b.co","user_metadata":{"a":["b",1.5]},"name":"x"}"#.to_vec();
        let end = (at + noise.len()).min(bytes.len());
        bytes.splice(at..end, noise);
        if let Ok(row) = read(&bytes) {
            for text in [row.user_metadata, row.app_metadata].into_iter().flatten() {
                prop_assert!(serde_json::from_str::<domain::Json>(&text).is_ok());
            }
        }
    }
}
