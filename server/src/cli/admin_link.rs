//! `hubbub admin-link`.

use super::{Settings, block_on, cannot_use_database, database_url};
use crate::{
    data::folder::{STORE_FILE, cannot_open},
    links, secret,
    secret_url::SecretUrl,
    store::{PostgresStore, SqliteStore, hexadecimal},
};

pub(super) fn run(settings: Settings<'_>, database: Option<&SecretUrl>) -> Result<String, String> {
    let (token, hash) = secret::new_secret();
    let hash = hexadecimal(&hash);
    match database.or(settings.database) {
        Some(SecretUrl(url)) => {
            let url = database_url(url)?;
            block_on(PostgresStore::set_admin_link(&url, &hash))?
                .map_err(|error| cannot_use_database(&url, error))?;
        }
        None => {
            let file = settings.data.join(STORE_FILE);
            SqliteStore::set_admin_link(&file, &hash).map_err(|error| cannot_open(&file, error))?;
        }
    }
    let link = links::admin_link(settings.public_url, settings.addr, &token);
    Ok(format!("Whoever opens this link first becomes the administrator. An earlier link ends.\n{link}"))
}
