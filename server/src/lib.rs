//! The server half of Hubbub: everything that lives in one process. Its main modules, in reading order:
//!
//! - [`config`]: the settings; [`cli`]: the command line; [`startup`], [`data`], `folder_store`: opens the data
//!   folder.
//! - [`serve`]: accepts connections and drains them; [`shutdown`]: the stop signals; [`banner`], [`links`]: the first lines
//!   printed.
//! - [`net`]: the sockets below HTTP, with their timeouts; [`origin`]: hosts and origins, normalized; `redact`: client
//!   text made safe for the log.
//! - [`router`]: every route; [`state`]: the state that handlers share; [`http`]: the parts that handlers share.
//! - [`pages`], [`api`]: the answers over HTTP; [`device_links`], [`recovery_codes`]: the links and codes that sign a device
//!   in.
//! - [`sign_ins`]: the validity of cookies; [`key_watch`]: the keys that sign them, while the server runs.
//! - [`connection`]: one open WebSocket, in lines or in `hubbub.v1`; `commands`: the commands of `hubbub.v1`.
//! - [`limits`]: rate and connection limits; `admission`: the count of writes against them.
//! - [`websocket`]: RFC 6455, as bytes; [`hexadecimal`]: hashes as text.
//! - [`hub`]: the live rooms and their subscribers.
//! - `mentions`: the users whom the text of a message addresses.
//! - [`files`]: the bytes of files and pictures; `attachments`: the files of a message.
//! - [`search`]: the messages that a user may see and that match.
//! - [`access`]: the one way into the server and its rooms; [`administration`]: the operator's options about it.
//! - `password`, [`secret`], [`secret_url`]: the password of the server, the secrets of links, and URLs with passwords.
//! - `recent_networks`: the networks from which users came last; `settings_cache`: the settings as they were read last.
//! - [`export`]: everything of a user; [`archive`]: a room in one file.
//! - [`upkeep`]: removes what has expired, carries out erasures, and indexes messages.
//! - [`store`]: the durable event log, users, rooms and read markers.

pub mod access;
pub mod administration;
mod admission;
pub mod api;
pub mod archive;
mod attachments;
pub mod banner;
pub mod cli;
mod commands;
pub mod config;
pub mod connection;
pub mod data;
pub mod device_links;
pub mod export;
pub mod files;
mod folder_store;
pub mod hexadecimal;
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
