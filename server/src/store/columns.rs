//! The common parts of the columns of both kinds of database.

use super::NewFile;
use app::wire::{
    DisplayName, FileId, FileInfo, Files, Mention, Mentions, Operation, Retention, Seq, User, UserId,
};

/// The column `kind` of an event.
pub(super) mod kind {
    /// The place of an event that has expired.
    pub(in super::super) const EXPIRED: i16 = -1;
    pub(in super::super) const MESSAGE: i16 = 0;
    pub(in super::super) const EDIT: i16 = 1;
    pub(in super::super) const DELETE: i16 = 2;
    pub(in super::super) const REACT: i16 = 3;
    pub(in super::super) const UNREACT: i16 = 4;
    /// The messages up to the target have expired.
    pub(in super::super) const EXPIRE: i16 = 6;
}

/// Returns the columns `kind`, `text`, `reply_to` and `target` of an event.
pub(super) fn of_operation(operation: &Operation) -> (i16, &str, Option<Seq>, Option<Seq>) {
    match operation {
        Operation::Post { text, reply_to } => (kind::MESSAGE, text, *reply_to, None),
        Operation::Edit { target, text } => (kind::EDIT, text, None, Some(*target)),
        Operation::Delete { target } => (kind::DELETE, "", None, Some(*target)),
        Operation::React { target, emoji, on: true } => (kind::REACT, emoji, None, Some(*target)),
        Operation::React { target, emoji, on: false } => (kind::UNREACT, emoji, None, Some(*target)),
    }
}

/// Returns a position as a database compares it; one that no event can have is after all events.
pub(super) fn position(seq: Seq) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Returns the id of a user, which a database stores as a signed integer.
pub(super) fn user_id(id: i64) -> UserId {
    UserId(id.cast_unsigned())
}

/// Returns how long messages of a room are kept, from a column with hours: NULL as long as the server keeps them, 0 without
/// limit.
pub(super) fn retention(hours: Option<i64>) -> Option<Retention> {
    u32::try_from(hours?).ok()?.try_into().ok()
}

/// Digits of a user's id in the column `mentions`.
const ID_DIGITS: usize = 16;

/// Returns the column `mentions` of an event: for each mention a line with the id of the user and the name in the text. NULL
/// if there are none.
pub(super) fn of_mentions(mentions: &Mentions) -> Option<String> {
    let lines: Vec<String> = mentions.iter().map(|it| format!("{}{}", it.user.id, it.name)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Reads the column `mentions`. The users have generated names until the reader sets the present ones. Lines of another
/// form are ignored.
pub(super) fn mentions(column: Option<&str>) -> Mentions {
    let mention = |line: &str| {
        let (id, name) = line.split_at_checked(ID_DIGITS)?;
        let id: UserId = id.parse().ok()?;
        Some(Mention { name: name.into(), user: User::new(id, DisplayName::generated(id)) })
    };
    column.map_or_else(Mentions::default, |column| column.split('\n').filter_map(mention).collect())
}

/// Returns the column `files` of an event. NULL if the message shows none.
pub(super) fn of_files(files: &Files) -> Option<String> {
    (!files.is_empty()).then(|| files.to_json())
}

/// Reads the column `files`. One that is damaged counts as empty.
pub(super) fn files(column: Option<&str>) -> Files {
    column.map_or_else(Files::default, Files::parse)
}

/// Returns the column `info` of a file.
pub(super) fn of_file_info(info: &FileInfo) -> String {
    Files::from_iter([info.clone()]).to_json()
}

/// Returns the column `info` of an upload that begins.
pub(super) fn new_file_info(file: &NewFile) -> String {
    of_file_info(&unknown_file(file.id, file.name.clone(), file.alt.clone(), file.size))
}

/// Reads the column `info` of a file. One that is damaged has no name.
pub(super) fn file_info(column: &str, id: FileId) -> FileInfo {
    let info = Files::parse(column).iter().next().cloned();
    info.unwrap_or_else(|| unknown_file(id, "".into(), "".into(), 0))
}

fn unknown_file(id: FileId, name: std::sync::Arc<str>, alt: std::sync::Arc<str>, size: u64) -> FileInfo {
    let media_type = "application/octet-stream".into();
    FileInfo { id, name, media_type, size, width: None, height: None, alt, animated: false }
}

/// Returns the users whom a message of `author` notifies, each once.
pub(super) fn notified(mentions: &Mentions, author: UserId) -> impl Iterator<Item = UserId> {
    mentions.user_ids().into_iter().filter(move |user| *user != author)
}
