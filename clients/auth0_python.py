"""auth0-python: its authentication client, and its verifier of ID tokens."""

from urllib.parse import parse_qs, urlencode, urlsplit

from auth0.authentication import Database, GetToken, RevokeToken, Users
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier
from auth0.authentication.exceptions import Auth0Error

from person import Person, did, expect, told

DOMAIN = urlsplit(told["issuer"]).netloc
SCOPE = "openid profile email offline_access"
web = told["clients"]["web"]
username, password = told["person"]["username"], told["person"]["password"]
client = GetToken(DOMAIN, web["client_id"], client_secret=web["client_secret"])


def refused(call):
    try:
        answer = call()
    except Auth0Error as error:
        return error
    raise AssertionError(f"was not refused: {answer}")


def verified(id_token, **more):
    keys = AsymmetricSignatureVerifier(f"{told['issuer']}.well-known/jwks.json")
    verifier = TokenVerifier(signature_verifier=keys, issuer=told["issuer"], audience=web["client_id"])
    return verifier.verify(id_token, **more)


tokens = client.login(username=username, password=password, scope=SCOPE, realm=told["connection"], audience=None)
did("login by password")
claims = verified(tokens["id_token"])
expect(claims["email"] == username, "another person", claims)
did("the ID token holds")
person = Users(DOMAIN).userinfo(tokens["access_token"])
expect(person["sub"] == claims["sub"], "another person", person)
did("userinfo")
wrong = refused(lambda: client.login(username=username, password="wrong", realm=told["connection"], audience=None))
expect((wrong.status_code, wrong.error_code) == (403, "invalid_grant"), "another refusal", wrong)
did("a wrong password is refused")

query = {"client_id": web["client_id"], "redirect_uri": told["callback"], "response_type": "code",
         "scope": SCOPE, "state": "its", "nonce": "n"}
back = Person().sign_in(f"{told['issuer']}authorize?{urlencode(query)}")
code = parse_qs(urlsplit(back).query)["code"][0]
tokens = client.authorization_code(code, told["callback"])
expect(verified(tokens["id_token"], nonce="n")["sub"] == claims["sub"], "another person", tokens)
did("code")
again = client.refresh_token(tokens["refresh_token"])
expect(again["access_token"] != tokens["access_token"], "not renewed", again)
did("refresh")
RevokeToken(DOMAIN, web["client_id"], web["client_secret"]).revoke_refresh_token(again["refresh_token"])
late = refused(lambda: client.refresh_token(again["refresh_token"]))
expect(late.error_code == "invalid_grant", "another refusal", late)
did("revocation")
own = client.client_credentials(told["audience"])
expect(own["expires_in"] > 0 and "refresh_token" not in own, "no token", own)
did("client_credentials")

database = Database(DOMAIN, web["client_id"])
bob = {"email": "bob@example.com", "connection": told["connection"]}
made = database.signup(password=password, user_metadata={"boat": "Dory"}, **bob)
expect(made["email"] == bob["email"] and made["_id"], "another user", made)
twice = refused(lambda: database.signup(password=password, **bob))
expect(twice.status_code == 400, "another refusal", twice)
expect(client.login(username=bob["email"], password=password, realm=told["connection"], audience=None), "no tokens")
did("sign-up")
mailed = database.change_password(**bob)
expect("sent you an email" in mailed, "another answer", mailed)
did("change of password")
