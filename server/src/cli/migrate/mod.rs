//! `hubbub migrate --to URL`: copies a data folder into an empty PostgreSQL database.

mod folder;

use super::{
    block_on, cannot_use_database, counted, files,
    progress::{self, Progress},
};
use crate::{
    config::Config,
    data::folder::STORE_FILE,
    files::objects::FilePlace,
    store::{
        DatabaseUrl, Export, Import, ImportError, ImportTarget, Position, Table, TargetState, file_contents,
    },
};
use folder::Source;
use std::{fmt::Display, path::Path};
use tokio::{
    sync::mpsc,
    task::{self, JoinError},
};
use uuid::Uuid;

/// Chunks that are read ahead of the database.
const CHUNKS_WAITING: usize = 2;

pub(super) fn run(config: &Config, to: &str, is_forced: bool) -> Result<String, String> {
    let data = &config.data;
    let url: DatabaseUrl = to.parse().map_err(|error| format!("cannot use --to: {error}"))?;
    // First, so that a wrong path does not create a data folder.
    folder::check_exists(data)?;
    let done = block_on(migrate(data, &url, is_forced))??;
    Ok(done + &move_files(config)?)
}

/// Copies the files of messages to where servers on the database have them. Returns a line about that.
fn move_files(config: &Config) -> Result<String, String> {
    let (store, here) = (config.data.join(STORE_FILE), FilePlace::within(&config.data));
    match &config.files {
        Some(there) if *there != here => Ok(format!("\n{}", files::copy(&store, &here, there)?.trim())),
        Some(_) => Ok(String::new()),
        None if file_contents(&store).is_ok_and(|contents| !contents.is_empty()) => Ok(format!(
            "\nThe files of messages are in {here}: start the server with --files, which names them."
        )),
        None => Ok(String::new()),
    }
}

/// The database, for messages.
struct Target<'a>(&'a DatabaseUrl);

impl Target<'_> {
    fn cannot_use(&self, error: impl Display) -> String {
        cannot_use_database(self.0, error)
    }

    fn interrupted(&self, error: &ImportError) -> String {
        let advice = match error {
            ImportError::Different { .. } => "--force starts over",
            _ => "run this again to continue",
        };
        format!("{}; {advice}", self.cannot_use(error))
    }
}

async fn migrate(data: &Path, url: &DatabaseUrl, is_forced: bool) -> Result<String, String> {
    let target = Target(url);
    let connected = ImportTarget::connect(url).await;
    let mut database = connected.map_err(|error| target.cannot_use(error))?;
    let mut source = Source::lock(data)?;
    if let Some(mark) = source.finished_mark() {
        let state = database.prepare().await.map_err(|error| target.cannot_use(error))?;
        return match state {
            TargetState::Import { id, is_finished: true, .. } if id == mark.import => {
                Ok(format!("{url} has everything already.\n{}", source.advice()))
            }
            _ => Err(source.refusal(mark)),
        };
    }
    let export = progress::with_spinner("checking the folder", || source.open())?;
    let state = database.prepare().await.map_err(|error| target.cannot_use(error))?;
    let started = start(&target, database, state, &source, &export, is_forced).await?;
    let Some(mut import) = started else { return finished(&target, source, export) };
    source.mark(import.id(), url, false)?;
    let counts = export.counts().map_err(|error| source.cannot_read(error))?;
    let total = counts.iter().map(|(_, rows)| rows).sum();
    let export = copy(&target, &source, export, &mut import, total).await?;
    let progress = Progress::start(("checked", "rows"), total, 0);
    let verified = import.verify(&counts, |rows| progress.advance(rows)).await;
    progress.finish();
    let id = import.id();
    verified.map_err(|error| target.interrupted(&error))?;
    import.finish().await.map_err(|error| target.interrupted(&error))?;
    retire(&target, &mut source, export, id)?;
    Ok(summary(url, &source, &counts))
}

/// Begins an import, or continues the one whose mark the folder has. Returns `None` if that is finished.
async fn start(
    target: &Target<'_>,
    database: ImportTarget,
    state: TargetState,
    source: &Source,
    export: &Export,
    is_forced: bool,
) -> Result<Option<Import>, String> {
    let failed = |error: ImportError| target.cannot_use(error);
    match state {
        TargetState::Import { id, is_finished: true, .. } if source.is_marked(id) => Ok(None),
        TargetState::Import { id, log_id, is_finished: false }
            if source.is_marked(id) && log_id == export.log_id() && !is_forced =>
        {
            database.resume(id).await.map(Some).map_err(failed)
        }
        TargetState::Import { is_finished: false, .. } if !is_forced => Err(target.cannot_use(
            "it has a part of another folder, or of this one before it was used again; --force removes that and starts over",
        )),
        TargetState::Empty | TargetState::Import { is_finished: false, .. } => {
            let key = source.cookie_key(export.is_unused())?;
            database.begin(export.log_id(), &key).await.map(Some).map_err(failed)
        }
        TargetState::InUse | TargetState::Import { .. } => Err(failed(ImportError::InUse)),
    }
}

/// Copies the rows that are missing, while a thread reads the next ones.
async fn copy(
    target: &Target<'_>,
    source: &Source,
    export: Export,
    import: &mut Import,
    total: u64,
) -> Result<Export, String> {
    let (sender, mut chunks) = mpsc::channel(CHUNKS_WAITING);
    let from: Option<Position> = import.position();
    let reading = task::spawn_blocking(move || {
        let read = export.read(from, |chunk| sender.blocking_send(chunk).is_ok());
        (export, read)
    });
    let progress = Progress::start(("copied", "rows"), total, import.rows());
    while let Some(chunk) = chunks.recv().await {
        let rows = chunk.rows;
        import.append(chunk).await.map_err(|error| target.interrupted(&error))?;
        progress.advance(rows);
    }
    progress.finish();
    let (export, read) = reading.await.map_err(|error: JoinError| error.to_string())?;
    read.map_err(|error| source.cannot_read(error))?;
    Ok(export)
}

/// Marks the folder of an import that was finished just before the process ended.
fn finished(target: &Target<'_>, mut source: Source, export: Export) -> Result<String, String> {
    if let Some(import) = source.marked_import() {
        retire(target, &mut source, export, import)?;
    }
    Ok(format!("{} has everything.\n{}", target.0, source.advice()))
}

/// Makes the folder a backup, in this order: without its mark it must begin a new epoch.
fn retire(target: &Target<'_>, source: &mut Source, export: Export, import: Uuid) -> Result<(), String> {
    export.retire().map_err(|error| source.cannot_read(error))?;
    source.mark(import, target.0, true)
}

fn summary(url: &DatabaseUrl, source: &Source, counts: &[(Table, u64)]) -> String {
    let count = |wanted, thing| {
        counted(counts.iter().find(|(table, _)| *table == wanted).map_or(0, |(_, rows)| *rows), thing)
    };
    let (events, rooms) = (count(Table::Event, "event"), count(Table::Room, "room"));
    let (users, markers) = (count(Table::User, "user"), count(Table::ReadMarker, "read marker"));
    format!(
        "{url} has {events} in {rooms}, {users}, {markers} and the key that signs the cookies. Every row was checked.\n{}",
        source.advice()
    )
}
