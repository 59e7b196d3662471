//! The name and the color that the administrator has given the server.

/// The name of a server that has none of its own.
pub const DEFAULT_NAME: &str = "Hubbub";

/// The name and the color of the server, on all of its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The name.
    pub name: String,
    /// The hue of what can be pressed, in degrees below 360; `None` for the usual color.
    pub hue: Option<u16>,
}

impl Default for Brand {
    fn default() -> Self {
        Self { name: DEFAULT_NAME.into(), hue: None }
    }
}

impl Brand {
    /// The hues that the style sheet has, in degrees. Their lightness and chroma have enough contrast in both themes.
    pub const HUES: [u16; 12] = [0, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330];

    /// Returns the one of [`HUES`](Self::HUES) that is closest to a hue.
    pub fn closest(hue: u16) -> u16 {
        (hue + 15) / 30 % 12 * 30
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hue_has_a_close_one_in_the_style_sheet() {
        for hue in 0..360 {
            let closest = Brand::closest(hue);
            let distance = hue.abs_diff(closest).min(360 - hue.abs_diff(closest));
            assert!(Brand::HUES.contains(&closest) && distance <= 15, "{hue} {closest}");
        }
    }
}
