//! Refresh tokens as administrators see and revoke them: one for each family, named by its
//! authorization.

use domain::{AuthorizationId, EventKind, Listing, UserId};
use store::RefreshFamily;

use crate::error::{Error, Result};
use crate::listing::{Listed, Slice};
use crate::{Context, Engine};

/// Most families of a user that a page by offset looks through.
const MOST: u32 = 1000;

impl Engine {
    /// A living refresh token by its id.
    pub async fn refresh_token(&self, id: &AuthorizationId) -> Result<RefreshFamily> {
        let found = self.store.find_refresh_family(id, self.now()).await?;
        found.ok_or_else(no_such_token)
    }

    /// The living refresh tokens of a user, by id.
    pub async fn refresh_tokens_of(
        &self,
        user: &UserId,
        slice: &Slice,
    ) -> Result<Listed<RefreshFamily>> {
        let key = |family: &RefreshFamily| family.authorization.id.to_string();
        let now = self.now();
        if let (Slice::After { .. }, (page, after)) = (slice, slice.request()) {
            let found = self
                .store
                .list_refresh_families(user, now, after, page.size)
                .await?;
            let listing = Listing {
                items: found,
                total: None,
            };
            return Ok(slice.cut(listing, key));
        }
        let all = self
            .store
            .list_refresh_families(user, now, None, MOST)
            .await?;
        Ok(slice.of(all, key))
    }

    /// Revokes a refresh token and all that hangs on its authorization.
    pub async fn delete_refresh_token(
        &self,
        context: &Context,
        id: &AuthorizationId,
    ) -> Result<()> {
        let family = self.refresh_token(id).await?;
        let mut event = self
            .management_event(context, EventKind::Management, "Delete a refresh token")
            .await?;
        event.user_id = Some(family.authorization.authentication.user_id);
        let mut write = self.store.write();
        write.revoke_authorization(id, self.now());
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }

    /// Revokes all refresh tokens of a user.
    pub async fn delete_refresh_tokens_of(&self, context: &Context, user: &UserId) -> Result<()> {
        let found = self.store.find_user(user).await?;
        let found = found.ok_or_else(|| Error::Missing {
            message: "The user does not exist.".into(),
            code: "inexistent_user",
        })?;
        let mut event = self
            .management_event(context, EventKind::Management, "Delete refresh tokens")
            .await?;
        event.user_id = Some(found.user_id);
        let mut write = self.store.write();
        write.revoke_refresh_tokens_of(found.row, self.now());
        write.log(&event);
        Ok(self.store.commit(write).await?)
    }
}

fn no_such_token() -> Error {
    Error::Missing {
        message: "The refresh token does not exist.".into(),
        code: "inexistent_refresh_token",
    }
}
