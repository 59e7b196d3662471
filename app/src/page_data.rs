//! The data that the server hands to a room's page, and that the browser hydrates from.

use crate::{
    i18n::Lang,
    markup::excerpt,
    wire::{
        ErrorCode, InvalidName, Message, PostingRules, RoomName, Seq, User, UserId,
        json::{FromJson, Json, fields, record},
    },
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Everything that the server knows about a room when it renders the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomPage {
    /// The language of the page.
    pub lang: Lang,
    /// The current user.
    pub you: User,
    /// The identity of the log.
    pub log: String,
    /// The room.
    pub room: RoomName,
    /// Its title.
    pub title: String,
    /// Its topic; empty if it has none.
    pub topic: String,
    /// For how many hours its messages are kept; `None` without limit.
    pub kept_hours: Option<u32>,
    /// The rules for the posts of the current user.
    pub posting: PostingRules,
    /// The current user owns the room.
    pub is_owner: bool,
    /// The current user moderates the room, and may delete messages of others.
    pub moderates: bool,
    /// The users whom the current user has blocked.
    pub blocked: Vec<UserId>,
    /// Its newest `seq` when the page was rendered.
    pub head: Seq,
    /// The last event that the current user has read; `None` if they have never visited the room.
    pub read: Option<Seq>,
    /// Unread messages before those of the page.
    pub older_unread: u32,
    /// The kind of the page.
    pub kind: PageKind,
    /// The message that the address points to.
    pub highlighted: Option<Seq>,
    /// The page's messages, oldest first.
    pub messages: Vec<Message>,
    /// There are older messages.
    pub more: bool,
    /// Messages that those of the page reply to and that are not on it.
    pub sources: Vec<(Seq, QuotedMessage)>,
    /// The message that the composer replies to.
    pub replying_to: Option<(Seq, QuotedMessage)>,
    /// The users present, at most [`MAX_LISTED_MEMBERS`](crate::wire::limits::MAX_LISTED_MEMBERS).
    pub members: Vec<User>,
    /// The number of all users present.
    pub member_count: u32,
    /// The rooms of the current user, then other public rooms.
    pub rooms: Vec<RoomSummary>,
    /// The input of a plain form that the server rejected.
    pub rejected: Option<RejectedInput>,
    /// If the room does not exist: the titles and paths of rooms with a similar address or title, the closest
    /// first.
    pub suggestions: Option<Vec<(String, String)>>,
}

/// The part of a message that a reply to it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotedMessage {
    /// Its author.
    pub author: User,
    /// The beginning of its text, in one line without markup; `None` if it was deleted.
    pub excerpt: Option<String>,
}

impl From<Message> for QuotedMessage {
    fn from(message: Message) -> Self {
        Self { author: message.author, excerpt: (!message.deleted).then(|| excerpt(&message.text)) }
    }
}

/// A room in the list of rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSummary {
    /// Its name.
    pub room: RoomName,
    /// Its title.
    pub title: String,
    /// Its newest `seq` when the page was rendered.
    pub head: Seq,
    /// Messages that the current user has not read, at most 100.
    pub unread: u32,
    /// Those of them that address the current user, at most 100.
    pub mentions: u32,
    /// The current user has visited the room.
    pub is_joined: bool,
    /// The room is in the lists of its visitors only.
    pub private: bool,
    /// The room was created, or it has a message. Until then no list shows it, not even on its own page.
    pub exists: bool,
    /// The last event that the current user has read in it.
    pub read: Seq,
    /// Unread messages that have come since the page was rendered.
    #[serde(skip)]
    pub fresh: Vec<Seq>,
    /// Those of them that address the current user.
    #[serde(skip)]
    pub fresh_mentions: Vec<Seq>,
    /// `unread` covers the events up to this `seq`; 0 before the first event has come.
    #[serde(skip)]
    pub counted: Seq,
}

impl RoomSummary {
    /// Returns whether a list shows the room: it was created, or it has a message.
    pub fn is_listed(&self) -> bool {
        self.exists || self.head > 0
    }
}

/// The input of a plain form that the server rejected. The page shows it in its field again, so that it is not lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectedInput {
    /// The text of a message.
    Message {
        /// The text.
        text: String,
        /// The reason.
        why: ErrorCode,
    },
    /// A display name.
    Name {
        /// The name.
        name: String,
        /// The reason.
        why: NameError,
    },
}

/// The reason why a display name was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameError {
    /// The name is invalid.
    Invalid(InvalidName),
    /// The browser stores no cookies, so that the name would be lost at once.
    CookiesDisabled,
    /// The server rejected the command for another reason.
    Command(ErrorCode),
}

/// The kind of a room's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageKind {
    /// The newest messages, with live updates.
    Latest,
    /// The messages before or around a `seq`.
    History,
}

/// A [`RoomPage`] as the server writes it into the document and the browser reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedPage(pub Box<RoomPage>);

/// The document has no page that this version can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPage;

impl fmt::Display for EmbeddedPage {
    /// Writes the page as JSON on the server, and nothing in the browser.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "ssr")]
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)?;
        let _ = f;
        Ok(())
    }
}

impl FromStr for EmbeddedPage {
    type Err = InvalidPage;

    fn from_str(json: &str) -> Result<Self, InvalidPage> {
        let page = Json::parse(json).and_then(|json| RoomPage::from_json(&json));
        page.map(|page| Self(Box::new(page))).ok_or(InvalidPage)
    }
}

record!(RoomPage {
    lang,
    you,
    log,
    room,
    title,
    topic,
    kept_hours,
    posting,
    is_owner,
    moderates,
    blocked,
    head,
    read,
    older_unread,
    kind,
    highlighted,
    messages,
    more,
    sources,
    replying_to,
    members,
    member_count,
    rooms,
    rejected,
    suggestions,
});

record!(QuotedMessage { author, excerpt });

record!(RoomSummary {
    room,
    title,
    head,
    unread,
    mentions,
    is_joined,
    private,
    exists,
    read,
    fresh: skipped,
    fresh_mentions: skipped,
    counted: skipped,
});

impl FromJson for PageKind {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        match json.text()? {
            "Latest" => Some(Self::Latest),
            "History" => Some(Self::History),
            _ => None,
        }
    }
}

impl FromJson for RejectedInput {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        match json.variant()? {
            ("Message", Some(json)) => fields!(json Self::Message { text, why }),
            ("Name", Some(json)) => fields!(json Self::Name { name, why }),
            _ => None,
        }
    }
}

impl FromJson for NameError {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        match json.variant()? {
            ("Invalid", Some(why)) => InvalidName::from_json(why).map(Self::Invalid),
            ("CookiesDisabled", None) => Some(Self::CookiesDisabled),
            ("Command", Some(why)) => ErrorCode::from_json(why).map(Self::Command),
            _ => None,
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::wire::{DisplayName, UserId};

    #[test]
    fn the_browser_reads_the_page_that_the_server_writes() {
        let you = User::new(UserId(7), DisplayName::generated(UserId(7)));
        let room: RoomName = "tea".parse().unwrap();
        let summary = RoomSummary {
            room: room.clone(),
            title: "Tea \"<1>\"".into(),
            head: 9,
            unread: 2,
            mentions: 1,
            is_joined: true,
            private: false,
            exists: true,
            read: 7,
            fresh: Vec::new(),
            fresh_mentions: Vec::new(),
            counted: 0,
        };
        let page = RoomPage {
            lang: Lang::Zh,
            you: you.clone(),
            log: "log".into(),
            room,
            title: "Tea".into(),
            topic: String::new(),
            kept_hours: Some(24),
            posting: PostingRules {
                closed: Some(ErrorCode::Muted),
                closed_ms: Some(60_000),
                slow_seconds: Some(60),
            },
            is_owner: true,
            moderates: true,
            blocked: vec![UserId(3)],
            head: 9,
            read: None,
            older_unread: 3,
            kind: PageKind::Latest,
            highlighted: Some(4),
            messages: Vec::new(),
            more: true,
            sources: vec![(3, QuotedMessage { author: you.clone(), excerpt: Some("a \"b\"".into()) })],
            replying_to: Some((4, QuotedMessage { author: you.clone(), excerpt: None })),
            members: vec![you],
            member_count: 1,
            rooms: vec![summary],
            rejected: None,
            suggestions: Some(vec![("Tee".into(), "/r/tee".into())]),
        };
        let inputs = [
            None,
            Some(RejectedInput::Message { text: "a\nb".into(), why: ErrorCode::TooLong }),
            Some(RejectedInput::Name { name: String::new(), why: NameError::Invalid(InvalidName::Blank) }),
            Some(RejectedInput::Name { name: "a".into(), why: NameError::CookiesDisabled }),
            Some(RejectedInput::Name { name: "a".into(), why: NameError::Command(ErrorCode::ReadOnly) }),
        ];
        for rejected in inputs {
            for (kind, lang) in [(PageKind::Latest, Lang::Zh), (PageKind::History, Lang::En)] {
                let page = EmbeddedPage(Box::new(RoomPage {
                    rejected: rejected.clone(),
                    kind,
                    lang,
                    ..page.clone()
                }));
                assert_eq!(page.to_string().parse(), Ok(page));
            }
        }
        assert_eq!("{}".parse::<EmbeddedPage>(), Err(InvalidPage));
    }
}
