//! Things to store.

use std::collections::BTreeMap;

use domain::secret::PrivateKeyDer;
use domain::{
    Attributes, Client, ClientId, ClientSecret, ConfigurationValue, Connection, Counters,
    Credential, EmailAddress, EventKind, HashText, ImportJob, Instant, JobStatus, Json, LogEvent,
    NewUser, Origin, ResourceServer, SessionEnd, TokenEndpointAuth, User, UserRow, Username,
};
use serde_json::json;
use store::{Ending, Store};

/// Moments of the tests: milliseconds after a fixed one.
pub const fn at(millis: i64) -> Instant {
    Instant::from_millis(1_772_359_200_000 + millis)
}

/// Texts that an unlucky quote, fold or placeholder would spoil.
pub const EXOTIC: &[&str] = &[
    "",
    " ",
    "Zoë Ångström 👩‍👩‍👧‍👦",
    "e\u{301} is not é",
    "שלום \u{202e}abc\u{202c} مرحبا",
    "O'Brien \"the\" \\ back\\\\slash `x`",
    "$1 $2 ?1 :a @b '$.plan' {{keytext}}",
    "'; drop table users; --",
    "%_*?\t\r\n\u{1}\u{7f}",
    "\u{feff}bom \u{fffd} \u{10ffff}",
    "İ ı ſ ẞ ΌΣΟΣ",
    "null",
    "9007199254740993",
    "1e400",
];

pub fn object(value: serde_json::Value) -> Json {
    value.as_object().unwrap().clone()
}

/// JSON that a careless column type would change.
pub fn exotic_json() -> Json {
    object(json!({
        "z": 1, "a": 2,
        "nul": "a\u{0}b",
        "big": 9_007_199_254_740_993_i64,
        "bigger": u64::MAX,
        "least": i64::MIN,
        "float": 1e308,
        "tiny": 5e-324,
        "text": "1e400",
        "empty": {}, "list": [], "none": null,
        "deep": {"a": [{"b": [[["c"]]]}]},
        "$1": "?1 '$.plan'",
        "": "no name",
        "emoji 👍": "שלום",
    }))
}

/// A logout.
pub fn ending(at: Instant) -> Ending {
    Ending {
        reason: SessionEnd::Logout,
        at,
        name: "n".into(),
    }
}

pub fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

pub fn connection(name: &str) -> Connection {
    Connection {
        id: format!("con_{name}").into(),
        name: name.into(),
        display_name: None,
        realms: vec![name.into()],
        options: Json::new(),
        configuration: BTreeMap::new(),
        metadata: Json::new(),
        attributes: Json::new(),
        enabled_clients: vec![],
        version: 1,
    }
}

pub async fn put_connection(store: &Store, name: &str) -> Connection {
    let connection = connection(name);
    let mut write = store.write();
    write.insert_connection(&connection, at(0)).unwrap();
    store.commit(write).await.unwrap();
    connection
}

pub fn new_user(row: UserRow, connection: &Connection, id: &str, address: &str) -> NewUser {
    NewUser {
        row,
        connection: connection.id.clone(),
        foreign_id: id.into(),
        attributes: Attributes {
            email: Some(email(address)),
            ..Attributes::default()
        },
        credential: Some(credential("$argon2id$one")),
        factors: vec![],
        origin: Origin::Native,
        import_job: None,
        created_at: at(0),
    }
}

/// Writes a user in the way the product does: under the connection's lock.
pub async fn insert(store: &Store, user: &NewUser) -> store::Result<()> {
    let mut write = store.write();
    write.require_connection(&user.connection);
    write.insert_user(user)?;
    store.commit(write).await
}

pub async fn put_user(store: &Store, connection: &Connection, id: &str, address: &str) -> User {
    let row = store.next_user_row().await.unwrap();
    insert(store, &new_user(row, connection, id, address))
        .await
        .unwrap();
    store.find_user_by_row(row).await.unwrap().unwrap()
}

pub fn credential(hash: &str) -> Credential {
    Credential {
        hash: hash.into(),
        is_imported: false,
    }
}

pub fn hash(text: &str) -> HashText {
    HashText::from(text)
}

pub fn username(text: &str) -> Username {
    Username::foreign(text).unwrap()
}

pub fn client(id: &str) -> Client {
    Client {
        client_id: ClientId::from(id),
        name: id.into(),
        secret: ClientSecret::from("s3cr3t"),
        auth: TokenEndpointAuth::ClientSecretPost,
        grant_types: vec!["password".into()],
        attributes: Json::new(),
        version: 1,
        created_at: at(0),
    }
}

pub async fn put_client(store: &Store, id: &str) -> Client {
    let client = client(id);
    let mut write = store.write();
    write.insert_client(&client, at(0)).unwrap();
    store.commit(write).await.unwrap();
    client
}

pub fn api(id: &str, identifier: &str) -> ResourceServer {
    ResourceServer {
        id: id.into(),
        identifier: identifier.into(),
        name: id.into(),
        scopes: vec![],
        token_lifetime: 3600,
        is_system: false,
        attributes: Json::new(),
        version: 1,
    }
}

pub fn job(id: &str, connection: &Connection, created: Instant) -> ImportJob {
    ImportJob {
        id: id.into(),
        connection: connection.id.clone(),
        external_id: None,
        upsert: false,
        send_completion_email: false,
        options: domain::ImportOptions::default(),
        status: JobStatus::Pending,
        status_details: None,
        size: 1000,
        offset: 0,
        consumed: 0,
        run: None,
        idempotency: None,
        counters: Counters::default(),
        created_at: created,
        started_at: None,
        ended_at: None,
    }
}

pub async fn put_job(store: &Store, job: &ImportJob) {
    let mut write = store.write();
    write.insert_job(job);
    store.commit(write).await.unwrap();
}

pub fn event(id: &str) -> LogEvent {
    LogEvent {
        log_id: id.into(),
        date: at(0),
        kind: EventKind::Login,
        description: None,
        connection: None,
        client: None,
        user_id: None,
        user_name: None,
        ip: None,
        user_agent: None,
        details: Json::new(),
    }
}

pub fn der(bytes: &[u8]) -> PrivateKeyDer {
    PrivateKeyDer::from(bytes.to_vec())
}

pub fn configuration(pairs: &[(&str, &str)]) -> BTreeMap<String, ConfigurationValue> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).into());
    pairs.iter().map(pair).collect()
}
