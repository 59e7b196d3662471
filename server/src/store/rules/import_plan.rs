//! The changes that the new events of an import make.

use super::may_claim;
use crate::store::{ImportRefusal, StoredFile, columns::kind, reactions::Summary};
use app::wire::{CommandId, FileId, Files, Mentions, Millis, RoomName, Seq, UserId, limits::MAX_FILES};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct ImportedRow {
    pub(in crate::store) seq: Seq,
    pub(in crate::store) at: Millis,
    pub(in crate::store) id: CommandId,
    pub(in crate::store) author: UserId,
    pub(in crate::store) kind: i16,
    pub(in crate::store) text: Arc<str>,
    pub(in crate::store) reply_to: Option<Seq>,
    pub(in crate::store) target: Option<Seq>,
    pub(in crate::store) mentions: Mentions,
    pub(in crate::store) files: Files,
}

/// The last change of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct ImportedChange {
    pub(in crate::store) at: Millis,
    /// The present text; `None` if the message was deleted.
    pub(in crate::store) text: Option<Arc<str>>,
    pub(in crate::store) mentions: Mentions,
    /// The author of the message, unless it was deleted.
    pub(super) author: UserId,
}

/// The changes that the new events of an import make.
#[derive(Debug, Default)]
pub(in crate::store) struct ImportPlan {
    /// The events.
    pub(in crate::store) rows: Vec<ImportedRow>,
    /// The messages that they edit or delete.
    pub(in crate::store) changes: BTreeMap<Seq, ImportedChange>,
    /// The reactions to messages, with the position of the last event about each.
    pub(in crate::store) reactions: BTreeMap<Seq, (Seq, Summary)>,
    /// The last event that has expired, if that changes.
    pub(in crate::store) expired: Option<Seq>,
}

impl ImportPlan {
    /// Returns whom messages address from now on: each message with its author. Of others nothing changes.
    pub(in crate::store) fn addressing(&self) -> impl Iterator<Item = (Seq, UserId, &Mentions)> {
        let is_unchanged =
            |row: &&ImportedRow| row.kind == kind::MESSAGE && !self.changes.contains_key(&row.seq);
        let posted = self.rows.iter().filter(is_unchanged).map(|row| (row.seq, row.author, &row.mentions));
        posted.chain(self.changes.iter().map(|(seq, change)| (*seq, change.author, &change.mentions)))
    }

    /// Returns the first event of each author, without those who have erased everything.
    pub(in crate::store) fn first_posts(&self, erased: &HashSet<UserId>) -> BTreeMap<UserId, Seq> {
        let mut first = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.author != UserId(0) && !erased.contains(&row.author)) {
            first.entry(row.author).or_insert(row.seq);
        }
        first
    }

    /// Returns the files that messages show.
    pub(in crate::store) fn files(&self) -> impl Iterator<Item = FileId> {
        self.rows.iter().flat_map(|row| row.files.iter().map(|file| file.id))
    }

    /// Lets messages show their files as they are stored. Each is one of its author, uploaded for this room and in no other
    /// message.
    ///
    /// # Errors
    /// [`ImportRefusal::File`].
    pub(in crate::store) fn attach_files(
        &mut self,
        room: &RoomName,
        found: &HashMap<FileId, StoredFile>,
    ) -> Result<(), ImportRefusal> {
        let mut shown = HashSet::new();
        for row in self.rows.iter_mut().filter(|row| !row.files.is_empty()) {
            let may_show = |id: &FileId| may_claim(found.get(id), row.author, room, row.id).is_ok();
            let ids = row.files.ids();
            if ids.len() > MAX_FILES || !ids.iter().all(|id| shown.insert(*id) && may_show(id)) {
                return Err(ImportRefusal::File(row.seq));
            }
            row.files = ids.iter().filter_map(|id| found.get(id)).map(|file| file.info.clone()).collect();
        }
        Ok(())
    }
}
