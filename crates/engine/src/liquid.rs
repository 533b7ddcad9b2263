//! Operators' templates: the part of Liquid that login pages and mails need, put into the syntax of
//! the template engine. Every value is escaped; a template runs for so many steps and no more, and
//! makes so much text and no more.
//!
//! Known are `{{ value | filter: argument }}`, `if`, `elsif`, `else`, `unless`, `for`, `assign`,
//! `comment`, `raw`, and the filters of [`environment`]. What is unknown is refused when the
//! template is stored, not when somebody reads the page.

use std::fmt::Write as _;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::Object;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};

mod syntax;

/// Steps of one rendering.
const STEPS: u64 = 200_000;

/// Bytes that the filters of one rendering may make together.
const MADE: usize = 1 << 20;

/// Bytes of what is rendered.
const RENDERED: usize = 4 << 20;

/// An environment that escapes as HTML asks for and stays silent about what is not there.
pub fn environment<'a>() -> Environment<'a> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(write_value);
    add_filters(&mut environment);
    environment
}

fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("upcase", |state: &State<'_, '_>, value: Value| {
        made(state, text(&value).to_uppercase())
    });
    environment.add_filter("downcase", |state: &State<'_, '_>, value: Value| {
        made(state, text(&value).to_lowercase())
    });
    environment.add_filter("capitalize", |state: &State<'_, '_>, value: Value| {
        made(state, capitalized(&text(&value)))
    });
    environment.add_filter("strip", |state: &State<'_, '_>, value: Value| {
        made(state, text(&value).trim().to_owned())
    });
    environment.add_filter(
        "append",
        |state: &State<'_, '_>, value: Value, end: Value| made(state, text(&value) + &text(&end)),
    );
    environment.add_filter(
        "prepend",
        |state: &State<'_, '_>, value: Value, start: Value| {
            made(state, text(&start) + &text(&value))
        },
    );
    environment.add_filter(
        "replace",
        |state: &State<'_, '_>, value: Value, from: Value, to: Value| {
            replaced(state, &text(&value), &text(&from), &text(&to))
        },
    );
    environment.add_filter(
        "truncate",
        |state: &State<'_, '_>, value: Value, length: usize| {
            made(state, text(&value).chars().take(length).collect())
        },
    );
    environment.add_filter("size", |value: Value| value.len().unwrap_or_default());
    environment.add_filter("default", |value: Value, other: Value| {
        if text(&value).is_empty() || value == Value::from(false) {
            other
        } else {
            value
        }
    });
    environment.add_filter("escape", |value: Value| value);
    environment.add_filter("first", minijinja::filters::first);
    environment.add_filter("last", minijinja::filters::last);
}

/// A value as text: nothing for what is not there.
fn text(value: &Value) -> String {
    if value.is_undefined() || value.is_none() {
        String::new()
    } else {
        value.to_string()
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase()
    })
}

/// The length is known before the text is made: each letter could become all of another text.
fn replaced(state: &State<'_, '_>, text: &str, from: &str, to: &str) -> Result<String, Error> {
    let times = text.matches(from).count();
    let kept = text.len().saturating_sub(times.saturating_mul(from.len()));
    count(state, kept.saturating_add(times.saturating_mul(to.len())))?;
    Ok(text.replace(from, to))
}

/// What the filters of one rendering made so far, in bytes.
#[derive(Debug, Default)]
struct Made(AtomicUsize);

impl Object for Made {}

/// What a filter made; refused when it is too much together with what was made before it.
fn made(state: &State<'_, '_>, text: String) -> Result<String, Error> {
    count(state, text.len())?;
    Ok(text)
}

fn count(state: &State<'_, '_>, length: usize) -> Result<(), Error> {
    let made = state.get_or_set_temp_object("ferry-made", Made::default);
    let before = made.0.fetch_add(length, Ordering::Relaxed);
    if before.saturating_add(length) <= MADE {
        return Ok(());
    }
    let detail = "its filters make more than a mebibyte of text";
    Err(Error::new(ErrorKind::InvalidOperation, detail))
}

/// Writes a value: nothing for what is not there, and no letter that means something in HTML.
pub fn write_value(
    out: &mut Output<'_>,
    state: &State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let text = text(value);
    let is_html = matches!(state.auto_escape(), AutoEscape::Html);
    let text = if is_html && !value.is_safe() {
        escaped(&text)
    } else {
        text
    };
    out.write_str(&text)
        .map_err(|_| Error::from(ErrorKind::WriteFailure))
}

/// A text as HTML.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whether a template can be rendered: says why not. What is only found by running it is found by
/// running it once, on nothing.
pub fn check(source: &str) -> Result<(), String> {
    render(source, &Value::from_serialize(domain::Json::new()), true).map(drop)
}

/// Renders a template; without `is_html` nothing is escaped, as for the subject of a mail.
pub fn render(source: &str, values: &Value, is_html: bool) -> Result<String, String> {
    let source = syntax::translated(source)?;
    let mut environment = environment();
    environment.set_fuel(Some(STEPS));
    if !is_html {
        environment.set_auto_escape_callback(|_| AutoEscape::None);
    }
    let template = environment
        .template_from_str(&source)
        .map_err(|error| sentence(&error))?;
    let mut out = Bounded::default();
    let done = template.render_captured_to(values, &mut out).map(drop);
    if out.is_full {
        return Err(syntax::wrong("it makes more than four mebibytes of text"));
    }
    done.map_err(|error| sentence(&error))?;
    String::from_utf8(out.bytes).map_err(|error| syntax::wrong(&error.to_string()))
}

/// Takes so much of a rendering and no more.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_full |= self.bytes.len().saturating_add(bytes.len()) > RENDERED;
        if self.is_full {
            return Err(io::Error::other("full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sentence(error: &Error) -> String {
    let mut text = format!("The template is not valid: {}", error.kind());
    if let Some(detail) = error.detail() {
        let _infallible = write!(text, ": {detail}");
    }
    if let Some(line) = error.line() {
        let _infallible = write!(text, " (line {line})");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(source: &str) -> String {
        let values = json!({
            "user": {"name": "<Zoë>", "email": "zoe@example.com", "user_metadata": {"lang": "es"}},
            "url": "https://x/?a=1&b=2", "list": ["a", "b"], "no": false,
        });
        render(source, &Value::from_serialize(&values), true).unwrap_or_else(|error| error)
    }

    #[test]
    fn the_liquid_of_mails_and_pages() {
        for (source, expected) in [
            ("Hi {{ user.name }}!", "Hi &lt;Zoë&gt;!"),
            ("{{ user.name | escape | upcase }}", "&lt;ZOË&gt;"),
            ("{{user.nickname | default: 'you | all'}}", "you | all"),
            ("{{ user.nothing.at.all }}.", "."),
            (
                "{% if user.user_metadata.lang == 'es' %}Hola{% elsif no %}b{% else %}Hi{% endif %}",
                "Hola",
            ),
            ("{% unless no %}x{% endunless %}", "x"),
            (
                "{% if user.nickname == nil or user.name != blank %}x{% endif %}",
                "x",
            ),
            (
                "{% if user.email contains '@example.com' and list contains 'b' %}x{% endif %}",
                "x",
            ),
            (
                "{% assign a = user.email | append: '!' %}{{ a }}",
                "zoe@example.com!",
            ),
            (
                "{% for x in list %}{{ x }}{% endfor %}{% comment %}{{ no }}{% endcomment %}",
                "ab",
            ),
            ("a {%- if true -%} b {%- endif -%} c", "abc"),
            (
                "<a href=\"{{ url }}\">{# x #}</a>",
                "<a href=\"https://x/?a=1&amp;b=2\">{# x #}</a>",
            ),
            ("a {#", "a {#"),
            ("{% raw %}{{ a }}{# b #}{% endraw %}.", "{{ a }}{# b #}."),
            ("{% if user.name | upcase == 'A:B' %}x{% endif %}.", "."),
            // A backslash is a letter like others.
            (r"{{ 'a\nb' | append: '\' }}", r"a\nb\"),
            (
                "{{ list[0] }}{{ user['email'] | size }}{{ 'it' | capitalize }}",
                "a15It",
            ),
            // What stands within quotes stays there.
            ("{% if '\"' \"x contains a\" %}x{% endif %}", "x"),
        ] {
            assert_eq!(rendered(source), expected, "{source}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for source in [
            "{{",
            "{% if %}",
            "{% if a %}",
            "{{ a | nonsense }}",
            "{% include 'x' %}",
            "{{ f() }}",
        ] {
            assert!(check(source).is_err(), "{source}");
        }
        let endless = "{% for a in list %}".repeat(30) + &"{% endfor %}".repeat(30);
        let values = Value::from_serialize(json!({"list": vec![0; 100]}));
        assert!(render(&endless, &values, true).is_err());
    }

    /// A text of sixteen letters, and a step that is done to it so many times.
    fn grown(step: &str, times: usize) -> String {
        "{% assign a = 'sixteen letters!' %}".to_owned() + &step.repeat(times)
    }

    #[test]
    fn no_template_takes_all_memory() {
        for step in [
            "{% assign a = a | append: a %}",
            "{% assign a = a | prepend: a %}",
            "{% assign a = a | replace: 'e', a %}",
            "{% assign a = a | replace: '', a %}",
            // Nothing but a filter makes text, and no list is written.
            "{% assign a = a ~ a %}",
            "{% assign a = a + a %}",
            "{% assign a = a * 9 %}",
            "{% assign a = a, a %}",
            "{% assign a = a | escape, a %}",
            "{% assign a = [a, a] %}",
            "{% assign a = nil if no else[a] %}",
            "{% assign a = (a, a) %}",
            "{% assign a = {'a': a} %}",
            "{% assign a = a[0:] %}",
            "{% assign a = nil | default: a[0:] %}",
            "{% assign a %}{{ a }}{{ a }}{% endset %}",
            "{% set a %}{{ a }}{{ a }}{% endset %}",
            "{% filter upcase %}{{ a }}{% endfilter %}",
            // Quotes hide nothing.
            "{{ '}}' ~ a ~ '}}' }}",
            r"{{ '\' ~ a ~ '\' }}",
            "{% raw %}{{ \"{% endraw %}{% set a = a ~ a %}\" }}",
        ] {
            assert!(check(&grown(step, 40)).is_err(), "{step}");
        }
        let turns = "{% elsif a %}".repeat(10_000);
        assert!(check(&format!("{{% if a %}}{turns}{{% endif %}}")).is_err());
        assert!(check(&format!("{{{{ {}a }}}}", "a.".repeat(10_000))).is_err());
    }

    #[test]
    fn what_is_made_is_counted_together() {
        let quarter = grown("{% assign a = a | append: a %}", 14);
        let with = |more: &str, times| check(&(quarter.clone() + &more.repeat(times)));
        assert_eq!(with("{% assign b = a | strip %}", 2), Ok(()));
        assert!(with("{% assign b = a | strip %}", 3).is_err());
        assert_eq!(with("{{ a }}", 15), Ok(()));
        let refusal = with("{{ a }}", 17).unwrap_err();
        assert!(refusal.contains("four mebibytes"), "{refusal}");
    }

    #[test]
    fn a_subject_is_not_escaped() {
        let values = Value::from_serialize(json!({"a": "R&D"}));
        assert_eq!(render("{{ a }}", &values, false).unwrap(), "R&D");
    }
}
