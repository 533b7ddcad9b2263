//! Somebody forgot a password. The answer is given before anybody is looked for, so that neither
//! its words nor its time tell who exists.

use domain::{Client, ClientId, Connection, EventKind};
use store::Purpose;

use crate::deeds::Subject;
use crate::error::{Error, Result};
use crate::protection::account_key;
use crate::{Context, Engine};

/// A request that will be looked at.
pub struct PasswordRequest {
    client: Client,
    connection: Connection,
    identifier: String,
}

/// Why a request is not looked at: nothing of this depends on who exists.
#[derive(Debug)]
pub enum RequestError {
    /// No such client, or no such connection, or the one does not serve the other.
    UnknownConnection,
    /// The connection lets nobody change a password this way.
    Disabled,
    /// Anything that is not the person's fault.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for RequestError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Engine {
    /// Looks at everything but the person.
    pub async fn accept_password_request(
        &self,
        client_id: &ClientId,
        connection: &str,
        identifier: String,
    ) -> Result<PasswordRequest, RequestError> {
        let client = self.store.find_client(client_id).await?;
        let connection = self.store.find_connection_by_name(connection).await?;
        match (client, connection) {
            (Some(client), Some(connection))
                if connection.serves(&client.client_id) && connection.is_database() =>
            {
                if connection.is_password_change_disabled() {
                    return Err(RequestError::Disabled);
                }
                Ok(PasswordRequest {
                    client,
                    connection,
                    identifier,
                })
            }
            _ => Err(RequestError::UnknownConnection),
        }
    }

    /// Sends the link, when there is somebody to send it to. What went wrong is in the log.
    pub async fn send_password_link(&self, context: &Context, request: PasswordRequest) {
        if let Err(error) = self.try_send_password_link(context, &request).await {
            let detail = error.detail();
            tracing::warn!(connection = %request.connection.name, detail, "no password link was sent");
            let kind = EventKind::PasswordChangeRequestFailed;
            let subject = request.subject();
            let mut event = self.deed_event(context, &request.connection, &subject, kind);
            event.description = Some(detail);
            if let Err(error) = self.log_only(event).await {
                tracing::error!(%error, "and the tenant log does not know of it");
            }
        }
    }

    async fn try_send_password_link(
        &self,
        context: &Context,
        request: &PasswordRequest,
    ) -> Result<()> {
        let connection = &request.connection;
        self.count_request(request).await?;
        let Some(addressee) = self
            .find_addressee(context, connection, &request.identifier)
            .await?
        else {
            return Err(Error::invalid("There is nobody with that name."));
        };
        let (ticket, mail) = self
            .mailed_ticket(context, connection, &addressee, Purpose::Password)
            .await;
        let kind = EventKind::PasswordChangeRequested;
        let event = self.deed_event(context, connection, &request.subject(), kind);
        let write = self.ticket_write(connection, &addressee, &ticket, event, &mail)?;
        self.store.commit(write).await?;
        self.outbox_wake.notify_one();
        Ok(())
    }

    /// Nobody's mailbox is filled: an account gets no more links within a while than it gets wrong
    /// passwords.
    async fn count_request(&self, request: &PasswordRequest) -> Result<()> {
        let account = account_key(&request.identifier);
        let name = format!("reset/{}/{account}", request.connection.id);
        let (most, window) = (self.settings.max_attempts, self.settings.attempts_window);
        if self.count_within(&name, most, window).await? {
            return Ok(());
        }
        Err(Error::TooMany("password links for this account".into()))
    }
}

impl PasswordRequest {
    fn subject(&self) -> Subject {
        Subject {
            user_id: None,
            user_name: Some(self.identifier.chars().take(320).collect()),
            client: None,
        }
        .asked_by(&self.client)
    }
}
