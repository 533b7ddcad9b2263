//! Users as administrators manage them.
//!
//! | file | what |
//! |---|---|
//! | `create` | a new user |
//! | `change`, `update` | what a change asks for; how it is made |
//! | `create_there`, `update_there` | the same where a legacy store is the authority |
//! | `delete` | a user goes |
//! | `search` | which users a list shows |
//! | `rules` | what a connection and the metadata allow |

mod change;
mod create;
mod create_there;
mod delete;
pub(crate) mod rules;
mod search;
mod update;
mod update_there;

pub use change::{Change, UserChange};
pub use create::UserToCreate;
pub use search::{Search, UserList};

use domain::{Connection, LogEvent, User, UserId};

use crate::Engine;
use crate::error::{Error, Result};

impl Engine {
    /// A user by public id.
    pub async fn user(&self, user_id: &UserId) -> Result<User> {
        self.store
            .find_user(user_id)
            .await?
            .ok_or_else(no_such_user)
    }
}

pub(crate) fn no_such_user() -> Error {
    Error::Missing {
        message: "The user does not exist.".into(),
        code: "inexistent_user",
    }
}

pub(crate) fn no_such_connection() -> Error {
    Error::Invalid {
        message: "Connection does not exist.".into(),
        code: "inexistent_connection",
    }
}

/// Says in an event whom and which connection it concerns.
pub(crate) fn concerning(
    mut event: LogEvent,
    connection: &Connection,
    user: (UserId, Option<String>),
) -> LogEvent {
    event.connection = Some((connection.id.clone(), connection.name.clone()));
    event.user_id = Some(user.0);
    event.user_name = user.1;
    event
}
