//! The server half of Hubbub: everything that lives in one process, in reading order.
//!
//! - [`config`]: the settings; [`cli`]: the commands of the operator; [`startup`], [`data`]: opens the data folder.
//! - [`serve`]: accepts connections and drains them; [`shutdown`]: the stop signals; [`banner`], [`links`]: the first lines printed.
//! - [`net`]: the sockets below HTTP, with their timeouts; [`origin`]: hosts and origins, normalized; `redact`: client
//!   text made safe for the log.
//! - [`router`]: every route; [`state`]: the state that handlers share; [`http`]: the parts that handlers share.
//! - [`pages`], [`api`]: the answers over HTTP; [`device_links`], [`recovery_codes`]: what signs a device in.
//! - [`sign_ins`]: which cookies are valid; [`key_watch`]: the keys that sign them, while the server runs.
//! - [`connection`]: one open WebSocket, in lines or in `hubbub.v1`; [`limits`]: rate and connection limits.
//! - [`websocket`]: RFC 6455, as bytes.
//! - [`hub`]: the live rooms and their subscribers.
//! - `mentions`: whom the text of a message addresses.
//! - [`search`]: the messages that a user may see and that match.
//! - [`access`]: the one way into the server and its rooms; [`administration`]: what the operator says about it.
//! - [`store`]: the durable event log, users, rooms and read markers.

pub mod access;
pub mod administration;
mod admission;
pub mod api;
pub mod banner;
pub mod cli;
pub mod config;
pub mod connection;
pub mod data;
pub mod device_links;
pub mod export;
pub mod http;
pub mod hub;
pub mod key_watch;
pub mod limits;
pub mod links;
mod mentions;
pub mod net;
pub mod origin;
pub mod pages;
mod password;
mod recent_networks;
pub mod recovery_codes;
mod redact;
pub mod router;
pub mod search;
pub mod secret;
pub mod secret_url;
pub mod serve;
mod settings_cache;
pub mod shutdown;
pub mod sign_ins;
pub mod startup;
pub mod state;
pub mod store;
pub mod upkeep;
pub mod websocket;
