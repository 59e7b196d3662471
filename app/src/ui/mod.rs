//! One thing on screen each.

mod composer;
mod header;
mod history;
mod line;
mod menu;
mod problem;
mod state;
mod time;
mod transcript;

pub use composer::Composer;
pub use header::Header;
pub use history::History;
pub use line::Line;
pub use menu::Menu;
pub use problem::Problem;
pub use state::State;
pub use time::Time;
pub use transcript::Transcript;
