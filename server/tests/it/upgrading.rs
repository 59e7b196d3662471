//! The WebSocket upgrade and the choice of the protocol, compared with the Go demo.

use crate::support::{Lines, TestServer, within_timeout};
use app::wire::PROTOCOL;
use reqwest::{
    Client, Method, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tokio_tungstenite::tungstenite::error::Error;

/// The headers of a valid upgrade (RFC 6455, section 1.3, with its sample key).
const GOOD: [(&str, &str); 4] = [
    ("connection", "keep-alive, Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Sends a valid upgrade with some headers changed, or removed if they are empty.
async fn send(server: &TestServer, path: &str, changed: &[(&'static str, &str)]) -> reqwest::Response {
    send_with(server, Method::GET, path, changed).await
}

async fn send_with(
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
    within_timeout(Client::new().request(method, server.http(path)).headers(headers).send()).await.unwrap()
}

#[tokio::test]
async fn a_valid_request_is_answered_with_101_and_the_right_key() {
    let server = TestServer::start().await;
    let answer = send(&server, "/ws", &[]).await;
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(answer.headers()["upgrade"], "websocket");
    assert!(answer.headers()["connection"].to_str().unwrap().eq_ignore_ascii_case("upgrade"));
    assert_eq!(answer.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert!(!answer.headers().contains_key("sec-websocket-protocol"), "none was offered");
}

/// The answer 426 names the supported version.
#[tokio::test]
async fn a_request_without_an_upgrade_gets_426() {
    let server = TestServer::start().await;
    for changed in [("connection", "keep-alive"), ("upgrade", "h2c"), ("upgrade", "")] {
        let answer = send(&server, "/ws", &[changed]).await;
        assert_eq!(answer.status(), StatusCode::UPGRADE_REQUIRED, "{changed:?}");
        assert_eq!(answer.headers()["upgrade"], "websocket");
        assert_eq!(answer.headers()["sec-websocket-version"], "13");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn methods_other_than_get_are_rejected_with_405() {
    let server = TestServer::start().await;
    for method in [Method::POST, Method::PUT, Method::HEAD] {
        let answer = send_with(&server, method, "/ws", &[]).await;
        assert_eq!(
            (answer.status(), &answer.headers()["allow"]),
            (StatusCode::METHOD_NOT_ALLOWED, &HeaderValue::from_static("GET"))
        );
    }
}

/// axum itself only checks that there is a key.
#[tokio::test]
async fn an_unsupported_version_or_invalid_key_is_rejected_with_400() {
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
        let answer = send(&server, "/ws", &[changed]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{changed:?}");
        assert_eq!(answer.headers()["sec-websocket-version"], "13");
    }
}

/// The server compares host and port, and not the scheme.
#[tokio::test]
async fn only_own_pages_and_programs_may_connect() {
    let server = TestServer::start().await;
    let host = server.address.to_string();
    for good in [
        "",
        &format!("http://{host}"),
        &format!("https://{host}"),
        &format!("HTTP://{}", host.to_uppercase()),
    ] {
        let answer = send(&server, "/ws", &[("origin", good)]).await;
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS, "{good}");
    }
    let bad =
        ["null", "http://127.0.0.1", "http://evil.example", &format!("http://{host}.evil.example"), &host];
    for bad in bad {
        let answer = send(&server, "/ws", &[("origin", bad)]).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{bad}");
    }
}

#[tokio::test]
async fn allowed_origins_may_connect() {
    let server =
        TestServer::with(|config| config.allow_origin = vec!["https://chat.example.org".parse().unwrap()])
            .await;
    let status = async |origin| send(&server, "/ws", &[("origin", origin)]).await.status();
    assert_eq!(status("https://chat.example.org").await, StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(status("http://chat.example.org").await, StatusCode::FORBIDDEN);
    assert_eq!(status("https://example.org").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn extensions_are_not_negotiated() {
    let server = TestServer::start().await;
    let answer = send(&server, "/ws", &[("sec-websocket-extensions", "permessage-deflate")]).await;
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(!answer.headers().contains_key("sec-websocket-extensions"));
}

#[tokio::test]
async fn v1_is_chosen_at_any_position_among_the_offers() {
    let server = TestServer::start().await;
    for offer in [PROTOCOL, "other.v9, hubbub.v1"] {
        let answer = send(&server, "/ws", &[("sec-websocket-protocol", offer)]).await;
        assert_eq!(
            (answer.status(), &answer.headers()["sec-websocket-protocol"]),
            (StatusCode::SWITCHING_PROTOCOLS, &HeaderValue::from_static(PROTOCOL))
        );
    }
}

#[tokio::test]
async fn unknown_subprotocols_are_rejected_with_the_known_ones() {
    let server = TestServer::start().await;
    let answer = send(&server, "/ws", &[("sec-websocket-protocol", "hubbub.v9, mqtt")]).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains(PROTOCOL));
}

#[tokio::test]
async fn an_invalid_room_is_rejected_for_lines() {
    let server = TestServer::start().await;
    for path in ["/ws?room=No+Room", "/ws?room=", "/ws?room=-a"] {
        assert_eq!(send(&server, path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn only_the_exact_path_is_the_endpoint() {
    let server = TestServer::start().await;
    for path in ["/ws/", "/ws/x", "/WS"] {
        assert_eq!(send(&server, path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_101_answer_sets_the_cookie_of_a_new_user() {
    let server = TestServer::start().await;
    let (_socket, answer) = server.open("/ws", &[]).await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    for part in ["hubbub_id=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"] {
        assert!(cookie.contains(part), "{part} is not in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "the request is not HTTPS");
}

#[tokio::test]
async fn a_full_server_answers_503_until_a_connection_is_closed() {
    let server = TestServer::with(|config| config.max_connections = 2).await;
    let first = Lines::join(&server, "tea").await;
    let _second = Lines::join(&server, "tea").await;
    let Err(Error::Http(rejected)) = server.open("/ws", &[]).await else { panic!("the server is full") };
    assert_eq!(rejected.status(), 503);
    assert!(rejected.headers().contains_key("retry-after"));
    drop(first);
    within_timeout(async { while server.open("/ws", &[]).await.is_err() {} }).await;
}
