//! EXIF, of which only the orientation is read and kept.

/// The name that stands before the TIFF header in a JPEG, and sometimes elsewhere.
pub(super) const NAME: &[u8] = b"Exif\0\0";

/// Reads the orientation of EXIF: of the first directory of a TIFF header, before which the name of EXIF may stand.
pub(super) fn orientation(exif: &[u8]) -> Option<u8> {
    const ORIENTATION: u16 = 0x0112;
    let tiff = exif.strip_prefix(NAME).unwrap_or(exif);
    let is_little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let pair: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let long = |at: usize| {
        let four: [u8; 4] = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if is_little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    };
    let directory = long(4)? as usize;
    let entries = usize::from(short(directory)?);
    let mut fields = (0..entries).map(|n| directory.checked_add(2 + 12 * n));
    let field = fields.find_map(|at| at.filter(|at| short(*at) == Some(ORIENTATION)))?;
    let value = short(field.checked_add(8)?)?;
    u8::try_from(value).ok().filter(|value| (1..=8).contains(value))
}

/// Returns a TIFF header with nothing but an orientation: 26 bytes.
pub(super) fn with_orientation(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    // One field: tag, type SHORT, one value, which is padded; then no other directory.
    tiff.extend([0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
    tiff
}
