//! The templates, compiled once, and the operator's own page around them.

use std::sync::LazyLock;

use engine::liquid;
use minijinja::{Environment, Value, context};

macro_rules! files {
    ($($name:literal)+) => {
        &[$(($name, include_str!(concat!("../../../../../login/templates/", $name)))),+]
    };
}

const FILES: &[(&str, &str)] = files! {
    "page.html" "head.html" "widget.html" "parts.html" "login.html" "login-id.html"
    "login-password.html" "signup.html" "reset-password-request.html" "reset-password-email.html"
    "reset-password.html" "notice.html" "mfa-code.html" "mfa-webauthn.html" "mfa-login-options.html"
    "mfa-otp-enrollment-qr.html" "mfa-recovery-code-enrollment.html" "consent.html" "link-account.html"
    "device-code-activation.html" "device-code-confirmation.html" "logout.html" "form-post.html"
    "web-message.html" "unblock.html" "mail-viewer.html"
};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = liquid::environment();
    environment.set_trim_blocks(true);
    for (name, source) in FILES {
        if let Err(error) = environment.add_template(name, source) {
            // A test renders every screen: one that is broken never ships.
            tracing::error!(%error, name, "a page's template");
        }
    }
    environment
});

/// One template. What can't be rendered says so in words that need no template.
pub fn one(name: &str, values: &Value) -> String {
    let rendered = TEMPLATES
        .get_template(name)
        .and_then(|template| template.render(values));
    rendered.unwrap_or_else(|error| {
        tracing::error!(%error, name, "a page can't be rendered");
        "<p>The page could not be shown. Please try again later.</p>".to_owned()
    })
}

/// A page: head and form, in the operator's page when it can be rendered, else in ours.
pub fn page(values: &Value, own: Option<&str>) -> (String, Option<String>) {
    let head = Value::from_safe_string(one("head.html", values));
    let widget = Value::from_safe_string(one("widget.html", values));
    if let Some(template) = own {
        let source = engine::branding::page_template_source(template);
        let around = context! { auth0_head => head, auth0_widget => widget, ..around(values) };
        match liquid::render(&source, &around, true) {
            Ok(html) => return (html, Some(source)),
            Err(error) => tracing::warn!(error, "the operator's page can't be rendered"),
        }
    }
    let member = |name: &str| values.get_attr(name).unwrap_or_default();
    let html = one(
        "page.html",
        &context! { head, widget, lang => member("lang"), dir => member("dir") },
    );
    (html, None)
}

/// What an operator's page may speak of: nothing that a form holds.
fn around(values: &Value) -> Value {
    let member = |name: &str| values.get_attr(name).unwrap_or_default();
    context! {
        branding => member("branding"), tenant => member("tenant"), locale => member("locale"),
        lang => member("lang"), dir => member("dir"), application => member("application"),
        prompt => context! {
            name => member("prompt"),
            screen => context! { name => member("screen"), texts => member("t") },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles() {
        for (name, _) in FILES {
            TEMPLATES.get_template(name).unwrap();
        }
    }
}
