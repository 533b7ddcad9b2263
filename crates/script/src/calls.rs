//! The typed calls: what each script is given, and how its answer is read.
//!
//! Auth0 publishes no signature for `change_username` and `change_phone_number`; ours name the
//! user by its id, which never changes, and say `null` for what goes.

use std::sync::Arc;

use domain::Password;

use crate::args::{self, UserToCreate};
use crate::outcome::{
    ActionOutcome, Call, LoginOutcome, LookupOutcome, address_verified, existence_changed,
    identifier_changed, password_changed,
};
use crate::pool::ScriptPool;
use crate::program::{Program, ScriptName};

impl ScriptPool {
    /// Calls a program's `login`.
    pub async fn login(
        &self,
        program: &Arc<Program>,
        identifier: &str,
        password: &Password,
    ) -> Call<LoginOutcome> {
        let args = vec![args::text(identifier), args::text(password.expose())];
        self.call(program, ScriptName::Login, args, LoginOutcome::from)
            .await
    }

    /// Calls a program's `get_user`.
    pub async fn get_user(&self, program: &Arc<Program>, identifier: &str) -> Call<LookupOutcome> {
        let args = vec![args::text(identifier)];
        self.call(program, ScriptName::GetUser, args, LookupOutcome::from)
            .await
    }

    /// Calls a program's `create(user)`.
    pub async fn create(
        &self,
        program: &Arc<Program>,
        user: &UserToCreate<'_>,
    ) -> Call<ActionOutcome> {
        let args = vec![args::user(user)];
        self.call(program, ScriptName::Create, args, existence_changed)
            .await
    }

    /// Calls a program's `verify(email)`.
    pub async fn verify(&self, program: &Arc<Program>, email: &str) -> Call<ActionOutcome> {
        let args = vec![args::text(email)];
        self.call(program, ScriptName::Verify, args, address_verified)
            .await
    }

    /// Calls a program's `change_password(email, newPassword)`.
    pub async fn change_password(
        &self,
        program: &Arc<Program>,
        identifier: &str,
        password: &Password,
    ) -> Call<ActionOutcome> {
        let args = vec![args::text(identifier), args::text(password.expose())];
        self.call(program, ScriptName::ChangePassword, args, password_changed)
            .await
    }

    /// Calls a program's `change_email(email, newEmail, verified)`.
    pub async fn change_email(
        &self,
        program: &Arc<Program>,
        identifier: &str,
        email: &str,
        is_verified: bool,
    ) -> Call<ActionOutcome> {
        let args = vec![
            args::text(identifier),
            args::text(email),
            args::flag(is_verified),
        ];
        self.call(program, ScriptName::ChangeEmail, args, identifier_changed)
            .await
    }

    /// Calls a program's `delete(id)`; the id comes without `auth0|`.
    pub async fn delete(&self, program: &Arc<Program>, id: &str) -> Call<ActionOutcome> {
        let args = vec![args::text(id)];
        self.call(program, ScriptName::Delete, args, existence_changed)
            .await
    }

    /// Calls a program's `change_username(id, newUsername)`.
    pub async fn change_username(
        &self,
        program: &Arc<Program>,
        id: &str,
        username: Option<&str>,
    ) -> Call<ActionOutcome> {
        let args = vec![args::text(id), args::text_or_null(username)];
        self.call(
            program,
            ScriptName::ChangeUsername,
            args,
            identifier_changed,
        )
        .await
    }

    /// Calls a program's `change_phone_number(id, newPhoneNumber, verified)`.
    pub async fn change_phone_number(
        &self,
        program: &Arc<Program>,
        id: &str,
        number: Option<&str>,
        is_verified: bool,
    ) -> Call<ActionOutcome> {
        let args = vec![
            args::text(id),
            args::text_or_null(number),
            args::flag(is_verified),
        ];
        self.call(
            program,
            ScriptName::ChangePhoneNumber,
            args,
            identifier_changed,
        )
        .await
    }
}
