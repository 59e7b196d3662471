//! Pictures and files: from the upload to the message that shows them, and away again.

pub mod bucket;
mod finishing;
mod hostile;
mod keeping;
mod reading;
mod uploading;

use crate::support::{TestServer, within_timeout};
use app::wire::{FileId, FileInfo, Messages};
use image::{ImageFormat, Rgb, RgbImage};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::{io::Cursor, net::SocketAddr};

/// A user who uploads.
struct Uploader {
    address: SocketAddr,
    cookie: String,
}

impl Uploader {
    async fn new(server: &TestServer) -> Self {
        Self::at(server.address).await
    }

    async fn at(address: SocketAddr) -> Self {
        let lobby = sent(Client::new().get(format!("http://{address}/"))).await;
        let cookie = header(&lobby, "set-cookie").split(';').next().unwrap_or_default().to_owned();
        Self { address, cookie }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("a method");
        Client::new().request(method, format!("http://{}{path}", self.address)).header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Response {
        sent(self.request("GET", path)).await
    }

    async fn begin(&self, room: &str, name: &str, size: usize) -> Response {
        let body = json!({"name": name, "size": size}).to_string();
        sent(self.request("POST", &format!("/api/files?room={room}")).body(body)).await
    }

    async fn part(&self, id: FileId, offset: usize, bytes: &[u8]) -> Response {
        let request = self.request("PATCH", &format!("/api/files/{id}"));
        sent(request.header("upload-offset", offset).body(bytes.to_vec())).await
    }

    /// Uploads a file in parts of 256 KiB. Returns the answer to the last one.
    async fn try_upload(&self, room: &str, name: &str, bytes: &[u8]) -> Response {
        let begun = self.begin(room, name, bytes.len()).await;
        if begun.status() != StatusCode::CREATED {
            return begun;
        }
        let id = id(&begun.json().await.expect("JSON"));
        let mut last = None;
        for (n, part) in bytes.chunks(256 * 1_024).enumerate() {
            last = Some(self.part(id, n * 256 * 1_024, part).await);
        }
        last.expect("there are bytes")
    }

    async fn upload(&self, room: &str, name: &str, bytes: &[u8]) -> FileInfo {
        let answer = self.try_upload(room, name, bytes).await;
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        let answer: Value = answer.json().await.expect("JSON");
        serde_json::from_value(answer["file"].clone()).expect("a file")
    }

    async fn post(&self, room: &str, text: &str, files: &[FileId]) -> Response {
        let request = self.request("POST", &format!("/api/rooms/{room}/messages"));
        sent(request.json(&json!({"text": text, "files": files}))).await
    }

    async fn messages(&self, room: &str) -> Messages {
        self.get(&format!("/api/rooms/{room}/messages")).await.json().await.expect("messages")
    }
}

async fn sent(request: RequestBuilder) -> Response {
    within_timeout(request.send()).await.expect("the server answers")
}

fn id(answer: &Value) -> FileId {
    answer["id"].as_str().expect("an id").parse().expect("an id")
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().expect("ASCII"))
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, (x ^ y) as u8]));
    picture.write_to(&mut bytes, ImageFormat::Png).expect("memory");
    bytes.into_inner()
}

/// Bytes that are no picture, and that do not repeat.
pub fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}
