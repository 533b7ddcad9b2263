"""Computes foreign.json: hashes of legacy stores, made by programs that share no code with Ferry.

    python foreign.py > foreign.json

Needs passlib 1.7.4, Django 5.2, Werkzeug 3, argon2-cffi, "bcrypt<4.1", and in PATH: php 8, openssl 3,
node 20. Salts are random: running it again changes the file. What no program writes any more is
written out below with hashlib, after the sources that docs/hash-formats.md names.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys

import django
from django.conf import settings

settings.configure(PASSWORD_HASHERS=[
    f"django.contrib.auth.hashers.{name}" for name in (
        "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher",
        "BCryptPasswordHasher", "ScryptPasswordHasher", "MD5PasswordHasher")])
django.setup()
import passlib  # noqa: E402
import werkzeug.security  # noqa: E402
from django.contrib.auth import hashers  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from passlib import hash as of  # noqa: E402

# For the sake of the tests that read this.
hashers.PBKDF2PasswordHasher.iterations = 2000
hashers.BCryptSHA256PasswordHasher.rounds = 5

PASSWORDS = ["hunter2", "correct horse 'b' \"staple\" \\ $x", "Pässwörd → 秘密 😀", "x" * 100]
FIREBASE_SIGNER = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
FIREBASE_HASH = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
rows = []


def add(name, by, password, stored, **options):
    rows.append({"id": name, "by": by, "password": password, "stored": stored, **({"options": options} if options else {})})


def run(*command, stdin=b""):
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout.decode().strip()


def b64(data):
    return base64.b64encode(data).decode()


def digest(name, data):
    return hashlib.new(name, data).digest()


def passlib_rows(password):
    cheap = {
        "md5_crypt": {}, "apr_md5_crypt": {}, "sha256_crypt": {"rounds": 1234}, "sha512_crypt": {"rounds": 5000},
        "bcrypt": {"rounds": 4}, "bcrypt_sha256": {"rounds": 4}, "phpass": {"rounds": 8},
        "pbkdf2_sha1": {"rounds": 1000}, "pbkdf2_sha256": {"rounds": 1000}, "pbkdf2_sha512": {"rounds": 1000},
        "argon2": {"rounds": 2, "memory_cost": 256}, "atlassian_pbkdf2_sha1": {}, "mysql41": {},
        "ldap_salted_sha1": {}, "ldap_salted_md5": {}, "ldap_sha1": {}, "ldap_md5": {},
        "ldap_salted_sha256": {}, "ldap_salted_sha512": {}, "ldap_pbkdf2_sha1": {"rounds": 1000},
        "ldap_pbkdf2_sha256": {"rounds": 1000}, "ldap_pbkdf2_sha512": {"rounds": 1000}, "ldap_md5_crypt": {},
        "ldap_sha512_crypt": {"rounds": 1000}, "ldap_bcrypt": {"rounds": 4}, "django_salted_sha1": {},
        "django_salted_md5": {},
    }
    for name, settings_ in cheap.items():
        if name == "bcrypt_sha256":
            old = of.bcrypt_sha256.using(version=1, rounds=4)
            add("bcrypt_sha256 version 1", "passlib", password, old.hash(password))
        handler = getattr(of, name)
        add(name, "passlib", password, (handler.using(**settings_) if settings_ else handler).hash(password))
    add("phpBB", "passlib", password, of.phpass.using(ident="$H$", rounds=7).hash(password))
    add("scrypt", "passlib", password, of.scrypt.using(rounds=10, block_size=8, parallelism=2).hash(password))
    add("nt", "passlib", password, of.nthash.hash(password), algorithm="nt")
    for name in ("md5", "sha1", "sha256", "sha512"):
        add(f"hex {name}", "passlib", password, getattr(of, f"hex_{name}").hash(password), algorithm=name)
    grub = of.grub_pbkdf2_sha512.using(rounds=1000).hash(password).split(".")
    add("macOS, of grub's parts", "passlib", password, f"$ml$1000${grub[4].lower()}${grub[5].lower()}")


def django_rows(password):
    for name in ("pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt", "md5"):
        if name == "bcrypt" and len(password.encode()) > 72:
            continue
        add(f"Django {name}", "Django", password, make_password(password, hasher=name))
    add("Django unsalted md5", "passlib", password, of.hex_md5.hash(password), algorithm="django")
    add("Django unsalted sha1", "hashlib", password, "sha1$$" + hashlib.sha1(password.encode()).hexdigest())


def werkzeug_rows(password):
    for method in ("pbkdf2:sha256:1000", "pbkdf2:sha512:1000", "scrypt", "scrypt:1024:4:2"):
        add(f"Werkzeug {method}", "Werkzeug", password, werkzeug.security.generate_password_hash(password, method))
    for name in ("sha256", "sha1"):
        old = hmac.new(b"70108387805", password.encode(), name).hexdigest()
        add(f"old Werkzeug {name}", "hashlib", password, f"{name}$70108387805${old}",
            **({"algorithm": "werkzeug"} if name == "sha1" else {}))


def php_rows(password):
    """PHP's own password_hash and hash_hmac, in the order of WordPress 6.8's wp_hash_password."""
    def php(code):
        return run("php", "-r", f"$p = stream_get_contents(STDIN); {code}", stdin=password.encode())
    if len(password) < 73:
        add("PHP bcrypt", "PHP", password, php("echo password_hash($p, PASSWORD_BCRYPT, ['cost' => 5]);"))
        devise = php("echo password_hash($p . 'pepper of the shop', PASSWORD_BCRYPT, ['cost' => 5]);")
        add("Devise with a pepper", "PHP", password, devise, pepper="pepper of the shop")
    wp = "'$wp' . password_hash(base64_encode(hash_hmac('sha384', trim($p), 'wp-sha384', true)), PASSWORD_BCRYPT, ['cost' => 5])"
    add("WordPress 6.8", "PHP", password, php(f"echo {wp};"))
    add("WordPress bare md5", "PHP", password, php("echo md5($p);"), algorithm="wordpress")
    crypt = "echo crypt($p, '%s');"
    add("PHP crypt md5", "PHP", password, php(crypt % "$1$rasmusle$"))
    add("PHP crypt sha256", "PHP", password, php(crypt % "$5$rounds=1000$usesomesillystri$"))
    add("PHP crypt sha512", "PHP", password, php(crypt % "$6$usesomesillystri$"))
    symfony = "$s = $p . '{salt of 1}'; $d = hash('sha512', $s, true); for ($i = 1; $i < 5000; $i++) $d = hash('sha512', $d . $s, true); echo base64_encode($d);"
    add("Symfony sha512", "PHP", password, php(symfony), algorithm="symfony", salt="salt of 1")


def asp_rows(password):
    """Node's crypto (OpenSSL) in the layout of PasswordHasher.cs."""
    code = """
    const crypto = require('crypto'); const p = require('fs').readFileSync(0);
    const salt = crypto.randomBytes(16); const out = [];
    out.push(Buffer.concat([Buffer.from([0]), salt, crypto.pbkdf2Sync(p, salt, 1000, 32, 'sha1')]));
    for (const [prf, name, rounds, length] of [[0, 'sha1', 1000, 32], [1, 'sha256', 10000, 32], [2, 'sha512', 1000, 64]]) {
      const head = Buffer.alloc(13); head[0] = 1;
      head.writeUInt32BE(prf, 1); head.writeUInt32BE(rounds, 5); head.writeUInt32BE(16, 9);
      out.push(Buffer.concat([head, salt, crypto.pbkdf2Sync(p, salt, rounds, length, name)]));
    }
    console.log(JSON.stringify(out.map((bytes) => bytes.toString('base64'))));"""
    names = ("version 2", "version 3 sha1", "version 3 sha256", "version 3 sha512")
    for name, stored in zip(names, json.loads(run("node", "-e", code, stdin=password.encode()))):
        add(f"ASP.NET Identity {name}", "Node", password, stored)
    salt = bytes(range(16))
    member = b64(digest("sha1", salt + password.encode("utf-16-le")))
    add("ASP.NET Membership", "hashlib", password, member, algorithm="sha1", salt=b64(salt), saltEncoding="base64",
        passwordEncoding="utf16le")


def nested_rows(password):
    p = password.encode()
    hexed = {name: digest(name, p).hex().encode() for name in ("md5", "sha1", "sha256")}
    add("MediaWiki B", "hashlib", password, ":B:838c83e1:" + digest("md5", b"838c83e1-" + hexed["md5"]).hex())
    add("MediaWiki A", "hashlib", password, ":A:" + hexed["md5"].decode())
    add("MediaWiki pbkdf2", "hashlib", password, ":pbkdf2:sha512:1000:64:" + b64(b"sixteen bytes ok") + ":" +
        b64(hashlib.pbkdf2_hmac("sha512", p, b"sixteen bytes ok", 1000)))
    add("colons", "hashlib", password, "sha256:1000:" + b64(b"salt") + ":" + b64(hashlib.pbkdf2_hmac("sha256", p, b"salt", 1000)))
    add("vBulletin", "hashlib", password, digest("md5", hexed["md5"] + b"a,b").hex(),
        algorithm="md5", prehash="md5-hex", salt="a,b", saltPosition="suffix")
    add("PunBB", "hashlib", password, digest("sha1", b"365563" + hexed["sha1"]).hex(),
        algorithm="sha1", prehash="sha1-hex", salt="365563")
    add("AuthMe", "hashlib", password, "$SHA$7218532375810603$" + digest("sha256", hexed["sha256"] + b"7218532375810603").hex())
    add("Meteor", "passlib", password, of.bcrypt.using(rounds=4).hash(hexed["sha256"]), prehash="sha256-hex")
    add("passport-local-mongoose", "hashlib", password, hashlib.pbkdf2_hmac("sha256", p, b"ab12", 2500, 512).hex(),
        algorithm="pbkdf2-sha256", salt="ab12", iterations=2500)
    add("HMAC", "hashlib", password, b64(hmac.new(b"k\xff", p, "sha256").digest()),
        algorithm="hmac-sha256", key=b64(b"k\xff"), keyEncoding="base64")
    chain = p + b"pinch"
    for _ in range(20):
        chain = digest("sha512", chain)
    add("twenty rounds", "hashlib", password, chain.hex(), algorithm="sha512", salt="pinch", saltPosition="suffix", iterations=20)
    add("bare scrypt", "hashlib", password, hashlib.scrypt(p, salt=b"na", n=1024, r=4, p=1, dklen=32).hex(),
        algorithm="scrypt", salt="na", cost=1024, blockSize=4)
    key = hashlib.pbkdf2_hmac("sha256", p, bytes(64), 2048, 256)
    add("389 Directory Server", "hashlib", password, "{PBKDF2_SHA256}" + b64((2048).to_bytes(4, "big") + bytes(64) + key))


def drupal(password, log=8, salt=b"saltsalt"):
    """Drupal 7's includes/password.inc."""
    letters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    state = digest("sha512", salt + password)
    for _ in range(1 << log):
        state = digest("sha512", state + password)
    text = ""
    for at in range(0, len(state), 3):
        part = state[at:at + 3]
        value = int.from_bytes(part, "little")
        text += "".join(letters[value >> 6 * index & 63] for index in range(len(part) + 1))
    return ("$S$" + letters[log] + salt.decode() + text)[:55]


def rare_rows(password):
    p = password.encode()
    add("Drupal 7", "hashlib", password, drupal(p))
    add("Drupal 7, of Drupal 6", "hashlib", password, "U" + drupal(digest("md5", p).hex().encode()))
    argon2 = of.argon2.using(rounds=2, memory_cost=256)
    add("LDAP ARGON2", "passlib", password, "{ARGON2}" + argon2.hash(password))
    add("Spring argon2", "passlib", password, "{argon2}" + argon2.hash(password))
    add("Spring bcrypt", "passlib", password, "{bcrypt}" + of.bcrypt.using(rounds=4).hash(password))
    for name in ("sha256", "sha384", "sha512"):
        add(f"LDAP {name}", "hashlib", password, f"{{{name.upper()}}}" + b64(digest(name, p)))
        add(f"LDAP salted {name}", "hashlib", password, f"{{S{name.upper()}}}" + b64(digest(name, p + b"salt") + b"salt"))
    key = hashlib.pbkdf2_hmac("sha256", p, b"sixteen bytes ok", 1000)
    add("PHC pbkdf2", "hashlib", password,
        f"$pbkdf2-sha256$i=1000,l=32${b64(b'sixteen bytes ok').rstrip('=')}${b64(key).rstrip('=')}")
    for name in ("md5", "sha1", "sha512"):
        add(f"HMAC {name}", "hashlib", password, hmac.new(b"key", p, name).hexdigest(), algorithm=f"hmac-{name}", key="key")
    add("Symfony pbkdf2", "hashlib", password, b64(hashlib.pbkdf2_hmac("sha512", p, b"salt", 1000, 40)),
        algorithm="pbkdf2-sha512", salt="salt", iterations=1000)
    for name in ("sha224", "sha384"):
        add(f"bare {name}", "hashlib", password, b64(digest(name, b"\x01\x02" + p)), algorithm=name, salt="0102",
            saltEncoding="hex", encoding="base64")
    add("bcrypt of base64", "passlib", password, of.bcrypt.using(rounds=4).hash(b64(digest("sha256", p))), prehash="sha256-base64")
    add("Kratos scrypt", "hashlib", password, f"$scrypt$ln=1024,r=8,p=1${b64(b'na')}$" +
        b64(hashlib.scrypt(p, salt=b"na", n=1024, r=8, p=1, dklen=32)))


def openssl_rows(password):
    for flag in ("-1", "-apr1", "-5", "-6"):
        add(f"openssl passwd {flag}", "OpenSSL", password, run("openssl", "passwd", flag, "-stdin", stdin=password.encode()))


for each in PASSWORDS:
    for make in (passlib_rows, django_rows, werkzeug_rows, php_rows, asp_rows, nested_rows, rare_rows):
        make(each)
    if len(each) < 60:
        openssl_rows(each)

add("latin1", "hashlib", "Pässwörd", digest("sha1", "Pässwörd".encode("latin1")).hex(), algorithm="sha1", passwordEncoding="latin1")

# Published: hashcat's examples (password `hashcat`), passlib's documentation (`password`), and the
# test suite of glibc's crypt (Drepper's SHA-crypt.txt).
for name, password, stored, options in [
    ("Firebase, the README of firebase/scrypt, as Ory writes it", "user1password",
     "$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$" + FIREBASE_HASH + "$Bw==$" + FIREBASE_SIGNER, {}),
    ("Firebase, as Supabase writes it", "user1password",
     f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={FIREBASE_SIGNER}$42xEC+ixf3L2lw==${FIREBASE_HASH}", {}),
    ("hashcat 400 phpass", "hashcat", "$P$946647711V1klyitUYhtB8Yw5DMA/w.", {}),
    ("hashcat 500 MD5-crypt", "hashcat", "$1$38652870$DUjsu4TTlTsOe/xxZ05uf/", {}),
    ("hashcat 1600 apr1", "hashcat", "$apr1$62722340$zGjeAwVP2KwY6MtumUI1N/", {}),
    ("hashcat 7900 Drupal 7", "hashcat", "$S$C20340258nzjDWpoQthrdNTR02f0pmev0K/5/Nx80WSkOQcPEQRh", {}),
    ("hashcat 10000 Django", "hashcat", "pbkdf2_sha256$10000$1135411628$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE=", {}),
    ("hashcat 124 Django", "hashcat", "sha1$fe76b$02d5916550edf7fc8c886f044887f4b1abf9b013", {}),
    ("hashcat 101 SHA", "hashcat", "{SHA}uJ6qx+YUFzQbcQtyd2gpTQ5qJ3s=", {}),
    ("hashcat 111 SSHA", "hashcat", "{SSHA}FLzWcQqyle6Mo7NvrwXCMAmRzXQxNjYxMTYzNw==", {}),
    ("hashcat 11 Joomla", "hashcat", "b78f863f2c67410c41e617f724e22f34",
     {"algorithm": "md5", "salt": "89384528665349271307465505333378", "saltPosition": "suffix"}),
    ("hashcat 3200 bcrypt", "hashcat", "$2a$05$MBCzKhG1KhezLh.0LRa0Kuw12nLJtpHy6DIaU.JAnqJUDYspHC.Ou", {}),
    ("passlib LDAP CRYPT", "password", "{CRYPT}$1$gwvn5BO0$3dyk8j.UTcsNUPrLMsU6/0", {}),
    ("Drepper SHA-256", "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", {}),
    ("Drepper SHA-512", "Hello world!",
     "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", {}),
]:
    add(name, "published", password, stored, **options)

versions = {"python": sys.version.split()[0], "passlib": passlib.__version__, "django": django.get_version(),
            "php": run("php", "-r", "echo PHP_VERSION;"), "openssl": run("openssl", "version").split()[1],
            "node": run("node", "--version")}
print(json.dumps({"about": "Made by foreign.py.", "computed_with": versions, "examples": rows}, indent=1, ensure_ascii=False))
