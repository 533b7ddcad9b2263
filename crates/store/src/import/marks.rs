//! Users that a job has changed or found unchanged, as bits: so that a second row for the same
//! person is told as `DUPLICATED_USER`, in whatever batch and after whatever crash it comes.
//!
//! User numbers are dense, so a kilobyte holds eight thousand of them: a million users cost 125 KB,
//! and no user is rewritten only to note that its row was seen.

use std::collections::BTreeMap;

use domain::JobId;
use domain::user::UserRow;

use crate::db::{Stmt, one};

/// Users in one chunk.
const CHUNK: i64 = 8192;
const CHUNK_BYTES: usize = 1024;

/// The chunks that a batch has looked at.
#[derive(Debug, Default)]
pub(super) struct Marks {
    chunks: BTreeMap<i64, Chunk>,
}

#[derive(Debug)]
struct Chunk {
    bits: Vec<u8>,
    is_changed: bool,
}

/// A user's chunk, and its byte and bit in there.
fn place(user: UserRow) -> (i64, usize, u8) {
    let bit = user.0.rem_euclid(CHUNK);
    let byte = usize::try_from(bit / 8).unwrap_or_default();
    (user.0.div_euclid(CHUNK), byte, 1 << (bit % 8))
}

impl Marks {
    /// The chunk of a user, when it was not loaded yet.
    pub fn missing(&self, user: UserRow) -> Option<i64> {
        let (chunk, ..) = place(user);
        (!self.chunks.contains_key(&chunk)).then_some(chunk)
    }

    /// Takes in what is stored of a chunk.
    pub fn load_chunk(&mut self, chunk: i64, stored: Option<Vec<u8>>) {
        let mut bits = stored.unwrap_or_default();
        bits.resize(CHUNK_BYTES, 0);
        let is_changed = false;
        self.chunks.insert(chunk, Chunk { bits, is_changed });
    }

    /// The chunks that were loaded.
    pub fn loaded(&self) -> Vec<i64> {
        self.chunks.keys().copied().collect()
    }

    pub fn is_set(&self, user: UserRow) -> bool {
        let (chunk, byte, bit) = place(user);
        let bits = self
            .chunks
            .get(&chunk)
            .and_then(|chunk| chunk.bits.get(byte));
        bits.is_some_and(|bits| bits & bit != 0)
    }

    /// Marks a user, whose chunk was loaded.
    pub fn set(&mut self, user: UserRow) {
        let (chunk, byte, bit) = place(user);
        if let Some(chunk) = self.chunks.get_mut(&chunk)
            && let Some(bits) = chunk.bits.get_mut(byte)
        {
            *bits |= bit;
            chunk.is_changed = true;
        }
    }

    /// The statements that store what was marked.
    pub fn statements(&self, job: &JobId) -> Vec<Stmt> {
        let changed = self.chunks.iter().filter(|(_, chunk)| chunk.is_changed);
        let write = |(number, chunk): (&i64, &Chunk)| {
            one(
                "insert into job_marks (job_id, chunk, bits) values ($1, $2, $3) \
                 on conflict (job_id, chunk) do update set bits = excluded.bits",
                vec![job.into(), (*number).into(), chunk.bits.clone().into()],
            )
        };
        changed.map(write).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_one_users() {
        let mut marks = Marks::default();
        for user in [0, 7, 8, 8191, 8192, i64::MAX - 1] {
            let user = UserRow(user);
            if let Some(chunk) = marks.missing(user) {
                marks.load_chunk(chunk, None);
            }
            assert!(!marks.is_set(user));
            marks.set(user);
            assert!(marks.is_set(user) && !marks.is_set(UserRow(user.0 + 1)));
        }
        assert_eq!(marks.statements(&"job".into()).len(), 3);
        let mut again = Marks::default();
        again.load_chunk(0, marks.chunks.remove(&0).map(|chunk| chunk.bits));
        assert!(again.is_set(UserRow(8191)) && !again.is_set(UserRow(8190)));
        assert_eq!(again.statements(&"job".into()).len(), 0);
    }
}
