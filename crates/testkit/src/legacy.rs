//! The legacy store: a PostgreSQL database that Django made and filled.
//!
//! `tools/legacy` lets Django create the users once and keeps a dump; each [`Legacy`] is a restored
//! copy of its own, so a test may change or stop it. See `examples/django/accounts/people.py` for
//! who is in it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::checkout;
use crate::postgres::{Database, Postgres};

/// What is special about a user of the legacy store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing: has a unique address and an ordinary password.
    Ordinary,
    /// `MiXed.Case@example.com`.
    MixedCase,
    /// May not log in to Django.
    Inactive,
    /// Django stores an unusable password.
    NoPassword,
    /// The address is the empty string.
    NoEmail,
    /// One of two users with the same address.
    SharedEmail,
    /// An address with an apostrophe, a plus and a subdomain.
    OddAddress,
    /// The password begins and ends with spaces.
    SpacedPassword,
    /// The password is longer than bcrypt reads.
    LongPassword,
}

/// One user of the legacy store, as Django stored it.
#[derive(Debug, Clone, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the columns are what they are"
)]
#[non_exhaustive]
pub struct Person {
    /// Django's primary key.
    pub id: i64,
    /// Ordinary, or which special case.
    pub kind: Kind,
    /// Unique.
    pub username: String,
    /// May be empty, and two users share one.
    pub email: String,
    /// What to type; none when Django holds an unusable one.
    pub password: Option<String>,
    /// Django's `first_name`.
    pub given_name: String,
    /// Django's `last_name`.
    pub family_name: String,
    /// Both, as Django joins them.
    pub name: String,
    /// Goes to `user_metadata`.
    pub locale: String,
    /// Goes to `user_metadata`.
    pub newsletter: bool,
    /// Goes to `app_metadata`.
    pub plan: String,
    /// Whether the address was proven.
    pub email_verified: bool,
    /// Who is not becomes `blocked`.
    pub is_active: bool,
    /// Goes to `app_metadata`.
    pub is_staff: bool,
    /// RFC 3339 with microseconds.
    pub date_joined: String,
    /// The column `password`: `pbkdf2_sha256$1000000$salt$base64`.
    pub password_hash: String,
}

/// A copy of the legacy store for one test.
pub struct Legacy {
    database: Database,
    users_file: PathBuf,
    people: Vec<Person>,
}

impl Legacy {
    /// Restores the store into a database of [`Postgres::shared`]. The first call on a machine has
    /// Django make it, which takes about half a minute.
    pub fn start() -> Result<Self> {
        Self::start_in(Postgres::shared()?)
    }

    /// The same in a cluster of the caller's choice.
    pub fn start_in(postgres: &Postgres) -> Result<Self> {
        let database = postgres.database()?;
        let mut fill = checkout::tool("legacy");
        fill.args(["fill", database.url()])
            .env("FERRY_TEST_POSTGRES", postgres.admin_url());
        let folder = checkout::output_of(&mut fill)?;
        let users_file = Path::new(&folder).join("users.json");
        let people = serde_json::from_slice(&std::fs::read(&users_file)?).context("users.json")?;
        Ok(Self {
            database,
            users_file,
            people,
        })
    }

    /// What goes into a connection's `configuration.LEGACY_DATABASE_URL`.
    pub fn url(&self) -> &str {
        self.database.url()
    }

    /// The database itself, for changing what is in it.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// What Django's `manage.py dumpdata` writes of all its models.
    pub fn dumpdata(&self) -> Result<String> {
        let mut django = checkout::python()?;
        django
            .current_dir(checkout::top().join("examples/django"))
            .args(["manage.py", "dumpdata", "--indent=1"])
            .env("LEGACY_DATABASE_URL", self.url())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        checkout::output_of(&mut django)
    }

    /// The list of users as the seed command printed it, with passwords.
    pub fn users_file(&self) -> &Path {
        &self.users_file
    }

    /// All 240, by id.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Those with nothing special about them: whoever is among these can log in by address.
    pub fn ordinary(&self) -> impl Iterator<Item = &Person> {
        self.people
            .iter()
            .filter(|person| person.kind == Kind::Ordinary)
    }

    /// The first user of a kind.
    pub fn person(&self, kind: Kind) -> Result<&Person> {
        let found = self.people.iter().find(|person| person.kind == kind);
        found.with_context(|| format!("nobody is {kind:?}"))
    }

    /// An outage: open connections break, new ones are refused, until [`resume`](Self::resume).
    pub fn stop(&self) -> Result<()> {
        self.database.stop()
    }

    /// The end of an outage.
    pub fn resume(&self) -> Result<()> {
        self.database.resume()
    }

    /// How many statements the store has been sent so far; equal before and after a login means
    /// that the login never asked it anything.
    pub fn statements(&self) -> Result<u64> {
        self.database.statements()
    }

    /// The source of the example's `login` script.
    pub fn login_script() -> Result<String> {
        example("login.js")
    }

    /// The source of the example's `get_user` script.
    pub fn get_user_script() -> Result<String> {
        example("get_user.js")
    }

    /// The folder of npm packages that both scripts require from.
    pub fn node_modules() -> PathBuf {
        checkout::top().join("examples/django/node_modules")
    }
}

fn example(name: &str) -> Result<String> {
    let path = checkout::top().join("examples/django").join(name);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}
