//! What differs from OpenClaw 2026.4.24 on purpose: the one table, drawn into
//! `docs/compatibility.md` as well.
//!
//! Add a row for a new difference. `changes` says what of a recorded case is different;
//! `tests` names tests that show it.

/// A difference.
pub(super) struct Difference {
    /// What it is about.
    pub what: &'static str,
    /// What OpenClaw does.
    pub openclaw: &'static str,
    /// What this program does.
    pub ours: &'static str,
    /// What of the recorded cases is different.
    pub changes: &'static [Change],
    /// Other tests that show it, as `module::name`.
    pub tests: &'static [&'static str],
}

/// What of a recorded case is different.
pub(super) enum Change {
    /// The exit code of a step.
    Code { case: &'static str, step: usize, code: i32 },
    /// Standard output of a step as a whole.
    Stdout { case: &'static str, step: usize, text: &'static str },
    /// One value in the JSON of a step.
    Json { case: &'static str, step: usize, pointer: &'static str, value: &'static str },
    /// The tree afterwards: it is the one before.
    TreeUnchanged { case: &'static str },
}

impl Change {
    /// The case that it is about.
    pub(super) const fn case(&self) -> &'static str {
        match self {
            Self::Code { case, .. }
            | Self::Stdout { case, .. }
            | Self::Json { case, .. }
            | Self::TreeUnchanged { case } => case,
        }
    }

    /// Whether it is about this step, or about the tree when `step` is `None`.
    pub(super) fn is_for(&self, case: &str, step: Option<usize>) -> bool {
        let of_step = match self {
            Self::Code { step, .. } | Self::Stdout { step, .. } | Self::Json { step, .. } => {
                Some(*step)
            }
            Self::TreeUnchanged { .. } => None,
        };
        self.case() == case && of_step == step
    }
}

/// Every difference.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        what: "a secret shorter than 24 characters",
        openclaw: "shows up to eight characters at each end, nearly all of a short one",
        ours: "is masked whole: `***`",
        changes: &[
            json("path-legacy", 0, "/auth/providers/0/profiles/labels/0", "\"a:b=***\""),
            json("sec-ok", 1, "/auth/providers/0/env/value", "\"***\""),
            json("st-all", 2, "/auth/providers/0/profiles/labels/1", "\"anthropic:tok=token:***\""),
            json(
                "st-all",
                2,
                "/auth/providers/0/profiles/labels/2",
                "\"anthropic:tokstatic=token:***\"",
            ),
            json("st-all", 2, "/auth/providers/3/profiles/labels/0", "\"z.ai:x=***\""),
            json("st-env", 0, "/auth/providers/7/effective/detail", "\"***\""),
            json("st-env", 0, "/auth/providers/7/env/value", "\"***\""),
            json("st-invalid", 1, "/auth/providers/1/profiles/labels/0", "\"h:8=***\""),
            json(
                "st-legacy",
                1,
                "/auth/providers/0/profiles/labels/0",
                "\"anthropic:default=***\"",
            ),
            json("st-marker", 0, "/auth/providers/3/profiles/labels/9", "\"m:9=***\""),
            json("st-marker", 0, "/auth/providers/3/profiles/labels/10", "\"m:10=***\""),
            json("st-marker-core", 0, "/auth/providers/0/profiles/labels/0", "\"m:0=***\""),
            json("st-marker-core", 0, "/auth/providers/0/profiles/labels/4", "\"m:4=***\""),
            json("st-marker-core", 0, "/auth/providers/0/profiles/labels/6", "\"m:6=***\""),
            json("st-marker-core", 0, "/auth/providers/0/profiles/labels/7", "\"m:7=***\""),
            json("st-marker-core", 0, "/auth/providers/0/profiles/labels/8", "\"m:8=***\""),
            json("st-marker-core", 0, "/auth/providers/0/profiles/labels/9", "\"m:9=***\""),
            json("st-marker-core", 0, "/auth/providers/0/profiles/labels/10", "\"m:10=***\""),
            json("st-models", 0, "/auth/providers/0/modelsJson/value", "\"***\""),
            json("st-models", 1, "/auth/providers/0/modelsJson/value", "\"***\""),
            json("st-models", 2, "/auth/providers/0/modelsJson/value", "\"***\""),
        ],
        tests: &["profile::mask::a_short_secret_is_masked_whole"],
    },
    Difference {
        what: "`${NAME}` in the place of a key",
        openclaw: "is masked like a key",
        ours: "is the reference that it is: `ref(env:NAME)`",
        changes: &[json(
            "st-ref",
            0,
            "/auth/providers/1/profiles/labels/0",
            "\"a=ref(env:OPENAI_API_KEY)\"",
        )],
        tests: &[],
    },
    Difference {
        what: "a secret reference without source or id",
        openclaw: "is shown as `ref(undefined:undefined)`",
        ours: "is shown as `ref(invalid)`",
        changes: &[json("st-ref", 0, "/auth/providers/1/profiles/labels/6", "\"j=ref(invalid)\"")],
        tests: &[],
    },
    Difference {
        what: "a secret reference in an OAuth profile",
        openclaw: "is not told before it is used; the profile is `ok`",
        ours: "the profile is `missing`, reason `unsupported_secret_ref`, and `--check` says 1",
        changes: &[
            json(
                "st-ref",
                0,
                "/auth/providers/2/profiles/labels",
                "[\"f=OAuth [unsupported reference: access]\", \"g=OAuth [unsupported reference: keyRef]\"]",
            ),
            json("st-ref", 0, "/auth/oauth/profiles/9", UNSUPPORTED_F),
            json("st-ref", 0, "/auth/oauth/profiles/10", UNSUPPORTED_G),
            json("st-ref", 0, "/auth/oauth/providers/2", UNSUPPORTED_GROUP),
        ],
        tests: &["status::an_oauth_profile_with_a_reference_is_reported"],
    },
    Difference {
        what: "a secret reference in `models.providers`",
        openclaw: "`models status` fails unless a gateway answers",
        ours: "is shown by its name; its variable counts when it is set",
        changes: &[],
        tests: &["status::a_reference_in_the_configuration_is_shown_by_name"],
    },
    Difference {
        what: "a command that reads",
        openclaw: "imports former credential files and deletes them, copies the profiles of `main` \
                   into an agent, writes health records",
        ours: "writes nothing; the view is built in memory",
        changes: &[
            Change::TreeUnchanged { case: "st-legacy" },
            Change::TreeUnchanged { case: "st-multi" },
        ],
        tests: &[
            "status::reading_writes_nothing",
            "order::reading_writes_nothing_and_copies_nothing",
        ],
    },
    Difference {
        what: "a document that cannot be read or parsed",
        openclaw: "counts as empty, and the next write replaces it",
        ours: "is an error that names the file, exit code 6; the file stays",
        changes: &[],
        tests: &[
            "status::an_unreadable_store_is_an_error_not_an_empty_one",
            "order::an_unreadable_document_is_an_error_and_stays",
        ],
    },
    Difference {
        what: "an invalid configuration",
        openclaw: "exit code 1",
        ours: "exit code 6, as for any file that cannot be used",
        changes: &[
            Change::Code { case: "cfg-bad", step: 0, code: 6 },
            Change::Code { case: "cfg-bad", step: 1, code: 6 },
        ],
        tests: &["status::an_invalid_configuration_is_an_error"],
    },
    Difference {
        what: "`--json` together with `--plain`",
        openclaw: "exit code 1",
        ours: "a usage error, exit code 2, with nothing on standard output",
        changes: &[],
        tests: &["status::json_and_plain_exclude_each_other"],
    },
    Difference {
        what: "a listing without a network",
        openclaw: "`channels list --json` fails and prints nothing",
        ours: "lists; a provider that fails has an `error` in its place and hides no other, and \
               after 5 s none is waited for",
        changes: &[
            Change::Code { case: "st-oauth-valid", step: 0, code: 0 },
            Change::Stdout { case: "st-oauth-valid", step: 0, text: LISTING },
        ],
        tests: &[
            "usage::a_provider_that_fails_hides_no_other",
            "usage::a_provider_that_does_not_answer_is_not_waited_for",
        ],
    },
    Difference {
        what: "a listing with an expired token",
        openclaw: "refreshes it to ask for the usage, and stores the new one",
        ours: "refreshes nothing: the usage is `Token expired`, and `hint` names \
               `models auth refresh`",
        changes: &[],
        tests: &["usage::an_expired_token_is_told_and_not_refreshed"],
    },
    Difference {
        what: "usage in `models status`",
        openclaw: "is asked for the text, never for the JSON",
        ours: "is asked with `--usage` alone, for both",
        changes: &[],
        tests: &[
            "usage::nobody_is_asked_unless_the_usage_is_wanted",
            "usage::models_status_tells_the_usage_when_it_is_asked",
        ],
    },
    Difference {
        what: "windows of the usage",
        openclaw: "no reset for Copilot, Gemini and single Claude models, no week of MiniMax, \
                   Sonnet hides Opus",
        ours: "all of these, where the answer has them",
        changes: &[],
        tests: &[
            "provider::quota::gemini::tests::a_family_is_as_used_as_its_most_used_model",
            "provider::quota::minimax::tests::percentages_stand_in_for_counts",
        ],
    },
    Difference {
        what: "usage of MiniMax",
        openclaw: "is asked at the host for China, whichever the key is for",
        ours: "is asked at the global host; a [provider file](providers.md#usage) names another",
        changes: &[],
        tests: &["usage::every_format_is_asked_as_it_wants_and_told_alike"],
    },
    Difference {
        what: "texts for people",
        openclaw: "its own layout and words",
        ours: "other ones: a table of [how each login is doing](states.md); `--json` is the same",
        changes: &[],
        tests: &["status::the_text_says_the_state_of_each_login"],
    },
];

const fn json(
    case: &'static str,
    step: usize,
    pointer: &'static str,
    value: &'static str,
) -> Change {
    Change::Json { case, step, pointer, value }
}

const UNSUPPORTED_F: &str = r#"{
    "profileId": "f", "provider": "openai-codex", "type": "oauth", "status": "missing",
    "reasonCode": "unsupported_secret_ref", "source": "store", "label": "f"
}"#;
const UNSUPPORTED_G: &str = r#"{
    "profileId": "g", "provider": "openai-codex", "type": "oauth", "status": "missing",
    "reasonCode": "unsupported_secret_ref", "source": "store", "label": "g"
}"#;
const UNSUPPORTED_GROUP: &str = r#"{
    "provider": "openai-codex", "status": "expired", "profiles": [
        {"profileId": "f", "provider": "openai-codex", "type": "oauth", "status": "missing",
         "reasonCode": "unsupported_secret_ref", "source": "store", "label": "f"},
        {"profileId": "g", "provider": "openai-codex", "type": "oauth", "status": "missing",
         "reasonCode": "unsupported_secret_ref", "source": "store", "label": "g"}
    ]
}"#;
const LISTING: &str = r#"{
  "chat": {},
  "auth": [
    {
      "id": "openai-codex:default",
      "provider": "openai-codex",
      "type": "oauth",
      "isExternal": false
    }
  ],
  "usage": {
    "updatedAt": 1,
    "providers": []
  }
}
"#;
