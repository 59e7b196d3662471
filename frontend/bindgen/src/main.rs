//! Writes `hubbub_bg.wasm` and `hubbub.js` from a compiled module: `bindgen MODULE FOLDER`.

use std::{env, error::Error};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let [_, module, folder] = &env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: bindgen MODULE FOLDER".into());
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("hubbub").typescript(false).web(true)?.generate(folder)?;
    Ok(())
}
