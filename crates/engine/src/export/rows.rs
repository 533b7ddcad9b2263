//! A user as a line of the file: as the API shows it, or with credentials as an import row.

use domain::user::Attributes;
use domain::{
    ConnectionId, EmailAddress, ExportFormat, ExportRequest, Json, MfaFactor, User, Username,
};
use password::PasswordHash;
use serde_json::{Value, json};
use store::ExportedUser;
use zeroize::Zeroizing;

use super::csv;

/// How a user is shown; the wire's words are the server's.
pub type RenderUser = fn(&User) -> Json;

/// Members of a table when none are asked for.
const COLUMNS: &[&str] = &[
    "user_id",
    "email",
    "email_verified",
    "username",
    "phone_number",
    "phone_verified",
    "name",
    "nickname",
    "given_name",
    "family_name",
    "picture",
    "blocked",
    "created_at",
    "updated_at",
    "last_login",
    "last_ip",
    "logins_count",
    "last_password_reset",
    "identities",
    "multifactor",
    "user_metadata",
    "app_metadata",
];

/// Ours; the documented record does not have it.
const OURS: &str = "ferry";

/// Room for a usual line: a growing buffer would leave copies of hashes behind.
const LINE: usize = 2048;

/// Writes lines.
pub(super) struct RowWriter {
    format: ExportFormat,
    /// Paths and the names they are written under; empty for all members.
    fields: Vec<(String, String)>,
    render: RenderUser,
}

impl RowWriter {
    pub(super) fn new(request: &ExportRequest, render: RenderUser) -> Self {
        let asked = request.fields.iter();
        let mut fields: Vec<_> = asked
            .map(|field| (field.name.clone(), field.shown_name().to_owned()))
            .collect();
        if fields.is_empty() && request.format == ExportFormat::Csv {
            let all = COLUMNS.iter();
            fields = all.map(|name| ((*name).into(), (*name).into())).collect();
        }
        Self {
            format: request.format,
            fields,
            render,
        }
    }

    /// What stands before the first user.
    pub(super) fn put_head(&self, out: &mut Vec<u8>) {
        if self.format == ExportFormat::Csv {
            csv::put_head(self.fields.iter().map(|(_, name)| name.as_str()), out);
        }
    }

    /// A user as the API shows it.
    pub(super) fn put_user(&self, user: &User, out: &mut Vec<u8>) {
        let mut shown = (self.render)(user);
        shown.shift_remove(OURS);
        if self.format == ExportFormat::Csv {
            let cells = self.fields.iter().map(|(path, _)| look_up(&shown, path));
            return csv::put_row(cells, out);
        }
        let line = if self.fields.is_empty() {
            shown
        } else {
            let found = self.fields.iter().filter_map(|(path, name)| {
                look_up(&shown, path).map(|value| (name.clone(), value.clone()))
            });
            found.collect()
        };
        put_line(&Value::Object(line).to_string(), out);
    }
}

/// A user as an import row. `false` when its hash is none that we know: it is left out.
pub(super) fn put_credentials(
    exported: &ExportedUser,
    connection: &ConnectionId,
    out: &mut Vec<u8>,
) -> bool {
    let mut row = import_members(&exported.user.attributes);
    let id = exported.identity(connection).map(|found| &found.foreign_id);
    let id = id.map_or_else(|| exported.user.user_id.clone(), domain::ForeignId::user_id);
    row.insert("user_id".into(), json!(id));
    let mut line = Zeroizing::new(String::with_capacity(LINE));
    // The object stays open: what is secret follows without a stay in loose values.
    let text = Value::Object(row).to_string();
    line.push_str(text.strip_suffix('}').unwrap_or(&text));
    if !exported.factors.is_empty() {
        let factors: Vec<Zeroizing<String>> = exported.factors.iter().map(factor).collect();
        line.push_str(",\"mfa_factors\":[");
        for (index, text) in factors.iter().enumerate() {
            if index > 0 {
                line.push(',');
            }
            line.push_str(text);
        }
        line.push(']');
    }
    let member = exported.hash.as_ref().map(PasswordHash::to_import_member);
    if let Some(Ok(member)) = &member {
        line.push_str(",\"");
        line.push_str(member.name);
        line.push_str("\":");
        line.push_str(&member.json);
    }
    line.push('}');
    put_line(&line, out);
    !matches!(member, Some(Err(_)))
}

fn put_line(line: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

/// What an import row holds, as it is stored: nothing is filled in that the file did not bring.
/// Unknown root members of a legacy store have no place there.
fn import_members(attributes: &Attributes) -> Json {
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let members = [
        (
            "email",
            attributes
                .email
                .as_ref()
                .map(EmailAddress::as_str)
                .map(Value::from),
        ),
        ("email_verified", Some(attributes.email_verified.into())),
        (
            "username",
            attributes
                .username
                .as_ref()
                .map(Username::as_str)
                .map(Value::from),
        ),
        (
            "phone_number",
            text(&attributes.phone_number).map(Value::from),
        ),
        ("phone_verified", attributes.phone_verified.map(Value::from)),
        ("name", text(&attributes.name).map(Value::from)),
        ("nickname", text(&attributes.nickname).map(Value::from)),
        ("given_name", text(&attributes.given_name).map(Value::from)),
        (
            "family_name",
            text(&attributes.family_name).map(Value::from),
        ),
        ("picture", text(&attributes.picture).map(Value::from)),
        ("blocked", attributes.blocked.map(Value::from)),
        (
            "user_metadata",
            attributes.user_metadata.clone().map(Value::Object),
        ),
        (
            "app_metadata",
            attributes.app_metadata.clone().map(Value::Object),
        ),
    ];
    let present = members.into_iter();
    present
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn factor(factor: &MfaFactor) -> Zeroizing<String> {
    let member = match factor {
        MfaFactor::Totp(_) => "secret",
        MfaFactor::Phone(_) | MfaFactor::Email(_) => "value",
    };
    let value = Zeroizing::new(Value::from(factor.expose()).to_string());
    Zeroizing::new(format!(
        "{{\"{}\":{{\"{member}\":{}}}}}",
        factor.kind(),
        *value
    ))
}

/// A value by its path: `a.b`, `a[0].b`. A member that has the whole path for a name comes first.
fn look_up<'a>(user: &'a Json, path: &str) -> Option<&'a Value> {
    if let Some(value) = user.get(path) {
        return Some(value);
    }
    let mut steps = path.split(['.', '[', ']']).filter(|step| !step.is_empty());
    let first = user.get(steps.next()?)?;
    steps.try_fold(first, |value, step| match value {
        Value::Object(object) => object.get(step),
        Value::Array(elements) => elements.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_into_objects_and_arrays() {
        let user = json!({"a": {"b": 1, "c.d": 2}, "l": [{"x": "y"}], "e.f": 3});
        let user = user.as_object().unwrap();
        let found = |path| look_up(user, path).map(ToString::to_string);
        assert_eq!(found("a.b").as_deref(), Some("1"));
        assert_eq!(found("l[0].x").as_deref(), Some("\"y\""));
        assert_eq!(found("e.f").as_deref(), Some("3"));
        for absent in ["", "a.x", "l[1].x", "l[x]", "a.b.c", "."] {
            assert_eq!(found(absent), None, "{absent}");
        }
    }
}
