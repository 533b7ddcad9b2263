//! The detector: two hundred generated cases, made by code that the search does not share; wrong
//! passwords, which must be given no name; and the words of its reports.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use domain::{ConfigurationValue, HashText, Password};
use hmac::{Hmac, Mac as _};
use md4::Digest as _;
use password::identify::{Budget, Question, Report, Sample, Verdict, identify};
use password::{ImportContext, Limits, Owner, PasswordHash};
use serde_json::{Value, json};

/// Seconds of processor time that one search gets, of both cores together: the machine may be busy.
const SECONDS: u64 = 10;

/// A small generator of the same numbers every time (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    fn word(&mut self, letters: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(self.pick(letters)))
            .collect()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| u8::try_from(self.roll(256)).unwrap())
            .collect()
    }
}

const LETTERS: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

type Function = (
    &'static str,
    fn(&[u8]) -> Vec<u8>,
    fn(&[u8], &[u8]) -> Vec<u8>,
);

fn mac<D>(key: &[u8], message: &[u8]) -> Vec<u8>
where
    D: hmac::EagerHash,
    Hmac<D>: hmac::Mac + hmac::KeyInit,
{
    let keyed = <Hmac<D> as hmac::KeyInit>::new_from_slice(key).unwrap();
    keyed.chain_update(message).finalize().into_bytes().to_vec()
}

const FUNCTIONS: [Function; 6] = [
    ("md5", |m| md5::Md5::digest(m).to_vec(), mac::<md5::Md5>),
    (
        "sha1",
        |m| sha1::Sha1::digest(m).to_vec(),
        mac::<sha1::Sha1>,
    ),
    (
        "sha256",
        |m| sha2::Sha256::digest(m).to_vec(),
        mac::<sha2::Sha256>,
    ),
    (
        "sha512",
        |m| sha2::Sha512::digest(m).to_vec(),
        mac::<sha2::Sha512>,
    ),
    (
        "sha384",
        |m| sha2::Sha384::digest(m).to_vec(),
        mac::<sha2::Sha384>,
    ),
    (
        "ripemd160",
        |m| ripemd::Ripemd160::digest(m).to_vec(),
        mac::<ripemd::Ripemd160>,
    ),
];

fn pbkdf2(name: &str, key: &[u8], salt: &[u8], rounds: u32, length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    match name {
        "sha1" => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(key, salt, rounds, &mut out),
        "sha512" => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(key, salt, rounds, &mut out),
        _ => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(key, salt, rounds, &mut out),
    }
    out
}

/// Computes the digest of a case.
type Make = Box<dyn Fn(&User) -> Vec<u8>>;

/// How an application hashes: the same for all of its users.
struct Application {
    words: String,
    make: Make,
    /// The value is the string that `make` made.
    is_string: bool,
    upper: bool,
    letters: usize,
    salt: usize,
    layout: usize,
    pepper: Option<String>,
}

struct User {
    password: String,
    username: String,
    email: String,
    /// As the column holds it.
    salt_text: String,
    /// As it is hashed.
    salt: Vec<u8>,
    pepper: Vec<u8>,
}

impl User {
    fn make(dice: &mut Dice, application: &Application) -> Self {
        let raw = {
            let n = dice.pick(&[8, 12, 16]);
            dice.bytes(n)
        };
        let (salt_text, salt) = match application.salt {
            0 => {
                let n = dice.pick(&[5, 8, 16, 22]);
                let text = dice.word(LETTERS, n);
                (text.clone(), text.into_bytes())
            }
            1 => (hex::encode(&raw), raw),
            2 => (hex::encode(&raw), hex::encode(&raw).into_bytes()),
            _ => (BASE64_STANDARD.encode(&raw), raw),
        };
        let length = dice.pick(&[8, 11, 15]);
        Self {
            password: dice.word(LETTERS, length) + dice.pick(&["", "!", " x", "ß"]),
            username: format!("User{}", dice.word(LETTERS, 5)),
            email: format!("{}@example.com", dice.word(b"abcdefgh", 6)),
            salt_text,
            salt,
            pepper: application.pepper.clone().unwrap_or_default().into_bytes(),
        }
    }
}

fn joined(parts: &[&[u8]], mark: &str) -> Vec<u8> {
    parts.join(mark.as_bytes())
}

/// One of the families of the issue: formats × encodings × salt position × pepper.
fn application(dice: &mut Dice, number: usize) -> Application {
    let function = dice.pick(&FUNCTIONS);
    let inner = FUNCTIONS[dice.roll(4)];
    let mark = dice.pick(&["", "", "", ":", "-", "--", "$", "|", "."]);
    let order = dice.roll(6);
    let has_pepper = dice.roll(3) == 0;
    let rounds = dice.pick(&[2, 3, 10, 20, 64, 100, 500, 1000, 1024, 5000]);
    let (name, hash, keyed) = function;
    let spelling = dice.roll(3);
    let arranged = move |user: &User, value: &[u8]| match (order % 2, has_pepper, order / 2) {
        (0, false, _) => joined(&[value, &user.salt], mark),
        (_, false, _) => joined(&[&user.salt, value], mark),
        (0, true, 0) => joined(&[value, &user.salt, &user.pepper], mark),
        (0, true, 1) => joined(&[&user.salt, value, &user.pepper], mark),
        (0, true, _) => joined(&[&user.pepper, value, &user.salt], mark),
        (_, true, 0) => joined(&[&user.salt, &user.pepper, value], mark),
        (_, true, 1) => joined(&[&user.pepper, &user.salt, value], mark),
        (..) => joined(&[value, &user.pepper, &user.salt], mark),
    };
    let spelt = move |bytes: Vec<u8>| match spelling {
        0 => hex::encode(bytes).into_bytes(),
        1 => bytes,
        _ => hex::encode_upper(bytes).into_bytes(),
    };
    let iterations = dice.pick(&[
        1000, 1024, 4096, 5000, 10_000, 12_000, 20_000, 25_000, 27_500, 29_000, 100_000,
    ]);
    let prf = dice.pick(&["sha1", "sha256", "sha512"]);
    let length = dice.pick(&[20, 32, 64]);
    let numbers = dice.pick(&[(14, 8, 1), (12, 8, 1), (10, 8, 2), (14, 16, 1), (15, 8, 1)]);
    let mut is_string = false;
    let (words, make): (String, Make) = match number % 11 {
        0 | 1 => (
            format!("{name} joined by {mark:?}, order {order}"),
            Box::new(move |user| hash(&arranged(user, user.password.as_bytes()))),
        ),
        2 => (
            format!(
                "{name} over {} spelt {spelling}, joined by {mark:?}, order {order}",
                inner.0
            ),
            Box::new(move |user| hash(&arranged(user, &spelt(inner.1(user.password.as_bytes()))))),
        ),
        3 => (
            format!("{name} over salted {} spelt {spelling}", inner.0),
            Box::new(move |user| hash(&spelt(inner.1(&arranged(user, user.password.as_bytes()))))),
        ),
        4 => (
            format!("{name} {rounds} times, spelt {spelling}"),
            Box::new(move |user| {
                let mut made = hash(&joined(&[&user.salt, user.password.as_bytes()], ""));
                for _ in 1..rounds {
                    made = hash(&spelt(made));
                }
                made
            }),
        ),
        5 => (
            format!("{name} {rounds} times, each with the salted password (Symfony)"),
            Box::new(move |user| {
                let salted = joined(&[user.password.as_bytes(), b"{", &user.salt, b"}"], "");
                let mut made = hash(&salted);
                for _ in 1..rounds {
                    made = hash(&joined(&[&made, &salted], ""));
                }
                made
            }),
        ),
        6 => (
            format!("HMAC of {name}, order {order}"),
            Box::new(move |user| match order {
                0 | 1 => keyed(&user.salt, user.password.as_bytes()),
                2 => keyed(user.password.as_bytes(), &user.salt),
                3 if has_pepper => keyed(
                    &user.pepper,
                    &joined(&[&user.salt, user.password.as_bytes()], ""),
                ),
                _ if has_pepper => keyed(
                    &user.pepper,
                    &joined(&[user.password.as_bytes(), &user.salt], mark),
                ),
                _ => keyed(
                    &user.salt,
                    &hex::encode(inner.1(user.password.as_bytes())).into_bytes(),
                ),
            }),
        ),
        7 => (
            format!("PBKDF2 {prf} {iterations} {length}, pepper {has_pepper}"),
            Box::new(move |user| {
                let pepper: &[u8] = if has_pepper { &user.pepper } else { b"" };
                let key = match order % 2 {
                    0 => joined(&[user.password.as_bytes(), pepper], ""),
                    _ => joined(&[pepper, user.password.as_bytes()], ""),
                };
                pbkdf2(prf, &key, &user.salt, iterations, length)
            }),
        ),
        8 => (
            format!("scrypt {numbers:?} {length}"),
            Box::new(move |user| {
                let mut out = vec![0; length];
                let params = scrypt::Params::new(numbers.0, numbers.1, numbers.2).unwrap();
                scrypt::scrypt(user.password.as_bytes(), &user.salt, &params, &mut out).unwrap();
                out
            }),
        ),
        9 => {
            is_string = true;
            let cost = dice.pick(&[4, 6, 8]);
            (
                format!(
                    "bcrypt {cost} behind {}, pepper {has_pepper}, kind {order}",
                    inner.0
                ),
                Box::new(move |user| {
                    let pepper: &[u8] = if has_pepper { &user.pepper } else { b"" };
                    let peppered = joined(&[user.password.as_bytes(), pepper], "");
                    let key = match order {
                        0 => peppered,
                        1 | 2 => hex::encode(inner.1(&peppered)).into_bytes(),
                        3 => BASE64_STANDARD.encode(inner.1(&peppered)).into_bytes(),
                        4 if has_pepper => {
                            hex::encode(inner.2(&user.pepper, user.password.as_bytes()))
                                .into_bytes()
                        }
                        _ => joined(
                            &[
                                user.username.to_lowercase().as_bytes(),
                                user.password.as_bytes(),
                            ],
                            "",
                        ),
                    };
                    let mut salt = [7; 16];
                    let count = user.salt.len().min(16);
                    salt[..count].copy_from_slice(&user.salt[..count]);
                    bcrypt::hash_with_salt(&key, cost, salt)
                        .unwrap()
                        .to_string()
                        .into_bytes()
                }),
            )
        }
        _ => (
            format!("{name} with the username, kind {order}, joined by {mark:?}"),
            Box::new(move |user| {
                let wide: Vec<u8> = user
                    .password
                    .encode_utf16()
                    .flat_map(u16::to_le_bytes)
                    .collect();
                match order {
                    0 => hash(&joined(
                        &[
                            user.username.to_lowercase().as_bytes(),
                            user.password.as_bytes(),
                        ],
                        mark,
                    )),
                    1 => hash(&joined(
                        &[user.username.as_bytes(), user.password.as_bytes()],
                        mark,
                    )),
                    2 => hash(&joined(
                        &[user.email.as_bytes(), user.password.as_bytes()],
                        mark,
                    )),
                    3 => hash(&joined(&[&user.salt, &wide], "")),
                    4 => hash(&wide),
                    _ => hash(&joined(
                        &[
                            &user.salt,
                            &hash(&joined(
                                &[
                                    &user.salt,
                                    &hex::encode(hash(user.password.as_bytes())).into_bytes(),
                                ],
                                "",
                            )),
                        ],
                        "",
                    )),
                }
            }),
        ),
    };
    Application {
        words,
        make,
        is_string,
        upper: dice.roll(4) == 0,
        letters: dice.roll(3),
        salt: dice.roll(4),
        layout: dice.roll(5),
        pepper: has_pepper.then(|| dice.word(LETTERS, 20)),
    }
}

/// The column's value and the salt column.
fn stored(application: &Application, user: &User, made: &[u8]) -> (String, Option<String>) {
    if application.is_string {
        return (String::from_utf8(made.to_vec()).unwrap(), None);
    }
    let hash = match application.letters {
        0 if application.upper => hex::encode_upper(made),
        0 | 1 => hex::encode(made),
        _ if application.upper => BASE64_URL_SAFE_NO_PAD.encode(made),
        _ => BASE64_STANDARD.encode(made),
    };
    match application.layout {
        3 => (format!("{hash}:{}", user.salt_text), None),
        4 => (format!("{}${hash}", user.salt_text), None),
        _ => (hash, Some(user.salt_text.clone())),
    }
}

/// Hundredths of a second of processor time that this process used.
fn processor_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn searched(question: &Question, seconds: u64) -> Report {
    let (began, end) = (Instant::now(), processor_time() + seconds * 100);
    let (next_look, is_late) = (AtomicU64::new(0), AtomicBool::new(false));
    let is_over = || {
        // The kernel's account costs more than hundreds of comparisons.
        let now = u64::try_from(began.elapsed().as_millis()).unwrap();
        if now >= next_look.load(Ordering::Relaxed) {
            next_look.store(now + 10, Ordering::Relaxed);
            is_late.store(processor_time() > end, Ordering::Relaxed);
        }
        is_late.load(Ordering::Relaxed)
    };
    let budget = Budget {
        is_over: &is_over,
        threads: 2,
    };
    identify(question, &Limits::default(), &budget)
}

fn question(application: &Application, user: &User, password: &str) -> Question {
    let (value, salt) = stored(application, user, &(application.make)(user));
    Question {
        samples: vec![Sample {
            hash: HashText::from(value),
            salt,
            username: Some(user.username.clone()),
            email: Some(user.email.clone()),
            user_id: None,
            password: Some(Password::from(password)),
        }],
        pepper: application.pepper.as_deref().map(ConfigurationValue::from),
    }
}

/// Whether what the report says of one user lets another user of the same application in, and
/// nobody with a wrong password.
fn holds_for(report: &Report, application: &Application, user: &User) -> bool {
    let made = (application.make)(user);
    let fragment = report.fragment.as_ref().unwrap();
    if let Some(text) = fragment.get("password_hash") {
        return application.is_string && text.is_string() && report.recipe.is_none();
    }
    let mut record = fragment["custom_password_hash"].clone();
    record["hash"]["value"] = match record["hash"]["encoding"].as_str().unwrap() {
        "hex" => hex::encode(&made).into(),
        "base64" => BASE64_STANDARD.encode(&made).into(),
        _ => String::from_utf8(made).unwrap().into(),
    };
    if record.get("salt").is_some() {
        record["salt"]["value"] = user.salt_text.clone().into();
    }
    let context = ImportContext {
        recipe: None,
        has_pepper: application.pepper.is_some(),
        owner: Owner {
            username: Some(&user.username),
            email: Some(&user.email),
            user_id: None,
        },
    };
    let hash =
        PasswordHash::from_import(&record.to_string(), &context, &Limits::default()).unwrap();
    let hash = hash.with_pepper(application.pepper.as_deref().unwrap_or_default());
    hash.verify(&Password::from(user.password.as_str())) && !hash.verify(&Password::from("wrong"))
}

#[test]
fn names_two_hundred() {
    let (mut missed, mut false_names) = (Vec::new(), Vec::new());
    for group in 0..10 {
        let mut dice = Dice(0x005e_ed0f_fe44 + group);
        for number in 0..20 {
            let number = number + usize::try_from(group).unwrap() * 20;
            let application = application(&mut dice, number);
            let user = User::make(&mut dice, &application);
            let other = User::make(&mut dice, &application);
            let (began, since) = (processor_time(), Instant::now());
            let report = searched(&question(&application, &user, &user.password), SECONDS);
            let words = format!(
                "{number}: {}; salt {}, layout {}, letters {}; {} tried in {} ms, {}0 ms of the \
                 processors",
                application.words,
                application.salt,
                application.layout,
                application.letters,
                report.tried,
                since.elapsed().as_millis(),
                processor_time() - began,
            );
            match report.verdict {
                Verdict::Found if holds_for(&report, &application, &other) => {}
                Verdict::Found => false_names.push(format!("{words} -> {:?}", report.name)),
                _ => missed.push(words),
            }
        }
    }
    let wrong = false_names.len();
    let named = 200 - missed.len() - wrong;
    println!("missed:\n{}", missed.join("\n"));
    println!("detector: {named} of 200 named, {wrong} false");
    assert_eq!(false_names, Vec::<String>::new());
    assert!(named >= 190, "only {named} of 200 named");
}

/// Joined, nested, chained, keyed, PBKDF2, bcrypt; each search has time for millions of comparisons.
#[test]
fn a_wrong_password_is_given_no_name() {
    let mut dice = Dice(0x0bad_5eed);
    let mut tried = Vec::new();
    for number in [1, 3, 4, 6, 7, 9] {
        let application = application(&mut dice, number);
        let user = User::make(&mut dice, &application);
        let report = searched(&question(&application, &user, "not the password"), 2);
        assert_eq!(
            report.verdict,
            Verdict::Nothing,
            "{} {:?}",
            application.words,
            report.name
        );
        assert!(report.fragment.is_none() && report.nearest.is_some());
        tried.push(report.tried);
    }
    println!("wrong passwords: {tried:?} comparisons, no name");
    // Only bcrypt allows but a few.
    assert!(
        tried.iter().filter(|tried| **tried > 100_000).count() >= 5,
        "{tried:?}"
    );
}

fn one(hash: &str, salt: Option<&str>, password: Option<&str>) -> Report {
    let question = Question {
        samples: vec![Sample {
            hash: HashText::from(hash),
            salt: salt.map(str::to_owned),
            username: None,
            email: None,
            user_id: None,
            password: password.map(Password::from),
        }],
        pepper: None,
    };
    searched(&question, 1)
}

#[test]
fn says_the_fragment_and_the_name() {
    // hashcat's example hashes; the password is `hashcat`.
    let shown = |hash: &str, salt: Option<&str>| {
        let report = one(hash, salt, Some("hashcat"));
        let hint = report.hint.unwrap_or("no hint");
        format!(
            "{} ({hint}) {}",
            report.name.unwrap(),
            report.fragment.unwrap()
        )
    };
    let joomla = shown(
        "b78f863f2c67410c41e617f724e22f34",
        Some("89384528665349271307465505333378"),
    );
    let vbulletin = shown("28f9975808ae2bdc5847b1cda26033ea:308", None);
    let mybb = shown("022f7e02b3314f7d0968f73c00ba759f:67588", None);
    let redmine = shown(
        "c18e826af2a78c7b9b7261452613233417e65817:28246535720688452723483475753333",
        None,
    );
    let wordpress = shown("$P$946647711V1klyitUYhtB8Yw5DMA/w.", None);
    let descrypt = shown("48c/R8JAv757A", None);
    let mysql = shown("7196759210defdc0", None);
    let netscaler = shown("1765058016a22f1b4e076dccd1c3df4e8e5c0839ccded98ea", None);
    let all = [
        joomla, vbulletin, mybb, redmine, wordpress, descrypt, mysql, netscaler,
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
md5(password + salt) (Joomla 1) {"custom_password_hash":{"algorithm":"md5","hash":{"value":"b78f863f2c67410c41e617f724e22f34","encoding":"hex"},"salt":{"value":"89384528665349271307465505333378","encoding":"utf8","position":"suffix"}}}
md5(md5hex(password) + salt) (vBulletin) {"custom_password_hash":{"algorithm":"recipe","recipe":"md5(md5hex(password) + salt)","hash":{"value":"28f9975808ae2bdc5847b1cda26033ea","encoding":"hex"},"salt":{"value":"308","encoding":"utf8"}}}
md5(md5hex(salt) + md5hex(password)) (MyBB or IP.Board) {"custom_password_hash":{"algorithm":"recipe","recipe":"md5(md5hex(salt) + md5hex(password))","hash":{"value":"022f7e02b3314f7d0968f73c00ba759f","encoding":"hex"},"salt":{"value":"67588","encoding":"utf8"}}}
sha1(salt + sha1hex(password)) (PunBB or Redmine) {"custom_password_hash":{"algorithm":"recipe","recipe":"sha1(salt + sha1hex(password))","hash":{"value":"c18e826af2a78c7b9b7261452613233417e65817","encoding":"hex"},"salt":{"value":"28246535720688452723483475753333","encoding":"utf8"}}}
phpass (WordPress up to 6.7, Joomla) (no hint) {"password_hash":"$P$946647711V1klyitUYhtB8Yw5DMA/w."}
des-crypt (no hint) {"custom_password_hash":{"algorithm":"des-crypt","hash":{"value":"48c/R8JAv757A"}}}
mysql323 (no hint) {"custom_password_hash":{"algorithm":"mysql323","hash":{"value":"7196759210defdc0"}}}
netscaler (no hint) {"custom_password_hash":{"algorithm":"netscaler","hash":{"value":"1765058016a22f1b4e076dccd1c3df4e8e5c0839ccded98ea"}}}
"#);
}

#[test]
fn all_samples_have_to_fit() {
    let sample = |hash: &str, password: Option<&str>| Sample {
        hash: HashText::from(hash),
        salt: None,
        username: None,
        email: None,
        user_id: None,
        password: password.map(Password::from),
    };
    let sum = |password: &str| hex::encode(sha2::Sha256::digest(password));
    let fits = Question {
        samples: vec![
            sample(&sum("one"), None),
            sample(&sum("two"), Some("two")),
            sample(&sum("three"), Some("three")),
        ],
        pepper: None,
    };
    assert_eq!(searched(&fits, SECONDS).recipe.unwrap(), "sha256(password)");
    let differs = Question {
        samples: vec![
            sample(&sum("two"), Some("two")),
            sample(&sum("3"), Some("three")),
        ],
        pepper: None,
    };
    assert_eq!(searched(&differs, 1).verdict, Verdict::Nothing);
}

#[test]
fn says_what_came_nearest() {
    let nearest = |report: Report| report.nearest.unwrap();
    let empty = nearest(one(
        "d41d8cd98f00b204e9800998ecf8427e",
        None,
        Some("secret"),
    ));
    let bcrypt = nearest(one(
        "$2b$04$......................LAtw7/ohmmBAhnXqmkuIz83Rl5Qdjhm",
        None,
        Some("secret"),
    ));
    let odd = nearest(one("hello world", None, Some("secret")));
    let shapes: Value = json!(one("5f4dcc3b5aa765d61d8327deb882cf99", None, None).candidates);
    insta::assert_snapshot!(format!("{empty}\n{bcrypt}\n{odd}\n{shapes}"), @r#"
it has 16 bytes, the size of md5 and md4, and no composition that was tried makes it of this password. It is the md5 of an empty text. Not given: salt, pepper, username, email.
this is bcrypt, and neither the password nor any of 55 things that may have been done to it first fits: is the password right, and is there a pepper?
it is neither a known string nor eight or more bytes in hex or base64
["16 bytes: md5, md4 or something over it"]
"#);
}
