//! Imports while their database crashes and recovers, and while its disk is full: the end state is
//! that of an undisturbed run, and nobody gets a wrong answer meanwhile.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rand::Rng as _;
use serde_json::json;
use store::Store;
use testkit::{Api, Postgres, Server, SmallDisk};
use tokio::time::{Instant, sleep};

use crate::kill::{self, Outcome, assert_same, end_of, end_state, run_import};
use crate::stage::{self, On};

const CRASHES: usize = 10;

#[tokio::test]
async fn an_import_survives_crashes_of_postgres() -> Result<()> {
    let expected = run_import(&On::postgres()?, 0).await?;
    let mut cluster = Postgres::start_durable()?;
    let on = On::Postgres(cluster.database()?);
    let mut server = kill::server(&on).await?;
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    let admin = server.api()?;
    let id = stage::start_import(&admin, &connection, kill::file()).await?;
    let mut total = 0;
    for crash in 0..CRASHES {
        // Each crash meets a job that has gone on since the one before.
        total = moved_on(&admin, &id, total).await?;
        let pause = rand::rng().random_range(5..100);
        sleep(Duration::from_millis(pause)).await;
        let (status, job) = admin.get(&format!("/api/v2/jobs/{id}")).await?;
        assert_eq!(
            (status, &job["status"]),
            (200, &json!("pending")),
            "{crash}"
        );
        cluster.crash()?;
    }
    let outcome = end_of(&mut server, &admin, &id).await?;
    let users = end_state(&on.store(&server).await?).await?;
    assert_same(&Outcome { users, ..outcome }, &expected);
    println!(
        "kills: {CRASHES} crashes of PostgreSQL during an import of {} rows: exactly the \
         undisturbed result",
        kill::ROWS
    );
    Ok(())
}

/// The job's rows, once they are more than before.
async fn moved_on(admin: &Api, id: &str, before: usize) -> Result<usize> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        // While the database is away, jobs cannot be asked for.
        if let Ok((200, job)) = admin.get(&format!("/api/v2/jobs/{id}")).await {
            let rows = kill::rows_of(&job)?;
            if rows > before {
                return Ok(rows);
            }
        }
        ensure!(
            Instant::now() < deadline,
            "the job stands still at {before} rows"
        );
        sleep(Duration::from_millis(5)).await;
    }
}

/// What is free on the disk beside the upload: far less than the users take.
const ROOM: usize = 6 << 20;
const DISK_MIB: u32 = 256;
const PASSWORD: &str = "Correct horse battery 1";

async fn known_user(server: &Server, connection: &str) -> Result<()> {
    let body = json!({"connection": "plain", "email": "known@example.com", "password": PASSWORD});
    let admin = server.api()?;
    let created = admin.post("/api/v2/users", &body).await?;
    stage::expect(201, created).context(connection.to_owned())?;
    Ok(())
}

/// Fills the disk, lets the import run into its end, and makes room again.
async fn a_full_disk(on: &On, mut server: Server, disk: &SmallDisk) -> Result<(Outcome, Server)> {
    let shop = stage::application(&server).await?;
    let connection = stage::connection(&server, &shop, "plain", json!({})).await?;
    known_user(&server, &connection).await?;
    assert_eq!(
        shop.login("plain", "known@example.com", PASSWORD).await?.0,
        200
    );
    let admin = server.api()?;
    let file = kill::file();
    // In PostgreSQL the upload is kept twice for a while: in its log and in its table.
    let upload = if matches!(on, On::Sqlite) {
        file.len()
    } else {
        file.len() + file.len() / 4
    };
    disk.fill_but(upload + ROOM)?;
    let id = stage::start_import(&admin, &connection, file).await?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !server.log().contains("an import job waits") {
        ensure!(
            Instant::now() < deadline,
            "the disk is never full\n{}",
            server.log()
        );
        sleep(Duration::from_millis(20)).await;
    }
    let (status, job) = admin.get(&format!("/api/v2/jobs/{id}")).await?;
    assert_eq!((status, &job["status"]), (200, &json!("pending")), "{job}");
    for _ in 0..3 {
        let (status, body) = shop.login("plain", "known@example.com", PASSWORD).await?;
        assert!(matches!(status, 200 | 503), "{status} {body}");
    }
    disk.make_room()?;
    let outcome = end_of(&mut server, &admin, &id).await?;
    Ok((outcome, server))
}

/// All but the one who was there before.
async fn imported(store: &Store) -> Result<Vec<String>> {
    let mut users = end_state(store).await?;
    users.retain(|user| !user.contains("known@example.com"));
    Ok(users)
}

fn skipped(database: &str) {
    println!("kills: no full disk on {database}: only root may mount one");
}

#[tokio::test]
async fn an_import_survives_a_full_disk_on_sqlite() -> Result<()> {
    let Some(disk) = SmallDisk::mount(DISK_MIB)? else {
        skipped("SQLite");
        return Ok(());
    };
    let expected = run_import(&On::Sqlite, 0).await?;
    let data = disk.path().join("data");
    let builder = kill::builder(&On::Sqlite).env("FERRY_DATA_DIR", &data);
    let (outcome, _server) = a_full_disk(&On::Sqlite, builder.start().await?, &disk).await?;
    let key = domain::secret::Key32::from([7; 32]);
    let store = Store::open_sqlite(&data.join("ferry.sqlite"), &key).await?;
    let users = imported(&store).await?;
    assert_same(&Outcome { users, ..outcome }, &expected);
    println!("kills: a full disk during an import on SQLite: exactly the undisturbed result");
    Ok(())
}

#[tokio::test]
async fn an_import_survives_a_full_disk_on_postgres() -> Result<()> {
    let Some(disk) = SmallDisk::mount(DISK_MIB)? else {
        skipped("PostgreSQL");
        return Ok(());
    };
    let expected = run_import(&On::postgres()?, 0).await?;
    let cluster = Postgres::start()?;
    let on = On::Postgres(cluster.database_in(disk.path())?);
    let server = kill::server(&on).await?;
    let (outcome, server) = a_full_disk(&on, server, &disk).await?;
    let users = imported(&on.store(&server).await?).await?;
    assert_same(&Outcome { users, ..outcome }, &expected);
    println!("kills: a full disk during an import on PostgreSQL: exactly the undisturbed result");
    Ok(())
}
