//! Whether a password is in the operator's list of leaked ones: no service is asked, nothing leaves
//! the machine.
//!
//! The list is what the public downloaders of breached passwords write: either one text file of
//! SHA-1 digests, sorted, a line each (`DIGEST` or `DIGEST:COUNT`), or a folder with a file for each
//! prefix of five digits that holds the rest of the digests (`00000.txt`). Neither is read into
//! memory: a file of forty gigabytes costs some thirty reads a look-up.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use domain::Password;
use sha1::{Digest as _, Sha1};

/// Digits that name a file of a folder.
const PREFIX: usize = 5;

/// Bytes read at a time; longer than two lines of any list.
const BLOCK: usize = 512;

/// A list of leaked passwords.
#[derive(Clone, Debug)]
pub struct LeakedPasswords(PathBuf);

impl LeakedPasswords {
    /// The list at a path; looked at only when it is asked.
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Whether the list holds the password. Reads from disk: not for an async thread.
    pub fn contains(&self, password: &Password) -> std::io::Result<bool> {
        let digest = hex::encode_upper(Sha1::digest(password.expose().as_bytes()));
        let (prefix, rest) = digest.split_at(PREFIX);
        if !self.0.is_dir() {
            return holds(&self.0, &digest);
        }
        for name in [format!("{prefix}.txt"), prefix.to_owned()] {
            let path = self.0.join(name);
            if path.is_file() {
                return holds(&path, rest);
            }
        }
        Err(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            format!("the folder has no file for the prefix {prefix}"),
        ))
    }
}

/// Binary search for a line that begins with `wanted`, upper- or lower-case.
fn holds(path: &Path, wanted: &str) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    // The first line that may be it starts in `low..high`.
    let (mut low, mut high) = (0, file.metadata()?.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let Some((start, digest)) = line_from(&mut file, middle, low, wanted.len())? else {
            high = middle;
            continue;
        };
        match digest.as_str().cmp(wanted) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => low = start + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(false)
}

/// The first line that starts at or after `from` (and not before `low`): where, and its digits.
fn line_from(
    file: &mut File,
    from: u64,
    low: u64,
    digits: usize,
) -> std::io::Result<Option<(u64, String)>> {
    // One byte earlier: a line that starts at `from` follows a line end.
    let at = if from > low { from - 1 } else { from };
    let mut block = [0; BLOCK];
    file.seek(SeekFrom::Start(at))?;
    let filled = fill(file, &mut block)?;
    let bytes = block.get(..filled).unwrap_or_default();
    let skipped = if at == 0 || (from == low && is_line_start(file, low)?) {
        0
    } else {
        match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None => return Ok(None),
        }
    };
    let line = bytes.get(skipped..skipped + digits);
    let text = line.and_then(|line| std::str::from_utf8(line).ok());
    let start = at + u64::try_from(skipped).unwrap_or(0);
    Ok(text.map(|text| (start, text.to_ascii_uppercase())))
}

fn is_line_start(file: &mut File, place: u64) -> std::io::Result<bool> {
    if place == 0 {
        return Ok(true);
    }
    let mut before = [0];
    file.seek(SeekFrom::Start(place - 1))?;
    Ok(fill(file, &mut before)? == 1 && before == *b"\n")
}

fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn digest(text: &str) -> String {
        hex::encode_upper(Sha1::digest(text.as_bytes()))
    }

    fn list(count: usize, line_end: &str, counts: bool) -> String {
        let mut digests: Vec<String> = (0..count).map(|n| digest(&format!("leaked {n}"))).collect();
        digests.sort();
        let mut text = String::new();
        for (number, digest) in digests.iter().enumerate() {
            let count = if counts {
                format!(":{}", number * 7919)
            } else {
                String::new()
            };
            write!(text, "{digest}{count}{line_end}").unwrap();
        }
        text
    }

    #[test]
    fn every_line_is_found_and_no_other() {
        for (count, line_end, counts) in [
            (0, "\n", true),
            (1, "\n", true),
            (2, "\r\n", false),
            (1000, "\r\n", true),
            (777, "\n", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("list.txt");
            let mut text = list(count, line_end, counts);
            if count == 777 {
                text = text.trim_end().to_lowercase();
            }
            std::fs::write(&path, text).unwrap();
            let leaked = LeakedPasswords::at(path);
            for number in 0..count {
                let password = Password::from(format!("leaked {number}"));
                assert!(leaked.contains(&password).unwrap(), "{number} of {count}");
            }
            for number in 0..500 {
                let password = Password::from(format!("safe {number}"));
                assert!(
                    !leaked.contains(&password).unwrap(),
                    "{number} beside {count}"
                );
            }
        }
    }

    #[test]
    fn a_folder_is_asked_by_its_prefixes() {
        let folder = tempfile::tempdir().unwrap();
        let known = digest("hunter2");
        let (prefix, rest) = known.split_at(PREFIX);
        std::fs::write(
            folder.path().join(format!("{prefix}.txt")),
            format!("{rest}:5\r\n"),
        )
        .unwrap();
        let leaked = LeakedPasswords::at(folder.path().to_owned());
        assert!(leaked.contains(&Password::from("hunter2")).unwrap());
        // A folder that lacks a prefix is no answer.
        assert!(leaked.contains(&Password::from("other")).is_err());
        assert_eq!(known.len(), 40);
    }
}
