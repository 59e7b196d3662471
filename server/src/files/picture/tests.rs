use super::*;
use image::{Rgb, RgbImage, Rgba, RgbaImage, codecs::gif::GifEncoder};
use proptest::prelude::*;

const WIDTH: u32 = 60;
const HEIGHT: u32 = 40;

/// A picture whose left half is red and whose right half is blue.
fn halves() -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, _| if x < WIDTH / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    halves().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn animated_gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for shade in [0, 250] {
        let frame = RgbaImage::from_pixel(8, 8, Rgba([shade, 0, 0, 255]));
        encoder.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(encoder);
    bytes
}

/// Inserts a segment after the start of a JPEG.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// EXIF with an orientation, and a place behind it.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif.extend(b"GPS 48.8584 N 2.2945 E");
    exif
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn each_format_is_kept_with_its_size_and_a_thumbnail() {
    for (format, expected) in [
        (ImageFormat::Png, PictureFormat::Png),
        (ImageFormat::Jpeg, PictureFormat::Jpeg),
        (ImageFormat::Gif, PictureFormat::Gif),
        (ImageFormat::WebP, PictureFormat::WebP),
    ] {
        let picture = prepare(&encoded(format)).unwrap();
        assert_eq!((picture.format, picture.width, picture.height), (expected, WIDTH, HEIGHT));
        assert!(!picture.is_animated);
        let kept = image::load_from_memory(&picture.bytes).unwrap().to_rgb8();
        assert!(kept.get_pixel(5, 5).0[0] > 200 && kept.get_pixel(WIDTH - 5, 5).0[2] > 200, "{format:?}");
        assert_eq!(image::load_from_memory(&picture.thumbnail).unwrap().width(), WIDTH);
    }
}

#[test]
fn place_and_camera_are_removed_and_the_orientation_stays() {
    let jpeg = with_segment(&encoded(ImageFormat::Jpeg), 0xe1, &exif(6));
    let jpeg = with_segment(&jpeg, 0xfe, b"a comment of the camera");
    let jpeg = with_segment(&jpeg, 0xed, b"Photoshop 3.0\0 keywords");
    let picture = prepare(&jpeg).unwrap();
    for secret in [&b"GPS"[..], b"camera", b"keywords"] {
        assert!(has(&jpeg, secret) && !has(&picture.bytes, secret), "{secret:?}");
    }
    assert_eq!((picture.width, picture.height), (HEIGHT, WIDTH), "it is shown upright");
    let mut decoder = reader(&picture.bytes, PictureFormat::Jpeg).into_decoder().unwrap();
    assert_eq!(decoder.orientation().unwrap(), image::metadata::Orientation::Rotate90);
    let thumbnail = image::load_from_memory(&picture.thumbnail).unwrap().to_rgb8();
    assert_eq!(thumbnail.dimensions(), (HEIGHT, WIDTH));
    assert!(thumbnail.get_pixel(20, 5).0[0] > 200 && thumbnail.get_pixel(20, WIDTH - 5).0[2] > 200);
    // Without an orientation nothing is left of EXIF.
    let upright = prepare(&with_segment(&encoded(ImageFormat::Jpeg), 0xe1, &exif(1))).unwrap();
    assert!(!has(&upright.bytes, b"Exif"));
}

/// A PNG with an EXIF chunk behind its pixels.
fn turned_png(exif: &[u8]) -> Vec<u8> {
    let png = encoded(ImageFormat::Png);
    let chunk = [b"eXIf", exif].concat();
    let length = u32::try_from(exif.len()).unwrap().to_be_bytes();
    let (before, end) = png.split_at(png.len() - 12);
    [before, &length, &chunk, &crc32(&chunk).to_be_bytes(), end].concat()
}

/// A WebP with EXIF. The still one has the picture as its only chunk.
fn turned_webp(exif: &[u8]) -> Vec<u8> {
    let still = encoded(ImageFormat::WebP);
    let size = [(WIDTH - 1).to_le_bytes()[..3].to_vec(), (HEIGHT - 1).to_le_bytes()[..3].to_vec()].concat();
    let head = webp_chunk(b"VP8X", &[&[0x08, 0, 0, 0][..], &size].concat());
    webp(&[&head, &still[12..], &webp_chunk(b"EXIF", exif)].concat())
}

#[test]
fn the_orientation_of_png_and_webp_stays_alone() {
    let tiff = |orientation| exif(orientation)[6..].to_vec();
    let pictures = [
        (PictureFormat::Png, turned_png(&tiff(6)), turned_png(&tiff(1))),
        (PictureFormat::WebP, turned_webp(&tiff(6)), turned_webp(&tiff(1))),
        // Some programs write the name of EXIF there, too.
        (PictureFormat::WebP, turned_webp(&exif(6)), turned_webp(&exif(1))),
    ];
    for (format, turned, upright) in pictures {
        let picture = prepare(&turned).unwrap();
        assert!(has(&turned, b"GPS") && !has(&picture.bytes, b"GPS"), "{format:?}");
        assert_eq!((picture.width, picture.height), (HEIGHT, WIDTH), "{format:?} is shown upright");
        let mut decoder = reader(&picture.bytes, format).into_decoder().unwrap();
        assert_eq!(decoder.orientation().unwrap(), image::metadata::Orientation::Rotate90);
        assert_eq!(DynamicImage::from_decoder(decoder).unwrap().to_rgb8(), halves());
        let thumbnail = image::load_from_memory(&picture.thumbnail).unwrap().to_rgb8();
        assert_eq!(thumbnail.dimensions(), (HEIGHT, WIDTH));
        assert!(thumbnail.get_pixel(20, 5).0[0] > 200 && thumbnail.get_pixel(20, WIDTH - 5).0[2] > 200);
        assert_eq!(prepare(&picture.bytes).unwrap().bytes, picture.bytes, "nothing more is removed");
        let upright = prepare(&upright).unwrap();
        assert_eq!((upright.width, upright.height), (WIDTH, HEIGHT));
        assert!(!has(&upright.bytes, b"eXIf") && !has(&upright.bytes, b"EXIF"));
    }
}

#[test]
fn texts_of_png_and_webp_and_what_follows_a_picture_are_removed() {
    let png = encoded(ImageFormat::Png);
    let text = [&5_u32.to_be_bytes()[..], b"tEXt", b"GPS 1", &[0; 4]].concat();
    let png = [&png[..33], &text, &png[33..], b"<script>alert(1)</script>"].concat();
    let picture = prepare(&png).unwrap();
    assert!(!has(&picture.bytes, b"GPS") && !has(&picture.bytes, b"script"));
    let mut webp = encoded(ImageFormat::WebP);
    webp.extend(b"EXIF\x05\0\0\0GPS 1\0");
    let length = u32::try_from(webp.len() - 8).unwrap();
    webp[4..8].copy_from_slice(&length.to_le_bytes());
    webp.extend(b"PK\x03\x04 an archive behind it");
    let picture = prepare(&webp).unwrap();
    assert!(!has(&picture.bytes, b"GPS") && !has(&picture.bytes, b"archive"));
    for format in [ImageFormat::Jpeg, ImageFormat::Gif] {
        let polyglot = [encoded(format), b"<html>".to_vec()].concat();
        assert!(!has(&prepare(&polyglot).unwrap().bytes, b"<html>"), "{format:?}");
    }
}

#[test]
fn a_picture_with_frames_moves_and_its_thumbnail_does_not() {
    let mut gif = animated_gif();
    let trailer = gif.pop().unwrap();
    gif.extend(b"\x21\xfe\x0ba comment \x01\0");
    gif.push(trailer);
    let picture = prepare(&gif).unwrap();
    assert!(picture.is_animated && !has(&picture.bytes, b"comment"));
    assert_eq!(Kind::of(&picture.thumbnail), Kind::Picture(PictureFormat::Jpeg));
}

fn webp_chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    [name, &length, content, &[0][..content.len() % 2]].concat()
}

fn webp(chunks: &[u8]) -> Vec<u8> {
    [b"RIFF", &u32::try_from(chunks.len() + 4).unwrap().to_le_bytes()[..], b"WEBP", chunks].concat()
}

/// An animated WebP of one frame, with EXIF in the frame.
fn animated_webp() -> Vec<u8> {
    let less_one = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    let size = [less_one(WIDTH), less_one(HEIGHT)].concat();
    let still = encoded(ImageFormat::WebP);
    // Its place, its size, 100 ms, no flags; the picture is the only chunk of the still one.
    let head = [&[0; 6][..], &size, &[100, 0, 0, 0]].concat();
    let frame = [&head[..], &still[12..], &webp_chunk(b"EXIF", b"GPS 1")].concat();
    let chunks = [
        webp_chunk(b"VP8X", &[&[0x02 | 0x08, 0, 0, 0][..], &size].concat()),
        webp_chunk(b"ANIM", &[0; 6]),
        webp_chunk(b"ANMF", &frame),
        webp_chunk(b"EXIF", b"GPS 22"),
    ];
    webp(&chunks.concat())
}

#[test]
fn frames_of_webp_lose_what_is_not_the_picture() {
    let webp = animated_webp();
    let picture = prepare(&webp).unwrap();
    assert!(has(&webp, b"GPS 1") && has(&webp, b"GPS 22"));
    assert!(!has(&picture.bytes, b"GPS") && !has(&picture.bytes, b"EXIF"));
    assert_eq!((picture.width, picture.height, picture.is_animated), (WIDTH, HEIGHT, true));
}

#[test]
fn a_transparent_picture_has_a_transparent_thumbnail() {
    let mut png = Cursor::new(Vec::new());
    RgbaImage::from_pixel(900, 900, Rgba([9, 9, 9, 60])).write_to(&mut png, ImageFormat::Png).unwrap();
    let picture = prepare(&png.into_inner()).unwrap();
    assert_eq!((picture.width, picture.height), (900, 900));
    let thumbnail = image::load_from_memory(&picture.thumbnail).unwrap().to_rgba8();
    assert_eq!((thumbnail.dimensions(), thumbnail.get_pixel(3, 3).0[3]), ((480, 480), 60));
}

/// A PNG that says how large it is, and has nothing behind that.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let crc = crc32(&header);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&header);
    png.extend(crc.to_be_bytes());
    for name in [b"IDAT", b"IEND"] {
        png.extend([0; 4]);
        png.extend(name);
        png.extend(crc32(name).to_be_bytes());
    }
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn bombs_are_refused_before_they_are_decoded() {
    for (width, height) in
        [(1, 2_000_000_000), (2_000_000_000, 1), (30_000, 30_000), (u32::MAX >> 1, u32::MAX >> 1)]
    {
        assert_eq!(prepare(&bomb(width, height)), Err(PictureError::TooManyPixels), "{width} × {height}");
    }
    assert_eq!(prepare(&bomb(20, 20)), Err(PictureError::Damaged), "no pixels");
    assert!(prepare(&bomb(0, 20)).is_err());
}

/// A JPEG of one frame without anything in its scan, whose components have these sampling factors.
fn jpeg_frame(start_of_frame: u8, side: u16, factors: &[u8]) -> Vec<u8> {
    let [high, low] = side.to_be_bytes();
    let count = u8::try_from(factors.len()).unwrap();
    let mut frame = vec![8, high, low, high, low, count];
    for (id, factor) in (1_u8..).zip(factors) {
        frame.extend([id, *factor, 0]);
    }
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0xff, 0xd9];
    with_segment(&[&[0xff, 0xd8], &scan[..]].concat(), start_of_frame, &frame)
}

#[test]
fn progressive_jpeg_is_refused_if_it_needs_too_much_memory() {
    let side = 7_000;
    let needed = |frame: u8, factors: &[u8]| jpeg::coefficient_bytes(&jpeg_frame(frame, side, factors));
    assert_eq!(needed(0xc0, &[0x11; 4]), 0, "sequential");
    assert_eq!(needed(0xc2, &[0x11; 4]), 875 * 875 * 64 * 2 * 4);
    assert_eq!(
        needed(0xc2, &[0x22, 0x11, 0x11]),
        438 * 438 * 64 * 2 * 6,
        "colors of half the width and height"
    );
    for factors in [&[0x11; 4][..], &[0x11; 3]] {
        assert_eq!(prepare(&jpeg_frame(0xc2, side, factors)), Err(PictureError::TooManyPixels));
    }
    assert_eq!(
        prepare(&jpeg_frame(0xc2, side, &[0x22, 0x11, 0x11])),
        Err(PictureError::Damaged),
        "nothing is in it"
    );
}

#[test]
fn a_truncated_picture_is_refused_at_every_length() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let whole = encoded(format);
        for length in 0..whole.len() {
            assert!(prepare(&whole[..length]).is_err(), "{format:?} of {length} bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_change_of_bytes_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), n in 0..8_usize) {
        let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
        let other = || match n {
            4 => animated_gif(),
            5 => animated_webp(),
            6 => turned_png(&exif(6)[6..]),
            _ => turned_webp(&exif(6)),
        };
        let mut bytes = formats.get(n).map_or_else(other, |format| encoded(*format));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(picture) = prepare(&bytes) {
            prop_assert!(u64::from(picture.width) * u64::from(picture.height) <= MAX_PIXELS);
            // What was cleaned once stays as it is.
            prop_assert_eq!(prepare(&picture.bytes).map(|again| again.bytes), Ok(picture.bytes));
        }
    }
}
