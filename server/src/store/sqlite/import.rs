//! Imports into a [`SqliteStore`].

use super::{SqliteStore, WriteCommand, WriteOutput};
use crate::store::{ImportRefusal, PendingCommit, RoomImport, RoomImportStore};
use async_trait::async_trait;

#[async_trait]
impl RoomImportStore for SqliteStore {
    fn import_events(&self, import: RoomImport) -> PendingCommit<Result<u32, ImportRefusal>> {
        self.commit(WriteCommand::ImportEvents(Box::new(import)), |output| match output {
            WriteOutput::Imported(imported) => Some(imported),
            _ => None,
        })
    }
}
