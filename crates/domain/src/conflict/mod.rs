//! Two records that claim the same key: pure decisions from what is stored and what arrives.
//!
//! | file | decides |
//! |---|---|
//! | `claims` | who of those who hold the newcomer's keys is the same person, if anybody |
//! | `policy` | what an operator may ask for, and how it is written down |
//! | `merge` | what becomes of each field when the person is here already |
//!
//! Imports and first logins ask the same three; nothing else decides a collision. Without a policy
//! it is decided as documented: a record whose immutable id is already here is the same person, a
//! record that claims another's e-mail, username or number is refused.

mod claims;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod merge;
mod policy;

pub use claims::{Claim, ClaimedKey, Match, Resolution, matching, obstacle, resolve};
pub use merge::{Arriving, Merged, Trail, merge};
pub use policy::{Field, PasswordRule, Policy, PolicyError, Rule};
