//! The process's limit of open files: each connection needs one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for the store, the runtime, listeners and the terminal.
const OWN_FILES: usize = 48;

/// Descriptors that connections never use: to answer 503, to read the store, to write a backup.
const SPARE_FILES: usize = 32;

/// Connections besides WebSockets and event streams: for pages, files and the API.
pub const HTTP_CONNECTIONS: usize = 1_000;

/// Raises the soft limit of open files to the hard one. Returns how many connections fit into it.
pub fn raise_open_file_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = raised {
        tracing::warn!(%error, "raising the limit of open files failed");
    }
    let files = getrlimit(Resource::Nofile).current;
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    connections(files)
}

fn connections(files: usize) -> usize {
    files.saturating_sub(OWN_FILES + SPARE_FILES).max(8)
}

/// Returns the number of WebSockets and event streams that fit into `connections`, if it is less than `requested`.
pub fn lowered_max_connections(requested: usize, connections: usize) -> Option<usize> {
    if requested.saturating_add(HTTP_CONNECTIONS) <= connections {
        return None;
    }
    // A quarter, or the usual number, is left for pages, files and the API.
    let fitting = connections - (connections / 4).clamp(1, HTTP_CONNECTIONS);
    (fitting < requested).then_some(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_connections_is_lowered_only_if_the_files_are_too_few() {
        assert_eq!(lowered_max_connections(20_000, connections(65_536)), None);
        assert_eq!(lowered_max_connections(20_000, connections(20_000)), Some(18_920));
        assert_eq!(lowered_max_connections(20_000, connections(1_024)), Some(708));
        assert_eq!(lowered_max_connections(50, connections(256)), None);
        assert_eq!(lowered_max_connections(50, connections(64)), Some(6));
    }
}
