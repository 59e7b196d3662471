//! The texts that only the server renders.

use super::STRINGS;
use crate::{
    i18n::{PageError, RoomFormError, ServerStrings},
    wire::{ErrorCode, InvalidName},
};

pub(super) static SERVER_STRINGS: ServerStrings = ServerStrings {
    native_name: "简体中文",

    app_description: "一个程序就是一个群聊：有链接就能聊，一条也不会丢。",
    no_other_rooms: "还没有其他房间。",
    more_rooms: "更多房间",

    copy: "复制链接",
    copy_failed: "复制失败。链接已选中，请手动复制。",
    qr: "链接的二维码",
    save_room: "保存",
    room_name_label: "房间名称",
    new_room_hint: "也可以打开 /r/any-name，发出第一条消息。",
    private_label: "私密",
    private_hint: "地址无法猜到，也不会列出。有链接的人都能加入。",
    topic_label: "主题（可不填）",

    jump_to_day: "跳到某一天",
    completions: "建议",
    completion_hint: "用户名和表情",
    pasted_code: "粘贴的是代码吗？",
    format_as_code: "作为代码发送",
    formatting: "格式",
    formatting_bold: "粗体",
    formatting_italic: "斜体",
    formatting_struck: "删除线",
    formatting_block: "多行代码",
    formatting_quote: "引用",
    formatting_list: "列表",
    message_actions: "消息操作",
    more_emoji: "更多表情",
    search_emoji: "搜索表情",
    recent_emoji: "最近使用",
    no_emoji: "没有找到表情。",
    insert_emoji: "插入表情",
    copy_text: "复制文字",
    copy_as_markdown: "复制为 Markdown",
    copy_as_quote: "引用到输入框",
    marked_unread: "已标为未读",
    copy_message_failed: "复制失败。",
    leave: "离开房间",
    leave_hint: "房间会从你的列表中移除，打开它的地址可以重新加入。",

    app_unavailable: "这个浏览器不支持实时更新。请重新加载页面查看新消息。",

    theme: "外观",
    system: "跟随系统",
    light: "浅色",
    dark: "深色",
    language: "语言",
    other_device: "另一台设备",
    device_intro: "在另一台设备上使用同样的名字、房间和阅读进度。",
    create_device_link: "生成链接",
    device_link_usage: "请在 10 分钟内用另一台设备打开这个链接，只能用一次。",
    link_label: "链接",
    confirm_device_link: "继续",
    device_link_warning: "打开这个链接的人会成为你。请勿分享。",
    shortcuts: "键盘快捷键",

    shortcut_help: "显示快捷键",
    shortcut_help_in_field: "输入时显示快捷键",
    shortcut_switcher: "前往房间",
    shortcut_next_unread: "下一个有未读消息的房间",
    shortcut_next_room: "下一个房间",
    shortcut_previous_room: "上一个房间",
    shortcut_latest: "跳到最新",
    shortcut_edit_last: "编辑你的上一条消息（输入框为空时）",
    shortcut_send: "发送",
    shortcut_new_line: "换行",
    shortcut_messages: "在消息间移动（在输入框按 Shift Tab 进入）",
    shortcut_reply: "回复该消息",
    shortcut_markdown: "将此消息或选中的消息复制为 Markdown",
    shortcut_copy: "复制链接、引用、标为未读、编辑、删除",

    notify: "通知",
    notify_off: "关",
    notify_mentions: "有人提到我时",
    notify_all: "每条消息",
    sound: "播放提示音",

    go_to_lobby: "去大厅",

    room_form_error: |trouble| match trouble {
        RoomFormError::Title(InvalidName::Blank) => "请输入房间名称。".into(),
        RoomFormError::Title(InvalidName::TooLong) => "名称最多 48 个字。".into(),
        RoomFormError::Topic(InvalidName::TooLong) => "主题最多 200 个字。".into(),
        RoomFormError::Title(_) | RoomFormError::Topic(_) => "不能包含隐藏字符、换行或方向控制符。".into(),
        RoomFormError::TitleTaken(title, _) => format!("已有名为“{title}”的房间："),
        RoomFormError::CookiesDisabled => STRINGS.cannot_save_without_cookies.into(),
        RoomFormError::Command(code) => (STRINGS.command_error)(*code),
    },
    page_error: |trouble| {
        match trouble {
            PageError::NotFound => "房间地址只用 a-z、0-9 和 -，最多 64 个。大厅始终开放。",
            PageError::Command(code) => return (STRINGS.command_error)(*code),
            PageError::Room(trouble) => return (SERVER_STRINGS.room_form_error)(trouble),
            PageError::ForeignOrigin => "这个表单来自别的网站，未作任何更改。",
            PageError::InvalidForm => "表单无效，未作任何更改。",
            PageError::InvalidSeq => "消息编号无效。",
            PageError::LinkUsed => "每个链接只能用一次。请在原来的设备上再生成一个。",
            PageError::LinkExpired => "链接 10 分钟内有效，服务器重启后也会失效。请在原来的设备上再生成一个。",
            PageError::CookiesDisabled => STRINGS.cannot_save_without_cookies,
            PageError::Offline => "离线时无法查看这一页。恢复连接后会发送其他房间里的消息。",
            PageError::NotShared => "浏览器还没有准备好接收分享的内容，什么都没有发送。请先打开大厅，再分享一次。",
            PageError::Internal => "服务器出错，请稍后再试。",
        }
        .into()
    },
    page_error_title: |trouble| {
        match trouble {
            PageError::NotFound => "页面不存在",
            PageError::Offline => "已离线",
            PageError::NotShared => "请再分享一次",
            PageError::LinkUsed => "这个链接已经用过了",
            PageError::LinkExpired => "这个链接已过期",
            PageError::Command(ErrorCode::SignedOut) => "你已退出登录",
            _ => "出错了",
        }
        .into()
    },
    device_link_new_user: |name| format!("在这台设备上以{name}的身份继续。"),
    device_link_current_user: |name| format!("你目前在这里是{name}。"),
};
