//! The loader that an ELF program names: the kernel opens it with the program, so whoever may run
//! the program must be allowed to run its loader too.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 5] = [0x7f, b'E', b'L', b'F', 2];
/// Size of a 64-bit file's header, and of an entry of its program table.
const HEADER: usize = 64;
const ENTRY: usize = 56;
/// The kind of entry that names the loader.
const INTERPRETER: u32 = 3;
/// Longest name of a loader.
const NAME: u64 = 4096;

/// The loader of a 64-bit program; `None` for a static one and for what is no such program.
pub fn loader(program: &Path) -> io::Result<Option<PathBuf>> {
    let mut file = File::open(program)?;
    let mut header = [0; HEADER];
    if file.read_exact(&mut header).is_err() || !header.starts_with(&MAGIC) {
        return Ok(None);
    }
    let (Some(table), Some(entries)) = (number::<8>(&header, 32), number::<2>(&header, 56)) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(table))?;
    for _ in 0..entries {
        let mut entry = [0; ENTRY];
        file.read_exact(&mut entry)?;
        if number::<4>(&entry, 0) != Some(u64::from(INTERPRETER)) {
            continue;
        }
        let (Some(at), Some(size)) = (number::<8>(&entry, 8), number::<8>(&entry, 32)) else {
            return Ok(None);
        };
        let mut name = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        file.take(size.min(NAME)).read_to_end(&mut name)?;
        name.retain(|byte| *byte != 0);
        return Ok(Some(PathBuf::from(OsStr::from_bytes(&name))));
    }
    Ok(None)
}

/// The number of `N` bytes at a place, in this machine's byte order.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(N)?)?;
    let mut whole = [0; 8];
    let place = if cfg!(target_endian = "little") {
        whole.get_mut(..N)
    } else {
        whole.get_mut(8 - N..)
    };
    place?.copy_from_slice(part);
    Some(u64::from_ne_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_names_its_loader_and_a_text_does_not() {
        let loader_of_sh = loader(Path::new("/bin/sh")).unwrap().unwrap();
        assert!(loader_of_sh.is_file(), "{loader_of_sh:?}");
        assert_eq!(loader(Path::new("/etc/hosts")).unwrap(), None);
        assert!(loader(Path::new("/nonexistent")).is_err());
    }
}
