//! The hosts that the server accepts, and the origins whose pages may change something.

use crate::support::{TestServer, raw, within_timeout};
use reqwest::{Client, Method, Response, StatusCode};
use server::config::Config;

async fn send(server: &TestServer, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Client::new().request(method, server.http(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    within_timeout(request.send()).await.expect("the server answers")
}

async fn status(server: &TestServer, headers: &[(&str, &str)]) -> u16 {
    send(server, Method::GET, "/api/rooms", headers).await.status().as_u16()
}

fn with_public_url(url: &str) -> impl FnOnce(&mut Config) {
    let url = url.parse().expect("a good address");
    move |config| config.public_url = Some(url)
}

#[tokio::test]
async fn a_rebound_name_is_rejected_with_421_and_a_hint_at_the_flag() {
    let server = TestServer::alone().await;
    let evil = format!("evil.example:{}", server.address.port());
    let forwarded = ("x-forwarded-proto", "https");
    for headers in [vec![("host", &*evil)], vec![("host", &*evil), forwarded], vec![("host", "evil.example")]]
    {
        assert_eq!(status(&server, &headers).await, 421, "{headers:?}");
    }
    let answer = send(&server, Method::GET, "/", &[("host", &evil), ("accept", "text/html")]).await;
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
    let text = answer.text().await.unwrap();
    assert!(text.contains("--public-url") && text.contains(&evil), "{text}");
}

#[tokio::test]
async fn addresses_and_localhost_are_hosts_of_every_server() {
    let server = TestServer::with(with_public_url("https://chat.example/")).await;
    let port = server.address.port();
    let own_port = format!("localhost:{port}");
    let private = format!("chat.lan:{port}");
    for host in
        ["127.0.0.1", "[::1]", "192.0.2.7:9", "localhost", "LOCALHOST.", &own_port, &private, "box.local"]
    {
        assert_eq!(status(&server, &[("host", host)]).await, 200, "{host}");
    }
}

#[tokio::test]
async fn a_local_proxy_can_forward_any_host_if_no_public_url_is_set() {
    let server = TestServer::alone().await;
    let named = ("host", "chat.example");
    for header in [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")] {
        assert_eq!(status(&server, &[named, header]).await, 200, "{header:?}");
    }
    assert_eq!(status(&server, &[("host", "upstream")]).await, 200, "a name that no public DNS has");
    let distrustful = TestServer::with(|config| config.trusted_proxy = Vec::new()).await;
    assert_eq!(status(&distrustful, &[named, ("x-forwarded-for", "203.0.113.9")]).await, 421);
}

#[tokio::test]
async fn only_the_hosts_of_public_url_and_allowed_origins_are_served() {
    let server = TestServer::with(|config| {
        with_public_url("https://chat.example/")(config);
        config.allow_origin = vec!["https://intranet.example".parse().unwrap()];
    })
    .await;
    for (headers, expected) in [
        (vec![("host", "chat.example")], 200),
        (vec![("host", "CHAT.example:8443")], 200),
        (vec![("host", "intranet.example")], 200),
        (vec![("host", "other.example"), ("x-forwarded-proto", "https")], 421),
        (vec![("host", "upstream")], 421),
        (
            vec![
                ("host", "inner.example"),
                ("x-forwarded-for", "203.0.113.9"),
                ("x-forwarded-host", "chat.example"),
            ],
            200,
        ),
    ] {
        assert_eq!(status(&server, &headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_request_has_one_host_header_and_http_1_0_may_have_none() {
    let server = TestServer::alone().await;
    let host = server.address.to_string();
    for (head, expected) in [
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n"), "400"),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n"), "400"),
        ("GET /healthz HTTP/1.1\r\n".into(), "400"),
        ("GET /healthz HTTP/1.1\r\nHost: a b\r\n".into(), "400"),
        ("GET /healthz HTTP/1.1\r\nHost: user@localhost\r\n".into(), "400"),
        ("GET /healthz HTTP/1.0\r\n".into(), "200"),
        (format!("GET http://evil.example:1/healthz HTTP/1.1\r\nHost: {host}\r\n"), "421"),
        (format!("GET http://{host}/healthz HTTP/1.1\r\nHost: evil.example:1\r\n"), "200"),
        (
            format!(
                "POST /api/commands HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
            ),
            "400",
        ),
    ] {
        let answer = raw(&server, &format!("{head}Connection: close\r\n\r\n")).await;
        assert_eq!(answer.split(' ').nth(1), Some(expected), "{head} {answer}");
    }
}

#[tokio::test]
async fn origins_are_compared_with_default_ports_and_without_case() {
    let server = TestServer::alone().await;
    for (host, proto, origin, expected) in [
        ("chat.example:443", "https", "https://chat.example", 200),
        ("chat.example", "https", "https://chat.example", 200),
        ("CHAT.example", "HTTPS, http", "https://chat.example", 200),
        ("chat.example:80", "http", "http://chat.example", 200),
        ("chat.example", "http", "https://chat.example", 200),
        ("chat.example", "https", "http://chat.example", 403),
        ("chat.example:443", "https", "https://chat.example:444", 403),
        ("chat.example", "https", "https://evil.example", 403),
    ] {
        let headers = [("host", host), ("x-forwarded-proto", proto), ("origin", origin)];
        let answer = send(&server, Method::POST, "/api/commands", &headers).await;
        assert_eq!(answer.status().as_u16(), expected, "{headers:?}");
    }
}

#[tokio::test]
async fn the_public_url_is_same_origin_whichever_host_the_proxy_sends() {
    let server = TestServer::with(with_public_url("https://host.example/chat/")).await;
    for (origin, expected) in [
        ("https://host.example", 200),
        ("https://HOST.example:443", 200),
        ("http://host.example", 403),
        ("https://evil.example", 403),
    ] {
        for host in [server.address.to_string(), "host.example".into()] {
            let headers = [("host", &*host), ("origin", origin)];
            let answer = send(&server, Method::POST, "/api/commands", &headers).await;
            assert_eq!(answer.status().as_u16(), expected, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn cross_site_request_is_rejected_even_without_an_origin_header() {
    let server = TestServer::alone().await;
    let own = server.http("/r/tea");
    for (headers, expected) in [
        (vec![], 201),
        (vec![("sec-fetch-site", "same-origin")], 201),
        (vec![("sec-fetch-site", "none")], 201),
        (vec![("referer", &*own)], 201),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("referer", "http://evil.example/x")], 403),
        (vec![("referer", "http://evil.example/?http://127.0.0.1/")], 403),
        (vec![("origin", own.trim_end_matches("/r/tea")), ("sec-fetch-site", "cross-site")], 403),
    ] {
        let answer = send(&server, Method::POST, "/api/rooms/tea/messages", &headers).await;
        let expected = if expected == 201 { 400 } else { expected };
        assert_eq!(answer.status().as_u16(), expected, "{headers:?}: 400 is for the empty message");
    }
}

#[tokio::test]
async fn an_image_on_another_site_moves_no_read_marker() {
    let server = TestServer::alone().await;
    let cookie = server.new_user_cookie().await;
    let post =
        Client::new().post(server.http("/api/rooms/tea/messages")).header("cookie", &cookie).body("hello");
    assert_eq!(within_timeout(post.send()).await.unwrap().status(), StatusCode::CREATED);
    for (site, expected) in [("cross-site", 403), ("same-site", 403), ("same-origin", 204)] {
        let headers = [("cookie", &*cookie), ("sec-fetch-site", site)];
        let answer = send(&server, Method::GET, "/r/tea/seen?seq=1", &headers).await;
        assert_eq!(answer.status().as_u16(), expected, "{site}");
    }
}

#[tokio::test]
async fn cross_origin_rejection_names_the_origin_host_and_flag() {
    let server = TestServer::alone().await;
    let answer = send(&server, Method::POST, "/api/commands", &[("origin", "https://chat.example")]).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let text = answer.text().await.unwrap();
    for part in ["https://chat.example", &server.address.to_string(), "--public-url"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[tokio::test]
async fn an_allowed_origin_can_read_the_api_and_another_cannot() {
    let server = TestServer::with(|config| {
        config.allow_origin = vec!["https://intranet.example".parse().unwrap()];
    })
    .await;
    let path = "/api/rooms/tea/messages";
    let allow = "access-control-allow-origin";
    let preflight = |origin| [("origin", origin), ("access-control-request-method", "POST")];
    let answer = send(&server, Method::OPTIONS, path, &preflight("https://intranet.example")).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[allow]),
        (204, &"https://intranet.example".parse().unwrap())
    );
    assert!(answer.headers()["access-control-allow-headers"].to_str().unwrap().contains("content-type"));
    for method in [Method::GET, Method::POST] {
        let answer = send(&server, method, path, &[("origin", "https://intranet.example")]).await;
        assert_eq!(answer.headers()[allow], "https://intranet.example");
        assert!(answer.headers().get_all("vary").iter().any(|vary| vary == "origin"));
    }
    for (method, origin) in
        [(Method::OPTIONS, "https://other.example"), (Method::GET, "https://other.example")]
    {
        let answer = send(&server, method, path, &preflight(origin)).await;
        assert!(!answer.headers().contains_key(allow), "{origin}");
    }
    let page = send(&server, Method::GET, "/", &[("origin", "https://intranet.example")]).await;
    assert!(!page.headers().contains_key(allow), "pages are for our own site alone");
}

#[tokio::test]
async fn every_response_has_the_isolation_headers() {
    let server = TestServer::alone().await;
    for (path, host) in [
        ("/", "localhost"),
        ("/nothing", "localhost"),
        ("/api/rooms", "localhost"),
        ("/", "chat.lan"),
        ("/", "evil.example"),
    ] {
        let answer = send(&server, Method::GET, path, &[("host", host)]).await;
        for (name, value) in
            [("x-content-type-options", "nosniff"), ("cross-origin-resource-policy", "same-origin")]
        {
            assert_eq!(answer.headers()[name], value, "{path} of {host}");
        }
        assert!(answer.headers()["permissions-policy"].to_str().unwrap().contains("camera=()"));
        // Browsers warn about this header on a page over HTTP from another machine.
        let opener =
            answer.headers().get("cross-origin-opener-policy").map(reqwest::header::HeaderValue::as_bytes);
        assert_eq!(opener, (host == "localhost").then_some(&b"same-origin"[..]), "{path} of {host}");
        if answer.status() != StatusCode::OK {
            let policy = answer.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'"), "{path} of {host}: {policy}");
        }
    }
}
