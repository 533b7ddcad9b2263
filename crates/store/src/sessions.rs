//! Browser sessions: who is signed in where, and the clients that were served through each. The
//! cookie's token is kept as its hash and replaced at each login.

use domain::{Authentication, ClientId, ConnectionId, Instant, SessionId, UserRow};

use crate::db::{Expect, Row, Stmt, Value, any, one};
use crate::error::Result;
use crate::logout_notices::Ending;
use crate::write::texts;
use crate::{Store, Write, first};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Its id: the `sid` of tokens.
    pub id: SessionId,
    /// Who is there, and how that was proven last.
    pub authentication: Authentication,
    /// From where.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Instant,
    /// When it was last of use.
    pub touched_at: Instant,
    /// When it ends unless it is of use before.
    pub idle_expires_at: Instant,
    /// When it ends in any case.
    pub expires_at: Instant,
}

const COLUMNS: &str = "select s.id, s.user_row, u.user_id, s.connection_id, s.authenticated_at, \
     s.methods, s.ip, s.user_agent, s.created_at, s.touched_at, s.idle_expires_at, s.expires_at \
     from sessions s join users u on u.id = s.user_row";

impl Store {
    /// The living session of a token.
    pub async fn find_session_by_token(
        &self,
        token_hash: &str,
        now: Instant,
    ) -> Result<Option<StoredSession>> {
        let sql = format!(
            "{COLUMNS} where s.token_hash = $1 and s.idle_expires_at > $2 and s.expires_at > $2"
        );
        let rows = self.db.lookup(sql, vec![token_hash.into(), now.into()]);
        first(rows.await?).map(session).transpose()
    }

    /// A living session by its id.
    pub async fn find_session(
        &self,
        id: &SessionId,
        now: Instant,
    ) -> Result<Option<StoredSession>> {
        let sql =
            format!("{COLUMNS} where s.id = $1 and s.idle_expires_at > $2 and s.expires_at > $2");
        let rows = self.db.lookup(sql, vec![id.into(), now.into()]);
        first(rows.await?).map(session).transpose()
    }

    /// The living sessions of a user, oldest first, after one of them.
    pub async fn list_sessions(
        &self,
        user: UserRow,
        after: &str,
        take: u32,
        now: Instant,
    ) -> Result<Vec<StoredSession>> {
        let sql = format!(
            "{COLUMNS} where s.user_row = $1 and s.id > $2 and s.idle_expires_at > $3 \
             and s.expires_at > $3 order by s.id limit $4"
        );
        let take = i64::from(take);
        let params = vec![user.into(), after.into(), now.into(), take.into()];
        let rows = self.db.query(sql, params).await?;
        rows.into_iter().map(session).collect()
    }

    /// The clients that were served through a session.
    pub async fn list_session_clients(&self, id: &SessionId) -> Result<Vec<ClientId>> {
        let sql = "select client_id from session_clients where session_id = $1 order by client_id";
        let rows = self.db.lookup(sql, vec![id.into()]).await?;
        let client = |mut row: Row| row.text("session_clients.client_id").map(Into::into);
        rows.into_iter().map(client).collect()
    }
}

fn session(mut row: Row) -> Result<StoredSession> {
    let id = SessionId::from(row.text("sessions.id")?);
    Ok(StoredSession {
        authentication: Authentication {
            user: UserRow(row.int("sessions.user_row")?),
            user_id: row.text("users.user_id")?.into(),
            connection: row.text_or_null("sessions.connection_id")?.map(Into::into),
            session: Some(id.clone()),
            at: row.time("sessions.authenticated_at")?,
            methods: row.json("sessions.methods")?,
        },
        id,
        ip: row.text_or_null("sessions.ip")?,
        user_agent: row.text_or_null("sessions.user_agent")?,
        created_at: row.time("sessions.created_at")?,
        touched_at: row.time("sessions.touched_at")?,
        idle_expires_at: row.time("sessions.idle_expires_at")?,
        expires_at: row.time("sessions.expires_at")?,
    })
}

impl Write {
    /// Writes a new session under the hash of its token.
    pub fn insert_session(&mut self, session: &StoredSession, token_hash: &str) -> &mut Self {
        let mut params = vec![(&session.id).into(), token_hash.into()];
        params.push(session.authentication.user.into());
        params.extend(values(session));
        params.push(session.created_at.into());
        self.push(one(
            "insert into sessions (id, token_hash, user_row, connection_id, methods, \
             authenticated_at, ip, user_agent, touched_at, idle_expires_at, expires_at, created_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            params,
        ))
    }

    /// The same person proved who they are once more: the token is replaced. The batch fails when
    /// the session ended or another login was faster.
    pub fn renew_session(
        &mut self,
        session: &StoredSession,
        old_hash: &str,
        token_hash: &str,
    ) -> &mut Self {
        let mut params = vec![(&session.id).into(), token_hash.into(), old_hash.into()];
        params.extend(values(session));
        self.push(one(
            "update sessions set token_hash = $2, connection_id = $4, methods = $5, \
             authenticated_at = $6, ip = $7, user_agent = $8, touched_at = $9, \
             idle_expires_at = $10, expires_at = $11 where id = $1 and token_hash = $3",
            params,
        ))
    }

    /// A session was of use: it idles anew. Fails when it has ended.
    pub fn touch_session(&mut self, id: &SessionId, now: Instant, idle: Instant) -> &mut Self {
        self.push(one(
            "update sessions set touched_at = $2, idle_expires_at = $3 where id = $1",
            vec![id.into(), now.into(), idle.into()],
        ))
    }

    /// A client was served through a session. Once more is nothing new.
    pub fn add_session_client(
        &mut self,
        id: &SessionId,
        client: &ClientId,
        user: UserRow,
    ) -> &mut Self {
        self.push(any(
            "insert into session_clients (session_id, client_id, user_row) values ($1, $2, $3) \
             on conflict (session_id, client_id) do nothing",
            vec![id.into(), client.into(), user.into()],
        ))
    }

    /// Ends a session and tells its clients. The batch fails when it has ended before.
    pub fn delete_session(&mut self, id: &SessionId, ending: &Ending) -> &mut Self {
        self.push(one("delete from sessions where id = $1", vec![id.into()]));
        self.push(ending.tell("c.session_id = $4", id.into()));
        self.push(any(
            "delete from session_clients where session_id = $1",
            vec![id.into()],
        ))
    }

    /// Ends all sessions of a user and tells their clients.
    pub fn delete_sessions(&mut self, user: UserRow, ending: &Ending) -> &mut Self {
        self.push(any(
            "delete from sessions where user_row = $1",
            vec![user.into()],
        ));
        self.end_clients(user, ending)
    }

    /// Ends the sessions into which a user came through a connection, and tells their clients.
    pub(crate) fn delete_sessions_through(
        &mut self,
        user: UserRow,
        connection: &ConnectionId,
        ending: &Ending,
    ) -> &mut Self {
        self.push(any(
            "delete from sessions where user_row = $1 and connection_id = $2",
            vec![user.into(), connection.into()],
        ));
        self.end_clients(user, ending)
    }

    /// Tells and forgets the clients of a user's sessions that are no more.
    fn end_clients(&mut self, user: UserRow, ending: &Ending) -> &mut Self {
        // One that began meanwhile keeps its clients.
        let which = "c.user_row = $4 and c.session_id not in \
                     (select id from sessions where user_row = $4)";
        self.push(ending.tell(which, user.into()));
        self.push(any(
            "delete from session_clients where user_row = $1 and session_id not in \
             (select id from sessions where user_row = $1)",
            vec![user.into()],
        ))
    }

    /// The same by an administrator's hand: what the user proved before counts no longer, wherever a
    /// login is under way.
    pub fn revoke_sessions(&mut self, user: UserRow, ending: &Ending) -> &mut Self {
        self.push(any(
            "update users set sessions_revoked_at = $2 where id = $1",
            vec![user.into(), ending.at.into()],
        ));
        self.delete_sessions(user, ending)
    }

    /// Fails the batch when a proof that the user gave at a moment counts no longer by the time that
    /// it commits: the rule is `domain::User::accepts_proof_of`'s.
    pub fn require_proof(&mut self, user: UserRow, at: Instant) -> &mut Self {
        let lock = self.own_lock;
        self.push(Stmt {
            sql: format!(
                "select id from users where id = $1 \
                 and (last_password_reset is null or last_password_reset < $2) \
                 and (sessions_revoked_at is null or sessions_revoked_at < $2){lock}"
            )
            .into(),
            params: vec![user.into(), at.into()],
            expect: Expect::One,
        })
    }

    /// Tells the clients of all sessions of a connection's users. Whoever deletes the connection
    /// begins with it.
    pub fn tell_of_connection(&mut self, id: &ConnectionId, ending: &Ending) -> &mut Self {
        let which = "c.user_row in (select user_row from identities \
                     where connection_id = $4 and is_primary)";
        self.push(ending.tell(which, id.into()))
    }

    /// Forgets sessions whose time is over and tells their clients.
    pub fn forget_sessions(&mut self, ending: &Ending) -> &mut Self {
        let now = ending.at;
        let which = "c.session_id in (select id from sessions \
                     where expires_at <= $4 or idle_expires_at <= $4)";
        self.push(ending.tell(which, now.into()));
        self.push(any(
            "delete from session_clients where session_id in (select id from sessions \
             where expires_at <= $1 or idle_expires_at <= $1)",
            vec![now.into()],
        ));
        self.push(any(
            "delete from sessions where expires_at <= $1 or idle_expires_at <= $1",
            vec![now.into()],
        ))
    }
}

/// What a login changes of a session.
fn values(session: &StoredSession) -> [Value; 8] {
    let authentication = &session.authentication;
    [
        authentication.connection.as_ref().into(),
        texts(&authentication.methods).into(),
        authentication.at.into(),
        session.ip.clone().into(),
        session.user_agent.clone().into(),
        session.touched_at.into(),
        session.idle_expires_at.into(),
        session.expires_at.into(),
    ]
}
