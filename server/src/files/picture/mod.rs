//! Pictures: everything but the picture itself is removed, and a thumbnail is made, within bounds of memory.
//!
//! The bytes of the picture itself are kept as they are, without a second compression: each format is walked part by part,
//! and only the parts that make the picture stay. Whatever comes after its end is dropped, so that a file that is two
//! formats at once is only a picture.

mod exif;
mod gif;
mod jpeg;
mod png;
mod webp;

use super::kind::{Kind, PictureFormat};
use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits, codecs, imageops::FilterType,
};
use std::io::Cursor;

/// Bytes of a picture that is looked into. A larger one is a file like others.
pub const MAX_PICTURE_BYTES: u64 = 32 * 1_024 * 1_024;

/// Pixels of a picture: those of a camera of 50 megapixels.
pub const MAX_PIXELS: u64 = 50_000_000;

/// Pixels of one side.
pub const MAX_SIDE: u32 = 30_000;

/// Bytes of the pixels of one decoded picture. A decoder takes up to as much again for itself; a progressive JPEG that needs more
/// is refused.
const MAX_DECODED_BYTES: u64 = 208 * 1_024 * 1_024;

/// The largest thumbnail: twice what a message shows, for dense screens.
const MAX_THUMBNAIL: (u32, u32) = (640, 480);

/// The quality of a thumbnail as JPEG, of 100.
const THUMBNAIL_QUALITY: u8 = 80;

/// The reason why a picture is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// It cannot be decoded: it is truncated, or no picture behind its first bytes.
    #[error("the picture is damaged or incomplete")]
    Damaged,
    /// It has too many pixels, or needs too much memory.
    #[error(
        "the picture has more than {} megapixels or a side of more than {MAX_SIDE} pixels, or needs too much memory",
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels,
}

/// A picture as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its bytes, without the place, the time and the camera.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: PictureFormat,
    /// Its width as it is shown.
    pub width: u32,
    /// Its height as it is shown.
    pub height: u32,
    /// It has several frames.
    pub is_animated: bool,
    /// A small copy of its first frame, as JPEG or PNG.
    pub thumbnail: Vec<u8>,
}

/// The result of walking a format.
pub(super) struct Stripped {
    pub(super) bytes: Vec<u8>,
    pub(super) is_animated: bool,
    /// The orientation as EXIF numbers it: 1 to 8.
    pub(super) orientation: u8,
}

/// Reads a picture. Takes up to about a second, and twice [`MAX_DECODED_BYTES`] of memory: it runs on a thread of its
/// own, one at a time.
///
/// # Errors
/// [`PictureError`].
pub fn prepare(bytes: &[u8]) -> Result<Picture, PictureError> {
    let Kind::Picture(format) = Kind::of(bytes) else { return Err(PictureError::Damaged) };
    let stripped = match format {
        PictureFormat::Jpeg => jpeg::strip(bytes),
        PictureFormat::Png => png::strip(bytes),
        PictureFormat::Gif => gif::strip(bytes),
        PictureFormat::WebP => webp::strip(bytes),
    };
    let Stripped { bytes, is_animated, orientation } = stripped.ok_or(PictureError::Damaged)?;
    let mut picture = decode(&bytes, format)?;
    if let Some(orientation) = image::metadata::Orientation::from_exif(orientation) {
        // A thumbnail is turned itself; the picture says how it is turned.
        picture = thumbnail(picture, orientation);
    }
    let (width, height) = size(&bytes, format)?;
    let (width, height) = if orientation >= 5 { (height, width) } else { (width, height) };
    let thumbnail = encode(&picture).ok_or(PictureError::Damaged)?;
    Ok(Picture { bytes, format, width, height, is_animated, thumbnail })
}

fn image_format(format: PictureFormat) -> ImageFormat {
    match format {
        PictureFormat::Jpeg => ImageFormat::Jpeg,
        PictureFormat::Png => ImageFormat::Png,
        PictureFormat::Gif => ImageFormat::Gif,
        PictureFormat::WebP => ImageFormat::WebP,
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits
}

fn reader(bytes: &[u8], format: PictureFormat) -> ImageReader<Cursor<&[u8]>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image_format(format));
    reader.limits(limits());
    reader
}

/// Returns width and height as they are stored.
fn size(bytes: &[u8], format: PictureFormat) -> Result<(u32, u32), PictureError> {
    let size = reader(bytes, format).into_dimensions().map_err(refused)?;
    let is_allowed = size.0 > 0
        && size.1 > 0
        && size.0 <= MAX_SIDE
        && size.1 <= MAX_SIDE
        && u64::from(size.0) * u64::from(size.1) <= MAX_PIXELS;
    if is_allowed { Ok(size) } else { Err(PictureError::TooManyPixels) }
}

/// Decodes the first frame.
fn decode(bytes: &[u8], format: PictureFormat) -> Result<DynamicImage, PictureError> {
    // Before anything is allocated for its pixels.
    size(bytes, format)?;
    if format == PictureFormat::Jpeg && jpeg::coefficient_bytes(bytes) > MAX_DECODED_BYTES {
        return Err(PictureError::TooManyPixels);
    }
    let mut decoder = reader(bytes, format).into_decoder().map_err(refused)?;
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(PictureError::TooManyPixels);
    }
    decoder.set_limits(limits()).map_err(refused)?;
    DynamicImage::from_decoder(decoder).map_err(refused)
}

fn refused(error: image::ImageError) -> PictureError {
    match error {
        image::ImageError::Limits(_) => PictureError::TooManyPixels,
        _ => PictureError::Damaged,
    }
}

fn thumbnail(picture: DynamicImage, orientation: image::metadata::Orientation) -> DynamicImage {
    use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    let is_turned = matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
    let (width, height) = MAX_THUMBNAIL;
    let (width, height) = if is_turned { (height, width) } else { (width, height) };
    let mut small = if picture.width() <= width && picture.height() <= height {
        picture
    } else if picture.width() > 4 * width && picture.height() > 4 * height {
        // Far larger: first the averages of squares, which takes no memory for the large picture.
        picture.thumbnail(2 * width, 2 * height).resize(width, height, FilterType::Triangle)
    } else {
        picture.resize(width, height, FilterType::Triangle)
    };
    small.apply_orientation(orientation);
    small
}

/// Encodes a thumbnail: as JPEG, or as PNG if it is transparent.
fn encode(picture: &DynamicImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let rgba = picture.color().has_alpha().then(|| picture.to_rgba8());
    match rgba.filter(|pixels| pixels.pixels().any(|pixel| pixel.0[3] < u8::MAX)) {
        Some(pixels) => {
            let (width, height) = pixels.dimensions();
            let encoder = codecs::png::PngEncoder::new(&mut bytes);
            encoder.write_image(&pixels, width, height, image::ExtendedColorType::Rgba8).ok()?;
        }
        None => {
            let pixels = picture.to_rgb8();
            let (width, height) = pixels.dimensions();
            let encoder = codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, THUMBNAIL_QUALITY);
            encoder.write_image(&pixels, width, height, image::ExtendedColorType::Rgb8).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
