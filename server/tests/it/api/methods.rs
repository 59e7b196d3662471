//! Methods of each route.

use super::{get, sent};
use crate::{joining::fill, support::TestServer};
use reqwest::{Client, Method, StatusCode};

#[tokio::test]
async fn head_has_the_headers_of_get_and_405_lists_allowed_methods() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1).await;
    let paths = [
        ("/", "GET,HEAD"),
        ("/r/tea", "GET,HEAD,POST"),
        ("/healthz", "GET,HEAD"),
        ("/readyz", "GET,HEAD"),
        ("/api/rooms", "GET,HEAD"),
        ("/api/rooms/tea/messages", "GET,HEAD,POST"),
        ("/api/rooms/tea/events", "GET,HEAD"),
    ];
    for (path, allowed) in paths {
        let get = get(&server, path).await;
        let head = sent(Client::new().head(server.http(path))).await;
        assert_eq!((get.status(), head.status()), (StatusCode::OK, StatusCode::OK), "{path}");
        assert_eq!(head.headers().get("content-type"), get.headers().get("content-type"), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
        let wrong = sent(Client::new().request(Method::DELETE, server.http(path))).await;
        assert_eq!(
            (wrong.headers()["allow"].to_str().unwrap(), wrong.status()),
            (allowed, StatusCode::METHOD_NOT_ALLOWED),
            "{path}"
        );
    }
}
