//! Questions to a legacy store outside a login: does this user exist there?

use domain::profile::EmailCase;
use domain::{Connection, EventKind, Json, Profile};
use script::{LogLine, LookupOutcome};

use crate::error::{Error, Result};
use crate::{Context, Engine};

impl Engine {
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
