//! Files that survive a power failure at any moment: written to a temporary file, synced and renamed.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Mode of every file in the data folder: only its owner can read and write it.
pub const PRIVATE: u32 = 0o600;

/// The permission bits of users other than the owner.
pub const OTHERS: u32 = 0o077;

/// Replaces the content of `path` atomically: after a power failure it has the old content or the new one, never a part.
/// The file is private. Returns when both content and name are on disk.
///
/// # Errors
/// The folder cannot be written; `path` is unchanged then.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = beside(path, ".new");
    remove(&beside)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    rename(&beside, path)
}

/// Renames a file over `to` and returns when the new name is on disk. The file itself must be synced already.
///
/// # Errors
/// The folder cannot be written.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder_of(to)
}

/// Removes a file if it exists.
///
/// # Errors
/// The folder cannot be written.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes the names in the folder of `path` to disk.
///
/// # Errors
/// The folder cannot be opened or synced.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Returns the path with `suffix` appended: `hubbub.db` and `-wal` make `hubbub.db-wal`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Removes the permissions of other users from a file or folder. Returns the former mode if other users had any; `None`
/// if it was private or does not exist.
///
/// # Errors
/// The file belongs to another user of the system.
pub fn make_private(path: &Path) -> io::Result<Option<u32>> {
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o7777,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if mode & OTHERS == 0 {
        return Ok(None);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & !OTHERS))?;
    Ok(Some(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_overwrites_the_temporary_file_of_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie.key");
        fs::write(beside(&path, ".new"), "half").unwrap();
        for content in ["first", "second"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn make_private_reports_the_former_mode_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie.key");
        assert_eq!(make_private(&path).unwrap(), None);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(make_private(&path).unwrap(), Some(0o644));
        assert_eq!(make_private(&path).unwrap(), None);
    }
}
