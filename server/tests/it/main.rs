//! Integration tests of the server: each starts a real server on a port of its own.
//!
//! One file for each subject; one binary, because linking takes most of the build time.

mod support;

mod access;
mod api;
mod backup;
mod bot;
mod command;
mod conformance;
mod container;
mod crash;
mod data_folder;
mod device_links;
mod display_names;
mod documented_proxies;
mod draining;
mod durability;
mod editing;
mod faults;
mod formatted_texts;
mod heartbeat;
mod hostile_texts;
mod hosts;
mod http_limits;
mod joining;
mod lines;
mod listening;
mod mentions;
mod migrating;
mod network_limits;
mod nginx;
mod notifications;
mod page_bytes;
mod pages;
mod postgres;
mod postgres_faults;
mod posting;
mod presence;
mod purging;
mod reactions;
mod read_markers;
mod replies;
mod restarting;
mod restored_folders;
mod resuming;
mod rooms;
mod several_servers;
mod size_limit;
mod slow_readers;
mod store_contract;
mod store_file;
mod sub_paths;
mod unsent_bytes;
mod upgrading;
mod without_sockets;
