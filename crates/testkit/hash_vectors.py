"""Prints hashes of random passwords, one JSON object a line, made by programs that share no code with
Ferry: passlib, Django, Werkzeug, argon2-cffi, bcrypt, crypt(3) of libxcrypt, PHP, Node's crypto, OpenSSL.

    {"format": …, "by": …, "password": …, "record": {…}}

`record` holds the members of an import row. What no program writes any more is put together from
hashlib, after the source or description that docs/hash-formats.md names ("by": "hashlib").

Needs what tools/setup installs: PyPI packages, php and node. A seed may be given to get the same again.
"""

import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import json
import random
import subprocess
import sys
import unicodedata
import warnings

warnings.simplefilter("ignore")
from django.conf import settings  # noqa: E402

settings.configure(PASSWORD_HASHERS=[
    f"django.contrib.auth.hashers.{name}" for name in (
        "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher",
        "BCryptPasswordHasher", "ScryptPasswordHasher", "MD5PasswordHasher")])
import django  # noqa: E402

django.setup()
import werkzeug.security  # noqa: E402
from django.contrib.auth import hashers  # noqa: E402
from passlib import hash as of  # noqa: E402

hashers.PBKDF2PasswordHasher.iterations = 1500
hashers.BCryptSHA256PasswordHasher.rounds = 4
hashers.BCryptPasswordHasher.rounds = 4

SEED = sys.argv[1] if len(sys.argv) > 1 else str(random.SystemRandom().getrandbits(64))
random = random.Random(SEED)
LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def text(length, letters="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"):
    return "".join(random.choice(letters) for _ in range(length))


def password(ascii_only=False, most=40):
    """Between 8 and `most` letters; no white space at the ends, which WordPress would trim."""
    body = text(random.randint(6, most - 2), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"#$%&'()*+,-./:;<=>?@[]^_{|}~")
    if not ascii_only and random.random() < 0.6 and most >= 30:
        body = body[:most // 2] + random.choice("äöüßéñ→秘密😀Ω")
    return text(1) + body + text(1)


def line(name, by, typed, value=None, **record):
    if value is not None:
        record = {"password_hash": value}
    print(json.dumps({"format": name, "by": by, "password": typed, "record": record}, ensure_ascii=False))


def custom(name, by, typed, value, algorithm=None, encoding=None, key=None, username=None, **members):
    record = {"algorithm": algorithm or name, "hash": {"value": value}}
    if encoding:
        record["hash"]["encoding"] = encoding
    if key is not None:
        record["hash"]["key"] = {"value": key}
    if "salt" in members and isinstance(members["salt"], str):
        members["salt"] = {"value": members["salt"]}
    if "password" in members:
        members["password"] = {"encoding": members["password"]}
    extra = {"username": username} if username else {}
    line(name, by, typed, custom_password_hash={**record, **members}, **extra)


def run(*command, stdin=b""):
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout.decode().strip()


def b64(data):
    return base64.b64encode(data).decode()


def b64n(data):
    return b64(data).rstrip("=")


def digest(name, data):
    return hashlib.new(name, data).digest()


def hexed(name, data):
    return digest(name, data).hex().encode()


# ---- passlib ----------------------------------------------------------------------------------------

def passlib_lines():
    fields = {
        "md5_crypt": {}, "apr_md5_crypt": {}, "sha256_crypt": {"rounds": 1234}, "sha512_crypt": {"rounds": 5000},
        "bcrypt": {"rounds": 4, "ident": "2b"}, "bcrypt_sha256": {"rounds": 4}, "phpass": {"rounds": 8},
        "pbkdf2_sha1": {"rounds": 1000}, "pbkdf2_sha256": {"rounds": 1000}, "pbkdf2_sha512": {"rounds": 1000},
        "atlassian_pbkdf2_sha1": {}, "mysql41": {}, "sha1_crypt": {"rounds": 3000}, "sun_md5_crypt": {"rounds": 500},
        "bsdi_crypt": {"rounds": 401}, "cta_pbkdf2_sha1": {"rounds": 1000}, "dlitz_pbkdf2_sha1": {"rounds": 1000},
        "grub_pbkdf2_sha512": {"rounds": 1000}, "bsd_nthash": {}, "oracle11": {}, "mssql2000": {}, "mssql2005": {},
        "scram": {"rounds": 1000}, "fshp": {"rounds": 1000},
        "ldap_salted_sha1": {}, "ldap_salted_md5": {}, "ldap_sha1": {}, "ldap_md5": {}, "ldap_salted_sha256": {},
        "ldap_salted_sha512": {}, "ldap_pbkdf2_sha1": {"rounds": 1000}, "ldap_pbkdf2_sha256": {"rounds": 1000},
        "ldap_pbkdf2_sha512": {"rounds": 1000}, "ldap_md5_crypt": {}, "ldap_sha256_crypt": {"rounds": 1000},
        "ldap_sha512_crypt": {"rounds": 1000}, "ldap_bcrypt": {"rounds": 4}, "ldap_des_crypt": {}, "ldap_bsdi_crypt": {"rounds": 25},
        "ldap_sha1_crypt": {"rounds": 1000},
        "django_salted_sha1": {}, "django_salted_md5": {}, "django_des_crypt": {},
    }
    for name, options in fields.items():
        ascii_only = name in ("mssql2000", "oracle11") or "des" in name or "bsdi" in name
        typed = password(ascii_only, 24)
        handler = getattr(of, name)
        line(name, "passlib", typed, (handler.using(**options) if options else handler).hash(typed))
    typed = password()
    line("bcrypt_sha256 version 1", "passlib", typed, of.bcrypt_sha256.using(version=1, rounds=4).hash(typed))
    line("phpBB", "passlib", typed, of.phpass.using(ident="$H$", rounds=7).hash(typed))
    line("scrypt", "passlib", typed, of.scrypt.using(rounds=10, block_size=8, parallelism=2).hash(typed))
    for bare, end in ((False, "$"), (True, "")):
        line(f"Sun MD5, bare salt {bare}", "passlib", typed, of.sun_md5_crypt.genhash(typed, f"$md5,rounds=20${text(8)}{end}"))
    for variant in range(4):
        line(f"FSHP {variant}", "passlib", typed, of.fshp.using(variant=variant, rounds=100).hash(typed))
    for kind in ("i", "d", "id"):
        phc = of.argon2.using(type=kind, rounds=2, memory_cost=256).hash(typed)
        line(f"argon2{kind}", "passlib (argon2-cffi)", typed, phc)
    line("{ARGON2}", "passlib (argon2-cffi)", typed, "{ARGON2}" + of.argon2.using(rounds=2, memory_cost=256).hash(typed))
    grub = of.grub_pbkdf2_sha512.using(rounds=1000).hash(typed).split(".")
    line("macOS, of grub's parts", "passlib", typed, f"$ml$1000${grub[4].lower()}${grub[5].lower()}")

    name = text(9)
    for ours, theirs in (("dcc", "msdcc"), ("dcc2", "msdcc2"), ("postgres-md5", "postgres_md5")):
        typed = password()
        custom(ours, "passlib", typed, getattr(of, theirs).hash(typed, user=name), username=name)
    typed = password(True, 20)
    custom("oracle10", "passlib", typed, of.oracle10.hash(typed, user=name), username=name)
    custom("nt", "passlib", typed, of.nthash.hash(typed))
    line("sambaNTPassword", "passlib", typed, "sambaNTPassword: " + of.nthash.hash(typed).upper())
    line("ipaNTHash", "passlib", typed, "ipaNTHash: " + base64.urlsafe_b64encode(bytes.fromhex(of.nthash.hash(typed))).decode())
    custom("mysql323", "passlib", typed, of.mysql323.hash(typed))
    for ours, theirs, most in (("lm", "lmhash", 13), ("des-crypt", "des_crypt", 8), ("bigcrypt", "bigcrypt", 30), ("crypt16", "crypt16", 16)):
        typed = password(True, most)
        custom(ours, "passlib", typed, getattr(of, theirs).hash(typed))
    for name in ("md5", "sha1", "sha256", "sha512"):
        typed = password()
        custom(name, "passlib", typed, getattr(of, f"hex_{name}").hash(typed), encoding="hex")


# ---- crypt(3) ---------------------------------------------------------------------------------------

def crypt_lines():
    library = ctypes.CDLL(ctypes.util.find_library("crypt"))
    library.crypt.restype = ctypes.c_char_p
    library.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]

    def crypt(typed, setting):
        made = library.crypt(typed.encode(), setting.encode())
        return None if made is None or made.startswith(b"*") else made.decode()

    salt22 = lambda: text(21, LETTERS) + random.choice(".Oeu")  # noqa: E731
    for name, setting in (
        ("yescrypt", f"$y$j75${text(22, LETTERS[:60])}"), ("yescrypt, N=2^12", f"$y$j9T${text(22, LETTERS[:60])}"),
        ("gost-yescrypt", f"$gy$j75${text(22, LETTERS[:60])}"), ("$7$", f"$7$8{'6....'}/....{text(14, LETTERS)}"),
        ("$2x$", f"$2x$05${salt22()}"), ("$2a$", f"$2a$05${salt22()}"), ("$2y$", f"$2y$05${salt22()}"),
        ("$2b$", f"$2b$05${salt22()}"), ("$6$", f"$6$rounds=1000${text(16)}"), ("$5$", f"$5${text(12)}"),
        ("$1$", f"$1${text(8)}"), ("$sha1$", f"$sha1$4000${text(8)}"), ("$md5$", f"$md5,rounds=20${text(8)}$"),
        ("$3$", "$3$"), ("BSDi", f"_J9..{text(4, LETTERS)}"),
    ):
        for most in (12, 38, 70):
            typed = password(name in ("$3$", "BSDi"), most)
            made = crypt(typed, setting)
            if made:
                line(f"crypt(3) {name}", "libxcrypt", typed, made)
    typed = password(True, 8)
    custom("crypt(3) DES", "libxcrypt", typed, crypt(typed, text(2)), algorithm="des-crypt")


# ---- frameworks -------------------------------------------------------------------------------------

def python_lines():
    for name in ("pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt", "md5"):
        typed = password(most=30)
        line(f"Django {name}", "Django", typed, hashers.make_password(typed, hasher=name))
    for method in ("pbkdf2:sha256:1000", "pbkdf2:sha512:1000", "scrypt", "scrypt:1024:4:2"):
        typed = password()
        line(f"Werkzeug {method}", "Werkzeug", typed, werkzeug.security.generate_password_hash(typed, method))
    typed = password()
    custom("django", "passlib", typed, of.hex_md5.hash(typed))
    custom("werkzeug", "hashlib", typed, "sha1$70108$" + hmac.new(b"70108", typed.encode(), "sha1").hexdigest())


PHP = r"""
$out = [];
function put($name, $by, $typed, $record) { global $out; $out[] = ['format' => $name, 'by' => $by, 'password' => $typed, 'record' => $record]; }
$p = json_decode(stream_get_contents(STDIN), true);
$low = ['cost' => 5];
foreach ($p as $t) {
  if (strlen($t) < 60) put('PHP password_hash', 'PHP', $t, ['password_hash' => password_hash($t, PASSWORD_BCRYPT, $low)]);
  put('WordPress 6.8', 'PHP', $t, ['password_hash' => '$wp' . password_hash(base64_encode(hash_hmac('sha384', trim($t), 'wp-sha384', true)), PASSWORD_BCRYPT, $low)]);
  put('wordpress', 'PHP', $t, ['custom_password_hash' => ['algorithm' => 'wordpress', 'hash' => ['value' => md5($t)]]]);
  put('PHP crypt SHA-512', 'PHP', $t, ['password_hash' => crypt($t, '$6$' . bin2hex(random_bytes(6)) . '$')]);
  $salt = bin2hex(random_bytes(8));
  foreach (['sha512' => 5000, 'sha1' => 10] as $name => $rounds) {
    $s = $t . '{' . $salt . '}'; $d = hash($name, $s, true);
    for ($i = 1; $i < $rounds; $i++) $d = hash($name, $d . $s, true);
    put("symfony-$name", 'PHP', $t, ['custom_password_hash' => ['algorithm' => "symfony-$name", 'hash' => ['value' => base64_encode($d)], 'salt' => ['value' => $salt], 'iterations' => $rounds]]);
  }
  put('Symfony PBKDF2', 'PHP', $t, ['custom_password_hash' => ['algorithm' => 'pbkdf2-sha512', 'hash' => ['value' => base64_encode(hash_pbkdf2('sha512', $t, $salt, 1000, 40, true))], 'salt' => ['value' => $salt], 'iterations' => 1000]]);
  $named = [
    'joomla' => md5($t . $salt) . ":$salt",
    'vbulletin' => md5(md5($t) . $salt) . ":$salt",
    'mybb' => md5(md5($salt) . md5($t)) . ":$salt",
    'punbb' => sha1($salt . sha1($t)) . ":$salt",
    'redmine' => sha1($salt . sha1($t)) . ":$salt",
    'opencart' => sha1($salt . sha1($salt . sha1($t))) . ":$salt",
    'xenforo' => hash('sha256', hash('sha256', $t) . $salt) . ":$salt",
    'xenforo-sha1' => sha1(sha1($t) . $salt) . ":$salt",
    'hmailserver' => substr($salt, 0, 6) . hash('sha256', substr($salt, 0, 6) . $t),
  ];
  foreach ($named as $name => $value) put($name, 'PHP', $t, ['custom_password_hash' => ['algorithm' => $name, 'hash' => ['value' => $value]]]);
  foreach (['' => md5($salt . $t), ':0' => md5($salt . $t), ':1' => hash('sha256', $salt . $t), ':0:1' => hash('sha256', $salt . md5($salt . $t))] as $version => $hex)
    put('magento', 'PHP', $t, ['custom_password_hash' => ['algorithm' => 'magento', 'hash' => ['value' => "$hex:$salt$version"]]]);
  if (function_exists('sodium_crypto_pwhash')) {
    $seed = substr($salt, 0, 16);
    $hex = bin2hex(sodium_crypto_pwhash(32, $t, $seed, 2, 67108864, SODIUM_CRYPTO_PWHASH_ALG_ARGON2ID13));
    put('magento', 'PHP (sodium)', $t, ['custom_password_hash' => ['algorithm' => 'magento', 'hash' => ['value' => "$hex:$salt:3_32_2_67108864"]]]);
    put('magento', 'PHP (sodium)', $t, ['custom_password_hash' => ['algorithm' => 'magento', 'hash' => ['value' => "$hex:$salt:2"]]]);
  }
  $name = 'User' . random_int(1, 1000000);
  put('smf', 'PHP', $t, ['username' => $name, 'custom_password_hash' => ['algorithm' => 'smf', 'hash' => ['value' => sha1(strtolower($name) . $t)]]]);
  put('prestashop', 'PHP', $t, ['custom_password_hash' => ['algorithm' => 'prestashop', 'hash' => ['value' => md5($salt . $t), 'key' => ['value' => $salt]]]]);
}
echo implode("\n", array_map(fn ($row) => json_encode($row, JSON_UNESCAPED_UNICODE), $out)), "\n";
"""

NODE = r"""
const crypto = require('crypto');
const passwords = JSON.parse(require('fs').readFileSync(0));
const put = (format, password, record, by = 'Node') => console.log(JSON.stringify({format, by, password, record}));
const field = (format, password, password_hash) => put(format, password, {password_hash});
const named = (algorithm, password, value, more = {}, name = algorithm) => {
  const {encoding, key, ...rest} = more;
  put(name, password, {custom_password_hash: {algorithm, hash: {value, ...(encoding && {encoding}), ...(key && {key})}, ...rest}});
};
const sha = (name, ...parts) => { const hash = crypto.createHash(name); parts.forEach((part) => hash.update(part)); return hash.digest(); };
const bare = (bytes) => bytes.toString('base64').replace(/=+$/, '');
const crypt = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const cisco = (bytes) => bare(bytes).replace(/./g, (letter) => './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'[crypt.indexOf(letter)]);
for (const p of passwords) {
  const salt = crypto.randomBytes(16); const words = salt.toString('hex').slice(0, 14);
  const pbkdf2 = (name, rounds, length, with_ = salt) => crypto.pbkdf2Sync(p, with_, rounds, length, name);
  field('ASP.NET Identity 2', p, Buffer.concat([Buffer.from([0]), salt, pbkdf2('sha1', 1000, 32)]).toString('base64'));
  for (const [prf, name, rounds, length] of [[0, 'sha1', 1000, 32], [1, 'sha256', 10000, 32], [2, 'sha512', 1000, 64]]) {
    const head = Buffer.alloc(13); head[0] = 1;
    head.writeUInt32BE(prf, 1); head.writeUInt32BE(rounds, 5); head.writeUInt32BE(16, 9);
    field('ASP.NET Identity 3', p, Buffer.concat([head, salt, pbkdf2(name, rounds, length)]).toString('base64'));
  }
  const wide = Buffer.from(p, 'utf16le');
  named('aspnet-membership', p, sha('sha1', salt, wide).toString('base64'), {salt: {value: salt.toString('base64'), encoding: 'base64'}});
  const long = Buffer.concat([salt, salt, salt, salt]);
  named('aspnet-membership', p, crypto.createHmac('sha256', long).update(wide).digest('base64'), {salt: {value: salt.toString('base64'), encoding: 'base64'}});
  field('Cisco 8', p, `$8$${words}$${cisco(pbkdf2('sha256', 20000, 32, words))}`);
  field('Cisco 9', p, `$9$${words}$${cisco(crypto.scryptSync(p, words, 32, {N: 16384, r: 1, p: 1}))}`);
  for (const name of ['md5', 'sha1', 'sha256', 'sha512'])
    field(`colons ${name}`, p, `${name}:1000:${salt.toString('base64')}:${pbkdf2(name, 1000, 32).toString('base64')}`);
  field('SCRYPT:', p, `SCRYPT:1024:8:1:${salt.toString('base64')}:${crypto.scryptSync(p, salt, 32, {N: 1024, r: 8, p: 1}).toString('base64')}`);
  // PostgreSQL prepares the password; these are plain after NFKC.
  const salted = crypto.pbkdf2Sync(p.normalize('NFKC'), salt, 4096, 32, 'sha256');
  const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();
  field('SCRAM-SHA-256', p, `SCRAM-SHA-256$4096:${salt.toString('base64')}$${sha('sha256', hmac(salted, 'Client Key')).toString('base64')}:${hmac(salted, 'Server Key').toString('base64')}`);
  const auth = pbkdf2('sha512', 4096, 64, Buffer.concat([salt, Buffer.from('AUTH_PBKDF2_SPEEDY_KEY')]));
  field('Oracle 12', p, `T:${sha('sha512', auth, salt).toString('hex').toUpperCase()}${salt.toString('hex').toUpperCase()}`);
  field('Oracle 11 and 12', p, `S:${'0'.repeat(60)};T:${sha('sha512', auth, salt).toString('hex').toUpperCase()}${salt.toString('hex').toUpperCase()}`);
  field('SQL Server 2012', p, '0x0200' + salt.subarray(0, 4).toString('hex').toUpperCase() + sha('sha512', wide, salt.subarray(0, 4)).toString('hex').toUpperCase());
  // Ory Kratos and its neighbours.
  const pf = (template) => Buffer.from(template).toString('base64');
  for (const name of ['sha1', 'sha256', 'sha512', 'md5'])
    field(`Kratos ${name}`, p, `$${name}$pf=${pf('a{SALT}b{PASSWORD}c')}$${salt.toString('base64')}$${sha(name, 'a', salt, 'b', p, 'c').toString('base64')}`);
  field('Kratos md5', p, `$md5$${sha('md5', p).toString('base64')}`);
  for (const name of ['md5', 'sha1', 'sha256', 'sha384', 'sha512'])
    field(`Kratos HMAC ${name}`, p, `$hmac-${name}$${Buffer.from(crypto.createHmac(name, salt).update(p).digest('hex')).toString('base64')}$${salt.toString('base64')}`);
  field('Kratos scrypt', p, `$scrypt$ln=1024,r=8,p=1$${salt.toString('base64')}$${crypto.scryptSync(p, salt, 32, {N: 1024, r: 8, p: 1}).toString('base64')}`);
  field('Kratos PBKDF2', p, `$pbkdf2-sha256$i=1000,l=32$${bare(salt)}$${bare(pbkdf2('sha256', 1000, 32))}`);
  field('passwap md5 suffix', p, `$md5salted-suffix$${words}$${sha('md5', p, words).toString('base64')}`);
  field('passwap md5 prefix', p, `$md5salted-prefix$${words}$${sha('md5', words, p).toString('base64')}`);
  field('Logto', p, JSON.stringify(['sha256', [words, '@', 'x"y'], sha('sha256', words, p, 'x"y').toString('hex')]));
  field('Logto PBKDF2', p, JSON.stringify(['pbkdf2', [`hex:${salt.toString('hex')}`, '1000', '32', 'sha512', '@'], pbkdf2('sha512', 1000, 32).toString('hex')]));
  field('Logto PBKDF2, salt as text', p, JSON.stringify(['pbkdf2', [words, '1000', '20', 'sha1', '@'], pbkdf2('sha1', 1000, 20, words).toString('hex')]));
  // Firebase: scrypt makes a key, which encrypts the project's.
  const signer = crypto.randomBytes(64); const separator = Buffer.from('Bw==', 'base64');
  const fire = crypto.scryptSync(p, Buffer.concat([salt, separator]), 32, {N: 1 << 10, r: 8, p: 1});
  const cipher = crypto.createCipheriv('aes-256-ctr', fire, Buffer.alloc(16));
  const made = Buffer.concat([cipher.update(signer), cipher.final()]).toString('base64');
  const [s64, k64] = [salt.toString('base64'), signer.toString('base64')];
  field('Firebase (Kratos)', p, `$firescrypt$ln=10,r=8,p=1$${s64}$${made}$Bw==$${k64}`);
  field('Firebase (Supabase)', p, `$fbscrypt$v=1,n=10,r=8,p=1,ss=Bw==,sk=${k64}$${s64}$${made}`);
  named('clerk-firebase', p, `${made}$${s64}$${k64}$Bw==$8$10`);
  named('supertokens-firebase', p, `$f_scrypt$${made}$${s64}$m=10$r=8$s=Bw==`, {key: {value: k64, encoding: 'base64'}});
  named('firebase-scrypt', p, made, {key: {value: k64, encoding: 'base64'}, salt: {value: s64, encoding: 'base64'}, cost: 10, iterations: 8});
  // Java.
  let shiro = sha('sha512', salt, p); for (let i = 1; i < 500; i++) shiro = sha('sha512', shiro);
  field('Shiro', p, `$shiro1$SHA-512$500$${s64}$${shiro.toString('base64')}`);
  field('Spring scrypt', p, `{scrypt}$a0801$${s64}$${crypto.scryptSync(p, salt, 32, {N: 1024, r: 8, p: 1}).toString('base64')}`);
  field('Spring pbkdf2', p, '{pbkdf2}' + Buffer.concat([salt.subarray(0, 8), pbkdf2('sha1', 185000, 32, salt.subarray(0, 8))]).toString('hex'));
  let standard = sha('sha256', salt.subarray(0, 8), p); for (let i = 1; i < 1024; i++) standard = sha('sha256', standard);
  field('Spring sha256', p, '{sha256}' + Buffer.concat([salt.subarray(0, 8), standard]).toString('hex'));
  field('Spring SHA-256', p, `{SHA-256}{${words}}` + sha('sha256', p, `{${words}}`).toString('hex'));
  field('Spring MD5', p, '{MD5}' + sha('md5', p).toString('hex'));
  // Applications.
  for (const [kind, name, with_] of [[0, 'md5', ''], [1, 'sha1', ''], [2, 'sha1', words], [3, 'sha256', words], [4, 'sha512', words]]) {
    let state = sha(name, with_, p); for (let i = 1; i < 1000; i++) state = sha(name, state);
    field(`SSPR ${kind}`, p, `$sspr$${kind}$1000$${with_ || 'NONE'}$${state.toString('hex')}`);
    if (kind === 3) field('Adobe AEM', p, `{SHA-256}${words}-1000-${state.toString('hex')}`);
    if (kind === 3) field('Oracle Transportation Management', p, `otm_sha256:1000:${words}:${state.toString('base64')}`);
  }
  named('netscaler', p, '2' + words.slice(0, 8) + sha('sha512', words.slice(0, 8), p, '\0').toString('hex'));
  named('netscaler', p, '1' + words.slice(0, 8) + sha('sha1', words.slice(0, 8), p, '\0').toString('hex'));
  const hex = salt.toString('hex');
  named('better-auth', p, `${hex}:${crypto.scryptSync(p.normalize('NFKC'), hex, 64, {N: 16384, r: 16, p: 1, maxmem: 1 << 26}).toString('hex')}`);
  named('pbkdf2-sha256', p, pbkdf2('sha256', 25000, 512, hex).toString('hex'), {salt: {value: hex}, iterations: 25000}, 'passport-local-mongoose');
  named('pbkdf2-sha256', p, pbkdf2('sha256', 6400, 32, hex).toString('hex'), {salt: {value: hex}, iterations: 6400}, 'Discourse');
  for (const name of ['md5', 'sha1', 'sha256', 'sha512', 'sha384', 'ripemd160']) {
    named(`hmac-${name}`, p, crypto.createHmac(name, salt).update(p).digest('hex'), {key: {value: s64, encoding: 'base64'}});
    let state = sha(name, p, words); for (let i = 1; i < 7; i++) state = sha(name, state);
    named(`iterated-${name}`, p, state.toString('base64'), {salt: {value: words, position: 'suffix'}, iterations: 7});
  }
  for (const name of ['sha224', 'sha384', 'ripemd160']) named(name, p, sha(name, words, p).toString('hex'), {salt: {value: words}});
  const site = words + '-site'; let rails = site;
  for (let i = 0; i < 10; i++) rails = sha('sha1', [rails, hex, p, site].join('--')).toString('hex');
  named('restful-authentication', p, rails, {salt: {value: hex}, key: {value: site}});
  named('restful-authentication', p, sha('sha1', `--${hex}--${p}--`).toString('hex'), {salt: {value: hex}});
  for (const name of ['sha1', 'sha512']) {
    let devise = site;
    for (let i = 0; i < 10; i++) devise = sha(name, `--${[hex, devise, p, site].join('--')}--`).toString('hex');
    named(`devise-${name}`, p, devise, {salt: {value: hex}, key: {value: site}});
  }
  let logic = p + hex; for (let i = 0; i < 20; i++) logic = sha('sha512', logic).toString('hex');
  named('authlogic-sha512', p, logic, {salt: {value: hex}});
}
"""


def other_lines():
    typed = [password() for _ in range(2)]
    for command in (["php", "-r", PHP], ["node", "-e", NODE]):
        print(run(*command, stdin=json.dumps(typed).encode()))
    for flag in ("-1", "-apr1", "-5", "-6"):
        typed = password(most=20)
        line(f"openssl passwd {flag}", "OpenSSL", typed, run("openssl", "passwd", flag, "-stdin", stdin=typed.encode()))


def hashlib_lines():
    typed = password()
    p = typed.encode()
    salt = text(8)
    line("MediaWiki B", "hashlib", typed, f":B:{salt}:" + digest("md5", salt.encode() + b"-" + hexed("md5", p)).hex())
    line("MediaWiki B, hashcat's", "hashlib", typed, f"$B${salt}$" + digest("md5", salt.encode() + b"-" + hexed("md5", p)).hex())
    line("MediaWiki A", "hashlib", typed, ":A:" + hexed("md5", p).decode())
    line("MediaWiki pbkdf2", "hashlib", typed, ":pbkdf2:sha512:1000:64:" + b64(salt.encode()) + ":" +
         b64(hashlib.pbkdf2_hmac("sha512", p, salt.encode(), 1000)))
    line("AuthMe", "hashlib", typed, f"$SHA${salt}$" + digest("sha256", hexed("sha256", p) + salt.encode()).hex())
    key = hashlib.pbkdf2_hmac("sha256", p, bytes(range(64)), 2048, 256)
    line("389 Directory Server", "hashlib", typed, "{PBKDF2_SHA256}" + b64((2048).to_bytes(4, "big") + bytes(range(64)) + key))
    for name in ("sha256", "sha384", "sha512"):
        line(f"{{{name.upper()}}}", "hashlib", typed, f"{{{name.upper()}}}" + b64(digest(name, p)))
        line(f"{{S{name.upper()}}}", "hashlib", typed, f"{{s{name}}}" + b64(digest(name, p + salt.encode()) + salt.encode()))
    meteor = of.bcrypt.using(rounds=4).hash(hexed("sha256", p))
    custom("Meteor", "passlib", typed, meteor, algorithm="known", prehash="sha256-hex")
    parts = of.bcrypt.using(rounds=4).hash(typed[:20])
    custom("okta-bcrypt", "passlib", typed[:20], parts[29:], salt=parts[7:29], cost=4)
    membership = unicodedata.normalize("NFC", typed)
    custom("latin1", "hashlib", "Pässwörd" + salt, digest("sha1", ("Pässwörd" + salt).encode("latin1")).hex(), algorithm="iterated-sha1",
           password="latin1")
    custom("utf16", "hashlib", membership, digest("sha256", membership.encode("utf-16-le")).hex(), algorithm="iterated-sha256", password="utf16le")
    state = digest("sha512", salt.encode() + p)
    for _ in range(1 << 8):
        state = digest("sha512", state + p)
    letters = ""
    for at in range(0, len(state), 3):
        part = state[at:at + 3]
        letters += "".join(LETTERS[int.from_bytes(part, "little") >> 6 * index & 63] for index in range(len(part) + 1))
    line("Drupal 7", "hashlib", typed, ("$S$" + LETTERS[8] + salt + letters)[:55])
    custom("scrypt", "hashlib", typed, hashlib.scrypt(p, salt=salt.encode(), n=1024, r=4, p=1, dklen=32).hex(),
           encoding="hex", salt=salt, cost=1024, blockSize=4, keylen=32)


passlib_lines()
crypt_lines()
python_lines()
other_lines()
hashlib_lines()
