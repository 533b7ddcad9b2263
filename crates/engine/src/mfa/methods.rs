//! A user's factors by an administrator's hand: authentication methods, enrolments, a new recovery
//! code.

use domain::{EventKind, Instant, Json, LogEvent, MfaFactor, RecoveryCode, User, UserId};
use serde_json::{Value, json};
use store::{StoredFactor, StoredPasskey, Write};

use super::need::Enrolled;
use super::{RECOVERY_ID, factor_id, passkey_id};
use crate::error::{Error, Result};
use crate::issue::token_hash;
use crate::{Context, Engine};

/// Factors that one user may have.
const MOST: usize = 20;

impl Engine {
    /// All methods of a user but the password.
    pub async fn authentication_methods(&self, user: &UserId) -> Result<Vec<Value>> {
        let user = self.user(user).await?;
        Ok(methods(&self.enrolled(user.row).await?))
    }

    /// One of them.
    pub async fn authentication_method(&self, user: &UserId, id: &str) -> Result<Value> {
        let methods = self.authentication_methods(user).await?;
        let found = methods
            .into_iter()
            .find(|method| method.get("id").is_some_and(|known| known == id));
        found.ok_or_else(no_such_method)
    }

    /// Adds a factor that the administrator vouches for.
    pub async fn add_authentication_method(
        &self,
        context: &Context,
        user: &UserId,
        body: &Json,
    ) -> Result<Value> {
        let user = self.user(user).await?;
        let enrolled = self.enrolled(user.row).await?;
        if enrolled.factors.len() >= MOST {
            return Err(Error::Conflict {
                message: "You reached the limit of entities of this type for this user.".into(),
                code: "too_many_entities",
            });
        }
        let factor = factor_of(body)?;
        refuse_twin(&enrolled, &factor)?;
        let (position, now) = (enrolled.next_position(), self.now());
        let event = self
            .factors_event(context, &user, EventKind::MfaEnrolled)
            .await?;
        let mut write = self.store.write();
        write.change_factors_of(user.row, now);
        write.add_factor(user.row, position, &factor, now)?;
        let name = body.get("name").and_then(Value::as_str);
        write.name_factor(user.row, (position, now), name);
        write.log(&event);
        self.store.commit(write).await?;
        let id = format!("|dev_{position}");
        let methods = methods(&self.enrolled(user.row).await?);
        let added = |method: &Value| {
            let text = method.get("id").and_then(Value::as_str);
            text.is_some_and(|text| text.ends_with(&id))
        };
        methods.into_iter().find(added).ok_or_else(no_such_method)
    }

    /// Puts these factors in the place of all that a user has. Passkeys stay.
    pub async fn replace_authentication_methods(
        &self,
        context: &Context,
        user: &UserId,
        bodies: &[Value],
    ) -> Result<Vec<Value>> {
        let user = self.user(user).await?;
        if bodies.len() > MOST {
            return Err(Error::invalid("Too many authentication methods."));
        }
        let factors = bodies
            .iter()
            .map(|body| factor_of(body.as_object().unwrap_or(&Json::new())))
            .collect::<Result<Vec<_>>>()?;
        let event = self
            .factors_event(context, &user, EventKind::MfaEnrolled)
            .await?;
        let now = self.now();
        let mut write = self.store.write();
        write.change_factors_of(user.row, now);
        write.replace_factors(user.row, &factors, now)?;
        for (position, body) in (0_i64..).zip(bodies) {
            let name = body.get("name").and_then(Value::as_str);
            write.name_factor(user.row, (position, now), name);
        }
        write.log(&event);
        self.store.commit(write).await?;
        Ok(methods(&self.enrolled(user.row).await?))
    }

    /// Calls a method by another name.
    pub async fn name_authentication_method(
        &self,
        context: &Context,
        (user, id): (&UserId, &str),
        name: Option<&str>,
    ) -> Result<Value> {
        let found = self.user(user).await?;
        let enrolled = self.enrolled(found.row).await?;
        let event = self
            .factors_event(context, &found, EventKind::Management)
            .await?;
        let mut write = self.store.write();
        match part(&enrolled, id).ok_or_else(no_such_method)? {
            Part::Factor(factor) => {
                write.name_factor(found.row, (factor.position, factor.created_at), name)
            }
            Part::Passkey(key) => write.name_passkey(found.row, &key.credential_id, name),
            Part::Recovery => return Err(Error::invalid("A recovery code has no name.")),
        };
        write.log(&event);
        self.store.commit(write).await?;
        self.authentication_method(user, id).await
    }

    /// Takes one method away.
    pub async fn delete_authentication_method(
        &self,
        context: &Context,
        user: &UserId,
        id: &str,
    ) -> Result<()> {
        let user = self.user(user).await?;
        self.remove_method(context, &user, id).await
    }

    /// Takes all methods away.
    pub async fn delete_authentication_methods(
        &self,
        context: &Context,
        user: &UserId,
    ) -> Result<()> {
        let user = self.user(user).await?;
        self.remove_where(context, &user, |write, user| {
            write.remove_all_factors(user.row);
        })
        .await
    }

    /// Takes away what a provider stands for: all factors of `guardian` and `google-authenticator`
    /// alike. There is nothing of others.
    pub async fn delete_multifactor(
        &self,
        context: &Context,
        user: &UserId,
        provider: &str,
    ) -> Result<()> {
        if !["guardian", "google-authenticator", "duo"].contains(&provider) {
            return Err(Error::invalid(format!("Unknown provider: {provider}")));
        }
        let user = self.user(user).await?;
        let enrolled = self.enrolled(user.row).await?;
        let is_ours = provider != "duo";
        let only_totp = provider == "google-authenticator";
        self.remove_where(context, &user, |write, user| {
            let gone = enrolled.factors.iter().filter(|stored| {
                is_ours && (!only_totp || matches!(stored.factor, MfaFactor::Totp(_)))
            });
            for stored in gone {
                write.remove_factor(user.row, stored.position, stored.created_at);
            }
            for key in enrolled
                .passkeys
                .iter()
                .filter(|key| is_ours && !only_totp && key.second_factor)
            {
                write.remove_passkey(user.row, &key.credential_id);
            }
            if is_ours && !only_totp {
                write.remove_recovery(user.row);
            }
        })
        .await
    }

    /// A new recovery code in place of the old one: told once.
    pub async fn regenerate_recovery_code(
        &self,
        context: &Context,
        user: &UserId,
    ) -> Result<RecoveryCode> {
        let user = self.user(user).await?;
        let code = RecoveryCode::generate(&*self.entropy);
        let event = self
            .factors_event(context, &user, EventKind::Management)
            .await?;
        let now = self.now();
        let mut write = self.store.write();
        write.change_factors_of(user.row, now);
        write.set_recovery(user.row, &token_hash(code.expose()), now);
        write.log(&event);
        self.store.commit(write).await?;
        Ok(code)
    }

    pub(super) async fn remove_method(
        &self,
        context: &Context,
        user: &User,
        id: &str,
    ) -> Result<()> {
        let enrolled = self.enrolled(user.row).await?;
        let part = part(&enrolled, id).ok_or_else(no_such_method)?;
        self.remove_where(context, user, |write, user| {
            match part {
                Part::Factor(factor) => {
                    write.remove_factor(user.row, factor.position, factor.created_at)
                }
                Part::Passkey(key) => write.remove_passkey(user.row, &key.credential_id),
                Part::Recovery => write.remove_recovery(user.row),
            };
        })
        .await
    }

    async fn remove_where(
        &self,
        context: &Context,
        user: &User,
        remove: impl FnOnce(&mut Write, &User) + Send,
    ) -> Result<()> {
        let event = self
            .factors_event(context, user, EventKind::MfaUnenrolled)
            .await?;
        let mut write = self.store.write();
        write.change_factors_of(user.row, self.now());
        remove(&mut write, user);
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }

    async fn factors_event(
        &self,
        context: &Context,
        user: &User,
        kind: EventKind,
    ) -> Result<LogEvent> {
        let description = "Change the authentication methods of a user";
        let mut event = self.management_event(context, kind, description).await?;
        event.user_id = Some(user.user_id.clone());
        event.user_name = user.attributes.email.as_ref().map(ToString::to_string);
        Ok(event)
    }
}

enum Part<'a> {
    Factor(&'a StoredFactor),
    Passkey(&'a StoredPasskey),
    Recovery,
}

fn part<'a>(enrolled: &'a Enrolled, id: &str) -> Option<Part<'a>> {
    let factor = enrolled
        .factors
        .iter()
        .find(|stored| factor_id(stored) == id);
    let passkey = || enrolled.passkeys.iter().find(|key| passkey_id(key) == id);
    factor
        .map(Part::Factor)
        .or_else(|| passkey().map(Part::Passkey))
        .or_else(|| (id == RECOVERY_ID && enrolled.recovery.is_some()).then_some(Part::Recovery))
}

fn methods(enrolled: &Enrolled) -> Vec<Value> {
    let mut list: Vec<_> = enrolled.factors.iter().map(factor_json).collect();
    list.extend(enrolled.passkeys.iter().map(passkey_json));
    if let Some(recovery) = &enrolled.recovery {
        list.push(json!({
            "id": RECOVERY_ID, "type": "recovery-code", "confirmed": true,
            "created_at": recovery.created_at,
        }));
    }
    list
}

/// Never with the secret.
fn factor_json(stored: &StoredFactor) -> Value {
    let mut json = Json::new();
    let mut put = |name: &str, value: Value| json.insert(name.to_owned(), value);
    put("id", factor_id(stored).into());
    put("confirmed", true.into());
    put("created_at", stored.created_at.to_string().into());
    match &stored.factor {
        MfaFactor::Totp(_) => put("type", "totp".into()),
        MfaFactor::Phone(number) => {
            put("phone_number", number.as_str().into());
            put("preferred_authentication_method", "sms".into());
            put("type", "phone".into())
        }
        MfaFactor::Email(address) => {
            put("email", address.as_str().into());
            put("type", "email".into())
        }
    };
    put_use(&mut json, stored.name.as_deref(), stored.last_used_at);
    json.into()
}

fn put_use(json: &mut Json, name: Option<&str>, last_used_at: Option<Instant>) {
    if let Some(name) = name {
        json.insert("name".into(), name.into());
    }
    if let Some(at) = last_used_at {
        json.insert("last_auth_at".into(), at.to_string().into());
    }
}

fn passkey_json(key: &StoredPasskey) -> Value {
    let kind = if key.second_factor {
        "webauthn-roaming"
    } else {
        "passkey"
    };
    let device = if key.backed_up {
        "multi_device"
    } else {
        "single_device"
    };
    let mut json = Json::from_iter([
        ("id".to_owned(), passkey_id(key).into()),
        ("type".to_owned(), kind.into()),
        ("confirmed".to_owned(), true.into()),
        ("key_id".to_owned(), key.credential_id.as_str().into()),
        ("credential_device_type".to_owned(), device.into()),
        ("credential_backed_up".to_owned(), key.backed_up.into()),
        ("created_at".to_owned(), key.created_at.to_string().into()),
    ]);
    put_use(&mut json, key.name.as_deref(), key.last_used_at);
    json.into()
}

/// Reads the factor that a body describes.
fn factor_of(body: &Json) -> Result<MfaFactor> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let element = match (
        text("type"),
        text("totp_secret"),
        text("phone_number"),
        text("email"),
    ) {
        (Some("totp"), Some(secret), _, _) => json!({"totp": {"secret": secret}}),
        (Some("phone"), _, Some(number), _) => json!({"phone": {"value": number}}),
        (Some("email"), _, _, Some(address)) => json!({"email": {"value": address}}),
        _ => {
            return Err(Error::invalid(
                "type must be totp with totp_secret, phone with phone_number, or email with email",
            ));
        }
    };
    let Value::Object(object) = &element else {
        return Err(Error::internal("no object"));
    };
    if let Some(fault) = domain::schema::check(object, domain::mfa_factor::SHAPE).first() {
        return Err(Error::payload(fault));
    }
    let parsed = domain::mfa_factor::parse_all(&json!([element]));
    let parsed = parsed.map_err(|fault| Error::payload(&fault))?;
    parsed
        .into_iter()
        .next()
        .ok_or_else(|| Error::internal("no factor"))
}

/// The same number, address or secret is the same factor.
fn refuse_twin(enrolled: &Enrolled, factor: &MfaFactor) -> Result<()> {
    let is_twin = |stored: &StoredFactor| {
        let (one, other) = (stored.factor.expose(), factor.expose());
        stored.factor.kind() == factor.kind()
            && constant_time_eq::constant_time_eq(one.as_bytes(), other.as_bytes())
    };
    if !enrolled.factors.iter().any(is_twin) {
        return Ok(());
    }
    Err(Error::Conflict {
        message: "Authentication method already exists.".into(),
        code: "authentication_method_exists",
    })
}

fn no_such_method() -> Error {
    Error::Missing {
        message: "The authentication method does not exist.".into(),
        code: "inexistent_authentication_method",
    }
}
