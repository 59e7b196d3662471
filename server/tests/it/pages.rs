//! The pages as the server renders them: what is in them before any script runs.

use crate::{
    joining::fill,
    support::{TestServer, V1, browser, sent, text, visitor, within_timeout},
};
use app::wire::limits::MAX_MESSAGE_BYTES;
use axum::{extract::FromRef, response::IntoResponse};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key},
};
use reqwest::{Client, StatusCode};
use server::store::{RoomOrder, RoomQuery};

async fn page(browser: &Client, server: &TestServer, path: &str) -> String {
    let answer = sent(browser.get(server.http(path))).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// H03.
#[tokio::test]
async fn the_lobby_is_html_that_nobody_else_may_keep() {
    let server = TestServer::start().await;
    let answer = sent(browser().get(server.http("/"))).await;
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    let body = answer.text().await.unwrap();
    assert!(body.starts_with("<!DOCTYPE html>"), "{body}");
    assert!(body.contains("<h1") && body.contains("Lobby"), "{body}");
}

/// H12, put right.
#[tokio::test]
async fn a_page_may_run_and_load_only_what_is_ours() {
    let server = TestServer::start().await;
    let answer = sent(browser().get(server.http("/"))).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    let body = answer.text().await.unwrap();
    for script in body.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "<script{tag}> has no nonce");
    }
    assert!(!body.contains("style=\""), "no style beside the sheet");
}

#[tokio::test]
async fn a_page_has_the_newest_fifty_and_a_way_to_the_older_ones() {
    let server = TestServer::start().await;
    fill(&server, "tea", 120).await;
    let browser = browser();
    let shown = async |path: &str| -> Vec<usize> {
        let page = page(&browser, &server, path).await;
        (1..=120)
            .filter(|n| page.contains(&format!(">{n}</p>")) || page.contains(&format!(">{n}<!")))
            .collect()
    };
    assert_eq!(shown("/r/tea").await, (71..=120).collect::<Vec<_>>());
    assert_eq!(shown("/r/tea?before=71").await, (21..=70).collect::<Vec<_>>());
    assert!(shown("/r/tea?around=30").await.contains(&30));
    assert!(page(&browser, &server, "/r/tea").await.contains("?before=71"));
}

#[tokio::test]
async fn a_room_is_made_by_visiting_it_and_the_lobby_has_two_doors() {
    let server = TestServer::start().await;
    let browser = browser();
    assert!(page(&browser, &server, "/r/team-tea").await.contains("Team tea"));
    fill(&server, "lobby", 1).await;
    for path in ["/", "/r/lobby"] {
        assert!(page(&browser, &server, path).await.contains("id=\"m1\""), "{path}");
    }
}

/// P03.
#[tokio::test]
async fn markup_in_a_message_is_text() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    for evil in ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "<!-- & \" ' -->"] {
        ann.post("tea", evil).await;
    }
    ann.events(3).await;
    let page = page(&browser(), &server, "/r/tea").await;
    assert!(
        !page.contains("<img src=x") && !page.contains("<script>alert") && !page.contains("<!-- &"),
        "{page}"
    );
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{page}");
}

#[tokio::test]
async fn the_form_posts_and_leads_back_to_the_room() {
    let server = TestServer::start().await;
    let mut bob = V1::connect_and_join(&server, "tea").await;
    let browser = browser();
    let answer = sent(browser.post(server.http("/r/tea")).form(&[("text", "one\r\ntwo  ")])).await;
    assert_eq!(
        (answer.status(), &answer.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/r/tea".parse().unwrap())
    );
    assert_eq!(text(&bob.events(1).await[0]), "one\ntwo");
    let answer = sent(browser.post(server.http("/r/lobby")).form(&[("text", "hello")])).await;
    assert_eq!(answer.headers()["location"], "/");
}

#[tokio::test]
async fn a_new_browser_gets_a_cookie_and_keeps_its_user() {
    let server = TestServer::start().await;
    let ann = browser();
    sent(ann.post(server.http("/r/tea")).form(&[("text", "hello")])).await;
    sent(ann.post(server.http("/name")).form(&[("name", "Ann of Tea"), ("room", "tea")])).await;
    assert!(page(&ann, &server, "/r/tea").await.contains("Ann of Tea"));
    assert!(page(&ann, &server, "/").await.contains("Ann of Tea"), "it is her name everywhere");
    let bob = page(&browser(), &server, "/r/tea").await;
    assert!(bob.contains("Ann of Tea"), "what she said carries it");
    assert!(!page(&browser(), &server, "/").await.contains("Ann of Tea"), "and nobody else has it");
}

#[tokio::test]
async fn a_page_keeps_the_names_that_programs_select() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    sent(ann.post(server.http("/name")).form(&[("name", "Ann of Tea"), ("room", "tea")])).await;
    sent(browser().post(server.http("/r/tea")).form(&[("text", "hello @Ann of Tea")])).await;
    let body = page(&ann, &server, "/r/tea?around=1").await;
    let line =
        body.split("<li ").find(|item| item.contains("id=\"m1\"")).expect("the message is a list item");
    let classes = line.split("class=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    for name in ["line", "opens", "to-you", "marked"] {
        assert!(classes.split(' ').any(|class| class == name), "{name} in {classes}");
    }
    for part in ["data-standing=\"confirmed\"", "class=\"head\"", "<b", "<time", "class=\"text\""] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let body = page(&ann, &server, "/r/tea").await;
    for part in ["id=\"text\"", "class=\"composer\"", "data-connection=\"", "class=\"me\"", "id=\"name\""] {
        assert!(body.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_browser_without_cookies_is_told_that_a_name_would_be_forgotten_and_can_post() {
    let server = TestServer::start().await;
    // Nothing that is asked for is kept by a client of its own for each request.
    let asks = |path: &str, form: &[(&str, &str)]| Client::new().post(server.http(path)).form(form);
    let refused = sent(asks("/name", &[("name", "Ann of Tea"), ("room", "tea")])).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let body = refused.text().await.unwrap();
    assert!(body.contains("stores no cookies") && body.contains("value=\"Ann of Tea\""), "{body}");
    for (path, form) in [("/settings", [("theme", "dark")]), ("/device", [("", "")])] {
        let refused = sent(asks(path, &form)).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{path}");
        assert!(refused.text().await.unwrap().contains("stores no cookies"), "{path}");
    }
    assert_eq!(
        sent(asks("/r/tea", &[("text", "hello")])).await.status(),
        StatusCode::OK,
        "it goes on to the room"
    );
    assert_eq!(server.store().list_rooms(RoomQuery::new(RoomOrder::Name, 9)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_rename_past_the_limit_is_refused_and_keeps_what_was_typed() {
    let server = TestServer::with(|config| config.post_rate = 100).await;
    let ann = visitor(&server).await;
    let call = |name: String| ann.post(server.http("/name")).form(&[("name", name), ("room", "tea".into())]);
    for n in 0..20 {
        assert_eq!(sent(call(format!("Ann of {n}"))).await.status(), StatusCode::SEE_OTHER);
    }
    let refused = sent(call("Ann of Tea".into())).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    let body = refused.text().await.unwrap();
    assert!(body.contains("value=\"Ann of Tea\"") && body.contains("Ann of 19"), "{body}");
}

#[tokio::test]
async fn a_name_that_cannot_be_chosen_is_refused_in_the_language_of_the_page_and_kept_in_its_field() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    for (name, lang, why) in [
        ("Ann #2", "en", "cannot end like a tag"),
        ("Ann #2", "zh", "结尾不能像标记"),
        ("System", "en", "is reserved"),
        ("管理员", "zh", "是保留的"),
    ] {
        let form = [("name", name), ("room", "tea")];
        let refused = sent(ann.post(server.http("/name")).header("accept-language", lang).form(&form)).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{name}");
        let body = refused.text().await.unwrap();
        assert!(body.contains(why) && body.contains(&format!("value=\"{name}\"")), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_name_is_given_in_the_language_of_the_browser() {
    let server = TestServer::start().await;
    let asks = |language: &str| Client::new().get(server.http("/")).header("accept-language", language);
    let chinese = sent(asks("zh-CN")).await.text().await.unwrap();
    let name = chinese.split("<strong").nth(1).unwrap().split(['<', '>']).nth(1).unwrap();
    assert!(name.contains('的') && !name.is_ascii(), "{name}");
    let english = sent(asks("en")).await.text().await.unwrap();
    let name = english.split("<strong").nth(1).unwrap().split(['<', '>']).nth(1).unwrap();
    assert!(name.is_ascii() && name.contains(' '), "{name}");
}

#[tokio::test]
async fn rename_to_a_confusable_name_leads_to_an_explanation() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    let call =
        |who: &Client, name: &str| who.post(server.http("/name")).form(&[("name", name), ("room", "tea")]);
    assert_eq!(sent(call(&ann, "Ann")).await.headers()["location"], "/r/tea");
    assert_eq!(sent(call(&bob, "\u{410}nn")).await.headers()["location"], "/r/tea#ambiguous");
    assert!(page(&bob, &server, "/r/tea").await.contains("The tag distinguishes you"));
    assert_eq!(sent(call(&bob, "Bob")).await.headers()["location"], "/r/tea");
}

#[tokio::test]
async fn a_page_is_compressed_for_whoever_can_read_that() {
    let server = TestServer::start().await;
    for (accepts, coding) in [("gzip, deflate, br", Some("br")), ("gzip", Some("gzip")), ("identity", None)] {
        let answer = sent(browser().get(server.http("/")).header("accept-encoding", accepts)).await;
        assert_eq!(answer.headers().get("content-encoding").map(|coding| coding.to_str().unwrap()), coding);
        assert_eq!(answer.headers()["vary"], "accept-encoding");
    }
}

#[tokio::test]
async fn the_manifest_speaks_the_language_of_the_page() {
    let server = TestServer::start().await;
    for (asked, lang, says) in [("zh-CN", "zh-Hans", "群聊"), ("en", "en", "Group chat")] {
        let body = sent(Client::new().get(server.http("/")).header("accept-language", asked))
            .await
            .text()
            .await
            .unwrap();
        let path = body.split("rel=\"manifest\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let manifest = sent(Client::new().get(server.http(path))).await;
        assert_eq!(manifest.headers()["content-type"], "application/manifest+json");
        let manifest: serde_json::Value = manifest.json().await.unwrap();
        assert_eq!(manifest["lang"], lang);
        assert!(manifest["description"].as_str().unwrap().contains(says), "{manifest}");
    }
}

#[tokio::test]
async fn a_cookie_that_was_tampered_with_makes_somebody_new() {
    let server = TestServer::start().await;
    let good = server.new_user_cookie().await;
    let (name, value) = good.split_once('=').unwrap();
    let person = async |cookie: &str| {
        let answer = sent(Client::new().get(server.http("/")).header("cookie", cookie)).await;
        answer.headers()["hubbub-person"].to_str().unwrap().to_owned()
    };
    let ann = person(&good).await;
    assert!(value.contains(&ann), "{value}");
    let forged = format!("{name}={}", value.replace(&ann, "0000000000000001"));
    for (cookie, stays) in [(&*good, true), (&*forged, false), ("hubbub_id=0000000000000001", false)] {
        let now = person(cookie).await;
        assert_eq!((now == ann, now == "0000000000000001"), (stays, false), "{cookie} is {now}");
    }
}

#[tokio::test]
async fn the_cookie_is_secure_behind_https() {
    let server = TestServer::start().await;
    let answer = sent(Client::new().get(server.http("/")).header("x-forwarded-proto", "https")).await;
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
}

#[tokio::test]
async fn a_rejected_form_shows_the_reason_and_keeps_the_text() {
    let server = TestServer::start().await;
    let browser = visitor(&server).await;
    let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
    for (posted, status, says) in [(" ", 400, "enter a message"), (long.as_str(), 413, "at most 8192 bytes")]
    {
        let answer = sent(browser.post(server.http("/r/tea")).form(&[("text", posted)])).await;
        assert_eq!(answer.status().as_u16(), status);
        let body = answer.text().await.unwrap();
        assert!(body.contains("<form") && body.contains(says), "{body}");
        assert!(body.contains(posted.trim()), "the text is not lost");
    }
    let answer =
        sent(browser.post(server.http("/name")).form(&[("name", "\u{202e}"), ("room", "tea")])).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("Please enter a name"));
}

#[tokio::test]
async fn the_forms_of_a_message_change_it_for_its_author_alone() {
    let server = TestServer::start().await;
    let (ann, bob) = (browser(), browser());
    sent(ann.post(server.http("/r/tea")).form(&[("text", "helo")])).await;
    let edit = |who: &Client, text: &str| who.post(server.http("/r/tea/1/edit")).form(&[("text", text)]);
    assert!(page(&ann, &server, "/r/tea").await.contains("action=\"/r/tea/1/edit\""));
    assert!(!page(&bob, &server, "/r/tea").await.contains("/r/tea/1/edit"), "bob has no form for it");
    assert_eq!(sent(edit(&bob, "his")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(sent(edit(&ann, " ")).await.status(), StatusCode::BAD_REQUEST);
    let refused = sent(edit(&ann, &format!("\nnot lost {}", "x".repeat(MAX_MESSAGE_BYTES)))).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let body = refused.text().await.unwrap();
    assert!(body.contains("action=\"/r/tea/1/edit\"") && body.contains("not lost xxx"), "{body}");
    let answer = sent(edit(&ann, "hello\r\nyou")).await;
    assert_eq!(
        (answer.status(), &answer.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/r/tea#m1".parse().unwrap())
    );
    assert!(page(&bob, &server, "/r/tea").await.contains("hello\nyou"));
    assert_eq!(sent(bob.post(server.http("/r/tea/1/delete"))).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(sent(ann.post(server.http("/r/tea/1/delete"))).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(sent(ann.post(server.http("/r/tea/1/delete"))).await.status(), StatusCode::NOT_FOUND);
    assert!(!page(&ann, &server, "/r/tea").await.contains("hello"));
    for path in ["/r/tea/x/edit", "/r/No%20Room/1/delete"] {
        assert_eq!(
            sent(ann.post(server.http(path)).form(&[("text", "x")])).await.status(),
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn a_text_far_too_long_for_a_message_comes_back_to_who_wrote_it() {
    let server = TestServer::start().await;
    let browser = visitor(&server).await;
    let long = "字".repeat(30_000);
    let answer = sent(browser.post(server.http("/r/tea")).form(&[("text", &long)])).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().await.unwrap().contains(&long));
    let longer = "字".repeat(200_000);
    let answer = sent(browser.post(server.http("/r/tea")).form(&[("text", &longer)])).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().await.unwrap().contains("at most 8192 bytes"));
}

#[tokio::test]
async fn reloading_the_page_of_a_rejected_form_shows_an_error_page() {
    let server = TestServer::start().await;
    for path in ["/name", "/settings", "/device"] {
        let answer = sent(browser().get(server.http(path))).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.headers()["allow"], "POST", "{path}");
        assert!(answer.text().await.unwrap().contains("href=\"/\""), "{path} shows the way home");
    }
    let ann = visitor(&server).await;
    let refused = sent(ann.post(server.http("/name")).form(&[("name", " "), ("room", "tea")])).await;
    let body = refused.text().await.unwrap();
    assert!(body.contains("name=\"back\" value=\"/r/tea\""), "the settings lead back to the room: {body}");
}

#[tokio::test]
async fn the_settings_lead_back_to_the_place_in_a_room_and_to_nothing_else() {
    let server = TestServer::start().await;
    for (asked, back) in [("/r/tea?around=3&x=y", "/r/tea?around=3"), ("/?x=%22", "/")] {
        let body = page(&browser(), &server, asked).await;
        assert!(body.contains(&format!("name=\"back\" value=\"{back}\"")), "{asked}: {body}");
    }
}

#[tokio::test]
async fn only_pages_renew_the_cookie_of_who_is_known_and_every_answer_says_whose_it_is() {
    let server = TestServer::start().await;
    let fresh = server.new_user_cookie().await;
    // From before cookies said when they were set.
    let person = "0123456789abcdef";
    let jar = SignedCookieJar::new(Key::from_ref(&server.state)).add(Cookie::new("hubbub_id", person));
    let old = (jar, ()).into_response().headers()["set-cookie"].to_str().unwrap().to_owned();
    for (cookie, accepts, renews) in [
        (&old, "text/html", true),
        (&old, "*/*", false),
        (&fresh, "text/html", false),
        (&fresh, "*/*", false),
    ] {
        let request =
            Client::new().get(server.http("/r/tea")).header("cookie", cookie).header("accept", accepts);
        let answer = within_timeout(request.send()).await.unwrap();
        assert_eq!(answer.headers().contains_key("set-cookie"), renews, "{cookie} {accepts}");
        let person = answer.headers()["hubbub-person"].to_str().unwrap();
        assert!(cookie.contains(person), "{cookie} is {person}");
    }
}

#[tokio::test]
async fn another_site_cannot_post_for_somebody() {
    let server = TestServer::start().await;
    for (path, form) in [("/r/tea", ("text", "hello")), ("/name", ("name", "Mallory"))] {
        let request = browser().post(server.http(path)).header("origin", "http://evil.example").form(&[form]);
        assert_eq!(sent(request).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert!(server.store().list_rooms(RoomQuery::new(RoomOrder::Name, 1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn other_forms_of_an_address_lead_to_the_page_with_their_query() {
    let server = TestServer::start().await;
    for (asked, path) in [
        ("/r/Tea", "/r/tea"),
        ("/r/tea/?utm_source=x&around=3", "/r/tea?utm_source=x&around=3"),
        ("/r/tea.", "/r/tea"),
        ("/r/%EF%BC%B4ea%E3%80%82", "/r/tea"),
        ("/rooms/", "/rooms"),
        ("/api/rooms/Tea/messages?limit=1", "/api/rooms/tea/messages?limit=1"),
    ] {
        let answer = sent(browser().get(server.http(asked))).await;
        assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT, "{asked}");
        assert_eq!(answer.headers()["location"], path, "{asked}");
    }
    let answer = sent(browser().get(server.http("/r/tea?utm_source=mail&fbclid=1"))).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

/// H05 and H06, with a page in place of bare text.
#[tokio::test]
async fn any_other_path_is_a_page_that_says_so() {
    let server = TestServer::start().await;
    for path in ["/foo", "/index.html", "/r/", "/r/No%20Room", "/r/tea/x", "/pkg/nothing.js", "/.env"] {
        let answer = sent(browser().get(server.http(path))).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{path}");
        assert!(answer.text().await.unwrap().contains("href=\"/\""), "{path} shows the way home");
    }
    assert_eq!(sent(browser().post(server.http("/foo"))).await.status(), StatusCode::NOT_FOUND);
    let program = within_timeout(reqwest::get(server.http("/foo"))).await.unwrap();
    assert_eq!(program.headers()["content-type"], "application/problem+json", "a program gets a problem");
}

#[tokio::test]
async fn a_question_about_no_place_is_answered_with_a_page() {
    let server = TestServer::start().await;
    let answer = sent(browser().get(server.http("/r/tea?before=x"))).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
}
