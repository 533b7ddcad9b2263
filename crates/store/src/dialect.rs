//! The few places where the two databases do not share a text.

use crate::db::Db;

impl Db {
    /// Ends a `select` that must see its row stay until the batch commits. SQLite has one writer
    /// and needs nothing.
    pub(crate) const fn share_lock(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " for key share",
        }
    }

    /// Ends a `select` that nobody may share with the batch. SQLite has one writer.
    pub(crate) const fn own_lock(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " for update",
        }
    }

    /// Ends the inner `select` of a claim, so that two workers do not wait for one row.
    pub(crate) const fn skip_locked(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " for update skip locked",
        }
    }

    /// Fills the migration's placeholders.
    pub(crate) fn ddl(&self, text: &str) -> String {
        let (rowkey, keytext) = match self {
            Self::Sqlite(_) => ("integer", "text"),
            Self::Postgres(_) => ("bigint", "text collate \"C\""),
        };
        self.in_order(text)
            .replace("{{rowkey}}", rowkey)
            .replace("{{keytext}}", keytext)
    }

    /// PostgreSQL checks unique indexes in the order they were made, SQLite in the reverse: between
    /// `{{in order}}` and `{{end}}` it makes them backwards, so that both name the same conflict.
    fn in_order(&self, text: &str) -> String {
        let (before, rest) = text.split_once("-- {{in order}}").unwrap_or((text, ""));
        let (indexes, after) = rest.split_once("-- {{end}}").unwrap_or(("", rest));
        let mut statements: Vec<&str> = indexes.split_inclusive(';').collect();
        if matches!(self, Self::Sqlite(_)) {
            statements.reverse();
        }
        format!("{before}{}{after}", statements.concat())
    }
}
