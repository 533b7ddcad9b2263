//! The options of a connection to another provider (wire: strategy `oidc`): their shape, and what
//! becomes of them when they are written. The secret by which we prove ourselves there is stored
//! apart, sealed, and never shown.

use std::collections::BTreeMap;

use domain::connection::{NON_PERSISTENT, ROOT_ATTRIBUTES, Strategy};
use domain::schema::{self, Field, Kind, optional, required};
use domain::{ConfigurationValue, Connection, Json};
use oidc::relying_party::Reach;
use oidc::relying_party::provider::GIVEN;
use serde_json::Value;

use super::upstream::Upstream;
use crate::body::misfit;
use crate::error::{Error, Result};

/// Under which name the secret is stored.
pub(super) const SECRET: &str = "client_secret";

const URL: Kind = Kind::Text(1, 2048);
const ATTRIBUTE_MAP: Kind = Kind::Object(&[
    optional(
        "mapping_mode",
        Kind::Enum(&["bind_all", "use_map", "basic_profile"]),
    ),
    optional("userinfo_scope", Kind::Text(0, 1024)),
    optional("attributes", Kind::FreeObject),
]);

/// TABLE: the members of `options`.
const OPTIONS: &[Field] = &[
    required("client_id", Kind::Text(1, 255)),
    optional(SECRET, Kind::Nullable(&Kind::Text(1, 4096))),
    optional("type", Kind::Enum(&["back_channel", "front_channel"])),
    optional("discovery_url", Kind::Nullable(&URL)),
    optional("issuer", Kind::Nullable(&URL)),
    optional("authorization_endpoint", Kind::Nullable(&URL)),
    optional("token_endpoint", Kind::Nullable(&URL)),
    optional("userinfo_endpoint", Kind::Nullable(&URL)),
    optional("jwks_uri", Kind::Nullable(&URL)),
    optional("oidc_metadata", Kind::Nullable(&Kind::FreeObject)),
    optional("scope", Kind::Text(1, 1024)),
    optional(
        "connection_settings",
        Kind::Object(&[optional(
            "pkce",
            Kind::Enum(&["auto", "S256", "plain", "disabled"]),
        )]),
    ),
    optional("attribute_map", Kind::Nullable(&ATTRIBUTE_MAP)),
    optional("icon_url", Kind::Nullable(&URL)),
    optional("display_name", Kind::Nullable(&Kind::Text(1, 128))),
    ROOT_ATTRIBUTES,
    NON_PERSISTENT,
    optional(
        "domain_aliases",
        Kind::Nullable(&Kind::Array(&Kind::Text(1, 253), 0, 1000)),
    ),
    optional(
        "id_token_signed_response_algs",
        Kind::Nullable(&Kind::Array(&Kind::Text(1, 16), 0, 16)),
    ),
    optional(
        "token_endpoint_auth_method",
        Kind::Nullable(&Kind::Enum(&["client_secret_post", "client_secret_basic"])),
    ),
    optional("upstream_params", Kind::Nullable(&Kind::FreeObject)),
    // Always done; kept because tools send it back.
    optional("send_back_channel_nonce", Kind::Boolean),
    // Says nothing to us; kept because tools send them back.
    optional("tenant_domain", Kind::Nullable(&Kind::Text(0, 255))),
    optional("schema_version", Kind::Text(0, 64)),
];

/// Takes new options over. A secret that is left out stays, as long as it goes to the same place:
/// nobody who may change a connection learns a secret by having it sent elsewhere.
pub(crate) fn take_over(connection: &mut Connection, mut given: Json, reach: Reach) -> Result<()> {
    if let Some(fault) = schema::check(&given, OPTIONS).into_iter().next() {
        return Err(Error::payload(&fault.under("options")));
    }
    let sent = given.shift_remove(SECRET);
    let configuration = match sent {
        Some(Value::String(text)) => {
            BTreeMap::from([(SECRET.to_owned(), ConfigurationValue::from(text))])
        }
        Some(_) => BTreeMap::new(),
        None => {
            let goes_elsewhere = ["client_id", "discovery_url", "oidc_metadata"]
                .iter()
                .chain(GIVEN)
                .any(|name| said(&connection.options, name) != said(&given, name));
            if goes_elsewhere && connection.configuration.contains_key(SECRET) {
                let text = "Must be sent again when the provider or the client_id changes";
                return Err(misfit("options.client_secret", text));
            }
            connection.configuration.clone()
        }
    };
    Upstream::read(&given, &configuration, reach)?;
    connection.options = given;
    connection.configuration = configuration;
    let strategy = Strategy::Oidc.as_str();
    connection
        .attributes
        .insert("strategy".into(), strategy.into());
    Ok(())
}

/// A member that says something.
fn said<'a>(options: &'a Json, name: &str) -> Option<&'a Value> {
    options.get(name).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn connection() -> Connection {
        Connection {
            id: "con_1".into(),
            name: "corp".into(),
            display_name: None,
            realms: vec![],
            options: Json::new(),
            configuration: BTreeMap::new(),
            metadata: Json::new(),
            attributes: Json::new(),
            enabled_clients: vec![],
            version: 1,
        }
    }

    fn object(value: &Value) -> Json {
        value.as_object().unwrap().clone()
    }

    fn fault(more: &Value) -> String {
        let mut options = object(&json!({
            "client_id": "ferry", "discovery_url": "https://up.example/.well-known/openid-configuration",
        }));
        options.extend(object(more));
        match take_over(&mut connection(), options, Reach::Https) {
            Err(Error::Invalid { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_fault_names_its_member() {
        let faults = [
            json!({"client_id": ""}),
            json!({"bareboat": 1}),
            json!({"type": "side_channel"}),
            json!({"discovery_url": "http://up.example/.well-known/openid-configuration"}),
            json!({"discovery_url": null}),
            json!({"discovery_url": null, "issuer": "https://up.example/#x"}),
            json!({"token_endpoint": "https://user@up.example/token"}),
            json!({"jwks_uri": "file:///etc/passwd"}),
            json!({"scope": "email"}),
            json!({"connection_settings": {"pkce": "plain"}}),
            json!({"attribute_map": {"mapping_mode": "use_map"}}),
            json!({"attribute_map": {"mapping_mode": "use_map", "attributes": {"user_id": "1"}}}),
            json!({"attribute_map": {"mapping_mode": "use_map", "attributes": {"name": "${context.x.y}"}}}),
            json!({"icon_url": "http://x/y.png"}),
            json!({"domain_aliases": ["not a domain"]}),
            json!({"id_token_signed_response_algs": ["HS256"]}),
            json!({"upstream_params": {"hint": {"alias": "login_hint"}}}),
        ];
        let said: Vec<String> = faults.iter().map(fault).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        Payload validation error: 'String is too short (0 chars), minimum 1' on property options.client_id.
        Payload validation error: 'Additional properties not allowed: bareboat' on property options.bareboat.
        Payload validation error: 'No enum match for: side_channel' on property options.type.
        Payload validation error: 'Must be an https URL without user and fragment' on property options.discovery_url.
        Payload validation error: 'Needed, or else issuer, or else all endpoints (issuer: is missing)' on property options.discovery_url.
        Payload validation error: 'Must be an https URL without user and fragment' on property options.issuer.
        Payload validation error: 'Must be an https URL without user and fragment' on property options.token_endpoint.
        Payload validation error: 'Must be an https URL without user and fragment' on property options.jwks_uri.
        Payload validation error: 'Must contain openid' on property options.scope.
        Payload validation error: 'Not supported by this server: a plain challenge protects nothing' on property options.connection_settings.pkce.
        Payload validation error: 'Needed with use_map' on property options.attribute_map.attributes.
        Payload validation error: 'This attribute can't come from a provider' on property options.attribute_map.attributes.user_id.
        Payload validation error: 'Expected text with ${context.tokenset.CLAIM} or ${context.userinfo.CLAIM}' on property options.attribute_map.attributes.name.
        Payload validation error: 'Must be an https URL' on property options.icon_url.
        Payload validation error: 'Not a domain: not a domain' on property options.domain_aliases.
        Payload validation error: 'Not supported by this server: HS256' on property options.id_token_signed_response_algs.
        Payload validation error: 'Not supported by this server: only {"value": "…"} is' on property options.upstream_params.hint.
        "#);
    }

    #[test]
    fn a_secret_stays_only_where_it_goes_to_the_same_place() {
        let options = |more: Value| {
            let mut options = object(&json!({
                "client_id": "ferry", "issuer": "https://up.example/", "scope": "openid",
            }));
            options.extend(object(&more));
            options
        };
        let mut stored = connection();
        take_over(
            &mut stored,
            options(json!({"client_secret": "hush"})),
            Reach::Https,
        )
        .unwrap();
        assert_eq!(stored.strategy(), Strategy::Oidc);
        assert!(!stored.options.contains_key("client_secret"));
        let secret = |stored: &Connection| {
            let upstream = Upstream::of(stored, Reach::Https).unwrap();
            upstream.secret.map(|secret| secret.expose().to_owned())
        };
        let mut same = stored.clone();
        let more = json!({"scope": "openid email", "icon_url": "https://up.example/i.png"});
        take_over(&mut same, options(more), Reach::Https).unwrap();
        assert_eq!(secret(&same).as_deref(), Some("hush"));
        for elsewhere in [
            json!({"client_id": "other"}),
            json!({"issuer": "https://evil.example/"}),
            json!({"token_endpoint": "https://evil.example/token"}),
            json!({"discovery_url": "https://evil.example/.well-known/openid-configuration"}),
        ] {
            let mut moved = stored.clone();
            let refused = take_over(&mut moved, options(elsewhere.clone()), Reach::Https);
            assert!(refused.is_err(), "{elsewhere}");
            let mut members = options(elsewhere);
            members.insert("client_secret".into(), "new".into());
            take_over(&mut moved, members, Reach::Https).unwrap();
            assert_eq!(secret(&moved).as_deref(), Some("new"));
        }
        let mut public = stored.clone();
        let more = json!({"client_secret": null, "client_id": "public"});
        take_over(&mut public, options(more), Reach::Https).unwrap();
        assert_eq!(secret(&public), None);
    }
}
