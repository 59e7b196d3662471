//! One thing on screen each.

mod close;
mod composer;
mod composition;
pub(crate) mod enter;
mod header;
mod history;
mod icon;
mod line;
mod menu;
mod people;
mod problem;
mod rooms;
mod state;
mod time;
mod toast;
mod transcript;
mod unknown;

pub use close::Close;
pub use composer::Composer;
pub(crate) use composition::is_composing;
pub use header::Header;
pub use history::History;
pub use icon::Icon;
pub use line::Line;
pub use menu::Menu;
pub use people::People;
pub use problem::Problem;
pub use rooms::Rooms;
pub use state::State;
pub use time::{Day, Time};
pub use toast::Toast;
pub use transcript::Transcript;
pub use unknown::Unknown;
