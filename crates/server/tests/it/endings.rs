//! What becomes of tokens when that goes on which they hang: the person, the client, what the person
//! allowed.

use serde_json::{Value, json};

use crate::app::{App, on_both};
use crate::tokens::{ask, log_in, prepare};

async fn is_active(app: &App, client: &Value, token: &Value) -> bool {
    let answer = ask(app, "/oauth/introspect", client, json!({"token": token})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["active"].as_bool().unwrap()
}

#[tokio::test]
async fn introspection_believes_no_token_of_whoever_is_blocked_or_gone() {
    on_both(async |app: &App| {
        let client = prepare(app, "client_secret_post", json!({})).await;
        // Of the first login nothing is stored.
        let bare = log_in(app, &client, "openid read:it").await;
        let kept = log_in(app, &client, "openid offline_access").await;
        let tokens = [
            &bare["access_token"],
            &kept["access_token"],
            &kept["refresh_token"],
        ];
        let expect = async |expected: bool| {
            for token in tokens {
                assert_eq!(is_active(app, &client, token).await, expected, "{token}");
            }
        };
        let path = "/api/v2/users/auth0%7Cann";
        let block = async |is_blocked: bool| {
            let change = json!({"blocked": is_blocked});
            let changed = app.quietly("PATCH", path, change).await;
            assert_eq!(changed.status, 200, "{}", changed.body);
        };
        expect(true).await;
        block(true).await;
        expect(false).await;
        block(false).await;
        expect(true).await;
        assert_eq!(app.quietly("DELETE", path, Value::Null).await.status, 204);
        expect(false).await;
    })
    .await;
}
