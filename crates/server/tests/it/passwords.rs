//! Which passwords may be chosen, wherever one is chosen; and that nobody's move is judged.

use std::sync::Arc;

use domain::user::Credential;
use domain::{Attributes, EmailAddress, ForeignId, NewUser, Origin, Password};
use serde_json::{Value, json};

use crate::app::{Answer, App, on_both};
use crate::legacy_store::{LegacyStore, REALM};

const USERS: &str = "/api/v2/users";
const BREACHED: &str = "/api/v2/attack-protection/breached-password-detection";

fn strict() -> Value {
    json!({
        "passwordPolicy": "excellent",
        "password_dictionary": {"enable": true, "dictionary": ["Ferryman-1234"]},
        "password_no_personal_info": {"enable": true},
        "password_history": {"enable": true, "size": 2},
    })
}

async fn serve(app: &App, connection: &str) {
    let client = json!({
        "name": "shop", "app_type": "spa", "grant_types": ["password", REALM],
        "token_endpoint_auth_method": "none",
    });
    let client = app.quietly("POST", "/api/v2/clients", client).await.body;
    let client_id = client["client_id"].as_str().unwrap();
    app.log_in_with(client_id);
    let enable = json!([{"client_id": client_id, "status": true}]);
    let path = format!("/api/v2/connections/{connection}/clients");
    assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
}

async fn login(app: &App, realm: &str, name: &str, password: &str) -> String {
    let body = json!({
        "grant_type": REALM, "realm": realm, "client_id": app.client(), "username": name,
        "password": password,
    });
    let answer = app.ask_as("", "POST", "/oauth/token", body).await;
    let error = &answer.body["error"];
    format!("{} {}", answer.status, error.as_str().unwrap_or("in"))
}

async fn sign_up(app: &App, email: &str, password: &str) -> Answer {
    let body = json!({
        "client_id": app.client(), "connection": "people", "email": email, "password": password,
        "given_name": "Adelheid",
    });
    app.ask_as("", "POST", "/dbconnections/signup", body).await
}

async fn reset(app: &App, link: &str, password: &str) -> (u16, String) {
    let pairs = [
        ("ticket", link.split_once("ticket=").unwrap().1),
        ("newPassword", password),
        ("confirmNewPassword", password),
    ];
    let answer = app.post_form("/u/reset-verify", &pairs).await;
    let page = answer.body.as_str().unwrap();
    let alert = page.split_once("id=\"problem\"><p>");
    let alert = alert.and_then(|(_, rest)| Some(rest.split_once("</p>")?.0));
    (answer.status, alert.unwrap_or_default().to_owned())
}

async fn codes(app: &App, of: &str) -> usize {
    let events = app.quietly("GET", "/api/v2/logs?per_page=100", Value::Null);
    let events = events.await.body;
    let events = events.as_array().unwrap().iter();
    events.filter(|event| event["type"] == of).count()
}

#[tokio::test]
async fn a_password_is_judged_wherever_it_is_chosen() {
    let said = on_both(async |app: &App| {
        let connection = app.connection("people", strict()).await;
        serve(app, connection.as_str()).await;
        app.leak(&["Leaked-password-1"]);
        let stage = json!({"shields": ["block"]});
        let on = json!({"enabled": true, "stage": {
            "pre-user-registration": stage, "pre-change-password": stage,
        }});
        assert_eq!(app.quietly("PATCH", BREACHED, on).await.status, 200);
        let unfit = [
            "short-A1",
            "only lower case letters",
            "Threeee of the same 1",
            "FERRYMAN-1234",
            "My adelheid-1",
            "Ann@Example.com-1",
            "Leaked-password-1",
        ];
        for password in unfit {
            let answer = sign_up(app, "ann@example.com", password).await;
            app.say(&format!("{} {}", answer.status, answer.body));
        }
        assert_eq!(codes(app, "signup_pwd_leak").await, 1);
        assert_eq!(
            sign_up(app, "ann@example.com", "Good enough 1")
                .await
                .status,
            200
        );
        app.mailed_link().await;
        let found = app.quietly("GET", USERS, Value::Null).await.body;
        let id = found[0]["user_id"].as_str().unwrap().replace('|', "%7C");
        let path = format!("{USERS}/{id}");
        let change = async |password: &str| {
            app.later(1);
            let body = json!({"password": password});
            let answer = app.quietly("PATCH", &path, body).await;
            let message = answer.body["message"].as_str().unwrap_or("done");
            format!("{} {message}", answer.status)
        };
        for password in unfit.iter().chain(&["Good enough 1"]) {
            app.say(&change(password).await);
        }
        for number in 2..=4 {
            assert_eq!(change(&format!("Good enough {number}")).await, "200 done");
        }
        // The one in force and two before it; older ones are forgotten.
        for number in 2..=4 {
            let said = change(&format!("Good enough {number}")).await;
            assert!(said.contains("PasswordHistoryError"), "{number} {said}");
        }
        let create = json!({
            "connection": "people", "email": "bob@example.com", "password": "short",
        });
        let answer = app.quietly("POST", USERS, create).await;
        app.say(&format!("{} {}", answer.status, answer.body));
        let forgot = json!({
            "client_id": app.client(), "connection": "people", "email": "ann@example.com",
        });
        let forgotten = app.ask_as("", "POST", "/dbconnections/change_password", forgot);
        assert_eq!(forgotten.await.status, 200);
        let (_, link) = app.mailed_link().await;
        for password in unfit.iter().chain(&["Good enough 4", "Good enough 1"]) {
            let (status, said) = reset(app, &link, password).await;
            app.say(&format!("{status} {said}"));
        }
        assert_eq!(codes(app, "reset_pwd_leak").await, 1);
        assert_eq!(
            login(app, "people", "ann@example.com", "Good enough 1").await,
            "200 in"
        );
        assert_eq!(app.engine.store.orphans().await.unwrap(), [""; 0]);
    })
    .await;
    insta::assert_snapshot!(said, @r#"
    400 {"name":"PasswordStrengthError","message":"Password is too weak","code":"invalid_password","description":{"rules":[{"message":"At least %d characters in length","format":[10],"code":"lengthAtLeast","verified":false},{"message":"Contain at least %d of the following %d types of characters:","code":"containsAtLeast","format":[3,4],"items":[{"message":"lower case letters (a-z)","code":"lowerCase","verified":true},{"message":"upper case letters (A-Z)","code":"upperCase","verified":true},{"message":"numbers (i.e. 0-9)","code":"numbers","verified":true},{"message":"special characters (e.g. !@#$%^&*)","code":"specialCharacters","verified":true}],"verified":true},{"message":"No more than %d identical characters in a row (e.g., \"%s\" not allowed)","code":"identicalChars","format":[2,"aaa"],"verified":true}],"verified":false},"policy":"* At least 10 characters in length\n* Contain at least 3 of the following 4 types of characters:\n * lower case letters (a-z)\n * upper case letters (A-Z)\n * numbers (i.e. 0-9)\n * special characters (e.g. !@#$%^&*)\n* No more than 2 identical characters in a row (e.g., \"aaa\" not allowed)","statusCode":400}
    400 {"name":"PasswordStrengthError","message":"Password is too weak","code":"invalid_password","description":{"rules":[{"message":"At least %d characters in length","format":[10],"code":"lengthAtLeast","verified":true},{"message":"Contain at least %d of the following %d types of characters:","code":"containsAtLeast","format":[3,4],"items":[{"message":"lower case letters (a-z)","code":"lowerCase","verified":true},{"message":"upper case letters (A-Z)","code":"upperCase","verified":false},{"message":"numbers (i.e. 0-9)","code":"numbers","verified":false},{"message":"special characters (e.g. !@#$%^&*)","code":"specialCharacters","verified":true}],"verified":false},{"message":"No more than %d identical characters in a row (e.g., \"%s\" not allowed)","code":"identicalChars","format":[2,"aaa"],"verified":true}],"verified":false},"policy":"* At least 10 characters in length\n* Contain at least 3 of the following 4 types of characters:\n * lower case letters (a-z)\n * upper case letters (A-Z)\n * numbers (i.e. 0-9)\n * special characters (e.g. !@#$%^&*)\n* No more than 2 identical characters in a row (e.g., \"aaa\" not allowed)","statusCode":400}
    400 {"name":"PasswordStrengthError","message":"Password is too weak","code":"invalid_password","description":{"rules":[{"message":"At least %d characters in length","format":[10],"code":"lengthAtLeast","verified":true},{"message":"Contain at least %d of the following %d types of characters:","code":"containsAtLeast","format":[3,4],"items":[{"message":"lower case letters (a-z)","code":"lowerCase","verified":true},{"message":"upper case letters (A-Z)","code":"upperCase","verified":true},{"message":"numbers (i.e. 0-9)","code":"numbers","verified":true},{"message":"special characters (e.g. !@#$%^&*)","code":"specialCharacters","verified":true}],"verified":true},{"message":"No more than %d identical characters in a row (e.g., \"%s\" not allowed)","code":"identicalChars","format":[2,"aaa"],"verified":false}],"verified":false},"policy":"* At least 10 characters in length\n* Contain at least 3 of the following 4 types of characters:\n * lower case letters (a-z)\n * upper case letters (A-Z)\n * numbers (i.e. 0-9)\n * special characters (e.g. !@#$%^&*)\n* No more than 2 identical characters in a row (e.g., \"aaa\" not allowed)","statusCode":400}
    400 {"name":"PasswordDictionaryError","code":"password_dictionary_error","description":"Password is too common","statusCode":400}
    400 {"name":"PasswordNoUserInfoError","code":"password_no_user_info_error","description":"Password contains user information","statusCode":400}
    400 {"name":"PasswordNoUserInfoError","code":"password_no_user_info_error","description":"Password contains user information","statusCode":400}
    400 {"name":"PasswordLeakedError","code":"password_leaked","description":"Password has been leaked","statusCode":400}
    400 PasswordStrengthError: Password is too weak
    400 PasswordStrengthError: Password is too weak
    400 PasswordStrengthError: Password is too weak
    400 PasswordDictionaryError: Password is too common
    400 PasswordNoUserInfoError: Password contains user information
    400 PasswordNoUserInfoError: Password contains user information
    400 PasswordLeakedError: Password has been leaked
    400 PasswordHistoryError: Password has previously been used
    400 {"statusCode":400,"error":"Bad Request","message":"PasswordStrengthError: Password is too weak","errorCode":"invalid_password"}
    400 The password needs at least 10 characters.
    400 The password needs three of these: lower-case letters, upper-case letters, digits, other characters.
    400 No character may come more than twice in a row in the password.
    400 This password is too common.
    400 The password must not contain parts of your name or email address.
    400 The password must not contain parts of your name or email address.
    400 This password has appeared in a data leak. Please choose another one.
    400 You have used this password before. Please choose another one.
    200
    "#);
}

#[tokio::test]
async fn nobodys_move_is_judged() {
    on_both(async |app: &App| {
        let legacy = LegacyStore::start().await;
        let connection = legacy.attach(app, "legacy", true).await;
        serve(app, connection.as_str()).await;
        let path = format!("/api/v2/connections/{connection}");
        let stored = app.quietly("GET", &path, Value::Null).await.body;
        let mut options = stored["options"].clone();
        let strict = strict();
        options
            .as_object_mut()
            .unwrap()
            .extend(strict.as_object().unwrap().clone());
        let changed = app
            .quietly("PATCH", &path, json!({"options": options}))
            .await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        app.leak(&["123456"]);
        // Even where leaked passwords are not let in otherwise.
        let on = json!({"enabled": true, "shields": ["block", "user_notification"]});
        assert_eq!(app.quietly("PATCH", BREACHED, on).await.status, 200);
        legacy.put("7", "ann@example.com", "123456");
        let login = async || login(app, "legacy", "ann@example.com", "123456").await;
        assert_eq!(login().await, "200 in");
        assert_eq!(codes(app, "pwd_leak").await, 1);
        // The owner is asked to choose another one, by mail, once a day.
        let (recipient, link) = app.mailed_link().await;
        assert_eq!(recipient, "ann@example.com");
        assert!(link.starts_with("/u/reset-verify?ticket="), "{link}");
        // By now the password is ours, and the operator wants none that leaked.
        assert_eq!(login().await, "403 password_leaked");
        assert_eq!(codes(app, "pwd_leak").await, 2);
        assert_eq!(codes(app, "s").await, 1);
        let (now, later) = (app.engine.now(), app.engine.now());
        let rest = app.engine.store.claim_mail(now, later, 9).await.unwrap();
        assert!(rest.is_empty());
        let (status, said) = reset(app, &link, "123456").await;
        assert!(status == 400 && said.contains("at least 10"), "{said}");
        let (status, _) = reset(app, &link, "Something else 1").await;
        assert_eq!(status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_leaked_password_is_told_and_let_in_unless_it_is_blocked() {
    on_both(async |app: &App| {
        let connection = app.connection("people", json!({})).await;
        serve(app, connection.as_str()).await;
        let ann = json!({
            "connection": "people", "email": "ann@example.com", "password": "123456",
        });
        assert_eq!(app.quietly("POST", USERS, ann).await.status, 201);
        let login = async |password: &str| login(app, "people", "ann@example.com", password).await;
        let set = async |body: Value| {
            assert_eq!(app.quietly("PATCH", BREACHED, body).await.status, 200);
        };
        // No list, no look.
        set(json!({"enabled": true, "shields": ["admin_notification"]})).await;
        assert_eq!(login("123456").await, "200 in");
        assert_eq!(codes(app, "pwd_leak").await, 0);
        app.leak(&["123456", "other"]);
        assert_eq!(login("123456").await, "200 in");
        assert_eq!(codes(app, "pwd_leak").await, 1);
        // A wrong password tells nothing about itself.
        assert_eq!(login("other").await, "403 invalid_grant");
        assert_eq!(codes(app, "pwd_leak").await, 1);
        set(json!({"shields": ["block"]})).await;
        assert_eq!(login("123456").await, "403 password_leaked");
        assert_eq!(login("other").await, "403 invalid_grant");
        set(json!({"enabled": false})).await;
        assert_eq!(login("123456").await, "200 in");
        assert_eq!(codes(app, "pwd_leak").await, 2);
    })
    .await;
}

#[tokio::test]
async fn whoever_was_imported_is_let_in_once_with_a_leaked_password() {
    on_both(async |app: &App| {
        let connection = app.connection("people", json!({})).await;
        serve(app, connection.as_str()).await;
        app.leak(&["123456"]);
        let on = json!({"enabled": true, "shields": ["block"]});
        assert_eq!(app.quietly("PATCH", BREACHED, on).await.status, 200);
        // Of the scheme in force: nothing is hashed anew at the login.
        let password = Arc::new(Password::from("123456".to_owned()));
        let imported = NewUser {
            row: app.engine.store.next_user_row().await.unwrap(),
            connection: connection.clone(),
            foreign_id: ForeignId::from("7"),
            attributes: Attributes {
                email: Some(EmailAddress::parse("ann@example.com").unwrap()),
                ..Attributes::default()
            },
            credential: Some(Credential {
                hash: app.engine.hashing.hash(&password).await.unwrap(),
                is_imported: true,
            }),
            factors: Vec::new(),
            origin: Origin::Import,
            import_job: None,
            created_at: app.engine.now(),
        };
        let mut write = app.engine.store.write();
        write.insert_user(&imported).unwrap();
        app.engine.store.commit(write).await.unwrap();
        let login = async |password: &str| login(app, "people", "ann@example.com", password).await;
        assert_eq!(login("wrong").await, "403 invalid_grant");
        assert_eq!(login("123456").await, "200 in");
        // Proven by now, and an import leaves it alone.
        let kept = app
            .engine
            .store
            .find_credential(imported.row, &connection)
            .await;
        assert!(!kept.unwrap().unwrap().is_imported);
        assert_eq!(login("123456").await, "403 password_leaked");
        assert_eq!(codes(app, "pwd_leak").await, 2);
    })
    .await;
}

#[tokio::test]
async fn personal_data_is_what_is_known_at_each_door() {
    on_both(async |app: &App| {
        let connection = app.connection("people", strict()).await;
        serve(app, connection.as_str()).await;
        let ann = json!({"connection": "people", "email": "ann@example.com", "user_id": "7"});
        assert_eq!(app.quietly("POST", USERS, ann).await.status, 201);
        // The name comes with the very change.
        let path = format!("{USERS}/auth0%7C7");
        let change = json!({"given_name": "Adelheid", "password": "My adelheid-1"});
        let answer = app.quietly("PATCH", &path, change).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.contains("PasswordNoUserInfoError"), "{message}");
        // Where the legacy store keeps passwords: of whom there is a copy, and of whom there is none.
        let legacy = LegacyStore::start().await;
        let connection = legacy.attach_as(app, "old", false, &strict()).await;
        let enable = json!([{"client_id": app.client(), "status": true}]);
        let path = format!("/api/v2/connections/{connection}/clients");
        assert_eq!(app.quietly("PATCH", &path, enable).await.status, 204);
        legacy.put("1", "adelheid@example.com", "old password");
        for has_copy in [false, true] {
            if has_copy {
                let entered = login(app, "old", "adelheid@example.com", "old password").await;
                assert_eq!(entered, "200 in");
            }
            let forgot = json!({
                "client_id": app.client(), "connection": "old", "email": "adelheid@example.com",
            });
            let forgotten = app.ask_as("", "POST", "/dbconnections/change_password", forgot);
            assert_eq!(forgotten.await.status, 200);
            let (_, link) = app.mailed_link().await;
            assert_eq!(reset(app, &link, "My adelheid-1").await.0, 400);
            assert_eq!(legacy.member("1", "password"), "old password");
        }
    })
    .await;
}
