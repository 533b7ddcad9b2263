//! Two records of one person: at a first login, in an import, and in both at once.

use anyhow::Result;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use testkit::{Api, Server};

use crate::stage::{self, On, expect};

struct Scene {
    on: On,
    server: Server,
    shop: Api,
    admin: Api,
    connection: String,
}

/// A custom database whose only user has this profile, and the password `pw`.
fn options(on: &On, profile: &Value, import_mode: bool, policy: Option<&Value>) -> Value {
    let login = format!(
        "function login(email, password, callback) {{
            if (password !== 'pw') return callback(new WrongUsernameOrPasswordError(email));
            callback(null, {profile});
        }}"
    );
    let mut options = stage::scripted(&login);
    options["import_mode"] = import_mode.into();
    options["ferry"] = on.reaching("127.0.0.1:1");
    if let Some(policy) = policy {
        options["ferry"]["conflict_policy"] = policy.clone();
    }
    options
}

async fn scene(on: On, profile: &Value, import_mode: bool) -> Result<Scene> {
    let server = on.builder().start().await?;
    let shop = stage::application(&server).await?;
    let options = options(&on, profile, import_mode, None);
    let connection = stage::connection(&server, &shop, "old", options).await?;
    let admin = server.api()?;
    Ok(Scene {
        on,
        server,
        shop,
        admin,
        connection,
    })
}

impl Scene {
    async fn change(&self, profile: &Value, is_import: bool, policy: Option<&Value>) -> Result<()> {
        let body = json!({"options": options(&self.on, profile, is_import, policy)});
        let path = format!("/api/v2/connections/{}", self.connection);
        expect(200, self.admin.patch(&path, &body).await?)?;
        Ok(())
    }

    async fn login(&self) -> Result<u16> {
        Ok(self.shop.login("old", "ann@example.com", "pw").await?.0)
    }

    async fn users(&self) -> Result<Vec<Value>> {
        let users = expect(200, self.admin.get("/api/v2/users").await?)?;
        Ok(users.as_array().cloned().unwrap_or_default())
    }

    /// The one user that there is.
    async fn user(&self) -> Result<Value> {
        let users = self.users().await?;
        assert_eq!(users.len(), 1, "{users:?}");
        Ok(users[0].clone())
    }

    /// Events of a code, newest first.
    async fn events(&self, code: &str) -> Result<Vec<Value>> {
        let events = expect(200, self.admin.get("/api/v2/logs?per_page=100").await?)?;
        let all = events.as_array().cloned().unwrap_or_default();
        Ok(all
            .into_iter()
            .filter(|event| event["type"] == code)
            .collect())
    }

    async fn import(&self, fields: &[(&str, &str)], users: &Value) -> Result<Value> {
        let mut all = vec![
            ("connection_id", self.connection.as_str()),
            ("send_completion_email", "false"),
        ];
        all.extend(fields);
        let file = ("users", serde_json::to_vec(users)?);
        let answer = self
            .admin
            .upload("/api/v2/jobs/users-imports", &all, file)
            .await?;
        let job = expect(202, answer)?;
        let id = job["id"].as_str().unwrap_or_default();
        self.admin.finished_job(id).await
    }
}

fn ann(more: &Value) -> Value {
    let mut profile = json!({"user_id": "77", "email": "ann@example.com", "email_verified": true});
    for (name, value) in more.as_object().into_iter().flatten() {
        profile[name] = value.clone();
    }
    profile
}

/// A record made here in legacy mode has no hash; import mode is switched on, and the legacy phone
/// number has changed since.
async fn a_record_of_legacy_mode_moves_in(on: On) -> Result<()> {
    let before =
        ann(&json!({"phone_number": "+1", "nickname": "a", "user_metadata": {"a": {"x": 1}}}));
    let scene = scene(on, &before, false).await?;
    assert_eq!(scene.login().await?, 200);
    assert_eq!(scene.user().await?["phone_number"], "+1");
    let policy = json!({"match_on": ["user_id"], "fields": {
        "default": "only_if_empty", "phone_number": "replace", "user_metadata": "merge",
    }});
    let now = ann(
        &json!({"phone_number": "+2", "nickname": "b", "name": "Ann", "user_metadata": {"a": {"y": 2}}}),
    );
    scene.change(&now, true, Some(&policy)).await?;
    assert_eq!(scene.login().await?, 200);
    let user = scene.user().await?;
    let shown = [
        "user_id",
        "phone_number",
        "nickname",
        "name",
        "user_metadata",
        "logins_count",
    ];
    let shown: Vec<_> = shown.iter().map(|name| user[*name].to_string()).collect();
    insta::allow_duplicates! {
        insta::assert_snapshot!(shown.join(" "), @r#""auth0|77" "+2" "a" "Ann" {"a":{"x":1,"y":2}} 2"#);
    }
    let events = scene.events("ferry_sum").await?;
    assert_eq!(events.len(), 1);
    insta::allow_duplicates! {
        insta::assert_snapshot!(events[0]["details"]["merge"].to_string(), @r#"{"legacy_id":"77","kept":["nickname"],"taken":["phone_number","name","user_metadata","password"],"left_over":[]}"#);
    }
    // From now on the hash answers.
    scene
        .change(&ann(&json!({"user_id": "nobody"})), true, Some(&policy))
        .await?;
    assert_eq!(scene.login().await?, 200);
    Ok(())
}

/// The same address under another id.
async fn an_address_under_another_id(on: On) -> Result<()> {
    let scene = scene(on, &ann(&json!({"name": "There"})), true).await?;
    let here = json!([{"email": "ann@example.com", "user_id": "own", "email_verified": true, "name": "Here"}]);
    scene.import(&[], &here).await?;
    // Without a policy it is refused, and nothing is written.
    let refused = scene.shop.login("old", "ann@example.com", "pw").await?;
    insta::allow_duplicates! {
        insta::assert_snapshot!(format!("{} {}", refused.0, refused.1), @r#"403 {"error":"access_denied","error_description":"The account could not be moved: another user holds this email."}"#);
    }
    assert_eq!(scene.user().await?["logins_count"], Value::Null);
    let policy = json!({"match_on": ["email"], "fields": {"default": "keep"}});
    // An address that the legacy store has not proven names nobody.
    let unproven = ann(&json!({"email_verified": false}));
    scene.change(&unproven, true, Some(&policy)).await?;
    assert_eq!(scene.login().await?, refused.0);
    // In legacy mode the record stays without a hash: each login goes through the legacy id.
    scene
        .change(&ann(&json!({"name": "There"})), false, Some(&policy))
        .await?;
    let answers = try_join_all((0..12).map(|_| scene.login())).await?;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let user = scene.user().await?;
    assert_eq!(
        (&user["user_id"], &user["name"]),
        (&json!("auth0|own"), &json!("Here"))
    );
    assert_eq!(user["logins_count"], 12);
    let events = scene.events("ferry_sum").await?;
    assert_eq!(events.len(), 1, "{events:?}");
    insta::allow_duplicates! {
        insta::assert_snapshot!(format!("{} {}", events[0]["user_id"], events[0]["details"]["merge"]), @r#""auth0|own" {"legacy_id":"77","kept":["name"],"taken":[],"left_over":[]}"#);
    }
    // Found again by the recorded id, whatever became of the policy and the address.
    scene
        .change(&ann(&json!({"email": "new@example.com"})), false, None)
        .await?;
    assert_eq!(scene.login().await?, 200);
    assert_eq!(scene.user().await?["email"], "new@example.com");
    // Whom the legacy store finds under a new address is the same person, by the recorded id.
    let there = ann(&json!({"email": "third@example.com"}));
    let mut found = options(&scene.on, &there, true, None);
    let get_user = format!("function getByEmail(email, callback) {{ callback(null, {there}); }}");
    found["customScripts"]["get_user"] = get_user.into();
    let path = format!("/api/v2/connections/{}", scene.connection);
    expect(
        200,
        scene.admin.patch(&path, &json!({"options": found})).await?,
    )?;
    let email = json!({"email": "third@example.com"});
    let path = "/api/v2/users/auth0%7Cown";
    expect(200, scene.admin.patch(path, &email).await?)?;
    // And so is an imported row of that id.
    let rows = json!([{"email": "fourth@example.com", "user_id": "77", "nickname": "Four"}]);
    let by_id = [(
        "policy",
        r#"{"match_on": ["user_id"], "fields": {"default": "replace"}}"#,
    )];
    scene.import(&by_id, &rows).await?;
    let user = scene.user().await?;
    assert_eq!(
        (&user["user_id"], &user["email"], &user["nickname"]),
        (
            &json!("auth0|own"),
            &json!("fourth@example.com"),
            &json!("Four")
        )
    );
    Ok(())
}

/// Logins and imports of one person at the same time.
async fn logins_race_an_import(on: On) -> Result<()> {
    let scene = scene(on, &ann(&json!({"name": "There"})), true).await?;
    let policy = json!({"match_on": ["email"], "fields": {"default": "replace", "name": "keep"}});
    scene
        .change(&ann(&json!({"name": "There"})), true, Some(&policy))
        .await?;
    let text = policy.to_string();
    let fields = [("policy", text.as_str())];
    let rows = json!([{"email": "ann@example.com", "user_id": "own", "email_verified": true, "phone_number": "+9"}]);
    let logins = try_join_all((0..8).map(|_| scene.login()));
    let jobs = try_join_all((0..2).map(|_| scene.import(&fields, &rows)));
    let (answers, jobs) = futures_util::try_join!(logins, jobs)?;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    for job in &jobs {
        let summary = &job["summary"];
        assert_eq!(
            (&summary["total"], &summary["failed"]),
            (&json!(1), &json!(0)),
            "{job}"
        );
    }
    let user = scene.user().await?;
    assert_eq!(
        (&user["phone_number"], &user["logins_count"]),
        (&json!("+9"), &json!(8))
    );
    Ok(())
}

/// A rehearsal says what the run then does, and leaves nothing.
async fn a_rehearsal_leaves_nothing(on: On) -> Result<()> {
    let scene = scene(on, &ann(&json!({})), true).await?;
    let stored = json!([
        {"email": "a@example.com", "user_id": "1", "username": "aa", "app_metadata": {"plan": {"name": "free", "seats": 2}}},
        {"email": "b@example.com", "user_id": "2", "username": "bb"},
    ]);
    scene.import(&[], &stored).await?;
    let before = scene.users().await?;
    let policy = r#"{"match_on": ["email", "username"], "fields": {"default": "replace", "app_metadata": "merge"}}"#;
    let rows = json!([
        {"email": "A@example.com", "name": "A", "app_metadata": {"plan": {"name": "pro"}}},
        {"email": "a2@example.com", "username": "bb"},
        {"email": "b@example.com", "user_id": "9", "name": "new"},
        {"email": "a2@example.com", "username": "bb"},
        {"email": "a@example.com"},
        {"email": "a2@example.com", "username": "aa"},
        {"email": "c@example.com", "password_hash": "no"},
    ]);
    let rehearsed = scene
        .import(&[("policy", policy), ("dry_run", "true")], &rows)
        .await?;
    assert_eq!(
        (&rehearsed["dry_run"], scene.users().await?),
        (&json!(true), before)
    );
    let run = scene.import(&[("policy", policy)], &rows).await?;
    assert_eq!(
        (&run["summary"], &run["dry_run"]),
        (&rehearsed["summary"], &Value::Null)
    );
    let mut shown = Vec::new();
    for job in [&rehearsed, &run] {
        let id = job["id"].as_str().unwrap_or_default();
        let errors = expect(
            200,
            scene
                .admin
                .get(&format!("/api/v2/jobs/{id}/errors"))
                .await?,
        )?;
        let merges = expect(
            200,
            scene
                .admin
                .get(&format!("/api/v2/jobs/{id}/merges"))
                .await?,
        )?;
        let errors = errors.as_array().cloned().unwrap_or_default().into_iter();
        let errors = errors.map(|row| format!("{} {}", row["row"], row["errors"]));
        let merges = merges.as_array().cloned().unwrap_or_default().into_iter();
        let lines: Vec<_> = errors
            .chain(merges.map(|merge| merge.to_string()))
            .collect();
        shown.push(format!("{}\n{}", job["summary"], lines.join("\n")));
    }
    assert_eq!(shown[0], shown[1]);
    insta::allow_duplicates! {
        insta::assert_snapshot!(shown[1], @r#"
        {"failed":4,"updated":2,"inserted":1,"total":7}
        4 [{"code":"DUPLICATED_USER","message":"A user with this email was already provided.","path":"email"}]
        5 [{"code":"DUPLICATED_USER","message":"A user with this email was already provided.","path":"email"}]
        6 [{"code":"DUPLICATED_USER","message":"A user with this email was already provided.","path":"email"}]
        7 [{"code":"PATTERN","message":"String does not match pattern ^\\$2[ab]?\\$10+\\$[./A-Za-z0-9]{53}$","path":"password_hash"}]
        {"row":1,"user_id":"auth0|1","kept":[],"taken":["name","app_metadata"],"left_over":[]}
        {"row":2,"user_id":"auth0|2","kept":[],"taken":["email"],"left_over":[]}
        "#);
    }
    let file = || ("users", b"[]".to_vec());
    let path = "/api/v2/jobs/users-imports";
    let bad = r#"{"fields": {"email": "merge"}}"#;
    let answer = scene.admin.upload(path, &[("policy", bad)], file()).await?;
    insta::allow_duplicates! {
        insta::assert_snapshot!(answer.1["message"].as_str().unwrap_or_default(), @"Payload validation error: 'policy.fields.email: only user_metadata, app_metadata and root_attributes can be merged'.");
    }
    let mut wrong = options(&scene.on, &ann(&json!({})), true, None);
    wrong["ferry"] = json!({"conflict_policy": {"password": "sometimes"}});
    let path = format!("/api/v2/connections/{}", scene.connection);
    let answer = scene.admin.patch(&path, &json!({"options": wrong})).await?;
    insta::allow_duplicates! {
        insta::assert_snapshot!(answer.1["message"].as_str().unwrap_or_default(), @"options.ferry.conflict_policy.password: expected one of never, until_proven, always");
    }
    drop(scene.server);
    Ok(())
}

macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(crate::stage::On::Sqlite).await
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(crate::stage::On::postgres()?).await
            })+
        }
    };
}
on_both!(
    a_record_of_legacy_mode_moves_in,
    an_address_under_another_id,
    logins_race_an_import,
    a_rehearsal_leaves_nothing,
);
