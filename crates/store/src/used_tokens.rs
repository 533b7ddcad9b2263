//! Names that may be used once: ids of assertions, proofs of possession and requests. Kept until
//! the thing's own time is over.

use domain::Instant;

use crate::Write;
use crate::db::{any, one};

impl Write {
    /// Uses a name up: the batch is stale when somebody used it before. Names come hashed or from
    /// us; callers put what kind of name it is in front.
    pub fn use_once(&mut self, name: &str, expires_at: Instant) -> &mut Self {
        self.push(one(
            "insert into used_tokens (name, expires_at) values ($1, $2) \
             on conflict (name) do nothing",
            vec![name.into(), expires_at.into()],
        ))
    }

    /// Forgets names of what is refused for its time alone.
    pub fn forget_used_tokens(&mut self, now: Instant) -> &mut Self {
        self.push(any(
            "delete from used_tokens where expires_at <= $1",
            vec![now.into()],
        ))
    }
}
