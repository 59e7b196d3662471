//! Liveness and readiness.

use super::get;
use crate::support::TestServer;
use reqwest::StatusCode;
use tower::ServiceExt;

#[tokio::test]
async fn healthz_does_not_depend_on_the_store() {
    let server = TestServer::start().await;
    assert_eq!(get(&server, "/healthz").await.text().await.unwrap(), "ok\n");
    assert_eq!(get(&server, "/readyz").await.text().await.unwrap(), "ready\n");
    server.store().close().await;
    assert_eq!(get(&server, "/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn readyz_fails_while_the_server_drains_and_healthz_does_not() {
    let server = TestServer::start().await;
    // A service of its own, because a server that drains closes its listener.
    let probe = async |path: &str| {
        let request = axum::http::Request::get(path).header("host", "localhost");
        let request = request.body(axum::body::Body::empty()).unwrap();
        server::router::router(server.state.clone()).oneshot(request).await.unwrap()
    };
    assert_eq!(probe("/readyz").await.status(), StatusCode::OK);
    server.state.draining.cancel();
    let rejected = probe("/readyz").await;
    assert_eq!(
        (rejected.status().as_u16(), &rejected.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
    assert_eq!(probe("/healthz").await.status(), StatusCode::OK);
}
