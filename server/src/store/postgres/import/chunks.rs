//! Copying chunks, and the end of an import.

use super::{Import, ImportError};
use crate::store::transfer::{Chunk, Key, Table};
use futures_util::SinkExt;
use std::pin::pin;
use tokio_postgres::types::ToSql;

const INSERT_CHUNK: &str = "
    INSERT INTO import_chunk (number, table_name, after_key, last_key, row_count, digest) VALUES ($1, $2, $3, $4, $5, $6)";

/// The messages of a chunk that address users.
const INSERT_MENTIONS: &str = "
    INSERT INTO mention (user_id, room, seq)
    SELECT u.id, e.room, e.seq FROM event e CROSS JOIN LATERAL mentioned_users(e.mentions, e.author) AS u (id)
    WHERE (e.room, e.seq) > ($1::int8::int, $2::int8) AND (e.room, e.seq) <= ($3::int8::int, $4::int8)
        AND e.kind = 0 AND e.mentions IS NOT NULL";

/// The data that follows from the imported rows: the next numbers, and the count of links.
const FINISH: &str = "
    SELECT setval(pg_get_serial_sequence('room', 'id'), greatest(max(id), 1), max(id) IS NOT NULL) FROM room;
    SELECT setval(pg_get_serial_sequence('restriction', 'id'), greatest(max(id), 1), max(id) IS NOT NULL) FROM restriction;
    SELECT setval(pg_get_serial_sequence('invitation', 'id'), greatest(max(id), 1), max(id) IS NOT NULL) FROM invitation;
    SELECT setval(pg_get_serial_sequence('action', 'id'), greatest(max(id), 1), max(id) IS NOT NULL) FROM action;
    SELECT setval(pg_get_serial_sequence('report', 'id'), greatest(max(id), 1), max(id) IS NOT NULL) FROM report;
    SELECT setval(pg_get_serial_sequence('content', 'number'), greatest(max(number), 1), max(number) IS NOT NULL) FROM content;
    SELECT setval(pg_get_serial_sequence('file', 'number'), greatest(max(number), 1), max(number) IS NOT NULL) FROM file;
    UPDATE device_link_count SET links = (SELECT count(*) FROM device_link);
    DELETE FROM import_chunk";

impl Import {
    /// Copies a chunk. It follows the chunks that are copied.
    ///
    /// # Errors
    /// [`ImportError`]; nothing of the chunk is copied then.
    pub async fn append(&mut self, chunk: Chunk) -> Result<(), ImportError> {
        let transaction = self.client.transaction().await?;
        // First, so that a process that continues waits for this transaction.
        let count =
            "UPDATE import SET chunks = chunks + 1 WHERE id = $1 AND chunks = $2 AND finished_at IS NULL";
        if transaction.execute(count, &[&self.id, &self.chunks]).await? == 0 {
            return Err(ImportError::Concurrent);
        }
        let table = chunk.table;
        let copy = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", table.name(), table.column_list());
        {
            let mut sink = pin!(transaction.copy_in(copy.as_str()).await?);
            sink.send(chunk.copy).await?;
            sink.finish().await?;
        }
        if table == Table::Event {
            let (after, last) = (chunk.after.unwrap_or_default(), chunk.last.unwrap_or_default());
            transaction.execute(INSERT_MENTIONS, &[&after.0, &after.1, &last.0, &last.1]).await?;
        }
        let parts = |key: Option<Key>| key.map(|(first, second)| vec![first, second]);
        let parameters: [&(dyn ToSql + Sync); 6] = [
            &self.chunks,
            &table.name(),
            &parts(chunk.after),
            &parts(chunk.last),
            &chunk.rows.cast_signed(),
            &chunk.digest.as_slice(),
        ];
        transaction.execute(INSERT_CHUNK, &parameters).await?;
        transaction.commit().await?;
        self.chunks += 1;
        self.rows += chunk.rows;
        Ok(())
    }

    /// Finishes the import: servers may start on the database from now on.
    ///
    /// # Errors
    /// [`ImportError`]; the import is unfinished then.
    pub async fn finish(mut self) -> Result<(), ImportError> {
        let transaction = self.client.transaction().await?;
        let finish = "UPDATE import SET finished_at = now_millis() WHERE id = $1 AND chunks = $2";
        if transaction.execute(finish, &[&self.id, &self.chunks]).await? == 0 {
            return Err(ImportError::Concurrent);
        }
        transaction.batch_execute(FINISH).await?;
        Ok(transaction.commit().await?)
    }
}
