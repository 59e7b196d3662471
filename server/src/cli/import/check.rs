//! The first reading of an archive: everything is valid, before anything is stored.

use super::Source;
use crate::{
    archive::{ArchiveError, Line},
    cli::progress::Progress,
    files::FileLimits,
    store::ContentHash,
};
use app::wire::EventBody;
use std::collections::BTreeMap;

/// Reads all events and the contents of their files. Returns `true` if there are files. Has the hashes of the contents in memory.
///
/// # Errors
/// [`ArchiveError`].
pub(super) fn check(source: &mut Source, limits: FileLimits) -> Result<bool, ArchiveError> {
    let available = source.contents.contents();
    let mut sizes = BTreeMap::new();
    let progress = Progress::start(("checked", "events"), source.archive.header().head, 0);
    let mut events = source.archive.events(source.latest)?;
    while let Some(line) = events.read_next()? {
        for (content, size) in sizes_of(&line) {
            if available.contains(&content) && *sizes.entry(content).or_insert(size) != size {
                return Err(ArchiveError::Event(line.event.seq, "one of its files has another size before"));
            }
        }
        progress.advance(1);
    }
    progress.finish();
    if sizes.is_empty() {
        return Ok(false);
    }
    let progress = Progress::start(("checked", "files"), sizes.len() as u64, 0);
    for (content, size) in sizes {
        source.contents.check_content(content, size, limits.max_bytes)?;
        progress.advance(1);
    }
    progress.finish();
    Ok(true)
}

/// Returns the contents of the files of a message with their sizes.
fn sizes_of(line: &Line) -> impl Iterator<Item = (ContentHash, u64)> {
    let files = match &line.event.body {
        EventBody::Message { files, .. } => Some(files),
        _ => None,
    };
    let files = files.into_iter().flatten();
    files.zip(&line.contents).filter_map(|(file, content)| Some(((*content)?, file.size)))
}
