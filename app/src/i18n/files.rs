//! Texts about files. Only the server renders them.

use super::Lang;

/// Texts about files.
#[expect(missing_docs, reason = "the values show each text")]
#[derive(Debug)]
pub struct FileStrings {
    pub attach: &'static str,
    pub list: &'static str,
    pub describe: &'static str,
    pub remove: &'static str,
    pub retry: &'static str,
    pub waiting: &'static str,
    pub offline: &'static str,
    pub done: &'static str,
    pub too_large: fn(&str) -> String,
    pub too_many: fn(usize) -> String,
    pub full: &'static str,
    pub damaged: &'static str,
    pub refused: &'static str,
    pub failed: &'static str,
    pub lost: &'static str,
    pub elsewhere: &'static str,
    pub choose: &'static str,
    pub send: &'static str,
    pub picture: &'static str,
    pub previous: &'static str,
    pub next: &'static str,
    pub original: &'static str,
}

impl Lang {
    /// Returns the texts about files.
    pub fn files(self) -> &'static FileStrings {
        match self {
            Self::En => &EN,
            Self::Zh => &ZH,
        }
    }
}

static EN: FileStrings = FileStrings {
    attach: "Add files",
    list: "Files to send",
    describe: "Describe it for people who do not see it",
    remove: "Remove",
    retry: "Try again",
    waiting: "The message is sent when its files are uploaded.",
    offline: "Waiting for the connection…",
    done: "Uploaded",
    too_large: |most| format!("Too large. A file may have at most {most}."),
    too_many: |most| format!("A message has at most {most} files."),
    full: "The server has no space left for files.",
    damaged: "This picture is damaged, incomplete or too large to be shown.",
    refused: "You cannot send files here.",
    failed: "The upload failed.",
    lost: "The browser has not kept this file. Remove it and choose it again.",
    elsewhere: "The files were sent or are shown in another window.",
    choose: "Files",
    send: "Post with files",
    picture: "Picture",
    previous: "Previous picture",
    next: "Next picture",
    original: "Open original",
};

static ZH: FileStrings = FileStrings {
    attach: "添加文件",
    list: "要发送的文件",
    describe: "为看不到图片的人描述它",
    remove: "移除",
    retry: "重试",
    waiting: "文件上传完成后将发送消息。",
    offline: "正在等待连接…",
    done: "已上传",
    too_large: |most| format!("文件太大，最多 {most}。"),
    too_many: |most| format!("一条消息最多包含 {most} 个文件。"),
    full: "服务器已没有空间存储文件。",
    damaged: "图片已损坏、不完整，或尺寸过大。",
    refused: "你不能在这里发送文件。",
    failed: "上传失败。",
    lost: "浏览器没有保留这个文件。请移除后重新选择。",
    elsewhere: "这些文件已在另一个窗口中发送或显示。",
    choose: "文件",
    send: "随文件发布",
    picture: "图片",
    previous: "上一张图片",
    next: "下一张图片",
    original: "打开原图",
};
