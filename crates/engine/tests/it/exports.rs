//! Users out again: whole, encrypted, and back in as they were.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use age::secrecy::ExposeSecret as _;
use domain::{
    Attributes, Credential, EmailAddress, ExportFormat, ExportJob, ExportRequest, ForeignId,
    HashText, JobStatus, Json, MfaFactor, NewUser, Origin, Password, TotpSecret, UserRow, Username,
};
use engine::export::ExportAsk;
use engine::{Context, Engine, Error};
use password::{PasswordHash, Scheme};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::import_rig::{Kind, PEPPER, Rig, file};

crate::on_both_databases!(
    what_is_exported_goes_back_in_as_it_was,
    an_openpgp_key_opens_the_file,
    a_table_and_chosen_members,
    a_dead_worker_is_followed_by_another,
    a_file_has_its_time,
    refuses_what_it_cannot_do,
    stays_within_bounds_of_many_users,
);

/// A user before it is stored.
#[derive(Clone, Debug)]
struct Person {
    id: String,
    attributes: Attributes,
    password: String,
    hash: usize,
    factors: Vec<(u8, String)>,
}

const HASHES: usize = 20;

/// A slow format, whose text goes through though nobody here computes it.
const UNPROVEN: usize = 11;

/// What may stand in a stored hash's way: a user's name that is frozen in it.
const NAME: &str = "Näme \"}";

/// Hashes that bring their format, their recipe or a name of ours; and both under Argon2id.
fn hash_of_a_format(rig: &Rig, kind: usize, password: &str) -> HashText {
    use md5::Digest as _;
    let md5 = |text: String| hex::encode(md5::Md5::digest(text));
    let sha256 = |text: String| hex::encode(sha2::Sha256::digest(text));
    let limits = password::Limits::default();
    let known = |text: String| PasswordHash::from_known(&text, &limits).unwrap();
    let import = |record: Value| {
        let context = password::ImportContext {
            has_pepper: true,
            owner: password::Owner {
                username: Some(NAME),
                ..password::Owner::default()
            },
            ..password::ImportContext::default()
        };
        PasswordHash::from_import(&record.to_string(), &context, &limits).unwrap()
    };
    let recipe = |recipe: &str, value: String| {
        import(json!({"algorithm": "recipe", "recipe": recipe,
            "hash": {"value": value, "encoding": "hex"}}))
    };
    let hash = match kind {
        0 => known(format!("md5$salt${}", md5(format!("salt{password}")))),
        1 => {
            let hex = sha256(format!("{}s\\lt", sha256(password.to_owned())));
            known(format!("$SHA$s\\lt${hex}"))
        }
        2 => known(format!("$5$rounds=1000$salt${}", ".".repeat(43))),
        3 => import(json!({"algorithm": "vbulletin", "salt": {"value": "a\"b"},
            "hash": {"value": md5(format!("{}a\"b", md5(password.to_owned())))}})),
        4 => import(json!({"algorithm": "postgres-md5",
            "hash": {"value": format!("md5{}", md5(format!("{password}{NAME}")))}})),
        5 => recipe(
            "md5(upper(username) + password + '\\'\"')",
            md5(format!("{}{password}'\"", NAME.to_uppercase())),
        ),
        6 => recipe(
            "sha256(pepper + md5hex(password))",
            sha256(format!("{PEPPER}{}", md5(password.to_owned()))),
        ),
        wrapped => {
            let fast = match wrapped {
                7 => HashText::from(format!(
                    r#"custom:{{"algorithm":"md5","hash":{{"value":"{}","encoding":"hex"}}}}"#,
                    md5(password.to_owned())
                )),
                8 => hash_of_a_format(rig, 1, password),
                9 => hash_of_a_format(rig, 4, password),
                _ => hash_of_a_format(rig, 6, password),
            };
            let scheme = Scheme::Argon2id {
                memory_kib: 8,
                iterations: 1,
                parallelism: 1,
            };
            let wrapped = PasswordHash::wrap(&fast, &scheme, &*rig.engine.entropy).unwrap();
            wrapped.unwrap_or_else(|| panic!("kind {kind} is wrapped"))
        }
    };
    hash.to_stored()
}

/// Every kind of hash that the store keeps, of a password.
fn hash(rig: &Rig, kind: usize, password: &str) -> Option<(HashText, bool)> {
    use md5::Digest as _;
    if kind >= 9 {
        return Some((hash_of_a_format(rig, kind - 9, password), true));
    }
    let own = |scheme: Scheme| {
        let password = Password::from(password);
        let hash = scheme.hash(&password, &*rig.engine.entropy).unwrap();
        Some((hash.to_stored(), false))
    };
    let custom = |record: Value| {
        let hash = PasswordHash::from_custom(&record.to_string(), &password::Limits::default());
        Some((hash.unwrap().to_stored(), true))
    };
    let sha256 = hex::encode(sha2::Sha256::digest(format!("salt{password}")));
    match kind {
        0 => None,
        1 => own(Scheme::Argon2id {
            memory_kib: 8,
            iterations: 1,
            parallelism: 1,
        }),
        2 => own(Scheme::Bcrypt { cost: 4 }),
        3 => own(Scheme::Bcrypt { cost: 10 }),
        4 => custom(json!({"algorithm": "md5", "hash": {
            "value": hex::encode(md5::Md5::digest(password)), "encoding": "hex"}})),
        5 => custom(json!({"algorithm": "sha256", "salt": {"value": "salt"},
            "hash": {"value": sha256, "encoding": "hex"}})),
        6 => custom(
            json!({"algorithm": "md5", "password": {"encoding": "utf16le"}, "hash": {
            "value": hex::encode(md5::Md5::digest(utf16(password))), "encoding": "hex"}}),
        ),
        7 => {
            let hash = own(Scheme::Bcrypt { cost: 5 })?.0;
            custom(json!({"algorithm": "bcrypt", "hash": {"value": hash.expose()}}))
        }
        _ => {
            let scheme = Scheme::Argon2id {
                memory_kib: 16,
                iterations: 2,
                parallelism: 2,
            };
            let hash = own(scheme)?.0;
            custom(json!({"algorithm": "argon2", "hash": {"value": hash.expose()}}))
        }
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn metadata() -> impl Strategy<Value = Option<Json>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1.0e9..1.0e9).prop_map(|number: f64| json!(number)),
        "[^\u{0}]{0,12}".prop_map(Value::from),
    ];
    let name = "[a-zA-Z{}\"\\\\ äß日]{1,8}";
    let value = leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    });
    let object = prop::collection::vec((name, value), 0..5);
    prop::option::of(object.prop_map(|members| members.into_iter().collect()))
}

fn person() -> impl Strategy<Value = Person> {
    let text = || prop::option::of("[^\u{0}-\u{1f}]{1,20}");
    let factor = prop_oneof![
        "[A-Z2-7]{16,32}".prop_map(|secret| (0_u8, secret)),
        "\\+[0-9]{8,14}".prop_map(|number| (1, number)),
        "[a-z]{1,8}@example\\.com".prop_map(|address| (2, address)),
    ];
    let names = (text(), text(), text(), text());
    let flags = (any::<bool>(), any::<Option<bool>>(), any::<Option<bool>>());
    let data = (metadata(), metadata());
    (
        names,
        flags,
        data,
        (any::<bool>(), any::<bool>(), any::<bool>()),
        "[^\u{0}]{1,16}",
        0..HASHES,
        prop::collection::vec(factor, 0..3),
    )
        .prop_map(
            |(names, flags, data, has, password, hash, factors)| Person {
                id: String::new(),
                attributes: Attributes {
                    name: names.0,
                    nickname: names.1,
                    given_name: names.2,
                    family_name: names.3,
                    email_verified: flags.0,
                    phone_verified: flags.1,
                    blocked: flags.2,
                    user_metadata: data.0,
                    app_metadata: data.1.filter(|_| has.0),
                    username: has.1.then(|| Username::parse("x").unwrap()),
                    phone_number: has.2.then(String::new),
                    ..Attributes::default()
                },
                password,
                hash,
                factors,
            },
        )
}

/// People whose keys do not meet.
fn people() -> impl Strategy<Value = Vec<Person>> {
    let ids = prop::collection::vec("[^\u{0}-\u{1f}\u{7f}]{0,12}", 1..25);
    let people = ids.prop_flat_map(|ids| {
        let count = ids.len();
        (Just(ids), prop::collection::vec(person(), count))
    });
    people.prop_map(|(ids, people)| {
        let numbered = people.into_iter().zip(ids).enumerate();
        let keyed = numbered.map(|(number, (mut person, id))| {
            let attributes = &mut person.attributes;
            let email = format!("user{number}@example.com");
            attributes.email = Some(EmailAddress::parse(&email).unwrap());
            if attributes.username.is_some() {
                attributes.username = Username::parse(&format!("u#{number}"));
            }
            if attributes.phone_number.is_some() {
                attributes.phone_number = Some(format!("+49{number:06}"));
            }
            attributes.picture = (number % 3 == 0).then(|| "https://pictures.example/?a=\"".into());
            Person {
                id: format!("{number}|{id}"),
                ..person
            }
        });
        keyed.collect()
    })
}

async fn store(rig: &Rig, people: &[Person]) {
    for person in people {
        let factors = person.factors.iter().map(|(kind, value)| match kind {
            0 => MfaFactor::Totp(TotpSecret::from(value.as_str())),
            1 => MfaFactor::Phone(value.clone()),
            _ => MfaFactor::Email(value.clone()),
        });
        let credential = hash(rig, person.hash, &person.password);
        let user = NewUser {
            row: rig.engine.store.next_user_row().await.unwrap(),
            connection: rig.connection.clone(),
            foreign_id: ForeignId::unprefixed(&person.id),
            attributes: person.attributes.clone(),
            credential: credential.map(|(hash, is_imported)| Credential { hash, is_imported }),
            factors: factors.collect(),
            origin: Origin::Native,
            import_job: None,
            created_at: rig.engine.now(),
        };
        let mut write = rig.engine.store.write();
        write.insert_user(&user).unwrap();
        rig.engine.store.commit(write).await.unwrap();
    }
}

/// What a user is recognised by, secrets of factors included.
async fn credentials(rig: &Rig) -> Vec<(String, Vec<String>, Option<HashText>)> {
    let found = rig
        .engine
        .store
        .list_credentials_after(&rig.connection, UserRow(0), 1000);
    let mut found: Vec<_> = found
        .await
        .unwrap()
        .into_iter()
        .map(|exported| {
            let factors = exported.factors.iter();
            let factors = factors.map(|factor| format!("{} {}", factor.kind(), factor.expose()));
            (
                exported.user.user_id.to_string(),
                factors.collect(),
                exported.hash,
            )
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

struct Worker(JoinHandle<()>, CancellationToken);

impl Worker {
    fn start(engine: &Arc<Engine>) -> Self {
        let stop = CancellationToken::new();
        let work = Arc::clone(engine).run_export_jobs(render, stop.clone());
        Self(tokio::spawn(work), stop)
    }

    async fn rest(self) {
        self.1.cancel();
        tokio::time::timeout(Duration::from_secs(30), self.0)
            .await
            .unwrap()
            .unwrap();
    }
}

fn render(user: &domain::User) -> Json {
    let shown = json!({
        "user_id": user.user_id, "email": user.attributes.email, "ferry": {"origin": "x"},
        "user_metadata": user.attributes.user_metadata, "logins_count": 1, "blocked": true,
    });
    shown.as_object().unwrap().clone()
}

fn ask(rig: &Rig, request: ExportRequest) -> ExportAsk {
    ExportAsk {
        connection: Some(rig.connection.to_string()),
        request,
    }
}

fn to(recipient: impl ToString) -> ExportRequest {
    ExportRequest {
        recipient: Some(recipient.to_string()),
        ..ExportRequest::default()
    }
}

async fn accept(rig: &Rig, ask: ExportAsk) -> engine::Result<ExportJob> {
    rig.engine.accept_export(&Context::default(), ask).await
}

async fn ended(rig: &Rig, job: &ExportJob) -> ExportJob {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let job = rig.engine.find_export(&job.id).await.unwrap().unwrap();
        if job.status.is_final() {
            return job;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "the export does not get on"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The bytes behind the link of a finished export.
async fn fetch(rig: &Rig, job: &ExportJob) -> Vec<u8> {
    let location = rig.engine.export_location(job).await.unwrap().unwrap();
    let link = location.rsplit('/').next().unwrap();
    let mut file = rig.engine.open_export(&job.id, link).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(part) = file.bytes.next().await.unwrap() {
        bytes.extend_from_slice(&part);
    }
    assert_eq!(bytes.len() as u64, file.size);
    bytes
}

async fn export(rig: &Rig, request: ExportRequest) -> Vec<u8> {
    let worker = Worker::start(&rig.engine);
    let job = accept(rig, ask(rig, request)).await.unwrap();
    let job = ended(rig, &job).await;
    assert_eq!(
        (job.status, &job.status_details),
        (JobStatus::Completed, &None)
    );
    worker.rest().await;
    fetch(rig, &job).await
}

fn unpack(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_string(&mut text)
        .unwrap();
    text
}

async fn what_is_exported_goes_back_in_as_it_was(kind: Kind) {
    let mut runner = TestRunner::default();
    let identity = age::x25519::Identity::generate();
    for _ in 0..6 {
        let people = people().new_tree(&mut runner).unwrap().current();
        let rig = Rig::open(kind).await;
        store(&rig, &people).await;
        let sealed = export(&rig, to(identity.to_public())).await;
        assert!(
            flate2::read::GzDecoder::new(&sealed[..])
                .read(&mut [0; 8])
                .is_err()
        );
        let text = unpack(&age::decrypt(&identity, &sealed).unwrap());
        assert_eq!(text.lines().count(), people.len());

        let mut other = Rig::open(kind).await;
        let job = other.import(text.as_bytes()).await;
        let report = other.report(&job.id).await;
        assert_eq!(report, "", "{people:#?}");
        assert_eq!(rig.state().await, other.state().await);
        other.rest().await;
        for (before, after) in credentials(&rig)
            .await
            .iter()
            .zip(credentials(&other).await)
        {
            assert_eq!((&before.0, &before.1), (&after.0, &after.1));
            assert_eq!(before.2.is_some(), after.2.is_some(), "{}", before.0);
            let person = people
                .iter()
                .find(|p| format!("auth0|{}", p.id) == before.0);
            let person = person.unwrap();
            let Some(hash) = after.2 else { continue };
            let stored = before.2.as_ref().map(HashText::expose).unwrap_or_default();
            if !stored.starts_with('$') {
                assert_eq!(stored, hash.expose(), "{person:#?}");
            }
            if person.hash == UNPROVEN {
                continue;
            }
            let hash = PasswordHash::from_stored(&hash).unwrap();
            let hash = hash.with_pepper(PEPPER);
            assert!(
                hash.verify(&Password::from(person.password.as_str())),
                "{person:#?}"
            );
            let wrong = format!("{}x", person.password);
            assert!(!hash.verify(&Password::from(wrong.as_str())));
        }
    }
    assert!(!identity.to_string().expose_secret().is_empty());
}

/// GnuPG makes the key and opens the file: neither shares code with us.
async fn an_openpgp_key_opens_the_file(kind: Kind) {
    let home = tempfile::tempdir().unwrap();
    let gpg = |arguments: &[&str], input: &[u8]| {
        let mut gpg = Command::new("gpg")
            .args(["--batch", "--quiet", "--homedir"])
            .arg(home.path())
            .args(["--pinentry-mode", "loopback", "--passphrase", ""])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = gpg.stdin.take().unwrap();
        let input = input.to_vec();
        let feed = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        let output = gpg.wait_with_output().unwrap();
        let _ = feed.join();
        assert!(output.status.success(), "gpg {arguments:?}");
        output.stdout
    };
    let mut rig = Rig::open(kind).await;
    rig.import(&file(3)).await;
    rig.rest().await;
    for algorithm in ["rsa2048", "future-default"] {
        let name = format!("{algorithm}@example.com");
        gpg(
            &["--quick-generate-key", &name, algorithm, "default", "never"],
            b"",
        );
        if algorithm == "rsa2048" {
            let listed = gpg(&["--list-keys", "--with-colons", &name], b"");
            let listed = String::from_utf8(listed).unwrap();
            let line = listed
                .lines()
                .find(|line| line.starts_with("fpr:"))
                .unwrap();
            let print = line.split(':').nth(9).unwrap();
            gpg(&["--quick-add-key", print, "rsa2048", "encr", "never"], b"");
        }
        let key = String::from_utf8(gpg(&["--armor", "--export", &name], b"")).unwrap();
        let sealed = export(&rig, to(key)).await;
        let text = unpack(&gpg(&["--decrypt"], &sealed));
        assert_eq!(text.lines().count(), 3);
        assert!(text.contains(r#""password_hash":"$2b$10$abc"#), "{text}");
    }
    let _ = Command::new("gpgconf")
        .arg("--homedir")
        .arg(home.path())
        .args(["--kill", "all"])
        .status();
}

async fn a_table_and_chosen_members(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    rig.import(&file(2)).await;
    rig.rest().await;
    let field = |name: &str, export_as: Option<&str>| domain::ExportField {
        name: name.into(),
        export_as: export_as.map(str::to_owned),
    };
    let fields = vec![
        field("email", Some("mail")),
        field("user_metadata.number", None),
        field("user_metadata.tags[1]", Some("tag")),
        field("nothing", None),
    ];
    let request = ExportRequest {
        format: ExportFormat::Csv,
        fields,
        ..ExportRequest::default()
    };
    let table = unpack(&export(&rig, request.clone()).await);
    assert_eq!(
        table,
        "mail,user_metadata.number,tag,nothing\r\n\
         \"'user1@example.com\",1,\"'b\",\r\n\"'user2@example.com\",2,\"'b\",\r\n"
    );
    let lines = ExportRequest {
        format: ExportFormat::Json,
        limit: Some(1),
        ..request
    };
    let lines = unpack(&export(&rig, lines).await);
    assert_eq!(
        lines,
        "{\"mail\":\"user1@example.com\",\"user_metadata.number\":1,\"tag\":\"b\"}\n"
    );
    let whole = unpack(&export(&rig, ExportRequest::default()).await);
    assert_eq!(whole.lines().count(), 2);
    assert!(
        !whole.contains("ferry") && !whole.contains("$2b$"),
        "{whole}"
    );
}

async fn a_dead_worker_is_followed_by_another(kind: Kind) {
    let mut rig = Rig::open_with(kind, |settings| {
        settings.import.lease = Duration::from_millis(300);
    })
    .await;
    rig.import(&file(3000)).await;
    rig.rest().await;
    let job = accept(&rig, ask(&rig, ExportRequest::default()))
        .await
        .unwrap();
    for pause in [0, 3, 12, 40] {
        let worker = Worker::start(&rig.engine);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        worker.0.abort();
        let _ = worker.0.await;
        rig.clock.advance(Duration::from_secs(1));
    }
    let other = rig.reopen(|_| {}).await;
    let worker = Worker::start(&other.engine);
    let job = ended(&other, &job).await;
    worker.rest().await;
    let text = unpack(&fetch(&other, &job).await);
    let mut ids: Vec<&str> = text.lines().collect();
    ids.dedup();
    assert_eq!((ids.len(), job.written, job.expected), (3000, 3000, 3000));
    other.engine.sweep_exports().await.unwrap();
    assert_eq!(files(&other), 1, "what dead attempts wrote is gone");
    assert_eq!(fetch(&other, &job).await.len() as i64, job.size);
}

/// Files, or attempts with chunks.
fn files(rig: &Rig) -> usize {
    match &rig.database {
        None => std::fs::read_dir(rig.dir.path().join("exports")).map_or(0, Iterator::count),
        Some(database) => {
            let count = database.psql("select count(distinct attempt) from export_chunks");
            count.unwrap().trim().parse().unwrap()
        }
    }
}

async fn a_file_has_its_time(kind: Kind) {
    let rig = Rig::open(kind).await;
    let worker = Worker::start(&rig.engine);
    let job = accept(&rig, ask(&rig, ExportRequest::default()))
        .await
        .unwrap();
    let job = ended(&rig, &job).await;
    worker.rest().await;
    assert_eq!(unpack(&fetch(&rig, &job).await), "");
    let location = rig.engine.export_location(&job).await.unwrap().unwrap();
    let link = location.rsplit('/').next().unwrap().to_owned();
    for wrong in ["", "x", &link[1..]] {
        let refused = rig.engine.open_export(&job.id, wrong).await;
        assert!(matches!(refused, Err(Error::Missing { .. })));
    }
    rig.engine.sweep_exports().await.unwrap();
    assert_eq!(files(&rig), 1);
    rig.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(rig.engine.export_location(&job).await.unwrap(), None);
    let refused = rig.engine.open_export(&job.id, &link).await;
    assert!(matches!(refused, Err(Error::Missing { .. })));
    rig.engine.sweep_exports().await.unwrap();
    assert_eq!(files(&rig), 0);
    let job = rig.engine.find_export(&job.id).await.unwrap().unwrap();
    assert_eq!((job.status, job.attempt), (JobStatus::Completed, None));
}

async fn refuses_what_it_cannot_do(kind: Kind) {
    let rig = Rig::open(kind).await;
    let key = age::x25519::Identity::generate().to_public();
    let nowhere = ExportAsk {
        connection: Some("con_0000000000000000".into()),
        request: ExportRequest::default(),
    };
    let csv = ExportRequest {
        format: ExportFormat::Csv,
        ..to(&key)
    };
    let chosen = ExportRequest {
        fields: vec![domain::ExportField {
            name: "email".into(),
            export_as: None,
        }],
        ..to(&key)
    };
    let all = ExportAsk {
        connection: None,
        request: to(&key),
    };
    let broken = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----";
    for (ask, expected) in [
        (nowhere, "The connection does not exist."),
        (ask(&rig, csv), "Must be json with credentials"),
        (ask(&rig, chosen), "Not allowed with credentials"),
        (all, "Required with credentials"),
        (ask(&rig, to("age1nobody")), "Not an age recipient"),
        (ask(&rig, to(broken)), "Not an OpenPGP public key"),
        (ask(&rig, to("ssh-ed25519 AAAA")), "Expected age1"),
    ] {
        let error = accept(&rig, ask).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

async fn stays_within_bounds_of_many_users(kind: Kind) {
    let mut rig = Rig::open(kind).await;
    rig.import(&file(1201)).await;
    rig.rest().await;
    let text = unpack(&export(&rig, ExportRequest::default()).await);
    let ids = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ids: Vec<String> = ids.map(|user| user["user_id"].to_string()).collect();
    let expected: Vec<String> = (1..=1201).map(|n| format!("\"auth0|{n:07}\"")).collect();
    assert_eq!(ids, expected);
    let limited = ExportRequest {
        limit: Some(777),
        ..ExportRequest::default()
    };
    assert_eq!(unpack(&export(&rig, limited).await).lines().count(), 777);
}
