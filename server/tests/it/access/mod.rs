//! Access and moderation: who may enter, read and write, by each way in; and what revoked access ends.

mod door;
mod entry_points;
mod forms;
mod networks;
mod random_revocations;
mod revocation;
mod search;

use crate::support::{TestServer, room, within_timeout};
use app::wire::{RoomName, UserId};
use server::store::{Action, Moderation, RoomInfo, Setting, Store, StoreError, Until};
use std::time::Duration;

/// A user with a cookie.
#[derive(Debug, Clone)]
struct Visitor {
    id: UserId,
    cookie: String,
}

impl Visitor {
    /// Returns a new user, who has only opened the lobby.
    async fn new(server: &TestServer) -> Self {
        let answer = within_timeout(reqwest::get(server.http("/"))).await.expect("the lobby answers");
        let header = |name: &str| answer.headers()[name].to_str().expect("it is ASCII").to_owned();
        let cookie = header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        Self { id: header("hubbub-person").parse().expect("an id"), cookie }
    }

    /// Sends a request, as a program does.
    async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Response {
        within_timeout(request.header("cookie", &self.cookie).send()).await.expect("the server answers")
    }

    /// Opens a page, as a browser does. Returns its status and text.
    async fn page(&self, server: &TestServer, path: &str) -> (u16, String) {
        let request = client().get(server.http(path)).header("accept", "text/html");
        let answer = self.send(request).await;
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    /// Sends a form, as a browser does. Returns the status, the address of a redirect, and the text.
    async fn form(&self, server: &TestServer, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
        let request = client().post(server.http(path)).header("accept", "text/html").form(fields);
        let answer = self.send(request).await;
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let (status, location) = (answer.status().as_u16(), location.unwrap_or_default().to_owned());
        (status, location, answer.text().await.expect("a text"))
    }
}

/// Returns a client that follows no redirects.
fn client() -> reqwest::Client {
    let policy = reqwest::redirect::Policy::none();
    reqwest::Client::builder().redirect(policy).build().expect("a client without settings")
}

/// Returns the name of a room of each kind: public, unlisted, for members only.
fn names() -> [RoomName; 3] {
    [room("tea"), room(&format!("p-{}", "a".repeat(32))), room(&format!("m-{}", "a".repeat(32)))]
}

async fn create_room(store: &dyn Store, name: &RoomName, owner: UserId) {
    let title = format!("Room {name}").chars().take(40).collect::<String>().parse().expect("a good title");
    let info = RoomInfo { title: Some(title), owner: Some(owner), ..RoomInfo::default() };
    store.create_room(name.clone(), info).await.expect("it is new");
}

async fn act(
    store: &dyn Store,
    actor: UserId,
    place: Option<&RoomName>,
    action: Action,
) -> Result<(), StoreError> {
    let (room, reason) = (place.cloned(), "spam".into());
    store.moderate(Moderation { actor, room, action, reason }).await
}

async fn make_admin(store: &dyn Store, user: UserId) {
    store.set(Setting::AdminLink, Some("07".repeat(32).into())).await.expect("the store works");
    assert!(store.redeem_admin_link([7; 32], user).await.expect("the store works"));
}

fn remove(user: UserId) -> Action {
    Action::Remove { user, until: Until(None), network: None }
}

/// Waits a moment, in which something would arrive that must not.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
