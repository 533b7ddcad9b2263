//! The import file: users as a legacy system would export them, about 500 bytes each.
//!
//! Ids ascend, as an export by primary key does. Addresses ascend too, as in the reference numbers
//! (`ordered`), or come in no order, as people do: then each row lands on another page of the index
//! of addresses, which is what a database finds hard.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Result;

const GIVEN: &[&str] = &[
    "Anna", "Bjørn", "Chloé", "Dmitri", "Elif", "Farid", "Grace", "Hiro",
];
const FAMILY: &[&str] = &[
    "Okafor", "Svensson", "Müller", "García", "Tanaka", "Novák", "Rossi", "Haddad",
];
const PLANS: &[&str] = &["free", "pro", "team"];
const BCRYPT: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A file of users in a folder of its own.
pub struct RowsFile {
    folder: tempfile::TempDir,
    /// How many users.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl RowsFile {
    /// Writes the file.
    pub fn write(rows: u64, is_ordered: bool) -> Result<Self> {
        let folder = tempfile::TempDir::with_prefix("ferry-bench-")?;
        let mut out =
            BufWriter::with_capacity(1 << 20, File::create(folder.path().join("users.json"))?);
        out.write_all(b"[")?;
        for number in 0..rows {
            out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
            write_row(&mut out, number, is_ordered)?;
        }
        out.write_all(b"\n]\n")?;
        out.into_inner()?.sync_all()?;
        let bytes = std::fs::metadata(folder.path().join("users.json"))?.len();
        Ok(Self {
            folder,
            rows,
            bytes,
        })
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("users.json")
    }

    /// The folder, for other files of the measurement.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn pick<'a>(list: &[&'a str], random: u64) -> &'a str {
    let place = usize::try_from(random % 64).unwrap_or_default() % list.len();
    list.get(place).copied().unwrap_or_default()
}

/// A mixer (`splitmix64`): scattered, and the same at each run.
pub const fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

fn bcrypt_text(number: u64) -> String {
    let mut text = String::from("$2b$10$");
    for place in 0..53_u64 {
        let bits = mixed(number.wrapping_mul(64).wrapping_add(place)) & 63;
        // The last letters of salt and digest carry fewer bits than six.
        let bits = if place == 21 || place == 52 { 0 } else { bits };
        let letter = usize::try_from(bits).ok().and_then(|bits| BCRYPT.get(bits));
        text.push(char::from(letter.copied().unwrap_or(b'.')));
    }
    text
}

fn write_row(out: &mut impl std::io::Write, number: u64, is_ordered: bool) -> Result<()> {
    let random = mixed(number);
    let (given, family) = (pick(GIVEN, random), pick(FAMILY, random >> 8));
    let plan = pick(PLANS, random >> 16);
    let (legacy, tag, day) = (number + 4_000_000, random >> 24, random % 28 + 1);
    let hash = bcrypt_text(number);
    let address = if is_ordered {
        format!("user{number:012}.{}@mail.example.com", random % 1000)
    } else {
        format!("{tag:x}.user{number}@mail{}.example.com", random % 7)
    };
    write!(
        out,
        "{{\"email\":\"{address}\",\"email_verified\":{},\
         \"user_id\":\"{legacy:012}\",\"given_name\":\"{given}\",\"family_name\":\"{family}\",\
         \"name\":\"{given} {family}\",\"nickname\":\"{given}{}\",\
         \"picture\":\"https://cdn.example.com/avatars/{tag:x}.png\",\
         \"user_metadata\":{{\"locale\":\"de-DE\",\"newsletter\":{},\"theme\":\"dark\"}},\
         \"app_metadata\":{{\"plan\":\"{plan}\",\"legacy_id\":{legacy},\
         \"signed_up\":\"2019-04-{day:02}T10:00:00Z\"}},\"password_hash\":\"{hash}\"}}",
        random.is_multiple_of(3),
        random % 1000,
        random.is_multiple_of(2),
    )?;
    Ok(())
}
