//! Logging out: where it leads, and who is asked first.

use domain::secret::ClientSecret;
use domain::{Client, ClientId, SessionId, TokenEndpointAuth, UserId};
use oidc::logout::{
    EndSessionRequest, LiveSession, LogoutFacts, LogoutHint, LogoutTokenClaims, PlainLogoutRequest,
};
use oidc::{Issuer, OAuthError, Params};
use serde_json::json;

use crate::{ISSUER, NOW};

const BYE: &str = "https://app.example.com/bye";

fn client() -> Client {
    let attributes = json!({"allowed_logout_urls": [
        BYE, "https://*.example.org/bye", "https://app.example.com/bye?x=1", "app://bye",
    ]});
    Client {
        client_id: ClientId::from("app"),
        name: "App".into(),
        secret: ClientSecret::from("secret"),
        auth: TokenEndpointAuth::None,
        grant_types: Vec::new(),
        attributes: attributes.as_object().unwrap().clone(),
        version: 1,
        created_at: NOW,
    }
}

fn params(pairs: &[(&str, &str)]) -> Params {
    let pairs = pairs.iter();
    Params::from_query(pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn hint(client: &str, user: &str) -> LogoutHint {
    LogoutHint {
        client_id: ClientId::from(client),
        user_id: UserId::from(user),
    }
}

fn session() -> LiveSession {
    LiveSession {
        id: SessionId::from("sid-1"),
        user_id: UserId::from("auth0|1"),
    }
}

/// The decision in one line, with a session there.
fn decided(
    pairs: &[(&str, &str)],
    hint: Option<&LogoutHint>,
    session: Option<&LiveSession>,
) -> String {
    let client = client();
    let tenant_urls = ["https://tenant.example/bye".to_owned()];
    let decision = EndSessionRequest::read(params(pairs)).and_then(|request| {
        let named = request
            .client(hint)
            .is_some_and(|id| *id == client.client_id);
        request.decide(&LogoutFacts {
            hint,
            client: named.then_some(&client),
            tenant_urls: &tenant_urls,
            session,
        })
    });
    match decision {
        Ok(logout) => {
            let asks = if logout.must_ask { "asks" } else { "at once" };
            format!(
                "{asks}, then {}",
                logout.redirect_to.as_deref().unwrap_or("a page")
            )
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn whoever_holds_the_id_token_is_not_asked() {
    let (session, hint) = (session(), hint("app", "auth0|1"));
    let said = |pairs: &[(&str, &str)]| decided(pairs, Some(&hint), Some(&session));
    let token = ("id_token_hint", "a.b.c");
    assert_eq!(said(&[token]), "at once, then a page");
    assert_eq!(
        said(&[token, ("post_logout_redirect_uri", BYE), ("state", "a b&c")]),
        "at once, then https://app.example.com/bye?state=a%20b%26c"
    );
    assert_eq!(
        said(&[
            token,
            ("post_logout_redirect_uri", BYE),
            ("client_id", "app")
        ]),
        format!("at once, then {BYE}")
    );
    let registered = "https://app.example.com/bye?x=1";
    assert_eq!(
        said(&[
            token,
            ("post_logout_redirect_uri", registered),
            ("state", "s")
        ]),
        format!("at once, then {registered}&state=s")
    );
    assert_eq!(
        said(&[token, ("post_logout_redirect_uri", "app://bye")]),
        "at once, then app://bye"
    );
}

#[test]
fn nobody_else_logs_people_out_unasked() {
    let session = session();
    let asked = |pairs: &[(&str, &str)]| decided(pairs, None, Some(&session));
    assert_eq!(asked(&[]), "asks, then a page");
    assert_eq!(asked(&[("state", "s")]), "asks, then a page");
    assert_eq!(asked(&[("logout_hint", "sid-2")]), "asks, then a page");
    assert_eq!(asked(&[("logout_hint", "sid-1")]), "at once, then a page");
    assert_eq!(
        asked(&[("client_id", "app"), ("post_logout_redirect_uri", BYE)]),
        format!("asks, then {BYE}")
    );
    // Somebody else's ID token proves nothing about this person.
    let other = hint("app", "auth0|2");
    let token = [("id_token_hint", "a.b.c")];
    assert_eq!(
        decided(&token, Some(&other), Some(&session)),
        "asks, then a page"
    );
    // Without a session there is nothing to ask.
    assert_eq!(decided(&[], None, None), "at once, then a page");
}

#[test]
fn a_bad_request_ends_nothing() {
    let (session, hint) = (session(), hint("app", "auth0|1"));
    let uri = |uri| [("client_id", "app"), ("post_logout_redirect_uri", uri)];
    let long = "x".repeat(5000);
    let said = [
        decided(&[("id_token_hint", "forged")], None, Some(&session)),
        decided(
            &[("id_token_hint", "a"), ("client_id", "other")],
            Some(&hint),
            Some(&session),
        ),
        decided(&[("client_id", "gone")], None, Some(&session)),
        decided(&uri("https://evil.example/bye"), None, Some(&session)),
        decided(
            &uri("https://app.example.com/bye?foo=bar"),
            None,
            Some(&session),
        ),
        decided(&uri("https://app.example.com/bye#x"), None, Some(&session)),
        decided(&uri("https://tenant.example/bye"), None, Some(&session)),
        decided(&[("post_logout_redirect_uri", BYE)], None, Some(&session)),
        decided(&[("state", "a"), ("state", "b")], None, Some(&session)),
        decided(&[("state", &long)], None, Some(&session)),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    invalid_request: The id_token_hint is not valid.
    invalid_request: The id_token_hint was not issued to the client.
    invalid_request: Unknown client: gone
    invalid_request: The post_logout_redirect_uri is not one of the allowed logout URLs.
    invalid_request: The post_logout_redirect_uri is not one of the allowed logout URLs.
    invalid_request: The post_logout_redirect_uri is not one of the allowed logout URLs.
    invalid_request: The post_logout_redirect_uri is not one of the allowed logout URLs.
    invalid_request: The post_logout_redirect_uri is not one of the allowed logout URLs.
    invalid_request: Duplicate parameter: state
    invalid_request: Parameter is too long: state
    ");
    let tenant = [("post_logout_redirect_uri", "https://tenant.example/bye")];
    assert_eq!(
        decided(&tenant, None, None),
        "at once, then https://tenant.example/bye"
    );
}

#[test]
fn wishes_are_read() {
    let read = |pairs: &[(&str, &str)]| EndSessionRequest::read(params(pairs)).unwrap();
    let request = read(&[("ui_locales", "fr  en"), ("federated", "")]);
    assert_eq!(request.ui_locales, ["fr", "en"]);
    assert!(request.federated && !read(&[]).federated);
}

fn plain(pairs: &[(&str, &str)]) -> Result<Option<String>, OAuthError> {
    let client = client();
    let request = PlainLogoutRequest::read(params(pairs))?;
    let found = request
        .client_id
        .as_ref()
        .is_some_and(|id| *id == client.client_id);
    let tenant_urls = [
        "https://*.tenant.example".into(),
        "https://tenant.example/bye".into(),
    ];
    request.redirect(found.then_some(&client), &tenant_urls)
}

#[test]
fn the_older_logout_leads_to_registered_urls() {
    let app = ("client_id", "app");
    for (pairs, expected) in [
        (vec![app, ("returnTo", BYE)], BYE),
        // Auth0 compares neither query nor fragment.
        (
            vec![app, ("returnTo", "https://app.example.com/bye?a=1#b")],
            "https://app.example.com/bye?a=1#b",
        ),
        (
            vec![app, ("returnTo", "https://a.example.org/bye?q")],
            "https://a.example.org/bye?q",
        ),
        (vec![app], BYE),
        (
            vec![("returnTo", "https://a.tenant.example")],
            "https://a.tenant.example",
        ),
        (vec![], "https://tenant.example/bye"),
    ] {
        assert_eq!(
            plain(&pairs).unwrap().as_deref(),
            Some(expected),
            "{pairs:?}"
        );
    }
    for pairs in [
        vec![app, ("returnTo", "https://evil.example/bye")],
        vec![
            app,
            (
                "returnTo",
                "https://evil.example/?https://app.example.com/bye",
            ),
        ],
        vec![
            app,
            ("returnTo", "https://app.example.com@evil.example/bye"),
        ],
        vec![app, ("returnTo", "https://app.example.com/bye?\"><script>")],
        vec![app, ("returnTo", "javascript:alert(1)")],
        vec![app, ("returnTo", "https://tenant.example/bye")],
        vec![("returnTo", BYE)],
        vec![("client_id", "gone")],
        vec![app, app],
    ] {
        let error = plain(&pairs).unwrap_err();
        assert_eq!(error.code, "invalid_request", "{pairs:?}");
    }
}

#[test]
fn a_logout_token_says_whose_session_ended() {
    let issuer = Issuer::parse(ISSUER).unwrap();
    let client_id = ClientId::from("app");
    let claims = LogoutTokenClaims::new(&issuer, &client_id, &session(), "jti-1".into(), NOW);
    insta::assert_json_snapshot!(claims, @r#"
    {
      "iss": "https://id.example.com/",
      "sub": "auth0|1",
      "aud": "app",
      "iat": 1772359200,
      "exp": 1772359320,
      "jti": "jti-1",
      "events": {
        "http://schemas.openid.net/event/backchannel-logout": {}
      },
      "sid": "sid-1"
    }
    "#);
}

#[test]
fn an_id_token_names_client_and_person() {
    let claims = json!({"aud": "app", "sub": "auth0|1", "sid": "x"});
    let read = LogoutHint::of_claims(claims.as_object().unwrap());
    assert_eq!(read, Some(hint("app", "auth0|1")));
    let claims = json!({"aud": ["app", "other"], "sub": "auth0|1"});
    assert_eq!(LogoutHint::of_claims(claims.as_object().unwrap()), None);
}
