//! The other side of the table: somebody else's OpenID provider vouches for a person, and we are its
//! client (OpenID Connect Core §3.1, §3.2). Pure: what is sent and what came back are texts.
//!
//! | file | what |
//! |---|---|
//! | [`provider`] | what we know of a provider: its endpoints, and which addresses are taken |
//! | [`bonds`] | state, nonce and code verifier: what ties an answer to login and browser |
//! | [`departure`] | the address to which the browser is sent |
//! | [`callback`] | the parameters with which it comes back |
//! | [`exchange`] | the code for tokens: the form that is sent, the answer that is read |
//! | [`id_token`] | whether an ID token is one for this login |
//!
//! Nothing that a provider says is believed before its signature, its audience and its nonce were
//! checked; an answer of one provider is never taken for another's.

pub mod bonds;
pub mod callback;
pub mod departure;
pub mod exchange;
pub mod id_token;
pub mod provider;

pub use bonds::Bonds;
pub use callback::{Callback, CallbackError, Returned, state_of};
pub use departure::{Departure, Flow};
pub use exchange::{ClientProof, Exchange, ExchangeError, Tokens, userinfo};
pub use id_token::{Expected, IdTokenError};
pub use provider::{Endpoint, Provider, ProviderError, Reach};
