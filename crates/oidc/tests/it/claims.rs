use domain::{Authentication, AuthenticationMethod, ClientId, UserId, UserRow};
use oidc::claims::{
    ACCESS_TOKEN_LIFETIME, AccessToken, Dialect, ID_TOKEN_LIFETIME, IdToken, UserInfo,
    audience_contains, machine_subject,
};
use oidc::{Audience, GrantType, Issuer, Scopes, Subject};
use serde_json::{Map, Value, json};

use crate::{ISSUER, NOW};

fn issuer() -> Issuer {
    Issuer::parse(ISSUER).unwrap()
}

fn zoe() -> Subject {
    Subject {
        email: Some("zoe@example.com".into()),
        name: Some("Zoe Zimt".into()),
        nickname: Some("zoe".into()),
        given_name: Some("Zoe".into()),
        family_name: Some("Zimt".into()),
        picture: Some("https://example.com/zoe.png".into()),
        phone_number: Some("+49301234".into()),
        phone_verified: Some(true),
        updated_at: Some(NOW),
        ..Subject::new(UserId::from("auth0|42"))
    }
}

fn access_token(audience: Option<&str>, scope: &str, grant_type: GrantType) -> String {
    let (issuer, scope) = (issuer(), Scopes::parse(scope).unwrap());
    let client_id = ClientId::from("client");
    let machine = machine_subject(&client_id);
    let token = AccessToken {
        issuer: &issuer,
        subject: if grant_type == GrantType::ClientCredentials {
            &machine
        } else {
            "auth0|42"
        },
        audience: Audience::granted(audience, &scope, &issuer),
        client_id: &client_id,
        scope: &scope,
        grant_type,
        issued_at: NOW,
        lifetime: ACCESS_TOKEN_LIFETIME,
        dialect: Dialect::default(),
        id: None,
        authentication: None,
        key: None,
    };
    serde_json::to_string_pretty(&token.claims()).unwrap()
}

#[test]
fn access_token_of_a_person() {
    let claims = access_token(
        Some("https://api"),
        "openid email",
        GrantType::PasswordRealm,
    );
    insta::assert_snapshot!(claims, @r#"
    {
      "iss": "https://id.example.com/",
      "sub": "auth0|42",
      "aud": [
        "https://api",
        "https://id.example.com/userinfo"
      ],
      "iat": 1772359200,
      "exp": 1772445600,
      "scope": "openid email",
      "gty": "password",
      "azp": "client"
    }
    "#);
}

#[test]
fn access_token_of_a_machine() {
    let claims = access_token(Some("https://api"), "", GrantType::ClientCredentials);
    insta::assert_snapshot!(claims, @r#"
    {
      "iss": "https://id.example.com/",
      "sub": "client@clients",
      "aud": "https://api",
      "iat": 1772359200,
      "exp": 1772445600,
      "gty": "client-credentials",
      "azp": "client"
    }
    "#);
}

#[test]
fn audiences() {
    let granted = |api, scope| {
        let scope = Scopes::parse(scope).unwrap();
        serde_json::to_value(Audience::granted(api, &scope, &issuer())).unwrap()
    };
    let userinfo = "https://id.example.com/userinfo";
    assert_eq!(granted(None, ""), json!(userinfo));
    assert_eq!(granted(None, "openid"), json!(userinfo));
    assert_eq!(granted(Some(userinfo), "openid"), json!(userinfo));
    assert_eq!(granted(Some("api"), "profile"), json!("api"));
    assert_eq!(granted(Some("api"), "openid"), json!(["api", userinfo]));

    let claims = |aud: Value| Map::from_iter([("aud".to_owned(), aud)]);
    assert!(audience_contains(&claims(json!("api")), "api"));
    assert!(audience_contains(&claims(json!(["x", "api"])), "api"));
    for aud in [
        json!("api2"),
        json!([]),
        json!(["ap"]),
        json!({"api": 1}),
        Value::Null,
    ] {
        assert!(!audience_contains(&claims(aud), "api"));
    }
    assert!(!audience_contains(&Map::new(), "api"));
}

#[test]
fn id_token_with_all_scopes() {
    let (issuer, client_id) = (issuer(), ClientId::from("client"));
    let scope = Scopes::parse("openid profile email phone").unwrap();
    let token = IdToken {
        issuer: &issuer,
        subject: &zoe(),
        client_id: &client_id,
        scope: &scope,
        issued_at: NOW,
        lifetime: ID_TOKEN_LIFETIME,
        nonce: None,
        authentication: None,
        access_token: None,
        code: None,
    };
    insta::assert_snapshot!(serde_json::to_string_pretty(&token.claims()).unwrap(), @r#"
    {
      "given_name": "Zoe",
      "family_name": "Zimt",
      "nickname": "zoe",
      "name": "Zoe Zimt",
      "picture": "https://example.com/zoe.png",
      "updated_at": "2026-03-01T10:00:00.000Z",
      "email": "zoe@example.com",
      "email_verified": false,
      "phone_number": "+49301234",
      "phone_number_verified": true,
      "iss": "https://id.example.com/",
      "aud": "client",
      "sub": "auth0|42",
      "iat": 1772359200,
      "exp": 1772395200
    }
    "#);
}

#[test]
fn userinfo_tells_what_the_scopes_allow() {
    let told = |subject: &Subject, scope: &str| {
        serde_json::to_string(&UserInfo::new(subject, &Scopes::parse(scope).unwrap())).unwrap()
    };
    let nobody = Subject::new(UserId::from("auth0|1"));
    let lines = [
        told(&zoe(), "openid"),
        told(&zoe(), "openid email"),
        told(&zoe(), "openid phone"),
        told(&zoe(), "openid profile"),
        told(&nobody, "openid profile email phone"),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"sub":"auth0|42"}
    {"sub":"auth0|42","email":"zoe@example.com","email_verified":false}
    {"sub":"auth0|42","phone_number":"+49301234","phone_number_verified":true}
    {"sub":"auth0|42","given_name":"Zoe","family_name":"Zimt","nickname":"zoe","name":"Zoe Zimt","picture":"https://example.com/zoe.png","updated_at":"2026-03-01T10:00:00.000Z"}
    {"sub":"auth0|1"}
    "#);
}

/// A login with password and authenticator, in a browser.
fn browser_login() -> Authentication {
    Authentication {
        user: UserRow(42),
        user_id: UserId::from("auth0|42"),
        connection: None,
        session: Some("session".into()),
        at: NOW,
        methods: vec![AuthenticationMethod::Password, AuthenticationMethod::Otp],
    }
}

#[test]
fn each_dialect_spells_an_access_token_its_own_way() {
    let (issuer, client_id) = (issuer(), ClientId::from("client"));
    let (scope, login) = (Scopes::parse("read:it").unwrap(), browser_login());
    let spelled = |dialect: &str, grant_type, key| {
        let token = AccessToken {
            issuer: &issuer,
            subject: "auth0|42",
            audience: Audience::One("https://api".into()),
            client_id: &client_id,
            scope: &scope,
            grant_type,
            issued_at: NOW,
            lifetime: ACCESS_TOKEN_LIFETIME,
            dialect: Dialect::parse(Some(dialect)),
            id: Some("aut_1.2"),
            authentication: Some(&login),
            key,
        };
        let claims = serde_json::to_string(&token.claims()).unwrap();
        format!("{} {claims}", token.dialect.token_type())
    };
    let lines = [
        spelled("access_token", GrantType::AuthorizationCode, None),
        spelled("access_token_authz", GrantType::ClientCredentials, None),
        spelled(
            "rfc9068_profile",
            GrantType::AuthorizationCode,
            Some("thumb"),
        ),
        spelled("rfc9068_profile_authz", GrantType::RefreshToken, None),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    JWT {"iss":"https://id.example.com/","sub":"auth0|42","aud":"https://api","iat":1772359200,"exp":1772445600,"scope":"read:it","azp":"client","jti":"aut_1.2"}
    JWT {"iss":"https://id.example.com/","sub":"auth0|42","aud":"https://api","iat":1772359200,"exp":1772445600,"scope":"read:it","gty":"client-credentials","azp":"client","jti":"aut_1.2","permissions":["read:it"]}
    at+jwt {"iss":"https://id.example.com/","sub":"auth0|42","aud":"https://api","iat":1772359200,"exp":1772445600,"scope":"read:it","jti":"aut_1.2","client_id":"client","auth_time":1772359200,"acr":"http://schemas.openid.net/pape/policies/2007/06/multi-factor","amr":["pwd","otp","mfa"],"sid":"session","cnf":{"jkt":"thumb"}}
    at+jwt {"iss":"https://id.example.com/","sub":"auth0|42","aud":"https://api","iat":1772359200,"exp":1772445600,"scope":"read:it","jti":"aut_1.2","client_id":"client","auth_time":1772359200,"acr":"http://schemas.openid.net/pape/policies/2007/06/multi-factor","amr":["pwd","otp","mfa"],"sid":"session","permissions":[]}
    "#);
}

#[test]
fn an_id_token_tells_of_the_login_and_what_goes_out_beside_it() {
    let (issuer, client_id) = (issuer(), ClientId::from("client"));
    let (scope, login) = (Scopes::parse("openid").unwrap(), browser_login());
    let token = IdToken {
        issuer: &issuer,
        subject: &zoe(),
        client_id: &client_id,
        scope: &scope,
        issued_at: NOW,
        lifetime: ID_TOKEN_LIFETIME,
        nonce: Some("n-0S6_WzA2Mj"),
        authentication: Some(&login),
        // OpenID Connect Core, appendices A.3 and A.4.
        access_token: Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        code: Some("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
    };
    let claims = serde_json::to_value(token.claims()).unwrap();
    assert_eq!(claims["at_hash"], "77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(claims["c_hash"], "LDktKdoQak3Pk0cnXxCltA");
    insta::assert_snapshot!(claims.to_string(), @r#"
    {"iss":"https://id.example.com/","aud":"client","sub":"auth0|42","iat":1772359200,"exp":1772395200,"auth_time":1772359200,"acr":"http://schemas.openid.net/pape/policies/2007/06/multi-factor","amr":["pwd","otp","mfa"],"sid":"session","nonce":"n-0S6_WzA2Mj","at_hash":"77QmUPtjPfzWtF2AnpK9RQ","c_hash":"LDktKdoQak3Pk0cnXxCltA"}
    "#);
}
