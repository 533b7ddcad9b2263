//! The pages on which people sign in. Handlers here read a form, make one call to the engine and show
//! the next page; [`page`] turns a page into HTML.

pub mod federated;
pub mod login;
pub mod page;
pub mod render;
pub mod visit;
