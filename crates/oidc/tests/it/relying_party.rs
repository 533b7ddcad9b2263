//! We as the client of somebody else's provider.

use std::collections::BTreeMap;

use domain::{BrowserToken, ClientSecret, Token};
use oidc::Algorithm;
use oidc::authorize::Prompt;
use oidc::jwt::ForeignKey;
use oidc::relying_party::provider::check_place;
use oidc::relying_party::{
    Bonds, Callback, CallbackError, ClientProof, Departure, Endpoint, Exchange, ExchangeError,
    Expected, Flow, IdTokenError, Provider, Reach, Returned, Tokens, state_of, userinfo,
};
use serde_json::{Map, Value, json};

use IdTokenError as E;

use crate::{NOW, current, next};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn document() -> Map<String, Value> {
    object(json!({
        "issuer": "https://up.example/", "jwks_uri": "https://up.example/jwks",
        "authorization_endpoint": "https://up.example/authorize?tenant=1",
        "token_endpoint": "https://up.example/token",
        "code_challenge_methods_supported": ["S256"],
    }))
}

fn provider() -> Provider {
    Provider::read(&document(), Reach::Https).unwrap()
}

fn bonds() -> Bonds {
    Bonds::of(
        &BrowserToken::from("cookie"),
        &"login1".into(),
        &"con_1".into(),
    )
}

#[test]
fn only_secure_addresses_are_taken() {
    for (text, https, loopback) in [
        ("https://up.example/token", true, true),
        ("https://10.0.0.7:8443/token?x=1", true, true),
        ("http://127.0.0.1:3000/token", false, true),
        ("http://localhost/token", false, true),
        ("http://up.example/token", false, false),
        ("https://user@up.example/token", false, false),
        ("https://up.example/token#x", false, false),
        ("https://up.example/a/../token", false, false),
        ("file:///etc/passwd", false, false),
        ("gopher://up.example/", false, false),
        ("//up.example/token", false, false),
        ("", false, false),
    ] {
        assert_eq!(
            Endpoint::parse(text, Reach::Https).is_some(),
            https,
            "{text}"
        );
        assert_eq!(
            Endpoint::parse(text, Reach::Loopback).is_some(),
            loopback,
            "{text}"
        );
    }
    let reach = |text: &str| Reach::of(&oidc::Issuer::parse(text).unwrap());
    assert_eq!(reach("https://localhost/"), Reach::Https);
    assert_eq!(reach("http://localhost:3000"), Reach::Loopback);
    assert_eq!(reach("http://127.0.0.1:3000"), Reach::Loopback);
    assert_eq!(reach("http://intranet/"), Reach::Https);
}

#[test]
fn a_document_speaks_for_the_issuer_it_stands_under() {
    for member in ["issuer", "authorization_endpoint", "jwks_uri"] {
        let mut document = document();
        document.shift_remove(member);
        let error = Provider::read(&document, Reach::Https).unwrap_err();
        assert_eq!((error.member, error.problem), (member, "is missing"));
    }
    let mut plain = document();
    plain.insert("token_endpoint".into(), "http://up.example/token".into());
    assert_eq!(
        Provider::read(&plain, Reach::Https).unwrap_err().member,
        "token_endpoint"
    );
    for (url, issuer, expected) in [
        (
            "https://up.example/.well-known/openid-configuration",
            "https://up.example/",
            true,
        ),
        (
            "https://up.example/.well-known/openid-configuration",
            "https://up.example",
            true,
        ),
        (
            "https://up.example/t/.well-known/openid-configuration",
            "https://up.example/t",
            true,
        ),
        (
            "https://up.example/t/.well-known/openid-configuration",
            "https://up.example",
            false,
        ),
        (
            "https://evil.example/.well-known/openid-configuration",
            "https://up.example",
            false,
        ),
        ("https://up.example/document", "https://up.example", false),
    ] {
        assert_eq!(check_place(url, issuer).is_ok(), expected, "{url} {issuer}");
    }
}

#[test]
fn bonds_hold_one_login_in_one_browser_with_one_provider() {
    let ours = bonds();
    let again = bonds();
    assert!(ours.is_ours(&again.state) && ours.nonce == again.nonce);
    assert_eq!(
        state_of(&ours.state),
        Some(("login1".into(), "con_1".into()))
    );
    for (browser, login, connection) in [
        ("other", "login1", "con_1"),
        ("cookie", "login2", "con_1"),
        ("cookie", "login1", "con_2"),
    ] {
        let other = Bonds::of(
            &BrowserToken::from(browser),
            &login.into(),
            &connection.into(),
        );
        assert!(!ours.is_ours(&other.state));
        assert_ne!(ours.nonce, other.nonce);
        assert_ne!(ours.verifier.expose(), other.verifier.expose());
        assert_ne!(ours.challenge(), other.challenge());
    }
    let texts = [
        ours.nonce.as_str(),
        ours.verifier.expose(),
        &ours.challenge(),
    ];
    assert!(
        texts
            .iter()
            .all(|text| text.len() == 43 && !ours.state.contains(text))
    );
    for state in ["", "a.b", "a.b.c.d", "a..c", "a b.con_1.x", "a.con/1.x"] {
        assert_eq!(state_of(state), None, "{state}");
    }
}

fn query(url: &str) -> BTreeMap<String, String> {
    let url = url::Url::parse(url).unwrap();
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let count = pairs.len();
    let query: BTreeMap<String, String> = pairs.into_iter().collect();
    assert_eq!(query.len(), count, "a parameter comes twice");
    query
}

#[test]
fn the_browser_is_sent_with_all_that_binds_the_answer() {
    let (provider, bonds) = (provider(), bonds());
    let more = [
        ("tenant_hint".to_owned(), "a b&c".to_owned()),
        ("state".to_owned(), "stolen".to_owned()),
        ("prompt".to_owned(), "none".to_owned()),
    ];
    let mut departure = Departure {
        provider: &provider,
        client_id: "ferry",
        redirect_uri: "https://here.example/login/callback",
        scope: "openid email",
        flow: Flow::Code,
        has_challenge: true,
        bonds: &bonds,
        login_hint: Some("ann@x.org"),
        prompt: &[Prompt::Login, Prompt::Consent],
        max_age: Some(60),
        ui_locales: &["de".into(), "en".into()],
        more: &more,
    };
    let url = departure.url();
    assert!(
        url.starts_with("https://up.example/authorize?tenant=1&client_id=ferry&"),
        "{url}"
    );
    let asked = query(&url);
    for (name, value) in [
        ("redirect_uri", "https://here.example/login/callback"),
        ("response_type", "code"),
        ("state", bonds.state.as_str()),
        ("nonce", bonds.nonce.as_str()),
        ("code_challenge", &bonds.challenge()),
        ("code_challenge_method", "S256"),
        ("login_hint", "ann@x.org"),
        ("prompt", "login"),
        ("max_age", "60"),
        ("ui_locales", "de en"),
        ("tenant_hint", "a b&c"),
    ] {
        assert_eq!(asked[name], value);
    }
    assert!(!url.contains(bonds.verifier.expose()));
    departure.flow = Flow::IdToken;
    let asked = query(&departure.url());
    assert_eq!(asked["response_type"], "id_token");
    assert_eq!(asked["response_mode"], "form_post");
    assert!(!asked.contains_key("code_challenge"));
}

fn returned(pairs: &[(&str, &str)]) -> Result<Returned, CallbackError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Returned::read(pairs.iter().map(owned).collect())
}

#[test]
fn an_answer_is_read_once() {
    let read = returned(&[
        ("state", "s"),
        ("code", "c"),
        ("iss", "i"),
        ("session_state", "x"),
    ]);
    let read = read.unwrap();
    assert_eq!(
        (read.state.as_str(), read.issuer.as_deref()),
        ("s", Some("i"))
    );
    assert!(matches!(read.answer, Callback::Code(code) if code.expose() == "c"));
    let read = returned(&[("state", "s"), ("id_token", "t")]).unwrap();
    assert!(matches!(read.answer, Callback::IdToken(_)));
    // An error is one whatever comes beside it.
    let read = returned(&[("state", "s"), ("code", "c"), ("error", "access_denied")]).unwrap();
    assert!(matches!(read.answer, Callback::Refused { error, .. } if error == "access_denied"));
    let long = "x".repeat((64 << 10) + 1);
    for (pairs, error) in [
        (vec![("code", "c")], CallbackError::Stateless),
        (vec![("state", ""), ("code", "c")], CallbackError::Stateless),
        (vec![("state", "s")], CallbackError::Empty),
        (
            vec![("state", "s"), ("code", "c"), ("code", "d")],
            CallbackError::Twice,
        ),
        (
            vec![("state", "s"), ("state", "s"), ("code", "c")],
            CallbackError::Twice,
        ),
        (
            vec![("state", "s"), ("code", "\0")],
            CallbackError::Unreadable,
        ),
        (
            vec![("state", "s"), ("code", long.as_str())],
            CallbackError::Unreadable,
        ),
    ] {
        assert_eq!(returned(&pairs).unwrap_err(), error, "{:?}", pairs[0]);
    }
}

#[test]
fn a_secret_travels_as_the_provider_takes_it() {
    let (code, verifier) = (Token::from("c d"), Token::from("v"));
    let secret = ClientSecret::from("s:e c");
    let exchange = |proof, secret| Exchange {
        code: &code,
        redirect_uri: "https://here.example/cb",
        verifier: Some(&verifier),
        client_id: "f/1",
        secret,
        proof,
    };
    let common = "grant_type=authorization_code&code=c%20d&\
                  redirect_uri=https%3A%2F%2Fhere.example%2Fcb&code_verifier=v";
    let (form, header) = exchange(ClientProof::Post, Some(&secret)).form();
    assert_eq!(
        *form,
        format!("{common}&client_id=f%2F1&client_secret=s%3Ae%20c")
    );
    assert!(header.is_none());
    let (form, header) = exchange(ClientProof::Basic, Some(&secret)).form();
    assert_eq!(*form, common);
    // f%2F1:s%3Ae%20c
    assert_eq!(*header.unwrap(), "Basic ZiUyRjE6cyUzQWUlMjBj");
    let (form, header) = exchange(ClientProof::None, None).form();
    assert_eq!(
        (form.as_str(), header),
        (&*format!("{common}&client_id=f%2F1"), None)
    );
    let offered = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let basic = offered(&["client_secret_basic"]);
    let both = offered(&["client_secret_basic", "client_secret_post"]);
    let choose = ClientProof::choose;
    assert_eq!(
        choose(false, Some(ClientProof::Basic), None),
        ClientProof::None
    );
    assert_eq!(choose(true, None, None), ClientProof::Post);
    assert_eq!(choose(true, None, Some(&basic)), ClientProof::Basic);
    assert_eq!(choose(true, None, Some(&both)), ClientProof::Post);
    assert_eq!(
        choose(true, Some(ClientProof::Basic), Some(&both)),
        ClientProof::Basic
    );
}

#[test]
fn an_exchange_that_fails_says_why() {
    let read = |status, body: Value| Tokens::read(status, body.to_string().as_bytes());
    let tokens = read(200, json!({"id_token": "t", "access_token": "a"})).unwrap();
    assert_eq!(tokens.access_token.unwrap().expose(), "a");
    let refused = read(400, json!({"error": "invalid_grant\n"})).unwrap_err();
    assert_eq!(refused, ExchangeError::Refused("invalid_grant".into()));
    assert!(read(200, json!({"error": "x", "id_token": "t"})).is_err());
    assert_eq!(read(200, json!({})).unwrap_err(), ExchangeError::NoIdToken);
    assert_eq!(
        read(302, json!({"id_token": "t"})).unwrap_err(),
        ExchangeError::Unreadable
    );
    assert_eq!(
        Tokens::read(200, b"<html>").unwrap_err(),
        ExchangeError::Unreadable
    );
    let info = |status, body: &[u8]| userinfo(status, body, "1");
    assert_eq!(
        info(200, br#"{"sub":"1","name":"Ann"}"#).unwrap()["name"],
        "Ann"
    );
    assert_eq!(
        info(200, br#"{"sub":"2"}"#).unwrap_err(),
        ExchangeError::OtherSubject
    );
    assert_eq!(info(200, br"{}").unwrap_err(), ExchangeError::OtherSubject);
    assert_eq!(
        info(401, br#"{"sub":"1"}"#).unwrap_err(),
        ExchangeError::Unreadable
    );
}

const EXPECTED: Expected<'_> = Expected {
    issuer: "https://up.example/",
    client_id: "ferry",
    nonce: "n",
    access_token: Some("access"),
    algorithms: &[Algorithm::Rs256, Algorithm::Es256],
    max_age: None,
    now: NOW,
};

fn keys() -> Vec<ForeignKey> {
    let jwks = serde_json::to_value(crate::keys().jwks(NOW)).unwrap();
    ForeignKey::from_jwks(&jwks).unwrap()
}

fn claims() -> Map<String, Value> {
    let now = NOW.seconds();
    object(json!({
        "iss": "https://up.example/", "aud": "ferry", "sub": "1", "nonce": "n",
        "iat": now, "exp": now + 60, "auth_time": now - 30,
    }))
}

fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut claims = claims();
    claims.insert(name.to_owned(), value);
    if claims[name].is_null() {
        claims.shift_remove(name);
    }
    claims
}

#[test]
fn an_id_token_is_for_this_login_or_for_none() {
    let now = NOW.seconds();
    let check = |claims: &Map<String, Value>| {
        let token = current().sign(None, claims).unwrap();
        EXPECTED.check(&token, &keys())
    };
    assert_eq!(check(&claims()).unwrap()["sub"], "1");
    // The left half of SHA-256("access"), as the specification has it.
    let hash = {
        use base64::Engine as _;
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"access");
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
    };
    for good in [
        with("at_hash", hash.into()),
        with("aud", json!(["ferry"])),
        with("azp", json!("ferry")),
        object(json!({"aud": ["ferry", "other"], "azp": "ferry"})),
        with("exp", json!(now - 59)),
        with("iat", json!(now + 60)),
    ] {
        let mut claims = claims();
        claims.extend(good);
        assert!(check(&claims).is_ok(), "{claims:?}");
    }
    for (name, value, error) in [
        ("iss", json!("https://up.example"), E::Issuer),
        ("iss", Value::Null, E::Issuer),
        ("aud", json!("other"), E::Audience),
        ("aud", json!(["ferry", "other"]), E::Audience),
        ("aud", json!([]), E::Audience),
        ("aud", Value::Null, E::Audience),
        ("azp", json!("other"), E::Audience),
        ("exp", json!(now - 60), E::Expired),
        ("exp", json!("soon"), E::Expired),
        ("exp", Value::Null, E::Expired),
        ("iat", json!(now + 61), E::Early),
        ("nbf", json!(now + 61), E::Early),
        ("nonce", json!("other"), E::Nonce),
        ("nonce", Value::Null, E::Nonce),
        ("at_hash", json!("AAAA"), E::AccessToken),
        ("sub", json!(""), E::Subject),
        ("sub", json!(7), E::Subject),
        ("sub", json!("a\nb"), E::Subject),
        ("sub", json!("x".repeat(256)), E::Subject),
    ] {
        let found = check(&with(name, value.clone())).unwrap_err();
        assert_eq!(found, error, "{name} {value}");
    }
    let aged = |max_age| Expected {
        max_age: Some(max_age),
        ..EXPECTED
    };
    let token = current().sign(None, &claims()).unwrap();
    assert!(aged(30).check(&token, &keys()).is_ok());
    let token = current()
        .sign(None, &with("auth_time", json!(now - 91)))
        .unwrap();
    assert_eq!(aged(30).check(&token, &keys()).unwrap_err(), E::Stale);
    let token = current()
        .sign(None, &with("auth_time", Value::Null))
        .unwrap();
    assert_eq!(aged(30).check(&token, &keys()).unwrap_err(), E::Stale);
}

#[test]
fn nobody_signs_for_the_provider() {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let check = |token: &str| EXPECTED.check(token, &keys()).unwrap_err();
    let payload = encode(&Value::Object(claims()).to_string());
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"RS512"}"#,
        "{}",
    ] {
        for signature in ["", "AAAA"] {
            let token = format!("{}.{payload}.{signature}", encode(header));
            assert!(matches!(check(&token), IdTokenError::Token(_)), "{header}");
        }
    }
    let stranger = next().sign(None, &claims()).unwrap();
    assert!(matches!(check(&stranger), IdTokenError::Token(_)));
    let good = current().sign(None, &claims()).unwrap();
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let other = encode(&Value::Object(with("sub", json!("2"))).to_string());
    assert!(matches!(
        check(&format!("{header}.{other}.{signature}")),
        IdTokenError::Token(_)
    ));
    assert!(EXPECTED.check(&good, &keys()).is_ok());
}
