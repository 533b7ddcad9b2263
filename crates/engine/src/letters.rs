//! Mails, from the operator's template or from our own texts, as HTML and as plain text.
//!
//! The outbox keeps one text. The plain text comes first in it, then, each after a form feed, HTML
//! and sender: so a mail without them is what it always was.

use std::time::Duration;

use domain::Json;
use domain::entropy::alphanumeric;
use serde_json::{Value, json};
use store::Mail;

use crate::branding::Look;
use crate::messages::{Language, filled};
use crate::{Context, Engine, liquid};

/// Between the parts of a mail in the outbox.
const BETWEEN: char = '\u{c}';

/// The page around our own texts.
const PAGE: &str = include_str!("../../../login/templates/mail.html");

/// Why somebody gets a mail.
#[derive(Debug, Default)]
pub struct Occasion<'a> {
    /// The template, by Auth0's name: `reset_email`.
    pub template: &'a str,
    /// To whom.
    pub recipient: &'a str,
    /// The link, when there is one.
    pub url: Option<&'a str>,
    /// The code, when there is one.
    pub code: Option<&'a str>,
    /// What a template may say of the person; `email` is there anyway.
    pub user: Json,
    /// The application, by name.
    pub application: Option<&'a str>,
    /// The connection, by name.
    pub connection: Option<&'a str>,
    /// `ui_locales` or the like, best first.
    pub locales: &'a [String],
    /// The browser's `Accept-Language`.
    pub accept_language: Option<&'a str>,
}

impl<'a> Occasion<'a> {
    /// A mail in the languages of whoever asked for it.
    pub(crate) fn of(template: &'a str, recipient: &'a str, context: &'a Context) -> Self {
        Self {
            template,
            recipient,
            locales: &context.ui_locales,
            accept_language: context.accept_language.as_deref(),
            ..Self::default()
        }
    }
}

/// What a template says of the links that it holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LinkWish {
    /// How long a link is good.
    pub lifetime: Option<Duration>,
    /// Where the browser goes afterwards.
    pub result_url: Option<String>,
    /// Whether it takes the address there.
    pub tells_email: bool,
}

/// The parts of a mail in the outbox.
pub(crate) struct Parts<'a> {
    pub(crate) text: &'a str,
    pub(crate) html: Option<&'a str>,
    pub(crate) from: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(body: &'a str) -> Self {
        let mut parts = body.splitn(3, BETWEEN);
        Self {
            text: parts.next().unwrap_or_default(),
            html: parts.next().filter(|part| !part.is_empty()),
            from: parts.next().filter(|part| !part.is_empty()),
        }
    }
}

impl Engine {
    /// The mail for an occasion, ready for the outbox.
    pub async fn letter(&self, occasion: &Occasion<'_>) -> Mail {
        let look = self.look().await;
        let locales = look.locales();
        let language = Language::choose(occasion.locales, occasion.accept_language, &locales);
        let tenant = self.tenant_name(&look);
        let own = own_template(&look, occasion.template)
            .and_then(|template| self.worded_by_template(template, occasion, &look, language));
        let letter = own.unwrap_or_else(|| built_in(occasion, &look, language, &tenant));
        Mail {
            id: alphanumeric(&*self.entropy, 24),
            recipient: occasion.recipient.to_owned(),
            subject: one_line(&letter.subject),
            body: letter.body(),
            attempts: 0,
        }
    }

    /// Whether the operator switched a mail off that leaves by itself.
    pub(crate) async fn is_switched_off(&self, template: &str) -> bool {
        let look = self.look().await;
        let template = look.mails.get(template);
        template.and_then(|template| template.get("enabled")) == Some(&Value::Bool(false))
    }

    /// What the operator's template wishes of links.
    pub async fn link_wish(&self, template: &str) -> LinkWish {
        let look = self.look().await;
        let Some(template) = own_template(&look, template) else {
            return LinkWish::default();
        };
        let seconds = template.get("urlLifetimeInSeconds").and_then(Value::as_u64);
        let values = self.values(&Occasion::default(), &look, Language::english());
        let url = Look::text(template, &["resultUrl"]);
        let url = url.and_then(|url| liquid::render(url, &values, false).ok());
        let is_link = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        LinkWish {
            lifetime: seconds.filter(|&s| s > 0).map(Duration::from_secs),
            result_url: url.filter(is_link),
            tells_email: template.get("includeEmailInRedirect") == Some(&Value::Bool(true)),
        }
    }

    fn worded_by_template(
        &self,
        template: &Json,
        occasion: &Occasion<'_>,
        look: &Look,
        language: &Language,
    ) -> Option<Letter> {
        let values = self.values(occasion, look, language);
        let render = |member: &str, is_html| {
            let source = Look::text(template, &[member])?;
            let done = liquid::render(source, &values, is_html);
            let warn = |error: &String| {
                tracing::warn!(
                    template = occasion.template,
                    member,
                    error,
                    "a mail's template"
                );
            };
            done.inspect_err(warn).ok()
        };
        let html = render("body", true)?;
        let default = language.text("mail", &format!("{}-subject", occasion.template));
        let subject = render("subject", false).or_else(|| {
            let tenant = json!({"tenant": self.tenant_name(look)});
            default
                .zip(tenant.as_object())
                .map(|(text, values)| filled(text, values))
        });
        Some(Letter {
            subject: subject.unwrap_or_default(),
            text: plain(&html),
            html,
            from: render("from", false).map(|from| one_line(&from)),
        })
    }

    fn values(
        &self,
        occasion: &Occasion<'_>,
        look: &Look,
        language: &Language,
    ) -> minijinja::Value {
        let mut user = occasion.user.clone();
        user.insert("email".into(), occasion.recipient.into());
        minijinja::Value::from_serialize(json!({
            "user": user,
            "url": occasion.url,
            "code": occasion.code,
            "application": {"name": occasion.application},
            "client": {"name": occasion.application},
            "connection": {"name": occasion.connection},
            "tenant": self.tenant(),
            "friendly_name": self.tenant_name(look),
            "support_url": Look::text(&look.tenant, &["support_url"]),
            "support_email": Look::text(&look.tenant, &["support_email"]),
            "request_language": language.tag,
            "branding": look.branding,
        }))
    }
}

struct Letter {
    subject: String,
    text: String,
    html: String,
    from: Option<String>,
}

impl Letter {
    fn body(&self) -> String {
        let clean = |text: &str| text.replace(BETWEEN, " ");
        let from = self.from.as_deref().unwrap_or_default();
        let (text, html) = (clean(&self.text), clean(&self.html));
        format!("{text}{BETWEEN}{html}{BETWEEN}{}", clean(from))
    }
}

fn own_template<'a>(look: &'a Look, name: &str) -> Option<&'a Json> {
    let template = look.mails.get(name)?.as_object()?;
    (template.get("enabled") == Some(&Value::Bool(true))).then_some(template)
}

/// Our own words.
fn built_in(occasion: &Occasion<'_>, look: &Look, language: &Language, tenant: &str) -> Letter {
    let mut values = Json::new();
    values.insert("tenant".into(), tenant.into());
    let say = |part: &str| {
        let text = language.text("mail", &format!("{}-{part}", occasion.template));
        text.map(|text| filled(text, &values)).unwrap_or_default()
    };
    let (subject, intro, outro) = (say("subject"), say("intro"), say("outro"));
    let shown = [occasion.code, occasion.url];
    let shown = shown.iter().flatten().map(|line| format!("{line}\n\n"));
    let text = format!("{intro}\n\n{}{outro}\n", shown.collect::<String>());
    let primary = look.primary();
    let page = minijinja::Value::from_serialize(json!({
        "lang": language.tag, "dir": language.direction(), "subject": subject, "heading": subject,
        "intro": intro, "button": say("button"), "outro": outro, "url": occasion.url,
        "code": occasion.code, "tenant": tenant, "logo_url": look.logo(),
        "primary": primary.to_string(), "on_primary": primary.text().to_string(),
    }));
    let html = liquid::environment().render_str(PAGE, page);
    let html = html.inspect_err(|error| tracing::error!(%error, "the mail's page"));
    Letter {
        subject,
        text,
        html: html.unwrap_or_default(),
        from: None,
    }
}

/// A text without line ends and other controls.
pub(crate) fn one_line(text: &str) -> String {
    text.split(char::is_control)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

/// The plain text of an HTML mail: no markup, a link's address on a line of its own.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, from)) = rest.split_once('<') {
        text.push_str(&before.split_whitespace().collect::<Vec<_>>().join(" "));
        if before.ends_with(char::is_whitespace) && !before.trim().is_empty() {
            text.push(' ');
        }
        // A tag without an end swallows the rest, as in a browser.
        let (tag, after) = from.split_once('>').unwrap_or((from, ""));
        rest = after;
        let name: String = tag
            .chars()
            .take_while(|c| *c == '/' || c.is_ascii_alphanumeric())
            .collect();
        match name.to_ascii_lowercase().as_str() {
            "style" | "script" | "title" => {
                let end = format!("</{}", name.to_ascii_lowercase());
                let at = rest.to_ascii_lowercase().find(&end).unwrap_or(rest.len());
                rest = rest.get(at..).unwrap_or_default();
            }
            "a" => {
                if let Some(address) = attribute(tag, "href") {
                    text.push('\n');
                    text.push_str(&address);
                    text.push('\n');
                }
            }
            "br" | "p" | "/p" | "/a" | "div" | "/div" | "/tr" | "/h1" | "/h2" | "/h3" | "/li" => {
                text.push('\n');
            }
            _ => {}
        }
    }
    text.push_str(rest.trim());
    let text = unescaped(&text);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n") + "\n"
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!("{name}="))?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value.get(1..)?.split(quote).next()?;
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_without_parts_is_plain_text() {
        let old = Parts::of("Hello\n");
        assert_eq!((old.text, old.html, old.from), ("Hello\n", None, None));
        let new = Parts::of("Hello\n\u{c}<p>Hello\u{c}a@b");
        assert_eq!(
            (new.text, new.html, new.from),
            ("Hello\n", Some("<p>Hello"), Some("a@b"))
        );
    }

    #[test]
    fn plain_text_keeps_words_and_addresses() {
        let html = "<html><head><title>T</title><style>p{}</style></head><body><p>Hi &lt;Zoë&gt;,\n \
                    <b>click</b> <a class='x' href=\"https://x/?a=1&amp;b=2\">here</a></p>bye</body>";
        assert_eq!(
            plain(html),
            "Hi <Zoë>,\nclick\nhttps://x/?a=1&b=2\nhere\nbye\n".replace(",\n", ", ")
        );
        assert_eq!(plain("<"), "\n");
    }

    #[test]
    fn our_own_words_are_in_every_language() {
        for language in Language::all() {
            for template in [
                "verify_email",
                "reset_email",
                "blocked_account",
                "stolen_credentials",
            ] {
                let occasion = Occasion {
                    template,
                    recipient: "zoe@example.com",
                    url: Some("https://x/?t=1&u=<"),
                    ..Occasion::default()
                };
                let letter = built_in(&occasion, &Look::default(), language, "R&D");
                assert!(
                    letter.text.contains("\nhttps://x/?t=1&u=<\n"),
                    "{}",
                    letter.text
                );
                assert!(
                    letter.html.contains("href=\"https://x/?t=1&amp;u=&lt;\""),
                    "{}",
                    letter.html
                );
                assert!(letter.html.contains(&format!("lang=\"{}\"", language.tag)));
                assert!(letter.text.contains("R&D") && !letter.subject.is_empty());
                assert!(!letter.text.contains("${"), "{}", letter.text);
            }
        }
    }

    #[test]
    fn a_code_is_in_both_parts_in_every_language() {
        for language in Language::all() {
            let occasion = Occasion {
                template: "mfa_oob_code",
                recipient: "zoe@example.com",
                code: Some("012345"),
                ..Occasion::default()
            };
            let letter = built_in(&occasion, &Look::default(), language, "R&D");
            assert!(letter.text.contains("\n012345\n"), "{}", letter.text);
            assert!(letter.html.contains("012345"), "{}", letter.html);
            assert!(letter.text.contains("R&D") && !letter.subject.is_empty());
        }
    }
}
