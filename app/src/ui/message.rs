//! The row of a message.

use crate::{
    base::link,
    client::EntryView,
    commands::Commands,
    i18n::Strings,
    state::{ProfileState, RoomInfoState, use_state},
    ui::{
        Day, MessageMenu, Time,
        face::face,
        formatted_text::formatted_text,
        inert_tree::InertElement,
        quote::quote_link,
        reactions::{ReactionContext, reactions_form},
    },
    wire::{CommandId, ErrorCode, Seq, User, sanitize_for_display},
};
use leptos::prelude::*;

/// The state of a row, for its parts. Rows rarely change and many are created at once, so the values are computed and
/// not memoized.
#[derive(Clone, Copy)]
struct Row {
    entry: RwSignal<EntryView>,
    /// The message that the address points to.
    highlighted: Option<Seq>,
    strings: &'static Strings,
}

impl Row {
    fn seq(self) -> Option<Seq> {
        self.entry.with(|view| view.entry.delivery.seq())
    }

    fn is_highlighted(self) -> bool {
        self.highlighted.is_some() && self.seq() == self.highlighted
    }

    /// Returns whether the author is visible. A highlighted message always shows its author.
    fn starts_group(self) -> bool {
        self.is_highlighted() || self.entry.with(|view| view.starts_group)
    }

    fn is_deleted(self) -> bool {
        self.entry.with(|view| view.entry.deleted)
    }

    fn is_edited(self) -> bool {
        self.entry.with(|view| view.entry.edited && !view.entry.deleted)
    }

    /// Returns whether another user mentions this one, or replies to them.
    fn is_to(self, you: &User) -> bool {
        self.entry.with(|view| view.is_to(you.id))
    }

    fn text(self) -> String {
        self.entry.with(|view| sanitize_for_display(&view.entry.text).into())
    }

    fn delivery_name(self) -> &'static str {
        self.entry.with(|view| match view.pending_change {
            Some((_, None)) => "pending",
            _ => view.entry.delivery.as_str(),
        })
    }

    /// Returns the id of the element with the author's name.
    fn author_element_id(self) -> Option<String> {
        self.seq().map(|seq| format!("by{seq}"))
    }

    /// Returns the message and whether it is the user's own, if the user may edit or delete it.
    fn changeable_by(self, you: &User, moderates: bool) -> Option<(Seq, bool)> {
        self.entry.with(|view| {
            let own = view.entry.author.id == you.id;
            let seq = view.entry.delivery.seq().filter(|_| (own || moderates) && !view.entry.deleted);
            seq.map(|seq| (seq, own))
        })
    }

    /// Returns the command that the server rejected, with the reason.
    fn rejection(self) -> Option<(CommandId, ErrorCode)> {
        self.entry.with(|view| match (&view.pending_change, view.entry.delivery.failure()) {
            (Some((id, Some(why))), _) => Some((*id, *why)),
            (_, Some(why)) => Some((view.entry.id, why)),
            _ => None,
        })
    }
}

/// The row of a message. The element stays the same when the message is confirmed, edited or deleted.
#[component]
pub fn MessageRow(
    /// The current state of the message.
    entry: ArcRwSignal<EntryView>,
    /// The message that the address points to.
    highlighted: Option<Seq>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let profile = use_state::<ProfileState>();
    let row = Row { entry: RwSignal::from(entry), highlighted, strings: info.strings };
    let you = profile.user;
    let editing = RwSignal::new(false);
    // The menu may be open, so it is kept while this value stays the same.
    let changeable = Memo::new(move |_| you.with(|you| row.changeable_by(you, info.moderates)));
    let menu = move || {
        changeable.get().map(|(seq, own)| {
            view! { <MessageMenu seq own text=Signal::derive(move || row.text()) editing /> }
        })
    };
    view! {
        <li
            class="line"
            class:opens=move || row.starts_group()
            class:deleted=move || row.is_deleted()
            class:marked=move || row.is_highlighted()
            class:blocked=move || row.entry.with(|view| info.is_blocked(view.entry.author.id))
            class:to-you=move || you.with(|you| row.is_to(you))
            class:has-menu=move || changeable.get().is_some()
            class:was-edited=move || row.is_edited()
            class:editing=editing
            hidden=move || row.entry.with(|view| view.is_hidden)
            data-standing=move || row.delivery_name()
            id=move || row.seq().map(|seq| format!("m{seq}"))
            aria-labelledby=move || row.author_element_id()
        >
            <Separators row />
            <div class="message-body">
                <MessageHeader row />
                <MessageText row />
                {menu}
                <FailedNotice row />
            </div>
        </li>
    }
}

/// The separators before a message: the name of a new day, and the line above the first unread message.
#[component]
fn Separators(row: Row) -> impl IntoView {
    let day = move || {
        let at = row.entry.with(|view| view.entry.delivery.at().filter(|_| view.starts_day))?;
        Some(view! { <Day at /> })
    };
    let first_unread = move || {
        row.entry
            .with(|view| view.is_first_unread)
            .then(|| view! { <p class="unread-line" id="new"><span>{row.strings.new_messages_separator}</span></p> })
    };
    (day, first_unread)
}

/// The author, which only screen readers get in a row that continues a group, and the time with the permalink.
#[component]
fn MessageHeader(row: Row) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let author = move || {
        row.entry.with(|view| {
            let author = &view.entry.author;
            let tag = author.tag().map(|tag| view! { " "<small class="tag">{tag}</small> });
            // The server finds the only user of a name by it.
            let user = author.ambiguous.then(|| author.id.to_string());
            view! { <b class=author.id.color_class() data-user=user>{author.name.to_string()}</b>{tag} }
        })
    };
    let face = move || row.starts_group().then(|| row.entry.with(|view| face(&view.entry.author)));
    let path = link(&info.path());
    let time = move || {
        let (seq, at) = row.entry.with(|view| view.entry.delivery.seq().zip(view.entry.delivery.at()))?;
        let href = format!("{path}?around={seq}#m{seq}");
        Some(view! {
            <a class="timestamp" href=href title=row.strings.permalink><Time at strings=row.strings /></a>
        })
    };
    view! {
        {face}
        <p class="head">
            <span class="author" class:visually-hidden=move || !row.starts_group() id=move || row.author_element_id()>{author}</span>
            " "
            {time}
        </p>
    }
}

/// The message that it replies to, the text, and whether it was edited.
#[component]
fn MessageText(row: Row) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let profile = use_state::<ProfileState>();
    let (strings, you) = (row.strings, profile.user.with_untracked(|you| you.id));
    let text = move || match row.is_deleted() {
        true => InertElement::new("p").class("text").text(strings.message_deleted),
        false => row.entry.with(|view| formatted_text(&row.text(), &view.entry.mentions, you, strings)),
    };
    let note = move || row.is_edited().then(|| view! { <small class="edited">" "{strings.edited}</small> });
    let path = link(&info.path());
    let quote = move || {
        row.entry.with(|view| {
            let quote = view.quote.as_ref().filter(|_| !view.entry.deleted)?;
            Some(quote_link(quote, &path, strings))
        })
    };
    let path = link(&info.path());
    // A page without script offers the reply and the rest where a message is opened by its link.
    let reply = row.seq().filter(|_| row.is_highlighted()).map(|seq| {
        let author = info.name.with_value(|room| link(&format!("/r/{room}/{seq}/author")));
        view! {
            <a class="reply-link" href=format!("{path}?reply={seq}#text")>{strings.reply}</a>
            <a class="reply-link" href=author>{strings.more_actions}</a>
        }
    });
    view! { <div class="message-content">{quote}{text}{note}{reply}</div><Reactions row /> }
}

/// The reactions to the message. A page without script offers some where a message is opened by its link.
#[component]
fn Reactions(row: Row) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let you = use_state::<ProfileState>().user;
    let path = link(&info.path());
    move || {
        let you = you.with(|you| you.id);
        row.entry.with(|view| {
            let seq = view.entry.delivery.seq().filter(|_| !view.entry.deleted)?;
            let (strings, offers) = (row.strings, row.is_highlighted());
            reactions_form(&view.entry.reactions, &ReactionContext { path: &path, seq, you, offers, strings })
        })
    }
}

/// The reason why the server rejected the message or its change, with buttons that send it again or discard it.
#[component]
fn FailedNotice(row: Row) -> impl IntoView {
    let commands = use_state::<Commands>();
    let strings = row.strings;
    move || {
        row.rejection().map(|(id, why)| {
            view! {
                <p class="failed-notice">
                    {(strings.command_error)(why)}" "
                    <button type="button" on:click=move |_| commands.retry(id)>{strings.try_again}</button>
                    <button type="button" on:click=move |_| commands.discard(id)>{strings.discard}</button>
                </p>
            }
        })
    }
}
