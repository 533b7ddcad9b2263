// Computes more.json with implementations that share no code with this crate:
// Node's crypto (OpenSSL), PyPI bcrypt and argon2-cffi (the C references).
//
//   pip install bcrypt argon2-cffi
//   node --openssl-legacy-provider more.mjs > more.json
import crypto from "node:crypto";
import { execFileSync } from "node:child_process";

const examples = [];
const add = (id, custom_password_hash, password = "correct horse") =>
  examples.push({ id, custom_password_hash, password });
const b64 = (bytes) => bytes.toString("base64").replace(/=+$/, "");

// Every OpenSSL name of the pbkdf2 list; MDC-2 goes to the refused records.
const names = `RSA-MD4 RSA-MD5 RSA-MDC2 RSA-RIPEMD160 RSA-SHA1 RSA-SHA1-2 RSA-SHA224 RSA-SHA256
  RSA-SHA384 RSA-SHA512 md4 md4WithRSAEncryption md5 md5WithRSAEncryption mdc2 mdc2WithRSA ripemd
  ripemd160 ripemd160WithRSA rmd160 sha1 sha1WithRSAEncryption sha224 sha224WithRSAEncryption
  sha256 sha256WithRSAEncryption sha384 sha384WithRSAEncryption sha512 sha512WithRSAEncryption
  ssl3-md5 ssl3-sha1 whirlpool`.split(/\s+/);
const unsupported = [];
for (const name of names) {
  const hash = crypto.pbkdf2Sync("correct horse", "saltsalt", 1000, 48, name);
  const value = `$pbkdf2-${name}$i=1000,l=48$${b64(Buffer.from("saltsalt"))}$${b64(hash)}`;
  const record = { algorithm: "pbkdf2", hash: { value, encoding: "utf8" } };
  if (/mdc2/i.test(name)) unsupported.push({ id: `pbkdf2-${name}`, custom_password_hash: record });
  else add(`pbkdf2-${name}`, record);
}
for (const [id, field, i, l] of [
  ["no-iterations", "l=20$", 100000, 20],
  ["no-length", "i=1000$", 1000, 64],
  ["no-parameters", "", 100000, 64],
]) {
  const hash = crypto.pbkdf2Sync("correct horse", "saltsalt", i, l, "sha256");
  const value = `$pbkdf2-sha256$${field}${b64(Buffer.from("saltsalt"))}$${b64(hash)}`;
  add(`pbkdf2-${id}`, { algorithm: "pbkdf2", hash: { value } });
}

// Every hmac digest, a key longer than a block, both salt positions.
const digests = "md4 md5 ripemd160 sha1 sha224 sha256 sha384 sha512 whirlpool".split(" ");
for (const digest of digests) {
  const key = Buffer.alloc(200, "key-");
  const value = crypto.createHmac(digest, key).update("correct horse").digest("base64url");
  add(`hmac-${digest}`, {
    algorithm: "hmac",
    hash: { value, encoding: "base64", digest, key: { value: key.toString("hex"), encoding: "hex" } },
  });
}
for (const position of ["prefix", "suffix"]) {
  const text = position === "prefix" ? "NaClcorrect horse" : "correct horseNaCl";
  const value = crypto.createHmac("sha512", "k").update(text).digest("hex").toUpperCase();
  add(`hmac-salt-${position}`, {
    algorithm: "hmac",
    hash: { value, encoding: "hex", digest: "sha512", key: { value: "aw", encoding: "base64" } },
    salt: { value: "4e61436c", encoding: "hex", position },
  });
}

// One round: each algorithm, salt position, salt encoding and hash encoding.
for (const algorithm of "md4 md5 sha1 sha256 sha512".split(" ")) {
  for (const position of ["prefix", "suffix"]) {
    const salt = Buffer.from([0xfb, 0xff, 0xfe, 1, 2]);
    const password = Buffer.from("correct horse");
    const message = position === "prefix" ? [salt, password] : [password, salt];
    const hash = crypto.createHash(algorithm).update(Buffer.concat(message)).digest();
    const shapes = [
      ["HEX", hash.toString("hex").toUpperCase(), "hex", salt.toString("base64url"), "base64"],
      ["base64url", hash.toString("base64url"), "base64", salt.toString("hex").toUpperCase(), "hex"],
      ["base64", hash.toString("base64"), "base64", salt.toString("base64"), "base64"],
      ["unpadded", b64(hash), "base64", b64(salt), "base64"],
    ];
    for (const [shape, value, encoding, saltValue, saltEncoding] of shapes) {
      add(`${algorithm}-${position}-${shape}`, {
        algorithm,
        hash: { value, encoding },
        salt: { value: saltValue, encoding: saltEncoding, position },
      });
    }
  }
}

// Every password encoding, over letters outside latin1 and outside the basic plane.
for (const encoding of "ascii utf8 utf16le ucs2 latin1 binary".split(" ")) {
  const password = "pä55 wörd €Ω 😀";
  const value = crypto.createHash("sha256").update(Buffer.from(password, encoding)).digest("hex");
  add(`password-${encoding}`, { algorithm: "sha256", hash: { value, encoding: "hex" }, password: { encoding } }, password);
}

// scrypt: salt encodings, parameters, an output of one byte.
for (const [id, salt, saltRecord, options, keylen] of [
  ["defaults-utf8", "sält", { value: "sält" }, {}, 32],
  ["parameters", Buffer.from("00ff", "hex"), { value: "AP8", encoding: "base64" }, { cost: 1024, blockSize: 4, parallelization: 3 }, 100],
  ["no-salt", "", undefined, { cost: 2, blockSize: 1, parallelization: 1 }, 1],
]) {
  const value = crypto.scryptSync("correct horse", salt, keylen, options).toString("hex");
  add(`scrypt-${id}`, { algorithm: "scrypt", hash: { value, encoding: "hex" }, ...(saltRecord && { salt: saltRecord }), keylen, ...options });
}

// LDAP: each scheme in an odd case, salts of several lengths.
for (const [scheme, digest, saltLength] of [
  ["md5", "md5", 0], ["SMD5", "md5", 16], ["sha", "sha1", 0], ["SHA256", "sha256", 0],
  ["Sha384", "sha384", 0], ["SHA512", "sha512", 0], ["ssha", "sha1", 4], ["SSHA256", "sha256", 1],
  ["sSHA384", "sha384", 20], ["SSHA512", "sha512", 64],
]) {
  const salt = Buffer.alloc(saltLength, 0xa5);
  const hash = crypto.createHash(digest).update("correct horse").update(salt).digest();
  const value = `{${scheme}}${Buffer.concat([hash, salt]).toString("base64")}`;
  add(`ldap-${scheme}`, { algorithm: "ldap", hash: { value, encoding: "utf8" } });
}

// bcrypt and argon2 from their C references, by way of Python.
const python = `
import bcrypt, json, sys
from argon2.low_level import hash_secret, Type
out = []
def b(id, pw, cost, prefix, typed=None, extra=None):
    h = bcrypt.hashpw(pw[:72], bcrypt.gensalt(cost, b'2b')).decode()
    h = '$' + prefix + h[3:]
    out.append(dict(id='bcrypt-' + id, custom_password_hash=dict(dict(algorithm='bcrypt', hash=dict(value=h)), **(extra or {})), password=typed if typed is not None else pw.decode()))
b('2a', b'correct horse', 4, '2a'); b('2b', b'correct horse', 5, '2b'); b('2y', b'correct horse', 6, '2y')
b('empty', b'', 4, '2b'); b('71', b'x'*71, 4, '2b'); b('72', b'x'*72, 4, '2b'); b('73', b'x'*72 + b'y', 4, '2b')
b('unicode', 'pä55wörd Ω'.encode(), 4, '2y')
b('salt-prefix', b'NaClcorrect horse', 4, '2b', 'correct horse', dict(salt=dict(value='TmFDbA==', encoding='base64', position='prefix')))
b('salt-fills-the-key', b's'*70 + b'co', 4, '2b', 'correct horse', dict(salt=dict(value='s'*70)))
b('latin1', 'pä55wörd'.encode('latin1'), 4, '2b', 'pä55wörd', dict(password=dict(encoding='latin1')))
def a(id, type, version, t, m, p, n, salt=b'saltsaltsalt'):
    h = hash_secret(b'correct horse', salt, time_cost=t, memory_cost=m, parallelism=p, hash_len=n, type=type, version=version).decode()
    out.append(dict(id='argon2-' + id, custom_password_hash=dict(algorithm='argon2', hash=dict(value=h, encoding='utf8')), password='correct horse'))
    return h
for name, type in (('i', Type.I), ('d', Type.D), ('id', Type.ID)):
    for version in (16, 19):
        a(name + '-v' + str(version), type, version, 2, 256, 2, 32)
h = a('short-output', Type.ID, 19, 1, 64, 1, 4, b'saltsalt')
a('long-output', Type.ID, 19, 3, 64, 4, 130)
h = a('no-version', Type.I, 16, 2, 64, 1, 24)
out[-1]['custom_password_hash']['hash']['value'] = h.replace('$v=16', '')
print(json.dumps(out))
`;
examples.push(...JSON.parse(execFileSync(process.env.PYTHON ?? "python3", ["-c", python])));

console.log(JSON.stringify({
  about: "Records that must verify, computed by more.mjs with Node's crypto (OpenSSL), PyPI bcrypt and argon2-cffi. Salts of bcrypt records are random: running it again changes them.",
  computed_with: { node: process.version, openssl: process.versions.openssl, bcrypt: "5.0.0", "argon2-cffi": "25.1.0" },
  examples,
  unsupported,
}, null, 1));
