//! Senders of mail, as operators write them.

use lettre::Address;
use lettre::message::Mailbox;

/// A mailbox: `a@example.com`, `Name <a@example.com>`. A name needs no quotes: where it holds a comma
/// or the like they are put around it.
pub(crate) fn mailbox(text: &str) -> Option<Mailbox> {
    if let Ok(mailbox) = text.parse() {
        return Some(mailbox);
    }
    let (name, address) = text.trim().strip_suffix('>')?.rsplit_once('<')?;
    let address: Address = address.trim().parse().ok()?;
    let name = name.trim().trim_matches('"').to_owned();
    Some(Mailbox::new((!name.is_empty()).then_some(name), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_comma_needs_no_quotes() {
        for (text, expected) in [
            ("crew@example.com", Some("crew@example.com")),
            ("Shop <crew@example.com>", Some("Shop <crew@example.com>")),
            (
                "Shop, Inc. <crew@example.com>",
                Some("\"Shop, Inc.\" <crew@example.com>"),
            ),
            (
                "\"Shop, Inc.\" <crew@example.com>",
                Some("\"Shop, Inc.\" <crew@example.com>"),
            ),
            (" <crew@example.com>", Some("crew@example.com")),
            ("crew", None),
            ("Shop, Inc. <crew>", None),
            ("Shop, Inc.", None),
            ("", None),
        ] {
            let read = mailbox(text).map(|mailbox| mailbox.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
