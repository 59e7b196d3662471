//! `hubbub export ROOM`: writes a room into one file.

use super::{block_on, counted, installation::Installation, progress::Progress};
use crate::{
    archive::ArchiveWriter,
    config::Config,
    data::{
        durable::{self, beside},
        folder::{STORE_FILE, cannot_open},
    },
    files::FileError,
    secret_url::SecretUrl,
    store::StoreResult,
};
use app::wire::RoomName;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    mem,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

pub(super) fn run(
    config: &Config,
    database: Option<&SecretUrl>,
    room: &RoomName,
    out: Option<&Path>,
    is_forced: bool,
) -> Result<String, String> {
    let out = out.map_or_else(|| PathBuf::from(format!("{room}.zip")), Path::to_owned);
    if out.exists() && !is_forced {
        return Err(cannot_open(&out, "it exists; --force replaces it"));
    }
    let store_file = config.data.join(STORE_FILE);
    // First, so that a wrong path does not create a data folder.
    if database.or(config.database.as_ref()).is_none() && !store_file.exists() {
        return Err(cannot_open(&store_file, "there are no messages to export"));
    }
    block_on(export(config, database, room, &out))?
}

async fn export(
    config: &Config,
    database: Option<&SecretUrl>,
    room: &RoomName,
    out: &Path,
) -> Result<String, String> {
    let installation = Installation::open(config, database).await?;
    let store = installation.store.clone();
    let exported = async {
        if !room.is_lobby()
            && !exists(&installation, room).await.map_err(|error| installation.cannot_use(error))?
        {
            return Err(installation.cannot_use(format_args!("there is no room {room}")));
        }
        let archive = ArchiveWriter::begin(store.clone(), installation.open_files()?, room).await;
        let archive = archive.map_err(|error| installation.cannot_use(error))?;
        write(&installation, archive, out).await
    };
    let exported = exported.await;
    store.close().await;
    let Written { events, files, lost } = exported?;
    let events = counted(events, "event");
    let files = if files > 0 { format!(" and {}", counted(files, "file")) } else { String::new() };
    let missing = match lost {
        0 => String::new(),
        1 => " 1 file is missing.".into(),
        lost => format!(" {lost} files are missing."),
    };
    Ok(format!("{} has {events}{files} of the room {room}.{missing}", out.display()))
}

/// The number of events and files that were written.
struct Written {
    events: u64,
    files: u64,
    /// Files whose bytes are not at their place.
    lost: u64,
}

/// Returns whether a room has a row.
async fn exists(installation: &Installation, room: &RoomName) -> StoreResult<bool> {
    let entry_request =
        crate::store::EntryRequest { user: app::wire::UserId(0), network: None, room: Some(room.clone()) };
    Ok(installation.store.standing(entry_request).await?.room.exists)
}

/// Writes a file beside `out` that takes its place when it is complete; otherwise it is removed.
async fn write(installation: &Installation, archive: ArchiveWriter, out: &Path) -> Result<Written, String> {
    let part = beside(out, ".part");
    let cannot_write = |error: io::Error| cannot_open(out, error);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(durable::PRIVATE).open(&part);
    let mut file = file.map_err(cannot_write)?;
    let written = Box::pin(write_pieces(&mut file, archive, installation.files.is_some())).await;
    let finished = written.and_then(|written| {
        file.sync_all().and_then(|()| durable::rename(&part, out)).map_err(Failure::Out)?;
        Ok(written)
    });
    finished.map_err(|failure| {
        let _ = durable::remove(&part);
        match failure {
            Failure::Files(FileError::Objects(error)) => format!("cannot read a file: {error}"),
            Failure::Files(error) => installation.cannot_use(error),
            Failure::NoPlace => installation.cannot_use(
                "the room has files, and where they are is not said; name it with --files or HUBBUB_FILES",
            ),
            Failure::Out(error) => cannot_write(error),
        }
    })
}

/// The reason why an archive was not written.
enum Failure {
    Files(FileError),
    NoPlace,
    Out(io::Error),
}

async fn write_pieces(
    file: &mut File,
    mut archive: ArchiveWriter,
    has_place: bool,
) -> Result<Written, Failure> {
    let total = archive.total();
    let mut progress = Progress::start(("read", "events"), total, 0);
    let (mut events, mut files) = (0, None);
    let written = async {
        while let Some(piece) = archive.next().await.map_err(Failure::Files)? {
            file.write_all(&piece.bytes).map_err(Failure::Out)?;
            if !has_place && archive.lost() > 0 {
                return Err(Failure::NoPlace);
            }
            progress.advance(if files.is_some() { piece.files } else { piece.events });
            events += piece.events;
            if events == total && files.is_none() && archive.files_left() > 0 {
                files = Some(archive.files_left());
                let files = Progress::start(("read", "files"), archive.files_left(), 0);
                mem::replace(&mut progress, files).finish();
            }
        }
        let (files, lost) = (files.unwrap_or_default(), archive.lost());
        Ok(Written { events: total / 2, files, lost })
    };
    let written = written.await;
    progress.finish();
    written
}
