//! A provider that lies, breaks off and goes away.

use serde_json::json;
use testkit::Fault;

use super::net::{Browser, hidden, parts};
use super::{HERE, Stage, on_both};

#[tokio::test]
async fn no_lie_of_a_provider_lets_anybody_in() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        let provider = stage.corp(json!({})).await;
        let browser = Browser::new(&stage.net);
        for fault in Fault::ALL {
            provider.misbehave(Some(fault));
            // What is known of the provider does not hide that it changed.
            stage.later(3601);
            provider.later(3601);
            let seen = stage.through_corp(&browser).await;
            let (status, words, kind) = match fault {
                Fault::Denied => (400, "The login was declined there.", "provider_denied"),
                Fault::Outage | Fault::Unavailable | Fault::Document | Fault::Flood => (
                    503,
                    "The service is not available right now.",
                    "provider_outage",
                ),
                _ => (
                    400,
                    "The login there could not be confirmed.",
                    "provider_failed",
                ),
            };
            assert_eq!(seen.status(), status, "{fault:?}: {}", seen.reply.body);
            assert!(seen.says(words), "{fault:?}: {}", seen.reply.body);
            // One can sign in in another way, on the same page.
            assert!(seen.says("name=\"password\""), "{fault:?}");
            let event = stage.here.event("f").await;
            assert_eq!(
                event["details"]["error"]["kind"], kind,
                "{fault:?}: {event}"
            );
            assert_eq!(event["connection"], "corp");
            assert_eq!(stage.users().await, ["auth0|7"], "{fault:?}");
        }
        let codes = stage.here.codes().await;
        assert_eq!(codes, vec!["f"; Fault::ALL.len()]);
        provider.misbehave(None);
        let seen = stage.through_corp(&browser).await;
        assert!(seen.told().contains_key("code"));
        assert_eq!(stage.users().await, ["auth0|7", "oidc|corp|1"]);
        stage.is_whole().await;
    })
    .await;
}

#[tokio::test]
async fn an_outage_of_the_provider_is_no_refusal() {
    let stage = Stage::on_sqlite().await;
    let provider = stage.corp(json!({})).await;
    let browser = Browser::new(&stage.net);
    stage.net.cut("corp.example", true);
    // The client names the provider: there is no other page than one that offers to try again.
    let seen = stage.begin(&browser, "&connection=corp").await;
    assert_eq!(seen.status(), 503);
    assert!(!seen.says("name=\"password\""));
    let again = seen.link("Try again");
    stage.net.cut("corp.example", false);
    assert!(browser.go(&again).await.told().contains_key("code"));
    // Known already: it is asked for nothing but what the login needs.
    stage.net.take_asked();
    assert!(stage.through_only(&browser).await);
    assert_eq!(
        stage.net.take_asked(),
        ["corp.example/token", "corp.example/userinfo"]
    );
    // New keys are learnt when they are met, and not asked for without end.
    provider.rotate("two").unwrap();
    assert!(!stage.through_only(&browser).await);
    stage.later(31);
    provider.later(31);
    stage.net.take_asked();
    assert!(stage.through_only(&browser).await);
    let asked = stage.net.take_asked();
    assert_eq!(
        asked
            .iter()
            .filter(|place| place.ends_with("/jwks"))
            .count(),
        1
    );
}

impl Stage {
    /// Signs in where there is but one provider; whether that went well.
    async fn through_only(&self, browser: &Browser) -> bool {
        let seen = self.begin(browser, "&prompt=login").await;
        parts(&seen.url).0 == "shop.example" && seen.told().contains_key("code")
    }
}

#[tokio::test]
async fn an_answer_belongs_to_its_login_and_its_browser() {
    on_both(async |stage: &Stage| {
        stage.people().await;
        let provider = stage.corp(json!({})).await;
        let (ann, thief) = (Browser::new(&stage.net), Browser::new(&stage.net));
        // Stopped on the way back.
        let page = stage.begin(&ann, "").await;
        let to = ann
            .ask(&page.link("Continue with Corp Inc."), None, "none")
            .await;
        let to = to.headers["location"].to_str().unwrap().to_owned();
        let back = ann.ask(&to, None, "none").await;
        let back = back.headers["location"].to_str().unwrap().to_owned();
        assert!(
            back.starts_with(&format!("https://{HERE}/login/callback?")),
            "{back}"
        );
        assert_eq!(provider.asked("scope").unwrap(), "openid profile email");
        assert_eq!(provider.asked("code_challenge_method").unwrap(), "S256");
        // In another browser, with a cookie and without.
        assert_eq!(thief.go(&back).await.status(), 400);
        let mine = stage.begin(&thief, "").await;
        assert_eq!(thief.go(&back).await.status(), 400);
        // The thief's own answer in Ann's browser: nobody is signed in as somebody else.
        let to = thief
            .ask(&mine.link("Continue with Corp Inc."), None, "none")
            .await;
        let to = to.headers["location"].to_str().unwrap().to_owned();
        let theirs = thief.ask(&to, None, "none").await;
        let theirs = theirs.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(ann.go(&theirs).await.status(), 400);
        // A state that was tampered with, and none.
        for (from, to) in [
            ("state=", "state=x"),
            ("state=", "other="),
            ("code=", "code=a&code="),
        ] {
            let bent = back.replacen(from, to, 1);
            assert_eq!(ann.go(&bent).await.status(), 400, "{bent}");
        }
        assert_eq!(stage.users().await, ["auth0|7"]);
        // As it is, it is good, and once.
        assert!(ann.go(&back).await.told().contains_key("code"));
        let again = ann.go(&back).await;
        assert_eq!(again.status(), 400);
        assert!(
            again.says("This login is over already."),
            "{}",
            again.reply.body
        );
        assert_eq!(stage.users().await, ["auth0|7", "oidc|corp|1"]);
        assert_eq!(stage.here.codes().await, ["ss", "s", "ferry_session"]);
    })
    .await;
}

/// `front_channel`: the ID token comes by a form that another site's page posts, without our cookie.
#[tokio::test]
async fn an_id_token_comes_by_a_form() {
    let stage = Stage::on_sqlite().await;
    let provider = stage.corp(json!({"type": "front_channel"})).await;
    provider.person(json!({"sub": "9", "email": "x@y.example", "department": "R&D"}));
    let browser = Browser::new(&stage.net);
    let form = stage.begin(&browser, "").await;
    assert_eq!(parts(&form.url).0, "corp.example");
    assert_eq!(provider.asked("response_mode").unwrap(), "form_post");
    assert_eq!(provider.asked("code_challenge"), None);
    let callback = format!("https://{HERE}/login/callback");
    let (bond, token) = (hidden(&form, "state"), hidden(&form, "id_token"));
    let issuer = hidden(&form, "iss");
    let sent = [
        ("state", bond.as_str()),
        ("iss", issuer.as_str()),
        ("id_token", token.as_str()),
        ("x", "y"),
    ];
    // Handed back, to be posted from here.
    let handed = browser.ask(&callback, Some(&sent), "cross-site").await;
    assert_eq!(handed.status, 200);
    let handed = super::net::Seen {
        url: callback.clone(),
        reply: handed,
    };
    assert_eq!(hidden(&handed, "id_token"), token);
    assert!(!handed.says("name=\"x\""));
    let again = [
        ("state", hidden(&handed, "state")),
        ("iss", hidden(&handed, "iss")),
        ("id_token", token.clone()),
        ("ferry_again", hidden(&handed, "ferry_again")),
    ];
    let again: Vec<(&str, &str)> = again.iter().map(|(n, v)| (*n, v.as_str())).collect();
    // Without the cookie it ends there, and does not go round.
    let stranger = Browser::new(&stage.net);
    assert_eq!(
        stranger
            .ask(&callback, Some(&again), "same-origin")
            .await
            .status,
        400
    );
    let answer = browser.ask(&callback, Some(&again), "same-origin").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let next = answer.headers["location"].to_str().unwrap().to_owned();
    let seen = browser.go(&format!("https://{HERE}{next}")).await;
    assert!(seen.told().contains_key("code"));
    assert_eq!(stage.user("oidc|corp|9").await["department"], "R&D");
    // The other kind of answer is none.
    let seen = stage.begin(&browser, "&prompt=login").await;
    let bond = hidden(&seen, "state");
    let code = format!("{callback}?state={bond}&code=c&iss=https%3A%2F%2Fcorp.example");
    assert_eq!(browser.go(&code).await.status(), 400);
}

#[tokio::test]
async fn two_people_of_one_address_are_two_users() {
    let stage = Stage::on_sqlite().await;
    let provider = stage.corp(json!({})).await;
    for id in ["1", "2", "1"] {
        provider.person(json!({"sub": id, "email": "team@corp.example", "name": id}));
        assert!(stage.through_only(&Browser::new(&stage.net)).await);
    }
    assert_eq!(stage.users().await, ["oidc|corp|1", "oidc|corp|2"]);
    assert_eq!(
        stage.user("oidc|corp|2").await["email"],
        "team@corp.example"
    );
    assert_eq!(stage.user("oidc|corp|1").await["logins_count"], 2);
    // Ten windows of somebody new make one.
    provider.person(json!({"sub": "3", "email": "new@corp.example"}));
    let browsers: Vec<Browser> = (0..10).map(|_| Browser::new(&stage.net)).collect();
    let logins = browsers.iter().map(|browser| stage.through_only(browser));
    let done = futures_util::future::join_all(logins).await;
    assert!(done.iter().all(|is_in| *is_in));
    assert_eq!(stage.user("oidc|corp|3").await["logins_count"], 10);
    stage.is_whole().await;
}
