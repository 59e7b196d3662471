//! The check at the end of an import: each chunk has the rows that were read from the folder, and there are no others.

use super::{Import, ImportError, target::key};
use crate::store::transfer::{Digest, Key, Table};
use tokio_postgres::Row;

/// Descriptions of chunks that one statement reads.
const CHUNKS_PER_READ: i64 = 100;

const SELECT_CHUNKS: &str = "
    SELECT number, table_name, after_key, last_key, row_count, digest FROM import_chunk
    WHERE number > $1 ORDER BY number LIMIT $2";

/// The description of a chunk.
struct Expected {
    number: i64,
    table: Table,
    after: Option<Key>,
    last: Option<Key>,
    rows: i64,
    digest: Digest,
}

impl Import {
    /// Compares the rows of each chunk, by their number and digest, with what was read from the folder, and the number of all
    /// rows with `counts`, those of the folder. Calls `checked` with the number of rows after each chunk.
    ///
    /// # Errors
    /// [`ImportError::Different`].
    pub async fn verify(
        &self,
        counts: &[(Table, u64)],
        mut checked: impl FnMut(u64),
    ) -> Result<(), ImportError> {
        let mut after = -1;
        loop {
            let rows = self.client.query(SELECT_CHUNKS, &[&after, &CHUNKS_PER_READ]).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let expected = Expected::read(row)?;
                self.verify_chunk(&expected).await?;
                after = expected.number;
                checked(expected.rows.unsigned_abs());
            }
        }
        // Only now: for a chunk, a scan of the whole table would be wrong, and without statistics it looks cheap.
        self.client.batch_execute("SET enable_seqscan = on").await?;
        for (table, rows) in counts {
            let count = format!("SELECT count(*) FROM {}", table.name());
            let found: i64 = self.client.query_one(&count, &[]).await?.try_get(0)?;
            if found.unsigned_abs() != *rows {
                return Err(different(*table, format!("{found} instead of {rows}")));
            }
        }
        Ok(())
    }

    async fn verify_chunk(&self, expected: &Expected) -> Result<(), ImportError> {
        let row = self.client.query_one(&select_digest(expected), &[]).await?;
        let (rows, digest): (i64, &[u8]) = (row.try_get(0)?, row.try_get(1)?);
        if rows != expected.rows {
            return Err(different(
                expected.table,
                format!("{rows} instead of {}{}", expected.rows, range(expected)),
            ));
        }
        if digest != expected.digest {
            return Err(different(expected.table, format!("another checksum of {rows}{}", range(expected))));
        }
        Ok(())
    }
}

impl Expected {
    fn read(row: &Row) -> Result<Self, ImportError> {
        let name: &str = row.try_get(1)?;
        let unknown =
            || ImportError::Different { table: "import_chunk", detail: format!("'{name}' is unknown") };
        let digest: &[u8] = row.try_get(5)?;
        Ok(Self {
            number: row.try_get(0)?,
            table: Table::from_name(name).ok_or_else(unknown)?,
            after: key(row, 2)?,
            last: key(row, 3)?,
            rows: row.try_get(4)?,
            digest: digest.try_into().map_err(|_| unknown())?,
        })
    }
}

/// Returns the statement that counts the rows of a chunk and computes their digest, in the order in which they were read.
fn select_digest(Expected { table, after, last, .. }: &Expected) -> String {
    let columns = table.column_list();
    let key: Vec<_> = table.columns().iter().take(table.key_columns()).map(|column| column.name).collect();
    // The order of a table that is one chunk.
    let order = if key.is_empty() { table.columns()[0].name.to_owned() } else { key.join(", ") };
    let bound = |operator: &str, bound: &Option<Key>| match (bound, key.len()) {
        (Some((first, _)), 1) => format!(" AND {order} {operator} {first}"),
        (Some((first, second)), 2) => format!(" AND ({order}) {operator} ({first}, {second})"),
        _ => String::new(),
    };
    format!(
        "SELECT count(*), sha256(coalesce(string_agg(record_send(ROW({columns})), ''::bytea ORDER BY {order}), ''))
         FROM {} WHERE true{}{}",
        table.name(),
        bound(">", after),
        bound("<=", last)
    )
}

/// Returns where the rows of a chunk are, for a message.
fn range(expected: &Expected) -> String {
    let text = |key: Option<Key>| key.map(|key| format!("{}/{}", key.0, key.1));
    match (text(expected.after), text(expected.last)) {
        (Some(after), Some(last)) => format!(" after {after} up to {last}"),
        (None, Some(last)) => format!(" up to {last}"),
        _ => String::new(),
    }
}

fn different(table: Table, detail: String) -> ImportError {
    ImportError::Different { table: table.name(), detail }
}
