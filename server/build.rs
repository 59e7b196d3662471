//! Embeds the built site in the binary: every file with its compressed forms. The paths of scripts and style sheets contain
//! a hash of their content.
//!
//! Profiles that inherit `release` embed the site, and have `cfg(embeds_site)`; while developing, the server reads the files
//! from the site folder.

use sha2::{Digest, Sha256};
use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-env-changed=LEPTOS_SITE_ROOT");
    println!("cargo::rustc-check-cfg=cfg(embeds_site)");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut table = String::new();
    if env::var("PROFILE")? == "release" {
        println!("cargo::rustc-cfg=embeds_site");
        let site = site_root()?;
        println!("cargo::rerun-if-changed={}", site.display());
        for file in files_below(&site)?.iter().filter(|file| is_served(file)) {
            let name =
                file.strip_prefix(&site)?.to_str().ok_or("a file's name is not UTF-8")?.replace('\\', "/");
            write!(table, "{}", entry(&out, file, &name)?)?;
        }
        if table.is_empty() {
            println!(
                "cargo::warning=there is no site at {}: pages will have neither style nor script",
                site.display()
            );
        }
    }
    fs::write(out.join("embedded.rs"), format!("&[{table}]"))?;
    Ok(())
}

/// Returns the folder of the site: cargo-leptos sets it; `make` builds into the default one.
fn site_root() -> Result<PathBuf> {
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let root = env::var("LEPTOS_SITE_ROOT").unwrap_or_else(|_| "target/site".into());
    Ok(workspace.join(root))
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(files) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

/// Returns `true` unless the file is compressed, a type declaration or hidden: compressed forms are made here.
fn is_served(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && ![".br", ".gz", ".d.ts"].iter().any(|left_out| name.ends_with(left_out))
}

/// Returns a line of the table that `assets.rs` includes.
fn entry(out: &Path, file: &Path, name: &str) -> Result<String> {
    let body = fs::read(file)?;
    let hash = short_hash(&body);
    let brotli = smaller(brotli(&body)?, &body);
    let gzip = smaller(gzip(&body)?, &body);
    let (name, served_as) = names(name, &hash);
    Ok(format!(
        "EmbeddedFile {{ name: {name:?}, served_as: {served_as:?}, hash: {hash:?}, body: include_bytes!({:?}), brotli: {}, gzip: {} }},\n",
        file.canonicalize()?,
        stored(out, &hash, "br", brotli)?,
        stored(out, &hash, "gz", gzip)?,
    ))
}

/// Returns the first 16 hexadecimal digits of the SHA-256 of a file. It is the same for every compiler, so that browsers
/// keep their copies over an update that leaves a file unchanged.
fn short_hash(body: &[u8]) -> String {
    Sha256::digest(body)[..8].iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// Returns the name that pages use and the path under which the file is served. `pkg/hubbub.js`, which cargo-leptos has
/// named `pkg/hubbub.ITS-HASH.js`, is served as `pkg/hubbub.HASH.js`, and `scripts/files.js` as `scripts/files.HASH.js`. Other
/// files keep their names, because robots and the service worker's address need them.
fn names(name: &str, hash: &str) -> (String, String) {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        [stem, extension] | [stem, _, extension] if is_hashed(stem) => {
            (format!("{stem}.{extension}"), format!("{stem}.{hash}.{extension}"))
        }
        _ => (name.into(), name.into()),
    }
}

/// Returns `true` if the path of a file gets its hash: cargo-leptos builds into `pkg`, where no other file may be.
fn is_hashed(stem: &str) -> bool {
    matches!(stem.split_once('/'), Some(("pkg" | "scripts", file)) if !file.contains('/'))
}

fn stored(out: &Path, hash: &str, extension: &str, body: Option<Vec<u8>>) -> Result<String> {
    let Some(body) = body else { return Ok("None".into()) };
    let path = out.join(format!("{hash}.{extension}"));
    fs::write(&path, body)?;
    Ok(format!("Some(include_bytes!({path:?}))"))
}

/// Returns the compressed form if it is at least a tenth smaller.
fn smaller(compressed: Vec<u8>, body: &[u8]) -> Option<Vec<u8>> {
    (compressed.len() * 10 <= body.len() * 9).then_some(compressed)
}

fn brotli(body: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    brotli::BrotliCompress(&mut &*body, &mut compressed, &params)?;
    Ok(compressed)
}

fn gzip(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}
