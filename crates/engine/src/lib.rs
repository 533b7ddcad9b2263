//! What the product does: use-cases as straight lists of steps. No HTTP words, no SQL.
//!
//! | file | use-case |
//! |---|---|
//! | `token`, `machine_token`, `issue` | the token endpoint; codes and tokens of an authorization |
//! | `introspect`, `revoke`, `refresh_tokens`, `pushed` | what becomes of tokens; requests sent ahead |
//! | `authorize`, `transaction`, `consent`, `sessions`, `logout` | a login in a browser, from `/authorize` to the code; its end |
//! | `federation`, `outbound` | people whom another provider vouches for; identities linked and parted |
//! | `logout_notices` | clients are told that a session ended |
//! | `login`, `authenticate`, `migrate_user` | a password login, who answers it, a user's arrival |
//! | `legacy`, `deeds`, `cached` | questions to a legacy store, changes of it, copies from it |
//! | `signup`, `users`, `connections`, `clients` | sign-up and management |
//! | `mfa`, `passkeys` | second factors; keys of authenticators |
//! | `tickets` | one-time links: a new password, a proven address |
//! | `import` | the bulk path |
//! | `export` | all users back out |
//! | `tenant_settings`, `branding`, `prompts`, `email_templates` | the tenant; how pages and mails look and speak |
//! | `messages`, `liquid`, `letters` | languages, operators' templates, mails made of them |
//! | `keys`, `hashing`, `wrapping`, `protection`, `mail`, `housekeeping` | what they stand on |

pub mod bootstrap;
pub mod error;
pub mod export;
pub mod federation;
pub mod hashing;
pub mod outbound;
pub mod settings;

mod arrivals;
mod audit;
mod authenticate;
pub mod authorize;
mod body;
pub mod branding;
mod cached;
mod circuits;
mod client_authentication;
pub mod client_credentials;
pub mod client_grants;
pub mod clients;
pub mod connections;
mod consent;
mod deeds;
pub mod email_provider;
pub mod email_templates;
mod housekeeping;
pub mod import;
mod introspect;
mod issue;
mod keys;
mod leaked_passwords;
mod legacy;
pub mod letters;
pub mod liquid;
pub mod listing;
mod login;
pub mod logout;
pub mod logout_notices;
mod machine_token;
mod mail;
mod mail_route;
pub mod mail_view;
pub mod management_scopes;
pub mod messages;
pub mod mfa;
mod migrate_user;
pub mod passkeys;
mod password_choice;
pub mod profile_view;
mod programs;
pub mod prompts;
mod proofs;
pub mod protection;
mod pushed;
mod recipes;
pub mod refresh_tokens;
pub mod resource_servers;
mod revoke;
mod sender;
pub mod sessions;
pub mod signing_keys;
mod signup;
mod signup_there;
pub mod tenant_settings;
pub mod tickets;
mod token;
pub mod transaction;
pub mod trial;
pub mod users;
mod wrapping;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use domain::{Clock, ConnectionId, EventKind, Instant, Json, LogEvent, LogId};

pub use audit::Operation;
pub use error::{Error, Result};
pub use hashing::HashPool;
pub use keys::KeyRing;
pub use oidc::TokenResponse;
pub use password_choice::Unfit;
pub use pushed::PushedAnswer;
pub use settings::Settings;
pub use signup::{SignUp, SignUpError, signed_up_body};
pub use token::{DeviceAnswer, TokenCall, WaitingDevice};
pub use wrapping::{FastHashes, WrappingProgress};

/// Everything the use-cases hold. One for a process; shared by reference.
pub struct Engine {
    /// The store.
    pub store: store::Store,
    /// Settings.
    pub settings: Settings,
    /// Signing keys.
    pub keys: KeyRing,
    /// Action scripts.
    pub scripts: script::ScriptPool,
    /// The bounded pool that hashes, and verifies for scripts that ask.
    pub hashing: Arc<HashPool>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn domain::Entropy>,
    /// The way to other servers.
    outbound: Arc<dyn outbound::Outbound>,
    providers: federation::Providers,
    looks: branding::Looks,
    programs: programs::Programs,
    arrivals: arrivals::Arrivals,
    protection: protection::ProtectionCache,
    sent_mails: mail_view::SentMails,
    /// The last login that found somebody, to be looked up again where there is nobody.
    last_found: Mutex<Option<(ConnectionId, String)>>,
    /// Numbers events, so that those of one millisecond keep their order.
    events: AtomicU32,
    /// When this process put its parts together.
    started_at: std::time::SystemTime,
    /// Uploads that a request makes grow right now.
    uploads: import::OpenUploads,
    /// Rung when a job was accepted.
    import_wake: tokio::sync::Notify,
    /// Rung when an import ended: it may have brought fast hashes.
    wrap_wake: tokio::sync::Notify,
    wrapping: WrappingProgress,
    /// Rung when an export was accepted.
    export_wake: tokio::sync::Notify,
    /// Rung when a mail was posted.
    outbox_wake: tokio::sync::Notify,
    /// Rung when a session ended whose clients are to be told.
    notices_wake: tokio::sync::Notify,
}

/// Who asks, and from where.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The caller's address.
    pub ip: Option<String>,
    /// The caller's program.
    pub user_agent: Option<String>,
    /// The client that a Management token was issued to.
    pub actor: Option<domain::ClientId>,
    /// What it asked for, as the tenant log names it.
    pub operation: Option<Operation>,
    /// Languages that the login under way asks for (`ui_locales`), best first.
    pub ui_locales: Vec<String>,
    /// The caller's `Accept-Language`, where the caller is the person that mails go to.
    pub accept_language: Option<String>,
}

impl Engine {
    /// Puts the parts together; loads or makes the signing keys. Scripts get the verifier here.
    pub async fn new(
        store: store::Store,
        settings: Settings,
        scripts: script::PoolSettings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn domain::Entropy>,
    ) -> Result<Self> {
        let hashing = HashPool::new(settings.scheme, settings.hash_threads, Arc::clone(&entropy))?;
        let hashing = Arc::new(hashing);
        let scripts = script::ScriptPool::new(script::PoolSettings {
            verifier: Some(Arc::clone(&hashing) as script::Verifier),
            ..scripts
        });
        let around = keys::Surroundings {
            store: &store,
            clock: &*clock,
            entropy: &*entropy,
        };
        let host = settings.issuer.host();
        let keys = KeyRing::load(&around, settings.key_lifetime, host).await?;
        let programs = programs::Programs::new(settings.own_database.clone());
        let started_at = import::now_as_files_tell();
        Ok(Self {
            store,
            settings,
            keys,
            scripts,
            hashing,
            clock,
            entropy,
            outbound: Arc::new(outbound::NoWayOut),
            providers: federation::Providers::default(),
            looks: branding::Looks::default(),
            programs,
            arrivals: arrivals::Arrivals::default(),
            protection: protection::ProtectionCache::default(),
            sent_mails: mail_view::SentMails::default(),
            last_found: Mutex::default(),
            events: AtomicU32::new(0),
            started_at,
            uploads: import::OpenUploads::default(),
            import_wake: tokio::sync::Notify::new(),
            wrap_wake: tokio::sync::Notify::new(),
            wrapping: WrappingProgress::default(),
            export_wake: tokio::sync::Notify::new(),
            outbox_wake: tokio::sync::Notify::new(),
            notices_wake: tokio::sync::Notify::new(),
        })
    }

    /// The same engine with a way to other servers.
    #[must_use]
    pub fn reaching_by(mut self, outbound: Arc<dyn outbound::Outbound>) -> Self {
        self.outbound = outbound;
        self
    }

    /// Now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A log event of this moment, with what the context tells.
    pub fn event(&self, context: &Context, kind: EventKind) -> LogEvent {
        let date = self.now();
        let sequence = self.events.fetch_add(1, Ordering::Relaxed);
        LogEvent {
            log_id: LogId::generate(&*self.entropy, date, sequence),
            date,
            kind,
            description: None,
            connection: None,
            client: None,
            user_id: None,
            user_name: None,
            ip: context.ip.clone(),
            user_agent: context.user_agent.clone(),
            details: Json::new(),
        }
    }
}
