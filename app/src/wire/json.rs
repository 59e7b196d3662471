//! A small reader and writer of JSON (RFC 8259) for the browser. serde and serde_json would be an eighth of the page.
//!
//! The server uses serde, whose derives describe the same types. Property tests hold each against the other.

use super::{CommandId, DisplayName, RoomName, UserId};
use std::{borrow::Cow, collections::BTreeMap, fmt::Write, sync::Arc};

/// Lists and objects within each other, at most. A deeper value is invalid, as it is for serde_json.
const MAX_DEPTH: u8 = 127;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    /// A number that is a `u64`.
    Number(u64),
    /// Another number. No frame has one.
    OtherNumber,
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// The fields in their order.
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// A type that can be read from JSON.
pub trait FromJson: Sized {
    /// Returns the value, if `json` is one of this type.
    fn from_json(json: &Json<'_>) -> Option<Self>;

    /// Returns the value of a field that is missing, if it may be.
    fn from_missing() -> Option<Self> {
        None
    }
}

impl<'a> Json<'a> {
    /// Parses a text. Returns `None` if it is not JSON.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let json = reader.value(MAX_DEPTH)?;
        reader.skip_space();
        (reader.at == text.len()).then_some(json)
    }

    /// Reads a field. Returns `None` if it has another type, or stands there twice, or if this is no object.
    pub(crate) fn read<T: FromJson>(&self, name: &str) -> Option<T> {
        self.field(name)?.map_or_else(T::from_missing, T::from_json)
    }

    /// Reads a field as [`read`](Self::read) does, with a default value if it is missing.
    pub(crate) fn read_or_default<T: FromJson + Default>(&self, name: &str) -> Option<T> {
        self.field(name)?.map_or_else(|| Some(T::default()), T::from_json)
    }

    /// Returns a field, or `None` within if it is missing.
    pub(crate) fn field(&self, name: &str) -> Option<Option<&Self>> {
        let Self::Object(fields) = self else { return None };
        let mut found = fields.iter().filter(|(key, _)| key == name);
        let first = found.next();
        found.next().is_none().then_some(first.map(|(_, value)| value))
    }

    /// Returns the name of a variant of an enum, and its content if it has some.
    pub(crate) fn variant(&self) -> Option<(&str, Option<&Self>)> {
        match self {
            Self::Text(name) => Some((name, None)),
            Self::Object(fields) => match &fields[..] {
                [(name, content)] => Some((name, Some(content))),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the text.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes `byte`, if it is the next one.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: u8) -> Option<Json<'a>> {
        self.skip_space();
        match self.peek()? {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => {
                let depth = depth.checked_sub(1)?;
                self.items(b']', |reader| reader.value(depth)).map(Json::List)
            }
            b'{' => {
                let depth = depth.checked_sub(1)?;
                self.items(b'}', |reader| reader.entry(depth)).map(Json::Object)
            }
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Option<Json<'a>> {
        let is_next = self.text[self.at..].starts_with(word);
        self.at += word.len();
        is_next.then_some(value)
    }

    /// Reads items between brackets, separated by commas.
    fn items<T>(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(end) {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            self.skip_space();
            if self.take(end) {
                return Some(items);
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    fn entry(&mut self, depth: u8) -> Option<(Cow<'a, str>, Json<'a>)> {
        self.skip_space();
        let name = self.string()?;
        self.skip_space();
        if !self.take(b':') {
            return None;
        }
        Some((name, self.value(depth)?))
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        if !self.take(b'"') {
            return None;
        }
        let mut text = Cow::Borrowed("");
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
            // Nearly every string has no escapes.
            if text.is_empty() {
                text = Cow::Borrowed(&rest[..plain]);
            } else {
                text.to_mut().push_str(&rest[..plain]);
            }
            self.at += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => return Some(text),
                b'\\' => text.to_mut().push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let escape = self.peek()?;
        self.at += 1;
        Some(match escape {
            b'"' | b'\\' | b'/' => escape.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                if !(self.take(b'\\') && self.take(b'u')) {
                    return None;
                }
                let second = self.hex().filter(|unit| (0xdc00..0xe000).contains(unit))?;
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<Json<'a>> {
        let start = self.at;
        let mut is_whole = !self.take(b'-');
        let begins_with_zero = self.peek() == Some(b'0');
        let digits = self.digits()?;
        if begins_with_zero && digits > 1 {
            return None;
        }
        if self.take(b'.') {
            is_whole = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            is_whole = false;
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let number = self.text[start..self.at].parse().ok().filter(|_| is_whole);
        Some(number.map_or(Json::OtherNumber, Json::Number))
    }

    /// Takes at least one digit. Returns their number.
    fn digits(&mut self) -> Option<usize> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Some(self.at - start).filter(|digits| *digits > 0)
    }
}

impl FromJson for bool {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        if let Json::Bool(bool) = json { Some(*bool) } else { None }
    }
}

impl FromJson for u64 {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        if let Json::Number(number) = json { Some(*number) } else { None }
    }
}

/// Types that have another one within.
macro_rules! converted {
    ($($type:ty: $within:ty => $convert:expr;)*) => {$(
        impl FromJson for $type {
            fn from_json(json: &Json<'_>) -> Option<Self> {
                let convert: fn($within) -> Option<Self> = $convert;
                <$within>::from_json(json).and_then(convert)
            }
        }
    )*};
}

converted! {
    u32: u64 => |number| number.try_into().ok();
    usize: u64 => |number| number.try_into().ok();
}

/// Types that are texts.
macro_rules! texts {
    ($($type:ty)*) => {$(
        impl FromJson for $type {
            fn from_json(json: &Json<'_>) -> Option<Self> {
                json.text()?.parse().ok()
            }
        }
    )*};
}

texts!(String RoomName DisplayName UserId CommandId);

impl FromJson for Arc<str> {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        json.text().map(Into::into)
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        if *json == Json::Null { Some(None) } else { T::from_json(json).map(Some) }
    }

    fn from_missing() -> Option<Self> {
        Some(None)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        let Json::List(items) = json else { return None };
        items.iter().map(T::from_json).collect()
    }
}

impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        let Json::List(items) = json else { return None };
        let [first, second] = &items[..] else { return None };
        Some((A::from_json(first)?, B::from_json(second)?))
    }
}

impl<T: FromJson> FromJson for BTreeMap<RoomName, T> {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        let Json::Object(fields) = json else { return None };
        // Collecting them would bring a sort into the page.
        let mut map = Self::new();
        for (name, value) in fields {
            map.insert(name.parse().ok()?, T::from_json(value)?);
        }
        Some(map)
    }
}

/// Implements [`FromJson`] for a struct. `field: default` may be missing, `field: skipped` is not in JSON, and
/// `field: flattened` has its fields among the others.
macro_rules! record {
    ($type:ident { $($field:ident $(: $how:ident)?),* $(,)? }) => {
        impl $crate::wire::json::FromJson for $type {
            fn from_json(json: &$crate::wire::json::Json<'_>) -> Option<Self> {
                $crate::wire::json::fields!(json Self { $($field $(: $how)?),* })
            }
        }
    };
}

/// Reads the fields of a struct or of a variant, as [`record`] does.
macro_rules! fields {
    ($json:ident $($path:ident)::+ { $($field:ident $(: $how:ident)?),* $(,)? }) => {
        // A value of another type has no fields.
        match $json {
            $crate::wire::json::Json::Object(_) => {
                Some($($path)::+ { $($field: $crate::wire::json::field!($json $field $($how)?)),* })
            }
            _ => None,
        }
    };
}

macro_rules! field {
    ($json:ident $field:ident) => {
        $json.read(stringify!($field))?
    };
    ($json:ident $field:ident default) => {
        $json.read_or_default(stringify!($field))?
    };
    ($json:ident $field:ident skipped) => {
        Default::default()
    };
    ($json:ident $field:ident flattened) => {
        $crate::wire::json::FromJson::from_json($json)?
    };
}

pub(crate) use {field, fields, record};

/// A type that can be written as JSON.
pub trait ToJson {
    /// Appends the value to `json`.
    fn write_json(&self, json: &mut String);
}

impl ToJson for u64 {
    fn write_json(&self, json: &mut String) {
        // A string accepts every write.
        let _ = write!(json, "{self}");
    }
}

impl ToJson for bool {
    fn write_json(&self, json: &mut String) {
        json.push_str(if *self { "true" } else { "false" });
    }
}

impl ToJson for str {
    fn write_json(&self, json: &mut String) {
        json.push('"');
        for c in self.chars() {
            match c {
                '"' => json.push_str("\\\""),
                '\\' => json.push_str("\\\\"),
                '\n' => json.push_str("\\n"),
                '\r' => json.push_str("\\r"),
                '\t' => json.push_str("\\t"),
                '\u{8}' => json.push_str("\\b"),
                '\u{c}' => json.push_str("\\f"),
                '\0'..='\u{1f}' => {
                    let _ = write!(json, "\\u{:04x}", u32::from(c));
                }
                _ => json.push(c),
            }
        }
        json.push('"');
    }
}

impl ToJson for CommandId {
    fn write_json(&self, json: &mut String) {
        let _ = write!(json, "\"{self}\"");
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write_json(&self, json: &mut String) {
        match self {
            Some(value) => value.write_json(json),
            None => json.push_str("null"),
        }
    }
}

/// Writes an object, field by field.
pub struct ObjectWriter(String);

impl ObjectWriter {
    /// Begins an object with a field.
    pub(crate) fn new(name: &str, value: &(impl ToJson + ?Sized)) -> Self {
        Self("{".into()).field(name, value)
    }

    /// Begins an object with a field whose value is `json`.
    pub(crate) fn with_json(name: &str, json: &str) -> Self {
        Self("{".into()).with(name, |object| object.push_str(json))
    }

    /// Writes a field.
    pub(crate) fn field(self, name: &str, value: &(impl ToJson + ?Sized)) -> Self {
        self.with(name, |json| value.write_json(json))
    }

    /// Writes a field, unless there is no value.
    pub(crate) fn optional(self, name: &str, value: Option<&(impl ToJson + ?Sized)>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// Writes a field whose value `write` appends.
    pub(crate) fn with(mut self, name: &str, write: impl FnOnce(&mut String)) -> Self {
        let Self(json) = &mut self;
        if json.len() > 1 {
            json.push(',');
        }
        name.write_json(json);
        json.push(':');
        write(json);
        self
    }

    /// Ends the object.
    pub(crate) fn end(self) -> String {
        self.0 + "}"
    }
}
