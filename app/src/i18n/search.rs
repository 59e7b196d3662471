//! Texts of the search. Only the server renders them.

use super::Lang;

/// The reason why a query is not searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchProblem {
    /// It is too long.
    TooLong,
    /// It has too many words.
    TooManyWords,
    /// The text after `before:` or `after:` is no date.
    InvalidDate,
    /// The text after `has:` is not known.
    UnknownHas,
    /// It has neither words nor filters.
    Empty,
}

/// Texts of the search.
#[expect(missing_docs, reason = "the values show each text")]
#[derive(Debug)]
pub struct SearchStrings {
    pub search: &'static str,
    pub label: &'static str,
    /// The terms that a query may have, each with its meaning.
    pub help: [(&'static str, &'static str); 6],
    pub none: &'static str,
    pub older: &'static str,
    pub partial: &'static str,
    pub behind: &'static str,
    pub failed: &'static str,
    pub found: fn(usize, bool) -> String,
    pub problem: fn(SearchProblem) -> &'static str,
}

impl Lang {
    /// Returns the texts of the search.
    pub fn search(self) -> &'static SearchStrings {
        match self {
            Self::En => &EN,
            Self::Zh => &ZH,
        }
    }
}

static EN: SearchStrings = SearchStrings {
    search: "Search",
    label: "Search messages",
    help: [
        ("\"green tea\"", "these words, one after the other"),
        ("from:Ann", "from a person; from:me from you"),
        ("in:lobby", "in a room"),
        ("before:2026-11-25", "before a day, a month or a year (UTC)"),
        ("after:2026-11", "after it"),
        ("has:link", "with a link; has:code with code, has:file with a file"),
    ],
    none: "No message matches.",
    older: "Older messages",
    partial: "Older messages were not searched. Add a date, as before:2026, to look further back.",
    behind: "The newest messages are not in the search yet.",
    failed: "The search does not answer. Try again in a moment.",
    found: |count, more| match (count, more) {
        (1, false) => "1 message".into(),
        (count, false) => format!("{count} messages"),
        (count, true) => format!("The newest {count} messages"),
    },
    problem: |problem| match problem {
        SearchProblem::TooLong => "This is too long to search for.",
        SearchProblem::TooManyWords => "These are too many words to search for.",
        SearchProblem::InvalidDate => "Write a date as 2026-11-25, 2026-11 or 2026.",
        SearchProblem::UnknownHas => "After has: write link, file or code.",
        SearchProblem::Empty => "Write a word of letters or digits.",
    },
};

static ZH: SearchStrings = SearchStrings {
    search: "搜索",
    label: "搜索消息",
    help: [
        ("\"绿茶 很香\"", "连在一起的词"),
        ("from:小安", "某人的消息；from:me 是自己的"),
        ("in:lobby", "某个房间里"),
        ("before:2026-11-25", "早于某日、某月或某年（UTC）"),
        ("after:2026-11", "晚于"),
        ("has:link", "带链接；has:code 带代码，has:file 带文件"),
    ],
    none: "没有匹配的消息。",
    older: "更早的消息",
    partial: "更早的消息没有搜索。加上日期（如 before:2026）可以继续往前找。",
    behind: "最新的消息还没有进入搜索。",
    failed: "搜索没有响应，请稍后再试。",
    found: |count, more| match more {
        false => format!("{count} 条消息"),
        true => format!("最新的 {count} 条消息"),
    },
    problem: |problem| match problem {
        SearchProblem::TooLong => "搜索内容太长。",
        SearchProblem::TooManyWords => "搜索的词太多。",
        SearchProblem::InvalidDate => "日期请写成 2026-11-25、2026-11 或 2026。",
        SearchProblem::UnknownHas => "has: 后面请写 link、file 或 code。",
        SearchProblem::Empty => "请输入文字或数字。",
    },
};
