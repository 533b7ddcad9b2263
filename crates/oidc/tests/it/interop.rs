//! Another implementation agrees: Node's crypto, which the project needs anyway.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oidc::jwt::JWT;
use serde_json::{Value, json};

use crate::{CURRENT, ISSUER, NOW, current, keys};

fn node(script: &str, arguments: &[&str]) -> String {
    let output = Command::new("node")
        .args(["-e", script])
        .args(arguments)
        .output();
    let output = output.expect("Node.js 20 or later is on the path");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "auth0|42", "exp": NOW.seconds() + 60})
}

#[test]
fn node_verifies_our_token_with_our_jwk() {
    const VERIFY: &str = r"
        const [jwks, token] = process.argv.slice(1);
        const [header, payload, signature] = token.split('.');
        const { kid } = JSON.parse(Buffer.from(header, 'base64url'));
        const jwk = JSON.parse(jwks).keys.find(key => key.kid === kid);
        const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
        const signed = Buffer.from(header + '.' + payload);
        if (!crypto.verify('sha256', signed, key, Buffer.from(signature, 'base64url')))
            throw new Error('signature does not match');
        console.log(Buffer.from(payload, 'base64url').toString());
    ";
    let jwks = serde_json::to_string(&keys().jwks(NOW)).unwrap();
    let token = current().sign(Some(JWT), &claims()).unwrap();
    let seen: Value = serde_json::from_str(&node(VERIFY, &[&jwks, &token])).unwrap();
    assert_eq!(seen, claims());
}

#[test]
fn we_verify_a_token_that_node_signs_with_our_key() {
    const SIGN: &str = r"
        const [der, payload] = process.argv.slice(1);
        const key = crypto.createPrivateKey(
            { key: Buffer.from(der, 'base64'), format: 'der', type: 'pkcs8' });
        const part = text => Buffer.from(text).toString('base64url');
        const signed = part('{\x22alg\x22:\x22RS256\x22,\x22kid\x22:\x22current\x22}') + '.' + part(payload);
        console.log(signed + '.' + crypto.sign('sha256', Buffer.from(signed), key).toString('base64url'));
    ";
    let der = STANDARD.encode(CURRENT.1.expose());
    let token = node(SIGN, &[&der, &claims().to_string()]);
    let seen = keys().verify(&token, NOW, ISSUER).unwrap();
    assert_eq!(Value::Object(seen), claims());
}
