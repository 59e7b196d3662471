//! `hubbub check`.

use crate::{
    data::folder::{STORE_FILE, cannot_open},
    store::check,
};
use std::path::Path;

pub(super) fn run(data: &Path) -> Result<String, String> {
    let file = data.join(STORE_FILE);
    let bytes = check(&file).map_err(|error| cannot_open(&file, error))?;
    Ok(format!("{} is not damaged: {bytes} bytes checked.", file.display()))
}
