//! Who may arrive from a legacy store, and by which password; and what nobody here may take from those
//! who have not arrived yet.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::app::{Answer, App, on_both};
use crate::legacy_store::{LegacyStore, REALM};

const USERS: &str = "/api/v2/users";
const SIGN_UP: &str = "/dbconnections/signup";

async fn login(app: &App, name: &str, password: &str) -> u16 {
    let body = json!({
        "grant_type": REALM, "realm": "legacy", "client_id": app.client(), "username": name,
        "password": password,
    });
    app.ask_as("", "POST", "/oauth/token", body).await.status
}

async fn change(app: &App, id: &str, change: Value) -> Answer {
    app.quietly("PATCH", &format!("{USERS}/auth0%7C{id}"), change)
        .await
}

/// How often a code of an event is in the log.
async fn count(app: &App, code: &str) -> usize {
    let events = app.quietly("GET", "/api/v2/logs?per_page=100", Value::Null);
    let events = events.await.body;
    let events = events.as_array().unwrap().iter();
    events.filter(|event| event["type"] == code).count()
}

#[tokio::test]
async fn a_password_that_was_replaced_here_lets_nobody_in() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, true).await;
        legacy.put("7", "ann@example.com", "old password");
        assert_eq!(login(app, "ann@example.com", "old password").await, 200);
        for changed in [
            json!({"email": "ann@example.net"}),
            json!({"password": "new password"}),
        ] {
            let answer = change(app, "7", changed).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        legacy.calls();
        // Nobody has this address here, and the legacy store still takes the password.
        assert_eq!(login(app, "ann@example.com", "old password").await, 403);
        assert_eq!(legacy.calls(), "login ann@example.com");
        assert_eq!(count(app, "fp").await, 1);
        assert_eq!(login(app, "ann@example.net", "old password").await, 403);
        assert_eq!(login(app, "ann@example.net", "new password").await, 200);
        // By whatever name the legacy store knows her, her password is the one that is kept here.
        legacy.put("7", "ann@example.com", "new password");
        assert_eq!(login(app, "ann@example.com", "new password").await, 200);
        let path = format!("{USERS}/auth0%7C7");
        let ann = app.quietly("GET", &path, Value::Null).await.body;
        assert_eq!(ann["logins_count"], 3);
        // And it is counted like every wrong password.
        legacy.put("7", "ann@example.com", "old password");
        for _ in 0..10 {
            assert_eq!(login(app, "ann@example.com", "old password").await, 403);
        }
        legacy.calls();
        assert_eq!(login(app, "ann@example.com", "old password").await, 429);
        assert_eq!(legacy.calls(), "");
    })
    .await;
}

#[tokio::test]
async fn a_first_login_loses_against_a_new_password() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect(app, true).await;
        legacy.put("8", "bob@example.com", "old password");
        let forgot = json!({
            "client_id": app.client(), "connection": "legacy", "email": "bob@example.com",
        });
        let path = "/dbconnections/change_password";
        assert_eq!(app.ask_as("", "POST", path, forgot).await.status, 200);
        let (_, link) = app.mailed_link().await;
        let form = [
            ("ticket", link.split_once("ticket=").unwrap().1),
            ("newPassword", "new password"),
            ("confirmNewPassword", "new password"),
        ];
        // The legacy store has said yes, and the answer is still on its way.
        let pause = legacy.pause("login");
        let reset = async {
            pause.arrival().await;
            let answer = app.post_form("/u/reset-verify", &form).await;
            pause.release();
            answer.status
        };
        let late = login(app, "bob@example.com", "old password");
        assert_eq!(join(late, reset).await, (403, 200));
        assert_eq!(login(app, "bob@example.com", "new password").await, 200);
        // Two who bring the same password both get in, whoever is first.
        legacy.put("9", "cyd@example.com", "her password");
        let both = join(
            login(app, "cyd@example.com", "her password"),
            login(app, "9", "her password"),
        );
        assert_eq!(both.await, (200, 200));
    })
    .await;
}

/// A store that tells letter case apart.
const GET_USER: &str = "function getByEmail(name, callback) {
    const known = ['ann@example.com', 'Bob@example.com', 'cyd', 'Eve'];
    callback(null, known.includes(name) ? { user_id: '7', email: 'ann@example.com' } : null);
}";

fn strict(requires_username: bool) -> Value {
    json!({
        "enabledDatabaseCustomization": true, "import_mode": true,
        "requires_username": requires_username, "customScripts": {"get_user": GET_USER},
    })
}

#[tokio::test]
async fn nobody_takes_the_names_of_who_has_not_arrived() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        legacy.connect_with(app, "legacy", strict(true)).await;
        let sign_up = async |connection: &str, email: &str, username: &str| {
            let body = json!({
                "client_id": app.client(), "connection": connection, "email": email,
                "username": username, "password": "long enough",
            });
            app.ask_as("", "POST", SIGN_UP, body).await
        };
        for (email, username, code) in [
            ("ann@example.com", "new", "user_exists"),
            // It would be kept in lower case, and she is there in lower case.
            ("ANN@example.com", "new", "user_exists"),
            ("Bob@example.com", "new", "user_exists"),
            ("new@example.com", "CYD", "username_exists"),
            ("new@example.com", "Eve", "username_exists"),
        ] {
            let answer = sign_up("legacy", email, username).await;
            let told = (answer.status, &answer.body["code"]);
            assert_eq!(told, (400, &json!(code)), "{email} {username}");
        }
        let answer = sign_up("legacy", "new@example.com", "new").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let id = answer.body["_id"].as_str().unwrap();
        for email in ["ANN@example.com", "Bob@example.com"] {
            let user = json!({
                "connection": "legacy", "email": email, "username": "dan",
                "password": "long enough",
            });
            let answer = app.quietly("POST", USERS, user).await;
            assert_eq!(answer.status, 409, "{email} {}", answer.body);
            let answer = change(app, id, json!({"email": email})).await;
            assert_eq!(answer.status, 400, "{email} {}", answer.body);
            let message = "The specified new email already exists";
            assert_eq!(answer.body["message"], message);
        }
        let user = json!({
            "connection": "legacy", "email": "fay@example.com", "username": "Eve",
            "password": "long enough",
        });
        assert_eq!(app.quietly("POST", USERS, user).await.status, 409);
        let answer = change(app, id, json!({"username": "Eve"})).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        // A username where there are none.
        let bare = app.connection("bare", strict(false)).await;
        let enable = json!([{"client_id": app.client(), "status": true}]);
        let path = format!("/api/v2/connections/{bare}/clients");
        assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
        let answer = sign_up("bare", "new@example.com", "new").await;
        let told = (answer.status, &answer.body["code"]);
        assert_eq!(told, (400, &json!("bad.username")));
    })
    .await;
}
