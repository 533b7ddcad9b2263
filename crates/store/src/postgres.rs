//! PostgreSQL 13+ through tokio-postgres: a pool, prepared statements, pipelined batches, TLS.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::error::Error as _;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use deadpool_postgres::{
    GenericClient, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Timeouts,
};
use futures_util::future;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::db::{Done, Row, Stmt, Value};
use crate::error::{KEYS, Key, Result, StoreError};
use crate::import::Tries;
use crate::traffic::Traffic;

/// A batch that lost a deadlock is tried this often in all.
const TRIES: usize = 5;

/// A PostgreSQL database.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    /// Whether batches of imports may be copied straight into the tables.
    pub(crate) direct: Arc<Tries>,
    pub(crate) traffic: Traffic,
}

/// The hosts and ports that a URL names; none for Unix sockets.
///
/// # Errors
/// The URL cannot be read.
pub fn postgres_hosts(url: &str) -> Result<Vec<(String, u16)>> {
    let config =
        Config::from_str(url).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate();
    let named = hosts.filter_map(|(index, host)| match host {
        tokio_postgres::config::Host::Tcp(name) => {
            // One port stands for all hosts, as in libpq.
            let port = ports.get(index).or(ports.first()).copied();
            Some((name.clone(), port.unwrap_or(5432)))
        }
        tokio_postgres::config::Host::Unix(_) => None,
    });
    Ok(named.collect())
}

impl Postgres {
    /// Prepares a pool for a `postgres://` URL; connects on first use.
    ///
    /// `sslmode=require` in the URL verifies the server against the web's root certificates;
    /// `disable` (or a loopback address) speaks plainly.
    pub fn open(url: &str, connections: usize) -> Result<Self> {
        let mut config = Config::from_str(url)
            .map_err(|error| StoreError::Unavailable(format!("database URL: {}", chain(&error))))?;
        config.application_name("ferry");
        config.connect_timeout(Duration::from_secs(10));
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = if config.get_ssl_mode() == SslMode::Disable {
            Manager::from_config(config, NoTls, recycling)
        } else {
            Manager::from_config(config, MakeRustlsConnect::new(tls()?), recycling)
        };
        let wait = Some(Duration::from_secs(15));
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .timeouts(Timeouts {
                wait,
                create: wait,
                recycle: wait,
            })
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            pool,
            direct: Arc::default(),
            traffic: Traffic::default(),
        })
    }

    /// A connection of the pool.
    pub(crate) async fn client(&self) -> Result<Object> {
        self.pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => classify(&error),
            other => StoreError::Unavailable(other.to_string()),
        })
    }

    pub(crate) async fn query(
        &self,
        sql: Cow<'static, str>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&sql)
            .await
            .map_err(|e| classify(&e))?;
        Ok(run(&client, &statement, &params).await?.rows)
    }

    pub(crate) async fn batch(&self, statements: Vec<Stmt>) -> Result<Vec<Done>> {
        self.retry(|| self.batch_once(&statements)).await
    }

    /// Whether others write through this server besides an import.
    pub(crate) fn is_busy(&self) -> bool {
        self.traffic.is_busy(Instant::now())
    }

    /// Runs a transaction again when it lost to another one.
    pub(crate) async fn retry<T, F>(&self, transaction: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, Attempt>>,
    {
        for _ in 0..TRIES {
            match transaction().await {
                Err(Attempt::Lost) => {}
                Err(Attempt::Failed(error)) => return Err(error),
                Ok(value) => return Ok(value),
            }
        }
        Err(StoreError::Unavailable(
            "lost to other writers, again and again".into(),
        ))
    }

    async fn batch_once(&self, statements: &[Stmt]) -> std::result::Result<Vec<Done>, Attempt> {
        let mut client = self.client().await?;
        let prepared = prepare(&client, statements).await?;
        let transaction = client.transaction().await.map_err(|e| Attempt::of(&e))?;
        let runs = statements
            .iter()
            .zip(&prepared)
            .map(|(statement, prepared)| async {
                let done = run_raw(transaction.client(), prepared, &statement.params).await;
                done.map_err(|error| Attempt::of(&error))
            });
        // All are sent before the first answer is awaited; after a failure PostgreSQL refuses the
        // rest, so the first error in order is the cause.
        let mut done = Vec::with_capacity(statements.len());
        for (place, (outcome, statement)) in future::join_all(runs)
            .await
            .into_iter()
            .zip(statements)
            .enumerate()
        {
            done.push(outcome?.check(place, statement.expect)?);
        }
        transaction.commit().await.map_err(|e| Attempt::of(&e))?;
        Ok(done)
    }
}

/// Prepares each text once, however many statements share it, and gives them in their order.
pub(crate) async fn prepare<C: GenericClient>(
    client: &C,
    statements: &[Stmt],
) -> std::result::Result<Vec<Statement>, Attempt> {
    let texts: BTreeSet<&str> = statements.iter().map(|one| one.sql.as_ref()).collect();
    let fresh = texts.into_iter().map(|sql| client.prepare_cached(sql));
    future::try_join_all(fresh)
        .await
        .map_err(|e| Attempt::of(&e))?;
    let mut prepared = Vec::with_capacity(statements.len());
    for statement in statements {
        let cached = client.prepare_cached(&statement.sql).await;
        prepared.push(cached.map_err(|e| Attempt::of(&e))?);
    }
    Ok(prepared)
}

/// Why a try of a transaction ended.
pub(crate) enum Attempt {
    /// To a deadlock or another transaction: trying again helps.
    Lost,
    /// For good.
    Failed(StoreError),
}

impl Attempt {
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        let lost = [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
        ];
        match error.code() {
            Some(code) if lost.contains(code) => Self::Lost,
            _ => Self::Failed(classify(error)),
        }
    }
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

async fn run(
    client: &tokio_postgres::Client,
    statement: &Statement,
    params: &[Value],
) -> Result<Done> {
    run_raw(client, statement, params)
        .await
        .map_err(|error| classify(&error))
}

pub(crate) async fn run_raw(
    client: &tokio_postgres::Client,
    statement: &Statement,
    params: &[Value],
) -> std::result::Result<Done, tokio_postgres::Error> {
    let params: Vec<&(dyn ToSql + Sync)> =
        params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
    if statement.columns().is_empty() {
        let affected = client.execute(statement, &params).await?;
        return Ok(Done {
            affected,
            rows: Vec::new(),
        });
    }
    let found = client.query(statement, &params).await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in found {
        let values = (0..row.len()).map(|column| row.try_get::<_, Value>(column));
        rows.push(Row::new(values.collect::<std::result::Result<_, _>>()?));
    }
    Ok(Done {
        affected: rows.len() as u64,
        rows,
    })
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) => number.to_sql(ty, out),
            Self::Bool(flag) => flag.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl FromSql<'_> for Value {
    fn from_sql(
        ty: &Type,
        raw: &[u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(Vec::from_sql(ty, raw)?),
            _ => Self::Text(String::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(
        _: &Type,
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        let known = [Type::INT8, Type::INT4, Type::BOOL, Type::BYTEA];
        known.contains(ty) || <String as FromSql>::accepts(ty)
    }
}

fn tls() -> Result<rustls::ClientConfig> {
    let roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// tokio-postgres prints only the outermost cause; the log needs the innermost.
fn chain(error: &tokio_postgres::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

pub(crate) fn classify(error: &tokio_postgres::Error) -> StoreError {
    let Some(database) = error.as_db_error() else {
        return StoreError::Unavailable(chain(error));
    };
    if *database.code() == SqlState::UNIQUE_VIOLATION {
        let violated = KEYS
            .iter()
            .find(|(_, name, _)| Some(*name) == database.constraint());
        return StoreError::Conflict(violated.map_or(Key::Id, |(key, _, _)| *key));
    }
    // Classes 08 connection, 40 lost to others, 53 resources, 57 operator intervention, 58 system, 28 authorisation,
    // 3D unknown database: the server's trouble, not the statement's.
    let outage = ["08", "40", "53", "57", "58", "28", "3D", "55", "25"];
    if outage
        .iter()
        .any(|class| database.code().code().starts_with(class))
    {
        StoreError::Unavailable(chain(error))
    } else {
        StoreError::Statement(chain(error))
    }
}
