//! The request as `/authorize` got it → a client and a request that may be acted upon.

use std::collections::BTreeMap;

use domain::{Client, ClientId, Json, TokenEndpointAuth};
use oidc::authorize::{
    AuthorizationRequest, ChallengeMethod, CodeChallenge, Prompt, ResponseMode, ResponseType,
};
use oidc::{OAuthError, Scopes};

use super::{Answer, Refusal};
use crate::Engine;

/// Why a request is not acted upon.
pub(super) enum Checked {
    /// It is.
    Request(Box<Client>, Box<AuthorizationRequest>),
    /// The client is told: it proved that the redirect URI is its own.
    Refused(Answer),
}

impl Engine {
    /// Stands in for `oidc::authorize::check`: the one place where its table of checks is called.
    pub(super) async fn checked_request(
        &self,
        pairs: Vec<(String, String)>,
    ) -> Result<Checked, OAuthError> {
        let mut parameters = BTreeMap::new();
        let mut repeated = None;
        for (name, value) in pairs {
            if value.contains('\0') {
                return Err(OAuthError::invalid_request(
                    "Invalid character in a parameter",
                ));
            }
            if parameters.insert(name.clone(), value).is_some() {
                repeated = Some(name);
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        if let Some(name) = repeated.as_deref()
            && matches!(name, "client_id" | "redirect_uri")
        {
            return Err(OAuthError::duplicate_parameter(name));
        }
        let id = parameters.get("client_id");
        let id: ClientId = id
            .ok_or_else(|| OAuthError::missing_parameter("client_id"))?
            .as_str()
            .into();
        let found = self.store.find_client(&id).await;
        let client = found.map_err(crate::token::outage)?;
        let client = client.ok_or_else(crate::token::unknown_client)?;
        let redirect_uri = redirect_uri(&client, parameters.get("redirect_uri"))?;
        let request = unproven(&client, redirect_uri, &parameters);
        match repeated.map_or_else(
            || completed(&client, request.clone(), &parameters),
            |name| {
                Err(Refusal::invalid_request(format!(
                    "Duplicate parameter: {name}"
                )))
            },
        ) {
            Ok(request) => Ok(Checked::Request(Box::new(client), Box::new(request))),
            Err(refusal) => Ok(Checked::Refused(self.refusal(&request, refusal))),
        }
    }
}

fn texts<'a>(attributes: &'a Json, name: &str) -> Vec<&'a str> {
    let list = attributes.get(name).and_then(serde_json::Value::as_array);
    let texts = list.into_iter().flatten();
    texts.filter_map(serde_json::Value::as_str).collect()
}

/// One of the client's own, letter by letter.
fn redirect_uri(client: &Client, asked: Option<&String>) -> Result<(String, bool), OAuthError> {
    let callbacks = texts(&client.attributes, "callbacks");
    match (asked, callbacks.as_slice()) {
        (Some(asked), known) if known.contains(&asked.as_str()) && !asked.contains('#') => {
            Ok((asked.clone(), true))
        }
        (None, [only]) => Ok(((*only).to_owned(), false)),
        (None, _) => Err(OAuthError::missing_parameter("redirect_uri")),
        (Some(_), _) => Err(OAuthError::invalid_request(
            "Callback URL mismatch. The redirect_uri is not one of the client's callbacks.",
        )),
    }
}

fn unproven(
    client: &Client,
    (redirect_uri, names_redirect_uri): (String, bool),
    parameters: &BTreeMap<String, String>,
) -> AuthorizationRequest {
    let text = |name: &str| parameters.get(name).cloned();
    let words = |name: &str| {
        let list = parameters.get(name).map(String::as_str).unwrap_or_default();
        list.split_whitespace().map(str::to_owned).collect()
    };
    let types = text("response_type").unwrap_or_default();
    let has = |word: &str| types.split(' ').any(|part| part == word);
    let response_type = ResponseType {
        code: has("code"),
        id_token: has("id_token"),
        token: has("token"),
    };
    let default = if response_type.id_token || response_type.token {
        ResponseMode::Fragment
    } else {
        ResponseMode::Query
    };
    AuthorizationRequest {
        client_id: client.client_id.clone(),
        redirect_uri,
        names_redirect_uri,
        response_type,
        response_mode: match text("response_mode").as_deref() {
            Some("fragment") => ResponseMode::Fragment,
            Some("form_post") => ResponseMode::FormPost,
            Some("web_message") => ResponseMode::WebMessage,
            _ => default,
        },
        scope: Scopes::default(),
        audience: text("audience"),
        state: text("state").filter(|state| state.len() <= 4096),
        nonce: text("nonce"),
        code_challenge: None,
        prompt: Vec::new(),
        max_age: None,
        login_hint: text("login_hint"),
        screen_hint: text("screen_hint"),
        ui_locales: words("ui_locales"),
        acr_values: words("acr_values"),
        connection: text("connection"),
        dpop_jkt: text("dpop_jkt"),
        id_token_hint: text("id_token_hint"),
    }
}

fn may_ask_for(client: &Client, kind: ResponseType) -> bool {
    (!kind.code || client.may_use("authorization_code"))
        && (!(kind.id_token || kind.token) || client.may_use("implicit"))
}

fn completed(
    client: &Client,
    mut request: AuthorizationRequest,
    parameters: &BTreeMap<String, String>,
) -> Result<AuthorizationRequest, Refusal> {
    let text = |name: &str| parameters.get(name).map(String::as_str);
    let kind = request.response_type;
    if !(kind.code || kind.id_token || kind.token) {
        return Err(Refusal::invalid_request(
            "Missing required parameter: response_type",
        ));
    }
    if !may_ask_for(client, kind) {
        let text = "The client may not ask for this response_type.";
        return Err(Refusal::new("unauthorized_client", text));
    }
    if text("state").is_some_and(|state| state.len() > 4096) {
        return Err(Refusal::invalid_request("The state is too long."));
    }
    if kind.id_token && request.nonce.is_none() {
        return Err(Refusal::invalid_request(
            "Missing required parameter: nonce",
        ));
    }
    request.scope = Scopes::parse(text("scope").unwrap_or_default())
        .map_err(|_| Refusal::new("invalid_scope", "The scope holds an unknown character."))?;
    for word in text("prompt").unwrap_or_default().split_whitespace() {
        request.prompt.push(match word {
            "none" => Prompt::None,
            "login" => Prompt::Login,
            "consent" => Prompt::Consent,
            "select_account" => Prompt::SelectAccount,
            _ => return Err(Refusal::invalid_request("Invalid prompt")),
        });
    }
    if request.prompts(Prompt::None) && request.prompt.len() > 1 {
        return Err(Refusal::invalid_request("prompt=none stands alone"));
    }
    let max_age = text("max_age").map(str::parse).transpose();
    request.max_age = max_age.map_err(|_| Refusal::invalid_request("Invalid max_age"))?;
    request.code_challenge = match (text("code_challenge"), text("code_challenge_method")) {
        (Some(challenge), Some("S256")) => Some(CodeChallenge {
            challenge: challenge.to_owned(),
            method: ChallengeMethod::S256,
        }),
        (Some(_), _) => {
            return Err(Refusal::invalid_request(
                "code_challenge_method must be S256",
            ));
        }
        (None, _) if kind.code && client.auth == TokenEndpointAuth::None => {
            return Err(Refusal::invalid_request(
                "Missing required parameter: code_challenge",
            ));
        }
        (None, _) => None,
    };
    Ok(request)
}
