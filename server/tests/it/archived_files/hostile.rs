//! Archives of unknown origin.

use super::{Installation, events, hexadecimal, objects, write};
use crate::{
    command::{ends, folder, hubbub, run},
    files::{noise, png},
};
use std::{fs, path::Path};
use uuid::Uuid;

/// Returns the entries of an archive with one message that shows these bytes, and another event after it.
fn hostile(name: &str, size: usize, hash: &str, other: &str) -> [(String, Vec<u8>); 2] {
    let header = r#"{"format":1,"room":"tea","log":"x","head":2,"exported_at":1}"#;
    let file = format!(
        r#"{{"id":"00000000-0000-4000-8000-000000000001","name":"{name}","type":"image/png","size":{size},"width":1,"height":1,"sha256":"{hash}"}}"#
    );
    let start = |n| {
        format!(
            r#"{{"seq":{n},"at":5,"id":"0193b3e4-7c1a-7000-8000-00000000000{n}","author":{{"id":"000000000000000a","name":"Ann"}}"#
        )
    };
    let lines = format!(
        "{},\"kind\":\"message\",\"text\":\"look\",\"files\":[{file}]}}\n{},{other}}}\n",
        start(1),
        start(2)
    );
    [("room.json".into(), header.into()), ("events.jsonl".into(), lines.into())]
}

/// An event that follows, and one that cannot.
const GOOD: &str = r#""kind":"message","text":"hi""#;
const BAD: &str = r#""kind":"react","target":1,"emoji":"evil","on":true"#;

fn write_hostile(path: &Path, begin: &[(String, Vec<u8>)], rest: &[(&str, &[u8])]) {
    let begin = begin.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    write(path, &begin.chain(rest.iter().copied()).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_import_of_hostile_files_is_refused_and_leaves_nothing() {
    let folder = folder();
    let path = folder.path().join("bad.zip");
    let (bytes, bomb) = (noise(100), vec![0; 50_000_000]);
    let hash = hexadecimal(&bytes);
    let entry = format!("files/{hash}");
    let broken = [&b"\x89PNG\r\n\x1a\n"[..], &noise(50)].concat();
    let broken_entry = format!("files/{}", hexadecimal(&broken));
    let bomb_entry = format!("files/{}", hexadecimal(&bomb));
    for (begin, rest, reason) in [
        (hostile("a", 100, &hash, GOOD), (&*entry, &noise(101)[1..]), "it has another SHA-256"),
        (hostile("a", 99, &hash, GOOD), (&*entry, &*bytes), "it has another size"),
        (hostile("a", 101, &hash, GOOD), (&*entry, &*bytes), "it has another size"),
        (hostile("a", 100, &hash, GOOD), (&*entry, &*bomb), "it has another size"),
        (
            hostile("a", 50_000_000, &bomb_entry[6..], GOOD),
            (&*bomb_entry, &*bomb),
            "more bytes than --max-file",
        ),
        (hostile("a", 58, &broken_entry[6..], GOOD), (&*broken_entry, &*broken), "it is a damaged picture"),
        (
            hostile("a", 0, &hash, GOOD),
            (&*entry, &*bytes),
            "event 1 in it is invalid: one of its files is empty",
        ),
        (hostile("a", 100, "../../x", GOOD), (&*entry, &*bytes), "one of its files has no SHA-256"),
        (hostile("a", 100, &hash, GOOD), ("files/../../evil", &*bytes), "unsafe name"),
        (hostile("a", 100, &hash, GOOD), ("/evil", &*bytes), "unsafe name"),
    ] {
        write_hostile(&path, &begin, &[rest]);
        let line = run(folder.path(), &["import", "bad.zip", "--data", "to"]).await.unwrap_err();
        assert!(
            line.starts_with("hubbub: cannot use bad.zip: ") && line.contains(reason),
            "{reason}: {line}"
        );
    }
    assert!(!folder.path().join("to").exists(), "nothing was created");
    // The same with a limit, in the environment as for the server.
    write_hostile(&path, &hostile("a", 100, &hash, GOOD), &[(&entry, &bytes)]);
    let mut limited = hubbub(folder.path(), &["import", "bad.zip", "--data", "to"]);
    limited.env("HUBBUB_MAX_FILE", "99");
    assert!(
        String::from_utf8(ends(limited).await.stderr).unwrap().contains("more bytes than --max-file allows")
    );
    // Entries of another method and an encrypted one are named.
    let good = fs::read(&path).unwrap();
    for (offset, value) in [(22, 12), (24, 1)] {
        let mut changed = good.clone();
        for (at, _) in good.windows(entry.len()).enumerate().filter(|(_, found)| *found == entry.as_bytes()) {
            // In the list of entries the same fields are 14 bytes further from the name.
            let is_listed = good[at - 46..].starts_with(b"PK\x01\x02");
            changed[at - offset - if is_listed { 14 } else { 0 }] = value;
        }
        fs::write(&path, changed).unwrap();
        let line = run(folder.path(), &["import", "bad.zip", "--data", "to"]).await.unwrap_err();
        assert!(line.contains("is compressed in an unknown way, or encrypted"), "{line}");
    }
    assert!(!folder.path().join("to").exists(), "nothing was created");
}

#[tokio::test]
async fn an_import_that_the_store_refuses_leaves_no_files() {
    let folder = folder();
    let (path, bytes) = (folder.path().join("bad.zip"), png(30, 20));
    let entry = format!("files/{}", hexadecimal(&bytes));
    write_hostile(&path, &hostile("a", bytes.len(), &entry[6..], BAD), &[(&entry, &bytes)]);
    let line = run(folder.path(), &["import", "bad.zip", "--data", "to"]).await.unwrap_err();
    assert!(line.contains("event 2 is a reaction") && line.ends_with("nothing was imported"), "{line}");
    let mut full = hubbub(folder.path(), &["import", "bad.zip", "--data", "to"]);
    full.env("HUBBUB_FILES_QUOTA", "10");
    let line = String::from_utf8(ends(full).await.stderr).unwrap();
    assert!(line.contains("no space left for files (--files-quota); nothing was imported"), "{line}");
    let to = Installation::open(&folder.path().join("to"));
    assert!(events(&*to.store, "tea").await.is_empty());
    assert_eq!(to.store.file(Uuid::from_u128(0x4000_8000_0000_0000_0001)).await.unwrap(), None);
    to.sweep().await;
    assert_eq!(
        (objects(&folder.path().join("to/files")), to.store.file_bytes().await.unwrap()),
        (Vec::new(), 0)
    );
}

#[tokio::test]
async fn an_import_trusts_neither_types_nor_names_nor_ids() {
    let folder = folder();
    let path = folder.path().join("odd.zip");
    let html = b"<script>alert(1)</script>";
    let entry = format!("files/{}", hexadecimal(html));
    let taken = Uuid::from_u128(0x4000_8000_0000_0000_0001);
    write_hostile(&path, &hostile("../../a\\u202e.png", html.len(), &entry[6..], GOOD), &[(&entry, html)]);
    let import =
        async |data, name| run(folder.path(), &["import", "odd.zip", "--data", data, "--room", name]).await;
    import("to", "tea").await.unwrap();
    let to = Installation::open(&folder.path().join("to"));
    let shown = to.shown("tea").await;
    let (file, bytes) = &shown[0];
    assert_eq!((&*file.name, &*file.media_type, file.pixels()), ("a.png", "application/octet-stream", None));
    assert_eq!((file.id, &bytes[..]), (taken, &html[..]));
    to.store.close().await;
    // The same file in other messages of another room gets another id.
    let mut other = hostile("b", html.len(), &entry[6..], GOOD);
    other[1].1 = String::from_utf8(other[1].1.clone()).unwrap().replace("7c1a-7000", "7c1a-7001").into();
    write_hostile(&path, &other, &[(&entry, html)]);
    assert!(import("to", "coffee").await.unwrap().contains("2 events and 1 file more"));
    let to = Installation::open(&folder.path().join("to"));
    let second = to.shown("coffee").await;
    assert!(second[0].0.id != taken && second[0].1 == html);
    assert_eq!(to.shown("tea").await, shown);
    assert_eq!(objects(&folder.path().join("to/files")).len(), 1);
}

#[tokio::test]
async fn an_import_of_an_archive_without_contents_has_the_messages() {
    let folder = folder();
    let path = folder.path().join("old.zip");
    write_hostile(&path, &hostile("a", 5, &"0f".repeat(32), GOOD), &[]);
    let imported = run(folder.path(), &["import", "old.zip", "--data", "to"]).await.unwrap();
    assert_eq!(imported, "The room tea has 2 events more. 1 file is not in the archive.\n");
    let plain = r#"{"seq":1,"at":5,"id":"0193b3e4-7c1a-7000-8000-000000000009","author":{"id":"000000000000000a","name":"Ann"},"kind":"message","text":"hi"}"#;
    let header = r#"{"format":1,"room":"tea","log":"x","head":1,"exported_at":1}"#;
    write(&path, &[("room.json", header.as_bytes()), ("events.jsonl", plain.as_bytes())]);
    let imported = run(folder.path(), &["import", "old.zip", "--data", "other"]).await.unwrap();
    assert_eq!(imported, "The room tea has 1 event more.\n");
    let to = Installation::open(&folder.path().join("to"));
    assert_eq!((events(&*to.store, "tea").await.len(), to.shown("tea").await), (2, Vec::new()));
}
