//! Databases of the test run's PostgreSQL cluster.

use store::conformance::Place;
use testkit::{Database, Postgres};

/// A new, empty database, which goes away with the value.
pub fn database() -> Database {
    Postgres::shared().unwrap().database().unwrap()
}

/// Where a database is.
pub fn place(database: &Database) -> Place {
    Place::Postgres(database.url().to_owned())
}
