//! Several providers: none is taken for another (RFC 9700 §4.4).

use domain::{BrowserToken, TransactionId};
use oidc::relying_party::Bonds;
use serde_json::json;
use testkit::OpenIdProvider;

use super::net::Browser;
use super::{HERE, START, Stage, on_both};

/// A provider whose answers do not say who gives them, and a connection to it; its id too.
async fn nameless(stage: &Stage, name: &str) -> (OpenIdProvider, String) {
    let issuer = format!("https://{name}.example");
    let provider = OpenIdProvider::new(&issuer, START / 1000).unwrap();
    provider.hide_name();
    stage
        .net
        .serve(&format!("{name}.example"), provider.router());
    let (client_id, secret) = OpenIdProvider::CLIENT;
    let options = json!({
        "client_id": client_id, "client_secret": secret,
        "discovery_url": format!("{issuer}/.well-known/openid-configuration"),
    });
    let body = json!({"name": name, "strategy": "oidc", "options": options});
    (provider, stage.connect(body).await)
}

/// Where a provider sends the browser of somebody who has just signed in there.
async fn way_back(stage: &Stage, browser: &Browser, button: &str) -> String {
    let page = stage.begin(browser, "&prompt=login").await;
    let to = browser.ask(&page.link(button), None, "none").await;
    let to = to.headers["location"].to_str().unwrap().to_owned();
    let back = browser.ask(&to, None, "none").await;
    back.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_provider_without_a_name_has_an_address_of_its_own() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        let (honest, _) = nameless(stage, "honest").await;
        let browser = Browser::new(&stage.net);
        let at = |path: &str| format!("https://{HERE}/login/callback{path}");
        // The only one is taken for no other.
        let back = way_back(stage, &browser, "Continue with honest").await;
        assert!(back.starts_with(&at("?")), "{back}");
        assert!(browser.go(&back).await.told().contains_key("code"));
        let earlier = way_back(stage, &browser, "Continue with honest").await;
        nameless(stage, "evil").await;
        let back = way_back(stage, &browser, "Continue with honest").await;
        assert!(back.starts_with(&at("/honest?")), "{back}");
        assert_eq!(honest.asked("redirect_uri").unwrap(), at("/honest"));
        // An answer that names nobody, at the address of all, is anybody's.
        for url in [earlier, back.replace("/callback/honest?", "/callback?")] {
            stage.net.take_asked();
            let seen = browser.go(&url).await;
            assert_eq!(seen.status(), 400, "{url}");
            assert!(seen.says("The login there could not be confirmed."));
            assert_eq!(stage.net.take_asked(), [""; 0], "{url}");
        }
        // The attack: a login that went to one provider comes back with a code of the other.
        let theirs = way_back(stage, &browser, "Continue with evil").await;
        assert!(theirs.starts_with(&at("/evil?")), "{theirs}");
        for place in ["honest", "nobody", "..%2Fx"] {
            stage.net.take_asked();
            let mixed = theirs.replace("/callback/evil?", &format!("/callback/{place}?"));
            let seen = browser.go(&mixed).await;
            assert_eq!(seen.status(), 400, "{place}: {}", seen.reply.body);
            assert_eq!(stage.net.take_asked(), [""; 0], "{place}");
        }
        // As it is, it is good: the token endpoint is told the same address.
        assert!(browser.go(&back).await.told().contains_key("code"));
        // A form of another site is handed back to be posted to the same place.
        let sent = [("state", "s"), ("code", "c")];
        let handed = browser.ask(&at("/honest"), Some(&sent), "cross-site").await;
        let html = handed.body.replace("&#x2f;", "/");
        let action = format!("action=\"{}\"", at("/honest"));
        assert!(html.contains(&action), "{html}");
        // A provider that says who it is keeps the address of all.
        stage.corp(json!({})).await;
        let back = way_back(stage, &browser, "Continue with Corp Inc.").await;
        assert!(back.starts_with(&at("?")), "{back}");
        assert!(browser.go(&back).await.told().contains_key("code"));
        stage.is_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_login_that_names_its_connection_comes_back_from_no_other() {
    on_both(async |stage: &Stage| {
        stage.corp(json!({})).await;
        let (_, other) = nameless(stage, "other").await;
        let browser = Browser::new(&stage.net);
        let url = stage.authorize("&connection=corp");
        let begun = browser.ask(&url, None, "none").await;
        let page = begun.headers["location"].to_str().unwrap();
        let login: TransactionId = page.split_once("state=").unwrap().1.into();
        let token = browser.cookie(HERE, "__Host-ferry-browser").unwrap();
        let bonds = Bonds::of(&BrowserToken::from(token), &login, &other.as_str().into());
        let query = serde_urlencoded::to_string([("state", &*bonds.state), ("code", "c")]);
        let query = query.unwrap();
        stage.net.take_asked();
        let back = format!("https://{HERE}/login/callback/other?{query}");
        let seen = browser.go(&back).await;
        assert_eq!(seen.status(), 400, "{}", seen.reply.body);
        assert_eq!(stage.net.take_asked(), [""; 0]);
        // From the one that it names, it does.
        let seen = browser.go(&format!("https://{HERE}{page}")).await;
        assert!(seen.told().contains_key("code"), "{}", seen.url);
    })
    .await;
}
