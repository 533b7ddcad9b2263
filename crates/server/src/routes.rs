//! Every URL on one screen; those of second factors, of attack protection and of mail on others.

mod factors;
mod protection;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{delete, get, patch, post, put};

use crate::management::{
    branding, client_credentials, client_grants, clients, connection_clients, connections,
    email_templates, exports, grants, hashes, identities, import_jobs, jobs, logs, merges,
    password_hashes, prompts, refresh_tokens, resource_servers, scripts, sessions, signing_keys,
    tenant_settings, tickets, uploads, users,
};
use crate::state::AppState;
use crate::universal_login::{device, federated, login};
use crate::{assets, cors, dbconnections, extract, health, metrics, oauth, observe, pages, unread};

/// The whole application.
pub fn app(state: AppState) -> Router {
    Router::new()
        .merge(authentication())
        .merge(browser_login())
        .merge(factors::api())
        .nest(
            "/api/v2",
            management()
                .merge(links())
                .merge(looks())
                .merge(factors::management()),
        )
        .merge(imports())
        .route("/exports/{id}/{link}", get(exports::download))
        .route("/assets/{name}", get(assets::get))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::get))
        .merge(protection::pages())
        .fallback(observe::not_found)
        .method_not_allowed_fallback(observe::method_not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), cors::answer))
        .layer(middleware::from_fn(unread::drain))
        .layer(middleware::from_fn(observe::request))
        .with_state(state)
}

fn authentication() -> Router<AppState> {
    Router::new()
        .route("/oauth/token", post(oauth::token::post))
        .route("/oauth/revoke", post(oauth::revoke::post))
        .route("/oauth/introspect", post(oauth::introspect::post))
        .route("/oauth/device/code", post(oauth::device::post))
        .route("/oauth/par", post(oauth::par::post))
        .route(
            "/userinfo",
            get(oauth::userinfo::get).post(oauth::userinfo::get),
        )
        .route(
            "/.well-known/openid-configuration",
            get(oauth::discovery::get),
        )
        .route("/.well-known/jwks.json", get(oauth::jwks::get))
        .route("/dbconnections/signup", post(dbconnections::signup))
        .route(
            "/dbconnections/change_password",
            post(dbconnections::change_password),
        )
        .route(
            "/u/reset-verify",
            get(pages::password_form).post(pages::reset_password),
        )
        .route("/u/email-verification", get(pages::verify_email))
        .layer(DefaultBodyLimit::max(extract::MAX_BODY))
}

/// Logins in a browser.
fn browser_login() -> Router<AppState> {
    Router::new()
        .route(
            "/authorize",
            get(oauth::authorize::authorize).post(oauth::authorize::authorize),
        )
        .route("/authorize/resume", get(oauth::authorize::resume))
        .route(
            "/oidc/logout",
            get(oauth::logout::oidc).post(oauth::logout::oidc),
        )
        .route("/v2/logout", get(oauth::logout::v2))
        .route("/u/logout", post(oauth::logout::confirm))
        .route(
            "/u/reset-password/request/{connection}",
            get(login::reset).post(login::post_reset),
        )
        .route("/u/login", get(login::login).post(login::post_login))
        .route(
            "/u/login/identifier",
            get(login::identifier).post(login::post_identifier),
        )
        .route(
            "/u/login/password",
            get(login::password).post(login::post_password),
        )
        .route("/u/login/federated", get(federated::depart))
        .route(
            "/u/login/link",
            get(federated::link).post(federated::post_link),
        )
        .route(
            "/login/callback",
            get(federated::callback).post(federated::post_callback),
        )
        .route(
            "/login/callback/{connection}",
            get(federated::callback).post(federated::post_callback),
        )
        .route("/u/signup", get(login::sign_up).post(login::post_sign_up))
        .route("/u/consent", get(login::consent).post(login::post_consent))
        .merge(factors::pages())
        .route("/activate", get(device::activate).post(device::post_code))
        .route(
            "/u/device/confirm",
            get(device::confirm).post(device::post_confirm),
        )
        .layer(DefaultBodyLimit::max(extract::MAX_BODY))
}

fn management() -> Router<AppState> {
    Router::new()
        .route("/users", get(users::list).post(users::create))
        .route("/users-by-email", get(users::by_email))
        .route(
            "/users/{id}",
            get(users::get).patch(users::update).delete(users::delete),
        )
        .route("/users/{id}/logs", get(logs::of_user))
        .route("/users/{id}/identities", post(identities::link))
        .route(
            "/users/{id}/identities/{provider}/{identity}",
            delete(identities::part),
        )
        .merge(signed_in())
        .route(
            "/connections",
            get(connections::list).post(connections::create),
        )
        .route(
            "/connections/{id}",
            get(connections::get)
                .patch(connections::update)
                .delete(connections::delete),
        )
        .route("/connections/{id}/users", delete(connections::delete_user))
        .route(
            "/connections/{id}/clients",
            get(connection_clients::list).patch(connection_clients::update),
        )
        .route("/connections/{id}/scripts/logs", get(scripts::logs))
        .route(
            "/connections/{id}/scripts/{name}/try",
            post(scripts::attempt),
        )
        .merge(applications())
        .merge(keys())
        .merge(refreshing())
        .merge(protection::api())
        .route("/jobs", get(import_jobs::list))
        .route("/jobs/users-exports", post(exports::post))
        .route("/ferry/hash/identify", post(hashes::identify))
        .route("/ferry/imports/prove", post(hashes::prove))
        .route("/jobs/{id}", get(jobs::get))
        .route("/jobs/{id}/pause", post(import_jobs::pause))
        .route("/jobs/{id}/resume", post(import_jobs::resume))
        .route("/jobs/{id}/cancel", post(import_jobs::cancel))
        .route("/jobs/{id}/events", get(import_jobs::events))
        .route("/jobs/{id}/failed-rows", get(import_jobs::failed_rows))
        .route("/jobs/{id}/errors", get(jobs::errors))
        .route("/jobs/{id}/merges", get(merges::list))
        .route("/ferry/password-hashes", get(password_hashes::get))
        .route("/logs", get(logs::list))
        .route("/logs/{id}", get(logs::get))
        .layer(DefaultBodyLimit::max(extract::MAX_BODY))
}

/// Browser sessions, and what people allowed clients.
fn signed_in() -> Router<AppState> {
    Router::new()
        .route(
            "/users/{id}/sessions",
            get(sessions::of_user).delete(sessions::delete_of_user),
        )
        .route(
            "/sessions/{id}",
            get(sessions::get).delete(sessions::delete),
        )
        .route("/sessions/{id}/revoke", post(sessions::delete))
        .route("/grants", get(grants::list).delete(grants::delete_of_user))
        .route("/grants/{id}", delete(grants::delete))
}

/// Clients, the APIs they call, and what they may do there.
fn applications() -> Router<AppState> {
    Router::new()
        .route("/clients", get(clients::list).post(clients::create))
        .route(
            "/clients/{id}",
            get(clients::get)
                .patch(clients::update)
                .delete(clients::delete),
        )
        .route("/clients/{id}/rotate-secret", post(clients::rotate_secret))
        .route(
            "/client-grants",
            get(client_grants::list).post(client_grants::create),
        )
        .route(
            "/client-grants/{id}",
            patch(client_grants::update)
                .get(client_grants::get)
                .delete(client_grants::delete),
        )
        .route(
            "/resource-servers",
            get(resource_servers::list).post(resource_servers::create),
        )
        .route(
            "/resource-servers/{id}",
            get(resource_servers::get)
                .patch(resource_servers::update)
                .delete(resource_servers::delete),
        )
}

/// Keys: ours, and those by which clients prove themselves.
fn keys() -> Router<AppState> {
    Router::new()
        .route("/keys/signing", get(signing_keys::list))
        .route("/keys/signing/rotate", post(signing_keys::rotate))
        .route("/keys/signing/{kid}", get(signing_keys::get))
        .route("/keys/signing/{kid}/revoke", put(signing_keys::revoke))
        .route(
            "/clients/{id}/credentials",
            get(client_credentials::list).post(client_credentials::create),
        )
        .route(
            "/clients/{id}/credentials/{credential}",
            get(client_credentials::get)
                .patch(client_credentials::update)
                .delete(client_credentials::delete),
        )
}

/// How login pages and mails look and speak.
fn looks() -> Router<AppState> {
    Router::new()
        .route(
            "/tenants/settings",
            get(tenant_settings::get).patch(tenant_settings::update),
        )
        .route("/branding", get(branding::get).patch(branding::update))
        .route(
            "/branding/templates/universal-login",
            get(branding::get_template)
                .put(branding::put_template)
                .delete(branding::delete_template),
        )
        .route("/branding/themes", post(branding::create_theme))
        .route(
            "/branding/themes/{id}",
            get(branding::get_theme)
                .patch(branding::update_theme)
                .delete(branding::delete_theme),
        )
        .route("/prompts", get(prompts::get).patch(prompts::update))
        .route(
            "/prompts/{prompt}/custom-text/{language}",
            get(prompts::get_texts).put(prompts::put_texts),
        )
        .route("/email-templates", post(email_templates::create))
        .route(
            "/email-templates/{name}",
            get(email_templates::get)
                .put(email_templates::replace)
                .patch(email_templates::update),
        )
        .layer(DefaultBodyLimit::max(extract::MAX_BODY))
}

/// Refresh tokens, under their present and their older name.
fn refreshing() -> Router<AppState> {
    Router::new()
        .route(
            "/refresh-tokens/{id}",
            get(refresh_tokens::get).delete(refresh_tokens::delete),
        )
        .route(
            "/users/{id}/refresh-tokens",
            get(refresh_tokens::of_user).delete(refresh_tokens::delete_of_user),
        )
        .route("/device-credentials", get(refresh_tokens::devices))
        .route(
            "/device-credentials/{id}",
            delete(refresh_tokens::delete_device),
        )
}

/// Links for users, by an administrator's hand.
fn links() -> Router<AppState> {
    Router::new()
        .route(
            "/tickets/password-change",
            post(tickets::post_password_change),
        )
        .route(
            "/tickets/email-verification",
            post(tickets::post_email_verification),
        )
        .route(
            "/jobs/verification-email",
            post(tickets::post_verification_email),
        )
        .layer(DefaultBodyLimit::max(extract::MAX_BODY))
}

/// Uploads: no limit by the framework; the spool measures as it reads.
fn imports() -> Router<AppState> {
    Router::new()
        .route("/api/v2/jobs/users-imports", post(jobs::post_users_imports))
        .route("/api/v2/jobs/uploads", post(uploads::create))
        .route(
            "/api/v2/jobs/uploads/{id}",
            get(uploads::get)
                .patch(uploads::append)
                .delete(uploads::delete),
        )
        .layer(DefaultBodyLimit::disable())
}
