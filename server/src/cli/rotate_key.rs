//! `hubbub rotate-key`: makes a new key for the cookies, while servers may be running.

use super::{block_on, cannot_use_database, counted, database_url};
use crate::{
    config::Config,
    data::{
        cookie_key,
        folder::{KEY_FILE, MARK_FILE, cannot_open},
        key_ring::{self, KeyRing},
        move_mark::MoveMark,
    },
    secret_url::SecretUrl,
    store::{DatabaseUrl, replace_cookie_key},
};
use axum_extra::extract::cookie::Key;
use std::{fs, path::Path, time::Duration};

/// Minutes until a new key signs. Servers look at the keys every few seconds.
const DELAY_MINUTES: u32 = 1;

/// The same for a key in a file, which an operator copies to every server.
const FILE_DELAY_MINUTES: u32 = 60;

/// The options of a rotation of the key.
struct Rotation {
    delay_minutes: u32,
    is_forced: bool,
}

/// The result of a rotation.
struct Rotated {
    former: usize,
    has_dropped: bool,
}

pub(super) fn run(
    config: &Config,
    database: Option<&SecretUrl>,
    file: Option<&Path>,
    delay_minutes: Option<u32>,
    is_forced: bool,
) -> Result<String, String> {
    let file = file.or(config.cookie_key_file.as_deref());
    let default = if file.is_some() { FILE_DELAY_MINUTES } else { DELAY_MINUTES };
    let rotation = Rotation { delay_minutes: delay_minutes.unwrap_or(default), is_forced };
    let (place, rotated) = match (file, database.or(config.database.as_ref())) {
        (Some(file), _) => (file.display().to_string(), rotation.in_file(file)?),
        (None, Some(SecretUrl(url))) => {
            let url = database_url(url)?;
            (url.to_string(), rotation.in_database(&url)?)
        }
        (None, None) => {
            let key_file = config.data.join(KEY_FILE);
            refuse_moved(&config.data)?;
            (key_file.display().to_string(), rotation.in_file(&key_file)?)
        }
    };
    Ok(rotation.summary(&place, &rotated, file))
}

/// Refuses a folder whose messages are in a database, with the key.
fn refuse_moved(data: &Path) -> Result<(), String> {
    let mark_file = data.join(MARK_FILE);
    match MoveMark::read(&mark_file).map_err(|error| cannot_open(&mark_file, error))? {
        Some(mark) => Err(cannot_open(data, mark.refusal(&mark_file))),
        None => Ok(()),
    }
}

impl Rotation {
    fn in_file(&self, file: &Path) -> Result<Rotated, String> {
        let cannot = |error: &dyn std::fmt::Display| cannot_open(file, error);
        // The file itself, where a mount has a link.
        let file = fs::canonicalize(file).map_err(|error| cannot(&error))?;
        let ring = cookie_key::read(&file).map_err(|error| cannot(&error))?;
        let (ring, rotated) = self.rotate(&ring).map_err(|error| cannot(&error))?;
        cookie_key::write(&file, &ring).map_err(|error| cannot(&error))?;
        Ok(rotated)
    }

    fn in_database(&self, url: &DatabaseUrl) -> Result<Rotated, String> {
        let mut rotated = None;
        let change = |bytes: &[u8]| {
            if bytes.is_empty() {
                return Err("its key for cookies is in a file; name that with --cookie-key-file".into());
            }
            let ring = KeyRing::parse(bytes).map_err(|error| error.to_string())?;
            let (ring, done) = self.rotate(&ring)?;
            rotated = Some(done);
            Ok(ring.to_bytes())
        };
        block_on(replace_cookie_key(url, change))?.map_err(|error| cannot_use_database(url, error))?;
        rotated.ok_or_else(|| cannot_use_database(url, "it has no key"))
    }

    fn rotate(&self, ring: &KeyRing) -> Result<(KeyRing, Rotated), String> {
        let delay = Duration::from_secs(u64::from(self.delay_minutes) * 60);
        let rotated = ring.rotate(Key::generate(), key_ring::now(), delay, self.is_forced);
        let (ring, has_dropped) = rotated.map_err(|error| error.to_string())?;
        let former = ring.former();
        Ok((ring, Rotated { former, has_dropped }))
    }

    fn summary(&self, place: &str, rotated: &Rotated, file: Option<&Path>) -> String {
        let minutes = counted(self.delay_minutes.into(), "minute");
        let former = counted(rotated.former as u64, "former key");
        let mut lines = vec![format!(
            "{place} has a new key, which signs the cookies in {minutes}. {former} still verify the cookies that browsers have, each for a year."
        )];
        lines.push(match rotated.has_dropped {
            true => "The oldest key was dropped: browsers that have not come back since it was replaced are signed out.".into(),
            false => "Nobody is signed out.".into(),
        });
        if let Some(file) = file {
            lines.push(format!(
                "Copy {} to every other server within {minutes}; a running server takes it over within seconds.",
                file.display()
            ));
        }
        lines.join("\n")
    }
}
