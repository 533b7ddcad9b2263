//! Conversations with the Management API in which random ids, secrets and ciphertexts read the
//! same in every run.

use serde_json::Value;

use crate::app::{Answer, App};

/// Says every request and answer into the application's transcript, with what is random masked.
pub struct Talk<'a> {
    pub app: &'a App,
}

impl Talk<'_> {
    /// A request with all rights, a second after the one before; the answer, plain.
    pub async fn tell(&self, method: &str, path: &str, body: Value) -> Value {
        self.app.later(1);
        let answer = self.app.quietly(method, path, body).await;
        self.say(method, path, &answer);
        answer.body
    }

    /// A request with some scopes only.
    pub async fn tell_with(&self, scopes: &str, method: &str, path: &str, body: Value) -> Value {
        let token = self.app.token_for(Some(scopes)).await;
        let answer = self.app.ask_as(&token, method, path, body).await;
        self.say(method, path, &answer);
        answer.body
    }

    /// Several bodies to the same place.
    pub async fn refusals(&self, method: &str, path: &str, bodies: &[Value]) {
        for body in bodies {
            let answer = self.app.quietly(method, path, body.clone()).await;
            let message = answer.body["message"].as_str().unwrap_or("no message");
            self.app
                .say(&format!("{} {}", answer.status, masked(message)));
        }
    }

    fn say(&self, method: &str, path: &str, answer: &Answer) {
        let body = mask("", &answer.body);
        let body = if body == "" {
            String::new()
        } else {
            format!(" {body}")
        };
        self.app.say(&format!(
            "{method} {}\n  {}{body}",
            masked(path),
            answer.status
        ));
    }
}

fn mask(name: &str, value: &Value) -> Value {
    match value {
        Value::String(_) if name == "next" => "[next]".into(),
        Value::String(_) if name == "configuration" => "[ciphertext]".into(),
        Value::String(text) => masked(text).into(),
        Value::Array(elements) => elements.iter().map(|element| mask(name, element)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(member, value)| {
                let inside = if name == "configuration" {
                    name
                } else {
                    member
                };
                (member.clone(), mask(inside, value))
            })
            .collect(),
        other => other.clone(),
    }
}

/// Replaces words that only chance can have made: by their shape.
fn masked(text: &str) -> String {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::new();
    for piece in text.split_inclusive(|c| !is_letter(c)) {
        let word = piece.trim_end_matches(|c| !is_letter(c));
        let is_id = |prefix: &str| word.starts_with(prefix) && word.len() == 20;
        out.push_str(match word.len() {
            20 if is_id("con_") => "[connection]",
            20 if is_id("cgr_") => "[grant]",
            24 if word.bytes().all(|b| b.is_ascii_hexdigit()) => "[api]",
            32 => "[client]",
            64 => "[secret]",
            _ => word,
        });
        out.push_str(&piece[word.len()..]);
    }
    out
}
