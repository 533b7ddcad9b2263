use oidc::authorize::{FrontChannelToken, Granted, ReplyTo, Response, ResponseMode};
use oidc::{Issuer, OAuthError, Scopes};

use crate::ISSUER;

fn to(mode: ResponseMode, redirect_uri: &str) -> ReplyTo {
    ReplyTo {
        redirect_uri: redirect_uri.into(),
        mode,
        state: Some("a b+c&d=e/\u{e9}%".into()),
        issuer: Issuer::parse(ISSUER).unwrap(),
    }
}

fn code() -> Granted {
    Granted {
        code: Some("c-1".into()),
        ..Granted::default()
    }
}

fn everything() -> Granted {
    Granted {
        access_token: Some(FrontChannelToken {
            token: "at".into(),
            token_type: "Bearer",
            expires_in: 7200,
            scope: Some(Scopes::parse("openid profile").unwrap()),
        }),
        id_token: Some("x.y.z".into()),
        ..code()
    }
}

fn url(response: Response) -> String {
    match response {
        Response::Redirect(url) => url,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_query_keeps_what_stands_there() {
    for (uri, expected) in [
        ("https://a.example", "https://a.example?code=c-1"),
        ("https://a.example/cb?", "https://a.example/cb?code=c-1"),
        (
            "https://a.example/cb?x=%20y",
            "https://a.example/cb?x=%20y&code=c-1",
        ),
        ("https://a.example/cb?x&", "https://a.example/cb?x&code=c-1"),
    ] {
        let rest = "&state=a%20b%2Bc%26d%3De%2F%C3%A9%25&iss=https%3A%2F%2Fid.example.com%2F";
        assert_eq!(
            url(to(ResponseMode::Query, uri).granted(code())),
            format!("{expected}{rest}")
        );
    }
}

#[test]
fn state_comes_back_as_it_went() {
    let url = url::Url::parse(&url(
        to(ResponseMode::Query, "https://a.example/cb").granted(code())
    ));
    let state = url
        .unwrap()
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(state, "a b+c&d=e/\u{e9}%");
}

#[test]
fn a_fragment_holds_everything() {
    let url = url(to(ResponseMode::Fragment, "https://a.example/cb?x=1").granted(everything()));
    insta::assert_snapshot!(url, @r"
    https://a.example/cb?x=1#code=c-1&access_token=at&token_type=Bearer&expires_in=7200&scope=openid%20profile&id_token=x.y.z&state=a%20b%2Bc%26d%3De%2F%C3%A9%25&iss=https%3A%2F%2Fid.example.com%2F
    ");
}

#[test]
fn a_form_has_its_fields_unencoded() {
    let response = to(ResponseMode::FormPost, "https://a.example/cb?x=1").granted(everything());
    let Response::FormPost { action, fields } = response else {
        panic!("no form");
    };
    assert_eq!(action, "https://a.example/cb?x=1");
    insta::assert_debug_snapshot!(fields, @r#"
    [
        (
            "code",
            "c-1",
        ),
        (
            "access_token",
            "at",
        ),
        (
            "token_type",
            "Bearer",
        ),
        (
            "expires_in",
            "7200",
        ),
        (
            "scope",
            "openid profile",
        ),
        (
            "id_token",
            "x.y.z",
        ),
        (
            "state",
            "a b+c&d=e/é%",
        ),
        (
            "iss",
            "https://id.example.com/",
        ),
    ]
    "#);
}

#[test]
fn a_message_is_what_the_sdk_waits_for() {
    let uri = "https://App.example:443/cb";
    let response = to(ResponseMode::WebMessage, uri).granted(everything());
    let Response::WebMessage {
        target_origin,
        message,
    } = response
    else {
        panic!("no message");
    };
    assert_eq!(target_origin, "https://app.example");
    insta::assert_json_snapshot!(message, @r#"
    {
      "type": "authorization_response",
      "response": {
        "code": "c-1",
        "access_token": "at",
        "token_type": "Bearer",
        "expires_in": 7200,
        "scope": "openid profile",
        "id_token": "x.y.z",
        "state": "a b+c&d=e/é%",
        "iss": "https://id.example.com/"
      }
    }
    "#);
}

#[test]
fn refusals_travel_the_same_way() {
    let error = OAuthError::login_required().with_detail("private");
    let query = url(to(ResponseMode::Query, "https://a.example/cb").refused(&error));
    let mut to = to(ResponseMode::Fragment, "app://cb");
    to.state = None;
    let fragment = url(to.refused(&error));
    to.mode = ResponseMode::FormPost;
    let Response::FormPost { fields, .. } = to.refused(&error) else {
        panic!("no form");
    };
    insta::assert_snapshot!(format!("{query}\n{fragment}\n{fields:?}"), @r#"
    https://a.example/cb?error=login_required&error_description=Login%20required&state=a%20b%2Bc%26d%3De%2F%C3%A9%25&iss=https%3A%2F%2Fid.example.com%2F
    app://cb#error=login_required&error_description=Login%20required&iss=https%3A%2F%2Fid.example.com%2F
    [("error", "login_required"), ("error_description", "Login required"), ("iss", "https://id.example.com/")]
    "#);
}

#[test]
fn answers_do_not_print_what_they_hold() {
    for mode in [
        ResponseMode::Query,
        ResponseMode::Fragment,
        ResponseMode::FormPost,
        ResponseMode::WebMessage,
    ] {
        let printed = format!(
            "{:?}",
            to(mode, "https://a.example/cb").granted(everything())
        );
        assert!(
            !printed.contains("x.y.z") && !printed.contains("c-1"),
            "{printed}"
        );
    }
    assert!(!format!("{:?}", everything()).contains("x.y.z"));
}

#[test]
fn the_refusals_of_silent_requests() {
    let said = [
        OAuthError::login_required(),
        OAuthError::consent_required(),
        OAuthError::interaction_required("Multifactor authentication required"),
        OAuthError::account_selection_required(),
    ];
    insta::assert_snapshot!(said.map(|error| error.to_string()).join("\n"), @r"
    login_required: Login required
    consent_required: Consent required
    interaction_required: Multifactor authentication required
    account_selection_required: Account selection required
    ");
}
