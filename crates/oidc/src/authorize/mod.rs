//! `/authorize`: a stranger's parameters on one side, a request that may be acted upon on the other.
//!
//! First who asks and where the answer may go ([`ReplyTo`]); a refusal until then is a page, because
//! an address that was not proven is never redirected to. Then [`CHECKS`], in order; a refusal from
//! there on goes to the client. The order is that of the specifications: what makes an answer unsafe
//! comes before what makes it useless.
//!
//! | file | what |
//! |---|---|
//! | `uri` | URIs that no two readers understand differently |
//! | `redirect_uri` | which of them are a client's |
//! | `reply` | who asks, and where the answer goes |
//! | `request_object` | parameters that come by another way: request objects, pushed requests |
//! | `response_type` | what is wanted, and how it comes back |
//! | `binding` | nonce, code challenge, key: what ties the answer to who asked |
//! | `extent` | scope and audience |
//! | `person` | who shall sign in, how, and what they see |
//! | `request` | the checked request |
//! | `response` | the answer in each response mode |
//! | `refusal` | refusals and where they may be told |
//!
//! Whether the client exists, whether anybody is signed in and what they may have is the `engine`'s.

mod binding;
mod extent;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod person;
mod redirect_uri;
mod refusal;
mod reply;
mod request;
mod request_object;
mod response;
mod response_type;
pub(crate) mod uri;

use domain::Client;

pub use redirect_uri::{is_callback, may_call, may_message, origin_of};
pub use refusal::AuthorizeRefusal;
pub use reply::client_id_of;
pub use request::{
    AuthorizationRequest, ChallengeMethod, CodeChallenge, Prompt, ResponseMode, ResponseType,
};
pub use request_object::{PUSHED_REQUEST_URI, pushed_request_of};
pub use response::{FrontChannelToken, Granted, ReplyTo, Response, WebMessage};

pub(crate) use redirect_uri::is_logout_url;
pub(crate) use response::{encoded, with_query};

use crate::error::OAuthError;
use crate::issuer::Issuer;
use crate::token::Params;

/// Longest parameter: a state of a megabyte is refused, not carried about.
pub const MAX_PARAMETER: usize = 4096;

/// What the checks need to know beside request and client.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Who answers.
    pub issuer: &'a Issuer,
    /// The way by which the parameters came.
    pub source: Source,
}

/// The way by which parameters came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Through the browser, to `/authorize`.
    Browser,
    /// Straight from the client, to the endpoint for pushed requests.
    Pushing,
    /// Pushed before; the browser brought nothing but their name.
    Pushed,
}

/// A request on its way through the checks: parameters that nobody took yet, and what became of the
/// others.
struct Draft {
    params: Params,
    request: AuthorizationRequest,
}

/// A row of the table.
type Check = fn(&mut Draft, &Client, &Rules<'_>) -> Result<(), OAuthError>;

/// What is checked once the answer has a place to go to, in order.
const CHECKS: &[(&str, Check)] = &[
    ("duplicates", reply::duplicates),
    ("state", reply::state),
    ("request_object", request_object::request),
    ("request_uri", request_object::request_uri),
    ("pushed_only", request_object::pushed_only),
    ("response_type", response_type::response_type),
    ("response_mode", response_type::response_mode),
    ("grant", response_type::grant),
    ("scope", extent::scope),
    ("audience", extent::audience),
    ("nonce", binding::nonce),
    ("code_challenge", binding::code_challenge),
    ("dpop_jkt", binding::dpop_jkt),
    ("prompt", person::prompt),
    ("max_age", person::max_age),
    ("hints", person::hints),
    ("wishes", person::wishes),
];

/// Checks a request of a client that the caller found by [`client_id_of`].
pub fn check(
    mut params: Params,
    client: &Client,
    rules: &Rules<'_>,
) -> Result<AuthorizationRequest, AuthorizeRefusal> {
    let request = reply::begin(&mut params, client, rules).map_err(AuthorizeRefusal::Page)?;
    let mut draft = Draft { params, request };
    for (name, check) in CHECKS {
        if let Err(error) = check(&mut draft, client, rules) {
            let detail = match &error.detail {
                Some(detail) => format!("{name}: {detail}"),
                None => (*name).to_owned(),
            };
            return Err(AuthorizeRefusal::Redirect {
                error: Box::new(error.with_detail(detail)),
                to: draft.request.reply_to(rules.issuer),
            });
        }
    }
    Ok(draft.request)
}

impl Draft {
    /// Takes a parameter of reasonable length.
    fn take(&mut self, name: &str) -> Result<Option<String>, OAuthError> {
        take(&mut self.params, name, MAX_PARAMETER)
    }
}

fn take(params: &mut Params, name: &str, longest: usize) -> Result<Option<String>, OAuthError> {
    match params.take(name)? {
        Some(text) if text.len() > longest => Err(OAuthError::invalid_request(format!(
            "Parameter is too long: {name}"
        ))),
        taken => Ok(taken),
    }
}
