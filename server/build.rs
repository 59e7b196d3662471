//! Puts the built site into the binary: every file with its compressed forms, the pages' files under
//! names that carry their content's hash.
//!
//! Only for a release: while developing, the server reads the files from where they are built.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write as _,
    path::{Path, PathBuf},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-env-changed=LEPTOS_SITE_ROOT");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut table = String::new();
    if env::var("PROFILE")? == "release" {
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

/// cargo-leptos says where; `make` builds into the same place.
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

/// Compressed forms are made here; nobody asks for type declarations or hidden files.
fn is_served(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && ![".br", ".gz", ".d.ts"].iter().any(|left_out| name.ends_with(left_out))
}

/// One line of the table that `assets.rs` reads.
fn entry(out: &Path, file: &Path, name: &str) -> Result<String> {
    let body = fs::read(file)?;
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let hash = format!("{:016x}", hasher.finish());
    let brotli = smaller(brotli(&body)?, &body);
    let gzip = smaller(gzip(&body)?, &body);
    let (name, served_as) = names(name, &hash);
    Ok(format!(
        "Embedded {{ name: {name:?}, served_as: {served_as:?}, hash: {hash:?}, body: include_bytes!({:?}), brotli: {}, gzip: {} }},\n",
        file.canonicalize()?,
        stored(out, &hash, "br", brotli)?,
        stored(out, &hash, "gz", gzip)?,
    ))
}

/// What a file is asked for as, and what it is served as. `pkg/hubbub.js`, which cargo-leptos has named
/// `pkg/hubbub.ITS-HASH.js`, is served as `pkg/hubbub.HASH.js`; other files keep their names, since
/// others (robots, a glue script's own imports) know them by name.
fn names(name: &str, hash: &str) -> (String, String) {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        [stem, extension] | [stem, _, extension] if stem.starts_with("pkg/") && !stem[4..].contains('/') => {
            (format!("{stem}.{extension}"), format!("{stem}.{hash}.{extension}"))
        }
        _ => (name.into(), name.into()),
    }
}

fn stored(out: &Path, hash: &str, extension: &str, body: Option<Vec<u8>>) -> Result<String> {
    let Some(body) = body else { return Ok("None".into()) };
    let path = out.join(format!("{hash}.{extension}"));
    fs::write(&path, body)?;
    Ok(format!("Some(include_bytes!({path:?}))"))
}

/// A compressed form is kept where it saves at least a tenth.
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
