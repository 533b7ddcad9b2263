//! What a client's further members mean to the protocol. They are kept as they were set; here each is
//! read as the type that the protocol needs. A member of another shape counts as not set: the
//! Management API refuses such shapes, so only a store written by hand could hold one.

use serde_json::Value;

use crate::client::{Client, TokenEndpointAuth};
use crate::session_end::SessionEnd;

/// Seconds that a pushed authorization request waits unless the client says otherwise: Auth0's
/// default.
pub const PUSHED_REQUEST_LIFETIME: u64 = 30;

/// Where people may be sent, and from where pages may speak to us.
impl Client {
    /// `callbacks`: redirect URIs as registered, placeholders included.
    pub fn callbacks(&self) -> impl Iterator<Item = &str> {
        self.lines("callbacks")
    }

    /// `allowed_logout_urls`: where a logout may lead.
    pub fn logout_urls(&self) -> impl Iterator<Item = &str> {
        self.lines("allowed_logout_urls")
    }

    /// `web_origins`: whose pages may ask for an answer as a message.
    pub fn web_origins(&self) -> impl Iterator<Item = &str> {
        self.lines("web_origins")
    }

    /// `allowed_origins`: whose pages may call us (CORS), beside those of the callbacks.
    pub fn allowed_origins(&self) -> impl Iterator<Item = &str> {
        self.lines("allowed_origins")
    }

    /// Where logout tokens go: `oidc_logout.backchannel_logout_urls`, or the same in the older
    /// `oidc_backchannel_logout`.
    pub fn backchannel_logout_urls(&self) -> impl Iterator<Item = &str> {
        ["oidc_logout", "oidc_backchannel_logout"]
            .into_iter()
            .filter_map(|name| self.attributes.get(name)?.get("backchannel_logout_urls"))
            .take(1)
            .flat_map(texts)
    }

    /// Whether it is told of sessions that end in such a way. As at Auth0 it is told of logouts
    /// always, and of what else `oidc_logout.backchannel_logout_initiators` names.
    pub fn is_told_of(&self, end: SessionEnd) -> bool {
        let told = self
            .attributes
            .get("oidc_logout")
            .and_then(|member| member.get("backchannel_logout_initiators"));
        let member = |name| told.and_then(|told| told.get(name));
        end == SessionEnd::Logout
            || member("mode").and_then(Value::as_str) == Some("all")
            || member("selected_initiators")
                .is_some_and(|selected| texts(selected).any(|word| word == end.as_str()))
    }
}

/// Whether logout tokens may be sent there: over https, or to this very machine.
pub fn is_backchannel_url(text: &str) -> bool {
    let is_plain = text.bytes().all(|b| (0x21..0x7f).contains(&b)) && !text.contains(['#', '\\']);
    let host = |rest: &str| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_ascii_lowercase()
    };
    let is_host = |host: &str| !host.is_empty() && !host.contains('@');
    is_plain
        && match text.split_once("://") {
            Some(("https", rest)) => is_host(&host(rest)),
            Some(("http", rest)) => ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
                let host = host(rest);
                let port = host.strip_prefix(name).filter(|_| is_host(&host));
                port.is_some_and(|port| port.is_empty() || port.starts_with(':'))
            }),
            _ => false,
        }
}

/// What kind of client it is, and how strict it wants to be.
impl Client {
    /// Whether it is the operator's own; such a client needs no consent. So it is unless said
    /// otherwise.
    pub fn is_first_party(&self) -> bool {
        self.flag("is_first_party").unwrap_or(true)
    }

    /// Whether it speaks OpenID Connect without Auth0's older habits. Kept for clients that read it
    /// back; the protocol here has no other way.
    pub fn is_oidc_conformant(&self) -> bool {
        self.flag("oidc_conformant").unwrap_or(true)
    }

    /// Whether it keeps no secret, so that anybody can claim to be it.
    pub fn is_public(&self) -> bool {
        self.auth == TokenEndpointAuth::None
    }

    /// Whether it runs on a person's device: `app_type` says `native`, or nothing. It may then have
    /// redirect URIs of its own scheme, and loopback ones with any port (RFC 8252 §7).
    pub fn is_native(&self) -> bool {
        self.attributes
            .get("app_type")
            .and_then(Value::as_str)
            .is_none_or(|kind| kind == "native")
    }

    /// Whether authorization requests must have been pushed (RFC 9126 §6).
    pub fn requires_pushed_requests(&self) -> bool {
        self.flag("require_pushed_authorization_requests")
            .unwrap_or(false)
    }

    /// Seconds that a pushed authorization request waits: `par_request_expiry`.
    pub fn pushed_request_lifetime(&self) -> u64 {
        self.attributes
            .get("par_request_expiry")
            .and_then(Value::as_u64)
            .filter(|seconds| *seconds > 0)
            .unwrap_or(PUSHED_REQUEST_LIFETIME)
    }

    /// Whether its tokens must be bound to a key (RFC 9449).
    pub fn requires_proof_of_possession(&self) -> bool {
        self.flag("require_proof_of_possession").unwrap_or(false)
    }

    /// Whether its authorization requests must be signed: `signed_request_object.required`.
    pub fn requires_signed_requests(&self) -> bool {
        self.attributes
            .get("signed_request_object")
            .and_then(|object| object.get("required"))
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// Whether a code challenge may be the verifier itself: `client_metadata.allow_plain_pkce` is
    /// `"true"`. For clients that cannot hash; there should be none.
    pub fn allows_plain_pkce(&self) -> bool {
        self.attributes
            .get("client_metadata")
            .and_then(|metadata| metadata.get("allow_plain_pkce"))
            .and_then(Value::as_str)
            == Some("true")
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.attributes.get(name).and_then(Value::as_bool)
    }

    fn lines(&self, name: &str) -> impl Iterator<Item = &str> {
        self.attributes.get(name).into_iter().flat_map(texts)
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::Instant;
    use crate::id::ClientId;
    use crate::secret::ClientSecret;

    fn client(attributes: Value) -> Client {
        Client {
            client_id: ClientId::from("app"),
            name: "App".into(),
            secret: ClientSecret::from("s"),
            auth: TokenEndpointAuth::None,
            grant_types: Vec::new(),
            attributes: attributes.as_object().unwrap().clone(),
            version: 1,
            created_at: Instant::from_millis(0),
        }
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        for attributes in [
            json!({}),
            json!({
                "callbacks": null, "is_first_party": null, "app_type": null, "web_origins": "x",
                "signed_request_object": null, "client_metadata": null, "oidc_logout": null,
                "par_request_expiry": null, "require_pushed_authorization_requests": "yes",
            }),
        ] {
            let client = client(attributes);
            assert_eq!(client.callbacks().count(), 0);
            assert_eq!(client.web_origins().count(), 0);
            assert_eq!(client.backchannel_logout_urls().count(), 0);
            assert!(client.is_first_party() && client.is_native() && client.is_public());
            assert!(client.is_oidc_conformant());
            assert!(!client.requires_pushed_requests() && !client.requires_signed_requests());
            assert!(!client.requires_proof_of_possession() && !client.allows_plain_pkce());
            assert_eq!(client.pushed_request_lifetime(), PUSHED_REQUEST_LIFETIME);
        }
    }

    #[test]
    fn a_client_is_told_of_logouts_and_what_else_it_names() {
        let told = |initiators: Value| {
            let client = client(json!({
                "oidc_logout": {"backchannel_logout_initiators": initiators},
            }));
            let told = SessionEnd::ALL
                .iter()
                .filter(|end| client.is_told_of(**end));
            told.map(|end| end.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(Value::Null), "rp-logout");
        let some = json!({"mode": "custom", "selected_initiators": ["session-revoked", "x"]});
        assert_eq!(told(some), "rp-logout session-revoked");
        assert_eq!(
            told(json!({"mode": "all"})),
            "rp-logout password-changed session-expired session-revoked account-deleted \
             account-deactivated"
        );
    }

    #[test]
    fn logout_tokens_leave_encrypted_or_not_at_all() {
        for url in [
            "https://shop.example/bye?x=1",
            "https://shop.example",
            "http://127.0.0.1:8080/bye",
            "http://localhost/bye",
            "http://[::1]:1",
        ] {
            assert!(is_backchannel_url(url), "{url}");
        }
        for url in [
            "",
            "http://shop.example/",
            "http://localhost.example/",
            "http://127.0.0.1@evil.example/",
            "http://127.0.0.1:1@evil.example/",
            "https://",
            "https:///x",
            "https://u@shop.example/",
            "https://shop.example/#x",
            "https://shop.example/ x",
            "ftp://localhost/",
        ] {
            assert!(!is_backchannel_url(url), "{url}");
        }
    }

    #[test]
    fn what_is_set_is_read() {
        let client = client(json!({
            "callbacks": ["https://a.example/cb", 7, "app://cb"], "is_first_party": false,
            "allowed_logout_urls": ["https://a.example"], "app_type": "spa",
            "allowed_origins": ["https://b.example"], "web_origins": ["https://c.example"],
            "signed_request_object": {"required": true}, "par_request_expiry": 30,
            "client_metadata": {"allow_plain_pkce": "true"}, "oidc_conformant": false,
            "require_pushed_authorization_requests": true, "require_proof_of_possession": true,
            "oidc_logout": {"backchannel_logout_urls": ["https://a.example/bye"]},
            "oidc_backchannel_logout": {"backchannel_logout_urls": ["https://a.example/bye"]},
        }));
        let read: Vec<_> = client.callbacks().collect();
        assert_eq!(read, ["https://a.example/cb", "app://cb"]);
        assert_eq!(
            client.logout_urls().collect::<Vec<_>>(),
            ["https://a.example"]
        );
        assert_eq!(
            client.allowed_origins().collect::<Vec<_>>(),
            ["https://b.example"]
        );
        assert_eq!(
            client.web_origins().collect::<Vec<_>>(),
            ["https://c.example"]
        );
        let notified: Vec<_> = client.backchannel_logout_urls().collect();
        assert_eq!(notified, ["https://a.example/bye"]);
        assert!(!client.is_first_party() && !client.is_native() && !client.is_oidc_conformant());
        assert!(client.requires_pushed_requests() && client.requires_signed_requests());
        assert!(client.requires_proof_of_possession() && client.allows_plain_pkce());
        assert_eq!(client.pushed_request_lifetime(), 30);
    }
}
