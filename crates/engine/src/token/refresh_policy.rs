//! How long a client's refresh tokens are good, and whether each is used once: its
//! `refresh_token` member.

use std::time::Duration;

use domain::{Client, Instant, TokenEndpointAuth};
use serde_json::Value;

/// Auth0's defaults for tokens that expire.
const LIFETIME: u64 = 2_592_000;
const IDLE_LIFETIME: u64 = 1_296_000;

/// What a client says of its refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshPolicy {
    /// Whether each token is used once and replaced.
    pub rotates: bool,
    /// How long a replaced token is still taken: two tabs, or an answer that was lost.
    pub leeway: Duration,
    /// How long the whole family lives.
    pub lifetime: Option<Duration>,
    /// How long a token lives that nobody uses.
    pub idle_lifetime: Option<Duration>,
}

impl RefreshPolicy {
    /// Reads a client's member. What it leaves out is stricter for public clients: nothing but
    /// rotation shows that a token of theirs was stolen (RFC 9700 §4.14.2).
    pub(crate) fn of(client: &Client) -> Self {
        let member = |name: &str| client.attributes.get("refresh_token")?.get(name);
        let is_public = client.auth == TokenEndpointAuth::None;
        let says = |name: &str, word: &str| {
            let text = member(name).and_then(Value::as_str);
            text.map(|text| text == word)
        };
        let seconds = |name: &str, default: u64| {
            let number = member(name).and_then(Value::as_u64);
            Duration::from_secs(number.unwrap_or(default))
        };
        let is_infinite = |name: &str| member(name) == Some(&Value::Bool(true));
        let expires = says("expiration_type", "expiring").unwrap_or(is_public);
        let bounded = |infinite: &str, name: &str, default: u64| {
            (expires && !is_infinite(infinite)).then(|| seconds(name, default))
        };
        Self {
            rotates: says("rotation_type", "rotating").unwrap_or(is_public),
            leeway: seconds("leeway", 0),
            lifetime: bounded("infinite_token_lifetime", "token_lifetime", LIFETIME),
            idle_lifetime: bounded(
                "infinite_idle_token_lifetime",
                "idle_token_lifetime",
                IDLE_LIFETIME,
            ),
        }
    }

    /// When a family that begins now ends, and when its first token ends unless it is used.
    pub(crate) fn ends(&self, now: Instant) -> (Option<Instant>, Option<Instant>) {
        let after = |lifetime: Option<Duration>| lifetime.map(|lifetime| now.plus(lifetime));
        (after(self.lifetime), after(self.idle_lifetime))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ClientSecret, Json};
    use serde_json::json;

    fn policy(auth: TokenEndpointAuth, member: Value) -> RefreshPolicy {
        RefreshPolicy::of(&Client {
            client_id: "c".into(),
            name: "c".into(),
            secret: ClientSecret::from("s"),
            auth,
            grant_types: Vec::new(),
            attributes: Json::from_iter([("refresh_token".to_owned(), member)]),
            version: 1,
            created_at: Instant::from_millis(0),
        })
    }

    #[test]
    fn what_is_left_out_depends_on_the_kind_of_client() {
        let public = policy(TokenEndpointAuth::None, Value::Null);
        assert!(public.rotates && public.leeway.is_zero());
        assert_eq!(public.lifetime, Some(Duration::from_secs(LIFETIME)));
        assert_eq!(
            public.idle_lifetime,
            Some(Duration::from_secs(IDLE_LIFETIME))
        );
        let confidential = policy(TokenEndpointAuth::ClientSecretPost, json!({}));
        assert!(!confidential.rotates);
        assert_eq!(confidential.lifetime.or(confidential.idle_lifetime), None);
    }

    #[test]
    fn what_is_said_holds() {
        let said = json!({
            "rotation_type": "rotating", "expiration_type": "expiring", "leeway": 15,
            "token_lifetime": 100, "idle_token_lifetime": 10, "infinite_idle_token_lifetime": true,
        });
        let said = policy(TokenEndpointAuth::ClientSecretBasic, said);
        assert!(said.rotates);
        assert_eq!(said.leeway.as_secs(), 15);
        assert_eq!(said.lifetime, Some(Duration::from_secs(100)));
        assert_eq!(said.idle_lifetime, None);
        let stays = json!({"rotation_type": "non-rotating", "expiration_type": "non-expiring"});
        let stays = policy(TokenEndpointAuth::None, stays);
        assert!(!stays.rotates && stays.lifetime.is_none());
    }
}
