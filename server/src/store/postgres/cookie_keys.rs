//! The keys of the cookies in a database, changed while servers use it.

use super::{connect::Connector, url::DatabaseUrl};
use std::error::Error;

/// Replaces the keys that sign the cookies by what `change` makes of them. Running servers read them again. Must be called
/// within a Tokio runtime.
///
/// # Errors
/// The reason that the database cannot be used, or the error of `change`; nothing is changed then.
pub async fn replace_cookie_key(
    url: &DatabaseUrl,
    change: impl FnOnce(&[u8]) -> Result<Vec<u8>, String>,
) -> Result<(), String> {
    let failed = |error: tokio_postgres::Error| match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    let connector = Connector::new(url).map_err(|error| error.to_string())?;
    let mut client = connector.connect().await.map_err(failed)?;
    let transaction = client.transaction().await.map_err(failed)?;
    let has_log =
        transaction.query_one("SELECT to_regclass('log') IS NOT NULL", &[]).await.map_err(failed)?;
    let none = || "there are no messages in it".to_owned();
    if !has_log.try_get::<_, bool>(0).map_err(failed)? {
        return Err(none());
    }
    let select = "SELECT cookie_key FROM log FOR UPDATE";
    let row = transaction.query_opt(select, &[]).await.map_err(failed)?.ok_or_else(none)?;
    let changed = change(row.try_get(0).map_err(failed)?)?;
    transaction.execute("UPDATE log SET cookie_key = $1", &[&changed]).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}
