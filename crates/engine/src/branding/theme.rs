//! The theme: stored whole, so that what came from Auth0 goes back unchanged. Pages use what they
//! can: the button's colour, corners, font, logo, page background.

use domain::Json;
use domain::entropy::alphanumeric;
use domain::schema::{Field, Kind, optional, required};

use super::is_color;
use crate::body::{check_shape, misfit};
use crate::error::{Error, Result};
use crate::{Context, Engine};

pub(crate) const NAME: &str = "branding_theme";

const SHAPE: &[Field] = &[
    required("borders", Kind::FreeObject),
    required("colors", Kind::FreeObject),
    required("fonts", Kind::FreeObject),
    required("page_background", Kind::FreeObject),
    required("widget", Kind::FreeObject),
    optional("displayName", Kind::Text(0, 2048)),
    optional("identifiers", Kind::FreeObject),
];

fn checked(body: &Json) -> Result<()> {
    check_shape(body, SHAPE)?;
    let colors = body.get("colors").and_then(serde_json::Value::as_object);
    for (name, value) in colors.into_iter().flatten() {
        if name != "captcha_widget_theme" && !value.as_str().is_some_and(is_color) {
            return Err(misfit(&format!("colors.{name}"), "Not a colour"));
        }
    }
    Ok(())
}

fn missing() -> Error {
    Error::Missing {
        message: "The theme does not exist.".into(),
        code: "inexistent_theme",
    }
}

impl Engine {
    /// The theme; `default` and its own id name it.
    pub async fn theme(&self, id: &str) -> Result<Json> {
        let theme = self.find_json(NAME).await?.unwrap_or_default();
        let own = theme.get("themeId").and_then(|id| id.as_str());
        if own.is_some_and(|own| id == "default" || id == own) {
            return Ok(theme);
        }
        Err(missing())
    }

    /// Sets the theme. There is one.
    pub async fn create_theme(&self, context: &Context, body: Json) -> Result<Json> {
        checked(&body)?;
        let id = alphanumeric(&*self.entropy, 32);
        self.keep_theme(context, "Create a branding theme", &id, body)
            .await
    }

    /// Puts another in its place, under the same id.
    pub async fn update_theme(&self, context: &Context, id: &str, body: Json) -> Result<Json> {
        let stored = self.theme(id).await?;
        checked(&body)?;
        let id = super::Look::text(&stored, &["themeId"]).unwrap_or(id);
        self.keep_theme(context, "Update a branding theme", id, body)
            .await
    }

    /// Takes it away.
    pub async fn delete_theme(&self, context: &Context, id: &str) -> Result<()> {
        self.theme(id).await?;
        let description = "Delete a branding theme";
        self.change_json(context, NAME, description, |_| Ok(Json::new()))
            .await?;
        Ok(())
    }

    async fn keep_theme(
        &self,
        context: &Context,
        description: &str,
        id: &str,
        mut body: Json,
    ) -> Result<Json> {
        body.insert("themeId".into(), id.into());
        self.change_json(context, NAME, description, |_| Ok(body.clone()))
            .await
    }
}
