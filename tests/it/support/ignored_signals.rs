//! Signals that the tests were started to ignore.

use tokio::signal::unix::{SignalKind, signal};

/// Where the tests were started with signals ignored (SIGHUP by `nohup`, SIGINT and SIGQUIT by
/// the `&` of a shell script), the programs that they start would ignore them as well. What is
/// caught here is back to its default in them.
pub(crate) fn catch() {
    static IS_DONE: std::sync::Once = std::sync::Once::new();
    IS_DONE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
        let kinds = [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::quit(),
            SignalKind::terminate(),
        ];
        let is_ignored = move |kind: &SignalKind| ignored & (1 << (kind.as_raw_value() - 1)) != 0;
        // A thread of its own: the caller may be in a runtime. The handlers stay for good.
        let catch_them = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            let runtime = runtime.unwrap();
            let _inside = runtime.enter();
            for kind in kinds.into_iter().filter(is_ignored) {
                signal(kind).map(drop).unwrap();
            }
        };
        std::thread::spawn(catch_them).join().unwrap();
    });
}
