//! Links that sign a user in on another device.

use crate::support::{TestServer, browser, sent, visitor};
use reqwest::{Client, StatusCode};

async fn name_of(browser: &Client, server: &TestServer) -> String {
    let page = sent(browser.get(server.http("/"))).await.text().await.unwrap();
    page.split("<strong").nth(1).unwrap().split('>').nth(1).unwrap().split('<').next().unwrap().into()
}

async fn link(browser: &Client, server: &TestServer) -> String {
    let page = sent(browser.post(server.http("/device"))).await.text().await.unwrap();
    let path = page.split("/device/").nth(1).expect("the page has a link");
    format!("/device/{}", path.split('"').next().unwrap())
}

#[tokio::test]
async fn a_link_signs_the_phone_in_as_the_user_of_the_laptop_once() {
    let server = TestServer::start().await;
    let (laptop, phone, other) = (visitor(&server).await, browser(), browser());
    sent(laptop.post(server.http("/name")).form(&[("name", "Ann")])).await;
    let link = link(&laptop, &server).await;
    assert_ne!(name_of(&phone, &server).await, "Ann");
    for _ in 0..2 {
        let answer = sent(phone.get(server.http(&link))).await;
        assert_eq!(answer.status(), StatusCode::OK, "a GET does not redeem the link");
        assert!(answer.text().await.unwrap().contains("Ann"));
    }
    assert_eq!(sent(phone.post(server.http(&link))).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(name_of(&phone, &server).await, "Ann");
    for again in [sent(other.get(server.http(&link))).await, sent(other.post(server.http(&link))).await] {
        assert_eq!(again.status(), StatusCode::GONE);
        assert!(again.text().await.unwrap().contains("works once"));
    }
    assert_ne!(name_of(&other, &server).await, "Ann");
}

#[tokio::test]
async fn a_browser_without_cookies_does_not_redeem_a_link() {
    let server = TestServer::start().await;
    let laptop = visitor(&server).await;
    let link = link(&laptop, &server).await;
    let answer = sent(Client::new().post(server.http(&link))).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("stores no cookies"));
    let phone = visitor(&server).await;
    assert_eq!(sent(phone.post(server.http(&link))).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_unknown_link_is_shown_as_expired() {
    let server = TestServer::start().await;
    let answer = sent(browser().get(server.http("/device/AAAAAAAAAAAAAAAAAAAAAA"))).await;
    assert_eq!(answer.status(), StatusCode::GONE);
    assert!(answer.text().await.unwrap().contains("10 minutes"));
}

#[tokio::test]
async fn another_origin_can_neither_create_nor_redeem_a_link() {
    let server = TestServer::start().await;
    for path in ["/device", "/device/AAAA"] {
        let foreign = browser().post(server.http(path)).header("origin", "https://evil.example");
        assert_eq!(sent(foreign).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_link_survives_a_restart_and_only_its_hash_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let laptop = visitor(&server).await;
    sent(laptop.post(server.http("/name")).form(&[("name", "Ann")])).await;
    let link = link(&laptop, &server).await;
    server.stop().await;
    let secret = link.rsplit('/').next().unwrap().as_bytes();
    let stored = std::fs::read(folder.path().join("hubbub.db")).unwrap();
    assert!(!stored.windows(secret.len()).any(|bytes| bytes == secret), "only its hash is stored");

    let server = TestServer::on_disk(folder.path()).await;
    let phone = browser();
    sent(phone.get(server.http("/"))).await;
    assert_eq!(sent(phone.post(server.http(&link))).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(name_of(&phone, &server).await, "Ann");
}
