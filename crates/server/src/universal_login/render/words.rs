//! The texts of a page: what ships in the reader's language, with the operator's own over it.

use domain::Json;
use engine::branding::Look;
use engine::messages::{Language, filled};
use serde_json::{Value, json};

use super::screens::Names;
use crate::universal_login::page::{Page, Problem, Screen};

/// The words of a page.
pub struct Words {
    /// The screen's texts over the common ones, placeholders filled.
    pub texts: Json,
    /// The sentence under the title.
    pub description: String,
    /// What went wrong: `text` and `field`.
    pub problem: Value,
}

/// The words of a page.
pub fn of(
    page: &Page,
    names: Names,
    language: &Language,
    look: &Look,
    tenant: &str,
    client: Option<&str>,
) -> Words {
    let own = look.texts_of(names.prompt, language.tag, names.screen);
    let mut values = Json::new();
    for (name, value) in [
        ("companyName", tenant),
        ("clientName", client.unwrap_or(tenant)),
        ("email", shown_text(page, &["email", "identifier"])),
        ("username", shown_text(page, &["identifier", "email"])),
        // Each button's template fills in its own.
        ("connectionName", "${connectionName}"),
    ] {
        values.insert(name.into(), value.into());
    }
    values.extend(page.shown.clone());
    let mut texts = Json::new();
    for section in [
        Some(language.section("common")),
        Some(language.section(names.screen)),
        own,
    ] {
        for (key, text) in section.into_iter().flatten() {
            if let Some(text) = text.as_str() {
                texts.insert(key.clone(), filled(text, &values).into());
            }
        }
    }
    let problem = page.problem.as_ref();
    let failed = problem.is_some();
    let said = problem.map(|problem| sentence(problem, names, language, own, &values));
    if let Some(title) = texts.get("errorTitle").filter(|_| failed).cloned() {
        texts.insert("title".into(), title);
    }
    let is_silent = problem.is_some_and(|problem| match page.screen {
        Screen::EmailVerificationResult | Screen::AccountUnblocked => true,
        // A new link helps only where the old one does nothing any more.
        Screen::ResetPasswordError => !problem.key.starts_with("link-"),
        _ => false,
    });
    let description = texts.get("description").and_then(Value::as_str);
    let description = description
        .filter(|_| !is_silent)
        .unwrap_or_default()
        .to_owned();
    let field = problem.and_then(|problem| problem.field);
    Words {
        texts,
        description,
        problem: said.map_or(Value::Null, |text| json!({"text": text, "field": field})),
    }
}

fn shown_text<'a>(page: &'a Page, names: &[&str]) -> &'a str {
    let found = names
        .iter()
        .find_map(|name| page.shown.get(*name)?.as_str());
    found.unwrap_or_default()
}

/// A sentence from elsewhere as it is; else the operator's, the screen's, the common one.
fn sentence(
    problem: &Problem,
    names: Names,
    language: &Language,
    own: Option<&Json>,
    values: &Json,
) -> String {
    if let Some(sentence) = &problem.sentence {
        return sentence.clone();
    }
    let own = own.and_then(|texts| texts.get(problem.key)?.as_str());
    let text = own
        .or_else(|| language.text(names.screen, problem.key))
        .or_else(|| language.text("problems", problem.key));
    let text = text.or_else(|| {
        tracing::warn!(key = problem.key, "a problem without words");
        language.text("problems", "something-went-wrong")
    });
    let mut values = values.clone();
    values.extend(problem.values.clone());
    filled(text.unwrap_or_default(), &values)
}
