//! Codes that bring an identity back.

use crate::support::{Device, TestServer, within_timeout};
use reqwest::{Client, Response, StatusCode};
use server::administration;

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const WRONG: &str = "This code does not work.";

/// Creates a code and returns it as the page shows it.
async fn create(device: &Device, server: &TestServer) -> String {
    let answer = device.post(server, "/devices/recovery-code", &[("action", "create")]).await;
    assert_eq!(
        (answer.status(), &answer.headers()["cache-control"]),
        (StatusCode::OK, &"no-store".parse().unwrap())
    );
    let page = answer.text().await.unwrap();
    let field = page.split("<textarea").nth(1).and_then(|rest| rest.split('>').nth(1)).expect("a field");
    let code = field.split('<').next().unwrap().trim().to_owned();
    assert_eq!(code.len(), 34, "{code}");
    code
}

async fn recover(device: &Device, server: &TestServer, code: &str) -> Response {
    device.post(server, "/recover", &[("code", code)]).await
}

async fn newcomer(server: &TestServer) -> Device {
    let device = Device::new(AGENT);
    device.page(server, "/recover").await;
    device
}

async fn is_ann(device: &Device, server: &TestServer) -> bool {
    device.page(server, "/").await.contains("Ann of Tea")
}

#[tokio::test]
async fn administrator_who_has_not_posted_gets_a_recovery_code() {
    let server = TestServer::start().await;
    let token = administration::prepare(&server.state).await.unwrap().expect("the first start has a link");
    let admin = newcomer(&server).await;
    assert_eq!(
        admin.post(&server, &format!("/admin/link/{token}"), &[]).await.status(),
        StatusCode::SEE_OTHER
    );
    let code = create(&admin, &server).await;
    let found = newcomer(&server).await;
    assert_eq!(recover(&found, &server, &code).await.status(), StatusCode::SEE_OTHER);
    assert!(found.page(&server, "/admin").await.contains("Administration"));
}

#[tokio::test]
async fn code_recovers_the_user_once_and_a_new_code_is_offered() {
    let server = TestServer::start().await;
    let lost = Device::named(&server, "Ann of Tea", AGENT).await;
    let code = create(&lost, &server).await;
    let page = lost.page(&server, "/devices").await;
    assert!(
        page.contains("You have a recovery code, created on") && !page.contains(&code),
        "it is shown once"
    );

    let found = newcomer(&server).await;
    let answer = recover(&found, &server, &code.to_lowercase().replace('-', " ")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(location, "/devices?done=recovered#recovery");
    let page = found.page(&server, "/devices?done=recovered").await;
    assert!(page.contains("Welcome back") && page.contains("Create recovery code"), "{page}");
    assert_eq!(page.matches("name=\"device\"").count(), 1, "the other device is listed");
    assert!(is_ann(&found, &server).await);

    let late = newcomer(&server).await;
    let again = recover(&late, &server, &code).await;
    assert_eq!(again.status(), StatusCode::BAD_REQUEST);
    let page = again.text().await.unwrap();
    assert!(page.contains(WRONG) && !page.contains(&code), "{page}");
    assert!(!is_ann(&late, &server).await);
}

#[tokio::test]
async fn replaced_removed_and_unknown_codes_get_the_same_sentence() {
    let server = TestServer::start().await;
    let ann = Device::named(&server, "Ann of Tea", AGENT).await;
    let replaced = create(&ann, &server).await;
    let removed = create(&ann, &server).await;
    assert_ne!(replaced, removed);
    let answer = ann.post(&server, "/devices/recovery-code", &[("action", "revoke")]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let current = create(&ann, &server).await;
    let mut almost = current.clone();
    almost.replace_range(0..1, if current.starts_with('7') { "8" } else { "7" });
    let eve = newcomer(&server).await;
    let mut pages = Vec::new();
    for wrong in
        [&*replaced, &removed, &almost, "0000-0000-0000-0000-0000-0000-0000", "", "'; DROP TABLE", "字"]
    {
        let answer = recover(&eve, &server, wrong).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{wrong}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(WRONG), "{wrong}");
        pages.push(
            page.split("<main").nth(1).and_then(|rest| rest.split("</main>").next()).unwrap().to_owned(),
        );
    }
    for page in &pages {
        assert_eq!(page, &pages[0], "nothing is learned");
    }
    assert!(!is_ann(&eve, &server).await);
    assert_eq!(recover(&eve, &server, &current).await.status(), StatusCode::SEE_OTHER, "nothing was used up");
}

#[tokio::test]
async fn code_is_not_used_up_by_another_site_or_without_cookies() {
    let server = TestServer::start().await;
    let ann = Device::named(&server, "Ann of Tea", AGENT).await;
    let code = create(&ann, &server).await;
    for code in [&*code, "0000-0000-0000-0000-0000-0000-0000"] {
        let answer = Device::new(AGENT).post(&server, "/recover", &[("code", code)]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(answer.text().await.unwrap().contains("stores no cookies"));
    }
    let eve = newcomer(&server).await;
    for path in ["/recover", "/devices/recovery-code"] {
        let foreign = Client::new()
            .post(server.http(path))
            .header("cookie", eve.cookie())
            .header("origin", "https://evil.example")
            .form(&[("code", &*code), ("action", "create")]);
        assert_eq!(within_timeout(foreign.send()).await.unwrap().status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(recover(&eve, &server, &code).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_guest_gets_no_code_and_an_unknown_action_is_refused() {
    let server = TestServer::start().await;
    let guest = newcomer(&server).await;
    let ann = Device::named(&server, "Ann of Tea", AGENT).await;
    for (device, action) in [(&guest, "create"), (&ann, "show"), (&ann, "")] {
        let answer = device.post(&server, "/devices/recovery-code", &[("action", action)]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{action}");
    }
}

#[tokio::test]
async fn codes_are_tried_slowly_by_one_network() {
    let server = TestServer::with(|config| config.per_network = 100).await;
    let eve = newcomer(&server).await;
    let (mut tried, mut limited) = (0, 0);
    for n in 0..30 {
        match recover(&eve, &server, &format!("{n:028}")).await.status() {
            StatusCode::BAD_REQUEST => tried += 1,
            StatusCode::TOO_MANY_REQUESTS => limited += 1,
            other => panic!("{other}"),
        }
    }
    assert!((20..25).contains(&tried) && limited > 0, "{tried} were tried, {limited} refused");
}

#[tokio::test]
async fn only_the_hash_of_a_code_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let ann = Device::named(&server, "Ann of Tea", AGENT).await;
    let code = create(&ann, &server).await;
    server.stop().await;
    let stored = std::fs::read(folder.path().join("hubbub.db")).unwrap();
    let plain = code.replace('-', "");
    for text in [&*code, &plain] {
        assert!(!stored.windows(text.len()).any(|bytes| bytes == text.as_bytes()));
    }
    let server = TestServer::on_disk(folder.path()).await;
    let found = newcomer(&server).await;
    assert_eq!(recover(&found, &server, &code).await.status(), StatusCode::SEE_OTHER);
    assert!(is_ann(&found, &server).await);
}
