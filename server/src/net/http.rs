//! Serves one HTTP connection within its limits.

use super::{
    clock::{Expired, STALL_TIMEOUT},
    stream::NetStream,
    transport::{Activity, Transport},
    transport_limit::TransportPermit,
};
use axum::{Router, body::Body, extract::Request, response::Response};
use bytes::Bytes;
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::SockRef;
use std::{
    future::poll_fn,
    io::{self, Read},
    net::Shutdown,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::Interest,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Bytes of a request's header, its request line and the empty line at its end included; more is
/// answered 431.
pub const MAX_HEADER_BYTES: usize = 32 * 1_024;

/// Header fields of a request; more are answered 431.
pub const MAX_HEADERS: usize = 64;

/// `SO_SNDBUF` in bytes (Linux doubles it). It bounds the kernel memory of a slow client. It is small so
/// that progress is visible: the socket becomes writable again after about a third of it has drained.
const SEND_BUFFER_BYTES: usize = 128 * 1_024;

/// `TCP_NOTSENT_LOWAT` in bytes while a connection speaks HTTP. Beyond it the socket is unwritable, so that the clock
/// sees small progress and a client that takes no bytes holds little memory.
const MAX_NOT_SENT_BYTES: u32 = 32 * 1_024;

/// The answer to a connection beyond the limit.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    content-length: 107\r\nretry-after: 5\r\nconnection: close\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"Too many connections are open.\"}";

/// Bytes of an answer that hyper takes from its body before the client takes any.
const WRITE_BUFFER_BYTES: usize = 64 * 1_024;

/// The time for which a closed connection is still read. Bytes of the client that arrive later would destroy the answer
/// before the client has read it (RFC 9112, section 9.6).
const LINGER_TIMEOUT: Duration = Duration::from_millis(500);

/// Bytes that are read and dropped in that time.
const LINGER_BYTES: usize = 1_024 * 1_024;

/// Serves the requests of one connection until the server drains, a limit is exceeded, or a request
/// upgrades the connection.
pub async fn serve_connection(
    stream: NetStream,
    permit: Option<TransportPermit>,
    activity: Arc<Activity>,
    router: Router,
    draining: CancellationToken,
) {
    set_options(&stream);
    let endpoints = stream.endpoints();
    let transport = TokioIo::new(Transport::new(stream, activity.clone(), permit));
    let watched = activity.clone();
    let service = router
        .map_request(move |mut request: Request<Incoming>| {
            watched.on_request();
            request.extensions_mut().insert(watched.clone());
            if let Some(endpoints) = endpoints {
                request.extensions_mut().insert(endpoints);
            }
            request.map(Body::new)
        })
        .map_response(watch_end(activity.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The activity's clock does this, and distinguishes a partial header from an idle connection.
        .header_read_timeout(None)
        .max_header_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .max_buf_size(WRITE_BUFFER_BYTES)
        .serve_connection(transport, TowerToHyperService::new(service))
        .with_upgrades();
    let expired = {
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = within_limits(&activity, |cx| connection.as_mut().poll(cx)) => ended,
            () = draining.cancelled() => {
                activity.on_drain();
                connection.as_mut().graceful_shutdown();
                within_limits(&activity, |cx| connection.as_mut().poll(cx)).await
            }
        };
        match ended {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::debug!(%error, "connection ended early");
                None
            }
            Err(expired) => {
                tracing::debug!(reason = %expired, "connection closed");
                Some(expired)
            }
        }
    };
    let Some((stream, _permit)) = activity.take_left() else { return };
    match expired {
        // The kernel drops what it still holds for the client.
        Some(Expired::Stalled | Expired::TooSlow | Expired::Draining | Expired::Evicted) => reset(&stream),
        Some(Expired::Header | Expired::Idle) => {}
        None if draining.is_cancelled() => {}
        None => linger(&stream).await,
    }
}

/// Sets the options of a connection that was just accepted. Those that fail keep the kernel's defaults.
fn set_options(stream: &NetStream) {
    let socket = SockRef::from(stream);
    let set = socket.set_send_buffer_size(SEND_BUFFER_BYTES).and_then(|()| match stream {
        NetStream::Tcp(_) => {
            socket.set_tcp_nodelay(true)?;
            set_kernel_limits(&socket, Some(STALL_TIMEOUT), MAX_NOT_SENT_BYTES)
        }
        NetStream::Unix(_) => Ok(()),
    });
    if let Err(error) = set {
        tracing::debug!(%error, "could not set socket options");
    }
}

/// Removes the limits of an HTTP connection from an upgraded stream, which has its own.
pub fn release(stream: &NetStream) {
    if matches!(stream, NetStream::Tcp(_))
        && let Err(error) = set_kernel_limits(&SockRef::from(stream), None, 0)
    {
        tracing::debug!(%error, "could not set socket options");
    }
}

/// Lets the kernel end the connection if the client acknowledges nothing, or makes no room, for `stall`
/// (an answer that fits into the kernel's buffer is out of the clock's sight), and take no more than
/// `not_sent` bytes beyond the client's window; 0 for the system's default.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn set_kernel_limits(socket: &SockRef<'_>, stall: Option<Duration>, not_sent: u32) -> io::Result<()> {
    socket.set_tcp_user_timeout(stall)?;
    socket.set_tcp_notsent_lowat(not_sent)
}

/// Other systems have no such limits.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn set_kernel_limits(_: &SockRef<'_>, _: Option<Duration>, _: u32) -> io::Result<()> {
    Ok(())
}

/// Makes the kernel drop what it still holds for the client when the stream is closed.
fn reset(stream: &NetStream) {
    // The connection is gone already, or the kernel keeps trying for a while.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Polls `connection` until it is ready or one of the activity's limits is exceeded.
async fn within_limits<T>(
    activity: &Activity,
    mut connection: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Result<T, Expired> {
    let mut timer = pin!(sleep_until(Instant::now()));
    poll_fn(|cx| {
        if let Poll::Ready(served) = connection(cx) {
            return Poll::Ready(Ok(served));
        }
        loop {
            let due = match activity.poll_check(cx) {
                Ok(Some(due)) => due,
                Ok(None) => return Poll::Pending,
                Err(expired) => return Poll::Ready(Err(expired)),
            };
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Answers 503 without reading a request: as many connections are open as may be.
pub async fn refuse(stream: NetStream) {
    // The kernel takes so little at once; a client that is gone needs no answer.
    let _ = stream.try_io(Interest::WRITABLE, || SockRef::from(&stream).send(FULL));
    linger(&stream).await;
}

/// Closes the sending side, then reads and drops what the client still sends, within bounds.
async fn linger(stream: &NetStream) {
    if SockRef::from(stream).shutdown(Shutdown::Write).is_err() {
        return;
    }
    let drained = async {
        let mut left = LINGER_BYTES;
        while left > 0 && stream.readable().await.is_ok() {
            let mut buffer = [0; 8 * 1_024];
            match stream.try_io(Interest::READABLE, || (&*SockRef::from(stream)).read(&mut buffer)) {
                Ok(0) => return,
                Ok(read) => left = left.saturating_sub(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    // After the timeout the client has had time to read the answer.
    let _ = timeout(LINGER_TIMEOUT, drained).await;
}

/// Records in the activity when the body of an answer ends.
fn watch_end(activity: Arc<Activity>) -> impl Fn(Response) -> Response + Clone {
    move |response| {
        let activity = activity.clone();
        response.map(|body| Body::new(WatchedBody { body, _end: ResponseEnd(activity) }))
    }
}

/// A body that records when hyper drops it, which happens after its last frame.
struct WatchedBody {
    body: Body,
    _end: ResponseEnd,
}

struct ResponseEnd(Arc<Activity>);

impl Drop for ResponseEnd {
    fn drop(&mut self) {
        self.0.on_response_end();
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
