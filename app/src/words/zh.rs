//! 简体中文.

use super::{Lang, RoomTrouble, Trouble, Words, given::Given};
use crate::wire::{BadName, ErrorCode, limits::MESSAGE_BYTES};

pub(super) static WORDS: Words = Words {
    lang: Lang::Zh,
    tag: "zh-Hans",
    own_name: "简体中文",

    about_hubbub: "一个程序就是一个群聊：有链接就能聊，一条也不会丢。",
    lobby: "大厅",
    lobby_topic: "有这个链接的人都在这里聊，一条也不会丢。别的话题，另开一间。",
    skip: "跳到输入框",
    rooms: "房间",
    your_rooms: "我的房间",
    other_rooms: "其他房间",
    all_rooms: "全部房间",
    new_room: "新建房间",
    home: "Hubbub：大厅",
    private_room: "私密",
    people: "成员",
    is_you: "（你）",
    no_rooms: "还没有其他房间。",
    more_rooms: "更多房间",

    room_menu: "关于这个房间",
    share: "分享这个房间",
    copy: "复制链接",
    copied: "已复制",
    copy_failed: "浏览器不让我们复制。链接已选中，请手动复制。",
    qr: "链接的二维码",
    rename_room: "保存",
    new_room_title: "叫什么名字？",
    new_room_topic: "聊些什么？",
    new_room_make: "建好它",
    new_room_hint: "打开一个新地址也会建一间：/r/any-name",
    new_private: "私密",
    private_hint: "地址猜不到，也不出现在任何列表里。有链接就能进。",
    title: "名称",
    topic_label: "主题（可不填）",

    messages: "消息",
    older: "更早的消息",
    newer: "更新的消息",
    history: "这是较早的消息。",
    back_to_now: "回到现在",
    empty: "还没有人说话。把链接发出去，开个头吧。",
    deleted: "已删除",
    edited: "已编辑",
    new_here: "新消息",
    latest: "跳到最新",
    permalink: "这条消息的链接",
    today: "今天",
    yesterday: "昨天",

    send: "发送",
    edit_or_delete: "编辑或删除",
    delete_only: "删除这条消息",
    what_it_says: "消息内容",
    save: "保存",
    delete: "删除",
    cancel: "取消",
    try_again: "重试",
    discard: "放弃",

    connecting: "正在连接…",
    offline: "已离线。你写的消息在这里等着，连上就发。",
    foreign_page: "服务器拒绝从这个网址发送的内容。管理员可以在日志里看到这个网址，并用 --public-url 或 --allow-origin 允许它。",
    no_app: "这个浏览器运行不了页面的实时部分：之后的新消息要重新加载才能看到。",
    reload: "重新加载",
    no_storage: "这个浏览器不为本站保存任何内容：没发出的话只在这个标签页开着时保留。",
    no_cookies: "这个浏览器不为本站保存 Cookie：每次打开页面你都是一个新的人，没发出的话只在这个标签页开着时保留。",

    you_are: "你是",
    your_name: "你的名字",
    alike: "有人用着同样或很像的名字。名字后面的标记用来区分你们。",

    settings: "设置",
    theme: "外观",
    system: "跟随系统",
    light: "浅色",
    dark: "深色",
    language: "语言",
    device: "另一台设备",
    device_intro: "在另一台设备上也做你自己：同样的名字、房间和阅读进度。",
    device_make: "生成链接",
    device_here: "请在 10 分钟内用另一台设备打开这个链接，只能用一次。",
    link: "链接",
    device_go: "继续",
    device_safe: "谁打开它，谁就是你：不要给别人看。",
    shortcuts: "键盘快捷键",
    close: "关闭",

    key_help: "显示这张表",
    key_help_writing: "写字时显示这张表",
    key_unread: "下一个有未读消息的房间",
    key_next: "下一个房间",
    key_previous: "上一个房间",
    key_latest: "跳到最新",
    key_edit: "编辑你的上一条消息（输入框为空时）",
    key_send: "发送",
    key_line: "换行",

    notify: "通知",
    notify_off: "关",
    notify_mentions: "有人提到我时",
    notify_all: "每条消息",
    notify_refused: "浏览器拒绝了本站的通知。请在浏览器设置里允许，然后再选一次。",
    notify_unable: "这个浏览器在这里不能发通知：需要 HTTPS，或在本机打开。",
    sound: "带提示音",

    to_lobby: "去大厅",

    message_to: |room| format!("发到“{room}”"),
    unread: |n| if n >= 100 { "99+ 条未读".into() } else { format!("{n} 条未读") },
    new_messages: |n| format!("{n} 条新消息"),
    more_people: |n| format!("还有 {n} 人"),
    people_here: |n| format!("{n} 人在这里"),
    next_try: |seconds| if seconds == 0 { "正在重试。".into() } else { format!("{seconds} 秒后重试。") },
    typing: |names| match names {
        [one] => format!("{one} 正在输入…"),
        [one, two] => format!("{one} 和 {two} 正在输入…"),
        _ => "好几个人正在输入…".into(),
    },
    too_long: |over| format!("一条消息最多 {MESSAGE_BYTES} 字节，这条多了 {over} 字节。"),
    refused: |code| {
        match code {
            ErrorCode::Blank => "这条消息是空的。",
            ErrorCode::TooLong => return format!("一条消息最多 {MESSAGE_BYTES} 字节。"),
            ErrorCode::RateLimited => "太快了，请稍等一下再试。",
            ErrorCode::NoSuchRoom => "房间地址由 1 到 64 个 a-z、0-9 和 - 组成，且不以 - 开头或结尾。",
            ErrorCode::NoSuchMessage => "那条消息已经不在了。",
            ErrorCode::NotAllowed => "那是别人的，你不能改。",
            ErrorCode::BadName => "这个名字不能用：它是保留的，或结尾像标记（#2），或有隐藏的字符。",
            ErrorCode::ReadOnly => "现在不能在这里发消息。",
            ErrorCode::Internal => "服务器暂时无法保存或读取，请稍后再试。",
            _ => "服务器没有看懂。请刷新页面后再试。",
        }
        .into()
    },
    bad_name: |bad| {
        match bad {
            BadName::Blank => "名字里要有看得见的字。",
            BadName::TooLong => "名字最多 32 个字。",
            BadName::Tag => "这个名字的结尾像标记（#2），标记只由服务器来加。请去掉它。",
            BadName::Reserved => "这个名字是保留的：它像是在代表服务器说话。请换一个。",
            BadName::Hidden => "名字要写在一行里，每个字都看得见：这个名字里有隐藏的或会打乱方向的字符。",
        }
        .into()
    },
    room_trouble: |trouble| match trouble {
        RoomTrouble::Title(BadName::Blank) => "房间要有一个看得见的名称。".into(),
        RoomTrouble::Title(BadName::TooLong) => "名称最多 48 个字。".into(),
        RoomTrouble::Topic(BadName::TooLong) => "主题最多 200 个字。".into(),
        RoomTrouble::Title(_) | RoomTrouble::Topic(_) => "里面有隐藏的、换行的或会打乱方向的字符。".into(),
        RoomTrouble::Taken(title, _) => format!("已经有一间叫“{title}”的房间："),
        RoomTrouble::NoCookies => (WORDS.trouble)(&Trouble::NoCookies),
        RoomTrouble::Refused(code) => (WORDS.refused)(*code),
    },
    trouble: |trouble| {
        match trouble {
            Trouble::NothingHere => "房间地址只用 a-z、0-9 和 -，最多 64 个。大厅随时都开着。",
            Trouble::Refused(code) => return (WORDS.refused)(*code),
            Trouble::Room(trouble) => return (WORDS.room_trouble)(trouble),
            Trouble::Foreign => "这个请求来自别的网站，所以什么也没做。",
            Trouble::NotOurs => "这不是我们的表单，所以什么也没做。",
            Trouble::NoPlace => "房间里的位置是一个数字。",
            Trouble::UsedLink => "每个链接只能用一次。请在原来的设备上再生成一个。",
            Trouble::StaleLink => "链接 10 分钟内有效，服务器重启后也会失效。请在原来的设备上再生成一个。",
            Trouble::NoCookies => "你的浏览器不为本站保存 Cookie，改了也会马上忘掉。请先允许，再试一次。",
            Trouble::Offline => "这一页以前没有打开过。有网络时再来看；你在别的房间写下的话还在那里等着。",
            Trouble::Failed => "服务器没能做到，请稍后再试。",
        }
        .into()
    },
    trouble_title: |trouble| {
        match trouble {
            Trouble::NothingHere => "这里什么也没有",
            Trouble::Offline => "已离线",
            Trouble::UsedLink => "这个链接已经用过了",
            Trouble::StaleLink => "这个链接过期了",
            _ => "没有成功",
        }
        .into()
    },
    device_as: |name| format!("从现在起，你在这里就是{name}。"),
    device_else: |name| format!("在此之前，你在这里是{name}。"),
    older_unread: |n| if n >= 100 { "前面还有 100 多条未读消息".into() } else { format!("前面还有 {n} 条未读消息") },
    utc: |_, month, day, hour, minute| format!("{month}月{day}日 {hour:02}:{minute:02} UTC"),
    utc_day: |year, month, day| format!("{year}年{month}月{day}日"),
};

pub(super) static GIVEN: Given = Given {
    adjectives: [
        "安静", "勇敢", "沉着", "聪明", "好奇", "热心", "早起", "公正", "温柔", "高兴", "金色", "快乐", "诚实", "爽朗",
        "敏锐", "善良", "活泼", "幸运", "欢乐", "谦虚", "灵巧", "高贵", "耐心", "大胆", "自豪", "敏捷", "银色", "踏实",
        "阳光", "温暖", "睿智", "机智",
    ],
    joint: "的",
    animals: [
        "水獭", "獾", "熊", "河狸", "鹤", "鹿", "海豚", "猎鹰", "雀", "狐狸", "野兔", "鹰", "刺猬", "苍鹭", "朱鹮",
        "松鸦", "考拉", "云雀", "猞猁", "紫貂", "鼹鼠", "驼鹿", "蝾螈", "猫头鹰", "熊猫", "渡鸦", "知更鸟", "海豹",
        "天鹅", "燕鸥", "海龟", "鹪鹩",
    ],
};
