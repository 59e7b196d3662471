//! A client on a network that blocks WebSockets: the frames of v1 over Server-Sent Events and requests.

use crate::{
    joining::fill,
    support::{TestServer, V1, text, within_timeout},
};
use app::wire::{ClientFrame, ErrorCode, Event, Seq, ServerFrame};
use reqwest::{Client, Response};
use std::sync::Arc;
use uuid::Uuid;

/// Reads the frames of a stream.
struct Frames {
    answer: Response,
    read: String,
}

impl Frames {
    async fn open(server: &TestServer, cookie: &str, query: &str) -> Self {
        let request =
            Client::new().get(server.http(&format!("/api/rooms/tea/frames{query}"))).header("cookie", cookie);
        let answer = within_timeout(request.send()).await.expect("the server answers");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        Self { answer, read: String::new() }
    }

    /// Returns the next frame that is not about presence.
    async fn next(&mut self) -> ServerFrame {
        loop {
            match self.next_any().await {
                ServerFrame::Presence { .. } => {}
                frame => return frame,
            }
        }
    }

    async fn next_any(&mut self) -> ServerFrame {
        loop {
            if let Some((line, rest)) = self.read.split_once('\n') {
                let frame =
                    line.strip_prefix("data: ").map(|json| ServerFrame::parse(json).expect("a frame"));
                self.read = rest.to_owned();
                if let Some(frame) = frame {
                    return frame;
                }
                continue;
            }
            let chunk =
                within_timeout(self.answer.chunk()).await.unwrap().expect("the stream is without end");
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn events(&mut self, count: usize) -> Vec<Arc<Event>> {
        let mut events = Vec::new();
        while events.len() < count {
            match self.next().await {
                ServerFrame::Events { events: next, .. } => events.extend(next),
                other => panic!("instead of events came {other:?}"),
            }
        }
        events
    }
}

fn seqs(events: &[Arc<Event>]) -> Vec<Seq> {
    events.iter().map(|event| event.seq).collect()
}

async fn post(server: &TestServer, cookie: &str, body: String) -> Response {
    let request = Client::new().post(server.http("/api/commands")).header("cookie", cookie).body(body);
    within_timeout(request.send()).await.expect("the server answers")
}

async fn command(server: &TestServer, cookie: &str, frame: &ClientFrame) -> ServerFrame {
    let answer = post(server, cookie, serde_json::to_string(frame).unwrap()).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("hubbub-person"), "the client can tell that the answer is ours");
    ServerFrame::parse(&within_timeout(answer.text()).await.unwrap()).unwrap()
}

fn message(id: Uuid, text: &str) -> ClientFrame {
    ClientFrame::Post {
        id,
        room: "tea".into(),
        text: text.into(),
        reply_to: None,
        mentions: Vec::new(),
        files: Vec::new(),
    }
}

#[tokio::test]
async fn a_stream_has_the_frames_of_a_joined_connection() {
    let server = TestServer::start().await;
    fill(&server, "tea", 5).await;
    let cookie = server.new_user_cookie().await;
    let log = server.store().log_id();
    let mut frames = Frames::open(&server, &cookie, &format!("?after=3&log={log}")).await;
    let ServerFrame::Welcome { you, .. } = frames.next_any().await else { panic!("the welcome comes first") };
    let joined = frames.next_any().await;
    assert!(matches!(joined, ServerFrame::Joined { head: 5, reset: false, .. }), "{joined:?}");
    assert_eq!(seqs(&frames.events(2).await), [4, 5]);
    let mut bob = V1::connect(&server).await;
    let joined = bob.join("tea", None).await;
    bob.wait_for_member(&joined, you.id).await;
    bob.post("tea", "hello").await;
    let events = frames.events(1).await;
    assert_eq!((events[0].seq, text(&events[0])), (6, "hello"));
    bob.set_name("Bobby").await;
    assert!(matches!(frames.next().await, ServerFrame::Renamed { name, .. } if name.as_str() == "Bobby"));
}

#[tokio::test]
async fn stream_starts_with_the_newest_page_if_the_event_is_unknown() {
    let server = TestServer::start().await;
    fill(&server, "tea", 5).await;
    for query in ["?after=3&log=another", "?after=6", ""] {
        let mut frames = Frames::open(&server, "", query).await;
        frames.next_any().await;
        let joined = frames.next_any().await;
        let ServerFrame::Joined { head: 5, reset: true, messages: Some(messages), .. } = joined else {
            panic!("{query}: {joined:?}")
        };
        assert_eq!(messages.len(), 5, "{query}");
    }
}

#[tokio::test]
async fn a_stream_follows_other_rooms_without_presence() {
    let server = TestServer::start().await;
    fill(&server, "work", 2).await;
    let mut frames =
        Frames::open(&server, &server.new_user_cookie().await, "?after=0&also=work.1,,nonsense").await;
    for _ in 0..2 {
        frames.next_any().await;
    }
    let joined = frames.next().await;
    assert!(
        matches!(&joined, ServerFrame::Joined { room, head: 2, reset: false, .. } if room.as_str() == "work")
    );
    let events = frames.next().await;
    assert!(
        matches!(&events, ServerFrame::Events { room, events } if room.as_str() == "work" && seqs(events) == [2]),
        "{events:?}"
    );
    let mut bob = V1::connect(&server).await;
    let ServerFrame::Joined { members, .. } = bob.join("work", None).await else { unreachable!() };
    assert_eq!(members.len(), 1, "only bob is listed: {members:?}");
}

#[tokio::test]
async fn a_stream_counts_against_the_connection_limit() {
    let server = TestServer::with(|config| config.max_connections = 1).await;
    let _first = Frames::open(&server, "", "").await;
    let second = within_timeout(reqwest::get(server.http("/api/rooms/tea/frames"))).await.unwrap();
    assert_eq!(second.status(), 503);
}

#[tokio::test]
async fn a_repeated_command_is_stored_once() {
    let server = TestServer::start().await;
    let cookie = server.new_user_cookie().await;
    let id = Uuid::now_v7();
    for again in [false, true] {
        let ack = command(&server, &cookie, &message(id, "  once ")).await;
        assert!(
            matches!(ack, ServerFrame::Ack { id: acked, seq: Some(1), dup, .. } if acked == id && dup == again),
            "{ack:?}"
        );
    }
    let (edit, delete) = (Uuid::now_v7(), Uuid::now_v7());
    let edit = ClientFrame::Edit {
        id: edit,
        room: "tea".into(),
        target: 1,
        text: "changed".into(),
        mentions: Vec::new(),
    };
    assert!(matches!(command(&server, &cookie, &edit).await, ServerFrame::Ack { seq: Some(2), .. }));
    let delete = ClientFrame::Delete { id: delete, room: "tea".into(), target: 1 };
    assert!(matches!(command(&server, &cookie, &delete).await, ServerFrame::Ack { seq: Some(3), .. }));
    let mut bob = V1::connect(&server).await;
    bob.join("tea", Some(0)).await;
    assert_eq!(seqs(&bob.events(3).await), [1, 2, 3]);
}

#[tokio::test]
async fn a_rename_and_a_read_marker_reach_the_other_connections() {
    let server = TestServer::start().await;
    fill(&server, "tea", 4).await;
    let cookie = server.new_user_cookie().await;
    let mut other = V1::connect_as(&server, &cookie).await;
    other.join("tea", None).await;
    let rename = ClientFrame::Rename { id: Uuid::now_v7(), name: "Ann".into() };
    assert!(matches!(command(&server, &cookie, &rename).await, ServerFrame::Ack { seq: None, .. }));
    assert!(
        matches!(other.expect_frame().await, ServerFrame::Renamed { name, .. } if name.as_str() == "Ann")
    );
    let read = serde_json::to_string(&ClientFrame::Read { room: "tea".into(), seq: 3 }).unwrap();
    assert_eq!(post(&server, &cookie, read).await.status(), 204);
    assert!(matches!(other.expect_frame().await, ServerFrame::Read { seq: 3, marked: false, .. }));
    let unread =
        |room: &str| serde_json::to_string(&ClientFrame::Unread { room: room.into(), seq: 2 }).unwrap();
    assert_eq!(post(&server, &cookie, unread("tea")).await.status(), 204);
    let frame = other.expect_frame().await;
    assert!(matches!(frame, ServerFrame::Read { seq: 1, unread: Some(3), marked: true, .. }), "{frame:?}");
    let rejected = command(&server, &cookie, &ClientFrame::Unread { room: "nowhere".into(), seq: 2 }).await;
    assert!(matches!(rejected, ServerFrame::Error { code: ErrorCode::NoSuchRoom, .. }), "{rejected:?}");
}

#[tokio::test]
async fn a_rejected_command_is_answered_with_an_error_frame() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1).await;
    let cookie = server.new_user_cookie().await;
    let id = Uuid::now_v7();
    let room = || "tea".to_owned();
    for (frame, expected) in [
        (message(id, " \n "), ErrorCode::Blank),
        (ClientFrame::Delete { id, room: room(), target: 9 }, ErrorCode::NoSuchMessage),
        (ClientFrame::Delete { id, room: room(), target: 1 }, ErrorCode::NotAllowed),
        (ClientFrame::Delete { id, room: "No Room".into(), target: 1 }, ErrorCode::NoSuchRoom),
        (ClientFrame::Rename { id, name: " ".into() }, ErrorCode::InvalidName),
    ] {
        let answer = command(&server, &cookie, &frame).await;
        let ServerFrame::Error { id: Some(of), code, .. } = &answer else { panic!("{frame:?}: {answer:?}") };
        assert_eq!((of.as_str(), *code), (id.to_string().as_str(), expected), "{frame:?}");
    }
    for frame in [
        ClientFrame::Ping { n: 1 },
        ClientFrame::Typing { room: room() },
        ClientFrame::Leave { room: room() },
    ] {
        let answer = command(&server, &cookie, &frame).await;
        assert!(
            matches!(answer, ServerFrame::Error { id: None, code: ErrorCode::BadRequest, .. }),
            "{answer:?}"
        );
    }
    let answer = post(&server, &cookie, "{".into()).await;
    assert!(within_timeout(answer.text()).await.unwrap().contains("bad_request"));
}

#[tokio::test]
async fn commands_have_the_rate_limit_of_a_websocket() {
    let server = TestServer::with(|config| config.post_rate = 1).await;
    let cookie = server.new_user_cookie().await;
    let mut rejected = None;
    for _ in 0..200 {
        match command(&server, &cookie, &message(Uuid::now_v7(), "again")).await {
            ServerFrame::Ack { .. } => {}
            other => {
                rejected = Some(other);
                break;
            }
        }
    }
    let Some(ServerFrame::Error { code: ErrorCode::RateLimited, retry_ms: Some(wait), .. }) = rejected else {
        panic!("{rejected:?}")
    };
    assert!(wait > 0);
}

#[tokio::test]
async fn a_command_from_a_page_of_another_origin_is_forbidden() {
    let server = TestServer::start().await;
    let body = serde_json::to_string(&message(Uuid::now_v7(), "hello")).unwrap();
    let request =
        Client::new().post(server.http("/api/commands")).header("origin", "https://elsewhere.example");
    let answer = within_timeout(request.body(body).send()).await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.headers().contains_key("hubbub-person"));
    assert_eq!(server.store().head(&"tea".parse().unwrap()).await.unwrap(), 0);
}
