//! Keys over the wire: rotation and revocation, algorithms by API, clients that prove themselves by
//! a signature, and proofs of possession.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::KeyId;
use oidc::dpop::ProofRequest;
use oidc::jwt::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::app::{App, on_both};

const KEYS: &str = "/api/v2/keys/signing";
const ISSUER: &str = "https://ferry.example/";
const API: &str = "https://orders.example/";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn kids(keys: &Value, place: &str) -> Vec<String> {
    let keys = keys.as_array().unwrap().iter();
    keys.filter(|key| key[place] == true)
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

async fn listed(app: &App) -> Value {
    let answer = app.quietly("GET", KEYS, Value::Null).await;
    assert_eq!(answer.status, 200);
    answer.body
}

async fn jwks(app: &App) -> Vec<String> {
    let answer = app
        .quietly("GET", "/.well-known/jwks.json", Value::Null)
        .await;
    let keys = answer.body["keys"].as_array().unwrap().clone();
    let kids = keys
        .iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned());
    kids.collect()
}

#[tokio::test]
async fn keys_are_shown_rotated_and_revoked() {
    let said = on_both(async |app: &App| {
        let before = listed(app).await;
        let (current, next) = (kids(&before, "current"), kids(&before, "next"));
        assert_eq!(
            (current.len(), next.len(), before.as_array().unwrap().len()),
            (1, 1, 2)
        );
        let names: Vec<_> = before[1].as_object().unwrap().keys().cloned().collect();
        app.say(&names.join(" "));
        // Each is published by two names, the next one too.
        let published = jwks(app).await;
        assert_eq!(published.len(), 4);
        for kid in [&current[0], &next[0]] {
            for name in [kid.clone(), format!("{kid}-PS256")] {
                assert!(published.contains(&name), "{name}");
            }
        }

        let old = app.token_for(None).await;
        let refused = app
            .quietly("PUT", &format!("{KEYS}/{}/revoke", current[0]), json!({}))
            .await;
        app.say(&format!("{} {}", refused.status, refused.body["message"]));

        app.later(1);
        let rotated = app
            .quietly("POST", &format!("{KEYS}/rotate"), json!({}))
            .await;
        assert_eq!(rotated.status, 201);
        let after = listed(app).await;
        assert_eq!(kids(&after, "current"), next);
        assert_eq!(kids(&after, "previous"), current);
        assert_eq!(
            kids(&after, "next"),
            [rotated.body["kid"].as_str().unwrap()]
        );
        assert_eq!(rotated.body["cert"], after[0]["cert"]);
        assert_eq!(jwks(app).await.len(), 6);
        // Old tokens live on, new ones are signed by what was the next key.
        assert_eq!(app.ask_as(&old, "GET", KEYS, Value::Null).await.status, 200);
        let new = app.token_for(None).await;
        assert_eq!(header(&new)["kid"], next[0].as_str());

        let url = format!("{KEYS}/{}", current[0]);
        let revoked = app
            .ask_as(&new, "PUT", &format!("{url}/revoke"), json!({}))
            .await;
        assert_eq!(revoked.status, 200);
        assert_eq!(revoked.body["kid"], current[0].as_str());
        let shown = app.ask_as(&new, "GET", &url, Value::Null).await.body;
        let shown = ["current_since", "current_until", "revoked", "revoked_at"]
            .map(|name| format!("{name} {}", shown[name]));
        app.say(&shown.join(", "));
        assert_eq!(jwks(app).await.len(), 4);
        app.tell_as(Some(&old), "GET", KEYS, Value::Null).await;
        let again = app
            .ask_as(&new, "PUT", &format!("{url}/revoke"), json!({}))
            .await;
        app.say(&format!("{} {}", again.status, again.body["message"]));
        app.tell_as(Some(&new), "GET", &format!("{KEYS}/unknown"), Value::Null)
            .await;
        // A next key that is revoked leaves its place to another.
        let next = rotated.body["kid"].as_str().unwrap();
        let revoked = app
            .ask_as(&new, "PUT", &format!("{KEYS}/{next}/revoke"), json!({}))
            .await;
        assert_eq!(revoked.status, 200);
        let keys = app.ask_as(&new, "GET", KEYS, Value::Null).await.body;
        let next_now = kids(&keys, "next");
        assert!(next_now.len() == 1 && next_now[0] != next);
        let weak = app.token_for(Some("read:signing_keys")).await;
        app.tell_as(Some(&weak), "POST", &format!("{KEYS}/rotate"), json!({}))
            .await;
    });
    insta::assert_snapshot!(said.await, @r#"
    kid cert pkcs7 fingerprint thumbprint current next previous current_since revoked
    400 "The current signing key cannot be revoked. Rotate it first."
    current_since "2026-03-01T10:00:00.000Z", current_until "2026-03-01T10:00:01.000Z", revoked true, revoked_at "2026-03-01T10:00:01.000Z"
    GET /api/v2/keys/signing
      401 {"statusCode":401,"error":"Unauthorized","message":"Invalid token","attributes":{"error":"Invalid token"}}
    400 "The signing key has already been revoked."
    GET /api/v2/keys/signing/unknown
      404 {"statusCode":404,"error":"Not Found","message":"The signing key does not exist.","errorCode":"inexistent_signing_key"}
    POST /api/v2/keys/signing/rotate
      403 {"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: create:signing_keys","errorCode":"insufficient_scope"}
    "#);
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

async fn ask(app: &App, body: Value) -> (u16, Value) {
    let answer = app.ask_as("", "POST", "/oauth/token", body).await;
    (answer.status, answer.body)
}

/// A client with a grant for an API.
async fn client(app: &App, api: Value, body: Value) -> Value {
    let made = app.quietly("POST", "/api/v2/resource-servers", api).await;
    assert!([201, 409].contains(&made.status), "{}", made.body);
    let client = app.quietly("POST", "/api/v2/clients", body).await;
    assert_eq!(client.status, 201, "{}", client.body);
    let grant = json!({"client_id": client.body["client_id"], "audience": API, "scope": []});
    let grant = app.quietly("POST", "/api/v2/client-grants", grant).await;
    assert_eq!(grant.status, 201, "{}", grant.body);
    client.body
}

#[tokio::test]
async fn an_api_chooses_the_algorithm_of_its_tokens() {
    on_both(async |app: &App| {
        let api = json!({"identifier": API, "signing_alg": "PS256"});
        let body = json!({"name": "m", "app_type": "non_interactive"});
        let client = client(app, api, body).await;
        let apis = "/api/v2/resource-servers";
        let id = app.quietly("GET", apis, Value::Null).await.body;
        let id = id
            .as_array()
            .unwrap()
            .iter()
            .find(|api| api["identifier"] == API)
            .unwrap();
        let id = id["id"].as_str().unwrap();
        for algorithm in ["PS256", "ES256", "RS256"] {
            let change = json!({"signing_alg": algorithm});
            let changed = app.quietly("PATCH", &format!("{apis}/{id}"), change).await;
            assert_eq!(changed.body["signing_alg"], algorithm);
            let (status, answer) = ask(
                app,
                json!({
                    "grant_type": "client_credentials", "audience": API,
                    "client_id": client["client_id"], "client_secret": client["client_secret"],
                }),
            )
            .await;
            assert_eq!(status, 200, "{answer}");
            let token = answer["access_token"].as_str().unwrap();
            assert_eq!(header(token)["alg"], algorithm);
            let keys = app.engine.keys.current();
            assert!(keys.verify(token, app.engine.now(), ISSUER).is_ok());
            // Keys that are not RSA's are shown to nobody before somebody wants them.
            let kid = header(token)["kid"].as_str().unwrap().to_owned();
            let published = jwks(app).await;
            assert!(published.contains(&kid), "{kid}");
            let is_shown = published.iter().any(|kid| kid.ends_with("-ES256"));
            assert_eq!(is_shown, algorithm == "ES256");
        }
    })
    .await;
}

fn own_key(app: &App) -> SigningKey {
    let (key, _) = SigningKey::generate(KeyId::from("build")).unwrap();
    key.certified("client.example", app.engine.now()).unwrap()
}

fn assertion(app: &App, key: &SigningKey, client: &Value, id: &str) -> Value {
    let now = app.engine.now().seconds();
    let claims = json!({
        "iss": client["client_id"], "sub": client["client_id"], "aud": ISSUER, "jti": id,
        "iat": now, "exp": now + 60,
    });
    key.sign(None, &claims).unwrap().into()
}

#[tokio::test]
async fn a_client_proves_itself_by_a_signature() {
    let said = on_both(async |app: &App| {
        let key = own_key(app);
        let credential = json!({
            "credential_type": "public_key", "name": "build", "alg": "RS256",
            "pem": key.certificate().unwrap().pem(), "parse_expiry_from_cert": true,
        });
        let methods = json!({"private_key_jwt": {"credentials": [credential]}});
        let body = json!({
            "name": "m", "app_type": "non_interactive", "client_authentication_methods": methods,
        });
        let client = client(app, json!({"identifier": API}), body).await;
        assert!(client.get("token_endpoint_auth_method").is_none());
        let url = format!("/api/v2/clients/{}", client["client_id"].as_str().unwrap());
        let stored = app
            .quietly("GET", &format!("{url}/credentials"), Value::Null)
            .await
            .body;
        let named = &client["client_authentication_methods"]["private_key_jwt"]["credentials"];
        assert_eq!(*named, json!([{"id": stored[0]["id"]}]));
        app.say(&format!(
            "{} {} until {}",
            stored[0]["name"], stored[0]["alg"], stored[0]["expires_at"]
        ));

        let request = |assertion: Value| {
            json!({
                "grant_type": "client_credentials", "audience": API,
                "client_assertion_type": TYPE, "client_assertion": assertion,
            })
        };
        let first = request(assertion(app, &key, &client, "1"));
        assert_eq!(ask(app, first.clone()).await.0, 200);
        let say = async |what: &str, body: Value| {
            let (status, answer) = ask(app, body).await;
            app.say(&format!("{what}: {status} {}", answer["error"]));
        };
        say("replayed", first).await;
        let stranger = own_key(app);
        say(
            "another key",
            request(assertion(app, &stranger, &client, "2")),
        )
        .await;
        let (secret, id) = (&client["client_secret"], &client["client_id"]);
        say(
            "by secret",
            json!({
                "grant_type": "client_credentials", "audience": API, "client_id": id,
                "client_secret": secret,
            }),
        )
        .await;
        let mut both = request(assertion(app, &key, &client, "3"));
        both["client_secret"] = secret.clone();
        say("both ways", both).await;
        let mut another = request(assertion(app, &key, &client, "4"));
        another["client_id"] = "administrator".into();
        say("as somebody else", another).await;
        let swapped = {
            let claims = json!({"iss": id, "sub": id, "aud": ISSUER, "jti": "5",
                "exp": app.engine.now().seconds() + 60});
            key.sign_by(Algorithm::Ps256, None, &claims).unwrap()
        };
        say("another algorithm", request(swapped.into())).await;

        // A credential in use stays; one whose time is over proves nothing.
        let one = format!("{url}/credentials/{}", stored[0]["id"].as_str().unwrap());
        let refused = app.quietly("DELETE", &one, Value::Null).await;
        app.say(&format!("{} {}", refused.status, refused.body["message"]));
        let soon = app
            .engine
            .now()
            .plus(std::time::Duration::from_secs(5))
            .to_string();
        let changed = app
            .quietly("PATCH", &one, json!({"expires_at": soon}))
            .await;
        assert_eq!(
            (changed.status, &changed.body["expires_at"]),
            (201, &json!(soon))
        );
        assert_eq!(
            ask(app, request(assertion(app, &key, &client, "6")))
                .await
                .0,
            200
        );
        app.later(5);
        say("expired key", request(assertion(app, &key, &client, "7"))).await;

        let change = json!({"client_authentication_methods": null});
        let changed = app.quietly("PATCH", &url, change).await.body;
        assert_eq!(changed["token_endpoint_auth_method"], "client_secret_post");
        assert_eq!(app.quietly("DELETE", &one, Value::Null).await.status, 204);
        let missing = app.quietly("GET", &one, Value::Null).await;
        app.say(&format!("{} {}", missing.status, missing.body["message"]));
        let unknown = json!({"private_key_jwt": {"credentials": [{"id": "cred_x"}]}});
        let refused = app
            .quietly(
                "PATCH",
                &url,
                json!({"client_authentication_methods": unknown}),
            )
            .await;
        app.say(&format!("{} {}", refused.status, refused.body["message"]));
        for body in [
            json!({"credential_type": "public_key", "pem": "nonsense"}),
            json!({"credential_type": "public_key", "pem": key.certificate().unwrap().pem(), "alg": "ES256"}),
            json!({"credential_type": "x509_cert", "pem": "x"}),
        ] {
            let refused = app
                .quietly("POST", &format!("{url}/credentials"), body)
                .await;
            app.say(&format!("{} {}", refused.status, refused.body["message"]));
        }
    });
    insta::assert_snapshot!(said.await, @r#"
    "build" "RS256" until "2036-02-27T10:00:00.000Z"
    replayed: 401 "invalid_client"
    another key: 401 "invalid_client"
    by secret: 401 "invalid_client"
    both ways: 400 "invalid_request"
    as somebody else: 401 "invalid_client"
    another algorithm: 401 "invalid_client"
    400 "The credential is in use by the client's authentication method."
    expired key: 401 "invalid_client"
    404 "The credential does not exist."
    400 "Payload validation error: 'Unknown credential: cred_x' on property client_authentication_methods."
    400 "Payload validation error: 'not a public key' on property pem."
    400 "Payload validation error: 'The algorithm does not fit the key' on property alg."
    400 "Payload validation error: 'No enum match for: x509_cert' on property credential_type."
    "#);
}

#[tokio::test]
async fn a_proof_of_possession_is_used_once() {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

    on_both(async |app: &App| {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = key.public_key().as_ref();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": {
            "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]),
        }});
        let url = format!("{ISSUER}oauth/token");
        let proof = |id: &str| {
            let now = app.engine.now().seconds();
            let claims = json!({"jti": id, "htm": "POST", "htu": url, "iat": now});
            let part = |value: &Value| encode(value.to_string().as_bytes());
            let message = format!("{}.{}", part(&header), part(&claims));
            let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            format!("{message}.{}", encode(signature.as_ref()))
        };
        let request = ProofRequest {
            method: "POST",
            url: &url,
            access_token: None,
        };
        assert!(app.engine.dpop_key(&[], &request).await.unwrap().is_none());
        let (one, two) = (proof("1"), proof("2"));
        let first = app
            .engine
            .dpop_key(&[&one], &request)
            .await
            .unwrap()
            .unwrap();
        let second = app
            .engine
            .dpop_key(&[&two], &request)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(first, second);
        for headers in [&[one.as_str()][..], &[one.as_str(), two.as_str()], &["x"]] {
            let refused = app.engine.dpop_key(headers, &request).await.unwrap_err();
            assert_eq!((refused.status, refused.code), (400, "invalid_dpop_proof"));
        }
    })
    .await;
}
