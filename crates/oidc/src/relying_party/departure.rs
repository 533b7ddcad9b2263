//! The address to which the browser is sent (OpenID Connect Core §3.1.2.1).

use super::Bonds;
use super::provider::Provider;
use crate::authorize::{Prompt, with_query};

/// How the answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// A code through the browser, tokens straight from the provider: `back_channel`.
    Code,
    /// An ID token through the browser, as a form: `front_channel`.
    IdToken,
}

/// What is asked of a provider.
pub struct Departure<'a> {
    /// The provider.
    pub provider: &'a Provider,
    /// Our name there.
    pub client_id: &'a str,
    /// Where the browser comes back.
    pub redirect_uri: &'a str,
    /// What we want to know.
    pub scope: &'a str,
    /// How the answer comes.
    pub flow: Flow,
    /// Whether the code is bound by a challenge.
    pub has_challenge: bool,
    /// What ties the answer to this login.
    pub bonds: &'a Bonds,
    /// Who it probably is.
    pub login_hint: Option<&'a str>,
    /// What the person must be asked, as our own client wants it.
    pub prompt: &'a [Prompt],
    /// How old the proof may be, as our own client wants it.
    pub max_age: Option<u64>,
    /// Languages, best first.
    pub ui_locales: &'a [String],
    /// The operator's own parameters; none of them hides one of ours.
    pub more: &'a [(String, String)],
}

impl Departure<'_> {
    /// The address.
    pub fn url(&self) -> String {
        let mut members: Vec<(&str, String)> = vec![
            ("client_id", self.client_id.to_owned()),
            ("redirect_uri", self.redirect_uri.to_owned()),
            ("scope", self.scope.to_owned()),
            ("state", self.bonds.state.clone()),
            ("nonce", self.bonds.nonce.clone()),
        ];
        match self.flow {
            Flow::Code => members.push(("response_type", "code".into())),
            Flow::IdToken => {
                members.push(("response_type", "id_token".into()));
                members.push(("response_mode", "form_post".into()));
            }
        }
        if self.flow == Flow::Code && self.has_challenge {
            members.push(("code_challenge", self.bonds.challenge()));
            members.push(("code_challenge_method", "S256".into()));
        }
        if let Some(hint) = self.login_hint {
            members.push(("login_hint", hint.to_owned()));
        }
        // Consent to our client is ours to ask for, and somebody must be there.
        let prompts = self.prompt.iter().filter_map(|prompt| match prompt {
            Prompt::Login => Some("login"),
            Prompt::SelectAccount => Some("select_account"),
            Prompt::None | Prompt::Consent => None,
        });
        let prompts: Vec<&str> = prompts.collect();
        if !prompts.is_empty() {
            members.push(("prompt", prompts.join(" ")));
        }
        if let Some(seconds) = self.max_age {
            members.push(("max_age", seconds.to_string()));
        }
        if !self.ui_locales.is_empty() {
            members.push(("ui_locales", self.ui_locales.join(" ")));
        }
        for (name, value) in self.more {
            if !members.iter().any(|(known, _)| known == name) {
                members.push((name.as_str(), value.clone()));
            }
        }
        with_query(self.provider.authorization_endpoint.as_str(), &members)
    }
}
