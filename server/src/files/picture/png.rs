//! PNG (W3C), chunk by chunk.

use super::{Stripped, exif};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Chunks that make the picture, its colors and its frames. Texts, times, EXIF and private chunks are none of them.
const KEPT: [&[u8; 4]; 19] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP",
    b"mDCV", b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT", b"hIST",
];

/// Returns the picture without the chunks that do not make it, and without what comes after its end; with EXIF that has
/// nothing but the orientation, if it has one. `None` if it is damaged or does not come to its end.
pub(super) fn strip(bytes: &[u8]) -> Option<Stripped> {
    let mut kept = Vec::with_capacity(bytes.len());
    kept.extend(SIGNATURE);
    let (mut at, mut is_animated, mut orientation) = (SIGNATURE.len(), false, None);
    // Where the orientation goes: before the pixels, which it must not part.
    let mut exif_at = None;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        // Length, name and checksum.
        let end = at.checked_add(length)?.checked_add(12)?;
        let chunk = bytes.get(at..end)?;
        let name = &chunk[4..8];
        if KEPT.iter().any(|kept| *kept == name) {
            kept.extend(chunk);
        }
        if name == b"IHDR" {
            exif_at.get_or_insert(kept.len());
        } else if name == b"eXIf" {
            orientation = orientation.or_else(|| exif::orientation(&chunk[8..8 + length]));
        }
        is_animated |= name == b"acTL";
        at = end;
        if name == b"IEND" {
            break;
        }
    }
    let (orientation, exif_at) = (orientation.unwrap_or(1), exif_at?);
    if orientation > 1 {
        kept.splice(exif_at..exif_at, exif_chunk(orientation));
    }
    Some(Stripped { bytes: kept, is_animated, orientation })
}

/// Returns an EXIF chunk with nothing but an orientation.
fn exif_chunk(orientation: u8) -> Vec<u8> {
    let named = [b"eXIf", &exif::with_orientation(orientation)[..]].concat();
    let length = u32::try_from(named.len() - 4).unwrap_or_default();
    [&length.to_be_bytes()[..], &named, &checksum(&named).to_be_bytes()].concat()
}

/// Returns the CRC-32 of a few bytes (PNG, annex D).
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
