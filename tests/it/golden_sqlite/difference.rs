//! What differs from OpenClaw 2026.9.6 on its databases on purpose: the one table, drawn into
//! `docs/compatibility.md` as well.

/// A difference.
pub(super) struct Difference {
    /// What it is about.
    pub what: &'static str,
    /// What OpenClaw does.
    pub openclaw: &'static str,
    /// What this program does.
    pub ours: &'static str,
    /// What of the recorded cases is different: case, step, how.
    pub changes: &'static [(&'static str, usize, Change)],
    /// Other tests that show it, as `module::name`.
    pub tests: &'static [&'static str],
}

/// How a step is different.
pub(super) enum Change {
    /// The exit code.
    Code(i32),
    /// The JSON is another one.
    Output,
    /// The rows are other ones.
    Rows,
    /// Each text of the JSON that contains the first has the second in its place.
    Says(&'static str, &'static str),
    /// Standard error says this, and the reason in the JSON is in the same words.
    Message(&'static str),
}

/// Every difference.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        what: "exit codes of failures",
        openclaw: "1 for every failure",
        ours: "with `--json` the same; without, those of the [table](exit-codes.md)",
        changes: &[
            ("agent-db-generation", 1, Change::Code(6)),
            ("mini-db-uv18", 1, Change::Code(6)),
            ("newer-schema", 2, Change::Code(6)),
            ("busy", 1, Change::Code(5)),
            ("paste", 1, Change::Code(2)),
            ("paste", 3, Change::Code(2)),
            ("paste", 5, Change::Code(2)),
            ("notty", 1, Change::Code(2)),
        ],
        tests: &["database::a_database_that_is_not_as_it_should_be_is_told_and_left_alone"],
    },
    Difference {
        what: "the reason of a failure in JSON",
        openclaw: "in its own words",
        ours: "in ours, with the next step on standard error; `OPENCLAW_AUTH_JSON_ERRORS=1` \
               gives our document and exit code",
        changes: &[
            ("list-all", 5, Change::Message("there is no agent `nope`")),
            ("mini-db-uv18", 0, Change::Message("tables of OpenClaw are missing")),
            ("mini-db-uv18", 2, Change::Message("tables of OpenClaw are missing")),
        ],
        tests: &["database_faults::a_failure_in_json_can_be_that_of_the_table"],
    },
    Difference {
        what: "a database of a newer OpenClaw",
        openclaw: "is refused by every command",
        ours: "is read as far as it can be, and never written",
        changes: &[
            ("newer-schema", 0, Change::Code(0)),
            ("newer-schema", 0, Change::Output),
            ("newer-schema", 1, Change::Code(0)),
            ("newer-schema", 1, Change::Output),
        ],
        tests: &[],
    },
    Difference {
        what: "`auth-profiles.json` beside a database",
        openclaw: "every command on that agent fails until its doctor has moved the file away",
        ours: "the database counts; each change warns of the file",
        changes: &[
            ("json-beside-db", 0, Change::Code(0)),
            ("json-beside-db", 0, Change::Output),
            ("json-beside-db", 1, Change::Code(0)),
            ("json-beside-db", 1, Change::Output),
            ("json-beside-db", 2, Change::Code(0)),
            ("json-beside-db", 2, Change::Message("is left from an earlier OpenClaw")),
            ("json-beside-db", 3, Change::Output),
            ("json-beside-db", 4, Change::Code(0)),
        ],
        tests: &[],
    },
    Difference {
        what: "`--provider openai-codex`",
        openclaw: "finds nothing, and is refused when pasting",
        ours: "means `openai`, which it is called there",
        changes: &[("list-all", 3, Change::Output)],
        tests: &[
            "database::either_name_of_the_provider_finds_the_login_and_the_stored_one_is_kept",
        ],
    },
    Difference {
        what: "the database of an agent",
        openclaw: "is made when something is the agent's own",
        ours: "is never made: an order of `main` goes to the shared database, anything else is \
               refused with the command of OpenClaw that makes it",
        changes: &[
            ("agent-local", 0, Change::Code(6)),
            ("agent-local", 0, Change::Rows),
            ("agent-local", 5, Change::Output),
            ("order", 1, Change::Rows),
            ("order", 2, Change::Output),
            ("order", 6, Change::Rows),
            ("logout", 1, Change::Rows),
        ],
        tests: &["database::an_agent_has_its_own_profiles_among_those_of_all"],
    },
    Difference {
        what: "`paste-api-key` without `--profile-id`",
        openclaw: "replaces the first key of the provider that it finds, of another agent as well",
        ours: "stores it as `<provider>:manual`: no other profile is replaced unasked",
        changes: &[
            ("mini-db-uv0", 1, Change::Rows),
            ("mini-db-uv0", 2, Change::Output),
            ("paste", 0, Change::Rows),
            ("paste", 2, Change::Rows),
            ("paste", 4, Change::Rows),
            ("paste", 6, Change::Output),
        ],
        tests: &["database::a_key_is_pasted_and_removed_and_other_entries_keep_their_bytes"],
    },
    Difference {
        what: "`logout`",
        openclaw: "is refused without a terminal and `--yes`; the server is told nothing",
        ours: "asks nothing, `--yes` or not, and revokes the login at the server first: where that \
               cannot be reached, the login stays (exit code 4), unless `--local`; \
               `doctor --restore` brings back what it removed",
        changes: &[
            ("logout", 3, Change::Code(4)),
            ("logout", 3, Change::Rows),
            ("logout", 4, Change::Output),
        ],
        tests: &["database::a_login_is_stored_under_the_name_that_its_provider_has_there"],
    },
    Difference {
        what: "`logout --agent` of a profile of all agents",
        openclaw: "removes it for everybody",
        ours: "is refused unless `--all-agents` says that it is meant",
        changes: &[
            ("agent-local", 6, Change::Code(6)),
            ("agent-local", 7, Change::Code(1)),
            ("agent-local", 7, Change::Rows),
        ],
        tests: &[],
    },
    Difference {
        what: "JSON documents of an earlier OpenClaw, and no database",
        openclaw: "every command on logins fails until its doctor has moved them",
        ours: "are read and written; `store convert --to sqlite` moves them",
        changes: &[
            ("blocked-json", 0, Change::Code(0)),
            ("blocked-json", 0, Change::Output),
            ("blocked-json", 1, Change::Code(0)),
            ("blocked-json", 2, Change::Code(0)),
            ("blocked-json", 2, Change::Output),
            ("blocked-json", 3, Change::Output),
            ("blocked-json", 4, Change::Code(0)),
            ("blocked-json", 5, Change::Code(0)),
            ("blocked-json", 5, Change::Output),
            ("blocked-json", 6, Change::Code(0)),
        ],
        tests: &[],
    },
    Difference {
        what: "what moves to a database",
        openclaw: "what its doctor can read, each entry as it would write it",
        ours: "every entry to the byte; `store convert` has the place of `doctor --fix`",
        changes: &[("migrate", 0, Change::Rows), ("migrate", 1, Change::Rows)],
        tests: &["convert::logins_move_to_a_database_and_back_and_no_request_is_made"],
    },
    Difference {
        what: "a secret shorter than 24 characters",
        openclaw: "shows up to eight characters at each end",
        ours: "is masked whole: `***`",
        changes: &[
            ("migrate", 2, Change::Says("sk...-1", "***")),
            ("migrate", 2, Change::Says("za...-1", "***")),
            ("read-through", 2, Change::Says("sk-ant-o...KESTATIC", "***")),
            ("states", 2, Change::Says("FAKE-ali...s-key-00", "***")),
            ("states", 2, Change::Says("sk-ant-o...t01-FAKE", "***")),
            ("status-all", 0, Change::Says("sk-ant-o...KESTATIC", "***")),
            ("status-all", 1, Change::Says("sk-ant-o...KESTATIC", "***")),
        ],
        tests: &["profile::mask::a_short_secret_is_masked_whole"],
    },
    Difference {
        what: "`models status --check`",
        openclaw: "1 where a model in use needs a plugin that is not installed, so on every \
                   installation without further plugins",
        ours: "is about logins alone",
        changes: &[("status-all", 1, Change::Code(0))],
        tests: &[],
    },
    Difference {
        what: "findings of `secrets audit`",
        openclaw: "in its own words",
        ours: "in ours, with the same codes and places; a reference in an OAuth profile is one",
        changes: &[("exec-ref", 2, Change::Output), ("status-all", 5, Change::Output)],
        tests: &["secrets::audit::what_stands_in_a_database_is_found"],
    },
    Difference {
        what: "a secret reference in an OAuth profile",
        openclaw: "is not told",
        ours: "the profile is `missing`, reason `unsupported_secret_ref`",
        changes: &[("exec-ref", 1, Change::Output)],
        tests: &["status::an_oauth_profile_with_a_reference_is_reported"],
    },
    Difference {
        what: "`channels list`",
        openclaw: "has no logins",
        ours: "has the logins and their usage, as OpenClaw 2026.4.24",
        changes: &[("blocked-json", 7, Change::Output), ("status-all", 3, Change::Output)],
        tests: &["usage::a_provider_that_fails_hides_no_other"],
    },
    Difference {
        what: "the workspace of `main`, where none is set",
        openclaw: "is in the state directory",
        ours: "is `~/.openclaw/workspace`, as with OpenClaw 2026.4.24",
        changes: &[("status-all", 4, Change::Output)],
        tests: &[],
    },
];
