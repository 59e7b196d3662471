//! Asking for a socket: who gets one and in which mode, held against the Go demo (U01 to U09).

use crate::support::{Lines, TestServer, soon};
use app::wire::PROTOCOL;
use reqwest::{
    Client, Method, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tokio_tungstenite::tungstenite::error::Error;

/// What a good upgrade asks for (RFC 6455, section 1.3, with its sample key).
const GOOD: [(&str, &str); 4] = [
    ("connection", "keep-alive, Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// A good upgrade with some headers changed, or left out where they are empty.
async fn ask(server: &TestServer, path: &str, changed: &[(&'static str, &str)]) -> reqwest::Response {
    ask_with(server, Method::GET, path, changed).await
}

async fn ask_with(
    server: &TestServer,
    method: Method,
    path: &str,
    changed: &[(&'static str, &str)],
) -> reqwest::Response {
    let mut headers = HeaderMap::new();
    for (name, value) in GOOD.iter().chain(changed) {
        let name = HeaderName::from_static(name);
        if value.is_empty() {
            headers.remove(name);
        } else {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    soon(Client::new().request(method, server.http(path)).headers(headers).send()).await.unwrap()
}

/// U01.
#[tokio::test]
async fn a_good_request_is_answered_with_101_and_the_right_key() {
    let server = TestServer::start().await;
    let answer = ask(&server, "/ws", &[]).await;
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(answer.headers()["upgrade"], "websocket");
    assert!(answer.headers()["connection"].to_str().unwrap().eq_ignore_ascii_case("upgrade"));
    assert_eq!(answer.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert!(!answer.headers().contains_key("sec-websocket-protocol"), "none was offered");
}

/// U02 and U03: 426 says what would do.
#[tokio::test]
async fn a_request_for_no_websocket_is_told_to_upgrade() {
    let server = TestServer::start().await;
    for changed in [("connection", "keep-alive"), ("upgrade", "h2c"), ("upgrade", "")] {
        let answer = ask(&server, "/ws", &[changed]).await;
        assert_eq!(answer.status(), StatusCode::UPGRADE_REQUIRED, "{changed:?}");
        assert_eq!(answer.headers()["upgrade"], "websocket");
        assert_eq!(answer.headers()["sec-websocket-version"], "13");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

/// U04.
#[tokio::test]
async fn another_method_than_get_is_refused_with_405() {
    let server = TestServer::start().await;
    for method in [Method::POST, Method::PUT, Method::HEAD] {
        let answer = ask_with(&server, method, "/ws", &[]).await;
        assert_eq!(
            (answer.status(), &answer.headers()["allow"]),
            (StatusCode::METHOD_NOT_ALLOWED, &HeaderValue::from_static("GET"))
        );
    }
}

/// U05 and U07: axum itself looks only whether the key is there.
#[tokio::test]
async fn another_version_or_a_key_that_is_none_is_refused_with_400() {
    let server = TestServer::start().await;
    let wrong = [
        ("sec-websocket-version", "8"),
        ("sec-websocket-version", ""),
        ("sec-websocket-key", ""),
        ("sec-websocket-key", "not base64!"),
        ("sec-websocket-key", "c2hvcnQ="),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZSBpcyB0b28gbG9uZw=="),
    ];
    for changed in wrong {
        let answer = ask(&server, "/ws", &[changed]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{changed:?}");
        assert_eq!(answer.headers()["sec-websocket-version"], "13");
    }
}

/// U06: host and port are compared, the scheme is not.
#[tokio::test]
async fn only_our_own_pages_and_programs_may_connect() {
    let server = TestServer::start().await;
    let host = server.address.to_string();
    for good in [
        "",
        &format!("http://{host}"),
        &format!("https://{host}"),
        &format!("HTTP://{}", host.to_uppercase()),
    ] {
        let answer = ask(&server, "/ws", &[("origin", good)]).await;
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS, "{good}");
    }
    let bad =
        ["null", "http://127.0.0.1", "http://evil.example", &format!("http://{host}.evil.example"), &host];
    for bad in bad {
        let answer = ask(&server, "/ws", &[("origin", bad)]).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{bad}");
    }
}

#[tokio::test]
async fn another_site_may_connect_where_the_settings_say_so() {
    let server =
        TestServer::with(|config| config.allow_origin = vec!["https://chat.example.org".parse().unwrap()])
            .await;
    let status = async |origin| ask(&server, "/ws", &[("origin", origin)]).await.status();
    assert_eq!(status("https://chat.example.org").await, StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(status("http://chat.example.org").await, StatusCode::FORBIDDEN);
    assert_eq!(status("https://example.org").await, StatusCode::FORBIDDEN);
}

/// U08.
#[tokio::test]
async fn extensions_are_not_taken_up() {
    let server = TestServer::start().await;
    let answer = ask(&server, "/ws", &[("sec-websocket-extensions", "permessage-deflate")]).await;
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(!answer.headers().contains_key("sec-websocket-extensions"));
}

#[tokio::test]
async fn v1_is_echoed_wherever_it_stands_among_the_offers() {
    let server = TestServer::start().await;
    for offer in [PROTOCOL, "other.v9, hubbub.v1"] {
        let answer = ask(&server, "/ws", &[("sec-websocket-protocol", offer)]).await;
        assert_eq!(
            (answer.status(), &answer.headers()["sec-websocket-protocol"]),
            (StatusCode::SWITCHING_PROTOCOLS, &HeaderValue::from_static(PROTOCOL))
        );
    }
}

#[tokio::test]
async fn who_offers_only_unknown_protocols_is_told_the_known_ones() {
    let server = TestServer::start().await;
    let answer = ask(&server, "/ws", &[("sec-websocket-protocol", "hubbub.v9, mqtt")]).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains(PROTOCOL));
}

#[tokio::test]
async fn a_room_that_cannot_be_is_no_place_for_lines() {
    let server = TestServer::start().await;
    for path in ["/ws?room=No+Room", "/ws?room=", "/ws?room=-a"] {
        assert_eq!(ask(&server, path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

/// H05: the path is exact.
#[tokio::test]
async fn only_the_very_path_is_the_endpoint() {
    let server = TestServer::start().await;
    for path in ["/ws/", "/ws/x", "/WS"] {
        assert_eq!(ask(&server, path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_101_answer_sets_the_cookie_that_makes_somebody() {
    let server = TestServer::start().await;
    let (_socket, answer) = server.open("/ws", &[]).await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    for part in ["hubbub_id=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"] {
        assert!(cookie.contains(part), "{part} is not in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "this is no HTTPS");
}

#[tokio::test]
async fn a_full_server_says_when_to_come_back_and_lets_in_who_comes_when_somebody_left() {
    let server = TestServer::with(|config| config.max_connections = 2).await;
    let first = Lines::enter(&server, "tea").await;
    let _second = Lines::enter(&server, "tea").await;
    let Err(Error::Http(refused)) = server.open("/ws", &[]).await else { panic!("the server is full") };
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    drop(first);
    soon(async { while server.open("/ws", &[]).await.is_err() {} }).await;
}
