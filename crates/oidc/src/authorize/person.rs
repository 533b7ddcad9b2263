//! Who shall sign in, how, and what they see.

use domain::Client;

use super::request::Prompt;
use super::{Draft, Rules};
use crate::error::{OAuthError, shown};

/// Languages and levels that are kept of a list: more are no wish but an attack.
const MAX_WISHES: usize = 20;

/// Longest ID token that is taken as a hint.
const MAX_ID_TOKEN: usize = 16 * 1024;

/// What must, or must not, be asked. `none` contradicts all else (OpenID Connect Core §3.1.2.1).
pub(super) fn prompt(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    let text = draft.take("prompt")?.unwrap_or_default();
    let mut prompts = Vec::new();
    for word in words(&text) {
        let prompt = match word {
            "none" => Prompt::None,
            "login" => Prompt::Login,
            "consent" => Prompt::Consent,
            "select_account" => Prompt::SelectAccount,
            other => {
                let text = format!("Unsupported prompt: {}", shown(other));
                return Err(OAuthError::invalid_request(text));
            }
        };
        if !prompts.contains(&prompt) {
            prompts.push(prompt);
        }
    }
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        let text = "prompt none stands alone.";
        return Err(OAuthError::invalid_request(text));
    }
    draft.request.prompt = prompts;
    Ok(())
}

/// Seconds, in digits and nothing else.
pub(super) fn max_age(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    let Some(text) = draft.take("max_age")? else {
        return Ok(());
    };
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    if seconds.is_none() {
        return Err(OAuthError::invalid_request(
            "max_age must be a number of seconds.",
        ));
    }
    draft.request.max_age = seconds;
    Ok(())
}

/// Who the client thinks it is. The ID token is verified by whoever has the keys.
pub(super) fn hints(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    draft.request.login_hint = draft.take("login_hint")?;
    draft.request.id_token_hint = super::take(&mut draft.params, "id_token_hint", MAX_ID_TOKEN)?;
    draft.request.screen_hint = draft.take("screen_hint")?;
    draft.request.connection = draft.take("connection")?;
    Ok(())
}

/// Wishes that cannot be met are no error (OpenID Connect Core §3.1.2.1): what is no language tag is
/// left out.
pub(super) fn wishes(draft: &mut Draft, _: &Client, _: &Rules<'_>) -> Result<(), OAuthError> {
    let is_tag = |word: &&str| {
        word.len() <= 35 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let locales = draft.take("ui_locales")?.unwrap_or_default();
    let locales = words(&locales).filter(is_tag).take(MAX_WISHES);
    draft.request.ui_locales = locales.map(str::to_owned).collect();
    let levels = draft.take("acr_values")?.unwrap_or_default();
    let levels = words(&levels).take(MAX_WISHES);
    draft.request.acr_values = levels.map(str::to_owned).collect();
    Ok(())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}
