//! Where the pages are: the host that passkeys are made for, and the origin that browsers name.

use oidc::Issuer;

/// The host of the issuer: the relying party's id.
pub(crate) fn host_of(issuer: &Issuer) -> &str {
    let origin = origin_of(issuer);
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Scheme, host and port: what browsers call the origin.
pub(super) fn origin_of(issuer: &Issuer) -> &str {
    let text = issuer.as_str();
    let start = text.find("://").map_or(0, |at| at + 3);
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find('/').map_or(text.len(), |at| start + at);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_and_host_of_the_issuer() {
        for (text, origin, host) in [
            (
                "https://id.example.com/",
                "https://id.example.com",
                "id.example.com",
            ),
            (
                "https://id.example.com:8443/a/",
                "https://id.example.com:8443",
                "id.example.com",
            ),
            (
                "http://localhost:8080",
                "http://localhost:8080",
                "localhost",
            ),
        ] {
            let issuer = Issuer::parse(text).unwrap();
            assert_eq!((origin_of(&issuer), host_of(&issuer)), (origin, host));
        }
    }
}
