//! One small export of each product, composed after its documentation.

use convert::{FirebaseHash, Options, Product};
use serde_json::json;

use crate::{convert, opens, plain};

#[test]
fn keycloak_brings_argon2_second_factors_and_what_has_no_member() {
    let password = json!({
        "type": "password",
        "secretData": r#"{"value":"2ky5GAdhT1kH4kIgPN/oERE3Taiy43vNN70a3HpiKQU=","salt":"FBMjI4RJBhIykCgol1KEJA==","additionalParameters":{}}"#,
        "credentialData": r#"{"hashIterations":3,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],"memory":["65536"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}"#,
    });
    let otp = |secret: &str, more: &str| {
        json!({
            "type": "otp", "secretData": json!({"value": secret}).to_string(),
            "credentialData": format!(r#"{{"subType":"totp","digits":6,"period":30,"algorithm":"HmacSHA1"{more}}}"#),
        })
    };
    let realm = json!({
        "realm": "shop", "clients": [{"clientId": "x", "users": "not these"}],
        "users": [
            {
                "id": "5f1c", "username": "ann", "email": "ann@example.com", "emailVerified": true,
                "enabled": false, "firstName": "Ann", "lastName": "E", "attributes": {"plan": ["pro"]},
                "credentials": [
                    password, otp("12345678901234567890", ""),
                    otp("JBSWY3DPEHPK3PXP", r#","secretEncoding":"BASE32""#),
                    {"type": "webauthn", "secretData": "{}", "credentialData": "{}"},
                ],
                "requiredActions": ["UPDATE_PASSWORD"], "realmRoles": ["admin"], "groups": ["/staff"],
                "federatedIdentities": [{"identityProvider": "google", "userId": "1"}],
            },
            {"username": "service-account-x", "serviceAccountClientId": "x", "enabled": true},
            {"username": "mailless", "enabled": true, "credentials": []},
        ],
        "roles": {},
    });
    let done = plain(
        Product::Keycloak,
        &serde_json::to_string_pretty(&realm).unwrap(),
    );
    assert!(opens(&done.rows[0], "hashcat"));
    let mut row = done.rows[0].clone();
    row.as_object_mut()
        .unwrap()
        .shift_remove("custom_password_hash");
    insta::assert_snapshot!(row, @r#"{"email":"ann@example.com","email_verified":true,"user_id":"keycloak-5f1c","username":"ann","given_name":"Ann","family_name":"E","name":"Ann E","blocked":true,"mfa_factors":[{"totp":{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}},{"totp":{"secret":"JBSWY3DPEHPK3PXP"}}],"app_metadata":{"keycloak":{"attributes":{"plan":["pro"]},"requiredActions":["UPDATE_PASSWORD"],"realmRoles":["admin"],"groups":["/staff"],"id":"5f1c"}}}"#);
    insta::assert_snapshot!(done.warnings.join("\n"), @"
    record 1, line 10, credentials: webauthn has no place in an import row; not carried over
    record 2, line 61, serviceAccountClientId: an account of client x, no person; left out
    record 3, line 66, email: nothing there, and the import identifies people by it; left out
    ");
    let summary = done.summary();
    assert_eq!((summary.read, summary.written, summary.left_out), (3, 1, 2));
}

fn firebase() -> Options {
    let text = "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,\n  base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 14,\n}";
    Options {
        firebase: Some(FirebaseHash::parse(text).unwrap()),
        ..Options::default()
    }
}

/// The hash is the one that the README of firebase/scrypt prints.
#[test]
fn firebase_in_both_forms() {
    let json = br#"{"users": [{"localId": "uid1", "email": "user1@gmail.com", "emailVerified": true,
        "passwordHash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        "salt": "42xEC+ixf3L2lw==", "displayName": "User One", "phoneNumber": "+15551234567",
        "createdAt": "1700000000000", "customAttributes": "{\"admin\":true}", "disabled": true,
        "providerUserInfo": [{"providerId": "password"}, {"providerId": "google.com", "rawId": "7"}]},
        {"localId": "uid2", "phoneNumber": "+15550000000"}]}"#;
    let done = convert(Product::Firebase, &[json], &firebase());
    assert!(opens(&done.rows[0], "user1password"));
    let mut row = done.rows[0].clone();
    row.as_object_mut().unwrap().shift_remove("password_hash");
    insta::assert_snapshot!(row, @r#"{"email":"user1@gmail.com","email_verified":true,"user_id":"firebase-uid1","phone_number":"+15551234567","phone_verified":true,"name":"User One","blocked":true,"app_metadata":{"firebase":{"createdAt":"1700000000000","customAttributes":{"admin":true},"providerUserInfo":[{"providerId":"google.com","rawId":"7"}],"id":"uid1"}}}"#);
    insta::assert_snapshot!(done.warnings.join("\n"), @"record 2, line 6, email: nothing there, and the import identifies people by it; left out");

    let csv = b"uid1,user1@gmail.com,true,lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==,42xEC+ixf3L2lw==,User One,,7,g@example.com,,,,,,,,,,,,,,,1700000000000,1700000000000,+15551234567,true,\"{\"\"admin\"\":true}\"\n";
    let done = convert(Product::Firebase, &[csv], &firebase());
    assert!(opens(&done.rows[0], "user1password"), "{:?}", done.warnings);
    assert_eq!(done.rows[0]["app_metadata"]["firebase"]["google_id"], "7");
    assert_eq!(
        done.rows[0]["app_metadata"]["firebase"]["customAttributes"],
        json!({"admin": true})
    );
    assert!(FirebaseHash::parse("hash_config { algorithm: BCRYPT }").is_err());
}

#[test]
fn django_knows_its_own_strings_and_custom_models() {
    let dump = r#"[{"model": "contenttypes.contenttype", "pk": 1, "fields": {"app_label": "x", "model": "y"}},
        {"model": "accounts.customer", "pk": 7, "fields": {"email": "a@example.com", "last_login": null,
          "password": "pbkdf2_sha256$10000$1135411628$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE=", "is_active": true, "shoe_size": 43}},
        {"model": "accounts.customer", "pk": 8, "fields": {"email": "b@example.com", "last_login": null,
          "password": "sha1$fe76b$02d5916550edf7fc8c886f044887f4b1abf9b013"}},
        {"model": "accounts.customer", "pk": 9, "fields": {"email": "c@example.com", "last_login": null,
          "password": "argon2$argon2id$v=19$m=65536,t=3,p=1$FBMjI4RJBhIykCgol1KEJA$2ky5GAdhT1kH4kIgPN/oERE3Taiy43vNN70a3HpiKQU"}},
        {"model": "accounts.customer", "pk": 10, "fields": {"email": "d@example.com", "last_login": null,
          "password": "8743b52063cd84097a65d1633f5c74f5"}}]"#;
    let done = plain(Product::Django, dump);
    assert!(
        done.rows.iter().all(|row| opens(row, "hashcat")),
        "{:?}",
        done.rows
    );
    assert_eq!(
        done.rows[0]["app_metadata"],
        json!({"django": {"shoe_size": 43, "id": "7"}})
    );
    assert_eq!((done.summary().written, done.summary().ignored), (4, 1));
    assert!(done.warnings.is_empty(), "{:?}", done.warnings);
}

#[test]
fn wordpress_in_csv() {
    let users = "ID,user_login,user_pass,user_email,display_name,user_activation_key\n\
        1,ann,$P$946647711V1klyitUYhtB8Yw5DMA/w.,ann@example.com,Ann E,1700:secret\n";
    let meta = "umeta_id,user_id,meta_key,meta_value\n1,1,first_name,Ann\n\
        2,1,blog_capabilities,\"a:2:{s:6:\"\"editor\"\";b:1;s:5:\"\"admin\"\";b:0;}\"\n3,1,session_tokens,x\n";
    let options = Options {
        table_prefix: Some("blog_".to_owned()),
        ..Options::default()
    };
    let done = convert(
        Product::Wordpress,
        &[users.as_bytes(), meta.as_bytes()],
        &options,
    );
    assert!(opens(&done.rows[0], "hashcat"));
    assert_eq!(
        done.rows[0]["app_metadata"]["wordpress"],
        json!({"roles": ["editor"], "id": "1"})
    );
    assert_eq!(done.rows[0]["given_name"], "Ann");
}

/// An UPDATE of a trigger, comments, names and values of every spelling.
#[test]
fn sql_of_several_makers() {
    let options = Options {
        table: Some("people".to_owned()),
        ..Options::default()
    };
    let mysql = "/*!40101 SET NAMES utf8mb4 */;\n-- MySQL dump 10.13\nCREATE TABLE `people` (\n  `user_id` int(11) NOT NULL COMMENT 'a, b (c',\n  `email` varchar(255) DEFAULT 'x),(',\n  `name` text, PRIMARY KEY (`user_id`), KEY `k` (`email`(10),`name`)\n);\nINSERT INTO `others` VALUES (1,'a;b');\nINSERT INTO `people` VALUES (1,'a@example.com','O\\'Hara \\\"A\\\"\\n; -- no comment'),(2,'b@example.com',_utf8mb4'x''y'),(3,'c@example.com',NULL);\n";
    let done = convert(Product::Table, &[mysql.as_bytes()], &options);
    assert_eq!(done.rows[0]["name"], "O'Hara \"A\"\n; -- no comment");
    assert_eq!(done.rows[1]["name"], "x'y");
    assert_eq!(done.rows.len(), 3);
    let sqlite = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE IF NOT EXISTS \"people\" (user_id integer primary key, email text check (email <> ','), name text);\nINSERT INTO people VALUES(1,'a@example.com','back\\slash');\nINSERT INTO people VALUES(2,'b@example.com',replace('a\\nb','\\n',char(10)));\nCOMMIT;\n";
    let done = convert(Product::Table, &[sqlite.as_bytes()], &options);
    assert_eq!(done.rows[0]["name"], "back\\slash");
    insta::assert_snapshot!(done.warnings.join("\n"), @"record 2, line 5, name: a computed value; left out");
    let server = "SET IDENTITY_INSERT [dbo].[people] ON\nGO\nINSERT [dbo].[people] ([user_id], [email], [name]) VALUES (1, N'a@example.com', N'Zoë')\nINSERT [dbo].[people] ([user_id], [email], [name]) VALUES (2, N'b@example.com', CAST(N'2020-01-01' AS DateTime2))\nGO\n";
    let done = convert(Product::Table, &[server.as_bytes()], &options);
    assert_eq!(done.rows.len(), 2, "{:?}", done.warnings);
    assert_eq!(done.rows[0]["name"], "Zoë");
}

#[test]
fn aspnet_brings_the_authenticator_and_the_lockout() {
    let dump = "INSERT INTO \"AspNetUserTokens\" (\"UserId\",\"LoginProvider\",\"Name\",\"Value\") VALUES ('u1','[AspNetUserStore]','AuthenticatorKey','JBSWY3DPEHPK3PXP');\nINSERT INTO \"AspNetUsers\" (\"Id\",\"UserName\",\"Email\",\"EmailConfirmed\",\"PasswordHash\",\"TwoFactorEnabled\",\"LockoutEnd\",\"SecurityStamp\") VALUES ('u1','ann','ann@example.com',true,NULL,1,'2999-01-01T00:00:00+00:00','S'),('u2','bob','bob@example.com',false,'nonsense',1,'2001-01-01 00:00:00+00','S');\n";
    let options = Options {
        now: Some(domain::Instant::from_millis(1_700_000_000_000)),
        ..Options::default()
    };
    let done = convert(Product::Aspnet, &[dump.as_bytes()], &options);
    assert_eq!(
        done.rows[0]["mfa_factors"],
        json!([{"totp": {"secret": "JBSWY3DPEHPK3PXP"}}])
    );
    assert_eq!(done.rows[0]["blocked"], true);
    assert!(done.rows[1].get("blocked").is_none());
    insta::assert_snapshot!(done.warnings.join("\n"), @r#"
record 3, line 2, TwoFactorEnabled: no key of an authenticator for this person (AspNetUserTokens)
record 3, line 2, password hash: the import will refuse it: String does not match pattern ^\$2[ab]?\$10+\$[./A-Za-z0-9]{53}$
"#);
}

#[test]
fn kratos_brings_second_factors() {
    let list = r#"{"identities": [{"id": "1", "schema_id": "default", "state": "inactive",
        "traits": {"email": "a@example.com", "name": {"first": "A", "middle": "M"}, "newsletter": true},
        "credentials": {"totp": {"config": {"totp_url": "otpauth://totp/x:a?algorithm=SHA1&digits=6&period=30&secret=JBSWY3DPEHPK3PXP"}},
          "password": {"config": {}}, "webauthn": {"config": {}}}}], "next_page_token": "x"}"#;
    let done = plain(Product::Kratos, list);
    insta::assert_snapshot!(done.rows[0], @r#"{"email":"a@example.com","email_verified":false,"user_id":"kratos-1","given_name":"A","name":"A","blocked":true,"mfa_factors":[{"totp":{"secret":"JBSWY3DPEHPK3PXP"}}],"app_metadata":{"kratos":{"schema_id":"default","traits":{"newsletter":true,"name":{"middle":"M"}},"id":"1"}}}"#);
    insta::assert_snapshot!(done.warnings.join("\n"), @r#"
record 1, line 1, credentials.password: no hash in it: list with include_credential=password
record 1, line 1, credentials: webauthn has no place in an import row; not carried over
"#);
}

#[test]
fn who_has_no_hashes_comes_without() {
    let csv = "cognito:username,sub,email,email_verified,phone_number,phone_number_verified,cognito:mfa_enabled,custom:plan\n\
        ann,s-1,ann@example.com,TRUE,+15551234567,FALSE,false,pro\n";
    let done = plain(Product::Cognito, csv);
    insta::assert_snapshot!(done.rows[0], @r#"{"email":"ann@example.com","email_verified":true,"user_id":"cognito-s-1","username":"ann","phone_number":"+15551234567","phone_verified":false,"app_metadata":{"cognito":{"custom:plan":"pro","id":"s-1"}}}"#);
    assert_eq!(done.summary().without_password, 1);
    let list = r#"{"Users": [{"Username": "s-1", "Enabled": false, "UserStatus": "CONFIRMED",
        "Attributes": [{"Name": "sub", "Value": "s-1"}, {"Name": "email", "Value": "ann@example.com"}]}]}"#;
    let done = plain(Product::Cognito, list);
    insta::assert_snapshot!(done.rows[0], @r#"{"email":"ann@example.com","email_verified":false,"user_id":"cognito-s-1","blocked":true,"app_metadata":{"cognito":{"UserStatus":"CONFIRMED","id":"s-1"}}}"#);
    let okta = r#"[{"id": "00u1", "status": "SUSPENDED", "created": "2020-01-01T00:00:00.000Z", "profile":
        {"login": "ann@example.com", "email": "ann@example.com", "firstName": "Ann", "lastName": "E", "department": "x"},
        "credentials": {"provider": {"type": "OKTA"}}, "_links": {}}]"#;
    let done = plain(Product::Okta, okta);
    insta::assert_snapshot!(done.rows[0], @r#"{"email":"ann@example.com","email_verified":false,"user_id":"okta-00u1","given_name":"Ann","family_name":"E","name":"Ann E","blocked":true,"app_metadata":{"okta":{"created":"2020-01-01T00:00:00.000Z","department":"x","status":"SUSPENDED","id":"00u1"}}}"#);
}

#[test]
fn auth0_joins_its_two_exports_in_any_order() {
    let users = r#"{"user_id":"auth0|5f1","email":"ann@example.com","email_verified":true,"name":"Ann","created_at":"2020-01-01T00:00:00.000Z","user_metadata":{"a":1},"app_metadata":{"plan":"pro"},"identities":[{"user_id":"5f1","provider":"auth0","connection":"db"}]}
{"user_id":"google-oauth2|1","email":"bob@example.com"}"#;
    let hashes = r#"{"_id":{"$oid":"5f1"},"email":"ann@example.com","passwordHash":"$2b$10$abcdefghijklmnopqrstuuKsNiG3cbsI3cbsI3cbsI3cbsI3cbsIu"}
{"_id":{"$oid":"5f2"},"email":"carl@example.com","passwordHash":"$2b$10$abcdefghijklmnopqrstuuKsNiG3cbsI3cbsI3cbsI3cbsI3cbsIu"}"#;
    let options = Options::default();
    let one = convert(
        Product::Auth0,
        &[users.as_bytes(), hashes.as_bytes()],
        &options,
    );
    let other = convert(
        Product::Auth0,
        &[hashes.as_bytes(), users.as_bytes()],
        &options,
    );
    assert_eq!(one.rows, other.rows);
    insta::assert_snapshot!(one.rows[0], @r#"{"email":"ann@example.com","email_verified":true,"user_id":"5f1","name":"Ann","password_hash":"$2b$10$abcdefghijklmnopqrstuuKsNiG3cbsI3cbsI3cbsI3cbsI3cbsIu","user_metadata":{"a":1},"app_metadata":{"plan":"pro","auth0":{"created_at":"2020-01-01T00:00:00.000Z"}}}"#);
    assert_eq!(
        (
            one.rows[1]["email"].as_str(),
            one.rows[1]["user_id"].as_str()
        ),
        (Some("carl@example.com"), Some("5f2"))
    );
    insta::assert_snapshot!(one.warnings.join("\n"), @r#"
record 4, line 2, user_id: of another provider than a database; it comes by that provider; left out
record 2, line 2, _id: not in the users export; the row has nothing but address and password
"#);
}

#[test]
fn a_directory_in_ldif() {
    let ldif = "version: 1\n\n# a comment\n that goes on\ndn: ou=people,dc=example,dc=org\nobjectClass: organizationalUnit\nou: people\n\n\
        dn:: dWlkPWFubg==\nobjectClass: top\nobjectClass: inetOrgPerson\nuid: ann\nmail: ann@exam\n ple.com\nmail: second@example.com\ncn;lang-de: Ann E\n\
        jpegPhoto:< file:///etc/passwd\nentryUUID: e-1\nuserPassword:: e1NTSEF9aWpnTkZRZmpESnVQV2JZUzBGVndWQldHZmxnPQ==\n\n\
        dn: cn=bob\nobjectClass: user\nsAMAccountName: bob\nmail: bob@example.com\nuserAccountControl: 514\nobjectGUID:: AQIDBAUGBwgJCgsMDQ4PEA==\nuserPassword: clear text\n";
    let done = plain(Product::Ldap, ldif);
    insta::assert_snapshot!(format!("{}\n{}", done.rows[0], done.rows[1]), @r#"
{"email":"ann@example.com","email_verified":false,"user_id":"ldap-e-1","username":"ann","name":"Ann E","custom_password_hash":{"algorithm":"ldap","hash":{"value":"{SSHA}ijgNFQfjDJuPWbYS0FVwVBWGflg=","encoding":"utf8"}},"app_metadata":{"ldap":{"dn":"uid=ann","objectclass":["top","inetOrgPerson"],"jpegphoto<":"file:///etc/passwd","mail":["second@example.com"],"id":"e-1"}}}
{"email":"bob@example.com","email_verified":false,"user_id":"ldap-04030201-0605-0807-090a-0b0c0d0e0f10","username":"bob","blocked":true,"app_metadata":{"ldap":{"dn":"cn=bob","objectclass":"user","id":"04030201-0605-0807-090a-0b0c0d0e0f10"}}}
"#);
    insta::assert_snapshot!(done.warnings.join("\n"), @"record 3, line 21, userpassword: in clear or of no scheme that can be carried over");
    assert_eq!((done.summary().written, done.summary().ignored), (2, 1));
}

#[test]
fn clerk_and_any_table() {
    let csv = "id,first_name,primary_email_address,verified_email_addresses,totp_secret,password_digest,password_hasher\n\
        user_1,Ann,ann@example.com,\"ann@example.com,other@example.com\",JBSWY3DPEHPK3PXP,8743b52063cd84097a65d1633f5c74f5,md5\n\
        user_2,Bob,bob@example.com,,,awscognito#pool#client#bob,awscognito\n";
    let done = plain(Product::Clerk, csv);
    assert!(opens(&done.rows[0], "hashcat"));
    assert_eq!(done.rows[0]["email_verified"], true);
    insta::assert_snapshot!(done.warnings.join("\n"), @"record 2, line 3, password_hasher: a digest that we cannot carry over");

    let options = Options {
        mapping: [
            ("email", "mail"),
            ("password_hash", "pw"),
            ("user_id", "nr"),
            ("salt", "grain"),
        ]
        .map(|(member, column)| (member.to_owned(), column.to_owned()))
        .to_vec(),
        custom_hash:
            json!({"algorithm": "md5", "hash": {"encoding": "hex"}, "salt": {"position": "suffix"}})
                .as_object()
                .cloned(),
        ..Options::default()
    };
    // Joomla's old form: md5(password‖salt), both published by hashcat.
    let table = "nr;mail;pw;grain;plan\n5;a@example.com;b78f863f2c67410c41e617f724e22f34;89384528665349271307465505333378;pro\n";
    let done = convert(Product::Table, &[table.as_bytes()], &options);
    assert!(opens(&done.rows[0], "hashcat"), "{:?}", done.warnings);
    assert_eq!(done.rows[0]["user_id"], "5");
    assert_eq!(
        done.rows[0]["app_metadata"]["table"],
        json!({"plan": "pro", "id": "5"})
    );
    let wrong = Options {
        mapping: vec![("mail".to_owned(), "x".to_owned())],
        ..Options::default()
    };
    let refused = convert(Product::Table, &[b"a,b\n"], &wrong).refusal();
    assert!(
        refused.starts_with("no member mail; there are user_id, email"),
        "{refused}"
    );
}

#[test]
fn secrets_of_unknown_columns_stay_behind() {
    let csv =
        "email,old_password,api_token,password_changed\na@example.com,hunter2,t0ken,2020-01-01\n";
    let done = plain(Product::Table, csv);
    let kept = &done.rows[0]["app_metadata"]["table"];
    assert_eq!(*kept, json!({"password_changed": "2020-01-01"}));
    assert_eq!(done.warnings.len(), 2, "{:?}", done.warnings);
    assert!(!done.warnings.join("").contains("hunter2"));
}

#[test]
fn what_does_not_fit_is_kept_and_said() {
    let long = "n".repeat(301);
    let csv = format!(
        "user_id,email,username,phone_number,name,picture,app_metadata\n\
         1,a@example.com,Jürgen Müller,040 123,{long},javascript:x,\"{{\"\"email\"\": \"\"x\"\", \"\"plan\"\": 1}}\"\n\
         2,A@EXAMPLE.com,ok.name,+49 (40) 12-34,N,https://example.com/a.png,\n\
         3,no address,,,,,\n"
    );
    let done = plain(Product::Table, &csv);
    assert_eq!(done.rows[1]["phone_number"], "+49401234");
    assert_eq!(done.rows[0]["app_metadata"]["table"]["name"], long);
    assert_eq!(done.rows[0]["app_metadata"]["plan"], 1);
    insta::assert_snapshot!(done.warnings.join("\n"), @r#"
record 1, line 2, username: not a username of the import; kept in app_metadata
record 1, line 2, phone_number: not of the form +4912345; kept in app_metadata
record 1, line 2, name: longer than the import allows; kept in app_metadata
record 1, line 2, picture: not a URL; kept in app_metadata
record 1, line 2, app_metadata.email: a reserved name; kept one level deeper
record 2, line 3, email: given to an earlier record too: the import takes only the first
record 3, line 4, email: not an e-mail address; left out
"#);
}
