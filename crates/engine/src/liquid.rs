//! Operators' templates: the part of Liquid that login pages and mails need, put into the syntax of
//! the template engine. Every value is escaped; a template runs for so many steps and no more.
//!
//! Known are `{{ value | filter: argument }}`, `if`, `elsif`, `else`, `unless`, `for`, `assign`,
//! `comment`, `raw`, and the filters of [`environment`]. What is unknown is refused when the
//! template is stored, not when somebody reads the page.

use std::fmt::Write as _;

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};

/// Steps of one rendering.
const STEPS: u64 = 200_000;

/// An environment that escapes as HTML asks for and stays silent about what is not there.
pub fn environment<'a>() -> Environment<'a> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(write_value);
    let text = |value: &Value| {
        if value.is_undefined() || value.is_none() {
            String::new()
        } else {
            value.to_string()
        }
    };
    environment.add_filter("upcase", move |value: Value| text(&value).to_uppercase());
    environment.add_filter("downcase", move |value: Value| text(&value).to_lowercase());
    environment.add_filter("strip", move |value: Value| text(&value).trim().to_owned());
    environment.add_filter("append", move |value: Value, end: Value| {
        text(&value) + &text(&end)
    });
    environment.add_filter("prepend", move |value: Value, start: Value| {
        text(&start) + &text(&value)
    });
    environment.add_filter("size", move |value: Value| value.len().unwrap_or_default());
    environment.add_filter("replace", move |value: Value, from: Value, to: Value| {
        text(&value).replace(&text(&from), &text(&to))
    });
    environment.add_filter("truncate", move |value: Value, length: usize| {
        text(&value).chars().take(length).collect::<String>()
    });
    environment.add_filter("default", move |value: Value, other: Value| {
        if text(&value).is_empty() || value == Value::from(false) {
            other
        } else {
            value
        }
    });
    environment.add_filter("escape", |value: Value| value);
    environment.add_filter("first", minijinja::filters::first);
    environment.add_filter("last", minijinja::filters::last);
    environment.add_filter("capitalize", minijinja::filters::capitalize);
    environment
}

/// Writes a value: nothing for what is not there, and no letter that means something in HTML.
pub fn write_value(
    out: &mut Output<'_>,
    state: &State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(());
    }
    let text = value.to_string();
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
    let source = translated(source)?;
    let mut environment = environment();
    environment.set_fuel(Some(STEPS));
    if !is_html {
        environment.set_auto_escape_callback(|_| AutoEscape::None);
    }
    environment
        .render_str(&source, values)
        .map_err(|error| sentence(&error))
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

/// Liquid, as the template engine says it.
fn translated(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let (before, from) = rest.split_at(at);
        // `{#` opens a comment there and means nothing here.
        out.push_str(&before.replace("{#", "{{ '{#' }}"));
        let is_tag = from.starts_with("{%");
        let close = if is_tag { "%}" } else { "}}" };
        let from = from.get(2..).unwrap_or_default();
        let Some((inner, after)) = from.split_once(close) else {
            return Err("The template is not valid: a tag is not closed".into());
        };
        let start = if inner.starts_with('-') { "-" } else { "" };
        let end = if inner.ends_with('-') { "-" } else { "" };
        let inner = inner.trim_matches('-').trim();
        let (open, inner) = if is_tag {
            ("{%", tag(inner))
        } else {
            ("{{", expression(inner))
        };
        if inner == "comment" {
            let (_, beyond) = after
                .split_once("endcomment")
                .ok_or("The template is not valid: a comment is not closed")?;
            rest = beyond.split_once("%}").map_or("", |(_, after)| after);
            continue;
        }
        let _infallible = write!(out, "{open}{start} {inner} {end}{close}");
        rest = after;
    }
    out.push_str(&rest.replace("{#", "{{ '{#' }}"));
    Ok(out)
}

fn tag(inner: &str) -> String {
    let (name, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let rest = rest.trim();
    match name {
        "if" => format!("if {}", condition(rest)),
        "elsif" => format!("elif {}", condition(rest)),
        "unless" => format!("if not ({})", condition(rest)),
        "endunless" => "endif".into(),
        "assign" => format!("set {}", expression(rest)),
        "for" => format!("for {}", expression(rest)),
        _ => inner.to_owned(),
    }
}

/// A condition: each `a contains b` in it is turned around.
fn condition(text: &str) -> String {
    let text = expression(text);
    let sides = parted(&text, " and ").into_iter();
    let sides = sides.map(|side| {
        let turned: Vec<String> = parted(side, " or ").into_iter().map(turned).collect();
        turned.join(" or ")
    });
    sides.collect::<Vec<_>>().join(" and ")
}

fn turned(text: &str) -> String {
    match parted(text, " contains ").as_slice() {
        [subject, object] => format!("({} in {})", object.trim(), subject.trim()),
        _ => text.to_owned(),
    }
}

/// The parts between a word, where it stands outside of quotes.
fn parted<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let is_outside = |at: &usize| {
        let before = text.get(..*at).unwrap_or_default();
        ['\'', '"']
            .iter()
            .all(|quote| before.matches(*quote).count() % 2 == 0)
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for at in text
        .match_indices(word)
        .map(|(at, _)| at)
        .filter(is_outside)
    {
        parts.extend(text.get(from..at));
        from = at + word.len();
    }
    parts.extend(text.get(from..));
    parts
}

/// A value with filters: `| f: a, b` is `| f(a, b)`.
fn expression(text: &str) -> String {
    let mut parts = outside_quotes(text, '|').into_iter();
    let mut out = words(&parts.next().unwrap_or_default());
    for filter in parts {
        let filter = filter.trim();
        match filter.split_once(':') {
            Some((name, arguments)) => {
                let _infallible = write!(out, " | {}({})", name.trim(), words(arguments.trim()));
            }
            None => {
                let _infallible = write!(out, " | {filter}");
            }
        }
    }
    out
}

/// Liquid's names for nothing.
fn words(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in outside_quotes(text, ' ').into_iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(match part.as_str() {
            "nil" | "null" => "none",
            "blank" | "empty" => "''",
            other => other,
        });
    }
    out
}

/// Splits where a letter is not within quotes.
fn outside_quotes(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for letter in text.chars() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, _) if letter == at => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
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

    #[test]
    fn a_subject_is_not_escaped() {
        let values = Value::from_serialize(json!({"a": "R&D"}));
        assert_eq!(render("{{ a }}", &values, false).unwrap(), "R&D");
    }
}
