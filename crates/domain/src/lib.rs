//! The nouns of Ferry and their rules. Pure: no I/O, no SQL, no HTTP, no clock, no randomness.
//!
//! The words, as the whole code uses them:
//!
//! | word | meaning |
//! |---|---|
//! | connection | where the credentials of a set of users live |
//! | identity | one user's record in one connection |
//! | user | the person, holding one identity or several |
//! | credential | what proves an identity: here a password hash, and MFA factors |
//! | action script | the operator's JavaScript that reaches a legacy store |
//! | profile | what a foreign store says of a user, after normalisation |
//! | conflict | two records that claim the same key |
//! | import job, row, row error | the bulk path |
//! | export job | all users back out, for whoever wants to leave |
//! | authentication, authorization | how somebody proved who they are; what one login allowed one client |
//! | client, client grant, scope, resource server | OAuth's words |
//! | log event | who did what to whom: the tenant log |

pub mod authorization;
pub mod client;
pub mod client_settings;
pub mod clock;
pub mod conflict;
pub mod connection;
pub mod csv_mapping;
pub mod email;
pub mod entropy;
pub mod export_job;
pub mod id;
pub mod import_job;
pub mod log_event;
pub mod metadata;
pub mod mfa_factor;
pub mod page;
pub mod profile;
pub mod profile_data;
pub mod recovery_code;
pub mod row_error;
pub mod schema;
pub mod secret;
pub mod session_end;
pub mod totp;
pub mod user;
pub mod username;

pub use authorization::{Authentication, AuthenticationMethod, Authorization};
pub use client::{Client, ClientCredential, ClientGrant, ResourceServer, TokenEndpointAuth};
pub use clock::{Clock, Instant};
pub use connection::Connection;
pub use csv_mapping::CsvMapping;
pub use email::EmailAddress;
pub use entropy::Entropy;
pub use export_job::{ExportField, ExportFormat, ExportJob, ExportRequest};
pub use id::{
    AuthorizationId, ClientId, ConnectionId, ConsentId, CredentialId, ForeignId, GrantId, JobId,
    KeyId, LogId, ResourceServerId, SessionId, TransactionId, UserId,
};
pub use import_job::{Counters, FileFormat, Idempotency, ImportJob, ImportOptions, JobStatus};
pub use log_event::{EventKind, LogEvent};
pub use metadata::Json;
pub use mfa_factor::MfaFactor;
pub use page::{Listing, Page};
pub use profile::Profile;
pub use recovery_code::RecoveryCode;
pub use row_error::{RowError, RowErrorCode};
pub use secret::{
    BrowserToken, ClientSecret, ConfigurationValue, HashText, Password, SessionToken, Token,
    TotpSecret,
};
pub use session_end::SessionEnd;
pub use user::{Attributes, Credential, Identity, NewUser, Origin, User, UserRow};
pub use username::Username;
