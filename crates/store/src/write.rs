//! A list of changes that become true together.
//!
//! Each noun's file adds its own verbs to [`Write`]; this one only gathers.

use std::sync::Arc;

use crate::db::{Db, Stmt};
use crate::error::StoreError;
use crate::seal::Seal;

/// Changes to be committed as one batch.
pub struct Write {
    statements: Vec<Stmt>,
    pub(crate) share_lock: &'static str,
    pub(crate) own_lock: &'static str,
    pub(crate) seal: Arc<Seal>,
}

impl Write {
    pub(crate) fn new(db: &Db, seal: Arc<Seal>) -> Self {
        Self {
            statements: Vec::new(),
            share_lock: db.share_lock(),
            own_lock: db.own_lock(),
            seal,
        }
    }

    pub(crate) fn push(&mut self, statement: Stmt) -> &mut Self {
        self.statements.push(statement);
        self
    }

    pub(crate) fn into_statements(self) -> Vec<Stmt> {
        self.statements
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    pub(crate) fn sealed(
        &self,
        place: &str,
        row: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.seal.seal(&format!("{place}/{row}"), plain)
    }
}

/// A JSON object as it is stored.
pub(crate) fn json(object: &domain::Json) -> String {
    serde_json::to_string(object).unwrap_or_default()
}

/// A JSON array of texts as it is stored.
pub(crate) fn texts<T: serde::Serialize>(texts: &[T]) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}

/// A value of ours as it is stored: JSON that the same type reads again.
pub(crate) fn stored<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
