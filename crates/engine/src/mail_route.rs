//! Through which server mail leaves: the one that an administrator set, else the configuration's,
//! else files in the data folder. Kept until the administrator changes it.

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use crate::Engine;
use crate::email_provider::Provider;
use crate::error::{Error, Result};
use crate::mail::PATIENCE;

/// The port on which encryption comes before the first word.
const IMPLICIT_TLS: u16 = 465;

pub(crate) type Smtp = AsyncSmtpTransport<Tokio1Executor>;

pub(crate) enum Way {
    Smtp(Smtp),
    Files,
}

/// Way and sender of mail.
pub(crate) struct Route {
    pub(crate) way: Way,
    pub(crate) from: String,
    /// What the administrator set, as it is stored.
    stored: Option<String>,
}

impl Engine {
    /// The route of this moment; the one before when nothing changed.
    pub(crate) async fn mail_route(&self, kept: Option<Route>) -> Result<Route> {
        let (stored, provider) = self.sealed_provider().await?.unzip();
        if let Some(kept) = kept.filter(|kept| kept.stored == stored) {
            return Ok(kept);
        }
        let settings = &self.settings.mail;
        let provider = match provider {
            Some(text) => Provider::read(&text)?,
            None => None,
        };
        let smtp = match (&provider, &settings.smtp_url) {
            (Some(provider), _) => Some(through(provider)),
            (None, Some(url)) => Some(Smtp::from_url(&guarded(url))),
            (None, None) => None,
        };
        // lettre's own sentences do not repeat the URL, which holds a password.
        let smtp = smtp.transpose();
        let smtp = smtp.map_err(|error| Error::internal(format!("SMTP: {error}")))?;
        let way = smtp.map_or(Way::Files, |smtp| {
            Way::Smtp(smtp.timeout(Some(PATIENCE / 2)).build())
        });
        let from = provider.and_then(|provider| provider.from);
        Ok(Route {
            way,
            from: from.unwrap_or_else(|| settings.from.clone()),
            stored,
        })
    }
}

type Builder = lettre::transport::smtp::AsyncSmtpTransportBuilder;

/// A password never crosses a network in the clear.
fn through(provider: &Provider) -> std::result::Result<Builder, lettre::transport::smtp::Error> {
    let host = provider.host.as_str();
    let builder = if provider.port == IMPLICIT_TLS {
        Smtp::relay(host)?
    } else if is_here(host) {
        Smtp::builder_dangerous(host)
    } else if provider.credentials.is_some() {
        Smtp::starttls_relay(host)?
    } else {
        let tls = TlsParameters::new(host.to_owned())?;
        Smtp::builder_dangerous(host).tls(Tls::Opportunistic(tls))
    };
    let builder = builder.port(provider.port);
    Ok(match &provider.credentials {
        Some((user, password)) => {
            builder.credentials(Credentials::new(user.clone(), password.clone()))
        }
        None => builder,
    })
}

fn is_here(host: &str) -> bool {
    ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&host)
}

/// The same for a URL: `smtp://` with one asks for STARTTLS, unless
/// the URL says otherwise or the server is this machine.
fn guarded(url: &str) -> String {
    let authority = url.strip_prefix("smtp://").and_then(|rest| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.get(..end)
    });
    let Some((_, host)) = authority.and_then(|text| text.rsplit_once('@')) else {
        return url.to_owned();
    };
    let is_here = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host == *name || host.starts_with(&format!("{name}:")));
    match (is_here || url.contains("tls="), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&tls=required"),
        (false, false) => format!("{url}?tls=required"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_asks_for_encryption() {
        for (url, expected) in [
            ("smtp://mail.example.com", "smtp://mail.example.com"),
            (
                "smtp://u:p@mail.example.com:587",
                "smtp://u:p@mail.example.com:587?tls=required",
            ),
            (
                "smtp://u:p@mail.example.com?x=1",
                "smtp://u:p@mail.example.com?x=1&tls=required",
            ),
            ("smtp://u:p@localhost:25", "smtp://u:p@localhost:25"),
            (
                "smtp://u:p@h?tls=opportunistic",
                "smtp://u:p@h?tls=opportunistic",
            ),
            (
                "smtps://u:p@mail.example.com",
                "smtps://u:p@mail.example.com",
            ),
        ] {
            assert_eq!(guarded(url), expected);
        }
    }
}
