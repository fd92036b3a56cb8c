//! `providers list`

use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::table::Fitting;
use crate::profile::ProviderId;
use crate::provider::{Definition, MethodKind, Provider, names_of, subscriptions};
use crate::text::chain;
use comfy_table::{Table, presets};
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'p> {
    schema: u32,
    providers: Vec<Row<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the report")]
struct Row<'p> {
    id: &'p ProviderId,
    label: &'p str,
    /// What `login`, `token` and the others take for it beside the id.
    names: Vec<&'p str>,
    /// Whether it has a sign-in at a server: browser or device code.
    sign_in: bool,
    /// Whether a setup token can be stored.
    token: bool,
    /// Whether an API key can be stored.
    api_key: bool,
    /// The variables that hold a key.
    variables: &'p [String],
    /// Whether a file of the user describes it.
    described: bool,
}

impl<'p> Row<'p> {
    fn of(provider: &'p Provider) -> Self {
        let Definition { id, label, aliases, env, methods, .. } = &provider.definition;
        let has = |kind: MethodKind| methods.iter().any(|method| method.kind == kind);
        let aliases = aliases.iter().map(String::as_str);
        Self {
            id,
            label,
            names: names_of(id.as_str()).chain(aliases).collect(),
            sign_in: provider.definition.has_login(),
            token: has(MethodKind::Token),
            api_key: has(MethodKind::ApiKey),
            variables: env,
            described: provider.file.is_some(),
        }
    }

    fn ways(&self) -> String {
        let ways = [(self.sign_in, "sign in"), (self.token, "token"), (self.api_key, "API key")];
        let ways: Vec<_> = ways.into_iter().filter(|(has, _)| *has).map(|(_, it)| it).collect();
        ways.join(", ")
    }
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let catalog = app.catalog()?;
    for (_, problem) in catalog.problems() {
        output.warn(&chain(problem));
    }
    let mut providers: Vec<Row<'_>> = catalog.iter().map(Row::of).collect();
    let rank = |row: &Row<'_>| subscriptions().iter().position(|(id, _)| row.id.is_spelt(id));
    providers.sort_by_key(|row| (rank(row).unwrap_or(usize::MAX), !row.sign_in));
    if args.json {
        return output.json(&Report { schema: 1, providers });
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["PROVIDER", "NAME", "ALSO CALLED", "WAYS"]);
    let mut table = Fitting::new(table, output.terminal_columns());
    for row in providers.iter().filter(|row| !row.ways().is_empty()) {
        table.add([
            format!("{:.60}", row.id),
            row.label.to_owned(),
            row.names.join(", "),
            row.ways(),
        ]);
    }
    output.data(&table.text())
}
