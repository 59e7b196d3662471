//! What a killed server leaves in a folder: bytes that were on the way to the name of an object. `object_store` writes them
//! under that name with `#` and a number, and lists no such names.

use super::THUMBNAIL_SUFFIX;
use crate::{hexadecimal, store::UNPOSTED_LIFETIME};
use std::{
    fs::{self, DirEntry, ReadDir},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// Entries of folders that one step looks at.
const MAX_ENTRIES_PER_STEP: usize = 1_000;

/// The age of staged bytes of which nothing comes any more, and the time between two walks over the folder.
const LIFETIME: Duration = Duration::from_millis(UNPOSTED_LIFETIME);

/// A walk over the folder of files, step by step, that removes what is staged and old.
pub struct StagedFiles {
    folder: PathBuf,
    /// The folders in which the walk is, the innermost one last; none between two walks.
    open: Vec<(PathBuf, ReadDir)>,
    /// The time at which the last walk began.
    began: Option<Instant>,
}

impl StagedFiles {
    /// Creates a walk over a folder, which begins at the first step and again an hour after it has begun.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, open: Vec::new(), began: None }
    }

    /// Looks at up to 1,000 further entries. Returns `true` if the walk goes on. Blocks.
    ///
    /// # Errors
    /// Those of the file system; the next step goes on behind them.
    pub fn step(&mut self) -> io::Result<bool> {
        if self.open.is_empty() {
            if self.began.is_some_and(|began| began.elapsed() < LIFETIME) {
                return Ok(false);
            }
            self.began = Some(Instant::now());
            self.enter(self.folder.clone())?;
        }
        for _ in 0..MAX_ENTRIES_PER_STEP {
            let depth = self.open.len();
            let Some((folder, entries)) = self.open.last_mut() else { return Ok(false) };
            match entries.next().transpose()? {
                Some(entry) if has_parts(depth, &entry) => self.enter(entry.path())?,
                Some(entry) => remove_if_staged(depth, folder, &entry)?,
                None => drop(self.open.pop()),
            }
        }
        Ok(true)
    }

    fn enter(&mut self, folder: PathBuf) -> io::Result<()> {
        if let Some(entries) = unless_gone(fs::read_dir(&folder))? {
            self.open.push((folder, entries));
        }
        Ok(())
    }
}

/// Returns `true` for the folder of parts, and for that of an upload in it.
fn has_parts(depth: usize, entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let is_folder = || entry.file_type().is_ok_and(|found| found.is_dir());
    match (depth, name.to_str()) {
        (1, Some("parts")) => is_folder(),
        (2, Some(id)) => id.len() == 32 && is_folder(),
        _ => false,
    }
}

fn remove_if_staged(depth: usize, folder: &Path, entry: &DirEntry) -> io::Result<()> {
    if !entry.file_name().to_str().is_some_and(|name| is_staged(depth, name)) {
        return Ok(());
    }
    let Some(found) = unless_gone(entry.metadata())? else { return Ok(()) };
    // A clock that has gone back makes nothing old.
    let age = SystemTime::now().duration_since(found.modified()?).unwrap_or_default();
    if !found.is_file() || age < LIFETIME {
        return Ok(());
    }
    unless_gone(fs::remove_file(entry.path()))?;
    if depth == 3 {
        // It stays if it has parts.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

/// Returns `true` for a name under which bytes are staged: of a content, a thumbnail or a part. Names of others are left
/// alone.
fn is_staged(depth: usize, name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((name, number)) = name.split_once('#') else { return false };
    let is_object = match depth {
        1 => hexadecimal::decode(name.strip_suffix(THUMBNAIL_SUFFIX).unwrap_or(name)).is_some(),
        3 => is_number(name),
        _ => false,
    };
    is_object && is_number(number)
}

/// Returns `None` if another server was faster.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
