//! Colours of a tenant, made readable: what stands on them, and what they may be written in
//! (WCAG 2.2, 1.4.3 and 1.4.11).

use std::fmt;

/// A colour without transparency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

impl Color {
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// Black: with white, one of the two is readable on every colour.
    pub const INK: Self = Self([0; 3]);

    /// Reads `#rgb` or `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let wide: String = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            6 => digits.to_owned(),
            _ => return None,
        };
        let mut parts = [0_u8; 3];
        hex::decode_to_slice(wide, &mut parts).ok()?;
        Some(Self(parts))
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// The contrast of two colours: 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The colour of text on this one: whichever reads better.
    #[must_use]
    pub fn text(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::INK) {
            Self::WHITE
        } else {
            Self::INK
        }
    }

    /// This colour, moved towards another in hundredths.
    #[must_use]
    pub fn towards(self, other: Self, hundredths: u16) -> Self {
        let mut parts = self.0;
        for (part, aim) in parts.iter_mut().zip(other.0) {
            let mixed = u16::from(*part) * (100 - hundredths.min(100))
                + u16::from(aim) * hundredths.min(100);
            *part = u8::try_from(mixed / 100).unwrap_or(u8::MAX);
        }
        Self(parts)
    }

    /// This colour under a pointer: text on it only gets easier to read.
    #[must_use]
    pub fn pressed(self) -> Self {
        let away = if self.text() == Self::WHITE {
            Self::INK
        } else {
            Self::WHITE
        };
        self.towards(away, 18)
    }

    /// This colour, as far from the ground as text must be.
    #[must_use]
    pub fn readable_on(self, ground: Self) -> Self {
        let aim = ground.text();
        (0..=20)
            .map(|step| self.towards(aim, step * 5))
            .find(|color| color.contrast(ground) >= 4.6)
            .unwrap_or(aim)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_colour_text_on_it_and_in_it_is_readable() {
        let card = Color::parse("#191f28").unwrap();
        for red in (0..=255).step_by(15) {
            for green in (0..=255).step_by(15) {
                for blue in (0..=255).step_by(15) {
                    let color = Color([red, green, blue]);
                    assert!(color.contrast(color.text()) >= 4.5, "{color}");
                    assert!(color.pressed().contrast(color.text()) >= 4.5, "{color}");
                    for ground in [Color::WHITE, card] {
                        assert!(color.readable_on(ground).contrast(ground) >= 4.5, "{color}");
                    }
                }
            }
        }
    }

    #[test]
    fn colours_are_read_strictly() {
        assert_eq!(Color::parse("#0aF").unwrap().to_string(), "#00aaff");
        for text in ["0af", "#0a", "#00aaff;", "#00aafg", "red", "#é12"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }
}
