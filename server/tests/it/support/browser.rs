//! A browser without script: it keeps cookies, and shows where it is sent instead of going there.

use super::{TestServer, within_timeout};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};

/// A browser that has been nowhere yet.
pub fn browser() -> Client {
    Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("a client without settings")
}

/// The browser of somebody who has looked at the lobby, and has a cookie by it.
pub async fn visitor(server: &TestServer) -> Client {
    let browser = browser();
    sent(browser.get(server.http("/"))).await;
    browser
}

/// The answer to what a browser asks for.
pub async fn sent(request: RequestBuilder) -> Response {
    within_timeout(request.header("accept", "text/html,*/*;q=0.8").send()).await.expect("the server answers")
}
