//! The pages: rendered from the store, then hydrated in the browser.

mod device_link;
mod devices;
mod error_page;
mod file_form;
mod form;
mod manifest;
mod message_forms;
mod moderation;
mod profile;
mod recovery;
mod rejection;
mod render;
mod request;
mod room;
mod room_export;
mod room_view;
mod rooms;
mod search;
mod settings;
mod share;
mod share_target;
mod size;
mod suggestions;
mod user_data;

pub use device_link::{create_link, open_link, redeem_link};
pub use devices::{devices, sign_out};
pub use error_page::{method_not_allowed, not_found, offline, render_errors};
pub use file_form::post_files;
pub use manifest::manifest;
pub use message_forms::{delete_message, edit_message, post_message, react_to_message};
pub use moderation::{
    accept_admin_link, accept_invitation, act_in_room, act_on_server, act_on_user_in_room,
    act_on_user_on_server, enter_with_password, export_data_of, manage_room, manage_server, message_author,
    open_admin_link, open_invitation, user_in_room, user_on_server,
};
pub use profile::rename;
pub use recovery::{change_recovery_code, recover, recover_form};
pub use room::{lobby, read_beacon, room};
pub use room_export::export_room;
pub use rooms::{create_room, leave_room, room_directory, update_room};
pub use search::search;
pub use settings::save_settings;
pub use share_target::{choose_room_for_share, refuse_share};
pub use user_data::{erase_user, export_user, user_data};

use form::CheckedForm;
use rejection::{PageRejection, PageResult};
use request::{MessagePath, PageRequest, RoomPath};
