//! Prompts: which login pages there are, and the operator's own words on them.

use domain::Json;
use domain::schema::{Field, Kind, optional};
use serde_json::Value;

use crate::body::{check_shape, set_members};
use crate::error::{Error, Result};
use crate::messages::Language;
use crate::{Context, Engine};

const SETTINGS: &str = "prompts";
pub(crate) const TEXTS: &str = "custom_texts";

const SHAPE: &[Field] = &[
    optional(
        "universal_login_experience",
        Kind::Nullable(&Kind::Enum(&["new", "classic"])),
    ),
    optional("identifier_first", Kind::Nullable(&Kind::Boolean)),
    optional(
        "webauthn_platform_first_factor",
        Kind::Nullable(&Kind::Boolean),
    ),
];

/// TABLE: prompts and their screens, by Auth0's names.
pub const PROMPTS: &[(&str, &[&str])] = &[
    ("login", &["login"]),
    ("login-id", &["login-id"]),
    ("login-password", &["login-password"]),
    ("signup", &["signup"]),
    (
        "reset-password",
        &[
            "reset-password-request",
            "reset-password-email",
            "reset-password",
            "reset-password-success",
            "reset-password-error",
        ],
    ),
    ("email-verification", &["email-verification-result"]),
    ("mfa", &["mfa-login-options"]),
    ("mfa-otp", &["mfa-otp-challenge", "mfa-otp-enrollment-qr"]),
    ("mfa-email", &["mfa-email-challenge"]),
    (
        "mfa-recovery-code",
        &[
            "mfa-recovery-code-challenge",
            "mfa-recovery-code-enrollment",
        ],
    ),
    (
        "mfa-webauthn",
        &[
            "mfa-webauthn-roaming-challenge",
            "mfa-webauthn-roaming-enrollment",
        ],
    ),
    ("passkeys", &["passkey-enrollment"]),
    ("consent", &["consent"]),
    ("link-account", &["link-account"]),
    (
        "device-flow",
        &[
            "device-code-activation",
            "device-code-confirmation",
            "device-code-activation-allowed",
            "device-code-activation-denied",
        ],
    ),
    ("logout", &["logout", "logout-complete", "logout-aborted"]),
    (
        "brute-force-protection",
        &[
            "account-blocked",
            "brute-force-protection-unblock",
            "brute-force-protection-unblock-success",
        ],
    ),
    ("common", &["error", "form-post"]),
];

/// How people sign in, for the whole tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PromptSettings {
    /// Whether the name is asked for before the password.
    pub identifier_first: bool,
}

/// Most bytes of a prompt's words in one language.
const LARGEST: usize = 64 << 10;

impl Engine {
    /// How people sign in.
    pub async fn prompt_settings(&self) -> Result<PromptSettings> {
        let stored = self.find_json(SETTINGS).await?.unwrap_or_default();
        let flag = |name| stored.get(name).and_then(Value::as_bool) == Some(true);
        Ok(PromptSettings {
            identifier_first: flag("identifier_first"),
        })
    }

    /// The same as the wire shows it.
    pub async fn prompts(&self) -> Result<Json> {
        Ok(with_defaults(self.find_json(SETTINGS).await?))
    }

    /// Sets it.
    pub async fn update_prompts(&self, context: &Context, body: Json) -> Result<Json> {
        check_shape(&body, SHAPE)?;
        self.change_json(context, SETTINGS, "Update prompt settings", |stored| {
            let mut stored = stored.unwrap_or_default();
            set_members(&mut stored, &body);
            Ok(stored)
        })
        .await
        .map(|stored| with_defaults(Some(stored)))
    }

    /// The operator's words for a prompt in a language.
    pub async fn custom_texts(&self, prompt: &str, language: &str) -> Result<Json> {
        let language = known(prompt, language)?;
        let stored = self.find_json(TEXTS).await?.unwrap_or_default();
        let found = stored.get(prompt).and_then(|texts| texts.get(language));
        Ok(found
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default())
    }

    /// Sets them, all at once; `{}` takes them away.
    pub async fn set_custom_texts(
        &self,
        context: &Context,
        prompt: &str,
        language: &str,
        body: Json,
    ) -> Result<Json> {
        let language = known(prompt, language)?;
        check_texts(&body)?;
        let description = "Set custom text for a specific prompt";
        self.change_json(context, TEXTS, description, |stored| {
            let mut stored = stored.unwrap_or_default();
            let of_prompt = stored
                .entry(prompt)
                .or_insert_with(|| Value::Object(Json::new()));
            if let Value::Object(languages) = of_prompt {
                if body.is_empty() {
                    languages.shift_remove(language);
                } else {
                    languages.insert(language.to_owned(), body.clone().into());
                }
            }
            Ok(stored)
        })
        .await?;
        Ok(body)
    }
}

fn with_defaults(stored: Option<Json>) -> Json {
    let mut shown = Json::from_iter([
        ("universal_login_experience".to_owned(), "new".into()),
        ("identifier_first".to_owned(), false.into()),
        ("webauthn_platform_first_factor".to_owned(), false.into()),
    ]);
    shown.extend(stored.unwrap_or_default());
    shown
}

/// The language as files call it; refuses prompts and languages that are not here.
fn known(prompt: &str, language: &str) -> Result<&'static str> {
    if !PROMPTS.iter().any(|(name, _)| *name == prompt) {
        return Err(Error::Missing {
            message: "The prompt does not exist.".into(),
            code: "inexistent_prompt",
        });
    }
    let found = Language::find(language).map(|language| language.tag);
    found.ok_or_else(|| Error::Invalid {
        message: format!("The language {language} is not supported."),
        code: "invalid_language",
    })
}

/// Screens of texts and nothing else. Unknown screens are kept: Auth0 has more than we show.
fn check_texts(body: &Json) -> Result<()> {
    let is_fine = |screen: &Value| {
        let texts = screen.as_object();
        texts.is_some_and(|texts| texts.values().all(Value::is_string))
    };
    if !body.values().all(is_fine) || serde_json::to_string(body).is_ok_and(|t| t.len() > LARGEST) {
        return Err(Error::Invalid {
            message: "Custom texts are screens of texts.".into(),
            code: "invalid_body",
        });
    }
    Ok(())
}
