//! Lists in their two documented forms: `page`, `per_page`, `include_totals`, and the checkpoint
//! form `from`, `take`, whose answer names the `next` checkpoint while the list goes on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Json;
use engine::listing::{Listed, Slice};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::Query;

/// The parameters that [`Asked::of`] reads.
pub const PARAMETERS: &[&str] = &["page", "per_page", "include_totals", "from", "take"];

/// Which part of a list is asked for, and in which form.
pub struct Asked {
    /// The part.
    pub slice: Slice,
    with_totals: bool,
}

impl Asked {
    /// Reads the parameters; `most` is the largest `take`.
    pub fn of(query: &Query, most: u32) -> Result<Self, ApiError> {
        let (page, with_totals) = query.page()?;
        if query.get("take").is_none() && query.get("from").is_none() {
            return Ok(Self {
                slice: Slice::Page(page),
                with_totals,
            });
        }
        match query.get("page") {
            None => Self::by_checkpoint(query, most),
            Some(_) => Err(unfit("page", "Can't be combined with take and from")),
        }
    }

    /// Reads `from` and `take`, of lists that have no other form.
    pub fn by_checkpoint(query: &Query, most: u32) -> Result<Self, ApiError> {
        let take = query.number("take", 1, most)?.unwrap_or(50);
        let key = query.get("from").map(read_checkpoint).transpose()?;
        Ok(Self {
            slice: Slice::After { key, take },
            with_totals: false,
        })
    }

    /// The answer: a plain array, or an object that holds it under its name.
    pub fn answer(&self, name: &str, listed: Listed<Json>) -> Value {
        let mut answer = match &self.slice {
            Slice::Page(_) if !self.with_totals => return json!(listed.items),
            Slice::Page(page) => {
                json!({"total": listed.total, "start": page.offset(), "limit": page.size})
            }
            Slice::After { .. } => listed.next.map_or_else(
                || json!({}),
                |key| json!({"next": URL_SAFE_NO_PAD.encode(key)}),
            ),
        };
        if let Some(members) = answer.as_object_mut() {
            members.insert(name.to_owned(), json!(listed.items));
        }
        answer
    }
}

/// A checkpoint is the last key seen, in letters that need no escaping.
fn read_checkpoint(text: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    key.filter(|key| !key.contains('\0'))
        .ok_or_else(|| unfit("from", "Not a checkpoint of this list"))
}

fn unfit(name: &str, problem: &str) -> ApiError {
    ApiError::invalid_query(format!(
        "Query validation error: '{problem}' on property {name}."
    ))
}

/// The parameters of a list: those of its parts and its own.
pub fn parameters(own: &[&'static str]) -> Vec<&'static str> {
    PARAMETERS.iter().chain(own).copied().collect()
}
