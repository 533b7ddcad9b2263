//! URLs of attack protection and of mail.

use axum::Router;
use axum::routing::get;

use crate::management::{attack_protection, email_provider};
use crate::state::AppState;
use crate::{mail_viewer, pages};

/// Attack protection, whom it blocked, and through whom mail leaves.
pub(super) fn api() -> Router<AppState> {
    Router::new()
        .route(
            "/emails/provider",
            get(email_provider::get)
                .post(email_provider::create)
                .patch(email_provider::update)
                .delete(email_provider::delete),
        )
        .route(
            "/attack-protection/{shield}",
            get(attack_protection::get).patch(attack_protection::update),
        )
        .route(
            "/user-blocks",
            get(attack_protection::blocks).delete(attack_protection::release),
        )
        .route(
            "/user-blocks/{id}",
            get(attack_protection::blocks_of_user).delete(attack_protection::release_user),
        )
}

/// The page behind the link that lifts a block, and the view of mails for developers.
pub(super) fn pages() -> Router<AppState> {
    Router::new()
        .route("/u/unblock", get(pages::unblock_form).post(pages::unblock))
        .route("/ferry/mail", get(mail_viewer::list))
        .route("/ferry/mail/{id}", get(mail_viewer::show))
        .route("/ferry/mail/{id}/html", get(mail_viewer::html))
}
