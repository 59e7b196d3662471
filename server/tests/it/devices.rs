//! The list of one's devices, and signing them out: at once, everywhere.

use crate::{
    heartbeat::advance_time,
    notifications::FaultyNotifications,
    support::{Device, TestDatabase, TestServer, V1, raw, room, within_timeout},
};
use app::wire::{ClientFrame, ErrorCode, PROTOCOL, ServerFrame, UserId};
use axum_extra::extract::cookie::Key;
use futures_util::StreamExt;
use reqwest::{Client, Response, StatusCode};
use server::store::{DeviceId, Notification, SignOut, SqliteStore, Store};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};
use uuid::Uuid;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
const SENTENCE: &str = "This device was signed out.";

/// Returns the ids of the other devices on a page, in their order.
fn others(page: &str) -> Vec<String> {
    let buttons = page.split("name=\"device\" value=\"").skip(1);
    buttons.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
}

fn user_of(answer: &Response) -> UserId {
    answer.headers()["hubbub-person"].to_str().unwrap().parse().unwrap()
}

async fn sign_out_others(device: &Device, server: &TestServer) {
    let answer = device.post(server, "/devices/sign-out", &[("all", "others")]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
}

/// Expects the frame and the close of a connection that is signed out, and nothing else.
async fn expect_signed_out(client: &mut V1) {
    let frame = client.expect_frame().await;
    assert!(matches!(frame, ServerFrame::Error { code: ErrorCode::SignedOut, id: None, .. }), "{frame:?}");
    expect_closed(client).await;
}

async fn expect_closed(client: &mut V1) {
    let close = client.closed().await.expect("a close frame");
    assert_eq!((close.code, &*close.reason), (CloseCode::Library(4001), "this device was signed out"));
}

/// Expects that a page is refused with one sentence, and that the next one belongs to a new user.
async fn expect_page_signed_out(device: &Device, server: &TestServer, user: UserId) {
    let answer = device.get(server, "/r/tea").await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(answer.text().await.unwrap().contains(SENTENCE));
    let next = device.get(server, "/r/tea").await;
    assert_eq!(next.status(), StatusCode::OK);
    assert_ne!(user_of(&next), user, "the next page belongs to a new user");
}

#[tokio::test]
async fn a_user_sees_their_devices_and_a_guest_none() {
    let server = TestServer::start().await;
    let guest = Device::new(FIREFOX);
    let visited = guest.get(&server, "/").await;
    let user = user_of(&visited);
    for path in ["/", "/r/tea", "/devices", "/recover"] {
        assert_eq!(guest.get(&server, path).await.status(), StatusCode::OK, "{path}");
        Device::new(FIREFOX).get(&server, path).await;
    }
    assert!(guest.page(&server, "/devices").await.contains("You are a guest"));
    assert_eq!(server.store().sign_ins(user).await.unwrap().devices, [], "nothing is stored");

    let laptop = Device::named(&server, "Ann <b>", FIREFOX).await;
    let phone = laptop.link(&server, IPHONE).await;
    let script = phone.link(&server, "<script>alert(1)</script>").await;
    let page = laptop.page(&server, "/devices").await;
    assert!(page.contains("<b>Firefox on Linux</b>") && page.contains("<b>Safari on iPhone</b>"), "{page}");
    assert!(page.contains("<b>Unknown device</b>") && page.contains("Seen within the last hour"), "{page}");
    assert!(!page.contains("alert(1)") && !page.contains("Ann <b>"), "a text is a text");
    assert_eq!(others(&page).len(), 2, "each of the others can be signed out");
    let page = script.page(&server, "/devices").await;
    assert!(page.find("Safari on iPhone").is_some_and(|at| at > page.find("Unknown device").unwrap()));
    let zh = laptop.post(&server, "/settings", &[("lang", "zh")]).await;
    assert_eq!(zh.status(), StatusCode::SEE_OTHER);
    assert!(laptop.page(&server, "/devices").await.contains("iPhone 上的 Safari"));
}

#[tokio::test]
async fn a_device_that_is_signed_out_loses_all_power_at_once() {
    let server = TestServer::start().await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let phone = laptop.link(&server, IPHONE).await;
    let user = user_of(&phone.get(&server, "/r/tea").await);
    let mut on_phone = V1::connect_as(&server, &phone.cookie()).await;
    let mut on_laptop = V1::connect_as(&server, &laptop.cookie()).await;
    assert_eq!((on_phone.you().id, on_laptop.you().id), (user, user));
    on_phone.join("tea", None).await;
    on_laptop.join("tea", None).await;

    let listed = others(&laptop.page(&server, "/devices").await);
    let answer = laptop.post(&server, "/devices/sign-out", &[("device", &listed[0])]).await;
    assert_eq!(answer.headers()["location"], "/devices?done=signed-out");
    on_laptop.post("tea", "only for the laptop").await;
    expect_signed_out(&mut on_phone).await;
    assert_eq!(on_laptop.events(1).await.len(), 1, "the laptop goes on");

    // A client that comes back learns why, and gets nothing.
    let mut again = server
        .open("/ws", &[("sec-websocket-protocol", PROTOCOL), ("cookie", &phone.cookie())])
        .await
        .expect("the upgrade succeeds, since a script sees no status")
        .0;
    let first = within_timeout(again.next()).await.unwrap().unwrap();
    assert!(matches!(&first, Message::Text(text) if text.contains("\"signed_out\"")), "{first:?}");
    let second = within_timeout(again.next()).await.unwrap().unwrap();
    assert!(matches!(&second, Message::Close(Some(close)) if u16::from(close.code) == 4001), "{second:?}");
    let mut lines = server.open("/ws?room=tea", &[("cookie", &phone.cookie())]).await.unwrap().0;
    let only = within_timeout(lines.next()).await.unwrap().unwrap();
    assert!(matches!(&only, Message::Close(Some(close)) if u16::from(close.code) == 4001), "{only:?}");

    let api = |request: reqwest::RequestBuilder| {
        let request = request.header("cookie", phone.cookie());
        async { within_timeout(request.send()).await.unwrap() }
    };
    let messages = server.http("/api/rooms/tea/messages");
    for refused in
        [api(Client::new().get(&messages)).await, api(Client::new().post(&messages).body("as Ann")).await]
    {
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(
            refused.headers().get("set-cookie").is_none()
                && refused.headers().contains_key("www-authenticate")
        );
        assert!(refused.text().await.unwrap().contains("\"code\":\"signed_out\""));
    }
    let rename = ClientFrame::Rename { id: Uuid::now_v7(), name: "Eve".into() }.to_json();
    let reply = api(Client::new().post(server.http("/api/commands")).body(rename)).await;
    assert_eq!((reply.status(), user_of(&reply)), (StatusCode::OK, user));
    assert!(reply.text().await.unwrap().contains("\"code\":\"signed_out\""));
    let stream = api(Client::new().get(server.http("/api/rooms/tea/frames?after=0"))).await;
    let events = within_timeout(stream.text()).await.unwrap();
    assert_eq!(events.matches("data:").count(), 1, "{events}");
    assert!(events.contains("\"code\":\"signed_out\""), "{events}");
    let form = phone.copy().post(&server, "/r/tea", &[("text", "as Ann")]).await;
    assert_eq!(form.status(), StatusCode::UNAUTHORIZED);
    for path in ["/device", "/devices/recovery-code", "/devices/sign-out"] {
        let refused = phone.copy().post(&server, path, &[("action", "create"), ("all", "others")]).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    expect_page_signed_out(&phone, &server, user).await;
    let events = server.store().events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(events.len(), 1, "nothing was posted");
    assert_eq!(server.store().users(&[user]).await.unwrap()[0].name.as_str(), "Ann");
}

#[tokio::test]
async fn an_event_stream_ends_when_its_device_is_signed_out() {
    let server = TestServer::alone().await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let phone = laptop.link(&server, IPHONE).await;
    let request =
        Client::new().get(server.http("/api/rooms/tea/frames?after=0")).header("cookie", phone.cookie());
    let stream = within_timeout(request.send()).await.unwrap();
    sign_out_others(&laptop, &server).await;
    let events = within_timeout(stream.text()).await.unwrap();
    assert!(events.contains("\"joined\"") && events.trim_end().ends_with('}'), "{events}");
    assert!(events.rsplit("data:").next().unwrap().contains("\"code\":\"signed_out\""), "{events}");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_device_and_cookie_copy() {
    let server = TestServer::start().await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let (phone, stolen) = (laptop.link(&server, IPHONE).await, laptop.copy());
    let user = user_of(&laptop.get(&server, "/").await);
    let link = laptop.post(&server, "/device", &[]).await.text().await.unwrap();
    let mut socket = V1::connect_as(&server, &laptop.cookie()).await;
    let answer = laptop.post(&server, "/devices/sign-out", &[("all", "everywhere")]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.unwrap().contains(SENTENCE));
    assert_eq!(laptop.cookie(), "", "the cookies are removed");
    expect_signed_out(&mut socket).await;
    for device in [&phone, &stolen] {
        expect_page_signed_out(device, &server, user).await;
    }
    let path = link.split("/device/").nth(1).unwrap().split('"').next().unwrap();
    let redeemed = phone.post(&server, &format!("/device/{path}"), &[]).await;
    assert_eq!(redeemed.status(), StatusCode::GONE, "the open link has ended too");
    assert_eq!(server.store().sign_ins(user).await.unwrap().devices, []);
}

#[tokio::test]
async fn old_version_cookie_is_valid_until_devices_are_signed_out() {
    let server = TestServer::start().await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let user = user_of(&laptop.get(&server, "/").await);
    let older = laptop.copy();
    older.cookies().retain(|name, _| name.starts_with("hubbub_id"));
    let program = older.copy();
    let answer = older.get(&server, "/").await;
    assert_eq!(user_of(&answer), user);
    assert_eq!(
        answer.headers().get_all("set-cookie").iter().count(),
        0,
        "only a cookie of yesterday is renewed"
    );
    assert_eq!(others(&laptop.page(&server, "/devices").await).len(), 1, "it is a device of its own");
    sign_out_others(&laptop, &server).await;
    for device in [&older, &program] {
        expect_page_signed_out(device, &server, user).await;
    }
    assert_eq!(user_of(&laptop.get(&server, "/").await), user);
}

#[tokio::test]
async fn a_device_of_another_user_and_an_invalid_one_change_nothing() {
    let server = TestServer::start().await;
    let (ann, bob) =
        (Device::named(&server, "Ann", FIREFOX).await, Device::named(&server, "Bob", FIREFOX).await);
    let phone = bob.link(&server, IPHONE).await;
    let device = others(&bob.page(&server, "/devices").await).remove(0);
    let foreign = ann.post(&server, "/devices/sign-out", &[("device", &device)]).await;
    let unknown = ann.post(&server, "/devices/sign-out", &[("device", "0123456789abcdef")]).await;
    assert_eq!(foreign.status(), unknown.status());
    assert_eq!(foreign.headers()["location"], unknown.headers()["location"], "nothing is learned");
    assert_eq!(phone.get(&server, "/r/tea").await.status(), StatusCode::OK);
    for form in
        [vec![], vec![("device", "ann")], vec![("all", "me")], vec![("device", &*device), ("all", "others")]]
    {
        let invalid = ann.post(&server, "/devices/sign-out", &form).await;
        assert_eq!(invalid.status(), StatusCode::BAD_REQUEST, "{form:?}");
    }
    let nobody = Device::new(FIREFOX).post(&server, "/devices/sign-out", &[("all", "others")]).await;
    assert_eq!(nobody.status(), StatusCode::BAD_REQUEST);
    let origin = [("origin", "https://evil.example")];
    let mut evil = Client::new().post(server.http("/devices/sign-out")).header("cookie", ann.cookie());
    for (name, value) in origin {
        evil = evil.header(name, value);
    }
    let evil = within_timeout(evil.form(&[("all", "everywhere")]).send()).await.unwrap();
    assert_eq!(evil.status(), StatusCode::FORBIDDEN);
    assert_eq!(ann.get(&server, "/r/tea").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_is_sent_slowly_has_no_power_left_at_its_end() {
    let server = TestServer::alone().await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let phone = laptop.link(&server, IPHONE).await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/rooms/tea/messages HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\ncontent-type: text/plain\r\n\
         content-length: 6\r\nconnection: close\r\n\r\nas ",
        server.address,
        phone.cookie()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    crate::heartbeat::flush_sockets().await;
    sign_out_others(&laptop, &server).await;
    slow.write_all(b"Ann").await.unwrap();
    let mut answer = String::new();
    within_timeout(slow.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert_eq!(server.store().head(&room("tea")).await.unwrap(), 0);
}

#[tokio::test]
async fn guest_has_a_device_after_a_post_over_an_open_connection() {
    let server = TestServer::alone().await;
    let guest = Device::new(FIREFOX);
    guest.get(&server, "/").await;
    let mut socket = V1::connect_as(&server, &guest.cookie()).await;
    let user = socket.you().id;
    socket.join("tea", None).await;
    advance_time(20).await;
    assert_eq!(server.store().sign_ins(user).await.unwrap().devices, []);
    socket.post("tea", "hello").await;
    socket.events(1).await;
    advance_time(20).await;
    socket.frames_until_pong().await;
    assert_eq!(server.store().sign_ins(user).await.unwrap().devices.len(), 1);
}

#[tokio::test]
async fn device_is_recorded_once_an_hour_for_any_number_of_requests() {
    let server = TestServer::alone().await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let user = user_of(&laptop.get(&server, "/").await);
    let seen_at = async || server.store().sign_ins(user).await.unwrap().devices[0].seen_at;
    let first = seen_at().await;
    for _ in 0..20 {
        laptop.get(&server, "/").await;
    }
    assert_eq!(seen_at().await, first);
    // A connection that stays open is seen too.
    let mut socket = V1::connect_as(&server, &laptop.cookie()).await;
    for _ in 0..(3_600 / 20 + 2) {
        advance_time(20).await;
        socket.frames_until_pong().await;
    }
    assert!(seen_at().await > first);
}

async fn two_on_one_sqlite_store() -> (TestServer, TestServer) {
    let (store, key) = (Arc::new(SqliteStore::ephemeral().unwrap()), Key::generate());
    let other: Arc<dyn Store> = store.clone();
    (
        TestServer::with_store_and_key(store, key.clone()).await,
        TestServer::with_store_and_key(other, key).await,
    )
}

async fn ends_on_the_other_server(one: TestServer, two: TestServer) {
    let laptop = Device::named(&one, "Ann", FIREFOX).await;
    let phone = laptop.link(&one, IPHONE).await;
    let user = user_of(&phone.get(&two, "/").await);
    let mut on_phone = V1::connect_as(&two, &phone.cookie()).await;
    let mut on_laptop = V1::connect_as(&two, &laptop.cookie()).await;
    sign_out_others(&laptop, &one).await;
    expect_signed_out(&mut on_phone).await;
    assert_eq!(on_laptop.frames_until_pong().await, []);
    expect_page_signed_out(&phone, &two, user).await;
    assert_eq!(user_of(&laptop.get(&two, "/").await), user);
}

#[tokio::test]
async fn a_sign_out_reaches_the_other_server() {
    let (one, two) = two_on_one_sqlite_store().await;
    ends_on_the_other_server(one, two).await;
}

#[tokio::test]
async fn postgres_sign_out_reaches_the_other_server() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
    ends_on_the_other_server(one, two).await;
}

#[tokio::test]
async fn postgres_sign_out_is_found_if_the_listen_connection_is_lost() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
    let laptop = Device::named(&one, "Ann", FIREFOX).await;
    let phone = laptop.link(&one, IPHONE).await;
    let mut on_phone = V1::connect_as(&two, &phone.cookie()).await;
    let user = on_phone.you().id;
    database.cut_connections("LISTEN %").await;
    database.cut_connections("%names_generation%").await;
    one.store().sign_out(user, SignOut::Everywhere).await.unwrap();
    expect_signed_out(&mut on_phone).await;
}

#[tokio::test]
async fn a_sign_out_whose_notification_was_lost_is_found() {
    let store = FaultyNotifications::new(|_, notification| match notification {
        Notification::SignedOut(_) => vec![Notification::Missed],
        other => vec![other],
    });
    let server = TestServer::with_store(store).await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let mut socket = V1::connect_as(&server, &laptop.cookie()).await;
    let user = socket.you().id;
    server.store().sign_out(user, SignOut::Others(DeviceId(1))).await.unwrap();
    expect_signed_out(&mut socket).await;
}

#[tokio::test]
async fn what_is_known_of_a_user_is_read_again_after_some_seconds() {
    let server = TestServer::with_store(FaultyNotifications::new(|_, _| vec![])).await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let user = user_of(&laptop.get(&server, "/").await);
    server.store().sign_out(user, SignOut::Everywhere).await.unwrap();
    advance_time(10).await;
    expect_page_signed_out(&laptop, &server, user).await;
}

#[tokio::test]
async fn signed_out_client_that_takes_no_bytes_loses_its_queue() {
    let server = TestServer::alone().await;
    let laptop = Device::named(&server, "Ann", FIREFOX).await;
    let phone = laptop.link(&server, IPHONE).await;
    let mut on_phone = V1::connect_as(&server, &phone.cookie()).await;
    on_phone.join("tea", None).await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    // More than the buffers of the system take.
    let long = "x".repeat(8_000);
    for _ in 0..300 {
        bob.post("tea", &long).await;
    }
    bob.events_at_least(300).await;
    sign_out_others(&laptop, &server).await;
    let mut texts = 0;
    let last = loop {
        match within_timeout(on_phone.socket.next()).await {
            Some(Ok(Message::Text(text))) => {
                texts += text.matches("\"kind\":\"message\"").count();
            }
            Some(Ok(Message::Close(close))) => break close,
            Some(Ok(_)) => {}
            // The client took no bytes in time; the connection is closed all the same.
            _ => break None,
        }
    };
    assert!(texts < 300, "{texts} messages were on the way");
    assert!(last.is_none_or(|close| u16::from(close.code) == 4001));
}

#[tokio::test]
async fn forged_cookies_of_a_device_are_worth_nothing() {
    let server = TestServer::start().await;
    let (ann, bob) =
        (Device::named(&server, "Ann", FIREFOX).await, Device::named(&server, "Bob", FIREFOX).await);
    let phone = ann.link(&server, IPHONE).await;
    let user = user_of(&phone.get(&server, "/").await);
    sign_out_others(&ann, &server).await;
    let is_device = |name: &str| name.starts_with("hubbub_device");
    let theirs = |device: &Device| {
        let cookies = device.cookies();
        cookies
            .iter()
            .find(|(name, _)| is_device(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .unwrap()
    };
    let (name, value) = theirs(&phone);
    let raised = value.rsplit_once('.').map(|(rest, _)| format!("{rest}.9")).unwrap();
    for forged in [None, Some(raised), Some(theirs(&bob).1), Some("x".repeat(3_000))] {
        let thief = phone.copy();
        match &forged {
            Some(value) => drop(thief.cookies().insert(name.clone(), value.clone())),
            None => drop(thief.cookies().remove(&name)),
        }
        let answer = thief.get(&server, "/").await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{forged:?}");
    }
    let request = format!(
        "GET /r/tea HTTP/1.1\r\nhost: {}\r\naccept: text/html\r\ncookie: {}\r\nconnection: close\r\n\r\n",
        server.address,
        phone.cookie()
    );
    let answer = raw(&server, &request).await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.to_lowercase().contains("max-age=0"), "{answer}");
    assert_eq!(user_of(&ann.get(&server, "/").await), user);
}
