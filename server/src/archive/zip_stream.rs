//! A ZIP archive as a stream of bytes.

use super::CONTENT_FOLDER;
use crate::{
    hexadecimal,
    store::{ContentHash, StoreError, StoreResult},
};
use bytes::Bytes;
use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, PoisonError},
};
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

/// The compression level of contents, of 9: most are pictures, which are compressed already.
const CONTENT_COMPRESSION: i64 = 1;

/// Contents with more bytes have longer fields for their size.
const MAX_SHORT_SIZE: u64 = 2 << 30;

/// An archive that is being written. Its list of entries is in memory.
pub(super) struct ZipStream {
    /// `None` when it is complete.
    zip: Option<ZipWriter<StreamWriter<Sink>>>,
    sink: Sink,
}

impl ZipStream {
    pub(super) fn new() -> Self {
        let sink = Sink::default();
        Self { zip: Some(ZipWriter::new_stream(sink.clone())), sink }
    }

    /// Begins an entry.
    pub(super) fn start(&mut self, entry: &str) -> StoreResult<()> {
        // The size is not known before, and may be more than 4 GiB.
        self.start_with(entry, SimpleFileOptions::default().large_file(true))
    }

    /// Begins the entry of a content.
    pub(super) fn start_content(&mut self, hash: ContentHash, size: u64) -> StoreResult<()> {
        let options = SimpleFileOptions::default().compression_level(Some(CONTENT_COMPRESSION));
        let entry = format!("{CONTENT_FOLDER}{}", hexadecimal::encode(&hash));
        self.start_with(&entry, options.large_file(size > MAX_SHORT_SIZE))
    }

    fn start_with(&mut self, entry: &str, options: SimpleFileOptions) -> StoreResult<()> {
        let options = options.compression_method(CompressionMethod::Deflated);
        self.zip()?.start_file(entry, options).map_err(StoreError::backend)
    }

    /// Adds bytes to the entry that was begun last.
    pub(super) fn write(&mut self, bytes: &[u8]) -> StoreResult<()> {
        self.zip()?.write_all(bytes).map_err(StoreError::backend)
    }

    /// Writes the list of entries.
    pub(super) fn finish(&mut self) -> StoreResult<()> {
        match self.zip.take() {
            Some(zip) => zip.finish().map(drop).map_err(StoreError::backend),
            None => Ok(()),
        }
    }

    /// Takes the bytes of the archive that have come since the last call.
    pub(super) fn take(&self) -> Bytes {
        self.sink.take()
    }

    fn zip(&mut self) -> StoreResult<&mut ZipWriter<StreamWriter<Sink>>> {
        self.zip.as_mut().ok_or_else(|| StoreError::backend("the archive has ended"))
    }
}

/// The buffer of the written archive, until it is taken.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Bytes {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
