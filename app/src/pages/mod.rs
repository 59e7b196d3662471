//! The pages. The browser hydrates the room; the server alone renders the others as plain HTML that works without
//! script.

#[cfg(feature = "ssr")]
mod device_link;
#[cfg(feature = "ssr")]
mod devices;
#[cfg(feature = "ssr")]
mod error;
#[cfg(feature = "ssr")]
mod moderation;
#[cfg(feature = "ssr")]
mod recovery;
mod room;
#[cfg(feature = "ssr")]
mod rooms;
#[cfg(feature = "ssr")]
mod search;
#[cfg(feature = "ssr")]
mod share;
#[cfg(feature = "ssr")]
mod user_data;

#[cfg(feature = "ssr")]
pub use device_link::{DeviceLink, DeviceLinkPage};
#[cfg(feature = "ssr")]
pub use devices::{DeviceSummary, Devices, DevicesNotice, DevicesPage, StoredDevices};
#[cfg(feature = "ssr")]
pub use error::{ErrorPage, RejectedForm};
#[cfg(feature = "ssr")]
pub use moderation::{
    Access, AccessPage, ErasureState, InvitationRow, KeptMessages, LogRow, Manage, ManagePage, ManageUser,
    ModerationScope, Posting, ReportRow, Reported, RestrictionRow, RoleRow, RoomRow, ServerLimits,
    ServerOverview, ServerSettings, UserPage,
};
#[cfg(feature = "ssr")]
pub use recovery::{NewRecoveryCode, Recover};
pub use room::Room;
#[cfg(feature = "ssr")]
pub use rooms::{NewRoom, RoomDirectory, RoomsPage};
#[cfg(feature = "ssr")]
pub use search::{FoundMessage, SearchForm, SearchPage, SearchResults};
#[cfg(feature = "ssr")]
pub use share::{ShareChoice, SharePage};
#[cfg(feature = "ssr")]
pub use user_data::{DataPage, UserData};
