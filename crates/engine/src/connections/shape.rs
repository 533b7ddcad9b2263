//! TABLE: the members of a connection as they may be sent (wire section 2.1).

use domain::connection::{NAME_PATTERN, is_name};
use domain::schema::{Field, Kind, optional, required};

const ACTIVE: Kind = Kind::Object(&[optional("active", Kind::Boolean)]);
const CLIENTS: Kind = Kind::Array(&Kind::Text(1, 128), 0, 1000);
const METADATA: Kind = Kind::MapOf(&Kind::Nullable(&Kind::Text(0, 255)));
const REALMS: Kind = Kind::Array(&Kind::Text(1, 128), 0, 10);

/// Of a new connection.
pub(super) const CREATE: &[Field] = &[
    required("name", Kind::Pattern(NAME_PATTERN, is_name)),
    required("strategy", Kind::Text(1, 128)),
    optional("display_name", Kind::Text(1, 128)),
    optional("options", Kind::FreeObject),
    optional("enabled_clients", CLIENTS),
    optional("is_domain_connection", Kind::Boolean),
    optional("show_as_button", Kind::Boolean),
    optional("realms", REALMS),
    optional("metadata", METADATA),
    optional("authentication", ACTIVE),
    optional("connected_accounts", ACTIVE),
];

/// Of a change: name and strategy stay as they are.
pub(super) const UPDATE: &[Field] = &[
    optional("display_name", Kind::Nullable(&Kind::Text(1, 128))),
    optional("options", Kind::FreeObject),
    optional("enabled_clients", CLIENTS),
    optional("is_domain_connection", Kind::Boolean),
    optional("show_as_button", Kind::Boolean),
    optional("realms", REALMS),
    optional("metadata", METADATA),
    optional("authentication", ACTIVE),
    optional("connected_accounts", ACTIVE),
];

/// Of one line that enables a client or disables it.
pub(super) const ENABLED_CLIENT: &[Field] = &[
    required("client_id", Kind::Text(1, 128)),
    required("status", Kind::Boolean),
];
