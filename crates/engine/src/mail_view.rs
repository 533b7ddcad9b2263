//! The last mails that this process sent, for a developer's eyes: kept in memory, and only where the
//! configuration asks for it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::Instant;
use store::Mail;

use crate::Engine;
use crate::letters::Parts;
use crate::sender;

/// Mails that are kept.
const KEPT: usize = 100;

/// A mail that was sent.
#[derive(Clone, Debug)]
pub struct SentMail {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Instant,
    /// By whom.
    pub from: String,
    /// To whom.
    pub recipient: String,
    /// Subject.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML.
    pub html: Option<String>,
}

/// The mails that are kept.
#[derive(Default)]
pub(crate) struct SentMails(Mutex<VecDeque<SentMail>>);

impl Engine {
    /// The last mails, the youngest first; `None` where nobody is to see them.
    pub fn sent_mails(&self) -> Option<Vec<SentMail>> {
        self.settings.mail.viewer.then(|| {
            let kept = self.sent_mails.0.lock();
            let kept = kept.unwrap_or_else(PoisonError::into_inner);
            kept.iter().rev().cloned().collect()
        })
    }

    pub(crate) fn view(&self, from: &str, mail: &Mail) {
        if !self.settings.mail.viewer {
            return;
        }
        let parts = Parts::of(&mail.body);
        let own = parts.from.filter(|own| sender::mailbox(own).is_some());
        let sent = SentMail {
            id: mail.id.clone(),
            at: self.now(),
            from: own.unwrap_or(from).to_owned(),
            recipient: mail.recipient.clone(),
            subject: mail.subject.clone(),
            text: parts.text.to_owned(),
            html: parts.html.map(str::to_owned),
        };
        let kept = self.sent_mails.0.lock();
        let mut kept = kept.unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.id != sent.id);
        kept.push_back(sent);
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }
}
