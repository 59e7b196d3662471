//! GIF 89a, block by block.

use super::Stripped;

const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3b;
const GRAPHIC_CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;

/// Returns the picture without comments, texts and the blocks of applications but for the number of its rounds, and without
/// what comes after its end. `None` if it is damaged or does not come to its end.
pub(super) fn strip(bytes: &[u8]) -> Option<Stripped> {
    let mut at = 13 + table_bytes(*bytes.get(10)?);
    let mut kept = bytes.get(..at)?.to_vec();
    let mut frames = 0;
    loop {
        let start = at;
        match *bytes.get(at)? {
            IMAGE => {
                // The descriptor, a table, and the size of codes.
                at += 10 + table_bytes(*bytes.get(at + 9)?) + 1;
                at = skip_blocks(bytes, at)?;
                kept.extend(bytes.get(start..at)?);
                frames += 1;
            }
            EXTENSION => {
                let label = *bytes.get(at + 1)?;
                at = skip_blocks(bytes, at + 2)?;
                let content = bytes.get(start + 2..at)?;
                let is_kept = match label {
                    GRAPHIC_CONTROL => true,
                    APPLICATION => {
                        content.starts_with(b"\x0bNETSCAPE2.0") || content.starts_with(b"\x0bANIMEXTS1.0")
                    }
                    _ => false,
                };
                if is_kept {
                    kept.extend(&bytes[start..at]);
                }
            }
            TRAILER => {
                kept.push(TRAILER);
                return (frames > 0).then_some(Stripped {
                    bytes: kept,
                    is_animated: frames > 1,
                    orientation: 1,
                });
            }
            _ => return None,
        }
    }
}

/// Returns the bytes of a color table, which the flags announce.
fn table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Returns the position after the blocks that begin at `at`; the last one is empty.
fn skip_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
