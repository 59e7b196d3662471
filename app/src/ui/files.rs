//! The files of a message.

use super::inert_tree::InertElement;
use crate::{
    base::link,
    ui::icon::icon,
    wire::{FileInfo, Files, sanitize_for_display},
};

/// The largest box of a picture in a message, in CSS pixels.
const MAX_PICTURE: (u32, u32) = (320, 240);

/// Returns the files of a message: pictures, players, and links to the others.
pub(super) fn file_list(files: &Files) -> Option<InertElement> {
    (!files.is_empty())
        .then(|| InertElement::new("div").class("files").children(files.iter().map(file_element)))
}

/// Returns the bytes of the files of a message in the HTML of a page.
#[cfg(feature = "ssr")]
pub fn file_bytes(files: &Files) -> usize {
    file_list(files).map_or(0, |list| list.html_bytes())
}

fn file_element(file: &FileInfo) -> InertElement {
    let address = link(&file.path());
    if let Some(pixels) = file.pixels() {
        return picture(file, address, pixels);
    }
    let kind = file.media_type.split('/').next().unwrap_or_default();
    let player = match kind {
        "audio" => Some("audio"),
        "video" => Some("video"),
        _ => None,
    };
    let player = player.map(|name| {
        let player = InertElement::new(name).with("src", &*address).with("preload", "metadata");
        player.flag("controls", true).with("aria-label", label(file))
    });
    let name = InertElement::new("span").class("name").text(sanitize_for_display(&file.name));
    let size = InertElement::new("small").text(size_text(file.size));
    let download = InertElement::new("a")
        .with("href", address)
        .with("download", &*file.name)
        .child(icon("M14 3v5h5M14 3H6v18h12V8z"))
        .child(name)
        .text(" ")
        .child(size);
    InertElement::new("div").class("file").children(player).child(download)
}

/// Returns a picture with its size, so that nothing moves when it is loaded. One that moves is still for users who want less
/// motion.
fn picture(file: &FileInfo, address: String, (width, height): (u32, u32)) -> InertElement {
    let (width, height) = (width.max(1), height.max(1));
    let (shown_width, shown_height) = fit(width, height);
    let image = InertElement::new("img")
        .with("src", link(&file.thumbnail_path()))
        .with("width", shown_width.to_string())
        .with("height", shown_height.to_string())
        .with("alt", label(file))
        .with("loading", "lazy")
        .with("decoding", "async");
    let image = if file.animated {
        let moving = InertElement::new("source").with("srcset", &*address);
        let moving = moving.with("media", "(prefers-reduced-motion: no-preference)");
        InertElement::new("picture").child(moving).child(image)
    } else {
        image
    };
    InertElement::new("a")
        .class("picture")
        .with("href", address)
        .with("data-size", format!("{width}x{height}"))
        .with("target", "_blank")
        .child(image)
}

/// Returns what a screen reader says of a file.
fn label(file: &FileInfo) -> String {
    let text = if file.alt.is_empty() { &file.name } else { &file.alt };
    sanitize_for_display(text).into()
}

/// Returns the size of a picture in a message: its own, or the largest that fits.
fn fit(width: u32, height: u32) -> (u64, u64) {
    let (max_width, max_height) = (u64::from(MAX_PICTURE.0), u64::from(MAX_PICTURE.1));
    let (width, height) = (u64::from(width), u64::from(height));
    if width <= max_width && height <= max_height {
        return (width, height);
    }
    if width * max_height > height * max_width {
        (max_width, (height * max_width / width).max(1))
    } else {
        ((width * max_height / height).max(1), max_height)
    }
}

/// Returns a number of bytes for people.
pub fn size_text(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_024 => return format!("{bytes} B"),
        1_024..1_048_576 => (1_024, "KB"),
        1_048_576..1_073_741_824 => (1_048_576, "MB"),
        _ => (1_073_741_824, "GB"),
    };
    // Not a float: those would bring their formatting into the page.
    let tenths = bytes * 10 / unit;
    if tenths < 100 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", tenths / 10)
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use leptos::prelude::RenderHtml;
    use uuid::Uuid;

    fn file(name: &str, media_type: &str, pixels: Option<(u32, u32)>) -> FileInfo {
        let (width, height) = pixels.unzip();
        let (id, alt) = (Uuid::nil(), "".into());
        FileInfo {
            id,
            name: name.into(),
            media_type: media_type.into(),
            size: 1_536,
            width,
            height,
            alt,
            animated: false,
        }
    }

    #[test]
    fn a_picture_keeps_its_proportions_within_the_box() {
        assert_eq!(fit(100, 50), (100, 50));
        assert_eq!(fit(4_000, 3_000), (320, 240));
        assert_eq!(fit(4_000, 1_000), (320, 80));
        assert_eq!(fit(1_000, 4_000), (60, 240));
        assert_eq!(fit(u32::MAX, 1), (320, 1));
    }

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 1_023, 1_536, 12 << 20, 3 << 30].map(size_text);
        assert_eq!(sizes, ["0 B", "1023 B", "1.5 KB", "12 MB", "3.0 GB"]);
    }

    #[test]
    fn names_are_text_and_only_pictures_are_shown() {
        let picture = file_element(&file("a\"<.png", "image/png", Some((640, 480)))).to_html();
        assert!(picture.contains("width=\"320\" height=\"240\" alt=\"a&quot;&lt;.png\""), "{picture}");
        let other = file_element(&file("a<b>.html", "application/octet-stream", None)).to_html();
        assert!(other.contains("download=\"a&lt;b&gt;.html\"") && other.contains("1.5 KB"), "{other}");
        assert!(file_element(&file("a.mp4", "video/mp4", None)).to_html().contains("<video src="));
    }
}
