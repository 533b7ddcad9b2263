//! Mail leaves the house: what waits in the outbox is sent, or dropped as files when no mail
//! server is set. A mail that can't be sent is tried again, later each time, and kept as a dead
//! letter in the end.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use domain::{EventKind, Instant, LogEvent};
use lettre::message::MultiPart;
use lettre::message::header::ContentType;
use lettre::{AsyncTransport as _, Message};
use store::Mail;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::letters::Parts;
use crate::mail_route::{Route, Way};
use crate::{Context, Engine, sender};

/// Mails taken at a time.
const TAKEN: u32 = 20;

/// How long a taken mail is left alone: another sender takes it when this one died.
const HOLD: Duration = Duration::from_secs(120);

/// One attempt lasts no longer: less than its share of the hold.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long new mail may go unnoticed.
const POLL: Duration = Duration::from_secs(10);

/// Attempts before a mail is given up: most of a day.
const ATTEMPTS: i64 = 10;

/// The wait after the first attempt; it triples up to the last.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(12 * 3600);

/// Digits of the shortest code that a mail holds.
const CODE_LENGTH: usize = 6;

/// Whom mail reaches that nobody asked for, when it is dropped as a file anyway.
const NOBODY: &str = "root@localhost";

impl Engine {
    /// Who gets mail about jobs. Without an address mail is still dropped as a file, but never
    /// handed to a server.
    pub(crate) fn mail_recipient(&self) -> Option<String> {
        let is_drop = self.settings.mail.smtp_url.is_none();
        let address = self.settings.admin_email.clone();
        address.or_else(|| is_drop.then(|| NOBODY.to_owned()))
    }

    /// Sends what waits until told to stop.
    pub async fn run_outbox(self: Arc<Self>, stop: CancellationToken) {
        let mut kept = None;
        while !stop.is_cancelled() {
            match self.round(&mut kept).await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::warn!(%error, "mail waits"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.outbox_wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Tells owners of blocked accounts, then sends; says how much was done.
    async fn round(&self, kept: &mut Option<Route>) -> Result<usize> {
        let told = self.tell_blocked().await?;
        let route = match self.mail_route(kept.take()).await {
            Ok(route) => kept.insert(route),
            // What can't be sent with these settings waits for better ones.
            Err(error) => return Err(error),
        };
        Ok(told + self.send_due(route).await?)
    }

    /// One round; says how many mails it took.
    async fn send_due(&self, route: &Route) -> Result<usize> {
        let now = self.now();
        let due = self.store.claim_mail(now, now.plus(HOLD), TAKEN).await?;
        let sent = due.iter().map(|mail| self.send(route, mail));
        let outcomes = futures_util::future::join_all(sent).await;
        let mut write = self.store.write();
        let now = self.now();
        for (mail, outcome) in due.iter().zip(outcomes) {
            let Err(problem) = outcome else {
                write.mark_sent(&mail.id, now);
                continue;
            };
            tracing::warn!(mail = mail.id, attempt = mail.attempts, problem, "not sent");
            let next = wait_after(mail.attempts).map(|wait| now.plus(wait));
            write.mark_unsent(&mail.id, &problem, next);
            if next.is_none() {
                write.log(&self.given_up(mail, &problem));
            }
        }
        if !write.is_empty() {
            self.store.commit(write).await?;
        }
        Ok(due.len())
    }

    /// What the log tells of a mail that is not tried any more: nothing that it says.
    fn given_up(&self, mail: &Mail, problem: &str) -> LogEvent {
        let mut event = self.event(&Context::default(), EventKind::NotificationFailed);
        event.description = Some(without_secrets(problem));
        event.user_name = Some(mail.recipient.clone());
        event.details.insert("mail".into(), mail.id.clone().into());
        let attempts = mail.attempts.into();
        event.details.insert("attempts".into(), attempts);
        event
    }

    /// Mails that were given up and are not forgotten yet.
    pub async fn dead_letters(&self) -> Result<i64> {
        Ok(self.store.count_dead_mail().await?)
    }

    async fn send(&self, route: &Route, mail: &Mail) -> Result<(), String> {
        self.view(&route.from, mail);
        let message = message(&route.from, mail, self.now()).map_err(|error| error.to_string())?;
        match &route.way {
            // Mail that is only dropped as a file reaches nobody's server.
            Way::Smtp(_) if mail.recipient == NOBODY => Ok(()),
            Way::Smtp(transport) => {
                let sent = tokio::time::timeout(PATIENCE, transport.send(message)).await;
                let sent = sent.map_err(|_| "the mail server does not answer".to_owned())?;
                sent.map(drop).map_err(|error| chain(&error))
            }
            Way::Files => {
                let folder = self.settings.data_dir.join("mail");
                drop_file(&folder, &mail.id, &message.formatted())
                    .await
                    .map_err(|error| error.to_string())
            }
        }
    }
}

fn message(
    from: &str,
    mail: &Mail,
    now: Instant,
) -> std::result::Result<Message, Box<dyn std::error::Error>> {
    let parts = Parts::of(&mail.body);
    // A template whose values make no sender of it holds no mail back.
    let own = parts.from.and_then(sender::mailbox);
    let from = own.or_else(|| sender::mailbox(from));
    let from = from.ok_or("the sender is no mailbox")?;
    // The same at each attempt, so that a mail sent twice is shown once.
    let id = format!("<{}@{}>", mail.id, from.email.domain());
    let builder = Message::builder()
        .message_id(Some(id))
        .date(UNIX_EPOCH + Duration::from_millis(u64::try_from(now.millis())?))
        .from(from)
        .to(mail.recipient.parse()?)
        .subject(&mail.subject);
    let text = parts.text.to_owned();
    Ok(match parts.html {
        None => builder.header(ContentType::TEXT_PLAIN).body(text)?,
        Some(html) => {
            builder.multipart(MultiPart::alternative_plain_html(text, html.to_owned()))?
        }
    })
}

async fn drop_file(folder: &Path, id: &str, bytes: &[u8]) -> std::io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    // Whoever watches the folder never sees half a mail.
    let unfinished = folder.join(format!("{id}.part"));
    tokio::fs::write(&unfinished, bytes).await?;
    tokio::fs::rename(&unfinished, folder.join(format!("{id}.eml"))).await
}

/// `None` after the last attempt.
fn wait_after(attempts: i64) -> Option<Duration> {
    let exponent = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let wait = FIRST_WAIT.saturating_mul(3_u32.saturating_pow(exponent));
    (attempts < ATTEMPTS).then(|| wait.min(LONGEST_WAIT))
}

/// What a mail server said, without what it may repeat of a mail: links and codes.
fn without_secrets(problem: &str) -> String {
    let is_secret = |word: &str| {
        let mut runs = word.split(|letter: char| !letter.is_ascii_digit());
        word.contains("://") || runs.any(|digits| digits.len() >= CODE_LENGTH)
    };
    let words = problem.split_whitespace();
    let words = words.map(|word| if is_secret(word) { "[…]" } else { word });
    let text = words.collect::<Vec<_>>().join(" ");
    text.chars().take(300).collect()
}

/// lettre prints only the outermost cause.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_gives_up() {
        let waits: Vec<_> = (1..=10)
            .map(|n| wait_after(n).map(|wait| wait.as_secs()))
            .collect();
        assert_eq!(waits[..3], [Some(10), Some(30), Some(90)]);
        assert_eq!(waits[8..], [Some(43_200), None]);
    }

    fn sent_from(body: &str) -> String {
        let mail = Mail {
            id: "abc".into(),
            recipient: "Zoë <zoe@example.com>".into(),
            subject: "[Ferry] Import user job for tenant здесь and connection c completed".into(),
            body: body.into(),
            attempts: 1,
        };
        let message = message("ferry@localhost", &mail, Instant::from_millis(0)).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn other_letters_and_long_subjects_survive() {
        let text = sent_from("Zoë\n");
        assert!(text.contains("Message-ID: <abc@localhost>"), "{text}");
        assert!(text.contains("To: =?utf-8?"), "{text}");
    }

    #[test]
    fn a_sender_that_is_none_holds_no_mail_back() {
        for (own, expected) in [
            ("Shop <crew@example.com>", "<crew@example.com>"),
            ("Shop, Inc. <crew@example.com>", "<crew@example.com>"),
            ("Shop, Inc.", "ferry@localhost"),
            ("", "ferry@localhost"),
        ] {
            let text = sent_from(&format!("Hello\n\u{c}<p>Hello\u{c}{own}"));
            let from = text.lines().find(|line| line.starts_with("From: "));
            assert!(from.unwrap().ends_with(expected), "{text}");
        }
    }

    #[test]
    fn what_a_server_repeats_of_a_mail_is_left_out() {
        assert_eq!(
            without_secrets(
                "permanent error (550): 5.7.1 spam: https://x/?ticket=a,\n code=123456!"
            ),
            "permanent error (550): 5.7.1 spam: […] […]"
        );
        assert_eq!(without_secrets(&"a".repeat(400)).len(), 300);
    }
}
