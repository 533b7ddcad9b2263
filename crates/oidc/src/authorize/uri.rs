//! A URI that no two readers understand differently. Redirects go wrong where the server reads one
//! host and the browser another: `https://a.example@b.example`, backslashes, tabs, encoded dots. All
//! of that is refused before anything is compared.

/// Longest URI that is looked at.
const MAX_LENGTH: usize = 2048;

/// Schemes that a browser runs or reads locally instead of going there.
const NEVER: &[&str] = &[
    "about",
    "blob",
    "chrome",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "javascript",
    "jar",
    "mailto",
    "resource",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// The parts of an absolute URI, borrowed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uri<'a> {
    /// As written: names of applications that serve as schemes have capitals. `http` and `https` have
    /// none.
    pub scheme: &'a str,
    /// Host and port; only of `http` and `https` URIs.
    pub authority: Option<Authority<'a>>,
    /// What follows: path and query.
    pub rest: &'a str,
}

/// Where a web URI leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    pub host: &'a str,
    /// As written; none when the scheme's own.
    pub port: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Reads a URI. One with a fragment is none of ours (RFC 6749 §3.1.2).
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_LENGTH || !text.bytes().all(is_uri_letter) || !is_encoded_well(text) {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        let mut letters = scheme.bytes();
        let begins = letters.next().is_some_and(|b| b.is_ascii_alphabetic());
        let goes_on = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
        if !begins || !letters.all(goes_on) || is_never(scheme) {
            return None;
        }
        if scheme != "http" && scheme != "https" {
            let is_something = !rest.trim_matches('/').is_empty() || rest.starts_with("//");
            return is_something.then_some(Self {
                scheme,
                authority: None,
                rest,
            });
        }
        let rest = rest.strip_prefix("//")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let authority = Authority::parse(authority)?;
        has_plain_path(rest).then_some(Self {
            scheme,
            authority: Some(authority),
            rest,
        })
    }

    /// The path without the query.
    #[cfg(any(test, feature = "fuzzing"))]
    pub fn path(&self) -> &'a str {
        self.rest
            .split_once('?')
            .map_or(self.rest, |(path, _)| path)
    }

    /// `https://host:port`, as browsers spell origins. Only web URIs have one.
    pub fn origin(&self) -> Option<String> {
        let Authority { host, port } = self.authority?;
        let port = port.filter(|port| !is_default_port(self.scheme, port));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!(
            "{}://{}{port}",
            self.scheme,
            host.to_ascii_lowercase()
        ))
    }
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        // An IPv6 address has colons of its own.
        let (host, port) = match text.rfind(']') {
            Some(end) => {
                let (host, rest) = text.split_at_checked(end + 1)?;
                (host, (!rest.is_empty()).then(|| rest.strip_prefix(':')))
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(Some(port))),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => Some(port.filter(|port| is_port(port))?),
            None => None,
        };
        (is_ipv6(host) || is_name(host)).then_some(Self { host, port })
    }

    /// The address of this very machine, as RFC 8252 §7.3 has it: `localhost` is not, because it is
    /// a name that somebody resolves.
    pub fn is_loopback(&self) -> bool {
        matches!(self.host, "127.0.0.1" | "[::1]")
    }
}

/// Whether nobody is sent to such a scheme. A web scheme in capitals is among them: it has one spelling.
fn is_never(scheme: &str) -> bool {
    let small = scheme.to_ascii_lowercase();
    NEVER.contains(&small.as_str()) || (scheme != small && matches!(&*small, "http" | "https"))
}

/// Letters that RFC 3986 allows, without the fragment's sign. No space, control, backslash, quote,
/// brace or letter beyond ASCII.
fn is_uri_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte)
}

/// Each percent sign begins a byte, and that byte is no control and no backslash: readers differ on
/// those.
fn is_encoded_well(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let byte = after
            .get(..2)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        byte.and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .is_some_and(|byte| byte >= 0x20 && byte != 0x7f && byte != b'\\')
    })
}

/// A host name or IPv4 address: labels of letters, digits and inner hyphens. What looks like a number
/// at its end is four decimal numbers, since browsers read `http://2130706433` as an address.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    host.len() <= 253 && host.split('.').all(is_label) && (!is_number || is_ipv4(host))
}

fn is_ipv4(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_ipv6(host: &str) -> bool {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_port(text: &str) -> bool {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number && !text.starts_with('0') && text.parse::<u16>().is_ok()
}

fn is_default_port(scheme: &str, port: &str) -> bool {
    matches!((scheme, port), ("http", "80") | ("https", "443"))
}

/// Without steps up or nowhere, also when the dots are encoded: a browser takes the steps before it
/// asks.
fn has_plain_path(rest: &str) -> bool {
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    let path = path.to_ascii_lowercase().replace("%2e", ".");
    !path
        .split('/')
        .any(|segment| segment == "." || segment == "..")
}
