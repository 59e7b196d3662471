//! The content of an archive.

use super::{BOB, Installation, entries, export, fill, hexadecimal, text};
use crate::{
    command::{folder, run},
    room_export::rest_after_removal,
    support::{TestServer, browser, sent},
};
use std::fs::{self, File};

#[tokio::test]
async fn an_exported_archive_has_each_content_once() {
    let folder = folder();
    let (_, shown) = export(folder.path()).await;
    let archive = entries(&fs::read(folder.path().join("tea.zip")).unwrap());
    let mut names: Vec<String> =
        shown.iter().map(|(_, bytes)| format!("files/{}", hexadecimal(bytes))).collect();
    let lines = text(&archive, "events.jsonl");
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["files"][0]["alt"], "a *cup*");
    assert_eq!(lines[0]["files"][0]["width"], 90);
    let hashes: Vec<String> = lines
        .iter()
        .flat_map(|line| line["files"].as_array().cloned().unwrap_or_default())
        .map(|file| format!("files/{}", file["sha256"].as_str().unwrap()))
        .collect();
    assert_eq!(hashes, names);
    assert!(lines[2].get("files").is_none(), "the message was deleted: {}", lines[2]);
    let transcript = text(&archive, "messages.md");
    for link in [
        format!("- ![a \\*cup\\*]({})\n", names[0]),
        format!("- [\\_b\\_.html]({})\n", names[1]),
        format!("#2\n\n- ![same.png]({})\n", names[2]),
    ] {
        assert!(transcript.contains(&link), "{link}: {transcript}");
    }
    names.extend(["events.jsonl", "messages.md", "room.json"].map(str::to_owned));
    names.sort();
    names.dedup();
    assert_eq!(archive.keys().cloned().collect::<Vec<_>>(), names);
    for (_, bytes) in &shown {
        assert_eq!(archive[&format!("files/{}", hexadecimal(bytes))], *bytes);
    }
}

#[tokio::test]
async fn an_export_leaves_out_what_the_place_of_files_has_lost() {
    let folder = folder();
    let (_, shown) = export(folder.path()).await;
    let lost = hexadecimal(&shown[1].1);
    let place = folder.path().join("from/files");
    fs::remove_file(place.join(&lost)).unwrap();
    // A content that is cut off is none either.
    let large = place.join(hexadecimal(&shown[3].1));
    File::options().write(true).open(&large).unwrap().set_len(1_000).unwrap();
    let exported = run(folder.path(), &["export", "tea", "--data", "from", "--force"]).await.unwrap();
    assert_eq!(exported, "tea.zip has 5 events and 2 files of the room tea. 2 files are missing.\n");
    let archive = entries(&fs::read(folder.path().join("tea.zip")).unwrap());
    assert!(!archive.contains_key(&format!("files/{lost}")));
    let lines = text(&archive, "events.jsonl");
    assert!(lines.lines().next().unwrap().contains("\"lost\":true") && !lines.contains(&lost), "{lines}");
    assert!(text(&archive, "messages.md").contains("- ~~\\_b\\_.html~~\n"));
    let imported = run(folder.path(), &["import", "tea.zip", "--data", "to"]).await.unwrap();
    assert_eq!(imported, "The room tea has 5 events and 2 files more. 2 files are not in the archive.\n");
    let to = Installation::open(&folder.path().join("to"));
    assert_eq!(to.shown("tea").await, [shown[0].clone(), shown[2].clone()]);
}

#[tokio::test]
async fn download_has_the_files_and_ends_when_its_user_loses_access() {
    let server = TestServer::alone().await;
    let from = Installation { store: server.state.store.clone(), files: server.state.files.clone() };
    fill(&from).await;
    let download = sent(browser().get(server.http("/r/tea/export"))).await;
    let archive = entries(&download.bytes().await.unwrap());
    for (_, bytes) in from.shown("tea").await {
        assert_eq!(archive[&format!("files/{}", hexadecimal(&bytes))], bytes);
    }
    let large: Vec<u8> = (0..24 << 20).map(|_| fastrand::u8(..)).collect();
    from.post(BOB, "", &[("large.bin", "", &large)]).await;
    let (is_cut, rest) = rest_after_removal(&server).await;
    assert!(is_cut && rest < 12 << 20, "{rest} bytes of 26 million came after the removal");
}
