//! One open connection to the server: a WebSocket, or Server-Sent Events with requests.

use crate::{
    base::link,
    browser::dom::{Listener, listen},
    client::Transport,
    wire::{ClientFrame, PROTOCOL},
};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::window, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{EventSource, EventTarget, MessageEvent, RequestInit, Response, WebSocket};

/// Milliseconds that the answer to a request may take.
const ANSWER_TIMEOUT_MS: u32 = 15_000;

/// HTTP status of an answer to a page of a foreign origin.
const FORBIDDEN: u16 = 403;

/// A signal that a connection yields.
pub enum Signal {
    /// A frame of the server.
    Frame(String),
    /// The answer to a request.
    Answer(String),
    /// The server did not answer a request.
    Unanswered,
    /// The server accepts no commands from the page's origin.
    Forbidden,
    /// The connection is lost.
    Lost,
}

/// An open connection. It is closed when it is dropped.
pub struct Carrier {
    open: Open,
    signals: UnboundedSender<Signal>,
    _listeners: [Listener; 3],
}

enum Open {
    Socket(WebSocket),
    Stream(EventSource),
}

impl Carrier {
    /// Opens a WebSocket. Returns `None` if the browser has none or refuses the address.
    pub fn socket() -> Option<(Self, UnboundedReceiver<Signal>)> {
        let socket = WebSocket::new_with_str(&socket_url(), PROTOCOL).ok()?;
        Some(Self::new(socket.clone().into(), Open::Socket(socket)))
    }

    /// Opens the stream of frames at `path`. Returns `None` if the browser refuses it.
    pub fn stream(path: &str) -> Option<(Self, UnboundedReceiver<Signal>)> {
        let source = EventSource::new(path).ok()?;
        Some(Self::new(source.clone().into(), Open::Stream(source)))
    }

    fn new(target: EventTarget, open: Open) -> (Self, UnboundedReceiver<Signal>) {
        let (signals, received) = unbounded();
        let frames = signals.clone();
        let message = Listener::new(&target, "message", move |event| {
            let text = event.dyn_into::<MessageEvent>().ok().and_then(|message| message.data().as_string());
            // A signal that arrives after the receiver is gone is dropped.
            let _ = frames.unbounded_send(text.map_or(Signal::Lost, Signal::Frame));
        });
        // A stream would connect again by itself, after the last event that the browser has received; the page knows
        // after which one to begin.
        let [close, error] = ["close", "error"].map(|event| {
            let signals = signals.clone();
            Listener::new(&target, event, move |_| drop(signals.unbounded_send(Signal::Lost)))
        });
        (Self { open, signals, _listeners: [message, close, error] }, received)
    }

    pub fn transport(&self) -> Transport {
        match self.open {
            Open::Socket(_) => Transport::WebSocket,
            Open::Stream(_) => Transport::Http,
        }
    }

    /// Sends a frame. Returns `None` if the connection is lost. A frame that means nothing without a WebSocket is not sent.
    pub fn send(&self, frame: &ClientFrame) -> Option<()> {
        let json = frame.to_json();
        match (&self.open, frame) {
            (Open::Socket(socket), _) => socket.send_with_str(&json).ok(),
            (_, ClientFrame::Join { .. } | ClientFrame::Typing { .. } | ClientFrame::Ping { .. }) => Some(()),
            _ => {
                let signals = self.signals.clone();
                spawn_local(async move {
                    let answer =
                        select(Box::pin(request(&json)), TimeoutFuture::new(ANSWER_TIMEOUT_MS)).await;
                    let signal = match answer {
                        Either::Left((Some(signal), _)) => signal,
                        _ => Signal::Unanswered,
                    };
                    let _ = signals.unbounded_send(signal);
                });
                Some(())
            }
        }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        match &self.open {
            Open::Socket(socket) => drop(socket.close()),
            Open::Stream(source) => source.close(),
        }
    }
}

/// Sends a command over HTTP, from a page without a connection. Its answer is ignored.
pub fn send_once(frame: &ClientFrame) {
    let json = frame.to_json();
    spawn_local(async move { drop(request(&json).await) });
}

/// Asks the server to carry out a command. Returns `None` if the server has not answered.
async fn request(json: &str) -> Option<Signal> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(json));
    let answer = window().fetch_with_str_and_init(&link("/api/commands"), &init);
    let answer: Response = JsFuture::from(answer).await.ok()?.dyn_into().ok()?;
    // A proxy or a sign-in page between does not send this header.
    if !answer.headers().has("hubbub-person").unwrap_or(false) {
        return None;
    }
    if answer.status() == FORBIDDEN {
        return Some(Signal::Forbidden);
    }
    let text = JsFuture::from(answer.text().ok().filter(|_| answer.ok())?).await.ok()?;
    Some(Signal::Answer(text.as_string()?))
}

/// Returns the address of the WebSocket endpoint. It is encrypted if the page is.
fn socket_url() -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}{}", location.host().unwrap_or_default(), link("/ws"))
}

/// Yields whenever the connection may have died or come back unnoticed.
pub fn probes() -> UnboundedReceiver<()> {
    let (probe, probes) = unbounded();
    for event in ["online", "offline", "visibilitychange", "pageshow", "focus"] {
        let probe = probe.clone();
        listen(&window(), event, move || {
            // The receiver lives as long as the page.
            let _ = probe.unbounded_send(());
        });
    }
    probes
}
