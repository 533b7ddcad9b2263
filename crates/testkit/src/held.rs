//! A child process that lives as long as we hold its standard input open.
//!
//! A killed test process runs no destructors, but the kernel closes its pipes. Children that read
//! their standard input to its end therefore never outlive us, however we end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The child.
pub(crate) struct Held {
    child: Child,
}

impl Held {
    /// Starts the command and waits for its first line, which says that it serves and where.
    pub(crate) fn start(command: &mut Command) -> Result<(Self, String, BufReader<ChildStdout>)> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("no pipe")?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        if first.is_empty() {
            let mut complaint = String::new();
            child
                .stderr
                .take()
                .context("no pipe")?
                .read_to_string(&mut complaint)?;
            child.wait()?;
            bail!(
                "{} did not start: {complaint}",
                command.get_program().display()
            );
        }
        Ok((Self { child }, first.trim_end().to_owned(), lines))
    }

    /// Tells the child something, in a line.
    pub(crate) fn tell(&mut self, line: &str) -> Result<()> {
        let pipe = self.child.stdin.as_mut().context("no pipe")?;
        writeln!(pipe, "{line}")?;
        Ok(pipe.flush()?)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It cleans up after itself now; a failure to wait could not be told to anybody.
        let _status = self.child.wait();
    }
}
