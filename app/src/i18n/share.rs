//! Texts about what the system shares. Only the server renders them.

use super::Lang;

/// Texts about what the system shares.
#[expect(missing_docs, reason = "the values show each text")]
#[derive(Debug)]
pub struct ShareStrings {
    pub title: &'static str,
    pub shared: &'static str,
    pub hint: &'static str,
    pub cancel: &'static str,
    pub nothing: &'static str,
    pub failed: &'static str,
    pub left_out: &'static str,
}

impl Lang {
    /// Returns the texts about what the system shares.
    pub fn share(self) -> &'static ShareStrings {
        match self {
            Self::En => &EN,
            Self::Zh => &ZH,
        }
    }
}

static EN: ShareStrings = ShareStrings {
    title: "Share to a room",
    shared: "What you share",
    hint: "Choose a room. Nothing is sent before you press Send there.",
    cancel: "Cancel",
    nothing: "Nothing waits to be shared.",
    failed: "This browser has no space for what you share. Nothing was sent.",
    left_out: "Some files are left out: 10 files and 256 MB can be shared at once.",
};

static ZH: ShareStrings = ShareStrings {
    title: "分享到房间",
    shared: "要分享的内容",
    hint: "请选择房间。在房间里按下“发送”之前，什么都不会发送。",
    cancel: "取消",
    nothing: "没有等待分享的内容。",
    failed: "浏览器没有空间存放要分享的内容，什么都没有发送。",
    left_out: "有些文件未包含在内：一次最多分享 10 个文件，共 256 MB。",
};
