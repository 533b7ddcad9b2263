//! `/authorize`: a stranger's parameters on one side, a request that may be acted upon on the other.

mod request;

pub use request::{
    AuthorizationRequest, ChallengeMethod, CodeChallenge, Prompt, ResponseMode, ResponseType,
};
