//! Tokens that are bound to a key (RFC 9449).

use serde_json::{Value, json};

use crate::app::{Answer, App, on_both};
use crate::doors::Holder;
use crate::tokens::{API, REALM, VERIFIER, bound, claims, code, prepare};

/// A request of the client to the token endpoint, with a proof of somebody's key or without.
async fn send(
    app: &App,
    client: &Value,
    holder: Option<&Holder>,
    pairs: &[(&str, &str)],
) -> Answer {
    let mut pairs = pairs.to_vec();
    pairs.push(("client_id", client["client_id"].as_str().unwrap()));
    if client["token_endpoint_auth_method"] != "none" {
        pairs.push(("client_secret", client["client_secret"].as_str().unwrap()));
    }
    match holder {
        Some(holder) => {
            let proof = holder.proof(app, "oauth/token");
            app.post_form_with("/oauth/token", &pairs, ("dpop", &proof))
                .await
        }
        None => app.post_form("/oauth/token", &pairs).await,
    }
}

const PASSWORD: [(&str, &str); 6] = [
    ("grant_type", REALM),
    ("realm", "plain"),
    ("username", "ann@example.com"),
    ("password", "right"),
    ("scope", "openid offline_access"),
    ("audience", API),
];

const REDEMPTION: [(&str, &str); 4] = [
    ("grant_type", "authorization_code"),
    ("code", "c1"),
    ("code_verifier", VERIFIER),
    ("redirect_uri", "https://shop.example/cb"),
];

async fn refresh(app: &App, client: &Value, holder: Option<&Holder>, token: &Value) -> Answer {
    let pairs = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str().unwrap()),
    ];
    send(app, client, holder, &pairs).await
}

/// The key that an answer's access token is bound to.
fn key_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let key = claims(&answer.body["access_token"])["cnf"]["jkt"].clone();
    let kind = if key.is_null() { "Bearer" } else { "DPoP" };
    assert_eq!(answer.body["token_type"], kind);
    key
}

fn refused(answer: &Answer) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.body["error"], "invalid_dpop_proof");
}

#[tokio::test]
async fn a_client_that_proves_itself_refreshes_with_any_key() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let (one, other) = (Holder::new(), Holder::new());
        code(app, &client, "c1", bound()).await;
        for first in [&PASSWORD[..], &REDEMPTION] {
            let first = send(app, &client, Some(&one), first).await;
            let (key, token) = (key_of(&first), &first.body["refresh_token"]);
            assert!(key.is_string());
            let second = key_of(&refresh(app, &client, Some(&other), token).await);
            assert!(second.is_string() && second != key);
            assert!(key_of(&refresh(app, &client, None, token).await).is_null());
            assert_eq!(key_of(&refresh(app, &client, Some(&one), token).await), key);
        }
    })
    .await;
}

#[tokio::test]
async fn a_public_clients_refresh_token_is_of_use_with_its_key_alone() {
    on_both(async |app: &App| {
        let client = prepare(app, "none", json!({})).await;
        let (one, other) = (Holder::new(), Holder::new());
        code(app, &client, "c1", bound()).await;
        for first in [&PASSWORD[..], &REDEMPTION] {
            let first = send(app, &client, Some(&one), first).await;
            let (key, token) = (key_of(&first), &first.body["refresh_token"]);
            refused(&refresh(app, &client, None, token).await);
            refused(&refresh(app, &client, Some(&other), token).await);
            let second = refresh(app, &client, Some(&one), token).await;
            assert_eq!(key_of(&second), key);
            refused(&refresh(app, &client, None, &second.body["refresh_token"]).await);
        }
    })
    .await;
}

#[tokio::test]
async fn the_next_token_of_a_public_client_is_bound_to_the_key_that_it_shows() {
    on_both(async |app: &App| {
        let client = prepare(app, "none", json!({})).await;
        let (one, other) = (Holder::new(), Holder::new());
        let first = send(app, &client, None, &PASSWORD).await;
        assert!(key_of(&first).is_null());
        let second = refresh(app, &client, Some(&one), &first.body["refresh_token"]).await;
        assert!(key_of(&second).is_string());
        let token = &second.body["refresh_token"];
        refused(&refresh(app, &client, None, token).await);
        refused(&refresh(app, &client, Some(&other), token).await);
        let third = refresh(app, &client, Some(&one), token).await;
        assert_eq!(key_of(&third), key_of(&second));
    })
    .await;
}

#[tokio::test]
async fn a_proof_is_used_up_by_its_client_alone() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        let proof = Holder::new().proof(app, "oauth/token");
        let send = async |secret: &str| {
            let mut pairs = PASSWORD.to_vec();
            pairs.push(("client_id", client["client_id"].as_str().unwrap()));
            pairs.push(("client_secret", secret));
            app.post_form_with("/oauth/token", &pairs, ("dpop", &proof))
                .await
        };
        let used = async || {
            let dump = app.engine.store.dump().await.unwrap();
            let lines = dump.lines();
            lines
                .filter(|line| line.starts_with("used_tokens: "))
                .count()
        };
        assert_eq!(send("wrong").await.status, 401);
        assert_eq!(used().await, 0);
        let secret = client["client_secret"].as_str().unwrap();
        assert_eq!(send(secret).await.status, 200);
        assert_eq!(used().await, 1);
        refused(&send(secret).await);
    })
    .await;
}
