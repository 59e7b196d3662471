//! The form that changes the display name.

use super::page;
use crate::support::{TestServer, sent, visitor};
use reqwest::{Client, StatusCode};

#[tokio::test]
async fn rate_limited_rename_is_rejected_and_keeps_the_typed_name() {
    let server = TestServer::with(|config| config.post_rate = 100).await;
    let ann = visitor(&server).await;
    let rename =
        |name: String| ann.post(server.http("/name")).form(&[("name", name), ("room", "tea".into())]);
    for n in 0..20 {
        assert_eq!(sent(rename(format!("Ann of {n}"))).await.status(), StatusCode::SEE_OTHER);
    }
    let rejected = sent(rename("Ann of Tea".into())).await;
    assert_eq!(rejected.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(rejected.headers().contains_key("retry-after"));
    let body = rejected.text().await.unwrap();
    assert!(body.contains("value=\"Ann of Tea\"") && body.contains("Ann of 19"), "{body}");
}

#[tokio::test]
async fn invalid_name_is_rejected_in_the_page_language_and_kept() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    for (name, lang, why) in [
        ("Ann #2", "en", "cannot end like a tag"),
        ("Ann #2", "zh", "结尾不能像标记"),
        ("System", "en", "is reserved"),
        ("管理员", "zh", "是保留的"),
    ] {
        let form = [("name", name), ("room", "tea")];
        let rejected = sent(ann.post(server.http("/name")).header("accept-language", lang).form(&form)).await;
        assert_eq!(rejected.status(), StatusCode::BAD_REQUEST, "{name}");
        let body = rejected.text().await.unwrap();
        assert!(body.contains(why) && body.contains(&format!("value=\"{name}\"")), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_name_is_generated_in_the_language_of_the_browser() {
    let server = TestServer::start().await;
    let request = |language: &str| Client::new().get(server.http("/")).header("accept-language", language);
    let chinese = sent(request("zh-CN")).await.text().await.unwrap();
    let name = chinese.split("<strong").nth(1).unwrap().split(['<', '>']).nth(1).unwrap();
    assert!(name.contains('的') && !name.is_ascii(), "{name}");
    let english = sent(request("en")).await.text().await.unwrap();
    let name = english.split("<strong").nth(1).unwrap().split(['<', '>']).nth(1).unwrap();
    assert!(name.is_ascii() && name.contains(' '), "{name}");
}

#[tokio::test]
async fn rename_to_a_confusable_name_leads_to_an_explanation() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    let rename =
        |user: &Client, name: &str| user.post(server.http("/name")).form(&[("name", name), ("room", "tea")]);
    assert_eq!(sent(rename(&ann, "Ann")).await.headers()["location"], "/r/tea");
    assert_eq!(sent(rename(&bob, "\u{410}nn")).await.headers()["location"], "/r/tea#ambiguous");
    assert!(page(&bob, &server, "/r/tea").await.contains("The tag distinguishes you"));
    assert_eq!(sent(rename(&bob, "Bob")).await.headers()["location"], "/r/tea");
}
