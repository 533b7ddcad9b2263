//! A bounded window over the file, a byte loop that finds objects, and borrowed serde on each.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc::SyncSender;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::value::RawValue;

const WINDOW: usize = 4 << 20;
const BATCH: usize = 1000;

#[derive(Deserialize)]
struct Borrowed<'a> {
    #[serde(borrow)]
    email: std::borrow::Cow<'a, str>,
    email_verified: bool,
    #[serde(borrow)]
    user_id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    given_name: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    family_name: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    nickname: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    picture: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    user_metadata: &'a RawValue,
    #[serde(borrow)]
    app_metadata: &'a RawValue,
    #[serde(borrow)]
    password_hash: std::borrow::Cow<'a, str>,
}

/// A user on its way to a database.
pub struct User {
    /// The row's number.
    pub id: i64,
    /// Whether the address is proven.
    pub email_verified: bool,
    /// Address, id, given, family and full name, nickname, picture, user and app metadata.
    pub texts: [String; 9],
    /// The hash.
    pub password: String,
}

/// Reads the file and sends its users by the thousand.
pub fn parse(path: &Path, out: &SyncSender<Vec<User>>) -> Result<()> {
    let mut file = File::open(path)?;
    let mut window = vec![0_u8; WINDOW];
    let (mut held, mut id) = (0, 0);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let read = file.read(
            window
                .get_mut(held..)
                .context("a row larger than the window")?,
        )?;
        held += read;
        let full = window.get(..held).unwrap_or_default();
        let mut rest = full;
        while let Some((object, after)) = next_object(rest) {
            id += 1;
            batch.push(user(object, id)?);
            if batch.len() == BATCH {
                out.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))?;
            }
            rest = after;
        }
        let left = rest.len();
        if read == 0 {
            break;
        }
        if left == WINDOW {
            bail!("a row larger than the window");
        }
        window.copy_within(held - left..held, 0);
        held = left;
    }
    out.send(batch)?;
    Ok(())
}

fn user(object: &[u8], id: i64) -> Result<User> {
    let row: Borrowed<'_> = serde_json::from_slice(object)?;
    Ok(User {
        id,
        email_verified: row.email_verified,
        texts: [
            row.email.to_ascii_lowercase(),
            row.user_id.into_owned(),
            row.given_name.into_owned(),
            row.family_name.into_owned(),
            row.name.into_owned(),
            row.nickname.into_owned(),
            row.picture.into_owned(),
            row.user_metadata.get().to_owned(),
            row.app_metadata.get().to_owned(),
        ],
        password: row.password_hash.into_owned(),
    })
}

/// The first whole object and what follows it.
fn next_object(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = bytes.iter().position(|byte| *byte == b'{')?;
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    for (place, byte) in bytes.iter().enumerate().skip(start) {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((bytes.get(start..=place)?, bytes.get(place + 1..)?));
                }
            }
            _ => {}
        }
    }
    None
}
