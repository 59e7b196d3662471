//! The limits that all clients of one network share. The tests act as a proxy on loopback, so that they can name any
//! network.

use crate::support::{Lines, TestServer, V1, sent, visitor, within_timeout};
use app::wire::{ClientFrame, ErrorCode, ServerFrame};
use futures_util::future::join_all;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use std::time::Instant;
use uuid::Uuid;

const SCHOOL: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

/// Starts a server whose limits by network are a hundredth of the defaults.
async fn small() -> TestServer {
    TestServer::with(|config| (config.per_network, config.post_rate) = (1, 20)).await
}

fn posting(server: &TestServer, network: &str, room: &str) -> RequestBuilder {
    let request = Client::new().post(server.http(&format!("/api/rooms/{room}/messages")));
    request.header("x-forwarded-for", network).body("hello")
}

async fn answer(request: RequestBuilder) -> Response {
    within_timeout(request.send()).await.expect("the server answers")
}

fn is_limited(answer: &Response) -> bool {
    if answer.status() != StatusCode::TOO_MANY_REQUESTS {
        return false;
    }
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds >= 1);
    true
}

fn count_limited(answers: &[Response]) -> usize {
    answers.iter().filter(|answer| is_limited(answer)).count()
}

async fn joined(server: &TestServer, network: &str) -> V1 {
    let mut client = V1::connect_from(server, network).await;
    client.join("tea", None).await;
    client
}

#[tokio::test]
async fn cookieless_clients_of_a_network_share_less_than_a_user_limit() {
    let server = TestServer::with(|config| config.post_rate = 1).await;
    let (mut taken, start) = (0, Instant::now());
    for _ in 0..30 {
        taken += u64::from(answer(posting(&server, SCHOOL, "tea")).await.status() == StatusCode::CREATED);
    }
    // One at once, then three in four seconds.
    let most = 2 + start.elapsed().as_secs();
    assert!((1..=most).contains(&taken), "{taken} of 30, at most {most}");
    assert_eq!(answer(posting(&server, ELSEWHERE, "tea")).await.status(), StatusCode::CREATED);
    // One IPv6 customer has a whole /64.
    let mut limited = 0;
    for host in 1..20 {
        limited +=
            u32::from(is_limited(&answer(posting(&server, &format!("2001:db8::{host}"), "tea")).await));
    }
    assert!(limited > 0, "each address of the /64 has a limit of its own");
    assert!(!is_limited(&answer(posting(&server, "2001:db8:0:1::1", "tea")).await));
}

#[tokio::test]
async fn the_users_of_one_network_share_five_times_the_limit_of_one() {
    let server = TestServer::with(|config| config.post_rate = 1).await;
    let mut rejected = 0;
    for _ in 0..10 {
        let mut client = joined(&server, SCHOOL).await;
        for _ in 0..5 {
            let id = client.post("tea", "hello").await;
            match client.expect_reply().await {
                ServerFrame::Ack { .. } => {}
                ServerFrame::Error { id: of, code: ErrorCode::RateLimited, retry_ms: Some(1..), .. } => {
                    assert_eq!(of, Some(id.to_string()));
                    rejected += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!((15..=25).contains(&rejected), "{rejected} of 50");
    let mut stranger = joined(&server, ELSEWHERE).await;
    stranger.post("tea", "hello").await;
    assert!(matches!(stranger.expect_reply().await, ServerFrame::Ack { .. }));
}

#[tokio::test]
async fn network_past_the_limit_of_rooms_posts_in_existing_ones_only() {
    let server = small().await;
    assert_eq!(answer(posting(&server, SCHOOL, "one")).await.status(), StatusCode::CREATED);
    assert!(is_limited(&answer(posting(&server, SCHOOL, "two")).await));
    for (room, works) in [("one", true), ("three", false)] {
        let mut client = V1::connect_from(&server, SCHOOL).await;
        client.join(room, None).await;
        client.post(room, "hello").await;
        assert_eq!(matches!(client.expect_reply().await, ServerFrame::Ack { .. }), works, "{room}");
    }
    let mut lines = Lines::join_from(&server, "four", SCHOOL).await;
    lines.send_line("hello").await;
    assert_eq!(lines.closed().await.map(|frame| u16::from(frame.code)), Some(1013));
    assert_eq!(answer(posting(&server, ELSEWHERE, "two")).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_rejected_form_keeps_the_text() {
    let server = small().await;
    let browser = visitor(&server).await;
    let form = |title: &str| {
        let request = browser.post(server.http("/rooms")).form(&[("title", title)]);
        request.header("x-forwarded-for", SCHOOL)
    };
    assert_eq!(sent(form("First")).await.status(), StatusCode::SEE_OTHER);
    let rejected = sent(form("Second room")).await;
    assert!(is_limited(&rejected));
    assert!(rejected.text().await.unwrap().contains("Second room"));
    let text = browser.post(server.http("/r/another")).form(&[("text", "a long story")]);
    let rejected = sent(text.header("x-forwarded-for", SCHOOL)).await;
    assert!(is_limited(&rejected));
    assert!(rejected.text().await.unwrap().contains("a long story"));
}

#[tokio::test]
async fn a_network_renames_at_a_bounded_rate() {
    let server = small().await;
    let mut rejected = 0;
    for n in 0..40 {
        let mut client = V1::connect_from(&server, SCHOOL).await;
        client.send(&ClientFrame::Rename { id: Uuid::now_v7(), name: format!("Ann {n}") }).await;
        let limited = |frame: &_| {
            matches!(frame, ServerFrame::Error { code: ErrorCode::RateLimited, retry_ms: Some(1..), .. })
        };
        rejected += usize::from(limited(&client.expect_frame().await));
    }
    assert!((5..=15).contains(&rejected), "{rejected} of 40");
}

#[tokio::test]
async fn reads_of_a_network_queue_and_are_rejected_beyond_the_queue() {
    let server = small().await;
    let browser = visitor(&server).await;
    for (method, path, count) in [
        (Method::GET, "/r/tea", 40),
        (Method::GET, "/rooms", 40),
        (Method::GET, "/nothing-here", 40),
        (Method::GET, "/api/rooms", 80),
        // Data that is shared to a browser without a worker: only a page answers it.
        (Method::POST, "/share?of=phone", 40),
    ] {
        let network = format!("192.0.2.{}", path.len());
        let get = |network: &str| {
            browser.request(method.clone(), server.http(path)).header("x-forwarded-for", network)
        };
        let answers = join_all((0..count).map(|_| sent(get(&network)))).await;
        let limited = count_limited(&answers);
        assert!(limited > 0 && limited < count, "{path}: {limited} of {count}");
        assert!(!is_limited(&sent(get(ELSEWHERE)).await), "{path}");
        let rejected = answers.into_iter().find(is_limited).unwrap();
        let kind = rejected.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/html") || path == "/nothing-here", "a page for a browser: {kind}");
    }
    let client = Client::new();
    let get = || client.get(server.http("/api/rooms")).header("x-forwarded-for", "192.0.2.10");
    let answers = join_all((0..80).map(|_| answer(get()))).await;
    let problem = answers.into_iter().find(is_limited).expect("some are rejected");
    assert_eq!(problem.headers()["content-type"], "application/problem+json");
    assert!(problem.text().await.unwrap().contains("rate_limited"));
}

#[tokio::test]
async fn a_network_creates_a_bounded_number_of_users() {
    let server = small().await;
    let read = || {
        let request = Client::new().get(server.http("/api/rooms/tea/messages"));
        request.header("x-forwarded-for", SCHOOL)
    };
    let answers = join_all((0..60).map(|_| answer(read()))).await;
    let limited = count_limited(&answers);
    assert!(limited > 0, "{limited} of 60");
    for answer in &answers {
        assert_eq!(answer.headers().contains_key("set-cookie"), !is_limited(answer));
    }
}

#[tokio::test]
async fn a_network_creates_a_bounded_number_of_device_links() {
    let server = small().await;
    let make = async |network: &str| {
        let browser = visitor(&server).await;
        sent(browser.post(server.http("/device")).header("x-forwarded-for", network)).await
    };
    assert_eq!(make(SCHOOL).await.status(), StatusCode::OK);
    assert!(is_limited(&make(SCHOOL).await));
    assert_eq!(make(ELSEWHERE).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn joins_beyond_the_rate_limit_get_a_retry_time() {
    let server = TestServer::start().await;
    let mut client = V1::connect(&server).await;
    let mut limited = 0;
    for n in 0..230 {
        let join = ClientFrame::Join {
            room: format!("r{}", n % 10),
            after: Some(0),
            after_id: None,
            log: None,
            limit: None,
            presence: false,
        };
        client.send(&join).await;
        match client.expect_frame().await {
            ServerFrame::Joined { .. } => {}
            ServerFrame::Error { id: None, code: ErrorCode::RateLimited, retry_ms: Some(1..), .. } => {
                limited += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(limited > 0);
}

#[tokio::test]
async fn only_users_are_limited_without_limits_by_network() {
    let server = TestServer::with(|config| (config.per_network, config.post_rate) = (0, 20)).await;
    for n in 0..150 {
        assert_eq!(answer(posting(&server, SCHOOL, &format!("r{n}"))).await.status(), StatusCode::CREATED);
    }
}

#[tokio::test]
async fn searches_have_a_limit_of_their_own_over_both_ways() {
    let server = small().await;
    let search = async |path: &str, network: &str| {
        let request = Client::new().get(server.http(path)).header("x-forwarded-for", network);
        answer(request).await
    };
    let mut answers = Vec::new();
    for path in ["/search?q=tea", "/api/search?q=tea"].repeat(3) {
        answers.push(search(path, SCHOOL).await);
    }
    assert_eq!(count_limited(&answers), 2);
    assert!(answers[..4].iter().all(|answer| answer.status() == 200));
    assert_eq!(search("/api/search?q=tea", ELSEWHERE).await.status(), 200);
    assert_eq!(search("/rooms", SCHOOL).await.status(), 200);
}
