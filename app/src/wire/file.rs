//! Files that a message shows.

use super::{
    FileId,
    json::{FromJson, Json, ObjectWriter, ToJson},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The last segment of the path of a thumbnail.
const THUMBNAIL: &str = "thumb";

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its id, by which it is read: `/f/{id}/{name}`.
    pub id: FileId,
    /// Its name, without folders and control characters.
    pub name: Arc<str>,
    /// Its media type, as the server has found it in the bytes; `application/octet-stream` if it is not shown in pages.
    #[serde(rename = "type")]
    pub media_type: Arc<str>,
    /// Its bytes.
    pub size: u64,
    /// Pixels of a picture, as it is shown. A picture has a thumbnail: `/f/{id}/thumb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// As `width`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The author's description for those who do not see it; empty if there is none.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub alt: Arc<str>,
    /// The picture moves.
    #[serde(default, skip_serializing_if = "super::event::is_false")]
    pub animated: bool,
}

/// The files of a message, [`MAX_FILES`](super::limits::MAX_FILES) at most, in the order in which they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Files(Arc<[FileInfo]>);

impl FileInfo {
    /// Returns the pixels of a picture.
    pub fn pixels(&self) -> Option<(u32, u32)> {
        self.width.zip(self.height)
    }

    /// Returns the path of its bytes. A name that would mean another path has an underscore before it.
    pub fn path(&self) -> String {
        let means_another_path = *self.name == *THUMBNAIL || self.name.bytes().all(|byte| byte == b'.');
        let mut path = format!("/f/{}/{}", self.id, if means_another_path { "_" } else { "" });
        for byte in self.name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => path.push(byte.into()),
                _ => {
                    path.push('%');
                    let digit =
                        |number: u8| char::from_digit(number.into(), 16).unwrap_or('0').to_ascii_uppercase();
                    path.extend([digit(byte >> 4), digit(byte & 15)]);
                }
            }
        }
        path
    }

    /// Returns the path of the thumbnail of a picture.
    pub fn thumbnail_path(&self) -> String {
        format!("/f/{}/{THUMBNAIL}", self.id)
    }
}

impl Files {
    /// Returns `true` if the message shows no file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the files.
    pub fn iter(&self) -> std::slice::Iter<'_, FileInfo> {
        self.0.iter()
    }

    /// Returns their ids.
    pub fn ids(&self) -> Vec<FileId> {
        self.iter().map(|file| file.id).collect()
    }

    /// Returns the text of a message that has no other one: the names of its files. Clients that show files do not show it.
    pub fn names(&self) -> String {
        let mut names = String::new();
        for file in self {
            if !names.is_empty() {
                names.push_str(", ");
            }
            names.push_str(&file.name);
        }
        names
    }

    /// Reads a list as JSON; nothing if it is none.
    pub fn parse(json: &str) -> Self {
        Json::parse(json).and_then(|json| Self::from_json(&json)).unwrap_or_default()
    }

    /// Returns the list as JSON.
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json);
        json
    }
}

impl FromIterator<FileInfo> for Files {
    fn from_iter<T: IntoIterator<Item = FileInfo>>(files: T) -> Self {
        Self(files.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Files {
    type Item = &'a FileInfo;
    type IntoIter = std::slice::Iter<'a, FileInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromJson for FileInfo {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        Some(Self {
            id: json.read("id")?,
            name: json.read("name")?,
            media_type: json.read("type")?,
            size: json.read("size")?,
            width: json.read("width")?,
            height: json.read("height")?,
            alt: json.read_or_default("alt")?,
            animated: json.read_or_default("animated")?,
        })
    }
}

impl ToJson for FileInfo {
    fn write_json(&self, json: &mut String) {
        let mut object = ObjectWriter::new("id", &self.id)
            .field("name", &*self.name)
            .field("type", &*self.media_type)
            .field("size", &self.size)
            .optional("width", self.width.map(u64::from).as_ref())
            .optional("height", self.height.map(u64::from).as_ref());
        if !self.alt.is_empty() {
            object = object.field("alt", &*self.alt);
        }
        if self.animated {
            object = object.field("animated", &true);
        }
        json.push_str(&object.end());
    }
}

impl FromJson for Files {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        Vec::<FileInfo>::from_json(json).map(Self::from_iter)
    }
}

impl ToJson for Files {
    fn write_json(&self, json: &mut String) {
        write_list(json, self);
    }
}

impl ToJson for [FileId] {
    fn write_json(&self, json: &mut String) {
        write_list(json, self);
    }
}

fn write_list<'a, T: ToJson + 'a>(json: &mut String, items: impl IntoIterator<Item = &'a T>) {
    json.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        item.write_json(json);
    }
    json.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn file(name: &str) -> FileInfo {
        FileInfo {
            id: Uuid::from_u128(7),
            name: name.into(),
            media_type: "image/png".into(),
            size: 5,
            width: Some(3),
            height: Some(2),
            alt: "a \"cup\"".into(),
            animated: true,
        }
    }

    #[test]
    fn a_path_has_no_character_with_a_meaning() {
        let path = file("a b/?#%é.png").path();
        assert_eq!(path, format!("/f/{}/a%20b%2F%3F%23%25%C3%A9.png", Uuid::from_u128(7)));
    }

    #[test]
    fn no_name_means_another_path() {
        for (name, last) in
            [("thumb", "_thumb"), ("_thumb", "_thumb"), ("Thumb", "Thumb"), ("thumb.png", "thumb.png")]
        {
            assert_eq!(file(name).path(), format!("/f/{}/{last}", Uuid::from_u128(7)));
        }
        for (name, last) in [("", "_"), (".", "_."), ("..", "_..")] {
            assert_eq!(file(name).path(), format!("/f/{}/{last}", Uuid::from_u128(7)));
        }
    }

    #[test]
    fn the_list_reads_back_as_serde_writes_it() {
        let plain = FileInfo { width: None, height: None, alt: "".into(), animated: false, ..file("b") };
        let files = Files::from_iter([file("a.png"), plain]);
        assert_eq!(files.names(), "a.png, b");
        assert_eq!(files.to_json(), serde_json::to_string(&files).unwrap());
        assert_eq!(Files::parse(&files.to_json()), files);
        assert_eq!(Files::parse("[{}]"), Files::default());
    }
}
