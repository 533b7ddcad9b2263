//! Second factors and passkeys: pages, the API of clients, the Management API.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post, put};

use crate::management::{authentication_methods as methods, guardian};
use crate::state::AppState;
use crate::universal_login::page::Screen;
use crate::universal_login::{self, factor};
use crate::{extract, mfa};

/// Second factors and passkeys of logins in a browser.
pub(super) fn pages() -> Router<AppState> {
    let pages = [
        Screen::MfaOtpChallenge,
        Screen::MfaEmailChallenge,
        Screen::MfaRecoveryCodeChallenge,
        Screen::MfaWebAuthnChallenge,
        Screen::MfaOptions,
        Screen::MfaOtpEnrollment,
        Screen::MfaWebAuthnEnrollment,
    ];
    let paths = pages.into_iter().filter_map(universal_login::mfa::path_of);
    let routes = paths.fold(Router::new(), |routes, path| {
        routes.route(path, get(factor::show).post(factor::answer))
    });
    routes
        .route("/u/mfa", get(factor::first))
        .route("/u/mfa-recovery-code-enrollment", post(factor::saved))
        .route(
            "/u/passkey-enrollment",
            get(factor::offer).post(factor::decline),
        )
        .route("/u/passkey/{purpose}/options", post(factor::key_options))
        .route("/u/passkey/{purpose}", post(factor::key_answer))
}

/// Second factors of clients that log in by the token endpoint.
pub(super) fn api() -> Router<AppState> {
    Router::new()
        .route("/mfa/challenge", post(mfa::challenge))
        .route("/mfa/associate", post(mfa::associate))
        .route("/mfa/authenticators", get(mfa::authenticators))
        .route(
            "/mfa/authenticators/{id}",
            delete(mfa::delete_authenticator),
        )
        .layer(DefaultBodyLimit::max(extract::MAX_BODY))
}

/// Second factors by an administrator's hand.
pub(super) fn management() -> Router<AppState> {
    Router::new()
        .route("/guardian/factors", get(guardian::factors))
        .route("/guardian/factors/{name}", put(guardian::switch_factor))
        .route(
            "/guardian/policies",
            get(guardian::policies).put(guardian::set_policies),
        )
        .route(
            "/users/{id}/authentication-methods",
            get(methods::list)
                .post(methods::create)
                .put(methods::replace)
                .delete(methods::delete_all),
        )
        .route(
            "/users/{id}/authentication-methods/{method}",
            get(methods::get)
                .patch(methods::update)
                .delete(methods::delete),
        )
        .route(
            "/users/{id}/authenticators",
            delete(methods::delete_authenticators),
        )
        .route("/users/{id}/enrollments", get(methods::enrollments))
        .route(
            "/users/{id}/multifactor/{provider}",
            delete(methods::delete_multifactor),
        )
        .route(
            "/users/{id}/recovery-code-regeneration",
            post(methods::regenerate_recovery_code),
        )
}
