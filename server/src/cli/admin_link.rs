//! `hubbub admin-link`.

use crate::{
    cli::Settings,
    data::folder::{STORE_FILE, cannot_open},
    links, secret,
    secret_url::SecretUrl,
    store::{DatabaseUrl, PostgresStore, SqliteStore},
};

pub(super) fn run(settings: Settings<'_>) -> Result<String, String> {
    let token = secret::new_secret();
    let hash = secret::to_hex(&secret::hash(&token));
    match settings.database {
        Some(SecretUrl(url)) => {
            let url: DatabaseUrl = url.parse().map_err(|error| format!("cannot use --database: {error}"))?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
            runtime
                .block_on(PostgresStore::set_admin_link(&url, &hash))
                .map_err(|error| format!("cannot use the database {url}: {error}"))?;
        }
        None => {
            let file = settings.data.join(STORE_FILE);
            SqliteStore::set_admin_link(&file, &hash).map_err(|error| cannot_open(&file, error))?;
        }
    }
    let link = links::admin_link(settings.public_url, settings.addr, &token);
    Ok(format!("Whoever opens this link first becomes the administrator. An earlier link ends.\n{link}"))
}
