//! The components.

mod close_button;
mod composer;
mod connection_status;
#[cfg(feature = "ssr")]
pub(crate) mod dialogs;
pub(crate) mod face;
mod field_error;
#[cfg(feature = "ssr")]
pub(crate) mod file_tray;
mod files;
mod formatted_text;
mod header;
mod history_footer;
mod icon;
mod inert_tree;
mod member_list;
mod message;
#[cfg(feature = "ssr")]
pub(crate) mod message_bar;
mod message_list;
mod message_menu;
mod profile_card;
mod quote;
mod reactions;
#[cfg(feature = "ssr")]
pub mod retention;
mod room_list;
mod room_not_found;
mod row_owners;
mod scroll_controller;
#[cfg(feature = "ssr")]
pub mod share;
mod time;
mod toast;
#[cfg(feature = "ssr")]
pub(crate) mod writing_aids;

pub use composer::Composer;
pub use connection_status::ConnectionStatus;
#[cfg(feature = "ssr")]
pub(crate) use face::face;
#[cfg(feature = "ssr")]
pub use files::file_bytes;
#[cfg(feature = "ssr")]
pub use formatted_text::formatted_bytes;
pub use header::Header;
pub use history_footer::history_footer;
#[cfg(feature = "ssr")]
pub use icon::Icon;
pub use inert_tree::InertElement;
pub use member_list::MemberList;
pub use message::MessageRow;
pub use message_list::MessageList;
#[cfg(feature = "ssr")]
pub use reactions::reaction_bytes;
pub use room_list::RoomList;
pub use toast::Toast;
