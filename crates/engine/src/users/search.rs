//! Which users a list shows. The query language proper comes later; what looks a user up by a
//! key is understood now, and anything else is refused by name.

use domain::{Listing, Page, User, UserId};
use store::{UserFilter, UserSort};

use crate::Engine;
use crate::error::{Error, Result};

/// The documented end of every list by page.
const WINDOW: i64 = 1000;

/// Which users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// All of them.
    All,
    /// Those with this address, in any letter case.
    Email(String),
    /// The one with this id.
    UserId(UserId),
    /// Those of the connection with this name.
    Connection(String),
}

/// A page of a list.
pub struct UserList {
    /// Which users.
    pub search: Search,
    /// In which order.
    pub sort: UserSort,
    /// The last one first.
    pub descending: bool,
    /// Which page.
    pub page: Page,
}

impl Search {
    /// Reads `field:value` or `field:"value"`; what it can't read comes back as a refusal's text.
    pub fn parse(query: &str) -> Result<Self, String> {
        let text = query.trim();
        let refusal = || {
            let shown: String = text.chars().take(200).collect();
            format!(
                "This version understands only the queries email:\"…\", user_id:\"…\" and \
                 identities.connection:\"…\", not: {shown}"
            )
        };
        let (field, value) = text.split_once(':').ok_or_else(refusal)?;
        let value = literal(value).ok_or_else(refusal)?;
        match field {
            "email" => Ok(Self::Email(value.to_owned())),
            "user_id" => Ok(Self::UserId(value.into())),
            "identities.connection" => Ok(Self::Connection(value.to_owned())),
            _ => Err(refusal()),
        }
    }
}

/// A quoted phrase without escapes, or a word without operators.
fn literal(text: &str) -> Option<&str> {
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let is_operator = |c: char| c.is_whitespace() || r#""\*?~^()[]{}:/&!"#.contains(c);
    match quoted {
        Some(phrase) => Some(phrase).filter(|p| !p.is_empty() && !p.contains(['"', '\\'])),
        None => Some(text).filter(|word| !word.is_empty() && !word.contains(is_operator)),
    }
}

impl Engine {
    /// One page of users.
    pub async fn list_users(&self, list: UserList) -> Result<Listing<User>> {
        let page = list.page;
        if page.offset() + i64::from(page.size) > WINDOW {
            return Err(Error::Invalid {
                message: "You can only page through the first 1000 records. See https://auth0.com/\
                          docs/users/search/v3/view-search-results-by-page#limitation."
                    .into(),
                code: "invalid_query_string",
            });
        }
        let filter = match list.search {
            Search::All => UserFilter::All,
            Search::Email(email) => UserFilter::Email(email),
            Search::UserId(id) => UserFilter::UserId(id),
            Search::Connection(name) => match self.store.find_connection_by_name(&name).await? {
                Some(connection) => UserFilter::Connection(connection.id),
                None => {
                    return Ok(Listing {
                        items: Vec::new(),
                        total: Some(0),
                    });
                }
            },
        };
        Ok(self
            .store
            .list_users(&filter, list.sort, list.descending, page)
            .await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keys_and_refuses_the_rest() {
        let email = Ok(Search::Email("a@b.co".into()));
        assert_eq!(Search::parse(r#"email:"a@b.co""#), email);
        assert_eq!(Search::parse(" email:a@b.co "), email);
        assert_eq!(
            Search::parse(r#"user_id:"auth0|4 2""#),
            Ok(Search::UserId("auth0|4 2".into()))
        );
        assert_eq!(
            Search::parse(r#"identities.connection:"old-db""#),
            Ok(Search::Connection("old-db".into()))
        );
        for other in [
            "",
            "ada",
            "email:",
            r#"email:"""#,
            "email:a*",
            "name:ada",
            "email:a b",
            "email:[a TO b]",
            r#"email:"a" OR email:"b""#,
            r#"-email:"a""#,
            r#"email:"a\"b""#,
        ] {
            assert!(Search::parse(other).is_err(), "{other}");
        }
    }
}
