//! The kind of a file, by its first bytes. The statement of its sender does not count.

/// Bytes that are looked at.
pub const SNIFFED_BYTES: usize = 4_096;

/// The media type of a file that pages do not show.
pub const OTHER: &str = "application/octet-stream";

/// A format of pictures that the server can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// JPEG (ISO 10918).
    Jpeg,
    /// PNG (W3C), also with several frames.
    Png,
    /// GIF 87a and 89a.
    Gif,
    /// WebP (RFC 9649).
    WebP,
}

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A picture.
    Picture(PictureFormat),
    /// A format that a browser plays, with its media type.
    Media(&'static str),
    /// Anything else, which is only downloaded.
    Other,
}

impl PictureFormat {
    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }
}

impl Kind {
    /// Returns what the bytes begin: whole files are shorter than what [`SNIFFED_BYTES`] look at, or begin with them.
    pub fn of(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(SNIFFED_BYTES)];
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Self::Picture(PictureFormat::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Self::Picture(PictureFormat::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Self::Picture(PictureFormat::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
                Self::Picture(PictureFormat::WebP)
            }
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Self::Media("audio/wav"),
            [b'O', b'g', b'g', b'S', ..] => Self::Media(ogg(bytes)),
            [b'f', b'L', b'a', b'C', ..] => Self::Media("audio/flac"),
            [b'I', b'D', b'3', ..] | [0xff, 0xfb | 0xf3 | 0xf2, ..] => Self::Media("audio/mpeg"),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => matroska(bytes),
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => iso_media(brand),
            _ => Self::Other,
        }
    }

    /// Returns the media type under which the file is served.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Picture(format) => format.media_type(),
            Self::Media(media_type) => media_type,
            Self::Other => OTHER,
        }
    }
}

/// Returns `true` if a page may show a file of this type; any other is only downloaded.
pub fn is_shown(media_type: &str) -> bool {
    let pictures = [PictureFormat::Jpeg, PictureFormat::Png, PictureFormat::Gif, PictureFormat::WebP];
    pictures.iter().any(|format| format.media_type() == media_type)
        || media_type.starts_with("audio/")
        || media_type.starts_with("video/")
}

fn ogg(bytes: &[u8]) -> &'static str {
    if contains(bytes, b"\x80theora") { "video/ogg" } else { "audio/ogg" }
}

fn matroska(bytes: &[u8]) -> Kind {
    // Browsers play its subset WebM alone.
    if !contains(bytes, b"webm") {
        return Kind::Other;
    }
    let has_video = [&b"V_VP8"[..], b"V_VP9", b"V_AV1"].iter().any(|codec| contains(bytes, codec));
    let is_audio = !has_video && contains(bytes, b"A_");
    Kind::Media(if is_audio { "audio/webm" } else { "video/webm" })
}

fn iso_media(brand: &[u8]) -> Kind {
    match brand.get(..4) {
        Some(b"M4A " | b"M4B ") => Kind::Media("audio/mp4"),
        Some(
            b"isom" | b"iso2" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1" | b"dash" | b"M4V ",
        ) => Kind::Media("video/mp4"),
        Some(b"qt  ") => Kind::Media("video/quicktime"),
        // HEIC and AVIF among them: browsers differ, and nothing here reads them.
        _ => Kind::Other,
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide() {
        for (bytes, media_type) in [
            (&b"\xff\xd8\xff\xe0"[..], "image/jpeg"),
            (b"\x89PNG\r\n\x1a\nrest", "image/png"),
            (b"GIF89a....", "image/gif"),
            (b"RIFF....WEBPVP8 ", "image/webp"),
            (b"RIFF....WAVEfmt ", "audio/wav"),
            (b"ID3\x04", "audio/mpeg"),
            (b"\0\0\0\x20ftypisom", "video/mp4"),
            (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
            (b"\x1a\x45\xdf\xa3....webm....A_OPUS", "audio/webm"),
            (b"\x1a\x45\xdf\xa3....webm....V_VP9", "video/webm"),
            (b"\x1a\x45\xdf\xa3....matroska", OTHER),
            (b"\0\0\0\x20ftypheic", OTHER),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", OTHER),
            (b"<!DOCTYPE html>", OTHER),
            (b"%PDF-1.7", OTHER),
            (b"GIF88a", OTHER),
            (b"", OTHER),
        ] {
            assert_eq!(Kind::of(bytes).media_type(), media_type, "{bytes:?}");
        }
    }

    #[test]
    fn nothing_with_scripts_is_shown() {
        for other in ["image/svg+xml", "text/html", "application/pdf", "application/xhtml+xml", OTHER, ""] {
            assert!(!is_shown(other), "{other}");
        }
        assert!(is_shown("image/webp") && is_shown("video/mp4") && is_shown("audio/ogg"));
    }
}
