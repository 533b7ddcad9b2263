"""Exports of products that cannot run here, composed after their documentation, with random
passwords and hashes computed by Python's hashlib.

    exports.py PRODUCT     prints {"people": [{"email", "password"}, …], "export": the file's text}

PRODUCT: keycloak, aspnet, kratos, clerk.
"""

import base64
import csv
import hashlib
import hmac
import io
import json
import secrets
import struct
import sys
import uuid


def b64(data, pad=True):
    text = base64.b64encode(data).decode()
    return text if pad else text.rstrip("=")


def pbkdf2(digest, password, salt, rounds, length):
    return hashlib.pbkdf2_hmac(digest, password.encode(), salt, rounds, length)


def random_password():
    return secrets.choice(["", "é", "密码 ", "🔑"]) + secrets.token_urlsafe(9)


def keycloak():
    people, users = [], []
    for name, digest, rounds, length in [
        ("pbkdf2", "sha1", 20000, 64),
        ("pbkdf2-sha256", "sha256", 27500, 64),
        ("pbkdf2-sha512", "sha512", 21000, 64),
        ("pbkdf2-sha256", "sha256", 1000, 32),
    ]:
        password, salt = random_password(), secrets.token_bytes(16)
        email = f"kc{len(people)}@example.com"
        people.append({"email": email, "password": password})
        derived = pbkdf2(digest, password, salt, rounds, length)
        credential = {
            "id": str(uuid.uuid4()), "type": "password", "createdDate": 1700000000000,
            "secretData": json.dumps({"value": b64(derived), "salt": b64(salt), "additionalParameters": {}}),
            "credentialData": json.dumps({"hashIterations": rounds, "algorithm": name, "additionalParameters": {}}),
        }
        users.append({
            "id": str(uuid.uuid4()), "createdTimestamp": 1700000000000, "username": f"kc{len(people)}",
            "enabled": True, "totp": False, "emailVerified": True, "firstName": "Käthe", "lastName": "O'Hara",
            "email": email, "attributes": {"locale": ["de"]}, "credentials": [credential],
            "disableableCredentialTypes": [], "requiredActions": [], "realmRoles": ["default-roles-shop"],
            "notBefore": 0, "groups": ["/customers"],
        })
    realm = {"id": "shop", "realm": "shop", "enabled": True, "roles": {"realm": [], "client": {}},
             "users": users, "clients": [{"clientId": "account", "protocolMappers": []}]}
    return people, json.dumps(realm, indent=2)


def aspnet():
    people, out = [], io.StringIO()
    names = ["Id", "UserName", "NormalizedUserName", "Email", "NormalizedEmail", "EmailConfirmed", "PasswordHash",
             "SecurityStamp", "ConcurrencyStamp", "PhoneNumber", "PhoneNumberConfirmed", "TwoFactorEnabled",
             "LockoutEnd", "LockoutEnabled", "AccessFailedCount"]
    table = csv.writer(out)
    table.writerow(names)

    def second(password):
        salt = secrets.token_bytes(16)
        return b"\0" + salt + pbkdf2("sha1", password, salt, 1000, 32)

    def third(kind, digest, rounds):
        def make(password):
            salt = secrets.token_bytes(16)
            return struct.pack(">BIII", 1, kind, rounds, 16) + salt + pbkdf2(digest, password, salt, rounds, 32)
        return make

    for make in [second, third(1, "sha256", 10000), third(2, "sha512", 100000)]:
        password, email = random_password(), f"net{len(people)}@example.com"
        people.append({"email": email, "password": password})
        table.writerow([uuid.uuid4(), email, email.upper(), email, email.upper(), "True", b64(make(password)),
                        "STAMP", uuid.uuid4(), "", "False", "False", "", "True", "0"])
    return people, out.getvalue()


def kratos():
    def scrypt(password):
        salt = secrets.token_bytes(16)
        derived = hashlib.scrypt(password.encode(), salt=salt, n=16384, r=8, p=1, dklen=32)
        return f"$scrypt$ln=16384,r=8,p=1${b64(salt)}${b64(derived)}"

    def phc(password):
        salt = secrets.token_bytes(16)
        return f"$pbkdf2-sha256$i=100000,l=32${b64(salt, False)}${b64(pbkdf2('sha256', password, salt, 100000, 32), False)}"

    def ssha(password):
        salt = secrets.token_bytes(8)
        return "{SSHA512}" + b64(hashlib.sha512(password.encode() + salt).digest() + salt)

    def md5(password):
        return "$md5$" + b64(hashlib.md5(password.encode()).digest())

    def salted(password):
        salt = secrets.token_bytes(8)
        form = b64(b"{SALT}{PASSWORD}")
        return f"$sha256$pf={form}${b64(salt)}${b64(hashlib.sha256(salt + password.encode()).digest())}"

    def keyed(password):
        key = secrets.token_bytes(16)
        return f"$hmac-sha256${b64(hmac.new(key, password.encode(), 'sha256').hexdigest().encode())}${b64(key)}"

    people, identities = [], []
    for make in [scrypt, phc, ssha, md5, salted, keyed]:
        password, email = random_password(), f"ory{len(people)}@example.com"
        people.append({"email": email, "password": password})
        identities.append({
            "id": str(uuid.uuid4()), "schema_id": "default", "schema_url": "https://example.com/schemas/ZGVm",
            "state": "active", "traits": {"email": email, "name": {"first": "Ory", "last": "Person"}},
            "verifiable_addresses": [{"value": email, "verified": True, "via": "email"}],
            "credentials": {"password": {"type": "password", "identifiers": [email],
                                         "config": {"hashed_password": make(password)}}},
            "metadata_public": {"plan": "pro"}, "metadata_admin": None,
        })
    return people, json.dumps(identities)


def clerk():
    def ssha(password):
        salt = secrets.token_bytes(8)
        return "{SSHA}" + b64(hashlib.sha1(password.encode() + salt).digest() + salt)

    def werkzeug(password):
        salt = secrets.token_hex(8)
        return f"scrypt:16384:8:1${salt}$" + hashlib.scrypt(
            password.encode(), salt=salt.encode(), n=16384, r=8, p=1, dklen=64, maxmem=2**26).hex()

    def django(password):
        salt = secrets.token_hex(6)
        return f"pbkdf2_sha256$20000${salt}${b64(pbkdf2('sha256', password, salt.encode(), 20000, 32))}"

    makers = {
        "md5": lambda password: hashlib.md5(password.encode()).hexdigest(),
        "sha256": lambda password: hashlib.sha256(password.encode()).hexdigest(),
        "ldap_ssha": ssha, "scrypt_werkzeug": werkzeug, "pbkdf2_sha256_django": django,
    }
    people, out = [], io.StringIO()
    table = csv.writer(out)
    table.writerow(["id", "first_name", "last_name", "username", "primary_email_address", "primary_phone_number",
                    "verified_email_addresses", "unverified_email_addresses", "verified_phone_numbers",
                    "unverified_phone_numbers", "totp_secret", "password_digest", "password_hasher"])
    for hasher, make in makers.items():
        password, email = random_password(), f"clerk{len(people)}@example.com"
        people.append({"email": email, "password": password})
        table.writerow([f"user_{secrets.token_hex(12)}", "Clara", "Clerk", "", email, "", email, "", "", "",
                        "", make(password), hasher])
    return people, out.getvalue()


if __name__ == "__main__":
    made = {"keycloak": keycloak, "aspnet": aspnet, "kratos": kratos, "clerk": clerk}[sys.argv[1]]()
    print(json.dumps({"people": made[0], "export": made[1]}))
