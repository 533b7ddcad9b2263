//! Another implementation agrees: Node's crypto, which the project needs anyway.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::KeyId;
use oidc::jwt::JWT;
use oidc::{Algorithm, SigningKey};
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
fn node_verifies_every_algorithm_of_ours() {
    const VERIFY: &str = r"
        const [jwks, token] = process.argv.slice(1);
        const [header, payload, signature] = token.split('.');
        const { kid, alg } = JSON.parse(Buffer.from(header, 'base64url'));
        const jwk = JSON.parse(jwks).keys.find(key => key.kid === kid && key.alg === alg);
        let key = { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }) };
        if (alg === 'PS256') key = { ...key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
        if (alg === 'ES256') key = { ...key, dsaEncoding: 'ieee-p1363' };
        const signed = Buffer.from(header + '.' + payload);
        console.log(crypto.verify('sha256', signed, key, Buffer.from(signature, 'base64url')));
    ";
    let jwks = serde_json::to_string(&keys().jwks(NOW)).unwrap();
    for algorithm in Algorithm::OURS {
        let token = current().sign_by(algorithm, Some(JWT), &claims()).unwrap();
        assert_eq!(node(VERIFY, &[&jwks, &token]), "true", "{algorithm:?}");
    }
}

#[test]
fn node_reads_our_certificate() {
    const READ: &str = r"
        const cert = new crypto.X509Certificate(Buffer.from(process.argv[1], 'base64'));
        console.log(JSON.stringify({
            subject: cert.subject, issuer: cert.issuer, from: cert.validFrom, to: cert.validTo,
            fingerprint: cert.fingerprint, own: cert.verify(cert.publicKey),
            n: cert.publicKey.export({ format: 'jwk' }).n,
        }));
    ";
    let key = SigningKey::from_der(KeyId::from("current"), &CURRENT.1).unwrap();
    let key = key.certified("id.example.com", NOW).unwrap();
    let certificate = key.certificate().unwrap();
    let seen: Value =
        serde_json::from_str(&node(READ, &[&STANDARD.encode(certificate.der())])).unwrap();
    let jwk = serde_json::to_value(key.jwk()).unwrap();
    let expected = json!({
        "subject": "CN=id.example.com", "issuer": "CN=id.example.com",
        "from": "Mar  1 10:00:00 2026 GMT", "to": "Feb 27 10:00:00 2036 GMT",
        "fingerprint": certificate.fingerprint(), "own": true, "n": jwk["n"],
    });
    assert_eq!(seen, expected);
    assert_eq!(
        certificate.thumbprint(),
        certificate.fingerprint().replace(':', "")
    );
    assert_eq!(jwk["x5c"][0], STANDARD.encode(certificate.der()));
    // The same bytes each time: nothing of it is stored.
    let again = SigningKey::from_der(KeyId::from("current"), &CURRENT.1).unwrap();
    let again = again.certified("id.example.com", NOW).unwrap();
    assert_eq!(again.certificate(), Some(certificate));
}

#[test]
fn we_verify_a_token_that_node_signs_with_our_key() {
    const SIGN: &str = r"
        const [der, payload] = process.argv.slice(1);
        // What is kept is two documents; the first is RSA's.
        const both = Buffer.from(der, 'base64');
        const first = both.subarray(0, both.readUInt16BE(2) + 4);
        const key = crypto.createPrivateKey({ key: first, format: 'der', type: 'pkcs8' });
        const part = text => Buffer.from(text).toString('base64url');
        const signed = part('{\x22alg\x22:\x22RS256\x22,\x22kid\x22:\x22current\x22}') + '.' + part(payload);
        console.log(signed + '.' + crypto.sign('sha256', Buffer.from(signed), key).toString('base64url'));
    ";
    let der = STANDARD.encode(CURRENT.1.expose());
    let token = node(SIGN, &[&der, &claims().to_string()]);
    let seen = keys().verify(&token, NOW, ISSUER).unwrap();
    assert_eq!(Value::Object(seen), claims());
}
