//! Hashes, derivations, ciphers, signatures, compression and texts: the same script gives the same
//! on Node, whose OpenSSL and zlib somebody else wrote. What one made, the other understands.

use std::process::Command;

use serde_json::{Value, json};

use crate::rig::{Worker, login};

/// Runs a login script's body on the machine's Node.
fn on_node(body: &str, settings: &Value) -> Value {
    let script = format!(
        "const configuration = {settings};
         ({})('ann@example.com', 'pässword', (error, value) => {{
           if (error) throw error;
           console.log(JSON.stringify(value));
         }});",
        login(body)
    );
    let output = Command::new("node").args(["-e", &script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&text).unwrap()
}

fn embedded(body: &str, settings: &Value) -> Value {
    let mut worker = Worker::start();
    let loaded = worker.load_with("login", &login(body), settings, &Value::Null);
    assert!(loaded.get("error").is_none(), "{loaded}");
    worker.call("login").value().clone()
}

#[track_caller]
fn same(body: &str) -> Value {
    let value = embedded(body, &json!({}));
    assert_eq!(value, on_node(body, &json!({})));
    value
}

#[test]
fn hashes_and_what_is_built_of_them() {
    same(
        "const crypto = require('crypto');
         const out = {};
         const long = 'k'.repeat(300);
         for (const name of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'ripemd160', 'sha512-256', 'RSA-SHA256']) {
           out[name] = crypto.createHash(name).update('abc').update(Buffer.from([0, 255])).digest('hex');
           out['hmac ' + name] = crypto.createHmac(name, long).update('pässword').digest('base64');
         }
         for (const name of ['md5', 'sha1', 'sha256', 'sha512', 'sha224']) {
           out['pbkdf2 ' + name] = crypto.pbkdf2Sync('pässword', 'salt', 1000, 40, name).toString('hex');
         }
         out.scrypt = crypto.scryptSync('pässword', 'salt', 64).toString('hex');
         out.scrypt2 = crypto.scryptSync('pässword', 'salt', 33, { N: 1024, r: 4, p: 2 }).toString('hex');
         out.hkdf = Buffer.from(crypto.hkdfSync('sha256', 'key', 'salt', 'info', 70)).toString('hex');
         out.equal = crypto.timingSafeEqual(Buffer.from('ab'), Buffer.from('ab'));
         callback(null, out);",
    );
}

#[test]
fn md4_is_there_for_old_servers() {
    let value = embedded(
        "callback(null, { user_id: require('crypto').createHash('md4').update('abc').digest('hex') });",
        &json!({}),
    );
    // RFC 1320, A.5.
    assert_eq!(value["user_id"], "a448017aaf21d8525fc10ae87aa6729d");
}

#[test]
fn derivations_with_callbacks_run_beside_the_script() {
    let value = same(
        "const crypto = require('crypto');
         let ticks = 0;
         const timer = setInterval(() => { ticks += 1; }, 5);
         crypto.pbkdf2('pässword', 'salt', 300000, 32, 'sha512', (error, a) => {
           crypto.scrypt('pässword', 'salt', 32, (error2, b) => {
             clearInterval(timer);
             callback(error || error2, { user_id: a.toString('hex') + b.toString('hex'), moved: ticks > 2 });
           });
         });",
    );
    assert_eq!(value["moved"], true);
}

#[test]
fn ciphers() {
    same(
        "const crypto = require('crypto');
         const out = {};
         const key = (length) => Buffer.alloc(length, 'key');
         for (const bits of [128, 192, 256]) {
           for (const mode of ['cbc', 'ctr', 'ecb']) {
             const iv = mode === 'ecb' ? null : Buffer.alloc(16, 'iv');
             const name = `aes-${bits}-${mode}`;
             const cipher = crypto.createCipheriv(name, key(bits / 8), iv);
             out[name] = cipher.update('some words, longer than a block', 'utf8', 'hex') + cipher.final('hex');
             const decipher = crypto.createDecipheriv(name, key(bits / 8), iv);
             out[name + ' back'] = decipher.update(out[name], 'hex', 'utf8') + decipher.final('utf8');
           }
           const name = `aes-${bits}-gcm`;
           const cipher = crypto.createCipheriv(name, key(bits / 8), Buffer.alloc(12, 'n'));
           cipher.setAAD(Buffer.from('aad'));
           out[name] = cipher.update('words', 'utf8', 'hex') + cipher.final('hex');
           out[name + ' tag'] = cipher.getAuthTag().toString('hex');
           const decipher = crypto.createDecipheriv(name, key(bits / 8), Buffer.alloc(12, 'n'));
           decipher.setAAD(Buffer.from('aad'));
           decipher.setAuthTag(Buffer.from(out[name + ' tag'], 'hex'));
           out[name + ' back'] = decipher.update(out[name], 'hex', 'utf8') + decipher.final('utf8');
         }
         const bare = crypto.createCipheriv('aes-128-cbc', key(16), Buffer.alloc(16));
         bare.setAutoPadding(false);
         out.bare = bare.update(Buffer.alloc(32, 'x'), undefined, 'hex') + bare.final('hex');
         const refused = (work) => { try { work(); return 'accepted'; } catch (error) { return error.code || error.message; } };
         out.padding = refused(() => { const d = crypto.createDecipheriv('aes-128-cbc', key(16), Buffer.alloc(16)); d.update(Buffer.alloc(16)); d.final(); });
         out.forged = refused(() => { const d = crypto.createDecipheriv('aes-128-gcm', key(16), Buffer.alloc(12)); d.setAuthTag(Buffer.alloc(16)); d.update('abcd', 'hex'); d.final(); });
         callback(null, out);",
    );
}

/// Keys made by Node, as settings of a script.
fn keys() -> Value {
    on_node(
        "const crypto = require('crypto');
         const make = (type, options) => {
           const { privateKey, publicKey } = crypto.generateKeyPairSync(type, options);
           return {
             private: privateKey.export({ type: 'pkcs8', format: 'pem' }),
             public: publicKey.export({ type: 'spki', format: 'pem' }),
             old: type === 'ed25519' ? null : privateKey.export({ type: type === 'rsa' ? 'pkcs1' : 'sec1', format: 'pem' }),
           };
         };
         callback(null, { KEYS: JSON.stringify({
           rsa: make('rsa', { modulusLength: 2048 }),
           p256: make('ec', { namedCurve: 'P-256' }),
           p384: make('ec', { namedCurve: 'P-384' }),
           p521: make('ec', { namedCurve: 'P-521' }),
           ed25519: make('ed25519'),
         }) });",
        &json!({}),
    )
}

#[test]
fn signatures_that_are_not_random_are_the_same() {
    let settings = keys();
    let body = "const crypto = require('crypto');
        const { rsa, ed25519 } = JSON.parse(configuration.KEYS);
        const out = {};
        for (const name of ['sha256', 'sha384', 'sha512']) {
          out[name] = crypto.createSign(name).update('words').sign(rsa.private, 'hex');
          out[name + ' old'] = crypto.createSign(name).update('words').sign(rsa.old, 'hex');
        }
        out.ed25519 = crypto.sign(null, Buffer.from('words'), ed25519.private).toString('hex');
        callback(null, out);";
    assert_eq!(embedded(body, &settings), on_node(body, &settings));
}

#[test]
fn signatures_of_one_are_valid_for_the_other() {
    let settings = keys();
    let sign = "const crypto = require('crypto');
        const keys = JSON.parse(configuration.KEYS);
        const out = {};
        for (const [name, digest] of [['p256', 'sha256'], ['p384', 'sha384'], ['p521', 'sha512']]) {
          out[name] = crypto.createSign(digest).update('words').sign(keys[name].private, 'hex');
          out[name + ' old'] = crypto.createSign(digest).update('words').sign(keys[name].old, 'hex');
          out[name + ' flat'] = crypto.createSign(digest).update('words').sign({ key: keys[name].private, dsaEncoding: 'ieee-p1363' }, 'hex');
        }
        const padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
        out.pss = crypto.createSign('sha256').update('words').sign({ key: keys.rsa.private, padding, saltLength: 32 }, 'hex');
        callback(null, { ...configuration, SIGNED: JSON.stringify(out) });";
    let verify = "const crypto = require('crypto');
        const keys = JSON.parse(configuration.KEYS);
        const signed = JSON.parse(configuration.SIGNED);
        const out = {};
        for (const [name, digest] of [['p256', 'sha256'], ['p384', 'sha384'], ['p521', 'sha512']]) {
          const check = (words, key, suffix) => crypto.createVerify(digest).update(words).verify(key, signed[name + suffix], 'hex');
          out[name] = [check('words', keys[name].public, ''), check('words', keys[name].public, ' old'), check('other', keys[name].public, ''),
            check('words', { key: keys[name].public, dsaEncoding: 'ieee-p1363' }, ' flat')];
        }
        const padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
        out.pss = crypto.createVerify('sha256').update('words').verify({ key: keys.rsa.public, padding, saltLength: 32 }, signed.pss, 'hex');
        callback(null, out);";
    let expected = json!({
        "p256": [true, true, false, true], "p384": [true, true, false, true], "p521": [true, true, false, true],
        "pss": true,
    });
    assert_eq!(embedded(verify, &on_node(sign, &settings)), expected);
    assert_eq!(on_node(verify, &embedded(sign, &settings)), expected);
}

#[test]
fn rsa_encryption_of_one_is_read_by_the_other() {
    let settings = keys();
    let encrypt = "const crypto = require('crypto');
        const { rsa } = JSON.parse(configuration.KEYS);
        const text = (options) => crypto.publicEncrypt({ key: rsa.public, ...options }, Buffer.from('pässword')).toString('hex');
        callback(null, { ...configuration, SENT: JSON.stringify({
          oaep: text({}), oaep256: text({ oaepHash: 'sha256' }),
        }) });";
    let decrypt = "const crypto = require('crypto');
        const { rsa } = JSON.parse(configuration.KEYS);
        const sent = JSON.parse(configuration.SENT);
        const text = (bytes, options) => crypto.privateDecrypt({ key: rsa.private, ...options }, Buffer.from(bytes, 'hex')).toString();
        callback(null, [text(sent.oaep, {}), text(sent.oaep256, { oaepHash: 'sha256' })]);";
    let expected = json!(["pässword", "pässword"]);
    assert_eq!(embedded(decrypt, &on_node(encrypt, &settings)), expected);
    assert_eq!(on_node(decrypt, &embedded(encrypt, &settings)), expected);
}

#[test]
fn keys_are_exported_alike() {
    let settings = keys();
    let body = "const crypto = require('crypto');
        const keys = JSON.parse(configuration.KEYS);
        const out = {};
        for (const name of Object.keys(keys)) {
          const secret = crypto.createPrivateKey(keys[name].private);
          const open = crypto.createPublicKey(keys[name].private);
          out[name] = [
            secret.asymmetricKeyType, secret.type, open.type,
            open.export({ type: 'spki', format: 'pem' }) === keys[name].public,
            open.export({ format: 'jwk' }), secret.export({ format: 'jwk' }),
            crypto.createPublicKey({ key: open.export({ format: 'jwk' }), format: 'jwk' }).export({ type: 'spki', format: 'pem' }) === keys[name].public,
          ];
        }
        callback(null, out);";
    assert_eq!(embedded(body, &settings), on_node(body, &settings));
}

#[test]
fn what_one_compresses_the_other_expands() {
    let pack = "const zlib = require('zlib');
        const text = 'some words, '.repeat(5000) + 'pässword';
        const out = {};
        for (const kind of ['deflate', 'deflateRaw', 'gzip']) out[kind] = zlib[kind + 'Sync'](text).toString('base64');
        callback(null, { PACKED: JSON.stringify(out) });";
    let unpack = "const zlib = require('zlib');
        const packed = JSON.parse(configuration.PACKED);
        const out = {};
        const open = { deflate: 'inflateSync', deflateRaw: 'inflateRawSync', gzip: 'gunzipSync' };
        const sum = (bytes) => require('crypto').createHash('sha1').update(bytes).digest('hex');
        for (const kind of Object.keys(packed)) {
          const bytes = Buffer.from(packed[kind], 'base64');
          out[kind] = sum(zlib[open[kind]](bytes));
          try { zlib[open[kind]](bytes.subarray(0, 40)); } catch (error) { out[kind + ' cut'] = error.code; }
        }
        out.unzip = sum(zlib.unzipSync(Buffer.from(packed.gzip, 'base64')));
        try { zlib.inflateSync(Buffer.from('no zlib at all')); } catch (error) { out.junk = error.code; }
        zlib.gunzip(Buffer.from(packed.gzip, 'base64'), (error, bytes) => { out.later = sum(bytes); callback(error, out); });";
    let ours = embedded(pack, &json!({}));
    let nodes = on_node(pack, &json!({}));
    let expected = on_node(unpack, &nodes);
    assert_eq!(embedded(unpack, &nodes), expected);
    assert_eq!(on_node(unpack, &ours), expected);
}

#[test]
fn a_bomb_of_compression_is_refused() {
    let value = embedded(
        "const zlib = require('zlib');
         let bytes = Buffer.alloc(1 << 20);
         bytes = zlib.gzipSync(bytes);
         let many = Buffer.concat(new Array(200).fill(bytes));
         try { callback(null, { user_id: zlib.gunzipSync(many).length }); } catch (error) { callback(null, { user_id: String(error.code) }); }",
        &json!({}),
    );
    assert!(
        ["ERR_BUFFER_TOO_LARGE", "undefined"].contains(&value["user_id"].as_str().unwrap()),
        "{value}"
    );
}

#[test]
fn texts_in_all_encodings() {
    same(
        "const out = [];
         const texts = ['', 'plain', 'pässword €😀', 'half \\ud800 a', 'f00d', 'zz', 'Zm9v', 'Zm9vYg==', 'Zm-v_w', '  Zm 9v\\n'];
         for (const encoding of ['utf8', 'latin1', 'ascii', 'hex', 'base64', 'base64url', 'utf16le']) {
           for (const text of texts) {
             // Half a character does not get through as such.
             if (encoding === 'utf16le' && text.includes('half')) continue;
             const bytes = Buffer.from(text, encoding);
             out.push([encoding, bytes.toString('hex'), Buffer.byteLength(text, 'utf8')]);
           }
           out.push(Buffer.from([0, 127, 128, 200, 255, 65, 66, 67]).toString(encoding, 1, 7).replace(/\\ufffd/g, '?'));
         }
         callback(null, out);",
    );
}

#[test]
fn bcrypt_keeps_salt_and_version() {
    let value = embedded(
        "const bcrypt = require('bcrypt');
         const known = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
         bcrypt.compare('U*U', known, (error, matches) => {
           callback(error, { matches, wrong: bcrypt.compareSync('U*V', known), hash: bcrypt.hashSync('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.') === known });
         });",
        &json!({}),
    );
    // From the test vectors of crypt_blowfish.
    assert_eq!(
        value,
        json!({"matches": true, "wrong": false, "hash": true})
    );
}
