//! The user's attention to the page, and the messages that count as read while they attend.

use super::{carrier, dom, notifications, outbox::storage};
use crate::{
    client::{Attention, AttentionChange, Timeline},
    clock::steady,
    state::{AT_END_PX, RoomState},
    wire::{ClientFrame, Seq, UserId, limits},
};
use leptos::prelude::*;

/// Follows the focus of the window and the user's activity, for as long as the page lives.
pub(super) fn start(room: RoomState) {
    room.timeline.attention.set_value(Attention::new(steady()));
    dom::listen(&window(), "blur", move || check(room));
    // Not `scroll`: arriving messages scroll the page too.
    for event in ["focus", "pointerdown", "pointermove", "keydown", "touchstart", "touchmove", "wheel"] {
        dom::listen(&window(), event, move || on_activity(room));
    }
}

/// Returns `true` if the user attends to the page.
pub(super) fn is_attentive(room: RoomState) -> bool {
    room.timeline.attention.with_value(Attention::is_attentive)
}

/// Checks whether the user attends to the page. If they do again, the messages in view are read.
pub(super) fn check(room: RoomState) {
    if matches!(update(room), AttentionChange::Gained | AttentionChange::Returned) {
        read_view(room);
    }
}

/// Marks the messages in view as read, if the user attends to the page, and counts the unread ones.
pub fn look(room: RoomState) {
    update(room);
    if is_attentive(room) { read_view(room) } else { count_unread(room) }
}

/// Reports the read marker at once, since the page may be about to end, and stores it for the next page of this tab.
pub(super) fn report_read_marker(room: RoomState) {
    room.timeline.with_session(|session| session.read_marker.report_now());
    room.connection.wake();
    room.timeline.session.with_value(|session| {
        storage(room).set_read_marker(session.timeline.log(), &session.read_marker);
    });
}

/// Applies the read marker that this tab's last page has stored, if the server did not know it yet.
pub(super) fn restore_read_marker(room: RoomState) {
    let stored = room.timeline.with_timeline(|timeline| storage(room).read_marker(timeline.log()));
    let restore = |stored: String| {
        room.timeline
            .with_session(|session| session.read_marker.restore(&stored, dom::is_navigation("reload")))
    };
    if stored.is_some_and(restore) {
        show_position(room);
    }
}

/// Marks the message `seq` and all later ones as unread. They stay unread until the user comes back to the page, writes, or
/// jumps to the end.
pub(super) fn mark_unread(room: RoomState, seq: Seq) {
    if room.info.is_latest_page {
        room.timeline.with_session(|session| session.read_marker.mark_unread(seq));
        show_position(room);
    } else {
        // A page of older messages has no connection, and does not know how many are unread.
        carrier::send_once(&ClientFrame::Unread { room: room.info.name.get_value().to_string(), seq });
        let (read, you) = (seq.saturating_sub(1), room.profile.user.with_untracked(|you| you.id));
        room.timeline.with_session(|session| session.read_marker.apply_remote(read, true));
        room.timeline.change(|timeline| timeline.set_unread_after(read, you));
    }
    report_read_marker(room);
}

/// Lets messages in view count as read again.
pub(super) fn release(room: RoomState) {
    room.timeline.with_session(|session| session.read_marker.release());
}

/// Shows the line above the first message after the read marker, and counts the messages after it.
pub(super) fn show_position(room: RoomState) {
    let (read, you) = read_marker(room);
    room.timeline.change(|timeline| timeline.set_unread_after(read, you));
    count_unread(room);
}

/// Shows the position if it has moved back while the page had no connection.
pub(super) fn show_moved_back(room: RoomState) {
    let (read, _) = read_marker(room);
    if room.timeline.with_timeline(Timeline::unread_after).is_some_and(|after| read < after) {
        show_position(room);
    }
}

/// Counts the unread messages of the room.
pub(super) fn count_unread(room: RoomState) {
    // Of a detached timeline only the events are counted, as they arrive.
    if room.timeline.with_timeline(|timeline| timeline.detached_at().is_some()) {
        return;
    }
    let (read, you) = read_marker(room);
    let (unread, mentions) = room.timeline.with_timeline(|timeline| {
        (timeline.count_unread_after(read, you), timeline.count_mentions_after(read, you))
    });
    let bounded = |count: usize| count.min(limits::MAX_UNREAD_COUNT as usize) as u32;
    room.rooms.set_unread_here(bounded(unread), bounded(mentions));
}

fn on_activity(room: RoomState) {
    room.timeline.attention.update_value(|attention| attention.on_activity(steady()));
    if !is_attentive(room) {
        check(room);
    }
}

/// Updates the attention. Messages that arrive after it is lost are new to the user.
fn update(room: RoomState) -> AttentionChange {
    let has_focus = !document().hidden() && document().has_focus().unwrap_or(true);
    let update = |attention: &mut Attention| attention.update(has_focus, steady());
    let change = room.timeline.attention.try_update_value(update).unwrap_or(AttentionChange::None);
    match change {
        AttentionChange::Lost => {
            report_read_marker(room);
            let (read, you) = read_marker(room);
            room.timeline.change(|timeline| timeline.set_unread_after(read, you));
        }
        AttentionChange::Returned => release(room),
        _ => {}
    }
    change
}

fn read_view(room: RoomState) {
    // The browser dispatches `scroll` with the next frame, so `at_end` may be older than the position.
    let has_scrolled = || dom::scroller().is_some_and(|scroller| scroller.scroll_top().abs() > AT_END_PX);
    let last_seen = if room.timeline.at_end.get_untracked() && !has_scrolled() {
        Some(room.timeline.with_timeline(Timeline::last))
    } else {
        lowest_visible()
    };
    let new = last_seen.filter(|seq| room.timeline.with_session(|session| session.read_marker.advance(*seq)));
    count_unread(room);
    if let Some(seq) = new {
        room.info.name.with_value(|name| notifications::withdraw(name, seq, false));
        room.connection.wake();
    }
}

/// Returns the read marker, and the user whose it is.
fn read_marker(room: RoomState) -> (Seq, UserId) {
    let read = room.timeline.session.with_value(|session| session.read_marker.position());
    (read, room.profile.user.with_untracked(|you| you.id))
}

/// Returns the `seq` of the lowest visible message.
fn lowest_visible() -> Option<Seq> {
    let scroller = dom::scroller()?.get_bounding_client_rect();
    // At the edge of the rows: the jump button covers their middle.
    let edge = document().query_selector(".lines").ok()??.get_bounding_client_rect().left() + 2.0;
    // From the lower edge up, since there may be a gap between rows.
    (1..4).find_map(|step| {
        let y = scroller.bottom() - f64::from(step) * 12.0;
        let found = document().element_from_point(edge as f32, y as f32)?;
        found.closest(".line").ok()??.id().strip_prefix('m')?.parse().ok()
    })
}
