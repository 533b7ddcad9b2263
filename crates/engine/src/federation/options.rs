//! The options of a connection to another provider (wire: strategy `oidc`): their shape, their
//! rules, and what they come to. The secret by which we prove ourselves there is stored apart,
//! sealed, and never shown.

use std::collections::BTreeMap;

use domain::connection::Strategy;
use domain::schema::{self, Field, Kind, optional, required};
use domain::{ClientSecret, ConfigurationValue, Connection, Json};
use oidc::Algorithm;
use oidc::relying_party::provider::{GIVEN, WELL_KNOWN};
use oidc::relying_party::{ClientProof, Endpoint, Flow, Provider, Reach};
use serde_json::Value;

use super::mapping::Mapping;
use crate::body::{misfit, texts};
use crate::error::{Error, Result};

/// Under which name the secret is stored.
const SECRET: &str = "client_secret";

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
    optional(
        "set_user_root_attributes",
        Kind::Enum(&["on_each_login", "on_first_login", "never_on_login"]),
    ),
    optional(
        "non_persistent_attrs",
        Kind::Nullable(&Kind::Array(&Kind::Text(1, 255), 0, 96)),
    ),
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

/// What the options come to.
pub(crate) struct Upstream {
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub secret: Option<ClientSecret>,
    /// How it travels, where the operator says so.
    pub proof: Option<ClientProof>,
    /// How the answer comes.
    pub flow: Flow,
    /// Where the discovery document is; none when the operator gave all that is needed.
    pub discovery_url: Option<Endpoint>,
    /// The operator's own members of it.
    pub given: Json,
    /// What we ask to know.
    pub scope: String,
    /// Whether codes are bound by a challenge; the provider says when absent.
    pub has_challenge: Option<bool>,
    /// Algorithms of ID tokens that are believed.
    pub algorithms: Vec<Algorithm>,
    /// From claims to attributes.
    pub mapping: Mapping,
    /// Domains of addresses whose people sign in there, in lower case.
    pub domain_aliases: Vec<String>,
    /// Parameters of the operator's own.
    pub more: Vec<(String, String)>,
}

impl Upstream {
    /// Reads the options of a stored connection. They fitted when they were written.
    pub(crate) fn of(connection: &Connection, reach: Reach) -> Result<Self> {
        read(&connection.options, &connection.configuration, reach)
            .map_err(|error| Error::internal(error.detail()))
    }
}

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
    read(&given, &configuration, reach)?;
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

fn read(
    options: &Json,
    configuration: &BTreeMap<String, ConfigurationValue>,
    reach: Reach,
) -> Result<Upstream> {
    let text = |name: &str| {
        let text = options.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let flow = match text("type") {
        Some("front_channel") => Flow::IdToken,
        _ => Flow::Code,
    };
    let (discovery_url, given) = place(options, flow, reach)?;
    let secret = configuration.get(SECRET);
    let map = options.get("attribute_map");
    let map = map.and_then(Value::as_object);
    if let Some(icon) = text("icon_url")
        && Endpoint::parse(icon, Reach::Https).is_none()
    {
        return Err(misfit("options.icon_url", "Must be an https URL"));
    }
    Ok(Upstream {
        client_id: text("client_id").unwrap_or_default().to_owned(),
        secret: secret.map(|secret| ClientSecret::from(secret.expose())),
        proof: match text("token_endpoint_auth_method") {
            Some("client_secret_basic") => Some(ClientProof::Basic),
            Some(_) => Some(ClientProof::Post),
            None => None,
        },
        flow,
        discovery_url,
        given,
        scope: scope(text("scope"), map)?,
        has_challenge: challenge(options)?,
        algorithms: algorithms(options)?,
        mapping: Mapping::read(map)?,
        domain_aliases: domain_aliases(options)?,
        more: more(options)?,
    })
}

/// Where the provider is found: a document, the operator's words, or both.
fn place(options: &Json, flow: Flow, reach: Reach) -> Result<(Option<Endpoint>, Json)> {
    let url = |name: &'static str| match options.get(name).and_then(Value::as_str) {
        None => Ok(None),
        Some(text) => match Endpoint::parse(text, reach) {
            Some(endpoint) => Ok(Some(endpoint)),
            None => Err(misfit(
                &format!("options.{name}"),
                "Must be an https URL without user and fragment",
            )),
        },
    };
    let mut own = Json::new();
    for name in GIVEN {
        // The issuer is a name and not asked; it has the same form.
        if let Some(endpoint) = url(name)? {
            own.insert((*name).to_owned(), endpoint.as_str().into());
        }
    }
    // The document is fetched: what was once copied from it must not outlive it.
    if let Some(discovery_url) = url("discovery_url")? {
        return Ok((Some(discovery_url), own));
    }
    let metadata = options.get("oidc_metadata").and_then(Value::as_object);
    let mut given = metadata.cloned().unwrap_or_default();
    given.extend(own);
    let missing = match Provider::read(&given, reach) {
        Ok(provider) if flow == Flow::IdToken || provider.token_endpoint.is_some() => {
            return Ok((None, given));
        }
        Ok(_) => "token_endpoint is missing".to_owned(),
        Err(error) => error.to_string(),
    };
    let issuer = given.get("issuer").and_then(Value::as_str);
    let derived = issuer.map(|issuer| {
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        format!("{issuer}{WELL_KNOWN}")
    });
    let Some(url) = derived.and_then(|url| Endpoint::parse(&url, reach)) else {
        let text = format!("Needed, or else issuer, or else all endpoints ({missing})");
        return Err(misfit("options.discovery_url", text));
    };
    Ok((Some(url), given))
}

fn scope(own: Option<&str>, map: Option<&Json>) -> Result<String> {
    let for_userinfo = map.and_then(|map| map.get("userinfo_scope"));
    let for_userinfo = for_userinfo.and_then(Value::as_str).unwrap_or_default();
    let mut words: Vec<&str> = Vec::new();
    let own = own.unwrap_or("openid profile email");
    for word in own.split(' ').chain(for_userinfo.split(' ')) {
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    if !words.contains(&"openid") {
        return Err(misfit("options.scope", "Must contain openid"));
    }
    Ok(words.join(" "))
}

fn challenge(options: &Json) -> Result<Option<bool>> {
    let settings = options.get("connection_settings");
    let pkce = settings.and_then(|settings| settings.get("pkce"));
    match pkce.and_then(Value::as_str) {
        Some("S256") => Ok(Some(true)),
        Some("disabled") => Ok(Some(false)),
        Some("plain") => {
            let text = "Not supported by this server: a plain challenge protects nothing";
            Err(misfit("options.connection_settings.pkce", text))
        }
        _ => Ok(None),
    }
}

fn algorithms(options: &Json) -> Result<Vec<Algorithm>> {
    let named = options.get("id_token_signed_response_algs");
    let named: Vec<&str> = named.map(texts).into_iter().flatten().collect();
    if named.is_empty() {
        return Ok(Algorithm::ALL.to_vec());
    }
    let read = |name: &&str| {
        Algorithm::parse(name).ok_or_else(|| {
            let text = format!("Not supported by this server: {name}");
            misfit("options.id_token_signed_response_algs", text)
        })
    };
    named.iter().map(read).collect()
}

fn domain_aliases(options: &Json) -> Result<Vec<String>> {
    let aliases = options.get("domain_aliases");
    let aliases = aliases.map(texts).into_iter().flatten();
    let read = |alias: &str| {
        let probe = format!("a@{alias}");
        if domain::email::is_well_formed(&probe) {
            return Ok(domain::email::fold(alias));
        }
        Err(misfit(
            "options.domain_aliases",
            format!("Not a domain: {alias}"),
        ))
    };
    aliases.map(read).collect()
}

/// Parameters with a fixed value. Those that take theirs from the request are not known here.
fn more(options: &Json) -> Result<Vec<(String, String)>> {
    let Some(Value::Object(params)) = options.get("upstream_params") else {
        return Ok(Vec::new());
    };
    let read = |(name, value): (&String, &Value)| match value.get("value").and_then(Value::as_str) {
        Some(text) => Ok((name.clone(), text.to_owned())),
        None => Err(misfit(
            &format!("options.upstream_params.{name}"),
            "Not supported by this server: only {\"value\": \"…\"} is",
        )),
    };
    params.iter().map(read).collect()
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

    #[test]
    fn a_provider_is_found_by_its_name_or_by_the_operators_words() {
        let read = |options: Value| {
            let mut connection = connection();
            take_over(&mut connection, object(&options), Reach::Https).unwrap();
            Upstream::of(&connection, Reach::Https).unwrap()
        };
        let by_name = read(json!({"client_id": "f", "issuer": "https://up.example/tenant"}));
        assert_eq!(
            by_name.discovery_url.unwrap().as_str(),
            "https://up.example/tenant/.well-known/openid-configuration"
        );
        let endpoints = json!({
            "client_id": "f", "issuer": "https://up.example/", "jwks_uri": "https://up.example/k",
            "authorization_endpoint": "https://up.example/a",
            "token_endpoint": "https://up.example/t", "connection_settings": {"pkce": "disabled"},
            "domain_aliases": ["Corp.Example"], "upstream_params": {"tenant": {"value": "x"}},
        });
        let all = read(endpoints);
        assert!(all.discovery_url.is_none());
        assert_eq!(all.has_challenge, Some(false));
        assert_eq!(all.domain_aliases, ["corp.example"]);
        assert_eq!(all.more, [("tenant".to_owned(), "x".to_owned())]);
        assert_eq!(all.scope, "openid profile email");
    }
}
