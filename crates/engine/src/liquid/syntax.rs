//! Liquid, put into the syntax of the template engine. Whatever that engine knows beyond Liquid does
//! not get through: operators that join texts, lists, blocks that catch what they render. Quotes are
//! read as the engine will read them, so that nothing within them becomes anything else there.

use std::fmt::Write as _;

/// Letters of one expression, but for its quotes: the engine descends into it part by part.
const LONGEST: usize = 1000;

/// `elsif` in one template: the engine descends into each.
const TURNS: usize = 100;

/// Words before a bracket that name nothing.
const KEYWORDS: &[&str] = &["in", "and", "or", "not", "if", "else", "is"];

/// Why a template is refused.
pub(super) fn wrong(problem: &str) -> String {
    format!("The template is not valid: {problem}")
}

/// Liquid, as the template engine says it.
pub(super) fn translated(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut turns = 0;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let (before, from) = rest.split_at(at);
        // `{#` opens a comment there and means nothing here.
        out.push_str(&before.replace("{#", "{{ '{#' }}"));
        let is_tag = from.starts_with("{%");
        let close = if is_tag { "%}" } else { "}}" };
        let from = from.get(2..).unwrap_or_default();
        let (inner, after) = from
            .split_once(close)
            .ok_or_else(|| wrong("a tag is not closed"))?;
        let start = if inner.starts_with('-') { "-" } else { "" };
        let end = if inner.ends_with('-') { "-" } else { "" };
        let inner = inner.trim_matches('-').trim();
        rest = match inner {
            "comment" if is_tag => block(after, inner)?.1,
            "raw" if is_tag => {
                let (text, beyond) = block(after, inner)?;
                out.push_str(&text.replace('{', "{{ '{' }}"));
                beyond
            }
            _ => {
                let (open, inner) = if is_tag {
                    ("{%", tag(inner)?)
                } else {
                    ("{{", expression(inner)?)
                };
                turns += usize::from(inner.starts_with("elif"));
                let _infallible = write!(out, "{open}{start} {inner} {end}{close}");
                after
            }
        };
    }
    if turns > TURNS {
        return Err(wrong("too many elsif"));
    }
    out.push_str(&rest.replace("{#", "{{ '{#' }}"));
    Ok(out)
}

/// What a block holds in which no tag means anything, and what comes after it.
fn block<'a>(after: &'a str, name: &str) -> Result<(&'a str, &'a str), String> {
    let (held, beyond) = after
        .split_once(&format!("end{name}"))
        .ok_or_else(|| wrong(&format!("a {name} is not closed")))?;
    let held = held.rsplit_once("{%").map_or("", |(held, _)| held);
    let beyond = beyond.split_once("%}").map_or("", |(_, beyond)| beyond);
    Ok((held, beyond))
}

fn tag(inner: &str) -> Result<String, String> {
    let (name, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let rest = rest.trim();
    Ok(match name {
        "if" => format!("if {}", condition(rest)?),
        "elsif" => format!("elif {}", condition(rest)?),
        "unless" => format!("if not ({})", condition(rest)?),
        "endif" | "endunless" if rest.is_empty() => "endif".into(),
        "else" | "endfor" if rest.is_empty() => name.into(),
        "assign" => {
            // Without a value the engine would catch what is rendered up to an end.
            let (name, value) = rest.split_once('=').unwrap_or_default();
            let name = name.trim();
            if name.is_empty() || !name.chars().all(is_of_a_name) {
                return Err(wrong("assign needs a name and a value"));
            }
            format!("set {name} = {}", expression(value.trim())?)
        }
        "for" => format!("for {}", expression(rest)?),
        other => {
            let other: String = other.chars().take(40).collect();
            return Err(wrong(&format!("there is no such tag: {other}")));
        }
    })
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// A condition: each `a contains b` in it is turned around.
fn condition(text: &str) -> Result<String, String> {
    let text = expression(text)?;
    let sides = parted(&text, " and ").into_iter();
    let sides = sides.map(|side| {
        let turned: Vec<String> = parted(side, " or ").into_iter().map(turned).collect();
        turned.join(" or ")
    });
    Ok(sides.collect::<Vec<_>>().join(" and "))
}

fn turned(text: &str) -> String {
    match parted(text, " contains ").as_slice() {
        [subject, object] => format!("({} in {})", object.trim(), subject.trim()),
        _ => text.to_owned(),
    }
}

/// A value with filters: `| f: a, b` is `| f(a, b)`.
fn expression(text: &str) -> Result<String, String> {
    check(text)?;
    // Within quotes a backslash is a letter like others; elsewhere there is none.
    let text = text.replace('\\', "\\\\");
    let mut parts = parted(&text, "|").into_iter();
    let mut out = words(parts.next().unwrap_or_default());
    for filter in parts {
        let filter = filter.trim();
        let _infallible = match parted(filter, ":").as_slice() {
            [name, arguments] => write!(out, " | {}({})", name.trim(), words(arguments.trim())),
            _ => write!(out, " | {filter}"),
        };
    }
    Ok(out)
}

/// Refuses what is no expression of Liquid but would be one of the engine.
fn check(text: &str) -> Result<(), String> {
    let bare = bare(text).ok_or_else(|| wrong("a quote is not closed"))?;
    if bare.len() > LONGEST {
        return Err(wrong("an expression is too long"));
    }
    // Whether a filter was named, and whether what it takes is being told.
    let (mut is_filter, mut takes) = (false, false);
    for (at, letter) in bare {
        let is_known = match letter {
            '|' => {
                (is_filter, takes) = (true, false);
                true
            }
            ':' => {
                let is_first = is_filter && !takes;
                takes = true;
                is_first
            }
            // Elsewhere it would make a list.
            ',' => takes,
            '[' => names_something(text.get(..at).unwrap_or_default()),
            ']' | '.' | '=' | '!' | '<' | '>' | '-' => true,
            other => other.is_whitespace() || is_of_a_name(other),
        };
        if !is_known {
            let problem = format!("{letter:?} means nothing there");
            return Err(wrong(&problem));
        }
    }
    Ok(())
}

/// Whether a bracket after a text asks for a member of it: else it would make a list.
fn names_something(before: &str) -> bool {
    let word = before.rsplit(|letter| !is_of_a_name(letter)).next();
    let word = word.unwrap_or_default();
    before.ends_with(']') || !(word.is_empty() || KEYWORDS.contains(&word))
}

/// Liquid's names for nothing.
fn words(text: &str) -> String {
    let parts = parted(text, " ").into_iter().map(|part| match part {
        "nil" | "null" => "none",
        "blank" | "empty" => "''",
        other => other,
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// The parts between a word, where it stands outside of quotes.
fn parted<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let bare = bare(text).unwrap_or_default();
    let is_outside = |at: &usize| bare.binary_search_by_key(at, |(place, _)| *place).is_ok();
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

/// The letters outside of quotes, each with its place; none when a quote is not closed.
fn bare(text: &str) -> Option<Vec<(usize, char)>> {
    let mut bare = Vec::new();
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if open == letter => quote = None,
            Some(_) => {}
            None if matches!(letter, '\'' | '"') => quote = Some(letter),
            None => bare.push((at, letter)),
        }
    }
    quote.is_none().then_some(bare)
}
