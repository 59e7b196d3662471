//! WebP (RFC 9649), chunk by chunk.

use super::{Stripped, exif};

/// Chunks that make the picture and its colors and are kept as they are.
const KEPT: [&[u8; 4]; 5] = [b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ICCP"];

/// Flags of `VP8X`: there is EXIF, XMP, an animation.
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;
const ANIMATION: u8 = 0x02;

/// Chunks that make a frame of an animation.
const KEPT_IN_FRAMES: [&[u8; 4]; 3] = [b"VP8 ", b"VP8L", b"ALPH"];

/// Bytes of a frame before its chunks: its place, its size, its duration.
const FRAME_HEAD: usize = 16;

/// Returns the picture without EXIF, XMP and unknown chunks, and without what comes after its end; with EXIF that has
/// nothing but the orientation, if it has one. `None` if it is damaged or does not come to its end.
pub(super) fn strip(bytes: &[u8]) -> Option<Stripped> {
    let length = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
    // The length counts from after its own field.
    let bytes = bytes.get(..length.checked_add(8)?)?;
    let mut kept = bytes.get(..12)?.to_vec();
    let (mut rest, mut is_animated, mut orientation) = (&bytes[12..], false, None);
    // Where the flags are, if they say that there is EXIF.
    let mut flags_at = None;
    while let Some((name, content, after)) = next_chunk(rest)? {
        rest = after;
        match name {
            b"VP8X" => {
                let mut content = content.to_vec();
                let flags = content.first_mut()?;
                is_animated = *flags & ANIMATION != 0;
                if *flags & EXIF != 0 {
                    flags_at.get_or_insert(kept.len() + 8);
                }
                *flags &= !(EXIF | XMP);
                push_chunk(&mut kept, name, &content)?;
            }
            b"ANMF" => push_chunk(&mut kept, name, &strip_frame(content)?)?,
            b"EXIF" => orientation = orientation.or_else(|| exif::orientation(content)),
            _ if KEPT.iter().any(|kept| *kept == name) => push_chunk(&mut kept, name, content)?,
            _ => {}
        }
    }
    let orientation = match (orientation, flags_at) {
        (Some(orientation @ 2..), Some(flags_at)) => {
            kept[flags_at] |= EXIF;
            push_chunk(&mut kept, b"EXIF", &exif::with_orientation(orientation))?;
            orientation
        }
        _ => 1,
    };
    let length = u32::try_from(kept.len() - 8).ok()?;
    kept[4..8].copy_from_slice(&length.to_le_bytes());
    Some(Stripped { bytes: kept, is_animated, orientation })
}

/// Returns a frame of an animation without unknown chunks.
fn strip_frame(frame: &[u8]) -> Option<Vec<u8>> {
    let (head, mut rest) = frame.split_at_checked(FRAME_HEAD)?;
    let mut kept = head.to_vec();
    while let Some((name, content, after)) = next_chunk(rest)? {
        rest = after;
        if KEPT_IN_FRAMES.iter().any(|kept| *kept == name) {
            push_chunk(&mut kept, name, content)?;
        }
    }
    Some(kept)
}

type Chunk<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Returns the name and the content of the first chunk, and what comes after it; `Some(None)` at the end, `None` if it is
/// damaged.
fn next_chunk(bytes: &[u8]) -> Option<Option<Chunk<'_>>> {
    if bytes.is_empty() {
        return Some(None);
    }
    let (head, rest) = bytes.split_at_checked(8)?;
    let (name, length) = head.split_at(4);
    let (content, after) = rest.split_at_checked(u32::from_le_bytes(length.try_into().ok()?) as usize)?;
    // Chunks have an even length; the last one of a file may lack what fills it up.
    Some(Some((name, content, after.get(content.len() % 2..).unwrap_or_default())))
}

fn push_chunk(kept: &mut Vec<u8>, name: &[u8], content: &[u8]) -> Option<()> {
    kept.extend(name);
    kept.extend(u32::try_from(content.len()).ok()?.to_le_bytes());
    kept.extend(content);
    kept.extend(&[0][..content.len() % 2]);
    Some(())
}
