//! Links to share, with their QR codes.

use app::ShareLink;
use qrcode::{Color, QrCode};
use std::fmt::Write;

/// Creates a link to share. It has a QR code unless it is too long for one.
pub fn share_link(url: String) -> ShareLink {
    let qr = QrCode::new(&url).ok().map(|code| {
        let (side, modules) = (code.width(), code.to_colors());
        let dark = modules.iter().enumerate().filter(|(_, module)| **module == Color::Dark);
        let path = dark.fold(String::new(), |mut path, (at, _)| {
            let _ = write!(path, "M{} {}h1v1h-1z", at % side, at / side);
            path
        });
        (side, path)
    });
    ShareLink { url, qr }
}
