//! A disk that can be filled: a file system in memory, of a few MiB.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::checkout::output_of;

/// The disk; dropping the value takes it away with all that is on it.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts a disk that everybody may write to; `None` where the user at hand may not mount.
    pub fn mount(mib: u32) -> Result<Option<Self>> {
        let folder = TempDir::with_prefix("ferry-disk-")?;
        crate::open::to_all(folder.path())?;
        let options = format!("size={mib}m,mode=0777");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &options, "ferry-disk"]);
        let mounted = output_of(command.arg(folder.path()));
        Ok(mounted.is_ok().then_some(Self { folder }))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it until so many bytes are free.
    pub fn fill_but(&self, left: usize) -> Result<()> {
        let mut command = Command::new("df");
        let told = output_of(command.args(["--output=avail", "-B1"]).arg(self.path()))?;
        let free: usize = told.lines().last().context("a number")?.trim().parse()?;
        let ballast = vec![0; free.saturating_sub(left)];
        Ok(File::create(self.ballast())?.write_all(&ballast)?)
    }

    /// Gives back what was filled.
    pub fn make_room(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Too late to tell anybody. Lazily: a server may be on its way out.
        let mut command = Command::new("umount");
        let _ignored = output_of(command.arg("--lazy").arg(self.path()));
    }
}
