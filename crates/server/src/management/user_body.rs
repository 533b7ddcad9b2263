//! A user's JSON: the closed shapes of what comes in, and what goes out.
//!
//! Out goes the documented object, in which what is absent is left out, plus the root attributes
//! that a legacy store brought along, plus one member of our own that a migration is watched by:
//! `ferry: {origin, migrated_at}`, where `origin` is `native`, `login`, `import` or `cached`, and
//! `migrated_at` is when the user arrived from a legacy store. `multifactor` names enrolled
//! factors as the wire names factors elsewhere: `otp`, `sms`, `email`.

use std::sync::Arc;

use domain::schema::{self, Field, Kind, optional, required};
use domain::user::{Attributes, Identity};
use domain::username::{self, PHONE_PATTERN, is_phone_number};
use domain::{
    EmailAddress, Json, MfaFactor, Password, Profile, RowError, RowErrorCode, User, Username,
};
use engine::Error;
use engine::profile_view::ShownProfile;
use engine::users::{Change, UserChange, UserToCreate};
use serde_json::{Value, json};

use crate::error::ApiError;

const CONNECTION: Kind = Kind::Text(1, 128);
const USERNAME: Kind = Kind::Pattern(username::PATTERN, username::is_well_formed);
const PHONE_NUMBER: Kind = Kind::Pattern(PHONE_PATTERN, is_phone_number);
const PASSWORD: Kind = Kind::Text(1, 4096);
const LONG_NAME: Kind = Kind::Text(1, 300);
const SHORT_NAME: Kind = Kind::Text(1, 150);

/// The body of `POST /users`.
pub const CREATE: &[Field] = &[
    required("connection", CONNECTION),
    optional("user_id", Kind::Text(0, 255)),
    optional("email", Kind::Email),
    optional("email_verified", Kind::Boolean),
    optional("verify_email", Kind::Boolean),
    optional("username", USERNAME),
    optional("phone_number", PHONE_NUMBER),
    optional("phone_verified", Kind::Boolean),
    optional("password", PASSWORD),
    optional("name", LONG_NAME),
    optional("nickname", LONG_NAME),
    optional("given_name", SHORT_NAME),
    optional("family_name", SHORT_NAME),
    optional("picture", Kind::Uri),
    optional("blocked", Kind::Boolean),
    optional("user_metadata", Kind::FreeObject),
    optional("app_metadata", Kind::FreeObject),
];

/// The body of `PATCH /users/{id}`. `null` unsets, where something can be unset.
pub const UPDATE: &[Field] = &[
    optional("connection", CONNECTION),
    optional("client_id", Kind::Text(1, 128)),
    optional("email", Kind::Nullable(&Kind::Email)),
    optional("email_verified", Kind::Nullable(&Kind::Boolean)),
    optional("verify_email", Kind::Boolean),
    optional("username", Kind::Nullable(&USERNAME)),
    optional("phone_number", Kind::Nullable(&PHONE_NUMBER)),
    optional("phone_verified", Kind::Nullable(&Kind::Boolean)),
    optional("verify_phone_number", Kind::Boolean),
    optional("password", PASSWORD),
    optional("name", Kind::Nullable(&LONG_NAME)),
    optional("nickname", Kind::Nullable(&LONG_NAME)),
    optional("given_name", Kind::Nullable(&SHORT_NAME)),
    optional("family_name", Kind::Nullable(&SHORT_NAME)),
    optional("picture", Kind::Nullable(&Kind::Uri)),
    optional("blocked", Kind::Nullable(&Kind::Boolean)),
    optional("user_metadata", Kind::Nullable(&Kind::FreeObject)),
    optional("app_metadata", Kind::Nullable(&Kind::FreeObject)),
];

/// Reads a body that fits [`CREATE`]. A verification mail leaves only when `verify_email` asks for it.
pub fn read_new(mut body: Json) -> Result<UserToCreate, ApiError> {
    let user_id = text(&mut body, "user_id").value().cloned();
    let user_id = user_id.filter(|id| !id.is_empty());
    if let Some(id) = &user_id {
        check_user_id(id)?;
    }
    Ok(UserToCreate {
        connection: text(&mut body, "connection")
            .value()
            .cloned()
            .unwrap_or_default(),
        user_id,
        password: password(&mut body),
        verify_email: flag(&mut body, "verify_email") == Change::Set(true),
        attributes: Attributes {
            email: email(&mut body).value().cloned(),
            email_verified: flag(&mut body, "email_verified") == Change::Set(true),
            username: username(&mut body).value().cloned(),
            phone_number: text(&mut body, "phone_number").value().cloned(),
            phone_verified: flag(&mut body, "phone_verified").value().copied(),
            name: text(&mut body, "name").value().cloned(),
            nickname: text(&mut body, "nickname").value().cloned(),
            given_name: text(&mut body, "given_name").value().cloned(),
            family_name: text(&mut body, "family_name").value().cloned(),
            picture: text(&mut body, "picture").value().cloned(),
            blocked: flag(&mut body, "blocked").value().copied(),
            extra: Json::new(),
            user_metadata: object(&mut body, "user_metadata").value().cloned(),
            app_metadata: object(&mut body, "app_metadata").value().cloned(),
        },
    })
}

/// Reads a body that fits [`UPDATE`]. `verify_phone_number` and `client_id` steer messages that this
/// version does not send: accepted and without effect.
pub fn read_change(mut body: Json) -> UserChange {
    UserChange {
        connection: text(&mut body, "connection").value().cloned(),
        email: email(&mut body),
        email_verified: flag(&mut body, "email_verified"),
        verify_email: flag(&mut body, "verify_email") == Change::Set(true),
        username: username(&mut body),
        phone_number: text(&mut body, "phone_number"),
        phone_verified: flag(&mut body, "phone_verified"),
        password: password(&mut body),
        name: text(&mut body, "name"),
        nickname: text(&mut body, "nickname"),
        given_name: text(&mut body, "given_name"),
        family_name: text(&mut body, "family_name"),
        picture: text(&mut body, "picture"),
        blocked: flag(&mut body, "blocked"),
        user_metadata: object(&mut body, "user_metadata"),
        app_metadata: object(&mut body, "app_metadata"),
    }
}

/// An id is any text without spaces, and more than the provider's prefix.
fn check_user_id(id: &str) -> Result<(), ApiError> {
    if id == "auth0|" || id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let message = format!("String does not match pattern ^\\S*$: {id}");
        return Err(
            Error::payload(&RowError::new(RowErrorCode::Pattern, "user_id", message)).into(),
        );
    }
    Ok(())
}

/// A member, read by a function that the shape has made sure to succeed.
fn member<T>(body: &mut Json, name: &str, read: impl FnOnce(Value) -> Option<T>) -> Change<T> {
    match body.shift_remove(name) {
        None => Change::Keep,
        Some(value) => read(value).map_or(Change::Unset, Change::Set),
    }
}

fn text(body: &mut Json, name: &str) -> Change<String> {
    member(body, name, as_text)
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn flag(body: &mut Json, name: &str) -> Change<bool> {
    member(body, name, |value| value.as_bool())
}

fn object(body: &mut Json, name: &str) -> Change<Json> {
    member(body, name, |value| match value {
        Value::Object(object) => Some(object),
        _ => None,
    })
}

fn email(body: &mut Json) -> Change<EmailAddress> {
    member(body, "email", |value| {
        EmailAddress::parse(value.as_str()?).ok()
    })
}

fn username(body: &mut Json) -> Change<Username> {
    member(body, "username", |value| Username::parse(value.as_str()?))
}

fn password(body: &mut Json) -> Option<Arc<Password>> {
    body.shift_remove("password")
        .and_then(as_text)
        .map(|text| Arc::new(Password::from(text)))
}

/// A user as the Management API shows one, members in the order of their names.
pub fn render(user: &User) -> Json {
    let factors: Vec<_> = user.factors.iter().map(|kind| factor_name(kind)).collect();
    let identities: Vec<_> = user.identities.iter().map(identity).collect();
    let mut body = profile(&user.attributes);
    let members = [
        ("created_at", Some(json!(user.created_at))),
        ("ferry", user.identities.first().map(arrival)),
        ("identities", Some(identities.into())),
        ("last_ip", user.last_ip.as_ref().map(|ip| json!(ip))),
        ("last_login", user.last_login.map(|time| json!(time))),
        (
            "last_password_reset",
            user.last_password_reset.map(|time| json!(time)),
        ),
        (
            "logins_count",
            Some(user.logins_count)
                .filter(|count| *count > 0)
                .map(Value::from),
        ),
        (
            "multifactor",
            Some(factors)
                .filter(|factors| !factors.is_empty())
                .map(Value::from),
        ),
        ("updated_at", Some(json!(user.updated_at))),
        ("user_id", Some(json!(user.user_id))),
    ];
    body.extend(present(members));
    add_extra(&mut body, &user.attributes);
    body.sort_keys();
    body
}

/// A profile that is not stored yet, as it would be shown.
pub fn render_arriving(profile: &Profile) -> Json {
    let mut body = self::profile(&profile.attributes);
    body.insert("user_id".into(), json!(profile.foreign_id.user_id()));
    let factors: Vec<_> = profile.factors.iter().map(MfaFactor::kind).collect();
    if !factors.is_empty() {
        let names: Vec<_> = factors.iter().map(|kind| factor_name(kind)).collect();
        body.insert("multifactor".into(), names.into());
    }
    add_extra(&mut body, &profile.attributes);
    body.sort_keys();
    body
}

/// What the legacy store sent beside the schema; it never hides a member of ours.
fn add_extra(body: &mut Json, attributes: &Attributes) {
    for (name, value) in &attributes.extra {
        body.entry(name.as_str()).or_insert_with(|| value.clone());
    }
}

/// What is known of the person, with what the wire fills in.
fn profile(attributes: &Attributes) -> Json {
    let shown = ShownProfile::of(attributes);
    let members = [
        (
            "app_metadata",
            attributes.app_metadata.clone().map(Value::Object),
        ),
        ("blocked", attributes.blocked.map(Value::Bool)),
        ("email", attributes.email.as_ref().map(|email| json!(email))),
        ("email_verified", Some(attributes.email_verified.into())),
        (
            "family_name",
            attributes.family_name.clone().map(Value::String),
        ),
        (
            "given_name",
            attributes.given_name.clone().map(Value::String),
        ),
        ("name", shown.name.map(Value::String)),
        ("nickname", shown.nickname.map(Value::String)),
        (
            "phone_number",
            attributes.phone_number.clone().map(Value::String),
        ),
        ("phone_verified", attributes.phone_verified.map(Value::Bool)),
        ("picture", shown.picture.map(Value::String)),
        (
            "user_metadata",
            attributes.user_metadata.clone().map(Value::Object),
        ),
        (
            "username",
            attributes.username.as_ref().map(|name| json!(name)),
        ),
    ];
    present(members).collect()
}

/// Members that have a value: the wire leaves the others out.
fn present<const N: usize>(
    members: [(&str, Option<Value>); N],
) -> impl Iterator<Item = (String, Value)> {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

/// An identity as the Management API shows one.
pub fn identity(identity: &Identity) -> Value {
    let mut body = json!({
        "connection": identity.connection_name,
        "user_id": identity.foreign_id,
        "provider": identity.provider,
        "isSocial": false,
    });
    if let (Some(profile), Some(body)) = (&identity.profile_data, body.as_object_mut()) {
        body.insert("profileData".into(), profile.clone().into());
    }
    body
}

fn arrival(identity: &Identity) -> Value {
    let mut body = json!({"origin": identity.origin.as_str()});
    if let (Some(time), Some(body)) = (identity.migrated_at, body.as_object_mut()) {
        body.insert("migrated_at".into(), json!(time));
    }
    body
}

fn factor_name(kind: &str) -> &str {
    match kind {
        "totp" => "otp",
        "phone" => "sms",
        other => other,
    }
}

/// Whether a change touches nothing but `app_metadata`.
pub fn is_app_metadata_only(body: &Json) -> bool {
    body.keys().all(|name| name == "app_metadata")
}

/// A query parameter that must be an e-mail address.
pub fn check_email_parameter(email: &str) -> Result<(), ApiError> {
    let parameter = Json::from_iter([("email".to_owned(), email.into())]);
    match schema::check(&parameter, &[required("email", Kind::Email)]).first() {
        None => Ok(()),
        Some(fault) => Err(ApiError::invalid_query(format!(
            "Query validation error: '{}' on property email.",
            fault.message
        ))),
    }
}
