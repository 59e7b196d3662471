//! Texts about what is kept and what a user may do about it. Only the server renders them.

use super::{Lang, en, zh};

/// Texts of the pages about retention, exports and erasures.
#[expect(missing_docs, reason = "the values show each text")]
#[derive(Debug)]
pub struct PrivacyStrings {
    pub keep_label: &'static str,
    pub keep_forever: &'static str,
    pub kept_forever: &'static str,
    pub keep_limit: &'static str,
    pub keep_apply: &'static str,
    pub keep_is_limit: &'static str,
    pub keep_hint: &'static str,
    pub user_data_title: &'static str,
    pub export_user_intro: &'static str,
    pub erase_user_intro: &'static str,
    pub erase_user_confirm: &'static str,
    pub erasing_user: fn(u64) -> String,
    pub your_data: &'static str,
    pub export_intro: &'static str,
    pub export: &'static str,
    pub export_room: &'static str,
    pub export_room_hint: &'static str,
    pub erase: &'static str,
    pub erase_intro: &'static str,
    pub erase_confirm: &'static str,
    pub erase_unconfirmed: &'static str,
    pub erasing: fn(u64) -> String,
    pub erasing_hint: &'static str,
    pub erased: fn(u64) -> String,
    pub erased_hint: &'static str,
    pub as_server: fn(Option<String>) -> String,
    /// A number of hours as an amount of time.
    pub amount: fn(u32) -> String,
}

impl Lang {
    /// Returns the texts about what is kept.
    pub fn privacy(self) -> &'static PrivacyStrings {
        match self {
            Self::En => &EN,
            Self::Zh => &ZH,
        }
    }
}

static EN: PrivacyStrings = PrivacyStrings {
    keep_label: "Keep messages for",
    keep_forever: "without limit",
    kept_forever: "Messages are kept without limit.",
    keep_limit: "The server keeps messages no longer than this.",
    keep_apply: "Change",
    keep_is_limit: "No room may keep messages longer.",
    keep_hint: "This applies to rooms whose owners have chosen nothing. What has expired is removed within minutes, and cannot be brought back.",
    user_data_title: "What is stored of them",
    export_user_intro: "Download everything that is stored of this person, as they could themselves. The log of moderators shows that you did.",
    erase_user_intro: "Their messages are deleted and their reactions taken back; their name, rights, devices and recovery code are removed, and they are signed out everywhere. This cannot be undone.",
    erase_user_confirm: "I want to erase everything of this person for good.",
    erasing_user: |count| {
        format!("Everything of this person is being erased: {count} messages and reactions so far.")
    },
    your_data: "Your data",
    export_intro: "Download everything that Hubbub stores of you: your name, how far you have read, your devices, your rights, whom you have blocked, your reports, your messages and your reactions. Each line of the file is one entry in JSON.",
    export: "Download",
    export_room: "Export this room",
    export_room_hint: "A ZIP file with all messages, as Markdown and as JSON Lines.",
    erase: "Erase everything",
    erase_intro: "Your messages are deleted, your reactions are taken back, and your name, your read positions, your rights, your devices and your recovery code are removed. You are signed out everywhere else. This cannot be undone. Rooms that you have created stay, with their titles.",
    erase_confirm: "I want to erase everything of mine for good.",
    erase_unconfirmed: "Nothing was erased. Tick the box to confirm.",
    erasing: |count| match count {
        0 => "Your data is being erased.".into(),
        1 => "Your data is being erased: 1 message or reaction so far.".into(),
        count => format!("Your data is being erased: {count} messages and reactions so far."),
    },
    erasing_hint: "This goes on when you close the page. You can write nothing more under this identity.",
    erased: |count| match count {
        1 => "Everything is erased: 1 message or reaction.".into(),
        count => format!("Everything is erased: {count} messages and reactions."),
    },
    erased_hint: "You are a new user now.",
    as_server: |amount| match amount {
        Some(amount) => format!("as the server: {amount}"),
        None => "as the server: without limit".into(),
    },
    amount: en::amount,
};

static ZH: PrivacyStrings = PrivacyStrings {
    keep_label: "消息保留时间",
    keep_forever: "不限",
    kept_forever: "消息会一直保留。",
    keep_limit: "服务器保留消息的时间不会超过这个期限。",
    keep_apply: "更改",
    keep_is_limit: "任何房间都不得保留更久。",
    keep_hint: "适用于房主没有另行选择的房间。过期的内容会在几分钟内移除，无法恢复。",
    user_data_title: "保存的个人数据",
    export_user_intro: "下载保存的关于此人的全部内容，与其本人能下载的相同。管理日志会记录这次下载。",
    erase_user_intro: "此人的消息会被删除，回应会被撤回，名字、权限、设备和恢复码都会移除，并在所有设备上退出登录。此操作无法撤销。",
    erase_user_confirm: "我要永久清除此人的全部内容。",
    erasing_user: |count| format!("正在清除此人的全部内容：已清除 {count} 条消息和回应。"),
    your_data: "你的数据",
    export_intro: "下载 Hubbub 保存的关于你的全部内容：名字、阅读进度、设备、权限、屏蔽的人、举报、消息和回应。文件的每一行是一条 JSON 记录。",
    export: "下载",
    export_room: "导出此房间",
    export_room_hint: "一个 ZIP 文件，包含全部消息，格式为 Markdown 和 JSON Lines。",
    erase: "清除全部",
    erase_intro: "你的消息会被删除，回应会被撤回，名字、阅读进度、权限、设备和恢复码都会移除，其他设备上会退出登录。此操作无法撤销。你创建的房间及其标题会保留。",
    erase_confirm: "我要永久清除我的全部内容。",
    erase_unconfirmed: "没有清除任何内容。请勾选确认。",
    erasing: |count| match count {
        0 => "正在清除你的数据。".into(),
        count => format!("正在清除你的数据：已清除 {count} 条消息和回应。"),
    },
    erasing_hint: "关闭页面后也会继续。这个身份不能再发送任何内容。",
    erased: |count| format!("已全部清除：{count} 条消息和回应。"),
    erased_hint: "你现在是新用户。",
    as_server: |amount| match amount {
        Some(amount) => format!("与服务器相同：{}", amount.trim()),
        None => "与服务器相同：不限".into(),
    },
    amount: |hours| zh::amount(hours).trim_start().into(),
};
