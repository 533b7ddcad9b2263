//! The same random work on both databases comes to the same end.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Counters, Page};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::import::ImportRow;
use store::{Key, Store, StoreError, StoredMerge, StoredRowError, UserFilter, UserSort};

use crate::bench::{Bench, on_both};
use crate::import::{Import, row};
use crate::make::{at, email, hash, insert, new_user, username};
use crate::suite::sessions::session_of;

/// Runs a property with an async body on both stores, and shrinks what fails.
fn holds<S: Strategy>(cases: u32, strategy: S, property: impl AsyncFn(&Bench, &Bench, &S::Value))
where
    S::Value: Clone,
{
    on_both(async |sqlite, postgres| {
        let config = Config {
            cases,
            failure_persistence: None,
            max_shrink_iters: 200,
            ..Config::default()
        };
        let outcome = TestRunner::new(config).run(&strategy, |case| {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(property(sqlite, postgres, &case));
            });
            Ok(())
        });
        if let Err(error) = outcome {
            std::panic::resume_unwind(Box::new(error.to_string()));
        }
    });
}

static CASE: AtomicU32 = AtomicU32::new(0);

/// What a row brings; keys come from small alphabets, so that they collide.
#[derive(Clone, Debug)]
struct Keys {
    id: u8,
    email: u8,
    username: Option<u8>,
    phone: Option<u8>,
    name: Option<u8>,
    hash: Option<(u8, bool)>,
}

#[derive(Clone, Debug)]
struct Job {
    upsert: bool,
    /// Asked for instead of the documented two, whose end the model knows.
    policy: Option<&'static str>,
    batches: Vec<Vec<Keys>>,
}

fn keys() -> impl Strategy<Value = Keys> {
    let small = || prop::option::weighted(0.5, 0..6_u8);
    (
        0..12_u8,
        0..8_u8,
        small(),
        small(),
        small(),
        prop::option::of((any::<u8>(), any::<bool>())),
    )
        .prop_map(|(id, email, username, phone, name, hash)| Keys {
            id,
            email,
            username,
            phone,
            name,
            hash,
        })
}

fn jobs() -> impl Strategy<Value = (Vec<Keys>, Vec<Job>)> {
    let batches = prop::collection::vec(prop::collection::vec(keys(), 0..8), 1..4);
    let job = (any::<bool>(), batches).prop_map(|(upsert, batches)| Job {
        upsert,
        policy: None,
        batches,
    });
    (
        prop::collection::vec(keys(), 0..4),
        prop::collection::vec(job, 1..4),
    )
}

/// Policies that match by every key and move every field.
const POLICIES: &[&str] = &[
    r#"{"match_on":["user_id","email","username","phone_number"],"fields":{"default":"replace"},"password":"always"}"#,
    r#"{"match_on":["user_id"],"fields":{"default":"mirror"}}"#,
    r#"{"match_on":["email","username"],"fields":{"default":"only_if_empty","user_metadata":"merge"},"password":"never"}"#,
    r#"{"match_on":["username"],"fields":{"default":"keep","email":"replace","name":"replace","mfa_factors":"replace"}}"#,
    r#"{"match_on":["phone_number","email"],"fields":{"default":"merge","email":"keep","username":"keep","phone_number":"keep"}}"#,
    "upsert",
    "reject",
];

fn jobs_under_policies() -> impl Strategy<Value = (Vec<Keys>, Vec<Job>)> {
    let policy = prop::sample::select(POLICIES);
    (jobs(), prop::collection::vec(policy, 4)).prop_map(|((seeds, mut jobs), policies)| {
        for (job, policy) in jobs.iter_mut().zip(policies) {
            job.policy = Some(policy);
        }
        (seeds, jobs)
    })
}

impl Keys {
    fn row(&self, case: u32) -> ImportRow {
        ImportRow {
            username: self.username.map(|name| format!("user{name}")),
            phone_number: self.phone.map(|number| format!("+{number}")),
            name: self.name.map(|name| format!("Name {name}")),
            password: self.hash.map(|(text, _)| hash(&format!("hash {text}"))),
            is_custom_hash: self.hash.is_some_and(|(_, is_custom)| is_custom),
            user_metadata: self
                .name
                .map(|name| format!("{{\"m\":{{\"n{name}\":{name}}}}}")),
            email_verified: self.phone.map(|number| number % 2 == 0),
            factors: match self.hash {
                Some((text, true)) => vec![domain::MfaFactor::Email(format!("{text}@x.org"))],
                _ => vec![],
            },
            ..row(
                &format!("{case}-{}", self.id),
                &format!("{}@x.org", self.email),
            )
        }
    }
}

/// A user as the rules of the wire document leave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Person {
    id: String,
    email: String,
    username: Option<String>,
    phone: Option<String>,
    name: Option<String>,
    hash: Option<(String, bool)>,
    is_email_verified: bool,
    metadata: Option<String>,
    factors: Vec<String>,
    version: i64,
}

/// The rules, without any database.
#[derive(Default)]
struct Model {
    people: Vec<(Person, Option<usize>)>,
    /// Of the first of them.
    legacy_id: Option<String>,
}

impl Model {
    fn holders(&self, row: &ImportRow) -> Vec<(&'static str, usize)> {
        let find = |is_held: &dyn Fn(&Person) -> bool| {
            self.people.iter().position(|(person, _)| is_held(person))
        };
        let found = [
            ("email", find(&|person| person.email == row.email)),
            (
                "username",
                find(&|person| row.username.is_some() && person.username == row.username),
            ),
            (
                "phone_number",
                find(&|person| row.phone_number.is_some() && person.phone == row.phone_number),
            ),
            (
                "user_id",
                if self.legacy_id.as_ref() == Some(&row.foreign_id) {
                    Some(0)
                } else {
                    find(&|person| person.id == row.foreign_id)
                },
            ),
        ];
        found
            .into_iter()
            .filter_map(|(key, holder)| Some((key, holder?)))
            .collect()
    }

    /// `None` when the row was written.
    fn take(
        &mut self,
        row: &ImportRow,
        job: usize,
        upsert: bool,
        counters: &mut Counters,
    ) -> Option<(&'static str, &'static str)> {
        counters.total += 1;
        let holders = self.holders(row);
        let given = row.password.as_ref().map(|hash| hash.expose().to_owned());
        if holders.is_empty() {
            counters.inserted += 1;
            let person = Person {
                id: row.foreign_id.clone(),
                email: row.email.clone(),
                username: row.username.clone(),
                phone: row.phone_number.clone(),
                name: row.name.clone(),
                hash: given.map(|hash| (hash, true)),
                is_email_verified: row.email_verified == Some(true),
                metadata: row.user_metadata.clone(),
                factors: row.factors.iter().map(|f| f.kind().to_owned()).collect(),
                version: 1,
            };
            self.people.push((person, Some(job)));
            return None;
        }
        counters.failed += 1;
        if let Some((key, _)) = holders
            .iter()
            .find(|(_, holder)| self.people[*holder].1 == Some(job))
        {
            return Some(("DUPLICATED_USER", *key));
        }
        let (key, holder) = holders[0];
        if !upsert || key != "email" {
            let code = match key {
                "email" => "CONFLICT_EMAIL",
                "username" => "CONFLICT_USERNAME",
                _ => "CONFLICT",
            };
            return Some((code, key));
        }
        let (person, touched) = &mut self.people[holder];
        if row.is_custom_hash
            && person
                .hash
                .as_ref()
                .is_some_and(|(_, is_imported)| !is_imported)
        {
            return Some(("CONFLICT", "custom_password_hash"));
        }
        counters.failed -= 1;
        counters.updated += 1;
        *touched = Some(job);
        let before = person.clone();
        person.name = row.name.clone().or(person.name.take());
        person.is_email_verified = row.email_verified == Some(true);
        person.metadata = row.user_metadata.clone().or(person.metadata.take());
        if let (true, Some(hash)) = (row.is_custom_hash, given) {
            person.hash = Some((hash, true));
        }
        person.version += i64::from(*person != before);
        None
    }
}

type Errors = Vec<(i64, String, String)>;

async fn on_store(
    store: &Store,
    case: u32,
    seeds: &[Keys],
    jobs: &[Job],
) -> (Vec<String>, Vec<(Counters, Errors)>, Vec<Person>) {
    let name = format!("case{case}");
    let mut seeded = Vec::new();
    let mut reports = Vec::new();
    for (number, job) in jobs.iter().enumerate() {
        let id = format!("job_{case}_{number}");
        let mut import = Import::start_at(store, &name, &id, job.upsert).await;
        if let Some(policy) = job.policy {
            import = import.under(policy);
        }
        if number == 0 {
            for keys in seeds {
                seeded.push(seed(store, &import.connection, &keys.row(case)).await);
            }
            if seeds.len() > 1 {
                let first = &seeds[0].row(case).foreign_id;
                seeded.push(know_as(store, &import.connection, first, &legacy_id(case)).await);
            }
        }
        let before = people_in(store, &import.connection.id).await;
        let rehearsed = rehearse(store, (case, number), &name, job).await;
        assert_eq!(people_in(store, &import.connection.id).await, before);
        for batch in &job.batches {
            import
                .batch(batch.iter().map(|keys| keys.row(case)).collect())
                .await
                .unwrap();
        }
        let (report, merges) = report_of(store, &id).await;
        assert_eq!(
            (import.counters, &report, &merges),
            (rehearsed.0, &rehearsed.1, &rehearsed.2)
        );
        let errors = report.into_iter().map(|row| {
            (
                row.row,
                row.errors[0].code.as_str().to_owned(),
                row.errors[0].path.clone(),
            )
        });
        let stored = store.find_job(&id.as_str().into()).await.unwrap().unwrap();
        assert_eq!(stored.counters, import.counters);
        reports.push((import.counters, errors.collect()));
    }
    let connection = domain::ConnectionId::from(format!("con_{name}"));
    (seeded, reports, people_in(store, &connection).await)
}

async fn report_of(store: &Store, id: &str) -> (Vec<StoredRowError>, Vec<StoredMerge>) {
    let page = Page {
        number: 0,
        size: 100,
    };
    let errors = store.list_row_errors(&id.into(), page).await.unwrap();
    (
        errors,
        store.list_merges_after(&id.into(), 0, 100).await.unwrap(),
    )
}

/// What a dry run says of a job.
async fn rehearse(
    store: &Store,
    (case, number): (u32, usize),
    name: &str,
    job: &Job,
) -> (Counters, Vec<StoredRowError>, Vec<StoredMerge>) {
    let id = format!("job_{case}_{number}_dry");
    let mut import = Import::start_at(store, name, &id, job.upsert).await;
    if let Some(policy) = job.policy {
        import = import.under(policy);
    }
    let stage = store.rehearse().await.unwrap();
    for batch in &job.batches {
        let rows = batch.iter().map(|keys| keys.row(case)).collect();
        import.rehearse(&stage, rows).await.unwrap();
    }
    let (errors, merges) = report_of(store, &id).await;
    let stored = store.find_job(&id.as_str().into()).await.unwrap().unwrap();
    assert_eq!(stored.counters, import.counters);
    (import.counters, errors, merges)
}

async fn people_in(store: &Store, connection: &domain::ConnectionId) -> Vec<Person> {
    let filter = UserFilter::Connection(connection.clone());
    let users = store
        .list_users(
            &filter,
            UserSort::UserId,
            false,
            Page {
                number: 0,
                size: 100,
            },
        )
        .await
        .unwrap();
    let mut people = Vec::new();
    for user in users.items {
        let attributes = user.attributes;
        let stored = store
            .find_credential(user.row, connection)
            .await
            .unwrap()
            .unwrap();
        people.push(Person {
            id: user.identities[0].foreign_id.to_string(),
            email: attributes.email.unwrap().as_str().to_owned(),
            username: attributes.username.map(|name| name.as_str().to_owned()),
            phone: attributes.phone_number,
            name: attributes.name,
            hash: stored
                .hash
                .map(|hash| (hash.expose().to_owned(), stored.is_imported)),
            is_email_verified: attributes.email_verified,
            metadata: attributes
                .user_metadata
                .map(|object| serde_json::to_string(&object).unwrap()),
            factors: user.factors,
            version: user.version,
        });
    }
    people.sort();
    people
}

/// A user who was here before, with a proven password.
async fn seed(store: &Store, connection: &domain::Connection, row: &ImportRow) -> String {
    let number = store.next_user_row().await.unwrap();
    let mut user = new_user(number, connection, &row.foreign_id, &row.email);
    user.attributes.email = Some(email(&row.email));
    user.attributes.username = row.username.as_deref().map(username);
    user.attributes.phone_number.clone_from(&row.phone_number);
    user.attributes.name.clone_from(&row.name);
    match insert(store, &user).await {
        Ok(()) => "written".into(),
        Err(error) => error.to_string(),
    }
}

/// The id by which a legacy store knows the first seed, where it is free.
fn legacy_id(case: u32) -> String {
    format!("{case}-11")
}

async fn know_as(store: &Store, connection: &domain::Connection, id: &str, known: &str) -> String {
    let user = store.find_user(&format!("auth0|{id}").into()).await;
    let mut write = store.write();
    write.hold_off_imports(&connection.id).insert_legacy_id(
        user.unwrap().unwrap().row,
        &connection.id,
        &known.into(),
        at(1),
    );
    match store.commit(write).await {
        Ok(()) => "known".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn random_files_come_to_what_the_rules_say() {
    holds(60, jobs(), async |sqlite, postgres, (seeds, jobs)| {
        let case = CASE.fetch_add(1, Ordering::Relaxed);
        let (seeded, reports, people) = on_store(sqlite, case, seeds, jobs).await;
        let other = on_store(postgres, case, seeds, jobs).await;
        assert_eq!((&seeded, &reports, &people), (&other.0, &other.1, &other.2));
        let mut model = Model::default();
        for (keys, outcome) in seeds.iter().zip(&seeded) {
            let row = keys.row(case);
            if outcome == "written" {
                model.take(&row, 0, false, &mut Counters::default());
                let (person, job) = model.people.last_mut().unwrap();
                person.hash = Some(("$argon2id$one".into(), false));
                (person.is_email_verified, person.metadata) = (false, None);
                person.factors.clear();
                *job = None;
            } else {
                assert!(!model.holders(&row).is_empty());
            }
        }
        if seeded
            .get(seeds.len())
            .is_some_and(|outcome| outcome == "known")
        {
            model.legacy_id = Some(legacy_id(case));
        }
        for (number, job) in jobs.iter().enumerate() {
            let (mut counters, mut errors, mut place) = (Counters::default(), Errors::new(), 0);
            for keys in job.batches.iter().flatten() {
                place += 1;
                if let Some((code, path)) =
                    model.take(&keys.row(case), number, job.upsert, &mut counters)
                {
                    errors.push((place, code.to_owned(), path.to_owned()));
                }
            }
            assert_eq!(reports[number], (counters, errors));
        }
        let mut wanted: Vec<_> = model.people.into_iter().map(|(person, _)| person).collect();
        wanted.sort();
        assert_eq!(people, wanted);
    });
}

#[test]
fn random_policies_come_to_the_same_on_both() {
    holds(
        40,
        jobs_under_policies(),
        async |sqlite, postgres, (seeds, jobs)| {
            let case = CASE.fetch_add(1, Ordering::Relaxed);
            let one = on_store(sqlite, case, seeds, jobs).await;
            let other = on_store(postgres, case, seeds, jobs).await;
            assert_eq!(one, other);
            for (number, job) in jobs.iter().enumerate() {
                let id = format!("job_{case}_{number}").as_str().into();
                let merges = sqlite.list_merges_after(&id, 0, 100).await.unwrap();
                assert_eq!(
                    merges,
                    postgres.list_merges_after(&id, 0, 100).await.unwrap()
                );
                let is_named = job.policy.is_some_and(|policy| !policy.starts_with('{'));
                assert!(merges.is_empty() || !is_named);
            }
            assert_eq!(sqlite.orphans().await.unwrap(), [""; 0]);
        },
    );
}

/// One change of anything that needs no seal.
#[derive(Clone, Debug)]
enum Change {
    Connection(u8, bool),
    Insert(u8, u8, Keys),
    Update(u8, u8, Keys),
    Delete(u8),
    Login(u8),
    Password(u8, u8, u8),
    Refresh(u8, u8, u8),
    Adopt(u8, u8),
    Session(u8, u8, bool),
    Count(u8, i64),
    Mail(u8, bool),
    Job(u8, u8, u8),
    Grant(u8, u8, u8),
    Api(u8, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let few = || 0..3_u8;
    prop_oneof![
        2 => (few(), any::<bool>()).prop_map(|(c, d)| Change::Connection(c, d)),
        6 => (few(), 0..6_u8, keys()).prop_map(|(c, r, k)| Change::Insert(c, r, k)),
        4 => (few(), 0..6_u8, keys()).prop_map(|(c, r, k)| Change::Update(c, r, k)),
        1 => (0..6_u8).prop_map(Change::Delete),
        1 => (0..6_u8).prop_map(Change::Login),
        1 => (few(), 0..6_u8, few()).prop_map(|(c, r, h)| Change::Password(c, r, h)),
        1 => (few(), 0..6_u8, few()).prop_map(|(c, r, h)| Change::Refresh(c, r, h)),
        1 => (few(), 0..6_u8).prop_map(|(c, r)| Change::Adopt(c, r)),
        2 => (0..6_u8, few(), any::<bool>()).prop_map(|(r, t, u)| Change::Session(r, t, u)),
        1 => (few(), 0..20_i64).prop_map(|(n, t)| Change::Count(n, t)),
        1 => (few(), any::<bool>()).prop_map(|(m, s)| Change::Mail(m, s)),
        2 => (few(), few(), few()).prop_map(|(j, c, w)| Change::Job(j, c, w)),
        1 => (few(), few(), few()).prop_map(|(g, c, a)| Change::Grant(g, c, a)),
        1 => (few(), few()).prop_map(|(a, i)| Change::Api(a, i)),
    ]
}

fn apply(write: &mut store::Write, change: &Change) {
    use crate::make;
    let connection = |number: &u8| make::connection(&format!("c{number}"));
    let user_row = |number: &u8| domain::UserRow(i64::from(*number));
    match change {
        Change::Connection(number, true) => {
            write.insert_connection(&connection(number), at(0)).unwrap();
        }
        Change::Connection(number, false) => {
            write.delete_connection(&connection(number).id, at(1));
        }
        Change::Insert(c, r, keys) | Change::Update(c, r, keys) => {
            let connection = connection(c);
            let row = keys.row(0);
            let mut user = new_user(user_row(r), &connection, &row.foreign_id, &row.email);
            user.attributes.username = row.username.as_deref().map(username);
            user.attributes.phone_number = row.phone_number;
            if matches!(change, Change::Insert(..)) {
                user.credential = user.credential.filter(|_| keys.hash.is_some());
                write.require_connection(&connection.id);
                write.insert_user(&user).unwrap();
            } else {
                let user = domain::User {
                    row: user.row,
                    user_id: "".into(),
                    version: 1,
                    attributes: user.attributes,
                    identities: vec![],
                    created_at: at(0),
                    updated_at: at(0),
                    last_login: None,
                    last_ip: None,
                    logins_count: 0,
                    last_password_reset: None,
                    sessions_revoked_at: None,
                    factors: vec![],
                };
                write.update_user(&user, &connection.id, at(2));
            }
        }
        Change::Delete(r) => {
            write.delete_user(user_row(r));
        }
        Change::Login(r) => {
            write.record_login(user_row(r), None, at(3));
        }
        Change::Password(c, r, h) => {
            write.set_password(
                user_row(r),
                &connection(c).id,
                &make::credential(&format!("h{h}")),
                at(3),
            );
        }
        Change::Refresh(c, r, h) => {
            write.refresh_password(
                user_row(r),
                &connection(c).id,
                &hash(&format!("h{h}")),
                &hash("fresh"),
            );
        }
        Change::Adopt(c, r) => {
            write.adopt_password(user_row(r), &connection(c).id, &hash("adopted"), at(4));
        }
        Change::Session(r, token, true) => {
            let (id, token) = (format!("s{r}{token}"), format!("t{token}"));
            write.insert_session(&session_of(&id, user_row(r)), &token);
        }
        Change::Session(r, token, false) => {
            write.delete_session(&format!("s{r}{token}").into(), &make::ending(at(5)));
        }
        Change::Count(name, now) => {
            write.count(&name.to_string(), at(*now), at(now + 10));
        }
        Change::Mail(id, true) => {
            let mail = store::Mail {
                id: id.to_string(),
                recipient: "r".into(),
                subject: "s".into(),
                body: "b".into(),
                attempts: 0,
            };
            write.post(&mail, at(0)).unwrap();
        }
        Change::Mail(id, false) => {
            write.mark_sent(&id.to_string(), at(1));
        }
        Change::Job(j, c, 0) => {
            write.insert_job(&make::job(
                &format!("job_{j}"),
                &connection(c),
                at(i64::from(*j)),
            ));
        }
        Change::Job(j, _, 1) => {
            write.delete_job(&format!("job_{j}").into());
        }
        Change::Job(j, ..) => {
            let lease = store::Lease {
                job: format!("job_{j}").into(),
                owner: "w".into(),
            };
            write.renew_lease(&lease, at(7));
        }
        Change::Grant(id, client, audience) => {
            write.insert_grant(&domain::ClientGrant {
                id: id.to_string().into(),
                client_id: client.to_string().into(),
                audience: audience.to_string(),
                scope: vec![],
            });
        }
        Change::Api(id, identifier) => {
            write.insert_resource_server(&make::api(&id.to_string(), &identifier.to_string()));
        }
    }
}

const USER_KEYS: [Key; 4] = [Key::ForeignId, Key::Email, Key::Username, Key::PhoneNumber];

async fn play(store: &Store, batches: &[Vec<Change>]) -> (Vec<String>, String) {
    let mut outcomes = Vec::new();
    for batch in batches {
        let mut write = store.write();
        for change in batch {
            apply(&mut write, change);
        }
        outcomes.push(match store.commit(write).await {
            Ok(()) => "written".to_owned(),
            // Rows here share their id and another key, and databases differ in which they name.
            Err(StoreError::Conflict(key)) if !USER_KEYS.contains(&key) => "conflict".to_owned(),
            Err(error) => error.to_string(),
        });
    }
    let dump = store.dump().await.unwrap();
    // All but the seals, whose nonces are random.
    let lines = dump.lines().filter(|line| !line.starts_with("settings:"));
    (
        outcomes,
        lines.map(without_seal).collect::<Vec<_>>().join("\n"),
    )
}

/// A mail's text is sealed until it was sent.
fn without_seal(line: &str) -> String {
    let mut fields: Vec<&str> = line.split(", ").collect();
    if line.starts_with("outbox:") && fields[3].len() > 2 {
        fields[3] = "sealed";
    }
    fields.join(", ")
}

#[test]
fn random_batches_come_to_the_same_rows_and_errors() {
    let batches = prop::collection::vec(prop::collection::vec(change(), 1..4), 1..30);
    holds(60, batches, async |sqlite, postgres, batches| {
        let one = play(sqlite, batches).await;
        let two = play(postgres, batches).await;
        assert_eq!(one.0, two.0);
        assert_eq!(one.1, two.1);
        for store in [sqlite, postgres] {
            let wipe = store.db().batch(wipe()).await;
            wipe.unwrap();
        }
    });
}

fn wipe() -> Vec<store::db::Stmt> {
    [
        "delete from connections",
        "delete from connection_realms",
        "delete from users",
        "delete from identities",
        "delete from sessions",
        "delete from session_clients",
        "delete from rate_counters",
        "delete from outbox",
        "delete from jobs",
        "delete from client_grants",
        "delete from resource_servers",
    ]
    .map(|sql| store::db::any(sql, vec![]))
    .into()
}
