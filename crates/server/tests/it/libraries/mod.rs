//! Client libraries of others, from npm and `PyPI`, unmodified: each runs its documented flows against a
//! Ferry of its own. A script prints a line for each step that it has proven; the lines are compared,
//! so a script that does nothing fails.

mod shop;

use anyhow::Result;

use crate::stage::On;
use shop::Shop;

async fn steps(script: &str) -> Result<Vec<String>> {
    Shop::open(&On::Sqlite).await?.run(script).await
}

const OF_OPENID_CLIENT: [&str; 14] = [
    "discovery",
    "code and PKCE",
    "userinfo",
    "refresh rotates",
    "a reused refresh token ends its family",
    "introspection",
    "revocation",
    "private_key_jwt",
    "DPoP",
    "logout",
    "a request is pushed",
    "PAR",
    "a device is told to wait, and to wait longer",
    "device",
];

#[tokio::test]
async fn openid_client() -> Result<()> {
    assert_eq!(steps("openid_client.mjs").await?, OF_OPENID_CLIENT);
    Ok(())
}

#[tokio::test]
async fn openid_client_by_http() -> Result<()> {
    let shop = Shop::open_plain().await?;
    assert_eq!(shop.run("openid_client.mjs").await?, OF_OPENID_CLIENT);
    Ok(())
}

#[tokio::test]
async fn oauth4webapi() -> Result<()> {
    let expected = [
        "discovery",
        "code and PKCE",
        "userinfo",
        "the API accepts its token",
        "refresh",
        "client_credentials by client_secret_basic",
        "introspection",
        "revocation",
        "consent",
    ];
    let on = On::postgres()?;
    let shop = Shop::open(&on).await?;
    assert_eq!(shop.run("oauth4webapi.mjs").await?, expected);
    Ok(())
}

#[tokio::test]
async fn auth0_spa_js() -> Result<()> {
    let expected = [
        "login",
        "silent renewal in a frame",
        "logout",
        "renewal by rotating refresh tokens",
        "logout takes the tokens",
        "login with DPoP",
        "a stranger's page reads nothing",
    ];
    assert_eq!(steps("auth0_spa_js.mjs").await?, expected);
    Ok(())
}

#[tokio::test]
async fn express_openid_connect() -> Result<()> {
    let expected = [
        "an ID token by form_post: login and profile",
        "an ID token by form_post: logout",
        "a code: login and profile",
        "a code: userinfo and refresh",
        "a code: logout",
    ];
    assert_eq!(steps("express_openid_connect.mjs").await?, expected);
    Ok(())
}

#[tokio::test]
async fn passport_auth0() -> Result<()> {
    let expected = ["login and profile", "the session signs in again", "logout"];
    assert_eq!(steps("passport_auth0.mjs").await?, expected);
    Ok(())
}

#[tokio::test]
async fn node_auth0() -> Result<()> {
    let expected = [
        "password and userinfo",
        "a wrong password is refused",
        "code, its ID token checked",
        "refresh and revocation",
        "client_credentials",
        "a request is pushed",
        "sign-up and change of password",
        "users: create, change, find, delete",
        "connections: create, list, change, delete",
        "clients: create, change, rotate the secret, list, delete",
        "APIs, grants, logs and keys are listed",
    ];
    assert_eq!(steps("node_auth0.mjs").await?, expected);
    Ok(())
}

#[tokio::test]
async fn authlib() -> Result<()> {
    let expected = [
        "discovery is valid",
        "code and PKCE",
        "the ID token holds against the key set",
        "userinfo",
        "refresh",
        "introspection and revocation",
        "client_credentials by client_secret_basic",
    ];
    assert_eq!(steps("authlib_requests.py").await?, expected);
    Ok(())
}

#[tokio::test]
async fn auth0_python() -> Result<()> {
    let expected = [
        "login by password",
        "the ID token holds",
        "userinfo",
        "a wrong password is refused",
        "code",
        "refresh",
        "revocation",
        "client_credentials",
        "sign-up",
        "change of password",
    ];
    assert_eq!(steps("auth0_python.py").await?, expected);
    Ok(())
}
