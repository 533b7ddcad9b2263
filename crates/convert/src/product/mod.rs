//! The products, one a file, and what is the same for all of them.

mod aspnet;
mod auth0;
mod clerk;
mod cognito;
mod django;
mod firebase;
mod keycloak;
mod kratos;
mod ldap;
mod likely;
mod okta;
mod supabase;
mod table;
mod wordpress;

use std::io::Read;

use crate::record::Record;
use crate::refusal::Refusal;
use crate::rows::Rows;
use crate::source::{Input, Shape};

/// Whose export it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Realm export or users files.
    Keycloak,
    /// `firebase auth:export`, JSON or CSV.
    Firebase,
    /// `dumpdata`, or the table of users.
    Django,
    /// The tables `wp_users` and `wp_usermeta`.
    Wordpress,
    /// ASP.NET Identity's table `AspNetUsers`.
    Aspnet,
    /// Ory Kratos' list of identities.
    Kratos,
    /// Supabase's table `auth.users`.
    Supabase,
    /// Amazon Cognito's users, without passwords.
    Cognito,
    /// Okta's people, without passwords.
    Okta,
    /// Auth0's users export, joined with its password export.
    Auth0,
    /// A directory's LDIF.
    Ldap,
    /// Clerk's CSV.
    Clerk,
    /// Any table with a mapping.
    Table,
}

impl Product {
    /// Every product, in the order of the manual.
    pub const ALL: [Self; 13] = [
        Self::Keycloak,
        Self::Firebase,
        Self::Django,
        Self::Wordpress,
        Self::Aspnet,
        Self::Kratos,
        Self::Supabase,
        Self::Cognito,
        Self::Okta,
        Self::Auth0,
        Self::Ldap,
        Self::Clerk,
        Self::Table,
    ];

    /// The name on the command line and in `app_metadata`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keycloak => "keycloak",
            Self::Firebase => "firebase",
            Self::Django => "django",
            Self::Wordpress => "wordpress",
            Self::Aspnet => "aspnet",
            Self::Kratos => "kratos",
            Self::Supabase => "supabase",
            Self::Cognito => "cognito",
            Self::Okta => "okta",
            Self::Auth0 => "auth0",
            Self::Ldap => "ldap",
            Self::Clerk => "clerk",
            Self::Table => "table",
        }
    }

    /// The product of a name.
    pub fn parse(name: &str) -> Option<Self> {
        let name = if name == "ldif" { "ldap" } else { name };
        Self::ALL.into_iter().find(|product| product.name() == name)
    }

    /// What stands before ids; the starter scripts use the same.
    pub(crate) const fn id_prefix(self) -> &'static str {
        match self {
            Self::Auth0 | Self::Table => "",
            other => other.name(),
        }
    }
}

/// How one product's records become people.
trait Converter {
    /// The member of the outermost object that holds the list.
    fn wrapper(&self) -> Option<&'static str> {
        None
    }
    /// Names of columns, when the product's CSV has none and this is it.
    fn columns(&self, _head: &[u8]) -> Option<&'static [&'static str]> {
        None
    }
    /// Which tables of a dump to read.
    fn wants_table(&self, _table: &str) -> bool {
        true
    }
    /// Whether an input must be read before the others, by its first bytes.
    fn comes_first(&self, _head: &[u8]) -> bool {
        false
    }
    /// Whether a record is of this product and of use.
    fn is_ours(&self, record: &Record) -> bool;
    /// Takes a record of its own.
    fn take(&mut self, record: Record, rows: &mut Rows<'_>) -> Result<(), Refusal>;
    /// After the last record.
    fn finish(&mut self, _rows: &mut Rows<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Reads all inputs and writes everybody.
pub(crate) fn run(
    product: Product,
    inputs: Vec<Box<dyn Read + '_>>,
    rows: &mut Rows<'_>,
) -> Result<(), Refusal> {
    let mut converter = converter(product, rows)?;
    let mut ordered = Vec::new();
    for input in inputs {
        let mut input = Input::open(input)?;
        let is_first = converter.comes_first(input.head());
        ordered.push((!is_first, input));
    }
    ordered.sort_by_key(|(is_later, _)| *is_later);
    let (mut number, mut found, mut strangers) = (1, false, false);
    for (_, mut input) in ordered {
        let columns = converter.columns(input.head());
        let wrapper = converter.wrapper();
        let tables: Box<dyn Converter + '_> = self::converter(product, rows)?;
        let shape = Shape {
            wrapper,
            columns,
            wants_table: &|table| tables.wants_table(table),
        };
        number = input.records(&shape, number, &mut |record| {
            if converter.is_ours(&record) {
                found = true;
                return match &record.fault {
                    Some((field, why)) => {
                        rows.leave_out(record.place, field, *why);
                        Ok(())
                    }
                    None => converter.take(record, rows),
                };
            }
            let likely = likely::product(&record).filter(|likely| *likely != product);
            if !found && likely.is_some() {
                return Err(Refusal::WrongProduct {
                    named: product,
                    likely,
                });
            }
            strangers = true;
            rows.ignore();
            Ok(())
        })?;
    }
    if strangers && !found {
        return Err(Refusal::WrongProduct {
            named: product,
            likely: None,
        });
    }
    converter.finish(rows)
}

fn converter(product: Product, rows: &Rows<'_>) -> Result<Box<dyn Converter>, Refusal> {
    let options = rows.options;
    Ok(match product {
        Product::Keycloak => Box::new(keycloak::Keycloak),
        Product::Firebase => Box::new(firebase::Firebase),
        Product::Django => Box::new(django::Django::new(options)),
        Product::Wordpress => Box::new(wordpress::Wordpress::new(options)),
        Product::Aspnet => Box::new(aspnet::Aspnet::default()),
        Product::Kratos => Box::new(kratos::Kratos),
        Product::Supabase => Box::new(supabase::Supabase::default()),
        Product::Cognito => Box::new(cognito::Cognito),
        Product::Okta => Box::new(okta::Okta),
        Product::Auth0 => Box::new(auth0::Auth0::default()),
        Product::Ldap => Box::new(ldap::Ldap),
        Product::Clerk => Box::new(clerk::Clerk),
        Product::Table => Box::new(table::Table::new(options)?),
    })
}

/// Given and family name as one.
fn full_name(given: Option<&str>, family: Option<&str>) -> Option<String> {
    let words: Vec<&str> = [given, family].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(" "))
}
