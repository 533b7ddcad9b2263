//! The operator's own page around the form: a Liquid template that says where the form goes.

use domain::Json;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::{Context, Engine, liquid};

pub(crate) const NAME: &str = "branding_page_template";

const HEAD: &str = "auth0:head";
const WIDGET: &str = "auth0:widget";

/// Largest template, in bytes.
const LARGEST: usize = 100 << 10;

/// Refuses a template that could not be a page.
pub fn check_page_template(body: &str) -> Result<()> {
    if body.len() > LARGEST {
        return Err(refused("The template is too large."));
    }
    for tag in [HEAD, WIDGET] {
        if tags(body, tag).len() != 1 {
            let message = format!("The template must contain the tag {{%- {tag} -%}} once.");
            return Err(refused(&message));
        }
    }
    liquid::check(&page_template_source(body)).map_err(|error| refused(&error))
}

/// The template with `auth0_head` and `auth0_widget` as values in place of Auth0's tags.
pub fn page_template_source(body: &str) -> String {
    let mut source = body.to_owned();
    for (tag, value) in [(HEAD, "{{ auth0_head }}"), (WIDGET, "{{ auth0_widget }}")] {
        for found in tags(body, tag) {
            source = source.replace(&found, value);
        }
    }
    source
}

/// `{%- auth0:head -%}` in all its spellings, as it is written.
fn tags(body: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = body;
    while let Some((_, from)) = rest.split_once("{%") {
        let Some((inner, after)) = from.split_once("%}") else {
            break;
        };
        if inner.trim_matches('-').trim() == name {
            found.push(format!("{{%{inner}%}}"));
        }
        rest = after;
    }
    found
}

fn refused(message: &str) -> Error {
    Error::Invalid {
        message: message.to_owned(),
        code: "invalid_template",
    }
}

impl Engine {
    /// The template.
    pub async fn page_template(&self) -> Result<Option<String>> {
        let stored = self.find_json(NAME).await?;
        let body = stored.as_ref().and_then(|object| object.get("body"));
        Ok(body.and_then(Value::as_str).map(str::to_owned))
    }

    /// Sets the template; says whether there was none.
    pub async fn set_page_template(&self, context: &Context, body: &str) -> Result<bool> {
        check_page_template(body)?;
        let is_new = self.page_template().await?.is_none();
        self.keep_page_template(
            context,
            "Set template for New Universal Login Experience",
            Some(body),
        )
        .await?;
        Ok(is_new)
    }

    /// Takes the template away.
    pub async fn delete_page_template(&self, context: &Context) -> Result<()> {
        let description = "Delete template for New Universal Login Experience";
        self.keep_page_template(context, description, None).await
    }

    async fn keep_page_template(
        &self,
        context: &Context,
        description: &str,
        body: Option<&str>,
    ) -> Result<()> {
        let object: Json = body
            .map(|body| ("body".to_owned(), Value::from(body)))
            .into_iter()
            .collect();
        self.change_json(context, NAME, description, |_| Ok(object.clone()))
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_once_where_head_and_form_go() {
        let page = "<html><head>{%- auth0:head -%}</head><body>{% auth0:widget %}{{ prompt.name }}</body></html>";
        check_page_template(page).unwrap();
        assert_eq!(
            page_template_source(page),
            "<html><head>{{ auth0_head }}</head><body>{{ auth0_widget }}{{ prompt.name }}</body></html>"
        );
        for bad in [
            "",
            "{%- auth0:head -%}",
            "{%- auth0:head -%}{%- auth0:widget -%}{%- auth0:widget -%}",
            "{%- auth0:head -%}{%- auth0:widget -%}{{",
            "{%- auth0:head -%}{%- auth0:widget -%}{% if %}",
            "{%- auth0:head -%}{%- auth0:widget -%}{{ x | nonsense }}",
        ] {
            assert!(check_page_template(bad).is_err(), "{bad}");
        }
    }
}
