//! Ten thousand calls in one worker of the embedded engine, for each starter whose store can be had
//! here: it grows neither in memory nor in descriptors. Most calls are lookups; the logins are of
//! nobody, or wrong by a hash that costs little.

use std::fs;
use std::io::Write as _;

use script::{EmbeddedRuntime, LoginOutcome, LookupOutcome, Runtime};
use testkit::{Kind, Legacy, MariaDb, Postgres, Slapd, WebService};

use crate::checks::PEOPLE;
use crate::rig::{Starter, launcher};

const CALLS: usize = 10_000;
/// How often the worker is looked at.
const EVERY: usize = 50;
/// Descriptors that come and go: a connection that is made again, a question under way.
const SPARE_DESCRIPTORS: usize = 4;

/// What a worker holds, at a moment.
struct Size {
    resident: u64,
    descriptors: usize,
}

/// The process of a worker.
struct Worker(String);

impl Worker {
    /// This process's oldest worker: the other one is the spare.
    fn oldest() -> Self {
        let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        let lists = tasks.flat_map(|task| fs::read_to_string(task.path().join("children")));
        let lists: Vec<String> = lists.collect();
        let children = lists.iter().flat_map(|list| list.split_whitespace());
        let is_worker = |number: &&str| {
            let program = fs::read_link(format!("/proc/{number}/exe"));
            program.is_ok_and(|program| program == launcher())
        };
        let oldest = children.filter(is_worker).min_by_key(|number| born(number));
        Self(oldest.unwrap().to_owned())
    }

    fn size(&self) -> Size {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap();
        Size {
            resident: kilobytes.parse().unwrap(),
            descriptors: descriptors.count(),
        }
    }
}

/// When a process was started, in the system's ticks, and its number.
fn born(number: &str) -> (u64, u32) {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap();
    // The name in parentheses may hold anything; the start is the 20th word after it.
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let ticks = rest.split_whitespace().nth(19).unwrap();
    (ticks.parse().unwrap(), number.parse().unwrap())
}

/// What is asked of a store.
struct Plan<'a> {
    /// Somebody whom `get_user` finds.
    known: &'a str,
    /// Somebody whose hash is cheap, for wrong passwords; none where all are dear.
    wrong: Option<&'a str>,
}

/// One call of the mix.
async fn call(starter: &Starter, plan: &Plan<'_>, round: usize) {
    match (round % 20, plan.wrong) {
        (0, Some(name)) => {
            let outcome = starter.login(name, &format!("wrong {round}")).await;
            let is_wrong = matches!(outcome, LoginOutcome::WrongPassword { .. });
            assert!(is_wrong, "{round}: {outcome:?}");
        }
        (0..4, _) => {
            let outcome = starter.login(&format!("nobody-{round}"), "x").await;
            assert_eq!(outcome, LoginOutcome::NoSuchUser, "{round}");
        }
        (4..8, _) => {
            let outcome = starter.get_user(&format!("nobody-{round}@x.org")).await;
            assert_eq!(outcome, LookupOutcome::NotFound, "{round}");
        }
        _ => {
            let outcome = starter.get_user(plan.known).await;
            assert!(matches!(outcome, LookupOutcome::Found(_)), "{outcome:?}");
        }
    }
}

fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

/// Makes the calls and compares the last quarter with the second one.
async fn stays_as_it_is(name: &str, settings: &[(&str, &str)], plan: Plan<'_>) {
    let runtime = Runtime::Embedded(EmbeddedRuntime::default());
    let starter = Starter::new(&runtime, name, settings);
    call(&starter, &plan, 0).await;
    let worker = Worker::oldest();
    let mut sizes = Vec::new();
    for round in 1..CALLS {
        call(&starter, &plan, round).await;
        if round % EVERY == 0 {
            sizes.push(worker.size());
        }
    }
    // The same process to the end, or there would be no size of it.
    sizes.push(worker.size());
    let quarter = sizes.len() / 4;
    let (second, last) = (&sizes[quarter..2 * quarter], &sizes[3 * quarter..]);
    let resident = |part: &[Size]| median(part.iter().map(|size| size.resident).collect());
    let descriptors = |part: &[Size]| part.iter().map(|size| size.descriptors).max().unwrap();
    let (before, after) = (resident(second), resident(last));
    let (few, many) = (descriptors(second), sizes.last().unwrap().descriptors);
    let words = format!(
        "soak: {name}: {CALLS} calls in one worker: {before} -> {after} KiB, {few} -> {many} descriptors"
    );
    // Past the test harness, which keeps what a passing test prints to itself.
    let mut out = std::io::stdout();
    writeln!(out, "{words}").unwrap();
    assert!(after * 10 <= before * 11, "{words}");
    assert!(many <= few + SPARE_DESCRIPTORS, "{words}");
}

const USERS: &str = include_str!("../../../testkit/stores/users.sql");
const WORDPRESS: &str = include_str!("../../../testkit/stores/wordpress.sql");
const DEVISE: &str = include_str!("../../../testkit/stores/devise.sql");

/// `upper` has MD5 in some form in every store.
const PLAN: Plan<'_> = Plan {
    known: "ann@example.org",
    wrong: Some("Udo.Upper@Example.org"),
};

#[tokio::test]
async fn postgres() {
    let database = Postgres::shared().unwrap().database().unwrap();
    database.psql(USERS).unwrap();
    stays_as_it_is("postgres", &[("DATABASE_URL", database.url())], PLAN).await;
}

#[tokio::test]
async fn mysql() {
    let mariadb = MariaDb::start().unwrap();
    mariadb.run_file(USERS).unwrap();
    stays_as_it_is("mysql", &[("DATABASE_URL", &mariadb.url())], PLAN).await;
}

#[tokio::test]
async fn wordpress() {
    let mariadb = MariaDb::start().unwrap();
    mariadb.run_file(WORDPRESS).unwrap();
    stays_as_it_is("wordpress", &[("DATABASE_URL", &mariadb.url())], PLAN).await;
}

#[tokio::test]
async fn django() {
    let legacy = Legacy::start().unwrap();
    let person = legacy.person(Kind::Ordinary).unwrap();
    let sql = format!(
        "update auth_user set password = 'md5$salt$00000000000000000000000000000000' where id = {}",
        person.id
    );
    legacy.database().psql(&sql).unwrap();
    let plan = Plan {
        known: &person.email,
        wrong: Some(&person.email),
    };
    stays_as_it_is("django", &[("DATABASE_URL", legacy.url())], plan).await;
}

#[tokio::test]
async fn devise() {
    let database = Postgres::shared().unwrap().database().unwrap();
    database.psql(DEVISE).unwrap();
    let settings = [
        ("DATABASE_URL", database.url()),
        ("PEPPER", "pepper of the shop"),
    ];
    let plan = Plan {
        known: "ann@example.org",
        wrong: None,
    };
    stays_as_it_is("devise", &settings, plan).await;
}

#[tokio::test]
async fn ldap() {
    let slapd = Slapd::start().unwrap();
    let settings = [
        ("LDAP_URL", slapd.url()),
        ("BASE_DN", Slapd::PEOPLE.to_owned()),
        ("BIND_DN", Slapd::READER.to_owned()),
        ("BIND_PASSWORD", Slapd::READER_PASSWORD.to_owned()),
    ];
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let plan = Plan {
        known: "ann@example.org",
        wrong: None,
    };
    stays_as_it_is("ldap", &settings, plan).await;
}

#[tokio::test]
async fn http() {
    let person = &PEOPLE[0];
    let json = serde_json::json!({
        "id": 1, "email": person.email, "username": person.username,
        "password": person.password, "email_verified": true,
    });
    let service = WebService::start(vec![json]).await.unwrap();
    let (user, password) = WebService::ACCOUNT;
    let url = service.url();
    let settings = [
        ("BASE_URL", url.as_str()),
        ("SERVICE_USER", user),
        ("SERVICE_PASSWORD", password),
    ];
    let plan = Plan {
        known: person.email,
        wrong: Some(person.email),
    };
    stays_as_it_is("http", &settings, plan).await;
}
