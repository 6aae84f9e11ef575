//! One colour of the operator's, made to be read in a light and in a dark scheme.

use std::fmt;

/// Where the operator has chosen none.
const OUR_BLUE: Color = Color([0x24, 0x56, 0xe6]);
const BLACK: Color = Color([0, 0, 0]);
const WHITE: Color = Color([255, 255, 255]);
/// Text on the operator's colour, where white is not to be read on it.
const INK: Color = Color([0x0c, 0x10, 0x1a]);
/// The grounds that the colour is written on: of the card and of the boxes, whichever is the harder one.
const LIGHT_GROUND: Color = Color([0xf4, 0xf6, 0xf9]);
const DARK_GROUND: Color = Color([0x23, 0x29, 0x33]);

/// WCAG 2.2, 1.4.3: "The visual presentation of text and images of text has a contrast ratio of at least
/// 4.5:1".
const TEXT: f64 = 4.5;
/// WCAG 2.2, 1.4.11: "The visual presentation of the following have a contrast ratio of at least 3:1
/// against adjacent color(s)". A button has a border in the colour for text, so its face need not have as
/// much; below this nobody sees that it has a colour.
const FACE_ON_LIGHT: f64 = 1.25;
/// A face that is darker than its border looks pressed: in the dark scheme it stands out by itself.
const FACE_ON_DARK: f64 = 3.0;

/// A colour, as `#rrggbb` says it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Color([u8; 3]);

/// Why a text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a colour: write it as #2456e6 or #25e")]
pub(crate) struct InvalidColor;

impl Color {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidColor> {
        let digits = text.strip_prefix('#').ok_or(InvalidColor)?;
        let digits: Option<Vec<u8>> = digits
            .chars()
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        match digits.as_deref() {
            Some(&[r, g, b]) => Ok(Self([r * 17, g * 17, b * 17])),
            Some(&[r, s, g, h, b, c]) => Ok(Self([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => Err(InvalidColor),
        }
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |value: u8| {
            let value = f64::from(value) / 255.0;
            match value <= 0.04045 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        };
        let [r, g, b] = self.0.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// WCAG 2.2, "contrast ratio": from 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This colour, made lighter or darker by as little as lets it stand out from the ground. Its hue stays, so that a
    /// dark blue becomes a light blue and no grey.
    fn readable(self, towards: Self, ground: Self) -> Self {
        let (hue, saturation, lightness) = self.hsl();
        let is_lighter = towards == WHITE;
        let mut steps = (0..=100).map(|step| {
            let rest = if is_lighter {
                1.0 - lightness
            } else {
                -lightness
            };
            let lightness = lightness + rest * f64::from(step) / 100.0;
            match step {
                0 => self,
                _ => Self::from_hsl(hue, saturation, lightness),
            }
        });
        steps
            .find(|color| color.contrast(ground) >= TEXT)
            .unwrap_or(towards)
    }

    /// Hue in sixths of the circle, saturation and lightness from 0 to 1 (CSS Color Module Level 4 section 7).
    fn hsl(self) -> (f64, f64, f64) {
        let [r, g, b] = self.0.map(|value| f64::from(value) / 255.0);
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let (range, lightness) = (most - least, f64::midpoint(most, least));
        if range == 0.0 {
            return (0.0, 0.0, lightness);
        }
        let hue = match () {
            () if most == r => (g - b) / range + 6.0,
            () if most == g => (b - r) / range + 2.0,
            () => (r - g) / range + 4.0,
        };
        let saturation = (most - lightness) / lightness.min(1.0 - lightness);
        (hue % 6.0, saturation, lightness)
    }

    fn from_hsl(hue: f64, saturation: f64, lightness: f64) -> Self {
        let reach = saturation * lightness.min(1.0 - lightness);
        let channel = |turn: f64| {
            let k = (turn + hue * 2.0) % 12.0;
            let value = lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
            to_byte(value)
        };
        Self([channel(0.0), channel(8.0), channel(4.0)])
    }

    /// The text on it: white where that can be read, as on most buttons there are, else the darkest one. One of
    /// white and black can be read on any colour.
    fn on_it(self) -> Self {
        let texts = [WHITE, INK].into_iter();
        let mut readable = texts.filter(|text| self.contrast(*text) >= TEXT);
        readable.next().unwrap_or(BLACK)
    }
}

/// The nearest of 256 steps.
fn to_byte(value: f64) -> u8 {
    let mut steps = (0..=u8::MAX).rev();
    let found = steps.find(|step| f64::from(*step) <= value * 255.0 + 0.5);
    found.unwrap_or_default()
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl fmt::Debug for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the pages make of the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Theme {
    given: Option<Color>,
    light: Scheme,
    dark: Scheme,
}

impl Default for Theme {
    fn default() -> Self {
        Self::of(None)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scheme {
    /// Of the button that goes on, and of the mark.
    face: Color,
    /// The text on it.
    on_face: Color,
    /// Of links, signs and borders: readable on every ground of the scheme.
    accent: Color,
}

impl Theme {
    pub(crate) fn of(given: Option<Color>) -> Self {
        let color = given.unwrap_or(OUR_BLUE);
        Self {
            given,
            light: Scheme::of(color, BLACK, LIGHT_GROUND, FACE_ON_LIGHT),
            dark: Scheme::of(color, WHITE, DARK_GROUND, FACE_ON_DARK),
        }
    }

    /// The properties that the style sheet is written with.
    pub(super) fn properties(&self) -> String {
        format!(
            ":root{{{}}}@media(prefers-color-scheme:dark){{:root{{{}}}}}",
            self.light.properties(),
            self.dark.properties()
        )
    }

    /// The face and its text in the light scheme, for a picture that knows no scheme.
    pub(super) fn mark(&self) -> (Color, Color) {
        (self.light.face, self.light.on_face)
    }

    /// What the operator should know about the colour: that a light page cannot show it.
    pub(crate) fn odd(&self) -> Option<String> {
        let given = self.given?;
        let face = self.light.face;
        (face != given).then(|| {
            format!(
                "page_color: {given} cannot be told from a white page; buttons are {face} where the \
                 person's device is light"
            )
        })
    }
}

impl Scheme {
    fn of(color: Color, towards: Color, ground: Color, least: f64) -> Self {
        let accent = color.readable(towards, ground);
        let face = match color.contrast(ground) >= least {
            true => color,
            false => accent,
        };
        let on_face = face.on_it();
        Self {
            face,
            on_face,
            accent,
        }
    }

    fn properties(&self) -> String {
        let Self {
            face,
            on_face,
            accent,
        } = self;
        format!("--face:{face};--on-face:{on_face};--accent:{accent}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn color(text: &str) -> Color {
        Color::parse(text).unwrap()
    }

    #[test]
    fn a_colour_has_three_or_six_digits_and_nothing_else_is_one() {
        assert_eq!(color("#25e"), color("#2255EE"));
        assert_eq!(color("#2456e6").to_string(), "#2456e6");
        for text in [
            "",
            "#",
            "2456e6",
            "#2456e",
            "#2456e6ff",
            "#2456eg",
            "#+456e6",
            "red",
            "rgb(1,2,3)",
            "#12345\u{661}",
            " #2456e6",
        ] {
            assert_eq!(Color::parse(text), Err(InvalidColor), "{text:?}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        // The lightest grey that passes on white, and the next one.
        assert!(color("#767676").contrast(WHITE) >= TEXT);
        assert!(color("#777777").contrast(WHITE) < TEXT);
    }

    #[test]
    fn a_colour_that_can_be_used_is_used_as_it_is() {
        let theme = Theme::of(Some(color("#2456e6")));
        assert_eq!(theme.light.face, color("#2456e6"));
        assert_eq!(theme.light.accent, color("#2456e6"));
        assert_eq!(theme.odd(), None);
        // A yellow button with dark text and a darker border is a yellow button.
        let theme = Theme::of(Some(color("#ffd400")));
        assert_eq!(theme.light.face, color("#ffd400"));
        assert_eq!(theme.light.on_face, INK);
        assert_ne!(theme.light.accent, color("#ffd400"));
        assert_eq!(theme.dark.face, color("#ffd400"));
        assert_eq!(theme.odd(), None);
    }

    #[test]
    fn a_colour_that_cannot_be_seen_is_moved_and_the_operator_hears_of_it() {
        let theme = Theme::of(Some(color("#fafafa")));
        let words = theme.odd().unwrap();
        assert!(words.starts_with("page_color: #fafafa cannot"), "{words}");
        assert!(!words.contains("buttons are #fafafa"), "{words}");
        // Navy on a dark card.
        let theme = Theme::of(Some(color("#0b1f4b")));
        assert_eq!(theme.light.face, color("#0b1f4b"));
        assert_ne!(theme.dark.face, color("#0b1f4b"));
    }

    #[test]
    fn the_style_gets_both_schemes() {
        let properties = Theme::of(None).properties();
        let light = ":root{--face:#2456e6;--on-face:#ffffff;--accent:#2456e6}";
        assert!(properties.starts_with(light), "{properties}");
        let dark = "@media(prefers-color-scheme:dark){:root{--face:#";
        assert!(properties.contains(dark), "{properties}");
    }

    #[test]
    fn a_colour_that_is_moved_keeps_its_hue() {
        let theme = Theme::of(Some(color("#0b1f4b")));
        let (hue, saturation, _) = theme.dark.face.hsl();
        let (given, as_given, _) = color("#0b1f4b").hsl();
        assert!((hue - given).abs() < 0.1, "{theme:?}");
        assert!((saturation - as_given).abs() < 0.1, "{theme:?}");
        for text in [
            "#0b1f4b", "#ffd400", "#123456", "#808080", "#ffffff", "#000000",
        ] {
            let (hue, saturation, lightness) = color(text).hsl();
            assert_eq!(Color::from_hsl(hue, saturation, lightness), color(text));
        }
    }

    proptest! {
        #[test]
        fn every_colour_can_be_read_in_both_schemes(rgb in any::<[u8; 3]>()) {
            let theme = Theme::of(Some(Color(rgb)));
            for (scheme, ground) in [(theme.light, LIGHT_GROUND), (theme.dark, DARK_GROUND)] {
                prop_assert!(scheme.on_face.contrast(scheme.face) >= TEXT, "{scheme:?}");
                prop_assert!(scheme.accent.contrast(ground) >= TEXT, "{scheme:?}");
            }
            prop_assert!(theme.light.accent.contrast(WHITE) >= TEXT);
        }
    }
}
