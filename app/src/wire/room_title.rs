//! Titles and topics of rooms.

use super::{
    limits::{MAX_TITLE_CHARS, MAX_TOPIC_CHARS},
    visible_line::{InvalidName, as_string, parse_single_line},
};
use serde::{Deserialize, Serialize};
use std::{str::FromStr, sync::Arc};

/// The title of a room: 1 to 48 visible characters on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomTitle(Arc<str>);

/// The topic of a room: at most 200 visible characters on one line; may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic(Arc<str>);

impl RoomTitle {
    /// Returns the title.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Topic {
    /// Returns the topic.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomTitle {
    type Err = InvalidName;

    fn from_str(title: &str) -> Result<Self, InvalidName> {
        parse_single_line(title, MAX_TITLE_CHARS).map(|title| Self(title.into()))
    }
}

impl FromStr for Topic {
    type Err = InvalidName;

    fn from_str(topic: &str) -> Result<Self, InvalidName> {
        match parse_single_line(topic, MAX_TOPIC_CHARS) {
            Ok(topic) => Ok(Self(topic.into())),
            Err(InvalidName::Blank) => Ok(Self::default()),
            Err(bad) => Err(bad),
        }
    }
}

as_string!(RoomTitle Topic);
