//! `fields` and `include_fields`: which members of an answer the caller wants.

use domain::Json;

use crate::error::ApiError;
use crate::extract::Query;

/// The members to show, or those to leave out.
pub struct Fields {
    names: Vec<String>,
    include: bool,
}

impl Fields {
    /// Reads both parameters.
    pub fn of(query: &Query) -> Result<Self, ApiError> {
        let names = query.get("fields").unwrap_or_default().split(',');
        let names = names.map(str::trim).filter(|name| !name.is_empty());
        Ok(Self {
            names: names.map(str::to_owned).collect(),
            include: query.flag("include_fields")?.unwrap_or(true),
        })
    }

    /// Keeps what was asked for; everything when no field was named.
    pub fn apply(&self, mut body: Json) -> Json {
        if !self.names.is_empty() {
            body.retain(|name, _| self.names.contains(name) == self.include);
        }
        body
    }
}
