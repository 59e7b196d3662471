//! Writing: an archive as a stream of pieces, each read when it is asked for.

use super::{
    EVENTS_ENTRY, FORMAT, HEADER_ENTRY, Line, MAX_ARCHIVED_FILES, RoomHeader, TRANSCRIPT_ENTRY,
    transcript::Transcript, zip_stream::ZipStream,
};
use crate::{
    files::{FileError, FileService, FileStream},
    store::{ContentHash, EntryRequest, Store, StoreError, StoreResult},
};
use app::wire::{
    Event, EventBody, FileId, FileInfo, RoomName, Seq, UserId,
    limits::{MAX_EVENTS_PER_RESPONSE, MAX_FILES},
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    mem,
    sync::Arc,
};

/// A part of an archive, in order.
#[derive(Debug)]
pub struct Piece {
    /// Its bytes; there may be none yet.
    pub bytes: Bytes,
    /// The events that were read for it.
    pub events: u64,
    /// The files that end with it.
    pub files: u64,
}

/// Files that are looked for in the object store for one piece, beside those of one more message.
const MAX_LOOKUPS_PER_PIECE: usize = 100;

/// Bytes of a content in one piece, beside one read of the object store.
const CONTENT_BYTES_PER_PIECE: usize = 256 * 1_024;

/// The step that comes next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Header,
    Events(Seq),
    Transcript(Seq),
    Contents,
    End,
    Done,
}

/// An archive that is being written. It has one read of events in memory at a time, or a few reads of a content, and the ids and
/// hashes of at most [`MAX_ARCHIVED_FILES`] files.
pub struct ArchiveWriter {
    store: Arc<dyn Store>,
    files: Arc<FileService>,
    header: RoomHeader,
    zip: ZipStream,
    transcript: Transcript,
    step: Step,
    /// Events that are read and not yet written.
    unwritten: VecDeque<Arc<Event>>,
    /// The files whose bytes are still to be written.
    contents: BTreeMap<FileId, ContentHash>,
    written: HashSet<ContentHash>,
    /// The content of which a part is written. Because of it methods that wait borrow the writer exclusively.
    content: Option<FileStream>,
    lost: u64,
}

impl ArchiveWriter {
    /// Begins an archive with the events that the room has now.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    pub async fn begin(store: Arc<dyn Store>, files: Arc<FileService>, room: &RoomName) -> StoreResult<Self> {
        let record = store.room(room).await?;
        // Whether the room is for members only does not depend on the user.
        let entry_request = EntryRequest { user: UserId(0), network: None, room: Some(room.clone()) };
        let members_only = store.standing(entry_request).await?.room.members_only || room.is_members_only();
        let owner = match record.info.owner {
            Some(owner) => store.users(&[owner]).await?.pop(),
            None => None,
        };
        let header = RoomHeader {
            format: FORMAT,
            room: room.clone(),
            title: record.info.title.clone(),
            topic: record.info.topic.clone(),
            owner,
            unlisted: record.info.private,
            members_only,
            kept_hours: record.info.retention,
            log: store.log_id().into(),
            head: record.head,
            exported_at: store.clock().await?,
        };
        Ok(Self {
            store,
            files,
            zip: ZipStream::new(),
            transcript: Transcript::new(&record.title(), &header),
            header,
            step: Step::Header,
            unwritten: VecDeque::new(),
            contents: BTreeMap::new(),
            written: HashSet::new(),
            content: None,
            lost: 0,
        })
    }

    /// Returns how many events are read in all: each twice.
    pub fn total(&self) -> u64 {
        self.header.head * 2
    }

    /// Returns how many files are still to be written. All are known when every event was read once.
    pub fn files_left(&self) -> u64 {
        self.contents.len() as u64
    }

    /// Returns how many files were left out: the object store does not have their bytes, or they are too many.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns the next piece; `None` after the last one. If it is dropped, the archive cannot be continued.
    ///
    /// # Errors
    /// [`FileError::Store`] with [`StoreError::Backend`], [`FileError::Objects`]; the archive is incomplete then.
    pub async fn next(&mut self) -> Result<Option<Piece>, FileError> {
        let (mut events, mut files) = (0, 0);
        self.step = match mem::replace(&mut self.step, Step::Done) {
            Step::Header => {
                self.zip.start(HEADER_ENTRY)?;
                let header = serde_json::to_string_pretty(&self.header).map_err(StoreError::backend)?;
                self.zip.write(header.as_bytes())?;
                self.zip.start(EVENTS_ENTRY)?;
                Step::Events(0)
            }
            Step::Events(after) => match self.write_lines(after).await? {
                Some((last, count)) => {
                    events = count;
                    Step::Events(last)
                }
                None => {
                    self.zip.start(TRANSCRIPT_ENTRY)?;
                    let heading = self.transcript.heading();
                    self.zip.write(heading.as_bytes())?;
                    Step::Transcript(0)
                }
            },
            Step::Transcript(after) => match self.read(after).await? {
                (read, Some(last)) => {
                    let mut text = String::new();
                    read.iter().for_each(|event| self.transcript.push(&mut text, event, &self.contents));
                    self.zip.write(text.as_bytes())?;
                    events = read.len() as u64;
                    Step::Transcript(last)
                }
                (_, None) => Step::Contents,
            },
            Step::Contents => {
                let left = self.files_left();
                let is_end = !self.write_content().await?;
                files = left - self.files_left();
                if is_end { Step::End } else { Step::Contents }
            }
            Step::End => {
                self.zip.finish()?;
                Step::Done
            }
            Step::Done => return Ok(None),
        };
        Ok(Some(Piece { bytes: self.zip.take(), events, files }))
    }

    /// Writes lines of events after a position. Returns the last position and their number; `None` after the last event.
    async fn write_lines(&mut self, after: Seq) -> Result<Option<(Seq, u64)>, FileError> {
        if self.unwritten.is_empty() {
            self.unwritten = self.read(after).await?.0.into();
        }
        let (mut lines, mut written, mut lookups) = (String::new(), None, 0);
        while lookups < MAX_LOOKUPS_PER_PIECE
            && let Some(event) = self.unwritten.pop_front()
        {
            let mut contents = Vec::new();
            if let EventBody::Message { files, .. } = &event.body {
                for file in files.iter().take(MAX_FILES) {
                    contents.push(self.find_content(file).await?);
                    lookups += 1;
                }
            }
            let line = Line { event: (*event).clone(), contents };
            lines.push_str(&line.to_json().map_err(StoreError::backend)?);
            lines.push('\n');
            written = Some((event.seq, written.map_or(0, |(_, count)| count) + 1));
        }
        self.zip.write(lines.as_bytes())?;
        Ok(written)
    }

    /// Returns the hash of a file of a message, whose bytes are to be written; `None` if the object store does not have them all.
    async fn find_content(&mut self, file: &FileInfo) -> Result<Option<ContentHash>, FileError> {
        let posted = self.posted_content(file.id).await?;
        if let Some(content) = posted
            && self.contents.len() < MAX_ARCHIVED_FILES
            && self.files.size(content).await? == Some(file.size)
        {
            self.contents.insert(file.id, content);
            return Ok(Some(content));
        }
        self.lost += 1;
        Ok(None)
    }

    /// Returns the content of a file that a message of the room shows.
    async fn posted_content(&mut self, file: FileId) -> StoreResult<Option<ContentHash>> {
        let stored = self.store.file(file).await?;
        let posted = stored.filter(|file| file.is_posted && file.is_ready && file.room == self.header.room);
        Ok(posted.and_then(|file| file.content))
    }

    /// Writes the next bytes of contents. Returns `false` after the last one.
    async fn write_content(&mut self) -> Result<bool, FileError> {
        let Some(content) = &mut self.content else {
            let Some((file, hash)) = self.contents.pop_first() else { return Ok(false) };
            // Its message may have been deleted meanwhile.
            if self.written.contains(&hash) || self.posted_content(file).await?.is_none() {
                return Ok(true);
            }
            match self.files.size(hash).await? {
                Some(size) => {
                    self.content = Some(self.files.read(hash, None).await?);
                    self.written.insert(hash);
                    self.zip.start_content(hash, size)?;
                }
                None => self.lost += 1,
            }
            return Ok(true);
        };
        let (mut bytes, mut is_end) = (Vec::new(), false);
        while bytes.len() < CONTENT_BYTES_PER_PIECE && !is_end {
            match content.try_next().await? {
                Some(read) => bytes.extend_from_slice(&read),
                None => is_end = true,
            }
        }
        if is_end {
            self.content = None;
        }
        self.zip.write(&bytes)?;
        Ok(true)
    }

    /// Reads events after a position. Returns the last position with them; `None` after the last event.
    async fn read(&mut self, after: Seq) -> StoreResult<(Vec<Arc<Event>>, Option<Seq>)> {
        let RoomHeader { room, head, .. } = &self.header;
        if after >= *head {
            return Ok((Vec::new(), None));
        }
        let events = self.store.events_up_to(room, after, *head, MAX_EVENTS_PER_RESPONSE).await?;
        let last = events.last().map(|last| last.seq);
        Ok((events, last))
    }
}
