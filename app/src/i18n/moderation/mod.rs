//! The texts of the pages about access and moderation, which the server alone renders: the wasm does not carry them.

mod en;
mod zh;

use super::Lang;

macro_rules! strings {
    ($($text:ident)* ; $($phrase:ident($($argument:ty),*))*) => {
        /// The texts in one language: constants, and functions that take arguments.
        #[expect(missing_docs, reason = "the files of the languages show each text")]
        #[derive(Debug)]
        pub struct ModerationStrings {
            /// The names of the colors, in the order of [`Brand::HUES`](crate::brand::Brand::HUES).
            pub hues: [&'static str; 12],
            $(pub $text: &'static str,)*
            $(pub $phrase: fn($($argument),*) -> String,)*
        }
    };
}

strings! {
    // The way in.
    closed_title door_invite door_password password_label enter_server wrong_password
    invitation_title accept_invitation admin_link_title admin_link_text become_admin link_invalid_title link_invalid
    // The page of a room or of the server.
    administration room_people people_and_moderation back_to_room
    owner moderators members no_moderators no_members admin you
    people person_by_id user_hint user_on_server_hint add_member appoint_moderator dismiss remove_member hand_over hand_over_hint leave_members
    // Restrictions.
    mute_title ban_from_room ban_from_server network restrictions no_restrictions muted banned lift for_ever reason reason_hint duration hour day week month mute unmute ban readmit with_network network_unknown
    // Invitations.
    invitations no_invitations create_invitation invitation_ready invitation_created invitation_warning uses_label unlimited revoke new_link new_link_hint once
    // The room.
    posting mode_label mode_open mode_announcements mode_read_only slow_label slow_off slow_10 slow_60 slow_300 slow_3600 apply members_only_label members_only_hint
    // The server.
    rooms no_rooms kind_open kind_announcements kind_read_only never_active manage_room more_rooms rooms_hint users no_users search_users search more_users users_hint
    limits size post_rate per_network max_connections limits_hint
    access access_label access_open access_invite access_password new_password password_hint appearance server_name server_hue usual_hue change version
    // Reports.
    reports no_reports report report_or_block report_title report_hint send_report close_report show_message message_gone report_sent
    // The log.
    log no_log older_entries
    // A person.
    on_this_server role is_moderator appoint_hint block_title block unblock block_hint blocked_user delete_hour delete_hour_hint delete_hour_everywhere may_not ;

    invited_by(&str)
    invited_to(&str, &str)
    until(&str)
    by(&str)
    expires(&str, u32, Option<u32>)
    reported(&str)
    active(&str)
    used(&str)
    used_of(&str, &str)
    per_second(u32)
    percent(u32)
    deleted(u32)
    log_line(&str, &str, &str, &str)
}

impl Lang {
    /// Returns the texts about access and moderation in this language.
    pub fn moderation(self) -> &'static ModerationStrings {
        match self {
            Self::En => &en::STRINGS,
            Self::Zh => &zh::STRINGS,
        }
    }
}
