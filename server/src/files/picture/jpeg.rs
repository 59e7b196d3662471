//! JPEG (ISO 10918-1), segment by segment.

use super::{Stripped, exif};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;
const APP15: u8 = 0xef;
const COM: u8 = 0xfe;

/// Returns the picture without comments and without the segments of applications, but for JFIF, the color profile and Adobe's
/// color transform; with an EXIF segment that has nothing but the orientation, if it has one. `None` if it is damaged or does
/// not come to its end.
pub(super) fn strip(bytes: &[u8]) -> Option<Stripped> {
    let mut kept = Vec::with_capacity(bytes.len());
    let (mut at, mut orientation, mut has_scan) = (2, 1, false);
    kept.extend([0xff, SOI]);
    // Where the orientation goes: JFIF must stay first.
    let mut exif_at = kept.len();
    loop {
        // Fill bytes may come before a marker.
        if *bytes.get(at)? != 0xff {
            return None;
        }
        while *bytes.get(at + 1)? == 0xff {
            at += 1;
        }
        let marker = bytes[at + 1];
        match marker {
            EOI => {
                kept.extend([0xff, EOI]);
                break;
            }
            // Without a length: a restart outside of a scan, or TEM.
            0x01 | 0xd0..=0xd7 => {
                at += 2;
                continue;
            }
            0x00 | SOI => return None,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        let segment = bytes.get(at..at + 2 + length).filter(|_| length >= 2)?;
        let content = &segment[4..];
        if marker == APP1
            && content.starts_with(exif::NAME)
            && let Some(found) = exif::orientation(content)
        {
            orientation = found;
        }
        if is_kept(marker, content) {
            kept.extend(segment);
            if marker == APP0 {
                exif_at = kept.len();
            }
        }
        at += segment.len();
        if marker == SOS {
            has_scan = true;
            let scan = scan_length(bytes.get(at..)?)?;
            kept.extend(&bytes[at..at + scan]);
            at += scan;
        }
    }
    if orientation > 1 {
        let segment = exif_segment(orientation);
        kept.splice(exif_at..exif_at, segment);
    }
    has_scan.then_some(Stripped { bytes: kept, is_animated: false, orientation })
}

/// Returns the bytes of the coefficients that a decoder keeps until the last scan of a progressive picture, which [`strip`] has
/// returned: 2 for each one, of whole blocks of 8 × 8 (ISO 10918-1, A.2 and G.1). Those of a sequential picture need none.
pub(super) fn coefficient_bytes(bytes: &[u8]) -> u64 {
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = *rest {
        let Some((segment, after)) = rest.split_at_checked(2 + usize::from(u16::from_be_bytes([high, low])))
        else {
            break;
        };
        match marker {
            0xc2 | 0xc6 | 0xca | 0xce => {
                return segment.get(4..).and_then(progressive_bytes).unwrap_or_default();
            }
            SOS => break,
            _ => rest = after,
        }
    }
    0
}

/// Returns the bytes of the coefficients of a frame, from the content of its header (B.2.2).
fn progressive_bytes(frame: &[u8]) -> Option<u64> {
    let number = |at: usize| Some(u64::from(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?])));
    let (height, width) = (number(1)?, number(3)?);
    let components = frame.get(6..)?.chunks_exact(3).map(|component| component[1]);
    let factors: Vec<(u64, u64)> =
        components.map(|factors| (u64::from(factors >> 4).max(1), u64::from(factors & 15).max(1))).collect();
    let across = factors.iter().map(|(across, _)| *across).max()?;
    let down = factors.iter().map(|(_, down)| *down).max()?;
    let units = width.div_ceil(8 * across) * height.div_ceil(8 * down);
    Some(factors.iter().map(|(across, down)| units * across * down * 64 * 2).sum())
}

fn is_kept(marker: u8, content: &[u8]) -> bool {
    match marker {
        APP0 => content.starts_with(b"JFIF\0"),
        APP2 => content.starts_with(b"ICC_PROFILE\0"),
        APP14 => content.starts_with(b"Adobe"),
        APP1..=APP15 | COM => false,
        _ => true,
    }
}

/// Returns the bytes of compressed data up to the next marker that is no restart.
fn scan_length(data: &[u8]) -> Option<usize> {
    data.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff))
}

/// Returns an EXIF segment with nothing but an orientation.
fn exif_segment(orientation: u8) -> Vec<u8> {
    let tiff = exif::with_orientation(orientation);
    let mut segment = vec![0xff, APP1, 0, 34];
    segment.extend(exif::NAME);
    segment.extend(tiff);
    segment
}
