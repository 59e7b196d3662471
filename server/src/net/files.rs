//! The process's limit of open files: each connection needs one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are kept for the log, the runtime, listeners and the terminal.
const OWN_FILES: usize = 48;

/// Descriptors that stay free whatever happens: to answer 503, to read the log, to write a backup.
const SPARE_FILES: usize = 32;

/// Connections beside those of sockets and event streams: for pages, files and the API.
pub const HTTP_CONNECTIONS: usize = 1_000;

/// Raises the soft limit of open files to the hard one. Returns how many connections the process may have
/// open then.
pub fn raise_open_file_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let files = getrlimit(Resource::Nofile).current;
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    connections(files)
}

fn connections(files: usize) -> usize {
    files.saturating_sub(OWN_FILES + SPARE_FILES).max(8)
}

/// The number of sockets and event streams that fit into `connections`, if it is less than `wished`.
pub fn lowered(wished: usize, connections: usize) -> Option<usize> {
    if wished.saturating_add(HTTP_CONNECTIONS) <= connections {
        return None;
    }
    // A quarter, or as many as usual, is left for everything else.
    let fitting = connections - (connections / 4).clamp(1, HTTP_CONNECTIONS);
    (fitting < wished).then_some(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lowered_only_where_the_files_are_too_few() {
        assert_eq!(lowered(20_000, connections(65_536)), None);
        assert_eq!(lowered(20_000, connections(20_000)), Some(18_920));
        assert_eq!(lowered(20_000, connections(1_024)), Some(708));
        assert_eq!(lowered(50, connections(256)), None);
        assert_eq!(lowered(50, connections(64)), Some(6));
    }
}
