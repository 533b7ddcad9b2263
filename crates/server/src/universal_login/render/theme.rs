//! The tenant's colours as a style sheet: what the pages' own sheet takes its variables from.
//! Nothing reaches it that was not read as a colour, a number or a plain address.

use std::fmt::Write as _;

use engine::branding::{Color, Look};
use serde_json::Value;

use crate::assets::digest;

/// The grounds in `login.css` on which links are hardest to read, light and dark, and the dark card.
const LIGHT: &str = "#f1f3f6";
const DARK: &str = "#232b36";
const DARK_CARD: &str = "#191f28";

/// The sheet.
pub fn sheet(look: &Look) -> String {
    let mut root = String::new();
    let mut set = |name: &str, value: &str| {
        let _infallible = write!(root, "--{name}:{value};");
    };
    let primary = look.primary();
    set("primary", &primary.to_string());
    set("primary-hover", &primary.pressed().to_string());
    set("on-primary", &primary.text().to_string());
    set("link", &on(primary, LIGHT));
    if let Some((color, image)) = background(look) {
        set("page", &color);
        set("page-image", &image);
    }
    for (path, name) in [
        (["borders", "button_border_radius"], "button-radius"),
        (["borders", "input_border_radius"], "radius"),
        (["borders", "widget_corner_radius"], "card-radius"),
    ] {
        if let Some(pixels) = number(look, path) {
            set(name, &format!("{}px", pixels.clamp(0.0, 50.0)));
        }
    }
    let align = Look::text(&look.theme, &["widget", "header_text_alignment"]);
    let align = align.and_then(|align| match align {
        "left" => Some("start"),
        "center" => Some("center"),
        "right" => Some("end"),
        _ => None,
    });
    if let Some(align) = align {
        set("header-align", align);
    }
    let font = font_url(look);
    let mut sheet = String::new();
    if let Some(url) = font {
        let _infallible = write!(
            sheet,
            "@font-face{{font-family:\"Tenant\";src:url(\"{url}\");font-display:swap}}"
        );
        set("font", "\"Tenant\",system-ui,sans-serif");
    }
    let on_dark = on(primary, DARK);
    let dark_card = Color::parse(DARK_CARD).unwrap_or(Color::INK);
    let edge = edge(primary, dark_card, "#7b8797");
    let light_edge = self::edge(primary, Color::WHITE, "#7c8796");
    let _infallible = write!(
        sheet,
        ":root{{{root}--primary-line:{light_edge}}}\n\
         @media (prefers-color-scheme:dark){{:root{{--link:{on_dark};--primary-line:{edge}}}}}\n"
    );
    sheet
}

/// A button must be seen on its card: where its colour is too near, it gets an edge.
fn edge(button: Color, card: Color, line: &'static str) -> &'static str {
    if button.contrast(card) < 3.0 {
        line
    } else {
        "transparent"
    }
}

/// The name of a sheet's file.
pub fn name(sheet: &str) -> String {
    format!("theme-{}.css", digest(sheet))
}

/// The font's address, when it can stand in a sheet and a header.
pub fn font_url(look: &Look) -> Option<&str> {
    Look::text(&look.theme, &["fonts", "font_url"])
        .or_else(|| Look::text(&look.branding, &["font", "url"]))
        .filter(|url| engine::branding::is_secure(url))
}

fn on(color: Color, ground: &str) -> String {
    let ground = Color::parse(ground).unwrap_or(Color::WHITE);
    color.readable_on(ground).to_string()
}

fn number(look: &Look, path: [&str; 2]) -> Option<f64> {
    let [section, name] = path;
    look.theme.get(section)?.get(name)?.as_f64()
}

/// Colour and image behind the card.
fn background(look: &Look) -> Option<(String, String)> {
    let color = |text: Option<&str>| text.and_then(Color::parse).map(|color| color.to_string());
    let theme = |name| Look::text(&look.theme, &["page_background", name]);
    let none = || "none".to_owned();
    if let Some(color) = color(theme("background_color")) {
        let image = theme("background_image_url").filter(|url| engine::branding::is_secure(url));
        return Some((
            color,
            image.map_or_else(none, |url| format!("url(\"{url}\")")),
        ));
    }
    let chosen = look.branding.get("colors")?.get("page_background")?;
    if let Value::String(text) = chosen {
        return Some((color(Some(text))?, none()));
    }
    let member = |name: &str| color(chosen.get(name).and_then(Value::as_str));
    let (start, end) = (member("start")?, member("end")?);
    let angle = chosen.get("angle_deg").and_then(Value::as_i64).unwrap_or(0);
    let image = format!("linear-gradient({}deg,{start},{end})", angle.clamp(0, 360));
    Some((start, image))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn look(branding: Value, theme: Value) -> Look {
        Look {
            branding: branding.as_object().unwrap().clone(),
            theme: theme.as_object().unwrap().clone(),
            ..Look::default()
        }
    }

    #[test]
    fn colours_become_variables_that_can_be_read() {
        let branding = json!({"colors": {"primary": "#ffe600", "page_background":
            {"type": "linear-gradient", "start": "#000000", "end": "#ff0000", "angle_deg": 45}}});
        let sheet = sheet(&look(branding, json!({})));
        assert!(sheet.contains("--primary:#ffe600;"), "{sheet}");
        assert!(sheet.contains("--on-primary:#000000;"), "{sheet}");
        assert!(
            sheet.contains("--page-image:linear-gradient(45deg,#000000,#ff0000);"),
            "{sheet}"
        );
        let light = sheet.lines().next().unwrap();
        assert!(!light.contains("--link:#ffe600;"), "{sheet}");
        assert!(sheet.contains("dark){:root{--link:#ffe600;"), "{sheet}");
    }

    #[test]
    fn nothing_else_reaches_the_sheet() {
        let theme = json!({
            "colors": {"primary_button": "red;}*{display:none"},
            "borders": {"button_border_radius": "1px}", "widget_corner_radius": 1e9},
            "fonts": {"font_url": "https://x\");}"},
            "page_background": {"background_color": "#0f0", "background_image_url": "https://x\")"},
            "widget": {"header_text_alignment": "center"},
        });
        let sheet = sheet(&look(json!({}), theme));
        assert!(
            !sheet.contains("display") && !sheet.contains("https"),
            "{sheet}"
        );
        assert!(
            sheet.contains("--card-radius:50px;--header-align:center;"),
            "{sheet}"
        );
        assert!(
            sheet.contains("--page:#00ff00;--page-image:none;"),
            "{sheet}"
        );
    }
}
