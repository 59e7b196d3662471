//! The contents of files in an archive of unknown origin, checked while they are read.

use super::{ArchiveError, ArchiveReader};
use crate::{
    files::{Kind, MAX_PART_BYTES, MAX_PICTURE_BYTES, PictureError, prepare},
    hexadecimal,
    store::ContentHash,
};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::io::Read;

/// The bytes of a content, in order.
pub struct ContentReader<R> {
    entry: R,
    hash: ContentHash,
    digest: Sha256,
    left: u64,
    is_end: bool,
}

impl<R: Read> ContentReader<R> {
    pub(super) fn new(entry: R, hash: ContentHash, size: u64) -> Self {
        Self { entry, hash, digest: Sha256::new(), left: size, is_end: false }
    }

    /// Returns the next bytes, [`MAX_PART_BYTES`] at most and not fewer before the end; `None` after the last ones, if these are as
    /// many as they should be and have the hash. No further byte is unpacked.
    ///
    /// # Errors
    /// [`ArchiveError::Content`], [`ArchiveError::Zip`].
    pub fn read_next(&mut self) -> Result<Option<Bytes>, ArchiveError> {
        if self.is_end {
            return Ok(None);
        }
        if self.left == 0 {
            self.is_end = true;
            let has_more = self.entry.read(&mut [0]).map_err(|error| damaged(self.hash, &error))? > 0;
            if has_more {
                return Err(invalid(self.hash, "it has another size than its message says"));
            }
            let digest: ContentHash = self.digest.clone().finalize().into();
            return if digest == self.hash {
                Ok(None)
            } else {
                Err(invalid(self.hash, "it has another SHA-256"))
            };
        }
        let mut part = Vec::new();
        let most = self.left.min(MAX_PART_BYTES as u64);
        (&mut self.entry).take(most).read_to_end(&mut part).map_err(|error| damaged(self.hash, &error))?;
        if (part.len() as u64) < most {
            return Err(invalid(self.hash, "it has another size than its message says"));
        }
        self.left -= most;
        self.digest.update(&part);
        Ok(Some(part.into()))
    }
}

impl ArchiveReader {
    /// Reads a content of `size` bytes and refuses what an upload would: one of more than `max_bytes`, and a picture that is
    /// damaged or too large. Has one part in memory, or one picture.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn check_content(
        &mut self,
        hash: ContentHash,
        size: u64,
        max_bytes: u64,
    ) -> Result<(), ArchiveError> {
        if size > max_bytes {
            return Err(invalid(hash, "it has more bytes than --max-file allows"));
        }
        let mut content = self.content(hash, size)?;
        let mut picture = Vec::new();
        let mut is_picture = None;
        while let Some(part) = content.read_next()? {
            let begins = || size <= MAX_PICTURE_BYTES && matches!(Kind::of(&part), Kind::Picture(_));
            if *is_picture.get_or_insert_with(begins) {
                picture.extend_from_slice(&part);
            }
        }
        if is_picture != Some(true) {
            return Ok(());
        }
        match prepare(&picture) {
            Ok(_) => Ok(()),
            Err(PictureError::Damaged) => Err(invalid(hash, "it is a damaged picture")),
            Err(PictureError::TooManyPixels) => Err(invalid(hash, "it is a picture with too many pixels")),
        }
    }
}

pub(super) fn invalid(hash: ContentHash, why: &'static str) -> ArchiveError {
    ArchiveError::Content(hexadecimal::encode(&hash), why)
}

fn damaged(hash: ContentHash, error: &std::io::Error) -> ArchiveError {
    tracing::debug!(%error, "a content cannot be unpacked");
    invalid(hash, "it is damaged")
}
