//! Rows as PostgreSQL reads them.

use crate::store::transfer::{ChunkBuilder, Key, Kind, Table};
use app::wire::sanitize_for_display;
use rusqlite::{Row, types::Type};
use std::borrow::Cow;

/// Adds a row in the columns of the table.
pub(super) fn push(table: Table, row: &Row<'_>, chunk: &mut ChunkBuilder) -> rusqlite::Result<()> {
    chunk.begin_row(key(table, row)?);
    for (at, column) in table.columns().iter().enumerate() {
        let oid = column.kind.oid();
        match column.kind {
            _ if row.get_ref(at)?.data_type() == Type::Null => chunk.push(oid, None),
            Kind::Bool => chunk.push(oid, Some(&[u8::from(row.get::<_, bool>(at)?)])),
            Kind::Int2 => chunk.push(oid, Some(&row.get::<_, i16>(at)?.to_be_bytes())),
            Kind::Int4 => chunk.push(oid, Some(&row.get::<_, i32>(at)?.to_be_bytes())),
            Kind::Int8 => chunk.push(oid, Some(&row.get::<_, i64>(at)?.to_be_bytes())),
            Kind::Text => chunk.push(oid, Some(without_nul(text(row, at)?).as_bytes())),
            // A reader of either store sees this form.
            Kind::MessageText => chunk.push(oid, Some(sanitize_for_display(text(row, at)?).as_bytes())),
            Kind::Bytes => chunk.push(oid, Some(row.get_ref(at)?.as_blob()?)),
            Kind::Uuid => chunk.push(oid, Some(&row.get::<_, [u8; 16]>(at)?)),
        }
    }
    Ok(())
}

/// Returns the key of a row: its first columns.
fn key(table: Table, row: &Row<'_>) -> rusqlite::Result<Option<Key>> {
    Ok(match table.key_columns() {
        0 => None,
        1 => Some((row.get(0)?, 0)),
        _ => Some((row.get(0)?, row.get(1)?)),
    })
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    Ok(row.get_ref(column)?.as_str()?)
}

/// Returns a text that PostgreSQL can store: its texts have no NUL.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
