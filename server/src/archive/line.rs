//! A line of the events of an archive: an event, with the hashes of its files. Nothing that is read is trusted.

use crate::{
    files::{OTHER, clean_alt, clean_name},
    hexadecimal,
};
use app::wire::{
    DisplayName, Event, EventBody, FileInfo, Files, MAX_EMOJI_BYTES, Mentions, Millis, Seq, UserId,
    limits::{MAX_FILES, MAX_MENTIONS, MAX_MESSAGE_BYTES},
    trim_message,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// Bytes of a line, at most. JSON may write one byte of a text as six (`\u0000`), and mentions and files stand beside the text.
pub const MAX_LINE_BYTES: usize = 16 * MAX_MESSAGE_BYTES;

/// An event of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The event. Of its files only ids, names, sizes and descriptions count: the bytes say what they are.
    pub event: Event,
    /// The SHA-256 of each file of the message, in order; `None` if the archive does not have it.
    pub contents: Vec<Option<[u8; 32]>>,
}

/// A file in a line.
#[derive(Serialize)]
struct FileEntry<'a> {
    #[serde(flatten)]
    info: &'a FileInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// The server has lost its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<bool>,
}

/// A message with files as it is written.
#[derive(Serialize)]
struct WithFiles<'a> {
    #[serde(flatten)]
    event: &'a Event,
    files: Vec<FileEntry<'a>>,
}

/// The hashes of the files, which are read beside the event.
#[derive(Deserialize)]
struct Hashes {
    files: Vec<Hash>,
}

#[derive(Deserialize)]
struct Hash {
    #[serde(default)]
    sha256: Option<String>,
}

impl Line {
    /// Returns the line without its end.
    ///
    /// # Errors
    /// None that an event can cause.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let EventBody::Message { text, reply_to, mentions, files } = &self.event.body else {
            return serde_json::to_string(&self.event);
        };
        if files.is_empty() {
            return serde_json::to_string(&self.event);
        }
        let (text, mentions) = (text.clone(), mentions.clone());
        let body = EventBody::Message { text, reply_to: *reply_to, mentions, files: Files::default() };
        let entry = |(info, content): (_, &Option<[u8; 32]>)| FileEntry {
            info,
            sha256: content.as_ref().map(hexadecimal::encode),
            lost: content.is_none().then_some(true),
        };
        let files = files.iter().zip(&self.contents).map(entry).collect();
        serde_json::to_string(&WithFiles { event: &Event { body, ..self.event.clone() }, files })
    }
}

/// Parses the event at `seq`, whose time is at most `latest`. Its text is in its stored form; one without a visible character
/// is empty, as that of a message that was deleted.
///
/// # Errors
/// The fault of the line, without anything from it.
pub fn parse_line(line: &[u8], seq: Seq, latest: Millis) -> Result<Line, &'static str> {
    if line.len() > MAX_LINE_BYTES {
        return Err("the line is too long");
    }
    let line = str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let mut event: Event = serde_json::from_str(line).map_err(|_| "the line is no event in JSON")?;
    if event.seq != seq {
        return Err("the line has another event");
    }
    if event.at > latest {
        return Err("its time is in the future");
    }
    if event.author.id == UserId(0) && !matches!(event.body, EventBody::Expire { .. } | EventBody::Expired) {
        return Err("its author cannot exist");
    }
    let mut contents = Vec::new();
    match &mut event.body {
        EventBody::Message { text, mentions, files, .. } => {
            check_text(text, mentions)?;
            if text.is_empty() {
                *files = Files::default();
            }
            contents = check_files(line, files)?;
        }
        EventBody::Edit { text, mentions, .. } => check_text(text, mentions)?,
        EventBody::React { emoji, .. } if emoji.len() > MAX_EMOJI_BYTES => {
            return Err("its emoji is too long");
        }
        EventBody::Unknown => return Err("its kind is one that this version does not know"),
        _ => {}
    }
    Ok(Line { event, contents })
}

fn check_text(text: &mut Arc<str>, mentions: &mut Mentions) -> Result<(), &'static str> {
    let stored: Arc<str> = match trim_message(text) {
        Ok(stored) => stored.into(),
        Err(app::wire::InvalidText::Blank) => Arc::default(),
        Err(app::wire::InvalidText::TooLong { .. }) => return Err("its text is too long"),
    };
    *text = stored;
    if text.is_empty() {
        *mentions = Mentions::default();
    }
    // One more is the author of the message that it replies to.
    if mentions.iter().count() > MAX_MENTIONS + 1 {
        return Err("it has too many mentions");
    }
    let is_name = |name: &str| name.parse::<DisplayName>().is_ok_and(|parsed| parsed.as_str() == name);
    let is_good = mentions
        .iter()
        .all(|mention| mention.user.id != UserId(0) && (mention.name.is_empty() || is_name(&mention.name)));
    if is_good { Ok(()) } else { Err("one of its mentions is no name") }
}

/// Cleans files as an upload does, and returns their hashes.
fn check_files(line: &str, files: &mut Files) -> Result<Vec<Option<[u8; 32]>>, &'static str> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    if files.iter().count() > MAX_FILES {
        return Err("it has too many files");
    }
    let mut ids = BTreeSet::new();
    if !files.iter().all(|file| ids.insert(file.id)) {
        return Err("it has a file twice");
    }
    let hashes: Hashes = serde_json::from_str(line).map_err(|_| "one of its files has no SHA-256")?;
    let hash = |hash: Hash| match hash.sha256 {
        Some(text) => hexadecimal::decode(&text).map(Some).ok_or("one of its files has no SHA-256"),
        None => Ok(None),
    };
    let contents: Vec<_> = hashes.files.into_iter().map(hash).collect::<Result<_, _>>()?;
    if files.iter().zip(&contents).any(|(file, content)| file.size == 0 && content.is_some()) {
        return Err("one of its files is empty");
    }
    let cleaned = |file: &FileInfo| FileInfo {
        id: file.id,
        name: clean_name(&file.name).into(),
        media_type: OTHER.into(),
        size: file.size,
        width: None,
        height: None,
        alt: clean_alt(&file.alt).into(),
        animated: false,
    };
    *files = files.iter().map(cleaned).collect();
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(rest: &str) -> String {
        format!(
            r#"{{"seq":2,"at":5,"id":"0193b3e4-7c1a-7000-8000-000000000001","author":{{"id":"000000000000000a","name":"Ann"}},{rest}}}"#
        )
    }

    fn message(files: &str) -> String {
        line(&format!(r#""kind":"message","text":"look","files":[{files}]"#))
    }

    fn file(n: u8, rest: &str) -> String {
        format!(
            r#"{{"id":"00000000-0000-4000-8000-0000000000{n:02}","name":"../a/tea.png","type":"text/html"{rest}}}"#
        )
    }

    fn refusal(line: &str) -> &'static str {
        parse_line(line.as_bytes(), 2, 10).expect_err(line)
    }

    #[test]
    fn texts_are_in_their_stored_form() {
        let stored = |text: &str| {
            let json = serde_json::to_string(text).unwrap();
            let line = line(&format!(r#""kind":"message","text":{json}"#));
            let event = parse_line(line.as_bytes(), 2, 10).unwrap().event;
            let EventBody::Message { text, .. } = event.body else { panic!("a message") };
            text.to_string()
        };
        assert_eq!(stored("hello"), "hello");
        assert_eq!(stored(" a\u{1b}[2J\r\n "), "a\u{fffd}[2J");
        assert_eq!(stored("\u{200b}\n"), "");
    }

    #[test]
    fn what_no_event_can_have_is_refused() {
        let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
        for (rest, reason) in [
            (r#""kind":"poll""#.to_owned(), "kind"),
            (format!(r#""kind":"message","text":"{long}""#), "text is too long"),
            (format!(r#""kind":"react","target":1,"on":true,"emoji":"{long}""#), "emoji"),
            (r#""kind":"message","text":"a","mentions":[{"name":"a\nb","user":{"id":"000000000000000b","name":"B"}}]"#.into(), "mentions"),
            (r#""kind":"message""#.into(), "no event"),
            (format!(r#""kind":"message","text":"a","x":{}1{}"#, "[".repeat(500), "]".repeat(500)), "no event"),
        ] {
            let line = line(&rest);
            assert!(refusal(&line).contains(reason), "{rest}: {}", refusal(&line));
        }
        let good = line(r#""kind":"message","text":"a""#);
        assert!(parse_line(good.as_bytes(), 3, 10).unwrap_err().contains("another event"));
        assert!(parse_line(good.as_bytes(), 2, 4).unwrap_err().contains("future"));
        assert!(parse_line(&[0xff], 2, 10).unwrap_err().contains("UTF-8"));
        assert!(parse_line(&vec![b' '; MAX_LINE_BYTES + 1], 2, 10).unwrap_err().contains("too long"));
        let nobody = good.replace("000000000000000a", "0000000000000000");
        assert!(parse_line(nobody.as_bytes(), 2, 10).unwrap_err().contains("author"));
    }

    #[test]
    fn a_file_is_what_its_bytes_say_and_its_name_is_clean() {
        let hash = "0f".repeat(32);
        let first = file(
            1,
            &format!(r#","size":5,"width":9,"height":9,"alt":"a\ncup","animated":true,"sha256":"{hash}""#),
        );
        let lost = file(2, r#","size":5,"lost":true"#);
        let read = parse_line(message(&format!("{first},{lost}")).as_bytes(), 2, 10).unwrap();
        assert_eq!(read.contents, [Some([0x0f; 32]), None]);
        let EventBody::Message { files, .. } = &read.event.body else { panic!("a message") };
        let shown: Vec<_> =
            files.iter().map(|file| (&*file.name, &*file.media_type, file.pixels())).collect();
        assert_eq!(shown, [("tea.png", OTHER, None); 2]);
        assert!(files.iter().all(|file| !file.animated) && !files.iter().any(|file| file.alt.contains('\n')));
        let json = read.to_json().unwrap();
        assert_eq!(parse_line(json.as_bytes(), 2, 10).as_ref(), Ok(&read));
        assert!(json.contains(&format!(r#""sha256":"{hash}""#)) && json.contains(r#""lost":true"#), "{json}");
        let deleted = message(&first).replace("look", " ");
        assert_eq!(parse_line(deleted.as_bytes(), 2, 10).unwrap().contents, []);
    }

    #[test]
    fn files_that_no_message_can_have_are_refused() {
        let hashed = |n, hash: &str| file(n, &format!(r#","size":5,"sha256":"{hash}""#));
        let good = hashed(1, &"0f".repeat(32));
        let many: Vec<String> = (0..11).map(|n| hashed(n, &"0f".repeat(32))).collect();
        for (files, reason) in [
            (many.join(","), "too many files"),
            (format!("{good},{good}"), "a file twice"),
            (good.replace(r#""size":5"#, r#""size":0"#), "is empty"),
            (good.replace(r#""size":5"#, r#""size":-1"#), "no event"),
            (hashed(1, &"0F".repeat(32)), "no SHA-256"),
            (hashed(1, "../../etc/passwd"), "no SHA-256"),
            (hashed(1, &"é".repeat(32)), "no SHA-256"),
            (file(1, r#","size":5,"sha256":7"#), "no SHA-256"),
        ] {
            assert!(refusal(&message(&files)).contains(reason), "{reason}: {}", refusal(&message(&files)));
        }
    }
}
