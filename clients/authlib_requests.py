"""Authlib's OAuth2Session on requests: its documentation's flow, ID tokens checked by the key set."""

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet

from person import Person, did, expect, told

SCOPE = "openid profile email offline_access"
web = told["clients"]["web"]

url = get_well_known_url(told["issuer"], external=True)
server = OpenIDProviderMetadata(requests.get(url, timeout=20).json())
server.validate()
did("discovery is valid")


def session(**more):
    return OAuth2Session(
        web["client_id"],
        web["client_secret"],
        scope=SCOPE,
        redirect_uri=told["callback"],
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post",
        **more,
    )


def claims_of(tokens, **params):
    keys = KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=20).json())
    algorithms = server["id_token_signing_alg_values_supported"]
    token = jwt.decode(tokens["id_token"], keys, algorithms=algorithms)
    params = {"client_id": web["client_id"], "access_token": tokens["access_token"], **params}
    options = {"iss": {"value": server["issuer"]}, "aud": {"value": web["client_id"]}}
    claims = CodeIDToken(token.claims, token.header, options, params)
    claims.validate()
    return claims


client = session()
verifier = "v" * 43
start, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier, nonce="its nonce")
back = Person().sign_in(start)
tokens = client.fetch_token(
    server["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
)
did("code and PKCE")
claims = claims_of(tokens, nonce="its nonce")
expect(claims["email"] == told["person"]["username"], "another person", claims)
did("the ID token holds against the key set")
person = UserInfo(client.get(server["userinfo_endpoint"]).json())
expect(person.sub == claims["sub"] and person.email == claims["email"], "another person", person)
did("userinfo")

old = tokens["refresh_token"]
tokens = client.refresh_token(server["token_endpoint"], refresh_token=old)
expect(tokens["refresh_token"] != old, "did not rotate", tokens)
expect(claims_of(tokens)["sub"] == claims["sub"], "another person", tokens)
did("refresh")

seen = client.introspect_token(server["introspection_endpoint"], tokens["refresh_token"], "refresh_token").json()
expect(seen["active"] is True, "not active", seen)
answer = client.revoke_token(server["revocation_endpoint"], tokens["refresh_token"], "refresh_token")
expect(answer.status_code == 200, "not revoked", answer.text)
try:
    client.refresh_token(server["token_endpoint"], refresh_token=tokens["refresh_token"])
    raise AssertionError("a revoked token was taken")
except OAuthError as refused:
    expect(refused.error == "invalid_grant", "another refusal", refused)
did("introspection and revocation")

basic = told["clients"]["basic"]
machine = OAuth2Session(basic["client_id"], basic["client_secret"], token_endpoint_auth_method="client_secret_basic")
own = machine.fetch_token(server["token_endpoint"], grant_type="client_credentials", audience=told["audience"])
expect(own["token_type"] == "Bearer", "another type", own)
did("client_credentials by client_secret_basic")
