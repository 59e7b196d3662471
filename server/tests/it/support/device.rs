//! A browser without script whose cookies a test can see, copy and put back.

use super::{TestServer, within_timeout};
use reqwest::{Client, RequestBuilder, Response, header::SET_COOKIE, redirect::Policy};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

/// A browser on one device.
pub struct Device {
    client: Client,
    agent: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Device {
    /// Returns a browser without cookies.
    pub fn new(agent: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().expect("a client without settings");
        Self { client, agent: agent.into(), cookies: Mutex::default() }
    }

    /// Returns a browser with a copy of this one's cookies.
    pub fn copy(&self) -> Self {
        let copy = Self::new(&self.agent);
        *copy.cookies() = self.cookies().clone();
        copy
    }

    /// Returns a browser of a new user with this name.
    pub async fn named(server: &TestServer, name: &str, agent: &str) -> Self {
        let device = Self::new(agent);
        device.page(server, "/").await;
        device.post(server, "/name", &[("name", name)]).await;
        // The page after it lists the device.
        device.page(server, "/devices").await;
        device
    }

    /// Signs another browser in as the same user, by a link.
    pub async fn link(&self, server: &TestServer, agent: &str) -> Self {
        let page = self.post(server, "/device", &[]).await.text().await.expect("a page");
        let path = page.split("/device/").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
        let other = Self::new(agent);
        other.page(server, "/").await;
        let answer = other.post(server, &format!("/device/{path}"), &[]).await;
        assert_eq!(answer.status(), 303, "the link works");
        other.page(server, "/devices").await;
        other
    }

    /// Returns the cookies as a request sends them.
    pub fn cookie(&self) -> String {
        let pairs: Vec<String> =
            self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Returns the cookies, to be changed.
    pub fn cookies(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.cookies.lock().expect("no test panics here")
    }

    pub async fn get(&self, server: &TestServer, path: &str) -> Response {
        self.send(self.client.get(server.http(path))).await
    }

    pub async fn post(&self, server: &TestServer, path: &str, form: &[(&str, &str)]) -> Response {
        self.send(self.client.post(server.http(path)).form(form)).await
    }

    /// Returns the text of a page.
    pub async fn page(&self, server: &TestServer, path: &str) -> String {
        self.get(server, path).await.text().await.expect("a page")
    }

    /// Sends a request as a browser does, and keeps the cookies of the answer.
    async fn send(&self, request: RequestBuilder) -> Response {
        let request = request.header("accept", "text/html,*/*;q=0.8").header("user-agent", &self.agent);
        let cookie = self.cookie();
        let request = if cookie.is_empty() { request } else { request.header("cookie", cookie) };
        let answer = within_timeout(request.send()).await.expect("the server answers");
        for set in answer.headers().get_all(SET_COOKIE) {
            let set = set.to_str().expect("a cookie is ASCII");
            let (name, value) = set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            if set.contains("Max-Age=0") {
                self.cookies().remove(name);
            } else {
                self.cookies().insert(name.into(), value.into());
            }
        }
        answer
    }
}
