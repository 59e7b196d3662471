//! Every way in decides alike: pages, the API, event streams, frames over HTTP, sockets in both modes, commands and forms.

use super::{Visitor, act, client, create_room, make_admin, names, remove};
use crate::support::{TestServer, V1, room, within_timeout};
use app::wire::{ClientFrame, ErrorCode, RoomName, ServerFrame};
use futures_util::SinkExt;
use server::store::{Action, Role, RoomMode, Store, Until};
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

/// The statuses that a user gets when they read a room, by each way in.
async fn reads(server: &TestServer, user: &Visitor, name: &RoomName) -> [(&'static str, u16); 7] {
    let status = async |path: &str, accept: &str| {
        let request = client().get(server.http(path)).header("accept", accept);
        user.send(request).await.status().as_u16()
    };
    let api = format!("/api/rooms/{name}");
    [
        ("page", user.page(server, &name.path()).await.0),
        ("messages", status(&format!("{api}/messages"), "*/*").await),
        ("events", status(&format!("{api}/events"), "*/*").await),
        ("event stream", status(&format!("{api}/events"), "text/event-stream").await),
        ("frames", status(&format!("{api}/frames"), "*/*").await),
        ("socket", join(server, user, name).await),
        ("lines", lines(server, user, name).await),
    ]
}

/// The statuses that a user gets when they post in a room, by each way in.
async fn posts(server: &TestServer, user: &Visitor, name: &RoomName) -> [(&'static str, u16); 4] {
    let (form, ..) = user.form(server, &format!("/r/{name}"), &[("text", "hello")]).await;
    let api = client().post(server.http(&format!("/api/rooms/{name}/messages"))).body("hello");
    let post = post_frame(name);
    let command = client().post(server.http("/api/commands"));
    let command = user.send(command.body(serde_json::to_string(&post).unwrap())).await;
    let command = match command.status().as_u16() {
        200 => status_of(&serde_json::from_str(&command.text().await.unwrap()).unwrap()),
        refused => refused,
    };
    [
        // A form redirects.
        ("form", if form == 303 { 200 } else { form }),
        (
            "API",
            match user.send(api).await.status().as_u16() {
                201 => 200,
                other => other,
            },
        ),
        ("command", command),
        ("socket", post_over_socket(server, user, name).await),
    ]
}

fn post_frame(name: &RoomName) -> ClientFrame {
    let (room, text) = (name.to_string(), "hello".into());
    ClientFrame::Post {
        id: Uuid::now_v7(),
        room,
        text,
        reply_to: None,
        mentions: Vec::new(),
        files: Vec::new(),
    }
}

fn join_frame(name: &RoomName) -> ClientFrame {
    let (after, after_id, log, limit) = (None, None, None, None);
    ClientFrame::Join { room: name.to_string(), after, after_id, log, limit, presence: true }
}

/// Returns the HTTP status that means the same as a frame.
fn status_of(frame: &ServerFrame) -> u16 {
    match frame {
        ServerFrame::Joined { .. } | ServerFrame::Ack { .. } => 200,
        ServerFrame::Error { code: ErrorCode::NoSuchRoom | ErrorCode::NotJoined, .. } => 404,
        ServerFrame::Error {
            code:
                ErrorCode::Removed
                | ErrorCode::Banned
                | ErrorCode::NotAdmitted
                | ErrorCode::Muted
                | ErrorCode::PostsClosed
                | ErrorCode::NotAllowed,
            ..
        } => 403,
        other => panic!("an unexpected frame: {other:?}"),
    }
}

/// Opens a socket of v1. Returns it with its first frame.
async fn connect(server: &TestServer, user: &Visitor) -> Result<V1, ServerFrame> {
    let client = V1::connect_as(server, &user.cookie).await;
    if matches!(client.welcome, ServerFrame::Welcome { .. }) { Ok(client) } else { Err(client.welcome) }
}

async fn join(server: &TestServer, user: &Visitor, name: &RoomName) -> u16 {
    match connect(server, user).await {
        Ok(mut client) => {
            client.send(&join_frame(name)).await;
            status_of(&client.expect_frame().await)
        }
        Err(refused) => status_of(&refused),
    }
}

async fn post_over_socket(server: &TestServer, user: &Visitor, name: &RoomName) -> u16 {
    let mut client = match connect(server, user).await {
        Ok(client) => client,
        Err(refused) => return status_of(&refused),
    };
    client.send(&join_frame(name)).await;
    let joined = status_of(&client.expect_frame().await);
    if joined != 200 {
        return joined;
    }
    client.send(&post_frame(name)).await;
    status_of(&client.expect_reply().await)
}

async fn lines(server: &TestServer, user: &Visitor, name: &RoomName) -> u16 {
    match server.open(&format!("/ws?room={name}"), &[("cookie", &user.cookie)]).await {
        Ok(_) => 200,
        Err(Error::Http(refused)) => refused.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

/// Expects the same status by each way in.
#[track_caller]
fn all<const N: usize>(found: [(&'static str, u16); N], expected: u16, who: &str, name: &RoomName) {
    for (way, status) in found {
        assert_eq!(status, expected, "{who} in {name} by {way}");
    }
}

/// Creates a room with an owner, a member, one who is muted and one who was removed.
async fn create_room_of(store: &dyn Store, name: &RoomName, users: [&Visitor; 4]) {
    let [owner, member, muted, removed] = users;
    create_room(store, name, owner.id).await;
    for user in [member, muted, removed] {
        let let_in = Action::Appoint { user: user.id, role: Some(Role::Member) };
        act(store, owner.id, Some(name), let_in).await.unwrap();
    }
    act(store, owner.id, Some(name), remove(removed.id)).await.unwrap();
    let mute = Action::Mute { user: muted.id, until: Until(None) };
    act(store, owner.id, Some(name), mute).await.unwrap();
}

#[tokio::test]
async fn each_way_in_decides_by_role_and_kind_of_room() {
    let server = TestServer::start().await;
    let store = server.store();
    let (admin, moderator, owner) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(store, admin.id).await;
    let appoint = Action::Appoint { user: moderator.id, role: Some(Role::Moderator) };
    act(store, admin.id, None, appoint).await.unwrap();
    let (stranger, member, removed, muted, banned) = (
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
    );
    act(store, admin.id, None, remove(banned.id)).await.unwrap();
    for name in names() {
        create_room_of(store, &name, [&owner, &member, &muted, &removed]).await;
    }
    let missing = room(&format!("m-{}", "b".repeat(32)));
    let [public, unlisted, members_only] = names();
    // For each user: what they get in a public room, an unlisted one, one for members only, and one that does not exist;
    // then the same for posts.
    let table = [
        (&stranger, "a stranger", [200, 200, 404, 404], [200, 200, 404, 404]),
        (&member, "a member", [200, 200, 200, 404], [200, 200, 200, 404]),
        (&owner, "the owner", [200, 200, 200, 404], [200, 200, 200, 404]),
        (&moderator, "a moderator of the server", [200, 200, 404, 404], [200, 200, 404, 404]),
        (&admin, "the administrator", [200, 200, 404, 404], [200, 200, 404, 404]),
        (&removed, "a removed user", [403, 403, 403, 404], [403, 403, 403, 404]),
        (&muted, "a muted user", [200, 200, 200, 404], [403, 403, 403, 404]),
        (&banned, "a banned user", [403; 4], [403; 4]),
    ];
    for (user, who, read, post) in table {
        for (n, name) in [&public, &unlisted, &members_only, &missing].into_iter().enumerate() {
            all(reads(&server, user, name).await, read[n], who, name);
            all(posts(&server, user, name).await, post[n], who, name);
        }
    }
}

#[tokio::test]
async fn a_closed_server_lets_no_stranger_in_by_any_way() {
    let server = TestServer::start().await;
    let store = server.store();
    let (admin, known, stranger) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(store, admin.id).await;
    all(posts(&server, &known, &room("tea")).await, 200, "a user of the open server", &room("tea"));
    let close = Action::Change(server::store::Setting::Access, Some("invite".into()));
    act(store, admin.id, None, close).await.unwrap();
    for name in [room("tea"), RoomName::lobby()] {
        all(reads(&server, &stranger, &name).await, 403, "a stranger", &name);
        all(posts(&server, &stranger, &name).await, 403, "a stranger", &name);
        all(reads(&server, &known, &name).await, 200, "who is in", &name);
        all(posts(&server, &known, &name).await, 200, "who is in", &name);
    }
    let list =
        async |user: &Visitor, path: &str| user.send(client().get(server.http(path))).await.status().as_u16();
    for path in ["/rooms", "/api/rooms"] {
        assert_eq!((list(&stranger, path).await, list(&known, path).await), (403, 200), "{path}");
    }
    let (status, page) = stranger.page(&server, "/r/tea").await;
    assert!(status == 403 && page.contains("You need an invitation") && !page.contains("hello"), "{page}");
}

#[tokio::test]
async fn posts_follow_the_mode_of_the_room_by_each_way() {
    let server = TestServer::start().await;
    let store = server.store();
    let (owner, user) = (Visitor::new(&server).await, Visitor::new(&server).await);
    let name = room("news");
    create_room(store, &name, owner.id).await;
    for (mode, by_user, by_owner) in
        [(RoomMode::Announcements, 403, 200), (RoomMode::ReadOnly, 403, 403), (RoomMode::Open, 200, 200)]
    {
        act(store, owner.id, Some(&name), Action::SetMode { mode, slow: 0 }).await.unwrap();
        all(posts(&server, &user, &name).await, by_user, "a user", &name);
        all(posts(&server, &owner, &name).await, by_owner, "the owner", &name);
        all(reads(&server, &user, &name).await, 200, "a user", &name);
    }
}

#[tokio::test]
async fn what_a_user_may_not_see_is_on_no_list_of_theirs() {
    let server = TestServer::start().await;
    let store = server.store();
    let (owner, member, stranger) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    let [_, _, club] = names();
    create_room(store, &club, owner.id).await;
    let let_in = Action::Appoint { user: member.id, role: Some(Role::Member) };
    act(store, owner.id, Some(&club), let_in).await.unwrap();
    all(posts(&server, &member, &club).await, 200, "a member", &club);
    let listed = async |user: &Visitor| user.page(&server, "/rooms").await.1.contains(club.as_str());
    assert!(listed(&member).await && !listed(&stranger).await);
    let all_rooms = stranger.send(client().get(server.http("/api/rooms"))).await.text().await.unwrap();
    assert!(!all_rooms.contains(club.as_str()), "{all_rooms}");
    act(store, owner.id, Some(&club), remove(member.id)).await.unwrap();
    assert!(!listed(&member).await, "it has left her list");
}

#[tokio::test]
async fn a_line_of_a_muted_user_ends_the_connection_with_the_reason() {
    let server = TestServer::start().await;
    let store = server.store();
    let (owner, muted) = (Visitor::new(&server).await, Visitor::new(&server).await);
    create_room(store, &room("tea"), owner.id).await;
    let mute = Action::Mute { user: muted.id, until: Until(None) };
    act(store, owner.id, Some(&room("tea")), mute).await.unwrap();
    let (mut socket, _) = server.open("/ws?room=tea", &[("cookie", &muted.cookie)]).await.unwrap();
    within_timeout(socket.send(Message::text("hello"))).await.unwrap();
    let mut lines = crate::support::Lines::over(socket);
    let close = lines.closed().await.expect("a close frame");
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1008, "you may not write in this room"));
}

/// The statuses that a user gets when they upload a file for a room, and read the file `id` of that room by each way.
async fn files(server: &TestServer, user: &Visitor, name: &RoomName, id: Uuid) -> [(&'static str, u16); 3] {
    let status = async |request| user.send(request).await.status().as_u16();
    let upload = client().post(server.http(&format!("/api/files?room={name}")));
    let upload = status(upload.body("{\"name\": \"a\", \"size\": 1}")).await;
    [
        ("upload", if upload == 201 { 200 } else { upload }),
        ("file", status(client().get(server.http(&format!("/f/{id}/a.png")))).await),
        ("thumbnail", status(client().get(server.http(&format!("/f/{id}/thumb")))).await),
    ]
}

#[tokio::test]
async fn files_need_the_right_of_their_room() {
    let server = TestServer::start().await;
    let store = server.store();
    let (owner, member, removed, muted, stranger) = (
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
    );
    for name in names() {
        create_room_of(store, &name, [&owner, &member, &muted, &removed]).await;
        let id = posted_picture(&server, &owner, &name).await;
        let is_members_only = name.is_members_only();
        // For each user: what they get for an upload, and for a file.
        let table = [
            (&owner, "the owner", 200, 200),
            (&member, "a member", 200, 200),
            (&muted, "a muted user", 403, 200),
            (&removed, "a removed user", 403, 404),
            (
                &stranger,
                "a stranger",
                if is_members_only { 404 } else { 200 },
                if is_members_only { 404 } else { 200 },
            ),
        ];
        for (user, who, upload, read) in table {
            for (way, status) in files(&server, user, &name, id).await {
                assert_eq!(status, if way == "upload" { upload } else { read }, "{who} in {name} by {way}");
            }
        }
    }
    // A closed server shows a stranger none.
    make_admin(store, owner.id).await;
    let id = posted_picture(&server, &owner, &room("tea")).await;
    let close = Action::Change(server::store::Setting::Access, Some("invite".into()));
    act(store, owner.id, None, close).await.unwrap();
    let newcomer = Visitor { id: app::wire::UserId(1), cookie: String::new() };
    for (way, status) in files(&server, &newcomer, &room("tea"), id).await {
        assert_eq!(status, 403, "a newcomer by {way}");
    }
}

/// Uploads a picture and posts it. Returns its id.
async fn posted_picture(server: &TestServer, user: &Visitor, name: &RoomName) -> Uuid {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let begin = client().post(server.http(&format!("/api/files?room={name}")));
    let begun = user.send(begin.body(format!("{{\"name\": \"a.png\", \"size\": {}}}", png.len()))).await;
    let begun: serde_json::Value = begun.json().await.unwrap();
    let id = begun["id"].as_str().unwrap().to_owned();
    let part =
        client().patch(server.http(&format!("/api/files/{id}"))).header("upload-offset", "0").body(png);
    assert_eq!(user.send(part).await.status(), 200);
    let post = client().post(server.http(&format!("/api/rooms/{name}/messages")));
    assert_eq!(user.send(post.json(&serde_json::json!({"files": [id]}))).await.status(), 201);
    id.parse().unwrap()
}
