//! Another provider as the options of its connection describe it, read into a type.

use std::collections::BTreeMap;

use domain::{ClientSecret, ConfigurationValue, Connection, Json};
use oidc::Algorithm;
use oidc::relying_party::provider::{GIVEN, WELL_KNOWN};
use oidc::relying_party::{ClientProof, Endpoint, Flow, Provider, Reach};
use serde_json::Value;

use super::mapping::Mapping;
use super::options::SECRET;
use crate::body::{misfit, texts};
use crate::error::{Error, Result};

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
        Self::read(&connection.options, &connection.configuration, reach)
            .map_err(|error| Error::internal(error.detail()))
    }

    /// Reads options, and the secret that is stored apart from them.
    pub(super) fn read(
        options: &Json,
        configuration: &BTreeMap<String, ConfigurationValue>,
        reach: Reach,
    ) -> Result<Self> {
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
        Ok(Self {
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
    use serde_json::json;

    use super::*;

    fn read(options: &Value) -> Upstream {
        let options = options.as_object().unwrap();
        Upstream::read(options, &BTreeMap::new(), Reach::Https).unwrap()
    }

    #[test]
    fn a_provider_is_found_by_its_name_or_by_the_operators_words() {
        let by_name = read(&json!({"client_id": "f", "issuer": "https://up.example/tenant"}));
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
        let all = read(&endpoints);
        assert!(all.discovery_url.is_none());
        assert_eq!(all.has_challenge, Some(false));
        assert_eq!(all.domain_aliases, ["corp.example"]);
        assert_eq!(all.more, [("tenant".to_owned(), "x".to_owned())]);
        assert_eq!(all.scope, "openid profile email");
    }
}
