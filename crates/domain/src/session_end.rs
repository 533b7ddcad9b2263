//! Why browser sessions end, by the names under which clients choose what they are told of.

/// Why a browser session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The person signed out, or somebody else signed in in the same browser.
    Logout,
    /// The password was changed.
    PasswordChanged,
    /// Its time was over.
    Expired,
    /// An administrator ended it.
    Revoked,
    /// The user was deleted.
    AccountDeleted,
    /// The user was blocked.
    AccountDeactivated,
}

impl SessionEnd {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Logout,
        Self::PasswordChanged,
        Self::Expired,
        Self::Revoked,
        Self::AccountDeleted,
        Self::AccountDeactivated,
    ];

    /// The word of `backchannel_logout_initiators`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "rp-logout",
            Self::PasswordChanged => "password-changed",
            Self::Expired => "session-expired",
            Self::Revoked => "session-revoked",
            Self::AccountDeleted => "account-deleted",
            Self::AccountDeactivated => "account-deactivated",
        }
    }
}
