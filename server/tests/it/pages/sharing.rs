//! The data that the share sheet of the system hands over: the manifest asks for it, the service worker takes it, and the
//! server keeps nothing.

use super::page;
use crate::support::{TestServer, browser, sent, visitor, within_timeout};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const HOSTILE: &str = "<script>alert(1)</script>";

async fn share_target(server: &TestServer) -> Value {
    let manifest: Value = sent(browser().get(server.http("/hubbub.webmanifest"))).await.json().await.unwrap();
    manifest["share_target"].clone()
}

/// Returns the form as a browser sends it.
fn share(browser: &Client, server: &TestServer) -> RequestBuilder {
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n{HOSTILE}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\nabc\r\n--x--\r\n"
    );
    let request = browser.post(server.http("/share")).body(form);
    request.header("content-type", "multipart/form-data; boundary=x")
}

#[tokio::test]
async fn the_manifest_asks_for_texts_and_files_that_the_server_takes() {
    let server = TestServer::start().await;
    let expected = json!({
        "action": "/share",
        "method": "POST",
        "enctype": "multipart/form-data",
        "params": {
            "title": "title",
            "text": "text",
            "url": "url",
            "files": [{ "name": "files", "accept": ["*/*"] }],
        },
    });
    assert_eq!(share_target(&server).await, expected);
    let without_files = TestServer::with(|config| config.max_file = 0).await;
    assert_eq!(share_target(&without_files).await["params"].get("files"), None);
}

#[tokio::test]
async fn the_page_lists_the_rooms_of_the_user_alone() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    for (user, room) in [(&ann, "tea"), (&bob, "coffee")] {
        let posted = sent(user.post(server.http(&format!("/r/{room}"))).form(&[("text", "hi")])).await;
        assert_eq!(posted.status(), StatusCode::SEE_OTHER);
    }
    let answer = sent(ann.get(server.http("/share"))).await;
    assert_eq!(
        (answer.status(), &answer.headers()["cache-control"]),
        (StatusCode::OK, &"no-store".parse().unwrap())
    );
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    let shown = answer.text().await.unwrap();
    assert!(shown.contains("Share to a room") && shown.contains("Your rooms"), "{shown}");
    assert!(shown.contains("href=\"/r/tea\"") && shown.contains("href=\"/\""), "{shown}");
    assert!(!shown.contains("coffee"), "{shown}");
    let script = shown.split("<script").find(|tag| tag.contains("/scripts/share.")).unwrap();
    assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{script}");
    sent(ann.post(server.http("/settings")).form(&[("lang", "zh"), ("back", "/share")])).await;
    assert!(page(&ann, &server, "/share").await.contains("分享到房间"));
    let none = page(&ann, &server, "/share?yours=100").await;
    assert!(!none.contains("href=\"/r/tea\""), "{none}");
    page(&ann, &server, "/share?yours=x").await;
}

#[tokio::test]
async fn share_is_explained_and_not_kept_if_no_worker_has_taken_it() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    // So do browsers send what the system shares.
    let of_system =
        |browser| share(browser, &server).header("origin", "null").header("sec-fetch-site", "none");
    for browser in [&ann, &browser()] {
        let answer = sent(of_system(browser)).await;
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        assert!(answer.headers().get("set-cookie").is_none(), "the user stays who they are");
        let page = answer.text().await.unwrap();
        assert!(page.contains("Please share it once more") && page.contains("href=\"/\""), "{page}");
        assert!(!page.contains("alert(1)"), "{page}");
    }
    assert_eq!(server.state.store.head(&"lobby".parse().unwrap()).await.unwrap(), 0);
}

#[tokio::test]
async fn pages_of_other_sites_cannot_share() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    for headers in [
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
        &[("origin", "null")],
        &[("origin", "null"), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
        &[("referer", "https://evil.example/")],
    ] {
        let request =
            headers.iter().fold(share(&ann, &server), |request, (name, value)| request.header(*name, *value));
        let answer = sent(request).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{headers:?}");
        assert!(answer.headers().get("set-cookie").is_none());
        assert!(answer.text().await.unwrap().contains("another site"), "{headers:?}");
    }
}

/// A browser that is still sending shows no answer, so much is read before it.
#[tokio::test]
async fn a_large_share_is_read_to_a_bound_and_answered() {
    let server = TestServer::start().await;
    for (sent, announced) in [(9 << 20, 9 << 20), ((32 << 20) + 1, 1_u64 << 40)] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST /share HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\nContent-Type: multipart/form-data; boundary=x\r\n\
             Content-Length: {announced}\r\n\r\n",
            server.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        within_timeout(stream.write_all(&vec![0; sent])).await.unwrap();
        let mut answer = [0; 12];
        within_timeout(stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 409", "{announced}");
    }
}
