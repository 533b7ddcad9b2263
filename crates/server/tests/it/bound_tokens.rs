//! Access tokens that are bound to a key, or whose login was revoked: what APIs of ours say to them.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::app::{Answer, App, CLIENT, SECRET, on_both};
use crate::browser::{ANN, Browser, CALLBACK, authorize, location, stage, told};
use crate::doors::{Holder, VERIFIER};

const MFA: &str = "https://ferry.example/mfa/";
const LIST: &str = "mfa/authenticators";
const CLIENTS: &str = "api/v2/clients";

/// A GET with a token under a scheme, and a proof where there is one.
async fn get(app: &App, path: &str, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
    let request = Request::builder().uri(format!("/{path}"));
    let mut request = request.header("authorization", format!("{scheme} {token}"));
    if let Some(proof) = proof {
        request = request.header("dpop", proof);
    }
    app.receive(request.body(Body::empty()).unwrap()).await
}

fn access_token(answer: &Answer) -> String {
    let token = answer.body["access_token"].as_str();
    token
        .unwrap_or_else(|| unreachable!("{} {}", answer.status, answer.body))
        .to_owned()
}

/// Logs Ann in for `/mfa`; gives what redeems the code.
async fn log_in(app: &App) -> Vec<(&'static str, String)> {
    let browser = Browser::new(app);
    let path = authorize(app, &format!("&audience={MFA}"));
    let path = path.replace("openid%20email", "openid%20read:authenticators");
    let page = location(&browser.get(&path).await);
    let resume = location(&browser.fill(&page, &ANN).await);
    let code = told(&browser.get(&resume).await)["code"].clone();
    vec![
        ("grant_type", "authorization_code".into()),
        ("client_id", app.client().to_owned()),
        ("code", code),
        ("redirect_uri", CALLBACK.into()),
        ("code_verifier", VERIFIER.into()),
    ]
}

fn pairs<'a>(redeem: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    let pairs = redeem.iter().map(|(name, value)| (*name, value.as_str()));
    pairs.collect()
}

#[tokio::test]
async fn a_bound_token_is_worth_nothing_without_its_key() {
    on_both(async |app: &App| {
        stage(app).await;
        let (hers, other) = (Holder::new(), Holder::new());
        let redeem = log_in(app).await;
        let proof = hers.proof(app, "oauth/token");
        let redeem = pairs(&redeem);
        let answer = app.post_form_with("/oauth/token", &redeem, ("dpop", &proof));
        let mfa = access_token(&answer.await);
        let machine = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_secret", SECRET),
            ("audience", "https://ferry.example/api/v2/"),
        ];
        let proof = hers.proof(app, "oauth/token");
        let answer = app.post_form_with("/oauth/token", &machine, ("dpop", &proof));
        let management = access_token(&answer.await);
        for (path, token) in [(LIST, &mfa), (CLIENTS, &management)] {
            let proven = |holder: &Holder| holder.proof_for(app, ("GET", path), Some(token));
            let (good, elsewhere) = (
                proven(&hers),
                hers.proof_for(app, ("GET", "x"), Some(token)),
            );
            let of_other = proven(&other);
            for (scheme, proof, is_taken) in [
                ("Bearer", None, false),
                ("Bearer", Some(&good), false),
                ("DPoP", None, false),
                ("DPoP", Some(&of_other), false),
                ("DPoP", Some(&elsewhere), false),
                ("DPoP", Some(&good), true),
                // A proof is used once.
                ("DPoP", Some(&good), false),
            ] {
                let answer = get(app, path, scheme, token, proof.map(String::as_str)).await;
                let what = format!("{path} {scheme} {proof:?}: {}", answer.body);
                assert_eq!(answer.status == 200, is_taken, "{what}");
                assert!(matches!(answer.status, 200 | 400 | 401), "{what}");
            }
        }
        // A token that is bound to nothing is no more with a key.
        let bare = app.token_for(None).await;
        let proof = hers.proof_for(app, ("GET", CLIENTS), Some(&bare));
        let answer = get(app, CLIENTS, "DPoP", &bare, Some(&proof)).await;
        assert_eq!(answer.status, 401);
        assert_eq!(get(app, CLIENTS, "Bearer", &bare, None).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_login_manages_no_factors() {
    on_both(async |app: &App| {
        stage(app).await;
        let redeem = log_in(app).await;
        let answer = app.post_form("/oauth/token", &pairs(&redeem)).await;
        let token = access_token(&answer);
        let listed = get(app, LIST, "Bearer", &token, None).await;
        assert_eq!(
            (listed.status, listed.body),
            (200, Value::Array(Vec::new()))
        );
        // The code once more: whatever came of it is revoked.
        let again = app.post_form("/oauth/token", &pairs(&redeem)).await;
        assert_eq!(again.status, 403, "{}", again.body);
        let refused = get(app, LIST, "Bearer", &token, None).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.body["error"], "invalid_token");
    })
    .await;
}
