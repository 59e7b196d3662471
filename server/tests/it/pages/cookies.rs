//! The cookie that identifies a user.

use super::page;
use crate::support::{Device, TestServer, browser, sent, within_timeout};
use axum::{extract::FromRef, response::IntoResponse};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key},
};
use reqwest::{Client, StatusCode};
use server::store::{RoomOrder, RoomQuery};

#[tokio::test]
async fn a_new_browser_gets_a_cookie_and_keeps_its_user() {
    let server = TestServer::start().await;
    let ann = browser();
    sent(ann.post(server.http("/r/tea")).form(&[("text", "hello")])).await;
    sent(ann.post(server.http("/name")).form(&[("name", "Ann of Tea"), ("room", "tea")])).await;
    assert!(page(&ann, &server, "/r/tea").await.contains("Ann of Tea"));
    assert!(page(&ann, &server, "/").await.contains("Ann of Tea"), "her name is the same in every room");
    let bob = page(&browser(), &server, "/r/tea").await;
    assert!(bob.contains("Ann of Tea"), "her messages carry it");
    assert!(!page(&browser(), &server, "/").await.contains("Ann of Tea"), "no other user has it");
}

#[tokio::test]
async fn browser_without_cookies_can_post_but_not_change_settings() {
    let server = TestServer::start().await;
    // A client of its own for each request keeps no cookie.
    let request = |path: &str, form: &[(&str, &str)]| Client::new().post(server.http(path)).form(form);
    let rejected = sent(request("/name", &[("name", "Ann of Tea"), ("room", "tea")])).await;
    assert_eq!(rejected.status(), StatusCode::BAD_REQUEST);
    let body = rejected.text().await.unwrap();
    assert!(body.contains("stores no cookies") && body.contains("value=\"Ann of Tea\""), "{body}");
    for (path, form) in [("/settings", [("theme", "dark")]), ("/device", [("", "")])] {
        let rejected = sent(request(path, &form)).await;
        assert_eq!(rejected.status(), StatusCode::BAD_REQUEST, "{path}");
        assert!(rejected.text().await.unwrap().contains("stores no cookies"), "{path}");
    }
    assert_eq!(
        sent(request("/r/tea", &[("text", "hello")])).await.status(),
        StatusCode::OK,
        "the response is the room"
    );
    assert_eq!(server.store().list_rooms(RoomQuery::new(RoomOrder::Name, 9)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_forged_cookie_creates_a_new_user() {
    let server = TestServer::start().await;
    let good = server.new_user_cookie().await;
    let (name, value) = good.split_once('=').unwrap();
    let user_id = async |cookie: &str| {
        let answer = sent(Client::new().get(server.http("/")).header("cookie", cookie)).await;
        answer.headers()["hubbub-person"].to_str().unwrap().to_owned()
    };
    let ann = user_id(&good).await;
    assert!(value.contains(&ann), "{value}");
    let forged = format!("{name}={}", value.replace(&ann, "0000000000000001"));
    for (cookie, stays) in [(&*good, true), (&*forged, false), ("hubbub_id=0000000000000001", false)] {
        let now = user_id(cookie).await;
        assert_eq!((now == ann, now == "0000000000000001"), (stays, false), "{cookie} is {now}");
    }
}

#[tokio::test]
async fn the_cookie_is_secure_behind_https() {
    let server = TestServer::start().await;
    let answer = sent(Client::new().get(server.http("/")).header("x-forwarded-proto", "https")).await;
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
}

#[tokio::test]
async fn only_pages_renew_old_cookies_and_all_responses_name_the_user() {
    let server = TestServer::start().await;
    let browser = Device::new("test");
    browser.get(&server, "/").await;
    let fresh = browser.cookie();
    // From before cookies had a time of issue.
    let user_id = "0123456789abcdef";
    let jar = SignedCookieJar::new(Key::from_ref(&server.state)).add(Cookie::new("hubbub_id", user_id));
    let old = (jar, ()).into_response().headers()["set-cookie"].to_str().unwrap().to_owned();
    for (cookie, accepts, renews) in [
        (&old, "text/html", true),
        (&old, "*/*", false),
        (&fresh, "text/html", false),
        (&fresh, "*/*", false),
    ] {
        let request =
            Client::new().get(server.http("/r/tea")).header("cookie", cookie).header("accept", accepts);
        let answer = within_timeout(request.send()).await.unwrap();
        assert_eq!(answer.headers().contains_key("set-cookie"), renews, "{cookie} {accepts}");
        let user_id = answer.headers()["hubbub-person"].to_str().unwrap();
        assert!(cookie.contains(user_id), "{cookie} is {user_id}");
    }
}
