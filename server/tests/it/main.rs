//! Hubbub's server, tested as people and programs meet it: a real server on a port of its own.
//!
//! One file for each thing that somebody does; one binary, since linking it takes the most time.

mod support;

mod api;
mod backup;
mod bot;
mod command;
mod conformance;
mod crash;
mod data_folder;
mod device_links;
mod display_names;
mod draining;
mod editing;
mod faults;
mod full;
mod heartbeat;
mod hostile_texts;
mod hosts;
mod http_limits;
mod joining;
mod lines;
mod listening;
mod network_limits;
mod nginx;
mod notifications;
mod page_bytes;
mod pages;
mod past;
mod posting;
mod presence;
mod purging;
mod reading;
mod restarting;
mod resuming;
mod rooms;
mod several_servers;
mod slow_readers;
mod store_contract;
mod store_file;
mod sub_paths;
mod unsent;
mod upgrading;
mod without_sockets;
