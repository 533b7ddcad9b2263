//! Clients, client grants and APIs through the Management API: every documented answer.

use serde_json::{Value, json};

use crate::app::{App, on_both};
use crate::talk::Talk;

const CLIENTS: &str = "/api/v2/clients";
const GRANTS: &str = "/api/v2/client-grants";
const APIS: &str = "/api/v2/resource-servers";

fn client(body: &Value) -> String {
    format!("{CLIENTS}/{}", body["client_id"].as_str().unwrap())
}

fn grant(body: &Value) -> String {
    format!("{GRANTS}/{}", body["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_client_is_created_read_changed_and_deleted() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let made = talk.tell("POST", CLIENTS, json!({"name": "App"})).await;
        let url = client(&made);
        assert_eq!(app.quietly("GET", &url, Value::Null).await.body, made);
        let change = json!({
            "app_type": "regular_web", "description": "Ours", "callbacks": ["https://a.example/cb"],
            "client_metadata": {"a": "1", "b": "2"}, "grant_types": ["password"],
            "jwt_configuration": {"alg": "RS256"}, "token_endpoint_auth_method": "client_secret_basic",
        });
        talk.tell("PATCH", &url, change).await;
        let change = json!({
            "client_metadata": {"a": null, "c": "3"}, "description": null, "grant_types": null,
        });
        talk.tell("PATCH", &url, change).await;
        talk.tell(
            "GET",
            &format!("{url}?fields=name,client_metadata"),
            Value::Null,
        )
        .await;
        let rotated = talk
            .tell("POST", &format!("{url}/rotate-secret"), Value::Null)
            .await;
        assert_ne!(rotated["client_secret"], made["client_secret"]);
        talk.tell("DELETE", &url, Value::Null).await;
        talk.tell("DELETE", &url, Value::Null).await;
        talk.tell("GET", &url, Value::Null).await;
        talk.tell("PATCH", &url, json!({"name": "B"})).await;
        talk.tell("POST", &format!("{url}/rotate-secret"), Value::Null)
            .await;
        let logs = app
            .quietly("GET", "/api/v2/logs?per_page=100", Value::Null)
            .await
            .body;
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
        let secret = rotated["client_secret"].as_str().unwrap();
        assert!(!logs.to_string().contains(secret));
    });
    insta::assert_snapshot!(said.await, @r#"
    POST /api/v2/clients
      201 {"tenant":"ferry","global":false,"client_id":"[client]","client_secret":"[secret]","name":"App","token_endpoint_auth_method":"client_secret_post","grant_types":["authorization_code","refresh_token","client_credentials"],"is_first_party":true,"is_token_endpoint_ip_header_trusted":false,"oidc_conformant":false,"sso_disabled":false,"cross_origin_authentication":false,"custom_login_page_on":true,"jwt_configuration":{"secret_encoded":false,"lifetime_in_seconds":36000},"refresh_token":{"rotation_type":"non-rotating","expiration_type":"non-expiring","leeway":0,"token_lifetime":2592000,"idle_token_lifetime":1296000,"infinite_token_lifetime":true,"infinite_idle_token_lifetime":true}}
    PATCH /api/v2/clients/[client]
      200 {"tenant":"ferry","global":false,"client_id":"[client]","client_secret":"[secret]","name":"App","token_endpoint_auth_method":"client_secret_basic","grant_types":["password"],"is_first_party":true,"is_token_endpoint_ip_header_trusted":false,"oidc_conformant":false,"sso_disabled":false,"cross_origin_authentication":false,"custom_login_page_on":true,"jwt_configuration":{"secret_encoded":false,"lifetime_in_seconds":36000,"alg":"RS256"},"refresh_token":{"rotation_type":"non-rotating","expiration_type":"non-expiring","leeway":0,"token_lifetime":2592000,"idle_token_lifetime":1296000,"infinite_token_lifetime":true,"infinite_idle_token_lifetime":true},"app_type":"regular_web","description":"Ours","callbacks":["https://a.example/cb"],"client_metadata":{"a":"1","b":"2"}}
    PATCH /api/v2/clients/[client]
      200 {"tenant":"ferry","global":false,"client_id":"[client]","client_secret":"[secret]","name":"App","token_endpoint_auth_method":"client_secret_basic","grant_types":["authorization_code","refresh_token","client_credentials"],"is_first_party":true,"is_token_endpoint_ip_header_trusted":false,"oidc_conformant":false,"sso_disabled":false,"cross_origin_authentication":false,"custom_login_page_on":true,"jwt_configuration":{"secret_encoded":false,"lifetime_in_seconds":36000,"alg":"RS256"},"refresh_token":{"rotation_type":"non-rotating","expiration_type":"non-expiring","leeway":0,"token_lifetime":2592000,"idle_token_lifetime":1296000,"infinite_token_lifetime":true,"infinite_idle_token_lifetime":true},"app_type":"regular_web","callbacks":["https://a.example/cb"],"client_metadata":{"b":"2","c":"3"}}
    GET /api/v2/clients/[client]?fields=name,client_metadata
      200 {"name":"App","client_metadata":{"b":"2","c":"3"}}
    POST /api/v2/clients/[client]/rotate-secret
      200 {"tenant":"ferry","global":false,"client_id":"[client]","client_secret":"[secret]","name":"App","token_endpoint_auth_method":"client_secret_basic","grant_types":["authorization_code","refresh_token","client_credentials"],"is_first_party":true,"is_token_endpoint_ip_header_trusted":false,"oidc_conformant":false,"sso_disabled":false,"cross_origin_authentication":false,"custom_login_page_on":true,"jwt_configuration":{"secret_encoded":false,"lifetime_in_seconds":36000,"alg":"RS256"},"refresh_token":{"rotation_type":"non-rotating","expiration_type":"non-expiring","leeway":0,"token_lifetime":2592000,"idle_token_lifetime":1296000,"infinite_token_lifetime":true,"infinite_idle_token_lifetime":true},"app_type":"regular_web","callbacks":["https://a.example/cb"],"client_metadata":{"b":"2","c":"3"}}
    DELETE /api/v2/clients/[client]
      204
    DELETE /api/v2/clients/[client]
      204
    GET /api/v2/clients/[client]
      404 {"statusCode":404,"error":"Not Found","message":"Client not found.","errorCode":"inexistent_client"}
    PATCH /api/v2/clients/[client]
      404 {"statusCode":404,"error":"Not Found","message":"Client not found.","errorCode":"inexistent_client"}
    POST /api/v2/clients/[client]/rotate-secret
      404 {"statusCode":404,"error":"Not Found","message":"Client not found.","errorCode":"inexistent_client"}
    "Create a client" null
    "Update a client" ["app_type","description","callbacks","client_metadata","grant_types","jwt_configuration","token_endpoint_auth_method"]
    "Update a client" ["client_metadata","description","grant_types"]
    "Rotate a client secret" ["client_secret"]
    "Delete a client" null
    "#);
}

#[tokio::test]
async fn a_type_brings_its_defaults() {
    let said = on_both(async |app: &App| {
        for app_type in ["native", "spa", "regular_web", "non_interactive"] {
            let body = json!({"name": "App", "app_type": app_type});
            let made = app.quietly("POST", CLIENTS, body).await.body;
            let (auth, types) = (&made["token_endpoint_auth_method"], &made["grant_types"]);
            app.say(&format!("{app_type} {auth} {types}"));
        }
    });
    insta::assert_snapshot!(said.await, @r#"
    native "none" ["authorization_code","refresh_token"]
    spa "none" ["authorization_code","refresh_token"]
    regular_web "client_secret_post" ["authorization_code","refresh_token","client_credentials"]
    non_interactive "client_secret_post" ["client_credentials"]
    "#);
}

#[tokio::test]
async fn what_does_not_fit_a_client_is_named() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let with = |member: &str, value: Value| json!({"name": "App", member: value});
        let many: Value = (0..11).map(|n| (n.to_string(), json!("x"))).collect();
        let bodies = [
            json!({}),
            json!({"name": ""}),
            json!({"name": "<App>"}),
            with("nope", json!(1)),
            with("client_id", json!("mine")),
            with("tenant", json!("mine")),
            with("client_secret", json!("")),
            with("grant_types", json!(["telepathy"])),
            with("grant_types", json!(["password", "password"])),
            with("token_endpoint_auth_method", json!("private_key_jwt")),
            with("app_type", json!("toaster")),
            with("callbacks", json!("https://a.example")),
            with("description", json!("x".repeat(141))),
            with("client_metadata", many),
            with("client_metadata", json!({"a": 1})),
            with("jwt_configuration", json!({"alg": "none"})),
            with("refresh_token", json!({"leeway": -1})),
            with("mobile", json!({"windows": {}})),
            with(
                "client_authentication_methods",
                json!({"private_key_jwt": {}}),
            ),
            with("require_proof_of_possession", json!(true)),
            with("organization_usage", json!("require")),
            json!({"name": "App", "app_type": "spa", "grant_types": ["client_credentials"]}),
        ];
        talk.refusals("POST", CLIENTS, &bodies).await;
        let alias = with("client_aliases", json!(["urn:a"]));
        assert_eq!(
            app.quietly("POST", CLIENTS, alias.clone()).await.status,
            201
        );
        talk.refusals("POST", CLIENTS, &[alias]).await;
        let url = client(
            &app.quietly("POST", CLIENTS, json!({"name": "Other"}))
                .await
                .body,
        );
        let changes = [
            json!({"nope": 1}),
            json!({"name": null}),
            json!({"client_aliases": ["urn:a"]}),
            json!({"token_endpoint_auth_method": "none"}),
        ];
        talk.refusals("PATCH", &url, &changes).await;
    });
    insta::assert_snapshot!(said.await, @r#"
    400 Payload validation error: 'Missing required property: name' on property name.
    400 Payload validation error: 'String does not match pattern ^[^<>]+$: ' on property name.
    400 Payload validation error: 'String does not match pattern ^[^<>]+$: <App>' on property name.
    400 Payload validation error: 'Additional properties not allowed: nope' on property nope.
    400 Payload validation error: 'Additional properties not allowed: client_id' on property client_id.
    400 Payload validation error: 'Additional properties not allowed: tenant' on property tenant.
    400 Payload validation error: 'String is too short (0 chars), minimum 1' on property client_secret.
    400 Payload validation error: 'No enum match for: telepathy' on property grant_types[0].
    400 Payload validation error: 'Array items are not unique: password' on property grant_types.
    400 Payload validation error: 'No enum match for: private_key_jwt' on property token_endpoint_auth_method.
    400 Payload validation error: 'No enum match for: toaster' on property app_type.
    400 Payload validation error: 'Expected type array but found type string' on property callbacks.
    400 Payload validation error: 'String is too long (141 chars), maximum 140' on property description.
    400 Payload validation error: 'Too many properties defined (11), maximum 10' on property client_metadata.
    400 Payload validation error: 'Expected type string but found type integer' on property client_metadata.a.
    400 Payload validation error: 'No enum match for: none' on property jwt_configuration.alg.
    400 Payload validation error: 'Value -1 is less than minimum 0' on property refresh_token.leeway.
    400 Payload validation error: 'Additional properties not allowed: windows' on property mobile.windows.
    400 Payload validation error: 'Not supported by this server' on property client_authentication_methods.
    400 Payload validation error: 'Not supported by this server: true' on property require_proof_of_possession.
    400 Payload validation error: 'Not supported by this server: "require"' on property organization_usage.
    400 Payload validation error: 'client_credentials needs a token_endpoint_auth_method other than none' on property grant_types.
    409 Another client exists with the same alias.
    400 Payload validation error: 'Additional properties not allowed: nope' on property nope.
    400 Payload validation error: 'Expected type string but found type null' on property name.
    409 Another client exists with the same alias.
    400 Payload validation error: 'client_credentials needs a token_endpoint_auth_method other than none' on property grant_types.
    "#);
}

#[tokio::test]
async fn secrets_need_a_scope_and_work() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let body =
            json!({"name": "Machine", "app_type": "non_interactive", "client_secret": "chosen"});
        let made = app.quietly("POST", CLIENTS, body).await.body;
        assert_eq!(made["client_secret"], "chosen");
        let url = client(&made);
        let fields = format!("{url}?fields=name,client_secret");
        talk.tell_with("read:clients", "GET", &fields, Value::Null)
            .await;
        talk.tell_with("read:client_keys", "GET", &fields, Value::Null)
            .await;
        let list = format!("{CLIENTS}?fields=client_secret&app_type=non_interactive");
        talk.tell_with("read:clients", "GET", &list, Value::Null)
            .await;
        let secret = json!({"client_secret": "other"});
        talk.tell_with("update:clients", "PATCH", &url, secret.clone())
            .await;
        talk.tell_with("update:client_keys", "PATCH", &url, json!({"name": "M"}))
            .await;
        let changed = app.quietly("PATCH", &url, secret).await.body;
        assert_eq!(changed["client_secret"], "other");
        for (method, path) in [
            ("GET", CLIENTS.to_owned()),
            ("POST", CLIENTS.to_owned()),
            ("GET", url.clone()),
            ("PATCH", url.clone()),
            ("DELETE", url.clone()),
            ("POST", format!("{url}/rotate-secret")),
        ] {
            talk.tell_with("read:logs", method, &path, json!({})).await;
        }
    });
    insta::assert_snapshot!(said.await, @r#"
    GET /api/v2/clients/[client]?fields=name,client_secret
      200 {"name":"Machine"}
    GET /api/v2/clients/[client]?fields=name,client_secret
      200 {"client_secret":"chosen","name":"Machine"}
    GET /api/v2/clients?fields=client_secret&app_type=non_interactive
      200 [{},{}]
    PATCH /api/v2/clients/[client]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:client_keys","errorCode":"insufficient_scope"}
    PATCH /api/v2/clients/[client]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:clients","errorCode":"insufficient_scope"}
    GET /api/v2/clients
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:clients,read:client_keys","errorCode":"insufficient_scope"}
    POST /api/v2/clients
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: create:clients","errorCode":"insufficient_scope"}
    GET /api/v2/clients/[client]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:clients,read:client_keys","errorCode":"insufficient_scope"}
    PATCH /api/v2/clients/[client]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:clients,update:client_keys","errorCode":"insufficient_scope"}
    DELETE /api/v2/clients/[client]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: delete:clients","errorCode":"insufficient_scope"}
    POST /api/v2/clients/[client]/rotate-secret
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:client_keys","errorCode":"insufficient_scope"}
    "#);
}

#[tokio::test]
async fn clients_are_listed_by_page_checkpoint_and_filter() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        for (name, app_type, is_ours) in [("A", "spa", true), ("B", "native", false)] {
            let body = json!({"name": name, "app_type": app_type, "is_first_party": is_ours});
            app.quietly("POST", CLIENTS, body).await;
        }
        let only = "fields=name";
        for query in [
            "app_type=spa",
            "app_type=spa,native&is_first_party=false",
            "is_first_party=true&app_type=non_interactive&include_totals=true",
            "is_global=true&include_totals=true",
            "is_global=maybe",
            "q=x",
        ] {
            talk.tell("GET", &format!("{CLIENTS}?{query}&{only}"), Value::Null)
                .await;
        }
        let mut names = Vec::new();
        let mut path = format!("{CLIENTS}?take=1&{only}");
        loop {
            let part = app.quietly("GET", &path, Value::Null).await.body;
            names.push(part["clients"][0]["name"].as_str().unwrap().to_owned());
            match part["next"].as_str() {
                None => break,
                Some(next) => path = format!("{CLIENTS}?take=1&{only}&from={next}"),
            }
        }
        names.sort();
        app.say(&names.join(" "));
    });
    insta::assert_snapshot!(said.await, @r#"
    GET /api/v2/clients?app_type=spa&fields=name
      200 [{"name":"A"}]
    GET /api/v2/clients?app_type=spa,native&is_first_party=false&fields=name
      200 [{"name":"B"}]
    GET /api/v2/clients?is_first_party=true&app_type=non_interactive&include_totals=true&fields=name
      200 {"total":1,"start":0,"limit":50,"clients":[{"name":"Administrator"}]}
    GET /api/v2/clients?is_global=true&include_totals=true&fields=name
      200 {"total":0,"start":0,"limit":50,"clients":[]}
    GET /api/v2/clients?is_global=maybe&fields=name
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Expected type boolean but found type string' on property is_global.","errorCode":"invalid_query_string"}
    GET /api/v2/clients?q=x&fields=name
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: q'.","errorCode":"invalid_query_string"}
    A Administrator B
    "#);
}

#[tokio::test]
async fn an_api_is_created_read_changed_and_deleted() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let body = json!({
            "name": "Orders", "identifier": "https://orders.example/", "token_lifetime": 600,
            "scopes": [{"value": "read:orders", "description": "Read"}, {"value": "write:orders"}],
            "allow_offline_access": true, "token_dialect": "rfc9068_profile",
        });
        let made = talk.tell("POST", APIS, body).await;
        let url = format!("{APIS}/{}", made["id"].as_str().unwrap());
        assert_eq!(app.quietly("GET", &url, Value::Null).await.body, made);
        let by_identifier = format!("{APIS}/https%3A%2F%2Forders.example%2F");
        assert_eq!(
            app.quietly("GET", &by_identifier, Value::Null).await.body,
            made
        );
        let change = json!({"scopes": [{"value": "read:orders"}], "name": "O", "allow_offline_access": false});
        talk.tell("PATCH", &by_identifier, change).await;
        let list = format!("{APIS}?page=0&per_page=100&include_totals=true&fields=name,is_system");
        talk.tell("GET", &list, Value::Null).await;
        talk.tell(
            "GET",
            &format!("{APIS}?per_page=1&fields=name"),
            Value::Null,
        )
        .await;
        talk.tell("DELETE", &url, Value::Null).await;
        talk.tell("DELETE", &url, Value::Null).await;
        talk.tell("GET", &url, Value::Null).await;
        talk.tell("PATCH", &url, json!({})).await;
    });
    insta::assert_snapshot!(said.await, @r#"
    POST /api/v2/resource-servers
      201 {"id":"[api]","name":"Orders","identifier":"https://orders.example/","is_system":false,"scopes":[{"value":"read:orders","description":"Read"},{"value":"write:orders"}],"signing_alg":"RS256","token_lifetime":600,"token_lifetime_for_web":600,"allow_offline_access":true,"skip_consent_for_verifiable_first_party_clients":false,"token_dialect":"rfc9068_profile"}
    PATCH /api/v2/resource-servers/https%3A%2F%2Forders.example%2F
      201 {"id":"[api]","name":"O","identifier":"https://orders.example/","is_system":false,"scopes":[{"value":"read:orders"}],"signing_alg":"RS256","token_lifetime":600,"token_lifetime_for_web":600,"allow_offline_access":false,"skip_consent_for_verifiable_first_party_clients":false,"token_dialect":"rfc9068_profile"}
    GET /api/v2/resource-servers?page=0&per_page=100&include_totals=true&fields=name,is_system
      200 {"total":2,"start":0,"limit":100,"resource_servers":[{"name":"Management API","is_system":true},{"name":"O","is_system":false}]}
    GET /api/v2/resource-servers?per_page=1&fields=name
      200 [{"name":"Management API"}]
    DELETE /api/v2/resource-servers/[api]
      204
    DELETE /api/v2/resource-servers/[api]
      204
    GET /api/v2/resource-servers/[api]
      404 {"statusCode":404,"error":"Not Found","message":"Resource server not found.","errorCode":"inexistent_resource_server"}
    PATCH /api/v2/resource-servers/[api]
      404 {"statusCode":404,"error":"Not Found","message":"Resource server not found.","errorCode":"inexistent_resource_server"}
    "#);
}

#[tokio::test]
async fn what_does_not_fit_an_api_is_named() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let with = |member: &str, value: Value| json!({"identifier": "urn:x", member: value});
        let bodies = [
            json!({"name": "x"}),
            with("nope", json!(1)),
            with("name", json!("<x>")),
            with("signing_alg", json!("HS256")),
            with("signing_secret", json!("0123456789abcdef")),
            with("token_lifetime", json!(2_592_001)),
            with("scopes", json!(["read"])),
            with("scopes", json!([{"value": "two words"}])),
            with("scopes", json!([{"value": "a"}, {"value": "a"}])),
            with("token_encryption", json!({"format": "compact-nested-jwe"})),
            with(
                "proof_of_possession",
                json!({"mechanism": "dpop", "required": true}),
            ),
            with(
                "subject_type_authorization",
                json!({"user": {"policy": "deny_all"}}),
            ),
            json!({"identifier": "https://ferry.example/api/v2/"}),
            json!({"identifier": "https://ferry.example/userinfo"}),
        ];
        talk.refusals("POST", APIS, &bodies).await;
        let taken = json!({"identifier": "urn:taken"});
        assert_eq!(app.quietly("POST", APIS, taken.clone()).await.status, 201);
        talk.refusals("POST", APIS, &[taken]).await;
        let url = format!("{APIS}/urn:taken");
        talk.refusals("PATCH", &url, &[json!({"identifier": "urn:new"})])
            .await;
        let system = format!("{APIS}/https%3A%2F%2Fferry.example%2Fapi%2Fv2%2F");
        talk.tell("PATCH", &system, json!({"token_lifetime": 1}))
            .await;
        talk.tell("DELETE", &system, Value::Null).await;
        for (method, path) in [
            ("GET", APIS),
            ("POST", APIS),
            ("GET", &url),
            ("PATCH", &url),
            ("DELETE", &url),
        ] {
            talk.tell_with("read:logs", method, path, json!({})).await;
        }
    });
    insta::assert_snapshot!(said.await, @r#"
    400 Payload validation error: 'Missing required property: identifier' on property identifier.
    400 Payload validation error: 'Additional properties not allowed: nope' on property nope.
    400 Payload validation error: 'String does not match pattern ^[^<>]+$: <x>' on property name.
    400 Payload validation error: 'No enum match for: HS256' on property signing_alg.
    400 Payload validation error: 'Additional properties not allowed: signing_secret' on property signing_secret.
    400 Payload validation error: 'Value 2592001 is greater than maximum 2592000' on property token_lifetime.
    400 Payload validation error: 'Expected type object but found type string' on property scopes[0].
    400 Payload validation error: 'String does not match pattern ^[^\s]{1,280}$: two words' on property scopes[0].value.
    400 Payload validation error: 'Array items are not unique: a' on property scopes.
    400 Payload validation error: 'Not supported by this server' on property token_encryption.
    400 Payload validation error: 'Not supported by this server' on property proof_of_possession.
    400 Payload validation error: 'Not supported by this server' on property subject_type_authorization.
    400 The selected identifier is reserved.
    400 The selected identifier is reserved.
    409 A resource server with the same identifier already exists.
    400 Payload validation error: 'Additional properties not allowed: identifier' on property identifier.
    PATCH /api/v2/resource-servers/https%3A%2F%2Fferry.example%2Fapi%2Fv2%2F
      400 {"statusCode":400,"error":"Bad Request","message":"System resource servers cannot be patched.","errorCode":"invalid_body"}
    DELETE /api/v2/resource-servers/https%3A%2F%2Fferry.example%2Fapi%2Fv2%2F
      400 {"statusCode":400,"error":"Bad Request","message":"System resource servers cannot be deleted.","errorCode":"invalid_body"}
    GET /api/v2/resource-servers
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:resource_servers","errorCode":"insufficient_scope"}
    POST /api/v2/resource-servers
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: create:resource_servers","errorCode":"insufficient_scope"}
    GET /api/v2/resource-servers/urn:taken
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:resource_servers","errorCode":"insufficient_scope"}
    PATCH /api/v2/resource-servers/urn:taken
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:resource_servers","errorCode":"insufficient_scope"}
    DELETE /api/v2/resource-servers/urn:taken
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: delete:resource_servers","errorCode":"insufficient_scope"}
    "#);
}

#[tokio::test]
async fn a_grant_is_created_read_changed_and_taken_back() {
    let said = on_both(async |app: &App| {
        let talk = Talk { app };
        let scopes = json!([{"value": "read:orders"}, {"value": "write:orders"}]);
        app.quietly(
            "POST",
            APIS,
            json!({"identifier": "urn:orders", "scopes": scopes}),
        )
        .await;
        let body = json!({"name": "M", "app_type": "non_interactive"});
        let machine = app.quietly("POST", CLIENTS, body).await.body["client_id"].clone();
        let asked =
            json!({"client_id": machine, "audience": "urn:orders", "scope": ["read:orders"]});
        let made = talk.tell("POST", GRANTS, asked.clone()).await;
        let url = grant(&made);
        assert_eq!(app.quietly("GET", &url, Value::Null).await.body, made);
        talk.tell("POST", GRANTS, asked).await;
        talk.tell(
            "PATCH",
            &url,
            json!({"scope": ["read:orders", "write:orders"]}),
        )
        .await;
        let machine = machine.as_str().unwrap();
        for query in [
            format!("client_id={machine}&include_totals=true"),
            "audience=urn:orders&include_totals=true&take=50".to_owned(),
            "subject_type=user".to_owned(),
            "audience=urn:other".to_owned(),
            "nope=1".to_owned(),
        ] {
            talk.tell("GET", &format!("{GRANTS}?{query}"), Value::Null)
                .await;
        }
        let part = app
            .quietly("GET", &format!("{GRANTS}?take=1"), Value::Null)
            .await
            .body;
        let next = part["next"].as_str().unwrap();
        let path = format!("{GRANTS}?take=1&from={next}");
        let rest = app.quietly("GET", &path, Value::Null).await.body;
        assert_ne!(rest["client_grants"], part["client_grants"]);
        assert_eq!(rest.get("next"), None);
        let with = |member: &str, value: Value| {
            let mut body = json!({"client_id": machine, "audience": "urn:orders"});
            body[member] = value;
            body
        };
        let bodies = [
            json!({"client_id": machine}),
            with("audience", json!("urn:nowhere")),
            with("client_id", json!("nobody")),
            with("scope", json!(["fly:kites"])),
            with("scope", json!(["read:orders", "read:orders"])),
            with("nope", json!(1)),
            with("subject_type", json!("user")),
            with("allow_all_scopes", json!(true)),
            with("organization_usage", json!("allow")),
        ];
        talk.refusals("POST", GRANTS, &bodies).await;
        let changes = [
            json!({"audience": "urn:x"}),
            json!({"scope": ["fly:kites"]}),
        ];
        talk.refusals("PATCH", &url, &changes).await;
        talk.tell("DELETE", &url, Value::Null).await;
        talk.tell("DELETE", &url, Value::Null).await;
        talk.tell("GET", &url, Value::Null).await;
        talk.tell("PATCH", &url, json!({"scope": []})).await;
        for (method, path) in [
            ("GET", GRANTS),
            ("POST", GRANTS),
            ("GET", &url),
            ("PATCH", &url),
            ("DELETE", &url),
        ] {
            talk.tell_with("read:logs", method, path, json!({})).await;
        }
    });
    insta::assert_snapshot!(said.await, @r#"
    POST /api/v2/client-grants
      201 {"id":"[grant]","client_id":"[client]","audience":"urn:orders","scope":["read:orders"],"subject_type":"client"}
    POST /api/v2/client-grants
      409 {"statusCode":409,"error":"Conflict","message":"A resource server with the same identifier already exists.","errorCode":"conflict"}
    PATCH /api/v2/client-grants/[grant]
      200 {"id":"[grant]","client_id":"[client]","audience":"urn:orders","scope":["read:orders","write:orders"],"subject_type":"client"}
    GET /api/v2/client-grants?client_id=[client]&include_totals=true
      200 {"total":1,"start":0,"limit":50,"client_grants":[{"id":"[grant]","client_id":"[client]","audience":"urn:orders","scope":["read:orders","write:orders"],"subject_type":"client"}]}
    GET /api/v2/client-grants?audience=urn:orders&include_totals=true&take=50
      200 {"client_grants":[{"id":"[grant]","client_id":"[client]","audience":"urn:orders","scope":["read:orders","write:orders"],"subject_type":"client"}]}
    GET /api/v2/client-grants?subject_type=user
      200 []
    GET /api/v2/client-grants?audience=urn:other
      200 []
    GET /api/v2/client-grants?nope=1
      400 {"statusCode":400,"error":"Bad Request","message":"Query validation error: 'Additional properties not allowed: nope'.","errorCode":"invalid_query_string"}
    400 Payload validation error: 'Missing required property: audience' on property audience.
    404 Resource server not found
    404 Client not found
    400 Payload validation error: 'Scope not defined in the resource server: fly:kites' on property scope.
    400 Payload validation error: 'Array items are not unique: read:orders' on property scope.
    400 Payload validation error: 'Additional properties not allowed: nope' on property nope.
    400 Payload validation error: 'Not supported by this server: "user"' on property subject_type.
    400 Payload validation error: 'Not supported by this server: true' on property allow_all_scopes.
    400 Payload validation error: 'Not supported by this server: "allow"' on property organization_usage.
    400 Payload validation error: 'Additional properties not allowed: audience' on property audience.
    400 Payload validation error: 'Scope not defined in the resource server: fly:kites' on property scope.
    DELETE /api/v2/client-grants/[grant]
      204
    DELETE /api/v2/client-grants/[grant]
      204
    GET /api/v2/client-grants/[grant]
      404 {"statusCode":404,"error":"Not Found","message":"Client grant not found.","errorCode":"inexistent_client_grant"}
    PATCH /api/v2/client-grants/[grant]
      404 {"statusCode":404,"error":"Not Found","message":"Client grant not found.","errorCode":"inexistent_client_grant"}
    GET /api/v2/client-grants
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:client_grants","errorCode":"insufficient_scope"}
    POST /api/v2/client-grants
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: create:client_grants","errorCode":"insufficient_scope"}
    GET /api/v2/client-grants/[grant]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: read:client_grants","errorCode":"insufficient_scope"}
    PATCH /api/v2/client-grants/[grant]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: update:client_grants","errorCode":"insufficient_scope"}
    DELETE /api/v2/client-grants/[grant]
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: delete:client_grants","errorCode":"insufficient_scope"}
    "#);
}

#[tokio::test]
async fn with_an_api_or_a_client_its_grants_go() {
    let said = on_both(async |app: &App| {
        for path in [APIS, CLIENTS] {
            app.quietly("POST", APIS, json!({"identifier": "urn:orders"}))
                .await;
            let made = app
                .quietly("POST", CLIENTS, json!({"name": "M"}))
                .await
                .body;
            let id = made["client_id"].as_str().unwrap();
            let body = json!({"client_id": id, "audience": "urn:orders"});
            assert_eq!(app.quietly("POST", GRANTS, body).await.status, 201);
            let key = if path == APIS { "urn:orders" } else { id };
            assert_eq!(
                app.quietly("DELETE", &format!("{path}/{key}"), Value::Null)
                    .await
                    .status,
                204
            );
            let left = format!("{GRANTS}?audience=urn:orders");
            assert_eq!(app.quietly("GET", &left, Value::Null).await.body, json!([]));
        }
    });
    assert_eq!(said.await, "");
}
