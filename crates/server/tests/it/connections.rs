//! Connections through the Management API: every documented answer.

use domain::EmailAddress;
use serde_json::{Value, json};

use crate::app::{App, on_both};
use crate::talk::Talk;

const CONNECTIONS: &str = "/api/v2/connections";
const CLIENTS: &str = "/api/v2/clients";

fn at(body: &Value) -> String {
    format!("{CONNECTIONS}/{}", body["id"].as_str().unwrap())
}

fn named(name: &str) -> Value {
    json!({"name": name, "strategy": "auth0"})
}

#[tokio::test]
async fn a_connection_is_created_read_changed_and_deleted() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let made = talk.tell("POST", CONNECTIONS, named("plain")).await;
        let url = at(&made);
        assert_eq!(talk.tell("GET", &url, Value::Null).await, made);
        let change = json!({
            "display_name": "Plain", "realms": ["plain", "also"], "metadata": {"a": "1", "b": null},
            "is_domain_connection": true, "options": {"disable_signup": true, "mfa": {"active": false}},
        });
        talk.tell("PATCH", &url, change).await;
        talk.tell("PATCH", &url, json!({"options": {"passwordPolicy": "low"}}))
            .await;
        let fields = format!("{url}?fields=name,realms,display_name");
        talk.tell("GET", &fields, Value::Null).await;
        let others = format!("{url}?fields=options,realms,metadata&include_fields=false");
        talk.tell("GET", &others, Value::Null).await;
        talk.tell("DELETE", &url, Value::Null).await;
        talk.tell("DELETE", &url, Value::Null).await;
        talk.tell("GET", &url, Value::Null).await;
        talk.tell("PATCH", &url, json!({})).await;
    });
    insta::assert_snapshot!(said.await, @r#"
    POST /api/v2/connections
      201 {"id":"[connection]","name":"plain","strategy":"auth0","options":{"mfa":{"active":true,"return_enroll_settings":true},"passwordPolicy":"good","passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true},"strategy_version":2,"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"brute_force_protection":true},"realms":["plain"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}
    GET /api/v2/connections/[connection]
      200 {"id":"[connection]","name":"plain","strategy":"auth0","options":{"mfa":{"active":true,"return_enroll_settings":true},"passwordPolicy":"good","passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true},"strategy_version":2,"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"brute_force_protection":true},"realms":["plain"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}
    PATCH /api/v2/connections/[connection]
      200 {"id":"[connection]","name":"plain","display_name":"Plain","strategy":"auth0","options":{"disable_signup":true,"mfa":{"active":false},"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true}},"realms":["plain","also"],"enabled_clients":[],"is_domain_connection":true,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{"a":"1"}}
    PATCH /api/v2/connections/[connection]
      200 {"id":"[connection]","name":"plain","display_name":"Plain","strategy":"auth0","options":{"passwordPolicy":"low","mfa":{"active":false},"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true}},"realms":["plain","also"],"enabled_clients":[],"is_domain_connection":true,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{"a":"1"}}
    GET /api/v2/connections/[connection]?fields=name,realms,display_name
      200 {"name":"plain","display_name":"Plain","realms":["plain","also"]}
    GET /api/v2/connections/[connection]?fields=options,realms,metadata&include_fields=false
      200 {"id":"[connection]","name":"plain","display_name":"Plain","strategy":"auth0","enabled_clients":[],"is_domain_connection":true,"authentication":{"active":true},"connected_accounts":{"active":false}}
    DELETE /api/v2/connections/[connection]
      202 {"deleted_at":"2026-03-01T10:00:07.000Z"}
    DELETE /api/v2/connections/[connection]
      204
    GET /api/v2/connections/[connection]
      404 {"statusCode":404,"error":"Not Found","message":"The connection does not exist.","errorCode":"inexistent_connection"}
    PATCH /api/v2/connections/[connection]
      404 {"statusCode":404,"error":"Not Found","message":"The connection does not exist","errorCode":"inexistent_connection"}
    "#);
}

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let with = |member: &str, value: Value| {
            let mut body = named("x");
            body[member] = value;
            body
        };
        let bodies = [
            json!({"strategy": "auth0"}),
            json!({"name": "x"}),
            json!({"name": "-x", "strategy": "auth0"}),
            json!({"name": "x--y", "strategy": "auth0"}),
            json!({"name": "x".repeat(129), "strategy": "auth0"}),
            json!({"name": "x", "strategy": "google-oauth2", "options": {"client_id": "a"}}),
            with("nope", json!(1)),
            with("options", json!({"nope": 1})),
            with("options", json!({"configuration": {"KEY": 1}})),
            with("options", json!({"customScripts": {"login": ""}})),
            with("options", json!({"customScripts": {"log_in": "x"}})),
            with(
                "options",
                json!({"customScripts": {"login": "x".repeat(102_401)}}),
            ),
            with("options", json!({"passwordPolicy": "best"})),
            with(
                "options",
                json!({"attributes": {}, "requires_username": true}),
            ),
            with(
                "options",
                json!({"set_user_root_attributes": "on_each_login"}),
            ),
            with(
                "options",
                json!({
                    "set_user_root_attributes": "on_each_login", "import_mode": true,
                    "enabledDatabaseCustomization": true,
                }),
            ),
            with("realms", json!(["a", "a"])),
            with("realms", json!(vec!["a"; 11])),
            with("metadata", json!({"a": "x".repeat(256)})),
            with(
                "metadata",
                (0..11).map(|n| (n.to_string(), json!("x"))).collect(),
            ),
            with("enabled_clients", json!(["nobody"])),
            with("authentication", json!({"active": false})),
        ];
        talk.refusals("POST", CONNECTIONS, &bodies).await;
        let url = at(&app.quietly("POST", CONNECTIONS, named("taken")).await.body);
        let conflicts = [
            named("taken"),
            json!({"name": "new", "strategy": "auth0", "realms": ["taken"]}),
        ];
        talk.refusals("POST", CONNECTIONS, &conflicts).await;
        let changes = [
            json!({"name": "other"}),
            json!({"strategy": "auth0"}),
            json!({"id": "con_0000000000000000"}),
            json!({"options": null}),
            json!({"options": {"attributes": {"email": {"identifier": {"active": false}}}}}),
        ];
        talk.refusals("PATCH", &url, &changes).await;
        app.quietly(
            "PATCH",
            &url,
            json!({"options": {"enable_script_context": true}}),
        )
        .await;
        talk.refusals(
            "PATCH",
            &url,
            &[json!({"options": {"enable_script_context": false}})],
        )
        .await;
        app.quietly("PATCH", &url, json!({"options": {}})).await;
        let kept = app.quietly("GET", &url, Value::Null).await.body;
        assert_eq!(kept["options"]["enable_script_context"], true);
    });
    insta::assert_snapshot!(said.await, @r#"
    400 Payload validation error: 'Missing required property: name' on property name.
    400 Payload validation error: 'Missing required property: strategy' on property strategy.
    400 Payload validation error: 'String does not match pattern ^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$: -x' on property name.
    400 Payload validation error: 'String does not match pattern ^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$: x--y' on property name.
    400 Payload validation error: 'String does not match pattern ^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' on property name.
    400 Payload validation error: 'Strategy not supported: google-oauth2; auth0 and oidc are' on property strategy.
    400 Payload validation error: 'Additional properties not allowed: nope' on property nope.
    400 Payload validation error: 'Additional properties not allowed: nope' on property options.nope.
    400 Payload validation error: 'Expected type string but found type integer' on property options.configuration.KEY.
    400 Payload validation error: 'String is too short (0 chars), minimum 1' on property options.customScripts.login.
    400 Payload validation error: 'Additional properties not allowed: log_in' on property options.customScripts.log_in.
    400 Payload validation error: 'String is too long (102401 chars), maximum 102400' on property options.customScripts.login.
    400 Payload validation error: 'No enum match for: best' on property options.passwordPolicy.
    400 Cannot set both options.attributes and options.requires_username
    400 options.set_user_root_attributes can be set only for enterprise connections, social connections or custom database connections (using external users store)
    400 options.set_user_root_attributes can be set only for enterprise connections, social connections or custom database connections (using external users store)
    400 Payload validation error: 'Array items are not unique: a' on property realms.
    400 Payload validation error: 'Array is too long (11), maximum 10' on property realms.
    400 Payload validation error: 'String is too long (256 chars), maximum 255' on property metadata.a.
    400 Payload validation error: 'Too many properties defined (11), maximum 10' on property metadata.
    400 Payload validation error: 'The client does not exist: nobody' on property enabled_clients.
    400 Payload validation error: 'Not supported by this server' on property authentication.
    409 A connection with the same name already exists
    409 There is already another connection with some realms from "realms" parameter
    400 Payload validation error: 'Additional properties not allowed: name' on property name.
    400 Payload validation error: 'Additional properties not allowed: strategy' on property strategy.
    400 Payload validation error: 'Additional properties not allowed: id' on property id.
    400 Payload validation error: 'Expected type object but found type null' on property options.
    400 attributes must contain one active identifier
    400 options.enable_script_context cannot be disabled once it is enabled
    "#);
}

#[tokio::test]
async fn a_database_with_users_keeps_its_kind() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let url = at(&app.quietly("POST", CONNECTIONS, named("plain")).await.body);
        let on = json!({"options": {"enabledDatabaseCustomization": true}});
        let off = json!({"options": {"enabledDatabaseCustomization": false}});
        assert_eq!(app.quietly("PATCH", &url, on.clone()).await.status, 200);
        assert_eq!(app.quietly("PATCH", &url, off.clone()).await.status, 200);
        let user = json!({"connection": "plain", "email": "a@b.co", "password": "correct horse"});
        assert_eq!(app.quietly("POST", "/api/v2/users", user).await.status, 201);
        talk.refusals("PATCH", &url, &[on]).await;
        assert_eq!(app.quietly("PATCH", &url, off).await.status, 200);
        assert_eq!(app.quietly("DELETE", &url, Value::Null).await.status, 202);
        let users = app.quietly("GET", "/api/v2/users", Value::Null).await;
        assert_eq!(users.body, json!([]));
    });
    insta::assert_snapshot!(said.await, @r#"
    400 This database contains users. You cannot change "options.enabledDatabaseCustomization" setting.
    "#);
}

#[tokio::test]
async fn the_plain_configuration_is_never_shown_again() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let secret = "hunter2-plain";
        let mut body = named("legacy");
        body["options"] = json!({"configuration": {"URL": secret, "KEY": "other-plain"}});
        let made = talk.tell("POST", CONNECTIONS, body).await;
        let url = at(&made);
        let ciphertext = made["options"]["configuration"]["URL"]
            .as_str()
            .unwrap()
            .to_owned();
        // What was read is sent back, as deploying tools do; one value is new, one goes.
        let configuration = json!({"URL": ciphertext, "NEW": "new-plain"});
        let change = json!({"options": {"configuration": configuration}});
        let changed = talk.tell("PATCH", &url, change).await;
        assert_eq!(
            changed["options"]["configuration"]["URL"],
            ciphertext.as_str()
        );
        // A change that leaves options out leaves the configuration alone.
        app.later(1);
        let renamed = app
            .quietly("PATCH", &url, json!({"display_name": "L"}))
            .await
            .body;
        assert_eq!(renamed["options"], changed["options"]);

        let id = made["id"].as_str().unwrap().into();
        let stored = app
            .engine
            .store
            .find_connection(&id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.configuration["URL"].expose(), secret);
        assert_eq!(stored.configuration["NEW"].expose(), "new-plain");
        assert_eq!(stored.configuration.len(), 2);

        let logs = app
            .quietly("GET", "/api/v2/logs?per_page=100", Value::Null)
            .await
            .body;
        let list = app.quietly("GET", CONNECTIONS, Value::Null).await.body;
        for shown in [&made, &changed, &logs, &list] {
            assert!(!shown.to_string().contains("-plain"), "{shown}");
        }
        for log in logs
            .as_array()
            .unwrap()
            .iter()
            .filter(|log| log["type"] == "sapi")
            .rev()
        {
            app.say(&format!(
                "{} {}",
                log["description"], log["details"]["members"]
            ));
        }
    });
    insta::assert_snapshot!(said.await, @r#"
    POST /api/v2/connections
      201 {"id":"[connection]","name":"legacy","strategy":"auth0","options":{"mfa":{"active":true,"return_enroll_settings":true},"passwordPolicy":"good","passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true},"strategy_version":2,"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"brute_force_protection":true,"configuration":{"KEY":"[ciphertext]","URL":"[ciphertext]"}},"realms":["legacy"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}
    PATCH /api/v2/connections/[connection]
      200 {"id":"[connection]","name":"legacy","strategy":"auth0","options":{"mfa":{"active":true,"return_enroll_settings":true},"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true},"configuration":{"NEW":"[ciphertext]","URL":"[ciphertext]"}},"realms":["legacy"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}
    "Create a connection" null
    "Update a connection" ["options"]
    "Update a connection" ["display_name"]
    "#);
}

#[tokio::test]
async fn options_have_scopes_of_their_own() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let url = at(&app.quietly("POST", CONNECTIONS, named("plain")).await.body);
        talk.tell_with("read:connections", "GET", &url, Value::Null)
            .await;
        talk.tell_with("read:connections", "GET", CONNECTIONS, Value::Null)
            .await;
        let scopes = "update:connections";
        talk.tell_with(scopes, "PATCH", &url, json!({"display_name": "P"}))
            .await;
        talk.tell_with(scopes, "PATCH", &url, json!({"options": {}}))
            .await;
        for (method, path) in [
            ("GET", CONNECTIONS.to_owned()),
            ("POST", CONNECTIONS.to_owned()),
            ("GET", url.clone()),
            ("PATCH", url.clone()),
            ("DELETE", url.clone()),
            ("GET", format!("{url}/clients")),
            ("DELETE", format!("{url}/users")),
        ] {
            talk.tell_with("read:logs", method, &path, json!({})).await;
        }
        talk.tell_with("read:logs", "PATCH", &format!("{url}/clients"), json!([]))
            .await;
    });
    insta::assert_snapshot!(said.await, @r#"
    GET /api/v2/connections/[connection]
      200 {"id":"[connection]","name":"plain","strategy":"auth0","realms":["plain"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}
    GET /api/v2/connections
      200 [{"id":"[connection]","name":"plain","strategy":"auth0","realms":["plain"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}]
    PATCH /api/v2/connections/[connection]
      200 {"id":"[connection]","name":"plain","display_name":"P","strategy":"auth0","realms":["plain"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}
    PATCH /api/v2/connections/[connection]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:connections_options","errorCode":"insufficient_scope"}
    GET /api/v2/connections
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:connections","errorCode":"insufficient_scope"}
    POST /api/v2/connections
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: create:connections","errorCode":"insufficient_scope"}
    GET /api/v2/connections/[connection]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:connections","errorCode":"insufficient_scope"}
    PATCH /api/v2/connections/[connection]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:connections","errorCode":"insufficient_scope"}
    DELETE /api/v2/connections/[connection]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: delete:connections","errorCode":"insufficient_scope"}
    GET /api/v2/connections/[connection]/clients
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:connections","errorCode":"insufficient_scope"}
    DELETE /api/v2/connections/[connection]/users
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: delete:users","errorCode":"insufficient_scope"}
    PATCH /api/v2/connections/[connection]/clients
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:connections","errorCode":"insufficient_scope"}
    "#);
}

#[tokio::test]
async fn lists_come_by_page_and_by_checkpoint() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        for name in ["a", "b", "c"] {
            app.quietly("POST", CONNECTIONS, named(name)).await;
        }
        let only = "fields=name&include_fields=true";
        for query in [
            "per_page=2",
            "per_page=2&page=1&include_totals=true",
            "per_page=0&include_totals=true",
            "take=2",
            "name=b",
            "name=nobody&include_totals=true",
            "strategy=auth0&name=b&take=1",
            "strategy=google-oauth2",
            "strategy=google-oauth2,auth0&take=50",
            "take=0",
            "take=101",
            "take=2&page=1",
            "from=%00",
            "sort=name:1",
        ] {
            talk.tell("GET", &format!("{CONNECTIONS}?{query}&{only}"), Value::Null)
                .await;
        }
        let first = app
            .quietly("GET", &format!("{CONNECTIONS}?take=2"), Value::Null)
            .await
            .body;
        let next = first["next"].as_str().unwrap();
        talk.tell(
            "GET",
            &format!("{CONNECTIONS}?from={next}&{only}"),
            Value::Null,
        )
        .await;
    });
    insta::assert_snapshot!(said.await, @r#"
    GET /api/v2/connections?per_page=2&fields=name&include_fields=true
      200 [{"name":"a"},{"name":"b"}]
    GET /api/v2/connections?per_page=2&page=1&include_totals=true&fields=name&include_fields=true
      200 {"total":3,"start":2,"limit":2,"connections":[{"name":"c"}]}
    GET /api/v2/connections?per_page=0&include_totals=true&fields=name&include_fields=true
      200 {"total":3,"start":0,"limit":0,"connections":[]}
    GET /api/v2/connections?take=2&fields=name&include_fields=true
      200 {"next":"[next]","connections":[{"name":"a"},{"name":"b"}]}
    GET /api/v2/connections?name=b&fields=name&include_fields=true
      200 [{"name":"b"}]
    GET /api/v2/connections?name=nobody&include_totals=true&fields=name&include_fields=true
      200 {"total":0,"start":0,"limit":50,"connections":[]}
    GET /api/v2/connections?strategy=auth0&name=b&take=1&fields=name&include_fields=true
      200 {"connections":[{"name":"b"}]}
    GET /api/v2/connections?strategy=google-oauth2&fields=name&include_fields=true
      200 []
    GET /api/v2/connections?strategy=google-oauth2,auth0&take=50&fields=name&include_fields=true
      200 {"connections":[{"name":"a"},{"name":"b"},{"name":"c"}]}
    GET /api/v2/connections?take=0&fields=name&include_fields=true
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Value 0 is less than minimum 1' on property take.","errorCode":"invalid_query_string"}
    GET /api/v2/connections?take=101&fields=name&include_fields=true
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Value 101 is greater than maximum 100' on property take.","errorCode":"invalid_query_string"}
    GET /api/v2/connections?take=2&page=1&fields=name&include_fields=true
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Can't be combined with take and from' on property page.","errorCode":"invalid_query_string"}
    GET /api/v2/connections?from=%00&fields=name&include_fields=true
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Text must not contain the character U+0000' on property from.","errorCode":"invalid_query_string"}
    GET /api/v2/connections?sort=name:1&fields=name&include_fields=true
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: sort'.","errorCode":"invalid_query_string"}
    GET /api/v2/connections?from=Yg&fields=name&include_fields=true
      200 {"connections":[{"name":"c"}]}
    "#);
}

#[tokio::test]
async fn clients_are_enabled_and_disabled() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let url = at(&app.quietly("POST", CONNECTIONS, named("plain")).await.body);
        let clients = format!("{url}/clients");
        let client = app
            .quietly("POST", CLIENTS, json!({"name": "App"}))
            .await
            .body;
        let client = client["client_id"].clone();
        talk.tell("GET", &clients, Value::Null).await;
        let on = |client: &Value| json!([{"client_id": client, "status": true}]);
        talk.tell("PATCH", &clients, on(&client)).await;
        talk.tell("PATCH", &clients, on(&client)).await;
        talk.tell("GET", &format!("{clients}?take=1"), Value::Null)
            .await;
        talk.tell("PATCH", &clients, json!([
            {"client_id": "administrator", "status": true}, {"client_id": "nobody", "status": true},
        ])).await;
        talk.tell("GET", &clients, Value::Null).await;
        talk.tell(
            "PATCH",
            &clients,
            json!([{"client_id": client, "status": false}]),
        )
        .await;
        talk.tell("GET", &clients, Value::Null).await;
        // The member that is being phased out says the same.
        let legacy = json!({"enabled_clients": ["administrator", client]});
        let both = app.quietly("PATCH", &url, legacy).await.body["enabled_clients"].clone();
        assert_eq!(both.as_array().unwrap().len(), 2);
        let legacy = json!({"enabled_clients": [client]});
        assert_eq!(app.quietly("PATCH", &url, legacy).await.status, 200);
        talk.tell("GET", &clients, Value::Null).await;
        let path = format!("{CLIENTS}/{}", client.as_str().unwrap());
        assert_eq!(app.quietly("DELETE", &path, Value::Null).await.status, 204);
        talk.tell("GET", &clients, Value::Null).await;
        let bodies = [
            json!([]),
            json!({}),
            json!(["x"]),
            json!([{"client_id": "administrator"}]),
            json!([{"client_id": "administrator", "status": "on"}]),
            json!([{"client_id": "administrator", "status": true, "nope": 1}]),
            vec![json!({"client_id": "administrator", "status": true}); 51].into(),
        ];
        talk.refusals("PATCH", &clients, &bodies).await;
        let missing = format!("{CONNECTIONS}/con_0000000000000000/clients");
        talk.tell("GET", &missing, Value::Null).await;
        talk.tell("PATCH", &missing, on(&"administrator".into()))
            .await;
    });
    insta::assert_snapshot!(said.await, @r#"
    GET /api/v2/connections/[connection]/clients
      200 {"clients":[]}
    PATCH /api/v2/connections/[connection]/clients
      204
    PATCH /api/v2/connections/[connection]/clients
      204
    GET /api/v2/connections/[connection]/clients?take=1
      200 {"clients":[{"client_id":"[client]"}]}
    PATCH /api/v2/connections/[connection]/clients
      404 {"statusCode":404,"error":"Not Found","message":"The client does not exist","errorCode":"inexistent_client"}
    GET /api/v2/connections/[connection]/clients
      200 {"clients":[{"client_id":"[client]"}]}
    PATCH /api/v2/connections/[connection]/clients
      204
    GET /api/v2/connections/[connection]/clients
      200 {"clients":[]}
    GET /api/v2/connections/[connection]/clients
      200 {"clients":[{"client_id":"[client]"}]}
    GET /api/v2/connections/[connection]/clients
      200 {"clients":[]}
    400 Payload validation error: 'Array is too short (0), minimum 1'.
    400 Payload validation error: 'Expected type array but found type object'.
    400 Payload validation error: 'Expected type object but found type string' on property [0].
    400 Payload validation error: 'Missing required property: status' on property [0].status.
    400 Payload validation error: 'Expected type boolean but found type string' on property [0].status.
    400 Payload validation error: 'Additional properties not allowed: nope' on property [0].nope.
    400 Payload validation error: 'Array is too long (51), maximum 50'.
    GET /api/v2/connections/[connection]/clients
      404 {"statusCode":404,"error":"Not Found","message":"The connection does not exist","errorCode":"inexistent_connection"}
    PATCH /api/v2/connections/[connection]/clients
      404 {"statusCode":404,"error":"Not Found","message":"The connection does not exist","errorCode":"inexistent_connection"}
    "#);
}

#[tokio::test]
async fn a_user_is_deleted_by_address() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let made = app.quietly("POST", CONNECTIONS, named("plain")).await.body;
        let users = format!("{}/users", at(&made));
        let user = json!({"connection": "plain", "email": "a@b.co", "password": "Correct horse 1"});
        assert_eq!(app.quietly("POST", "/api/v2/users", user).await.status, 201);
        for query in [
            "",
            "?email=nope",
            "?email=other@b.co",
            "?email=A@B.co",
            "?email=a@b.co&x=1",
        ] {
            talk.tell("DELETE", &format!("{users}{query}"), Value::Null)
                .await;
        }
        let missing = format!("{CONNECTIONS}/con_0000000000000000/users?email=a@b.co");
        talk.tell("DELETE", &missing, Value::Null).await;
        let id = made["id"].as_str().unwrap().into();
        let email = EmailAddress::parse("a@b.co").unwrap();
        assert!(
            app.engine
                .store
                .find_user_by_email(&id, &email)
                .await
                .unwrap()
                .is_none()
        );
    });
    insta::assert_snapshot!(said.await, @r#"
    DELETE /api/v2/connections/[connection]/users
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Missing required property: email'.","errorCode":"invalid_query_string"}
    DELETE /api/v2/connections/[connection]/users?email=nope
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Object didn't pass validation for format email: nope' on property email.","errorCode":"invalid_query_string"}
    DELETE /api/v2/connections/[connection]/users?email=other@b.co
      204
    DELETE /api/v2/connections/[connection]/users?email=A@B.co
      204
    DELETE /api/v2/connections/[connection]/users?email=a@b.co&x=1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: x'.","errorCode":"invalid_query_string"}
    DELETE /api/v2/connections/[connection]/users?email=a@b.co
      404 {"statusCode":404,"error":"Not Found","message":"The connection does not exist","errorCode":"inexistent_connection"}
    "#);
}

/// What `a0deploy import` asks of these resources, in its order: create, then update.
#[tokio::test]
async fn a_deploying_tool_gets_through() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let not_global =
            format!("{CLIENTS}?page=0&per_page=100&include_totals=true&is_global=false");
        let all = format!("{CLIENTS}?page=0&per_page=100&include_totals=true");
        let auth0 = format!("{CONNECTIONS}?include_totals=true&take=50&strategy=auth0");
        talk.tell("GET", &not_global, Value::Null).await;
        let client = json!({
            "name": "My App", "app_type": "spa", "callbacks": ["https://app.example/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none", "oidc_conformant": true,
            "jwt_configuration": {"alg": "RS256"}, "custom_login_page_on": true,
        });
        let client = talk.tell("POST", CLIENTS, client).await;
        let count = app.quietly("GET", &all, Value::Null).await.body["total"].clone();
        app.say(&format!("{count} clients"));
        talk.tell("GET", &auth0, Value::Null).await;
        let options = json!({
            "enabledDatabaseCustomization": true, "import_mode": true, "requires_username": false,
            "disable_self_service_change_password": false,
            "customScripts": {"login": "function login(e, p, callback) { callback(null); }"},
            "configuration": {"API_URL": "https://legacy.example"},
        });
        let body = json!({"name": "my-legacy-db", "strategy": "auth0", "options": options});
        talk.tell("POST", CONNECTIONS, body).await;
        let by_name = "include_totals=true&take=1&name=my-legacy-db&include_fields=true";
        let found = talk
            .tell("GET", &format!("{CONNECTIONS}?{by_name}"), Value::Null)
            .await;
        let url = at(&found["connections"][0]);
        let enable = json!([{"client_id": client["client_id"], "status": true}]);
        talk.tell("PATCH", &format!("{url}/clients"), enable).await;
        // The second run.
        let client = format!("{CLIENTS}/{}", client["client_id"].as_str().unwrap());
        let change = json!({"name": "My App", "app_type": "spa", "description": "two"});
        assert_eq!(
            talk.tell("PATCH", &client, change).await["description"],
            "two"
        );
        talk.tell("GET", &format!("{url}/clients?take=100"), Value::Null)
            .await;
        let mut options = app.quietly("GET", &url, Value::Null).await.body["options"].clone();
        options["configuration"]["API_URL"] = "https://new.example".into();
        options["disable_signup"] = true.into();
        let realms = json!(["my-legacy-db"]);
        let change = json!({"options": options, "realms": realms, "is_domain_connection": false});
        talk.tell("PATCH", &url, change).await;
    });
    insta::assert_snapshot!(said.await, @r#"
    GET /api/v2/clients?page=0&per_page=100&include_totals=true&is_global=false
      200 {"total":1,"start":0,"limit":100,"clients":[{"tenant":"ferry","global":false,"client_id":"administrator","client_secret":"correct horse battery staple","name":"Administrator","token_endpoint_auth_method":"client_secret_post","grant_types":["client_credentials"],"is_first_party":true,"is_token_endpoint_ip_header_trusted":false,"oidc_conformant":false,"sso_disabled":false,"cross_origin_authentication":false,"custom_login_page_on":true,"jwt_configuration":{"secret_encoded":false,"lifetime_in_seconds":36000},"refresh_token":{"rotation_type":"non-rotating","expiration_type":"non-expiring","leeway":0,"token_lifetime":2592000,"idle_token_lifetime":1296000,"infinite_token_lifetime":true,"infinite_idle_token_lifetime":true},"app_type":"non_interactive"}]}
    POST /api/v2/clients
      201 {"tenant":"ferry","global":false,"client_id":"[client]","client_secret":"[secret]","name":"My App","token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"is_first_party":true,"is_token_endpoint_ip_header_trusted":false,"oidc_conformant":true,"sso_disabled":false,"cross_origin_authentication":false,"custom_login_page_on":true,"jwt_configuration":{"secret_encoded":false,"lifetime_in_seconds":36000,"alg":"RS256"},"refresh_token":{"rotation_type":"rotating","expiration_type":"expiring","leeway":0,"token_lifetime":2592000,"idle_token_lifetime":1296000,"infinite_token_lifetime":false,"infinite_idle_token_lifetime":false},"app_type":"spa","callbacks":["https://app.example/cb"]}
    2 clients
    GET /api/v2/connections?include_totals=true&take=50&strategy=auth0
      200 {"connections":[]}
    POST /api/v2/connections
      201 {"id":"[connection]","name":"my-legacy-db","strategy":"auth0","options":{"enabledDatabaseCustomization":true,"import_mode":true,"requires_username":false,"disable_self_service_change_password":false,"customScripts":{"login":"function login(e, p, callback) { callback(null); }"},"mfa":{"active":true,"return_enroll_settings":true},"passwordPolicy":"good","passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true},"strategy_version":2,"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"brute_force_protection":true,"configuration":{"API_URL":"[ciphertext]"}},"realms":["my-legacy-db"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}
    GET /api/v2/connections?include_totals=true&take=1&name=my-legacy-db&include_fields=true
      200 {"connections":[{"id":"[connection]","name":"my-legacy-db","strategy":"auth0","options":{"enabledDatabaseCustomization":true,"import_mode":true,"requires_username":false,"disable_self_service_change_password":false,"customScripts":{"login":"function login(e, p, callback) { callback(null); }"},"mfa":{"active":true,"return_enroll_settings":true},"passwordPolicy":"good","passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true},"strategy_version":2,"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"brute_force_protection":true,"configuration":{"API_URL":"[ciphertext]"}},"realms":["my-legacy-db"],"enabled_clients":[],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}]}
    PATCH /api/v2/connections/[connection]/clients
      204
    PATCH /api/v2/clients/[client]
      200 {"tenant":"ferry","global":false,"client_id":"[client]","client_secret":"[secret]","name":"My App","token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"is_first_party":true,"is_token_endpoint_ip_header_trusted":false,"oidc_conformant":true,"sso_disabled":false,"cross_origin_authentication":false,"custom_login_page_on":true,"jwt_configuration":{"secret_encoded":false,"lifetime_in_seconds":36000,"alg":"RS256"},"refresh_token":{"rotation_type":"rotating","expiration_type":"expiring","leeway":0,"token_lifetime":2592000,"idle_token_lifetime":1296000,"infinite_token_lifetime":false,"infinite_idle_token_lifetime":false},"app_type":"spa","callbacks":["https://app.example/cb"],"description":"two"}
    GET /api/v2/connections/[connection]/clients?take=100
      200 {"clients":[{"client_id":"[client]"}]}
    PATCH /api/v2/connections/[connection]
      200 {"id":"[connection]","name":"my-legacy-db","strategy":"auth0","options":{"enabledDatabaseCustomization":true,"import_mode":true,"requires_username":false,"disable_self_service_change_password":false,"customScripts":{"login":"function login(e, p, callback) { callback(null); }"},"mfa":{"active":true,"return_enroll_settings":true},"passwordPolicy":"good","passkey_options":{"challenge_ui":"both","local_enrollment_enabled":true,"progressive_enrollment_enabled":true},"strategy_version":2,"authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},"passkey":{"enabled":false}},"brute_force_protection":true,"disable_signup":true,"configuration":{"API_URL":"[ciphertext]"}},"realms":["my-legacy-db"],"enabled_clients":["[client]"],"is_domain_connection":false,"authentication":{"active":true},"connected_accounts":{"active":false},"metadata":{}}
    "#);
}

#[tokio::test]
async fn changes_at_the_same_time_all_arrive() {
    let app = App::on_sqlite().await;
    let url = at(&app.quietly("POST", CONNECTIONS, named("plain")).await.body);
    let (one, two, three) = tokio::join!(
        app.quietly("PATCH", &url, json!({"display_name": "one"})),
        app.quietly("PATCH", &url, json!({"options": {"disable_signup": true}})),
        app.quietly("PATCH", &url, json!({"metadata": {"a": "b"}})),
    );
    assert_eq!((one.status, two.status, three.status), (200, 200, 200));
    let left = app.quietly("GET", &url, Value::Null).await.body;
    assert_eq!(left["display_name"], "one");
    assert_eq!(left["options"]["disable_signup"], true);
    assert_eq!(left["metadata"], json!({"a": "b"}));
}
