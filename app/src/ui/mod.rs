//! One thing on screen each.

mod close_button;
mod composer;
mod composition;
mod connection_status;
#[cfg(feature = "ssr")]
pub(crate) mod dialogs;
pub(crate) mod enter;
mod field_error;
mod header;
mod history_footer;
mod icon;
mod member_list;
mod message;
mod message_list;
mod message_menu;
mod room_list;
#[cfg(feature = "ssr")]
pub mod share;
mod time;
mod toast;
mod unknown;

pub use close_button::Close;
pub use composer::Composer;
pub(crate) use composition::is_composing;
pub use connection_status::State;
pub use field_error::Problem;
pub use header::Header;
pub use history_footer::History;
pub use icon::Icon;
pub use member_list::People;
pub use message::Line;
pub use message_list::Transcript;
pub use message_menu::Menu;
pub use room_list::Rooms;
pub use time::{Day, Time};
pub use toast::Toast;
pub use unknown::Unknown;
