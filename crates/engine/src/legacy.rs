//! Questions to a legacy store outside a login: does this user exist there?

use domain::connection::Mode;
use domain::profile::EmailCase;
use domain::{Connection, EventKind, Json, Profile, Username};
use script::{LogLine, LookupOutcome};

use crate::error::{Error, Result};
use crate::{Context, Engine};

/// The spelling of a username that a legacy store is asked for first: where it will be the authority
/// it gets them in lower case.
pub(crate) fn wanted_username<'a>(connection: &Connection, username: &'a Username) -> &'a str {
    if connection.mode() == Mode::Import {
        username.as_typed()
    } else {
        username.as_str()
    }
}

/// How a legacy store may spell an identifier that somebody wants here: as it was typed and, where
/// it would be kept in lower case, like that too. There are stores to which these are two people,
/// and the other one would not arrive any more.
pub(crate) fn spellings(connection: &Connection, typed: &str) -> Vec<String> {
    let folded = domain::email::fold(typed);
    let mut spellings = vec![typed.to_owned()];
    if connection.mode() == Mode::Import && folded != typed {
        spellings.push(folded);
    }
    spellings
}

impl Engine {
    /// Whether somebody of this name is in the legacy store, however it spells it.
    pub(crate) async fn is_in_legacy_store(
        &self,
        context: &Context,
        connection: &Connection,
        typed: &str,
    ) -> Result<bool> {
        for spelling in spellings(connection, typed) {
            let found = self.find_in_legacy_store(context, connection, &spelling);
            if found.await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks `get_user`. A store that does not answer is an error, never "no such user".
    pub(crate) async fn find_in_legacy_store(
        &self,
        context: &Context,
        connection: &Connection,
        identifier: &str,
    ) -> Result<Option<Profile>> {
        self.find_spelled_there(context, connection, identifier, connection.email_case())
            .await
    }

    /// The same, with the address spelled as asked.
    pub(crate) async fn find_spelled_there(
        &self,
        context: &Context,
        connection: &Connection,
        identifier: &str,
        case: EmailCase,
    ) -> Result<Option<Profile>> {
        let program = self.programs.of(connection)?;
        let call = self.scripts.get_user(&program, identifier).await;
        self.log_console(context, connection, "get_user", &call.log)
            .await?;
        match call.outcome {
            LookupOutcome::NotFound => Ok(None),
            LookupOutcome::Found(raw) => Profile::normalise(raw, case)
                .map(Some)
                .map_err(Error::unavailable),
            LookupOutcome::Failed(failure) => Err(Error::unavailable(failure)),
        }
    }

    /// Keeps the console lines of a call.
    pub(crate) async fn log_console(
        &self,
        context: &Context,
        connection: &Connection,
        script: &str,
        lines: &[LogLine],
    ) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut event = self.event(context, EventKind::ScriptConsole);
        event.connection = Some((connection.id.clone(), connection.name.clone()));
        event.description = Some(format!("console of the {script} script"));
        let lines: Vec<_> = lines
            .iter()
            .map(|line| serde_json::json!({"level": line.level.as_str(), "text": line.message}))
            .collect();
        event.details = Json::from_iter([
            ("script".to_owned(), script.into()),
            ("lines".to_owned(), lines.into()),
        ]);
        self.log_only(event).await
    }
}
