//! Reading: an archive of unknown origin. Its list of entries, each of its lines and each content are bounded; nothing is unpacked
//! to a file.

use super::{
    CONTENT_FOLDER, ContentReader, EVENTS_ENTRY, FORMAT, HEADER_ENTRY, Line, MAX_LINE_BYTES, RoomHeader,
    contents::invalid, line::parse_line,
};
use crate::{hexadecimal, store::ContentHash};
use app::wire::{Millis, Seq, UserId};
use serde::Deserialize;
use std::{
    cell::Cell,
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

/// Bytes that are read of an archive's list of entries. An entry has 46 at least, and takes a few hundred in memory.
const MAX_DIRECTORY_BYTES: u64 = 8 * 1_024 * 1_024;

/// Bytes of the description of the room.
const MAX_HEADER_BYTES: u64 = 64 * 1_024;

/// The reason why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no archive, or damaged.
    #[error("it is no ZIP archive, or damaged: {}", one_line(.0))]
    Zip(ZipError),
    /// Its list of entries is too long.
    #[error("it has too many entries")]
    TooManyEntries,
    /// Two entries have the same name.
    #[error("it has an entry twice")]
    DuplicateEntry,
    /// The name of an entry leads out of the archive, or has characters that no name has.
    #[error("it has an entry with an unsafe name")]
    UnsafeName,
    /// It is an archive of something else.
    #[error("it has no {0}: it is no export of a room")]
    Missing(&'static str),
    /// The description of the room is invalid.
    #[error("its {HEADER_ENTRY} is invalid")]
    Header,
    /// A later version has written it.
    #[error("it has the format {0}, which is newer than this version knows ({FORMAT})")]
    Newer(u64),
    /// An event is invalid.
    #[error("event {0} in it is invalid: {1}")]
    Event(Seq, &'static str),
    /// An entry is compressed in a way that this version does not know, or encrypted.
    #[error("its {0} is compressed in an unknown way, or encrypted")]
    Compression(String),
    /// A content of files is invalid: its hash, and why.
    #[error("{CONTENT_FOLDER}{0} in it is invalid: {1}")]
    Content(String, &'static str),
    /// Events are missing, or there are too many.
    #[error("it has {found} of {head} events")]
    Count {
        /// The events in it; one more stands for any number.
        found: Seq,
        /// The events that it should have.
        head: Seq,
    },
}

/// Returns an error without line breaks and control characters, and its beginning only.
fn one_line(error: &ZipError) -> String {
    error.to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}

impl From<ZipError> for ArchiveError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => Self::TooManyEntries,
            error => Self::Zip(error),
        }
    }
}

/// The format of an archive, which says how to read the rest.
#[derive(Deserialize)]
struct Format {
    format: u64,
}

/// An archive that is read.
pub struct ArchiveReader {
    zip: ZipArchive<Metered>,
    header: RoomHeader,
}

impl ArchiveReader {
    /// Opens an archive, checks its list of entries and reads the description of the room.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no file").into());
        }
        let left = Rc::new(Cell::new(Some(MAX_DIRECTORY_BYTES)));
        let mut zip = ZipArchive::new(Metered { file, left: left.clone() })?;
        // Entries are read in small pieces.
        left.set(None);
        if zip.has_duplicate_names() {
            return Err(ArchiveError::DuplicateEntry);
        }
        if !zip.file_names_raw().all(is_safe) {
            return Err(ArchiveError::UnsafeName);
        }
        let mut json = Vec::new();
        let at = find(&mut zip, HEADER_ENTRY)?.ok_or(ArchiveError::Missing(HEADER_ENTRY))?;
        let entry = zip.by_index(at)?;
        entry.take(MAX_HEADER_BYTES + 1).read_to_end(&mut json)?;
        if json.len() as u64 > MAX_HEADER_BYTES {
            return Err(ArchiveError::Header);
        }
        let Format { format } = serde_json::from_slice(&json).map_err(|_| ArchiveError::Header)?;
        if format > u64::from(FORMAT) {
            return Err(ArchiveError::Newer(format));
        }
        let header: RoomHeader = serde_json::from_slice(&json).map_err(|_| ArchiveError::Header)?;
        if header.owner.as_ref().is_some_and(|owner| owner.id == UserId(0)) {
            return Err(ArchiveError::Header);
        }
        Ok(Self { zip, header })
    }

    /// Returns the description of the room.
    pub fn header(&self) -> &RoomHeader {
        &self.header
    }

    /// Returns the hashes of the contents that have an entry.
    pub fn contents(&self) -> HashSet<ContentHash> {
        let names = self.zip.file_names();
        names.filter_map(|name| hexadecimal::decode(name.ok()?.strip_prefix(CONTENT_FOLDER)?)).collect()
    }

    /// Reads a content that has an entry, of `size` bytes.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn content(
        &mut self,
        hash: ContentHash,
        size: u64,
    ) -> Result<ContentReader<impl Read>, ArchiveError> {
        let name = format!("{CONTENT_FOLDER}{}", hexadecimal::encode(&hash));
        let at = find(&mut self.zip, &name)?.ok_or_else(|| invalid(hash, "it is missing"))?;
        Ok(ContentReader::new(self.zip.by_index(at)?, hash, size))
    }

    /// Reads the events from the first one on, in order and without gaps. Their times are at most `latest`.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn events(&mut self, latest: Millis) -> Result<Events<impl BufRead>, ArchiveError> {
        let head = self.header.head;
        let at = find(&mut self.zip, EVENTS_ENTRY)?.ok_or(ArchiveError::Missing(EVENTS_ENTRY))?;
        let entry = self.zip.by_index(at)?;
        Ok(Events { reader: BufReader::new(entry), latest, head, read: 0, line: Vec::new() })
    }
}

/// Returns where an entry is that can be unpacked; `None` if there is no such entry.
fn find(zip: &mut ZipArchive<Metered>, name: &str) -> Result<Option<usize>, ArchiveError> {
    let Some(at) = zip.index_for_name(name) else { return Ok(None) };
    let entry = zip.by_index_raw(at)?;
    let is_known = matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated);
    if is_known && !entry.encrypted() { Ok(Some(at)) } else { Err(ArchiveError::Compression(name.into())) }
}

/// Returns `true` for a name that stays in the folder where an archive is unpacked.
fn is_safe(name: &[u8]) -> bool {
    let Ok(name) = str::from_utf8(name) else { return false };
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    name.strip_suffix('/').unwrap_or(name).split('/').all(is_part)
        && !name.contains(|c: char| c.is_control() || matches!(c, '\\' | ':'))
}

/// The events of an archive, one at a time.
pub struct Events<R> {
    reader: R,
    latest: Millis,
    head: Seq,
    read: Seq,
    line: Vec<u8>,
}

impl<R: BufRead> Events<R> {
    /// Returns the next event; `None` after the last one.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn read_next(&mut self) -> Result<Option<Line>, ArchiveError> {
        let (seq, head) = (self.read + 1, self.head);
        self.line.clear();
        let most = MAX_LINE_BYTES as u64 + 2;
        (&mut self.reader).take(most).read_until(b'\n', &mut self.line).map_err(ZipError::Io)?;
        if self.line.is_empty() {
            return if self.read == head {
                Ok(None)
            } else {
                Err(ArchiveError::Count { found: self.read, head })
            };
        }
        if self.read == head {
            return Err(ArchiveError::Count { found: seq, head });
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = parse_line(line, seq, self.latest).map_err(|why| ArchiveError::Event(seq, why))?;
        self.read = seq;
        Ok(Some(line))
    }
}

/// A file of which a bounded number of bytes is read.
struct Metered {
    file: File,
    /// `None` without a bound.
    left: Rc<Cell<Option<u64>>>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if let Some(left) = self.left.get() {
            self.left.set(Some(left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?));
        }
        Ok(read)
    }
}

impl Seek for Metered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::MAX_ARCHIVED_FILES;
    use std::io::Write;
    use zip::{ZipWriter, write::SimpleFileOptions};

    #[test]
    fn an_archive_with_as_many_files_as_an_export_has_can_be_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut zip = ZipWriter::new_stream(io::BufWriter::new(file.as_file()));
        let options = SimpleFileOptions::default().large_file(true);
        zip.start_file(HEADER_ENTRY, options).unwrap();
        zip.write_all(br#"{"format":1,"room":"tea","log":"x","head":0,"exported_at":1}"#).unwrap();
        for n in 0..MAX_ARCHIVED_FILES {
            zip.start_file(format!("{CONTENT_FOLDER}{n:064x}"), options).unwrap();
        }
        zip.finish().unwrap();
        let archive = ArchiveReader::open(file.path()).unwrap();
        assert_eq!(archive.contents().len(), MAX_ARCHIVED_FILES);
    }
}
