//! The row of a message.

use crate::{
    base::link,
    client::EntryView,
    i18n::Strings,
    state::{ProfileState, RoomInfoState, TimelineState, use_state},
    ui::{
        face::face,
        files::file_list,
        formatted_text::formatted_text,
        inert_tree::InertElement,
        message_menu::message_menu,
        quote::quote_link,
        reactions::{ReactionContext, reactions_form},
        time::{day, time},
    },
    wire::{CommandId, ErrorCode, Seq, User, sanitize_for_display},
};
use leptos::prelude::*;

/// A message, and what its row depends on besides.
pub(super) struct Row<'a> {
    view: &'a EntryView,
    /// The reader.
    you: &'a User,
    /// The reader moderates the room.
    moderates: bool,
    /// The reader has blocked the author.
    is_blocked: bool,
    /// The address points to the message.
    is_highlighted: bool,
    /// It arrived at the end when it got its row.
    has_arrived: bool,
    /// Times are those of the browser's time zone.
    is_local: bool,
    /// The path of the room's page.
    path: &'a str,
    /// The path of the room's forms: the page of the lobby has another one.
    forms: &'a str,
    /// The page's language.
    strings: &'static Strings,
}

/// The row of a message. The element stays the same when the message is confirmed, edited or deleted. One effect renders
/// the whole row, since many rows are created at once.
#[component]
pub fn MessageRow(
    /// The current state of the message.
    entry: ArcRwSignal<EntryView>,
    /// The message that the address points to.
    highlighted: Option<Seq>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let profile = use_state::<ProfileState>();
    let timeline = use_state::<TimelineState>();
    let path = link(&info.path());
    let forms = info.name.with_value(|room| link(&format!("/r/{room}")));
    let has_arrived = entry.with_untracked(|view| timeline.has_arrived(&view.entry));
    move || {
        // Neither is tracked: `TimelineState::render_rows_again` says why.
        let is_local = timeline.is_local();
        profile.user.with_untracked(|you| {
            entry.with(|view| {
                let is_highlighted = highlighted.is_some() && view.entry.delivery.seq() == highlighted;
                let is_blocked = info.is_blocked(view.entry.author.id);
                let (moderates, strings, path, forms) = (info.moderates, info.strings, &path, &forms);
                let row = Row {
                    view,
                    you,
                    moderates,
                    is_blocked,
                    is_highlighted,
                    has_arrived,
                    is_local,
                    path,
                    forms,
                    strings,
                };
                row.element()
            })
        })
    }
}

impl Row<'_> {
    fn element(&self) -> InertElement {
        let menu = self.changeable().map(|(seq, is_own)| {
            message_menu(&format!("{}/{seq}", self.forms), seq, &self.text(), is_own, self.strings)
        });
        let body = InertElement::new("div")
            .class("message-body")
            .children(self.starts_group().then(|| face(&self.view.entry.author)))
            .child(self.header())
            .child(self.content())
            .children(self.reactions())
            .children(menu)
            .children(self.rejection().map(|(id, why)| failed_notice(id, why, self.strings)));
        let mut row = InertElement::new("li").class(self.classes()).with("data-standing", self.delivery());
        if let Some(seq) = self.seq() {
            row = row.with("id", format!("m{seq}")).with("aria-labelledby", format!("by{seq}"));
        }
        row.flag("hidden", self.view.is_hidden).children(self.separators()).child(body)
    }

    fn seq(&self) -> Option<Seq> {
        self.view.entry.delivery.seq()
    }

    /// Returns whether the author is visible. A highlighted message always shows its author.
    fn starts_group(&self) -> bool {
        self.is_highlighted || self.view.starts_group
    }

    fn text(&self) -> String {
        sanitize_for_display(&self.view.entry.text).into()
    }

    fn delivery(&self) -> &'static str {
        match self.view.pending_change {
            Some((_, None)) => "pending",
            _ => self.view.entry.delivery.as_str(),
        }
    }

    /// Returns the message and whether it is the user's own, if the user may edit or delete it.
    fn changeable(&self) -> Option<(Seq, bool)> {
        let is_own = self.view.entry.author.id == self.you.id;
        let may_change = (is_own || self.moderates) && !self.view.entry.deleted;
        self.seq().filter(|_| may_change).map(|seq| (seq, is_own))
    }

    /// Returns the command that the server rejected, with the reason.
    fn rejection(&self) -> Option<(CommandId, ErrorCode)> {
        match (&self.view.pending_change, self.view.entry.delivery.failure()) {
            (Some((id, Some(why))), _) => Some((*id, *why)),
            (_, Some(why)) => Some((self.view.entry.id, why)),
            _ => None,
        }
    }

    fn classes(&self) -> String {
        let entry = &self.view.entry;
        let names = [
            (true, "line"),
            (self.has_arrived, "arrived"),
            (self.starts_group(), "opens"),
            (entry.deleted, "deleted"),
            (self.is_highlighted, "marked"),
            (self.view.is_to(self.you.id), "to-you"),
            (self.changeable().is_some(), "has-menu"),
            (entry.edited && !entry.deleted, "was-edited"),
            (self.is_blocked, "blocked"),
        ];
        let set: Vec<&str> = names.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
        set.join(" ")
    }

    /// Returns what stands before a message: the name of a new day, and the line above the first unread message.
    fn separators(&self) -> impl Iterator<Item = InertElement> {
        let at = self.view.entry.delivery.at().filter(|_| self.view.starts_day);
        let day = at.map(|at| {
            let day = day(at, self.is_local, self.strings);
            InertElement::new("h2").class("day-separator").child(day)
        });
        let first_unread = self.view.is_first_unread.then(|| {
            let word = InertElement::new("span").text(self.strings.new_messages_separator);
            InertElement::new("p").class("unread-line").with("id", "new").child(word)
        });
        day.into_iter().chain(first_unread)
    }

    /// Returns the author, which only screen readers get in a row that continues a group, and the time with the permalink.
    fn header(&self) -> InertElement {
        let user = &self.view.entry.author;
        let mut name = InertElement::new("b").class(user.id.color_class());
        if user.ambiguous {
            // The server finds the only user of a name by it.
            name = name.with("data-user", user.id.to_string());
        }
        let mut author = InertElement::new("span")
            .class(if self.starts_group() { "author" } else { "author visually-hidden" })
            .child(name.text(user.name.to_string()));
        if let Some(seq) = self.seq() {
            author = author.with("id", format!("by{seq}"));
        }
        if let Some(tag) = user.tag() {
            author = author.text(" ").child(InertElement::new("small").class("tag").text(tag));
        }
        let time = self.seq().zip(self.view.entry.delivery.at()).map(|(seq, at)| {
            InertElement::new("a")
                .class("timestamp")
                .with("href", format!("{}?around={seq}#m{seq}", self.path))
                .with("title", self.strings.permalink)
                .child(time(at, self.is_local, self.strings))
        });
        InertElement::new("p").class("head").child(author).text(" ").children(time)
    }

    /// Returns the message that it replies to, the text, whether it was edited, and the files.
    fn content(&self) -> InertElement {
        let (entry, strings) = (&self.view.entry, self.strings);
        let quote = self.view.quote.as_ref().filter(|_| !entry.deleted);
        let text = match entry.deleted {
            true => Some(InertElement::new("p").class("text").text(strings.message_deleted)),
            // Without a text of its own it has the names of its files.
            false if !entry.files.is_empty() && *entry.text == *entry.files.names() => None,
            false => Some(formatted_text(&self.text(), &entry.mentions, self.you.id, strings)),
        };
        let note = (entry.edited && !entry.deleted)
            .then(|| InertElement::new("small").class("edited").text(" ").text(strings.edited));
        // A page without script offers the reply and the rest where a message is opened by its link.
        let link = |href, label: &'static str| {
            InertElement::new("a").class("reply-link").with("href", href).text(label)
        };
        let links = self.seq().filter(|_| self.is_highlighted).map(|seq| {
            let reply = link(format!("{}?reply={seq}#text", self.path), strings.reply);
            [reply, link(format!("{}/{seq}/author", self.forms), strings.more_actions)]
        });
        InertElement::new("div")
            .class("message-content")
            .children(quote.map(|quote| quote_link(quote, self.path, strings)))
            .children(text)
            .children(note)
            .children(file_list(&entry.files))
            .children(links.into_iter().flatten())
    }

    /// Returns the reactions to the message. A page without script offers some where a message is opened by its link.
    fn reactions(&self) -> Option<InertElement> {
        let seq = self.seq().filter(|_| !self.view.entry.deleted)?;
        let Self { forms: path, is_highlighted: offers, strings, .. } = *self;
        let context = ReactionContext { path, seq, you: self.you.id, offers, strings };
        reactions_form(&self.view.entry.reactions, &context)
    }
}

/// Returns the reason why the server rejected the message or its change, with buttons that send it again or discard it.
fn failed_notice(id: CommandId, why: ErrorCode, strings: &Strings) -> InertElement {
    let button = |command, label: &'static str| {
        InertElement::new("button").with("type", "button").with(command, id.to_string()).text(label)
    };
    InertElement::new("p")
        .class("failed-notice")
        .text((strings.command_error)(why))
        .text(" ")
        .child(button("data-retry", strings.try_again))
        .child(button("data-discard", strings.discard))
}
