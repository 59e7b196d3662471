//! A browser without script. It keeps cookies, and returns redirects instead of following them.

use super::{TestServer, within_timeout};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};

/// Returns a browser without cookies.
pub fn browser() -> Client {
    Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("a client without settings")
}

/// Returns a browser with the cookie of a new user, after a visit of the lobby.
pub async fn visitor(server: &TestServer) -> Client {
    let browser = browser();
    sent(browser.get(server.http("/"))).await;
    browser
}

/// Sends a request as a browser does, and returns the answer.
pub async fn sent(request: RequestBuilder) -> Response {
    within_timeout(request.header("accept", "text/html,*/*;q=0.8").send()).await.expect("the server answers")
}
