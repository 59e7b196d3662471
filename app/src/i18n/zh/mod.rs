//! 简体中文.

#[cfg(feature = "ssr")]
mod server;

use super::{Lang, Strings, default_names::NameParts};
use crate::wire::{InvalidName, ErrorCode, limits::MAX_MESSAGE_BYTES};

/// Returns a number of hours in the largest unit without a rest.
pub(super) fn amount(hours: u32) -> String {
    match hours {
        8_760 => " 1 年".into(),
        hours if hours % 24 == 0 => format!(" {} 天", hours / 24),
        hours => format!(" {hours} 小时"),
    }
}

pub(super) static STRINGS: Strings = Strings {
    lang: Lang::Zh,
    #[cfg(feature = "ssr")]
    server: &server::SERVER_STRINGS,
    tag: "zh-Hans",

    lobby: "大厅",
    lobby_topic: "有链接的人都可以在这里聊天。其他话题请新建房间。",
    skip_to_composer: "跳到输入框",
    rooms: "房间",
    your_rooms: "我的房间",
    other_rooms: "其他房间",
    all_rooms: "全部房间",
    new_room: "新建房间",
    home: "：大厅",
    private_room: "私密",
    members: "成员",
    you_suffix: "（你）",

    room_menu: "房间信息",
    share: "分享这个房间",
    copied: "已复制",
    create_room: "新建房间",

    messages: "消息",
    older: "更早的消息",
    newer: "更新的消息",
    history_notice: "你正在查看较早的消息。",
    back_to_latest: "回到最新",
    room_empty: "还没有消息。分享链接，开始聊天吧。",
    copy_invite: "复制邀请链接",
    lessons: "**粗体**、*斜体*、`代码`、> 引用\n@ 补全名字，: 补全表情\nShift Enter 换行",
    message_deleted: "已删除",
    undo: "撤销",
    edited: "已编辑",
    new_messages_separator: "新消息",
    latest: "跳到最新",
    permalink: "这条消息的链接",
    today: "今天",
    yesterday: "昨天",
    code: "代码",
    copy_code: "复制",
    show_less: "收起",
    more_actions: "更多",
    reply: "回复",
    replying_to: "正在回复",
    cancel_reply: "取消回复",
    in_reply_to: "回复",
    earlier_message: "较早的一条消息",
    present: "在这里",
    draft: "草稿",
    react: "回应",
    reaction_failed: "服务器没有接受这个回应。",
    too_many_reactions: "一条消息最多有 20 种不同的回应。",
    mark_unread: "标为未读",
    edit: "编辑",
    room_not_found: "还没有这个房间。",
    did_you_mean: "你要找的是不是",
    question_mark: "？",

    send: "发送",
    edit_or_delete: "编辑或删除",
    delete_only: "删除消息",
    message_text_label: "消息内容",
    save: "保存",
    delete: "删除",
    cancel: "取消",
    try_again: "重试",
    discard: "放弃",

    connecting: "正在连接…",
    offline: "已离线。恢复连接后会发送你的消息。",
    reload: "重新加载",
    origin_rejected: "服务器拒绝来自这个网址的消息。管理员可以在日志里看到这个网址，并用 --public-url 或 --allow-origin 允许它。",
    storage_unavailable: "这个浏览器不为本站保存数据。关闭标签页后，未发送的消息会丢失。",
    cookies_disabled: "这个浏览器不为本站保存 Cookie。每次打开页面你都是新用户；关闭标签页后，未发送的消息会丢失。",

    you_are: "你是",
    your_name: "你的名字",
    name_ambiguous: "另一位用户的名字相同或相似。名字后面的标记用来区分你们。",
    cannot_save_without_cookies: "你的浏览器不为本站保存 Cookie，无法保存更改。请先允许，再试一次。",

    settings: "设置",
    close: "关闭",

    notify_denied: "浏览器屏蔽了本站的通知。请在浏览器设置里允许，然后再选一次。",
    notify_unsupported: "这里不能使用通知：需要 HTTPS 或 localhost。",

    composer_label: |room| format!("发到“{room}”"),
    unread: |n| if n >= 100 { "99+ 条未读".into() } else { format!("{n} 条未读") },
    unread_mentions: |n| if n >= 100 { "99+ 条未读提及".into() } else { format!("{n} 条未读提及") },
    show_all_lines: |n| format!("显示全部 {n} 行"),
    new_messages: |n| format!("{n} 条新消息"),
    more_members: |n| format!("还有 {n} 人"),
    member_count: |n| format!("{n} 人在这里"),
    next_retry: |seconds| if seconds == 0 { "正在重试。".into() } else { format!("{seconds} 秒后重试。") },
    deleted_messages: |n| if n == 1 { "已删除".into() } else { format!("已删除 {n} 条消息") },
    undo_in: |seconds| format!("撤销（{seconds} 秒）"),
    typing: |names| match names {
        [one] => format!("{one} 正在输入…"),
        [one, two] => format!("{one} 和 {two} 正在输入…"),
        _ => "好几个人正在输入…".into(),
    },
    joined: |names| match names {
        [one] => format!("{one} 加入了"),
        [one, two] => format!("{one} 和 {two} 加入了"),
        names => format!("{} 人加入了", names.len()),
    },
    reacted: |names, count| match count.saturating_sub(names.len()) {
        0 => names.join("、"),
        _ if names.is_empty() => format!("{count} 人"),
        others => format!("{}等另外 {others} 人", names.join("、")),
    },
    too_long: |over| format!("一条消息最多 {MAX_MESSAGE_BYTES} 字节，这条多了 {over} 字节。"),
    command_error: |code| {
        match code {
            ErrorCode::Blank => "请输入消息。",
            ErrorCode::TooLong => return format!("一条消息最多 {MAX_MESSAGE_BYTES} 字节。"),
            ErrorCode::RateLimited => "发送太快，请稍等。",
            ErrorCode::NoSuchRoom => "房间地址由 1 到 64 个 a-z、0-9 和 - 组成，且不以 - 开头或结尾。",
            ErrorCode::NoSuchMessage => "这条消息已不存在。",
            ErrorCode::NoSuchFile => "这条消息的某个文件已不存在，或已经发送。",
            ErrorCode::NotAllowed => "你没有权限更改。",
            ErrorCode::NotAdmitted => "请先用邀请链接或密码进入这个服务器。",
            ErrorCode::Banned => "管理员已停止你在这个服务器的访问。",
            ErrorCode::Removed => "管理员已把你移出这个房间。",
            ErrorCode::Muted => "管理员已将你禁言：你可以阅读，但不能发言。",
            ErrorCode::PostsClosed => "只有房主和管理员可以在这里发言。",
            ErrorCode::SignedOut => "这台设备已退出登录。",
            ErrorCode::InvalidName => "这个名字不能用：它是保留的，或结尾像标记（#2），或有隐藏的字符。",
            ErrorCode::ReadOnly => "目前不能发消息。",
            ErrorCode::Internal => "服务器无法保存或读取，请稍后再试。",
            _ => "服务器没有接受。请刷新页面后再试。",
        }
        .into()
    },
    invalid_name: |bad| {
        match bad {
            InvalidName::Blank => "请输入名字。",
            InvalidName::TooLong => "名字最多 32 个字。",
            InvalidName::Tag => "名字的结尾不能像标记（#2）。",
            InvalidName::Reserved => "这个名字是保留的，请换一个。",
            InvalidName::Hidden => "名字不能包含隐藏字符、换行或方向控制符。",
        }
        .into()
    },
    older_unread: |n| if n >= 100 { "前面还有 100 多条未读消息".into() } else { format!("前面还有 {n} 条未读消息") },
    slow_mode: |seconds| match seconds {
        3_600 => "慢速模式：每人每小时一条消息。".into(),
        seconds if seconds % 60 == 0 => format!("慢速模式：每人每 {} 分钟一条消息。", seconds / 60),
        seconds => format!("慢速模式：每人每 {seconds} 秒一条消息。"),
    },
    kept_for: |hours| format!("消息保留{}。", amount(hours)),
    utc: |_, month, day, hour, minute| format!("{month}月{day}日 {hour:02}:{minute:02} UTC"),
    utc_day: |year, month, day| format!("{year}年{month}月{day}日"),
};

pub(super) static NAME_PARTS: NameParts = NameParts {
    adjectives: [
        "安静", "勇敢", "沉着", "聪明", "好奇", "热心", "早起", "公正", "温柔", "高兴", "金色", "快乐", "诚实", "爽朗",
        "敏锐", "善良", "活泼", "幸运", "欢乐", "谦虚", "灵巧", "高贵", "耐心", "大胆", "自豪", "敏捷", "银色", "踏实",
        "阳光", "温暖", "睿智", "机智",
    ],
    separator: "的",
    animals: [
        "水獭", "獾", "熊", "河狸", "鹤", "鹿", "海豚", "猎鹰", "雀", "狐狸", "野兔", "鹰", "刺猬", "苍鹭", "朱鹮",
        "松鸦", "考拉", "云雀", "猞猁", "紫貂", "鼹鼠", "驼鹿", "蝾螈", "猫头鹰", "熊猫", "渡鸦", "知更鸟", "海豹",
        "天鹅", "燕鸥", "海龟", "鹪鹩",
    ],
};
