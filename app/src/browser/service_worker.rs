//! The service worker: it stores copies of rooms for the time without a network, and shows notifications.

use crate::{base::link, wire::RoomName};
use js_sys::{Object, Reflect};
use leptos::{prelude::window, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration};

/// Registers the worker.
pub fn register() {
    let Some(container) = container() else { return };
    let registered = container.register(&link("/sw.js"));
    spawn_local(async move {
        // In a browser that refuses it only the copies of rooms are missing.
        let is_first = container.controller().is_none();
        if JsFuture::from(registered).await.is_err() || !is_first {
            return;
        }
        // This page was loaded before there was a worker that could store it.
        let Ok(ready) = container.ready() else { return };
        let ready = JsFuture::from(ready).await.ok().and_then(|ready| ready.dyn_into().ok());
        if let Some(worker) = ready.and_then(|ready: ServiceWorkerRegistration| ready.active()) {
            refresh(&worker);
        }
    });
}

/// Asks the worker to fetch this page again, so that its copy is as new as what the user has just read.
pub fn refresh_copy() {
    if let Some(worker) = container().and_then(|container| container.controller()) {
        refresh(&worker);
    }
}

/// Asks the worker to delete its copy of a room, of which messages have expired. The page stores a new one when it is hidden.
pub fn forget_copy(room: &RoomName) {
    let message = Object::new();
    let _ = Reflect::set(&message, &"forget".into(), &link(&room.path()).into());
    spawn_local(async move {
        post(&message).await;
    });
}

fn refresh(worker: &ServiceWorker) {
    let _ = worker.post_message(&"refresh".into());
}

/// Sends a message to the active worker. Returns `false` if there is none.
pub async fn post(message: &JsValue) -> bool {
    let worker = active().await;
    worker.is_some_and(|worker| worker.post_message(message).is_ok())
}

async fn active() -> Option<ServiceWorker> {
    let registration = JsFuture::from(container()?.get_registration()).await.ok()?;
    registration.dyn_into::<ServiceWorkerRegistration>().ok()?.active()
}

/// Returns the page's workers. Browsers have them only over HTTPS and on the local machine.
pub fn container() -> Option<ServiceWorkerContainer> {
    Reflect::get(&window().navigator(), &"serviceWorker".into()).ok()?.dyn_into().ok()
}
