//! `hubbub admin-link`.

use super::{block_on, cannot_use_database, database_url};
use crate::{
    config::Config,
    data::folder::{STORE_FILE, cannot_open},
    hexadecimal, links, secret,
    secret_url::SecretUrl,
    store::{PostgresStore, SqliteStore},
};

pub(super) fn run(config: &Config, database: Option<&SecretUrl>) -> Result<String, String> {
    let (token, hash) = secret::new_secret();
    let hash = hexadecimal::encode(&hash);
    match database.or(config.database.as_ref()) {
        Some(SecretUrl(url)) => {
            let url = database_url(url)?;
            block_on(PostgresStore::set_admin_link(&url, &hash))?
                .map_err(|error| cannot_use_database(&url, error))?;
        }
        None => {
            let file = config.data.join(STORE_FILE);
            SqliteStore::set_admin_link(&file, &hash).map_err(|error| cannot_open(&file, error))?;
        }
    }
    let link = links::admin_link(config.public_url.as_ref(), &config.addr, &token);
    Ok(format!("Whoever opens this link first becomes the administrator. An earlier link ends.\n{link}"))
}
