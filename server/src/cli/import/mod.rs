//! `hubbub import FILE`: adds the events of an exported room, and the files of its messages.

mod check;
mod files;

use super::{block_on, counted, installation::Installation, progress::Progress};
use crate::{
    archive::{ArchiveError, ArchiveReader, RoomHeader},
    config::Config,
    data::folder::cannot_open,
    secret_url::SecretUrl,
    store::{self, MAX_IMPORT_AHEAD, MAX_IMPORTED_EVENTS, RoomImport, RoomInfo, StoreResult},
};
use app::wire::{Event, EventBody, RoomName};
use files::FileImport;
use std::{fmt::Display, mem, path::Path};

/// Bytes of text that one step stores, at most, beside the last event.
const MAX_STEP_BYTES: usize = 512 * 1_024;

pub(super) fn run(
    config: &Config,
    database: Option<&SecretUrl>,
    file: &Path,
    room: Option<&RoomName>,
) -> Result<String, String> {
    let cannot_read = |error: ArchiveError| cannot_open(file, error);
    let archive = ArchiveReader::open(file).map_err(cannot_read)?;
    // The events and the contents of files are read in turns.
    let contents = ArchiveReader::open(file).map_err(cannot_read)?;
    let mut source = Source { archive, contents, latest: store::now().saturating_add(MAX_IMPORT_AHEAD) };
    // Everything is read once before anything is stored.
    let has_files = check::check(&mut source, config.file_limits()).map_err(cannot_read)?;
    if has_files && database.or(config.database.as_ref()).is_some() && config.files.is_none() {
        let reason =
            "it has files, and where they are kept is not said; name it with --files or HUBBUB_FILES";
        return Err(cannot_open(file, reason));
    }
    block_on(import(config, database, (file, source), room))?
}

/// The archive.
struct Source {
    archive: ArchiveReader,
    /// The same one, for the contents of files.
    contents: ArchiveReader,
    /// The latest time that an event may have.
    latest: app::wire::Millis,
}

async fn import(
    config: &Config,
    database: Option<&SecretUrl>,
    (file, mut source): (&Path, Source),
    room: Option<&RoomName>,
) -> Result<String, String> {
    let room = room.unwrap_or(&source.archive.header().room).clone();
    let installation = Installation::open(config, database).await?;
    let imported = add(&installation, &mut source, &room).await;
    installation.store.close().await;
    let Counts { added, files, missing } = match imported {
        Ok(counts) => counts,
        Err((added, Failure::Archive(error))) => return Err(cannot_open(file, partial(error, added))),
        Err((added, Failure::Store(error))) => return Err(installation.cannot_use(partial(error, added))),
        Err((added, Failure::Files(error))) => return Err(partial(error, added)),
    };
    let known = match source.archive.header().head - added {
        0 => String::new(),
        known => format!(" {} were there already.", counted(known, "event")),
    };
    let files = if files > 0 { format!(" and {}", counted(files, "file")) } else { String::new() };
    let missing = match missing {
        0 => String::new(),
        1 => " 1 file is not in the archive.".into(),
        missing => format!(" {missing} files are not in the archive."),
    };
    Ok(format!("The room {room} has {}{files} more.{known}{missing}", counted(added, "event")))
}

/// The number of events and files that were imported.
#[derive(Debug, Default)]
struct Counts {
    added: u64,
    files: u64,
    /// Files of messages that the archive does not have.
    missing: u64,
}

/// The reason why an import ended.
enum Failure {
    Archive(String),
    Store(String),
    Files(String),
}

/// Returns the reason with what was imported before.
fn partial(error: impl Display, added: u64) -> String {
    match added {
        0 => format!("{error}; nothing was imported"),
        added => format!("{error}; the {} before are imported", counted(added, "event")),
    }
}

/// Adds the events step by step; each step is stored as a whole.
async fn add(
    installation: &Installation,
    source: &mut Source,
    room: &RoomName,
) -> Result<Counts, (u64, Failure)> {
    let cannot_use = |error: &dyn Display| (0, Failure::Store(error.to_string()));
    let head = head(installation, room).await.map_err(|error| cannot_use(&error))?;
    let files = installation.open_files().map_err(|error| (0, Failure::Files(error)))?;
    let mut import = Import {
        installation,
        header: source.archive.header().clone(),
        room,
        files: FileImport::new(&files, &mut source.contents, room, head),
        counts: Counts::default(),
    };
    let archive = |error: ArchiveError| Failure::Archive(error.to_string());
    let mut events = source.archive.events(source.latest).map_err(|error| (0, archive(error)))?;
    let progress = Progress::start(("imported", "events"), import.header.head, 0);
    let (mut step, mut bytes) = (Vec::new(), 0);
    loop {
        let next = events.read_next().map_err(archive);
        let next = match next {
            Ok(Some(line)) => import.files.add(line).await.map(Some),
            other => other.map(|_| None),
        };
        let next = match next {
            Ok(next) => next,
            Err(failure) => return Err(import.fail(failure).await),
        };
        let is_end = next.is_none();
        if let Some(event) = next {
            bytes += text_bytes(&event);
            step.push(event);
        }
        let is_full =
            step.len() == MAX_IMPORTED_EVENTS || bytes > MAX_STEP_BYTES || import.files.is_step_full();
        if is_end || is_full {
            let count = step.len() as u64;
            if let Err(failure) = import.store(mem::take(&mut step)).await {
                return Err(import.fail(failure).await);
            }
            progress.advance(count);
            bytes = 0;
        }
        if is_end {
            progress.finish();
            return Ok(import.counts);
        }
    }
}

/// Returns the last event of a room.
async fn head(installation: &Installation, room: &RoomName) -> StoreResult<app::wire::Seq> {
    Ok(installation.store.room(room).await?.head)
}

/// An import under way.
struct Import<'a> {
    installation: &'a Installation,
    header: RoomHeader,
    room: &'a RoomName,
    files: FileImport<'a>,
    counts: Counts,
}

impl Import<'_> {
    /// Stores a step.
    async fn store(&mut self, events: Vec<Event>) -> Result<(), Failure> {
        let import = room_import(&self.header, self.room, events);
        let added = match self.installation.store.import_events(import).await {
            Ok(Ok(added)) => added,
            Ok(Err(refused)) => return Err(Failure::Archive(refused.to_string())),
            Err(error) => return Err(Failure::Store(error.to_string())),
        };
        let (files, missing) = self.files.stored();
        self.counts.added += u64::from(added);
        self.counts.files += files;
        self.counts.missing += missing;
        Ok(())
    }

    /// Forgets the files of a step that is not stored. Returns the failure with the number of events that are.
    async fn fail(&mut self, failure: Failure) -> (u64, Failure) {
        self.files.forget().await;
        (self.counts.added, failure)
    }
}

fn text_bytes(event: &Event) -> usize {
    match &event.body {
        EventBody::Message { text, .. } | EventBody::Edit { text, .. } => text.len(),
        _ => 0,
    }
}

fn room_import(header: &RoomHeader, room: &RoomName, events: Vec<Event>) -> RoomImport {
    let info = RoomInfo {
        title: header.title.clone(),
        topic: header.topic.clone(),
        owner: header.owner.as_ref().map(|owner| owner.id),
        private: header.unlisted,
        contested: false,
        retention: header.kept_hours,
    };
    RoomImport {
        room: room.clone(),
        info,
        members_only: header.members_only || room.is_members_only(),
        owner: header.owner.clone(),
        events,
    }
}
