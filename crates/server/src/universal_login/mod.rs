//! The pages on which people sign in. Handlers here read a form, make one call to the engine and show
//! the next page; [`page`] turns a page into HTML.

pub mod device;
pub mod factor;
pub mod federated;
pub mod login;
pub mod mfa;
pub mod onward;
pub mod page;
pub mod passkeys;
pub mod render;
mod told;
pub mod unfit;
pub mod visit;
