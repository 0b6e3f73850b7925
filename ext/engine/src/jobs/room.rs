//! Whether the container has room for a run: one that its control group kills half-way leaves the target without data.

use crate::notice::Notice;
use crate::plan::Plan;
use std::fs;
use std::path::Path;

const MIB: u64 = 1024 * 1024;

/// What a run takes once it is planned, however small the schema is: buffers, and the threads' stacks.
const LEAST: u64 = 24 * MIB;

/// What a table adds to that: its rows' checks, its steps, the report.
const OF_A_TABLE: u64 = 16 * 1024;

/// Where Linux says what a control group may hold: in its second version, and in its first.
const LIMITS: [&str; 2] = [
    "sys/fs/cgroup/memory.max",
    "sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// A warning, where the run that is planned may take more memory than the container has left.
pub(super) fn warning(plan: &Plan) -> Option<Notice> {
    short(Path::new("/"), plan.loads.len() as u64)
}

/// `root` is where the files of the system begin.
fn short(root: &Path, tables: u64) -> Option<Notice> {
    let limit = LIMITS.iter().find_map(|path| number(&root.join(path)))?;
    let resident = resident(&root.join("proc/self/status"))?;
    let left = limit.saturating_sub(resident);
    let needed = LEAST + tables * OF_A_TABLE;
    (left < needed).then_some(Notice::LittleMemory {
        limit: limit / MIB,
        resident: resident / MIB,
        count: tables,
        needed: needed / MIB,
    })
}

/// A number alone in a file; `max` is none.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// What the process holds.
fn resident(status: &Path) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn system(limit: &str, at: usize) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            (LIMITS[at], limit),
            (
                "proc/self/status",
                "Name:\truby\nVmRSS:\t  102400 kB\nThreads:\t9\n",
            ),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_container_with_too_little_room_is_named_in_either_version_of_control_groups() {
        for at in [0, 1] {
            let small = system("157286400\n", at);
            assert_eq!(short(small.path(), 100), None);
            let little = Notice::LittleMemory {
                limit: 150,
                resident: 100,
                count: 2000,
                needed: 55,
            };
            assert_eq!(short(small.path(), 2000), Some(little));
        }
    }

    #[test]
    fn nothing_is_said_where_there_is_no_limit_or_nothing_is_known_of_it() {
        assert_eq!(short(system("max\n", 0).path(), 100_000), None);
        assert_eq!(short(tempfile::tempdir().unwrap().path(), 100_000), None);
    }
}
