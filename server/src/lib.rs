//! The server half of Hubbub: everything that lives in one process, in reading order.
//!
//! - [`config`]: the settings; [`cli`]: `backup` and `restore`; [`start`], [`data_folder`], [`cookie_key`], [`durable`]: the data folder.
//! - [`serve`]: accepting connections, and letting them go; [`shutdown`]: when.
//! - [`net`]: the sockets below HTTP, and their limits in time.
//! - [`forwarded`]: the client behind trusted proxies; [`host`]: whether a request is for this server, and from which
//!   site's page; [`origin`]: hosts and origins, normalized.
//! - [`router`]: every route; [`state`]: what they reach; [`identity`]: who asks.
//! - [`pages`], [`api`], [`assets`]: what is answered over HTTP; [`error`]: what went wrong.
//! - [`connection`]: one open socket, in lines or in `hubbub.v1`; [`limits`]: how fast one person may write;
//!   [`network`]: one network; [`admission`]: both, at every door.
//! - [`websocket`]: RFC 6455, as bytes.
//! - [`reader`]: one who follows rooms; [`link`]: its half that others see; [`flow`]: what it has, what
//!   waits for it, and where that goes.
//! - [`hub`], [`room`]: the live rooms; [`batch`]: what they tell, encoded once.
//! - [`log`]: the durable order of events.

pub mod addresses;
pub mod admission;
pub mod api;
pub mod assets;
pub mod batch;
pub mod cli;
pub mod config;
pub mod connection;
pub mod cookie_key;
mod cookies;
mod cors;
pub mod data_folder;
pub mod devices;
pub mod durable;
pub mod error;
pub mod flow;
pub mod form;
pub mod forwarded;
pub mod host;
pub mod hub;
pub mod identity;
pub mod limits;
pub mod link;
pub mod log;
mod loggable;
pub mod net;
pub mod network;
pub mod origin;
pub mod pages;
pub mod places;
pub mod presence;
mod range;
pub mod reader;
mod request_log;
pub mod room;
pub mod router;
pub mod serve;
pub mod shutdown;
pub mod start;
pub mod state;
mod sync;
pub mod visitor;
pub mod websocket;
pub mod welcome;
pub mod work;
