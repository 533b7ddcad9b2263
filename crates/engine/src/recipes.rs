//! How a connection's old application hashed: options of the connection that Auth0 does not have.
//!
//! `options.ferry.password_recipe` is the recipe of import rows that bring none;
//! `options.ferry.password_pepper` is the name, `PASSWORD_PEPPER` by default, under which the
//! sealed `options.configuration` holds the application's secret. The secret is never stored with
//! a hash: it is supplied when a password is verified.

use std::sync::Arc;

use domain::{ConfigurationValue, Connection, HashText};
use password::{ImportContext, Limits, Owner, PasswordHash, Recipe};
use serde_json::Value;

use crate::error::{Error, Result};

/// Where the pepper stands, when the connection does not say.
const DEFAULT_PEPPER: &str = "PASSWORD_PEPPER";

/// What an import needs to know of its connection to read hashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct HashingThere {
    /// The recipe of rows that bring none.
    pub recipe: Option<Arc<Recipe>>,
    /// Whether the configuration holds the pepper.
    pub has_pepper: bool,
}

impl HashingThere {
    /// The context of a row.
    pub fn context<'a>(&'a self, owner: Owner<'a>) -> ImportContext<'a> {
        ImportContext {
            recipe: self.recipe.as_ref(),
            has_pepper: self.has_pepper,
            owner,
        }
    }
}

fn option<'a>(connection: &'a Connection, name: &str) -> Option<&'a str> {
    connection.options.get("ferry")?.get(name)?.as_str()
}

/// Refuses, when the options are written, what no import could use.
pub(crate) fn check(ferry: Option<&Value>, limits: &Limits) -> Result<()> {
    let text = |name: &str| ferry.and_then(|ferry| ferry.get(name)?.as_str());
    if let Some(recipe) = text("password_recipe") {
        Recipe::parse(recipe, limits)
            .map_err(|error| Error::invalid(format!("options.ferry.password_recipe: {error}")))?;
    }
    if text("password_pepper").is_some_and(str::is_empty) {
        let message = "options.ferry.password_pepper: expected a name of options.configuration";
        return Err(Error::invalid(message));
    }
    Ok(())
}

/// What the connection says of the hashes that come to it.
pub(crate) fn hashing_there(connection: &Connection, limits: &Limits) -> Result<HashingThere> {
    let recipe = option(connection, "password_recipe").map(|text| Recipe::parse(text, limits));
    // It fitted when it was written; since then the operator may have lowered the ceilings.
    let recipe = recipe.transpose().map_err(|error| {
        Error::invalid(format!(
            "The connection's options.ferry.password_recipe: {error}"
        ))
    })?;
    Ok(HashingThere {
        recipe: recipe.map(Arc::new),
        has_pepper: pepper(connection).is_some(),
    })
}

pub(crate) fn pepper(connection: &Connection) -> Option<&ConfigurationValue> {
    let name = option(connection, "password_pepper").unwrap_or(DEFAULT_PEPPER);
    connection.configuration.get(name)
}

/// A stored hash, ready to verify.
///
/// # Errors
/// It cannot be read, or its recipe needs a pepper that the connection no longer holds.
pub(crate) fn read_stored(connection: &Connection, stored: &HashText) -> Result<PasswordHash> {
    let hash = PasswordHash::from_stored(stored).map_err(Error::internal)?;
    with_pepper(connection, hash)
}

/// The hash with the connection's pepper, when it needs one.
pub(crate) fn with_pepper(connection: &Connection, hash: PasswordHash) -> Result<PasswordHash> {
    if !hash.needs_pepper() {
        return Ok(hash);
    }
    match pepper(connection) {
        Some(pepper) => Ok(hash.with_pepper(pepper.expose())),
        None => Err(Error::unavailable(
            "a password hash needs the pepper, and options.configuration does not hold it",
        )),
    }
}
