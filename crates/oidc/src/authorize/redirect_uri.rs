//! Which redirect URIs belong to a client. First letter by letter (RFC 9700 §4.1.3); then Auth0's
//! placeholder for one subdomain; then the loopback rule for native clients (RFC 8252 §7.3). Logout
//! URLs and origins follow the same rules, as far as Auth0's do.
//!
//! Anything else than the very text is compared part by part, after [`Uri`] has made sure that a
//! browser would see the same parts.

use domain::Client;

use super::uri::{Authority, Uri};

/// Whether a presented redirect URI is one of the client's.
pub fn is_callback(client: &Client, presented: &str) -> bool {
    matches_any(client.callbacks(), presented, client.is_native())
}

/// Whether one of the registered URIs stands for the presented one.
pub(crate) fn matches_any<'a>(
    mut registered: impl Iterator<Item = &'a str>,
    presented: &str,
    is_native: bool,
) -> bool {
    let Some(uri) = Uri::parse(presented) else {
        return false;
    };
    // Another application of the same device may claim the scheme too; only native clients, whose
    // codes are useless without the verifier, may take that risk.
    if uri.authority.is_none() && !is_native {
        return false;
    }
    registered.any(|registered| {
        registered == presented
            || is_same_with_subdomain(registered, &uri)
            || (is_native && is_same_loopback(registered, &uri))
    })
}

/// `https://*.example.com/cb`: one star, in the leftmost label of a host of three labels or more. It
/// stands for one part of one label; scheme, port, path and query are the same.
fn is_same_with_subdomain(registered: &str, presented: &Uri<'_>) -> bool {
    let Some(pattern) = Pattern::parse(registered) else {
        return false;
    };
    let same_place = presented
        .authority
        .is_some_and(|there| pattern.covers(&there));
    same_place && presented.scheme == pattern.scheme && presented.rest == pattern.rest
}

/// A registered URI with a star in its host.
struct Pattern<'a> {
    scheme: &'a str,
    before: &'a str,
    after: &'a str,
    port: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Pattern<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (start, end) = text.split_once('*')?;
        let (scheme, before) = start.split_once("://")?;
        if !matches!(scheme, "http" | "https") || before.contains(['.', '/', '?', ':', '@']) {
            return None;
        }
        // The rest of the label, and at least two labels behind it.
        let cut = end.find(['/', '?']).unwrap_or(end.len());
        let (place, rest) = end.split_at_checked(cut)?;
        let (after, port) = match place.split_once(':') {
            Some((after, port)) => (after, Some(port)),
            None => (place, None),
        };
        let labels = after.split('.').skip(1);
        let is_deep = labels.clone().count() >= 2 && labels.into_iter().all(|l| !l.is_empty());
        let is_single = !end.contains('*');
        (is_deep && is_single).then_some(Self {
            scheme,
            before,
            after,
            port,
            rest,
        })
    }

    fn covers(&self, there: &Authority<'_>) -> bool {
        let middle = there
            .host
            .strip_prefix(self.before)
            .and_then(|host| host.strip_suffix(self.after));
        there.port == self.port && middle.is_some_and(|part| !part.is_empty() && is_label(part))
    }
}

fn is_label(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The port of a loopback address is whatever the operating system gave.
fn is_same_loopback(registered: &str, presented: &Uri<'_>) -> bool {
    let Some(registered) = Uri::parse(registered) else {
        return false;
    };
    let (Some(here), Some(there)) = (registered.authority, presented.authority) else {
        return false;
    };
    here.is_loopback()
        && here.host == there.host
        && registered.scheme == "http"
        && presented.scheme == "http"
        && registered.rest == presented.rest
}

/// The only callback of a client that has one, and that one without placeholder: what a request that
/// names none means.
pub(crate) fn only_callback(client: &Client) -> Option<&str> {
    let mut callbacks = client.callbacks();
    let only = callbacks.next().filter(|_| callbacks.next().is_none())?;
    (!only.contains('*') && is_callback(client, only)).then_some(only)
}

/// Whether pages of the redirect URI's origin may take the answer as a message: the origin is one of
/// `web_origins`. That it is a callback is not enough, as at Auth0: a message is taken by script, and
/// not each callback is a page that runs any.
pub fn may_message(client: &Client, redirect_uri: &str) -> bool {
    origin_of(redirect_uri).is_some_and(|origin| {
        client
            .web_origins()
            .any(|allowed| is_origin(allowed, &origin))
    })
}

/// Whether pages of an origin may call us by script: the `Origin` header of a CORS request. Origins of
/// callbacks need no listing.
pub fn may_call(client: &Client, origin: &str) -> bool {
    let is_callback = |callback: &str| origin_of(callback).as_deref() == Some(origin);
    Uri::parse(origin).and_then(|uri| uri.origin()).as_deref() == Some(origin)
        && (client
            .web_origins()
            .chain(client.allowed_origins())
            .any(|allowed| is_origin(allowed, origin))
            || client.callbacks().any(is_callback))
}

/// The origin of a web URI, as browsers spell it.
pub fn origin_of(uri: &str) -> Option<String> {
    Uri::parse(uri)?.origin()
}

/// Whether a registered origin stands for another. A path behind it says nothing, as at Auth0.
fn is_origin(registered: &str, origin: &str) -> bool {
    if origin_of(registered).is_some_and(|registered| registered == origin) {
        return true;
    }
    let (Some(pattern), Some(uri)) = (Pattern::parse(registered), Uri::parse(origin)) else {
        return false;
    };
    pattern.scheme == uri.scheme && uri.authority.is_some_and(|there| pattern.covers(&there))
}

/// Whether a logout may lead there. Auth0 looks neither at the query nor at the fragment of a
/// `returnTo`; OpenID Connect does at those of a `post_logout_redirect_uri`.
pub(crate) fn is_logout_url<'a>(
    registered: impl Iterator<Item = &'a str>,
    presented: &str,
    compares_query: bool,
    is_native: bool,
) -> bool {
    if compares_query {
        return matches_any(registered, presented, is_native);
    }
    let bare = |text: &'a str| text.split(['?', '#']).next().unwrap_or_default();
    let presented_whole = presented.split('#').next().unwrap_or_default();
    let presented_bare = presented.split(['?', '#']).next().unwrap_or_default();
    // The whole is read too: a query that no URI may have is not sent on.
    Uri::parse(presented_whole).is_some()
        && presented
            .bytes()
            .all(|b| (0x21..0x7f).contains(&b) && !b"\\\"<>`".contains(&b))
        && matches_any(registered.map(bare), presented_bare, is_native)
}
