//! Uploads in parts.

use super::{Uploader, header, id, noise, png, sent};
use crate::{
    heartbeat::{advance_time, flush_sockets},
    support::{Lines, TestServer, V1, within_timeout},
};
use app::wire::{ClientFrame, EventBody, FileInfo, ServerFrame};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;

#[tokio::test]
async fn a_picture_is_uploaded_posted_and_seen_by_others() {
    let server = TestServer::start().await;
    let (mut bob, ann) = (V1::connect_and_join(&server, "tea").await, Uploader::new(&server).await);
    let file = ann.upload("tea", "tea cup.png", &png(800, 600)).await;
    assert_eq!(
        (&*file.name, &*file.media_type, file.pixels()),
        ("tea cup.png", "image/png", Some((800, 600)))
    );
    assert_eq!(ann.post("tea", "", &[file.id]).await.status(), StatusCode::CREATED);
    let event = bob.events(1).await.remove(0);
    let EventBody::Message { text, files, .. } = &event.body else { panic!("a message") };
    assert_eq!((&**text, files.iter().cloned().collect::<Vec<_>>()), ("tea cup.png", vec![file.clone()]));
    let stranger = Uploader::new(&server).await;
    let seen = stranger.get(&file.path()).await;
    assert_eq!((seen.status(), header(&seen, "content-type")), (StatusCode::OK, "image/png"));
    let page = stranger.get("/r/tea").await.text().await.unwrap();
    assert!(
        page.contains(&file.path()) && page.contains("width=\"320\" height=\"240\""),
        "it is on the page"
    );
}

#[tokio::test]
async fn a_frame_shows_files_and_a_line_names_them() {
    let server = TestServer::start().await;
    let mut lines = Lines::join(&server, "tea").await;
    let ann = Uploader::new(&server).await;
    let file = ann.upload("tea", "notes.txt", b"milk, sugar").await;
    let mut socket = V1::connect_as(&server, &ann.cookie).await;
    socket.join("tea", None).await;
    let post = |files: Vec<Uuid>, text: &str| {
        let (id, room, text) = (Uuid::now_v7(), "tea".into(), text.into());
        ClientFrame::Post { id, room, text, reply_to: None, mentions: Vec::new(), files }
    };
    socket.send(&post(vec![file.id], "a list")).await;
    assert!(matches!(socket.expect_reply().await, ServerFrame::Ack { .. }));
    let line = lines.expect_line().await;
    assert_eq!(line, format!("a list [file notes.txt, 11 bytes, {}]", file.path()));
    // The same file again, and one that never was.
    for unknown in [file.id, Uuid::new_v4()] {
        socket.send(&post(vec![unknown], "")).await;
        let ServerFrame::Error { code, .. } = socket.expect_reply().await else { panic!("an error") };
        assert_eq!(code, app::wire::ErrorCode::NoSuchFile);
    }
}

#[tokio::test]
async fn an_upload_says_when_a_message_has_it() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let file = ann.upload("tea", "notes.txt", b"milk, sugar").await;
    let path = format!("/api/files/{}", file.id);
    let progress: Value = ann.get(&path).await.json().await.unwrap();
    assert_eq!((progress.get("claimed"), &progress["file"]["name"]), (None, &"notes.txt".into()));
    assert_eq!(ann.post("tea", "a list", &[file.id]).await.status(), StatusCode::CREATED);
    let progress: Value = ann.get(&path).await.json().await.unwrap();
    assert_eq!(progress["claimed"], true);
}

#[tokio::test]
async fn an_upload_continues_after_a_cut_connection() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let bytes = noise(300 * 1_024);
    let begun: Value = ann.begin("tea", "a.bin", bytes.len()).await.json().await.unwrap();
    let id = id(&begun);
    assert_eq!(ann.part(id, 0, &bytes[..100 * 1_024]).await.status(), StatusCode::OK);
    // The answer was lost: the same part again, and one too far.
    for offset in [0, 200 * 1_024] {
        let refused = ann.part(id, offset, &bytes[offset..offset + 100 * 1_024]).await;
        assert_eq!((refused.status().as_u16(), header(&refused, "upload-offset")), (409, "102400"));
    }
    let head = sent(ann.request("HEAD", &format!("/api/files/{id}"))).await;
    assert_eq!((head.status().as_u16(), header(&head, "upload-offset")), (200, "102400"));
    assert_eq!(ann.part(id, 100 * 1_024, &bytes[100 * 1_024..200 * 1_024]).await.status(), StatusCode::OK);
    let last: Value = ann.part(id, 200 * 1_024, &bytes[200 * 1_024..]).await.json().await.unwrap();
    let file: FileInfo = serde_json::from_value(last["file"].clone()).unwrap();
    assert_eq!(ann.get(&file.path()).await.bytes().await.unwrap(), bytes);
    // Its answer was lost too.
    let again: Value = ann.part(id, bytes.len(), &[]).await.json().await.unwrap();
    assert_eq!(again["file"], last["file"]);
    let asked: Value = ann.get(&format!("/api/files/{id}")).await.json().await.unwrap();
    assert_eq!(asked["file"], last["file"]);
}

#[tokio::test]
async fn sizes_parts_and_limits_are_checked() {
    let server = TestServer::with(|config| {
        config.max_file = 1 << 20;
        config.files_quota = 3 << 20;
    })
    .await;
    let ann = Uploader::new(&server).await;
    for size in [0, (1 << 20) + 1] {
        assert_eq!(ann.begin("tea", "a", size).await.status(), StatusCode::PAYLOAD_TOO_LARGE, "{size}");
    }
    let begun: Value = ann.begin("tea", "a", 200 * 1_024).await.json().await.unwrap();
    let id = id(&begun);
    let bytes = noise(300 * 1_024);
    for part in [&bytes[..1_000], &bytes[..201 * 1_024]] {
        assert_eq!(ann.part(id, 0, part).await.status(), StatusCode::BAD_REQUEST);
    }
    let other = Uploader::new(&server).await;
    assert_eq!(other.part(id, 0, &bytes[..100 * 1_024]).await.status(), StatusCode::NOT_FOUND);
    let cancelled = sent(ann.request("DELETE", &format!("/api/files/{id}"))).await;
    assert_eq!(cancelled.status(), StatusCode::NO_CONTENT);
    assert_eq!(ann.part(id, 0, &bytes[..100 * 1_024]).await.status(), StatusCode::NOT_FOUND);
    let anonymous =
        Client::new().post(server.http("/api/files?room=tea")).body("{\"name\":\"a\",\"size\":1}");
    assert_eq!(sent(anonymous).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn announcements_take_no_space_and_no_network_takes_everything() {
    let server = TestServer::with(|config| {
        config.max_file = 1 << 20;
        config.files_quota = 4 << 20;
    })
    .await;
    let begin = async |network: &str, size: usize| {
        let user = Uploader::new(&server).await;
        let request = user.request("POST", "/api/files?room=tea").header("x-forwarded-for", network);
        let begun = sent(request.body(format!("{{\"name\":\"a\",\"size\":{size}}}"))).await;
        (user, begun)
    };
    for n in 0..20 {
        let expected = if n < 2 { StatusCode::CREATED } else { StatusCode::FORBIDDEN };
        assert_eq!(begin("203.0.113.1", 1 << 20).await.1.status(), expected, "{n}");
    }
    let bytes = noise(1 << 20);
    for n in 0..5_u8 {
        let (user, begun) = begin(&format!("203.0.113.{}", n + 2), bytes.len()).await;
        let expected = if n < 4 { StatusCode::CREATED } else { StatusCode::INSUFFICIENT_STORAGE };
        assert_eq!(begun.status(), expected, "{n}");
        if n < 4 {
            let mut bytes = bytes.clone();
            bytes[0] = n;
            let id = id(&begun.json().await.unwrap());
            assert_eq!(user.part(id, 0, &bytes).await.status(), StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn a_part_past_the_quota_is_refused_and_not_kept() {
    let server = TestServer::with(|config| {
        config.files_quota = 300 * 1_024;
        config.per_network = 0;
    })
    .await;
    let (ann, bob) = (Uploader::new(&server).await, Uploader::new(&server).await);
    let bytes = noise(200 * 1_024);
    let begun: Value = ann.begin("tea", "a", bytes.len()).await.json().await.unwrap();
    bob.upload("tea", "b", &bytes).await;
    let refused = ann.part(id(&begun), 0, &bytes[..150 * 1_024]).await;
    assert_eq!(refused.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(ann.part(id(&begun), 0, &bytes[..100 * 1_024]).await.status(), StatusCode::OK);
    assert_eq!(server.store().file_bytes().await.unwrap(), 300 * 1_024);
}

#[tokio::test]
async fn a_server_without_files_takes_none_and_does_not_offer_it() {
    let server = TestServer::with(|config| config.max_file = 0).await;
    let ann = Uploader::new(&server).await;
    assert_eq!(ann.begin("tea", "a", 1).await.status(), StatusCode::FORBIDDEN);
    let page = ann.get("/r/tea").await.text().await.unwrap();
    assert!(page.contains("data-max=\"0\"") && !page.contains("type=\"file\""));
}

#[tokio::test]
async fn same_content_is_kept_once_if_two_users_upload_it_at_once() {
    let server = TestServer::start().await;
    let (ann, bob) = (Uploader::new(&server).await, Uploader::new(&server).await);
    let bytes = noise(400 * 1_024);
    let (one, other) = tokio::join!(ann.upload("tea", "a.bin", &bytes), bob.upload("tea", "b.bin", &bytes));
    assert_eq!(server.store().file_bytes().await.unwrap(), bytes.len() as u64);
    for (user, file) in [(&ann, &one), (&bob, &other)] {
        assert_eq!(user.get(&file.path()).await.bytes().await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_form_without_script_posts_a_text_with_files() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    let picture = png(20, 10);
    let form = |parts: &[(&str, &str, &[u8])]| {
        let mut body = Vec::new();
        for (name, file, bytes) in parts {
            let file = if *name == "file" { format!("; filename=\"{file}\"") } else { String::new() };
            body.extend(
                format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes(),
            );
            body.extend(*bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--x--\r\n");
        body
    };
    let send = async |body: Vec<u8>| {
        let request = ann.request("POST", "/r/tea/files").header("accept", "text/html");
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let request = request.header("content-type", "multipart/form-data; boundary=x").body(body);
        within_timeout(client.execute(request.build().unwrap())).await.unwrap().status().as_u16()
    };
    let large = noise(2_500 * 1_024);
    let two = form(&[("text", "", b"look"), ("file", "a.png", &picture), ("file", "../b.bin", &large)]);
    assert_eq!(send(two).await, 303);
    assert_eq!(send(form(&[("text", "", b""), ("file", "c.png", &picture)])).await, 303);
    let messages = ann.messages("tea").await.messages;
    let shown: Vec<_> = messages.iter().map(|it| (&*it.text, it.files.names())).collect();
    assert_eq!(shown, [("look", "a.png, b.bin".to_owned()), ("c.png", "c.png".to_owned())]);
    let second = messages[0].files.iter().nth(1).unwrap();
    assert_eq!(ann.get(&second.path()).await.bytes().await.unwrap(), large);
    // Nothing, and a picture that is none: nothing stays.
    let before = server.store().file_bytes().await.unwrap();
    assert_eq!(send(form(&[("text", "", b"")])).await, 400);
    assert_eq!(send(form(&[("text", "", b"look"), ("file", "", b"")])).await, 303, "no file was chosen");
    assert_eq!(send(form(&[("text", "", b"x"), ("file", "d.png", &picture[..60])])).await, 422);
    assert_eq!(server.store().file_bytes().await.unwrap(), before);
    let reply = form(&[("text", "", b"x"), ("reply_to", "", b"999"), ("file", "e.bin", &noise(999))]);
    assert_eq!(send(reply).await, 404);
    assert!(!server.state.files.sweep().await.unwrap());
    assert_eq!(server.store().file_bytes().await.unwrap(), before, "a refused message keeps no files");
    let page = ann.get("/r/tea").await.text().await.unwrap();
    assert!(page.contains("formenctype=\"multipart/form-data\""), "{page}");
}

#[tokio::test]
async fn a_refused_message_gives_its_files_back() {
    let server = TestServer::start().await;
    let ann = Uploader::new(&server).await;
    ann.post("tea", "hello", &[]).await;
    let files = [ann.upload("tea", "a.bin", &noise(10)).await, ann.upload("tea", "b.bin", &noise(11)).await];
    let id = Uuid::now_v7();
    let post = async |reply_to: u64, file: &FileInfo| {
        let frame = json!({
            "type": "post", "id": id, "room": "tea", "text": "x", "reply_to": reply_to, "files": [file.id],
        });
        sent(ann.request("POST", "/api/commands").json(&frame)).await.json::<Value>().await.unwrap()
    };
    let is_claimed = async |file: &FileInfo| {
        let progress: Value = ann.get(&format!("/api/files/{}", file.id)).await.json().await.unwrap();
        progress["claimed"] == true
    };
    for file in &files {
        let refused = post(999, file).await;
        assert_eq!(refused["code"], "no_such_message", "{refused}");
        assert!(!is_claimed(file).await);
    }
    let posted = post(1, &files[1]).await;
    assert_eq!(posted["type"], "ack", "{posted}");
    assert!(!is_claimed(&files[0]).await && is_claimed(&files[1]).await);
    assert_eq!(ann.messages("tea").await.messages[1].files.names(), "b.bin");
    assert_eq!(sent(ann.request("DELETE", &format!("/api/files/{}", files[0].id))).await.status(), 204);
}

/// Sends the beginning of a form from a network, then nothing.
async fn stalled_form(user: &Uploader, network: &str) -> TcpStream {
    let mut stream = TcpStream::connect(user.address).await.unwrap();
    let begin = format!(
        "POST /r/tea/files HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {network}\r\ncookie: {}\r\n\
        content-type: multipart/form-data; boundary=x\r\ncontent-length: 9999\r\n\r\n--x\r\n",
        user.cookie
    );
    stream.write_all(begin.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn stalled_forms_end_and_leave_places_to_other_networks() {
    let server = TestServer::alone().await;
    let ann = Uploader::new(&server).await;
    let send = async |network: &str| {
        let form = "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\ntea\r\n--x--\r\n";
        let request = ann.request("POST", "/r/tea/files").header("x-forwarded-for", network).body(form);
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        within_timeout(client.execute(request.build().unwrap())).await.unwrap().status().as_u16()
    };
    let mut stalled = Vec::new();
    for _ in 0..8 {
        stalled.push(stalled_form(&ann, "203.0.113.7").await);
    }
    flush_sockets().await;
    assert_eq!((send("203.0.113.7").await, send("203.0.113.8").await), (429, 303));
    advance_time(14).await;
    assert_eq!(send("203.0.113.7").await, 429);
    advance_time(2).await;
    let mut answers = Vec::new();
    for mut stream in stalled {
        let mut answer = [0; 12];
        within_timeout(stream.read_exact(&mut answer)).await.unwrap();
        answers.push(String::from_utf8_lossy(&answer[9..]).into_owned());
    }
    answers.sort();
    assert_eq!(answers, ["408", "408", "408", "408", "429", "429", "429", "429"]);
    assert_eq!(send("203.0.113.7").await, 303);
}
