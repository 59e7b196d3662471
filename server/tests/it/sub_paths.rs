//! Behind a proxy that shows the server below a path: everything stays below it.

use crate::support::{TestServer, browser, sent};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use server::config::Config;

/// The way in which a proxy forwards a path below `/chat`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Proxy {
    /// The proxy strips the prefix and sends it in `X-Forwarded-Prefix`.
    StripsAndSays,
    /// The proxy strips the prefix; the server has a public URL.
    Strips,
    /// The proxy keeps the prefix; the server has a public URL.
    PassesThrough,
}

const ALL: [Proxy; 3] = [Proxy::StripsAndSays, Proxy::Strips, Proxy::PassesThrough];

impl Proxy {
    async fn server(self) -> TestServer {
        let public_url = (self != Self::StripsAndSays).then(|| "https://host.example/chat/".parse().unwrap());
        TestServer::with(|config: &mut Config| config.public_url = public_url).await
    }

    /// Returns the URL of the server for `path`, which is below `/chat` for the browser.
    fn url(self, server: &TestServer, path: &str) -> String {
        let inner = path.strip_prefix("/chat").expect("nothing else is asked of this proxy");
        server.http(if self == Self::PassesThrough { path } else { inner })
    }

    async fn send(self, request: RequestBuilder) -> Response {
        let request = request.header("x-forwarded-proto", "https").header("host", "host.example");
        let says = self == Self::StripsAndSays;
        sent(if says { request.header("x-forwarded-prefix", "/chat") } else { request }).await
    }
}

/// Returns the URLs in a page that a browser would request from the server.
fn links(page: &str) -> Vec<String> {
    let attributes =
        ["href=\"", "src=\"", "action=\""].into_iter().flat_map(|start| page.split(start).skip(1));
    let scripts = ["fetch(\"", "import(\""].into_iter().flat_map(|start| page.split(start).skip(1));
    let values = attributes.chain(scripts).filter_map(|rest| rest.split('"').next());
    values.filter(|value| value.starts_with('/')).map(Into::into).collect()
}

#[tokio::test]
async fn no_link_of_any_page_leaves_the_sub_path() {
    for proxy in ALL {
        let server = proxy.server().await;
        let (browser, get) = (browser(), "/chat/");
        proxy.send(browser.get(proxy.url(&server, get))).await;
        for text in ["one", "two"] {
            proxy.send(browser.post(proxy.url(&server, "/chat/r/tea")).form(&[("text", text)])).await;
        }
        for path in
            ["/chat/", "/chat/r/tea", "/chat/r/tea?before=2", "/chat/rooms", "/chat/nothing", "/chat/offline"]
        {
            let page = proxy.send(browser.get(proxy.url(&server, path))).await.text().await.unwrap();
            let links = links(&page);
            assert!(links.len() > 4, "{proxy:?} {path}: {page}");
            for link in links {
                assert!(link.starts_with("/chat/"), "{proxy:?} {path} has {link}");
            }
        }
    }
}

#[tokio::test]
async fn a_share_link_has_the_public_url() {
    for proxy in ALL {
        let server = proxy.server().await;
        let page = proxy.send(browser().get(proxy.url(&server, "/chat/r/tea"))).await.text().await.unwrap();
        assert!(page.contains("value=\"https://host.example/chat/r/tea\""), "{proxy:?}");
    }
}

#[tokio::test]
async fn forms_redirect_below_the_sub_path() {
    for proxy in ALL {
        let server = proxy.server().await;
        let browser = browser();
        // The cookie is `Secure`, and the test's browser, which does not see the proxy's HTTPS, would not send it.
        let answer = proxy.send(browser.get(proxy.url(&server, "/chat/"))).await;
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        for (path, form, leads_to) in [
            ("/chat/r/tea", [("text", "hello")], "/chat/r/tea"),
            ("/chat/name", [("name", "Ann")], "/chat/"),
            ("/chat/rooms", [("title", "Book club")], "/chat/r/book-club"),
            ("/chat/settings", [("back", "/r/tea")], "/chat/r/tea"),
            ("/chat/r/tea/1/delete", [("", "")], "/chat/r/tea#m1"),
        ] {
            let answer = browser.post(proxy.url(&server, path)).header("cookie", &cookie).form(&form);
            let answer = proxy.send(answer).await;
            let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            assert_eq!(
                (answer.status(), location.as_deref()),
                (StatusCode::SEE_OTHER, Some(leads_to)),
                "{proxy:?} {path}"
            );
        }
        let answer =
            proxy.send(browser.post(proxy.url(&server, "/chat/api/rooms/tea/messages")).body("hi")).await;
        assert_eq!(answer.headers()["location"], "/chat/r/tea?around=3");
    }
}

#[tokio::test]
async fn cookies_and_the_manifest_are_for_the_sub_path_alone() {
    for proxy in ALL {
        let server = proxy.server().await;
        let answer = proxy.send(browser().get(proxy.url(&server, "/chat/"))).await;
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.starts_with("__Secure-hubbub_id=") && cookie.contains("; Path=/chat;"), "{cookie}");
        let answer = proxy.send(browser().get(proxy.url(&server, "/chat/hubbub.webmanifest"))).await;
        let manifest: Value = answer.json().await.unwrap();
        for field in ["id", "start_url", "scope"] {
            assert_eq!(manifest[field], "/chat/", "{field}");
        }
        let icons = manifest["icons"].as_array().unwrap().iter().map(|icon| &icon["src"]);
        for path in icons.chain([&manifest["shortcuts"][0]["url"], &manifest["share_target"]["action"]]) {
            assert!(path.as_str().unwrap().starts_with("/chat/"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_sub_path_without_its_slash_redirects_to_the_lobby() {
    let server = Proxy::PassesThrough.server().await;
    let answer = Proxy::PassesThrough.send(browser().get(server.http("/chat"))).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (308, &"/chat/".parse().unwrap()));
    let other = Proxy::PassesThrough.send(browser().get(server.http("/chatter"))).await;
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_invalid_prefix_is_ignored() {
    let server = TestServer::start().await;
    for prefix in ["//evil.example", "/\"><script>alert(1)</script>", "/a/../b", "/r", "chat"] {
        let request = browser().get(server.http("/r/tea")).header("x-forwarded-prefix", prefix);
        let answer = sent(request).await;
        assert_eq!(answer.status(), StatusCode::OK, "{prefix}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("action=\"/r/tea\"") && !page.contains("evil"), "{prefix}");
    }
}
