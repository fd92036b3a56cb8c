//! `secrets audit`: the JSON of OpenClaw 2026.4.24, and a text of our own.

use crate::admin::audit::{Code, Finding, Report, audit};
use crate::app::App;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::profile::{ProfileId, ProviderId};
use crate::text::{chain, printable};
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 2 when a reference does not resolve, with or without --check; 1 with --check
and any other finding that can be mended, which an OAuth login cannot; else 0. Nothing is
written.")]
pub(super) struct Args {
    /// Exit with 1 when there are findings that can be mended
    #[arg(long)]
    check: bool,
    /// Run the commands behind secret references, to see whether they resolve
    #[arg(long)]
    allow_exec: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport<'r> {
    version: u32,
    status: &'static str,
    resolution: Resolution,
    #[serde(flatten)]
    files_scanned: PathMember<'r>,
    summary: Summary,
    findings: Vec<JsonFinding<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resolution {
    refs_checked: usize,
    skipped_exec_refs: usize,
    resolvability_complete: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of OpenClaw's fields")]
struct Summary {
    plaintext_count: usize,
    unresolved_ref_count: usize,
    shadowed_ref_count: usize,
    legacy_residue_count: usize,
    /// OpenClaw has no such finding, so the field is there only when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_allowed_ref_count: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFinding<'r> {
    code: &'static str,
    severity: &'static str,
    #[serde(flatten)]
    file: PathMember<'r>,
    json_path: &'r str,
    message: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'r ProviderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_id: Option<&'r ProfileId>,
}

impl<'r> From<&'r Report> for JsonReport<'r> {
    fn from(report: &'r Report) -> Self {
        let not_allowed = report.count(Code::ReferenceMisplaced);
        Self {
            version: 1,
            status: report.status(),
            resolution: Resolution {
                refs_checked: report.references_checked,
                skipped_exec_refs: report.commands_skipped,
                resolvability_complete: report.commands_skipped == 0,
            },
            files_scanned: PathMember::list("filesScanned", &report.files),
            summary: Summary {
                plaintext_count: report.count(Code::Plaintext),
                unresolved_ref_count: report.count(Code::Unresolved),
                shadowed_ref_count: report.count(Code::Shadowed),
                legacy_residue_count: report.count(Code::LegacyResidue),
                not_allowed_ref_count: (not_allowed > 0).then_some(not_allowed),
            },
            findings: report.findings.iter().map(JsonFinding::from).collect(),
        }
    }
}

impl<'r> From<&'r Finding> for JsonFinding<'r> {
    fn from(finding: &'r Finding) -> Self {
        Self {
            code: finding.code.name(),
            severity: finding.severity,
            file: PathMember::of("file", &finding.file),
            json_path: &finding.path,
            message: &finding.message,
            provider: finding.provider.as_ref(),
            profile_id: finding.profile_id.as_ref(),
        }
    }
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let report = audit(app, args.allow_exec)?;
    if let Some(newer) = &report.newer_store {
        output.warn(&format!("{}; it was not audited", chain(newer)));
    }
    output.end_with(exit_status(&report, args.check));
    if args.json {
        return output.json(&JsonReport::from(&report));
    }
    print(app, &report, output)?;
    if report.commands_skipped > 0 {
        let count = report.commands_skipped;
        let references = if count == 1 { "reference" } else { "references" };
        output.say(&format!(
            "{count} {references} behind commands not looked up; run them with --allow-exec"
        ));
    }
    Ok(())
}

/// How the command ends; findings that can be mended count when they are asked for by
/// `--check`.
fn exit_status(report: &Report, check: bool) -> ExitStatus {
    match report.status() {
        "unresolved" => ExitStatus::Unresolved,
        "findings" if check && report.has_work() => ExitStatus::Findings,
        _ => ExitStatus::Success,
    }
}

/// What the findings are called, in the order in which they are shown.
const HEADINGS: [(Code, &str); 5] = [
    (Code::Unresolved, "References that do not resolve, and files that cannot be read"),
    (Code::ReferenceMisplaced, "References where none may be"),
    (Code::Plaintext, "Secrets in plain text"),
    (Code::Shadowed, "References that are never used"),
    (Code::LegacyResidue, "For information"),
];

fn print(app: &App, report: &Report, output: &mut Output<'_>) -> Result<(), Failure> {
    let files = report.files.len();
    output.data(&match report.findings.len() {
        0 => format!("No findings; files: {files}, references: {}\n", report.references_checked),
        count => format!("Findings: {count}; files: {files}\n"),
    })?;
    for (code, heading) in HEADINGS {
        let mut findings = report.findings.iter().filter(|finding| finding.code == code).peekable();
        if findings.peek().is_some() {
            output.data(&format!("\n{heading}:\n"))?;
        }
        for finding in findings {
            let file = app.paths.shorten(&finding.file);
            let place = printable(&format!("{file} {}", finding.path), 400);
            output.data(&format!("  {place}\n    {}\n", printable(&finding.message, 600)))?;
        }
    }
    Ok(())
}
