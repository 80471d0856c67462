//! The arguments of all commands. Their help is their doc comment.

pub mod chart;
pub mod init;
pub mod permissions;
pub mod render;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use crate::cli::view::diff::Diff;
use crate::plan::saved::Source;

/// Provision the edge of an Istio mesh on EKS from one stack file.
#[derive(Debug, Parser)]
#[command(name = "meshform", version, disable_help_subcommand = true, max_term_width = 110)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Use the sandbox: an AWS and a Kubernetes inside the process, with a clock of their own
    #[arg(long, global = true, env = "MESHFORM_SANDBOX", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub sandbox: bool,
    /// The sandbox's folder
    #[arg(long, global = true, value_name = "DIR", env = "MESHFORM_SANDBOX_DIR", default_value = ".meshform/sandbox", hide_env = true)]
    pub sandbox_dir: PathBuf,
    /// Say more: -v what is asked of whom, -vv more of it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal that NO_COLOR doesn't forbid it on
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a new stack file from a few answers, asked for or given as flags
    Init(init::InitArgs),
    /// Check a stack file, without a look at the world
    Validate(ConfigArgs),
    /// Print the stack as it is after `extends` and variables
    Config(ConfigArgs),
    /// Show what apply would change
    Plan(PlanArgs),
    /// Make the world as the stack says
    Apply(ApplyArgs),
    /// Remove everything that the stack owns
    Destroy(ApplyArgs),
    /// Take over what is there: only its marks change, and of Kubernetes objects what the stack says of them
    Import(ImportArgs),
    /// Let go what the stack owns, and leave it as it is
    Release(ReleaseArgs),
    /// Carry renewed certificates to everywhere they are delivered
    Rotate(RotateArgs),
    /// Show what differs from what was last applied
    Drift(DriftArgs),
    /// Show the resources that the stack owns, with their attributes
    Show(ReadArgs),
    /// Print the stack's outputs
    Output(OutputArgs),
    /// Print the Kubernetes objects of a stack, its charts rendered, for something else to apply
    Render(render::RenderArgs),
    /// Print what waits for what
    Graph(GraphArgs),
    /// Look at the state, and mend it
    State(StateArgs),
    /// Look at the sandbox, move its clock, and disturb it
    Sandbox(SandboxArgs),
    /// Show who did what, and when
    History(ReadArgs),
    /// Say what a code of an error or a refusal means
    Explain {
        /// The code, such as `plan/foreign`; none: list them all
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
    /// Look at the templates that are built in
    Template {
        /// What to do
        #[command(subcommand)]
        command: TemplateCommand,
    },
    /// Print what AWS and Kubernetes must allow for this stack: the least IAM policy and RBAC
    Permissions(permissions::PermissionsArgs),
    /// Print the JSON Schema of a stack file, for editors that complete and check
    Schema {
        /// Of what
        #[arg(value_enum, default_value_t = SchemaOf::Stack)]
        of: SchemaOf,
    },
    /// Render charts as Helm does, and bring, lock and look at them
    Chart(chart::ChartArgs),
    /// Print the man page, or write one for each command
    Man(ManArgs),
    /// Print a completion script; it completes stacks and addresses as well
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// What to do with built-in templates.
#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// List them
    List,
    /// Print one; a file of its name under templates/ beside a stack takes its place
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The stack file
    Stack,
}

/// Which stack, with which variables.
#[derive(Clone, Debug, Args)]
pub struct StackArgs {
    /// The stack file, or the name of one under stacks/
    #[arg(value_name = "STACK", add = ArgValueCompleter::new(complete::stacks))]
    pub stack: String,
    /// Set a variable of the stack; shows in the process list, so not for secrets
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// Read variables from a YAML file
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
}

impl StackArgs {
    /// Those that a saved plan was made with.
    pub fn of(source: &Source) -> Self {
        let Source { stack, vars, var_files, graph: _ } = source.clone();
        Self { stack, vars, var_files: var_files.into_iter().map(PathBuf::from).collect() }
    }
}

/// Arguments of `validate` and `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Say for each value which file and line set it (config only)
    #[arg(long)]
    pub origin: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Which part of the stack.
#[derive(Clone, Debug, Default, Args)]
pub struct PartArgs {
    /// Only this address, and what it needs (repeatable)
    #[arg(long, value_name = "ADDR", add = ArgValueCompleter::new(complete::addresses))]
    pub target: Vec<String>,
    /// All but this address, and what needs it (repeatable)
    #[arg(long, value_name = "ADDR", add = ArgValueCompleter::new(complete::addresses))]
    pub exclude: Vec<String>,
    /// Take over what is at this address, although meshform didn't make it (repeatable)
    #[arg(long, value_name = "ADDR", add = ArgValueCompleter::new(complete::addresses))]
    pub adopt: Vec<String>,
    /// Replace what is at this address although nothing asks for it (repeatable)
    #[arg(long, value_name = "ADDR", add = ArgValueCompleter::new(complete::addresses))]
    pub replace: Vec<String>,
    /// Of CustomResourceDefinitions that go, delete those too that are marked to be kept, where nobody else has objects of their kinds
    #[arg(long)]
    pub delete_crds: bool,
    /// Only bring the state in line with the world
    #[arg(long)]
    pub refresh_only: bool,
}

impl PartArgs {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        let Self { target, exclude, adopt, replace, delete_crds, refresh_only } = self;
        [target, exclude, adopt, replace].iter().all(|addrs| addrs.is_empty()) && !refresh_only && !delete_crds
    }
}

/// Arguments of `plan`.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// The part.
    #[command(flatten)]
    pub part: PartArgs,
    /// Plan the removal of everything
    #[arg(long)]
    pub destroy: bool,
    /// How much is shown
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub diff: Diff,
    /// Save the plan, to be looked at with `show` and carried out with `apply`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ask neither AWS nor the cluster: hold the stack against the state alone
    #[arg(long, conflicts_with_all = ["out", "refresh_only"])]
    pub offline: bool,
    /// The version of Kubernetes to render charts for, when the cluster isn't asked
    #[arg(long, value_name = "VERSION", requires = "offline")]
    pub kube_version: Option<String>,
    /// API versions that the cluster has besides those that Helm knows, when it isn't asked (repeatable)
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',', requires = "offline")]
    pub api_versions: Vec<String>,
    /// As JSON, in the shape of Terraform's `resource_changes`
    #[arg(long)]
    pub json: bool,
    /// End with 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// How to carry out.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Don't ask
    #[arg(long)]
    pub auto_approve: bool,
    /// How many requests run at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub parallelism: u16,
    /// Leave off where a wait of minutes begins, and end with 3
    #[arg(long)]
    pub no_wait: bool,
    /// As a stream of JSON lines
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `apply` and `destroy`. A saved plan may stand in the stack's place.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// The part.
    #[command(flatten)]
    pub part: PartArgs,
    /// The run.
    #[command(flatten)]
    pub run: RunArgs,
    /// How much of the plan is shown
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub diff: Diff,
    /// Carry out only the plan with this digest (`digest` of `plan --json`)
    #[arg(long, value_name = "DIGEST")]
    pub expect: Option<String>,
    /// Agree to deletions that only a state speaks of that was found again from tags and labels
    #[arg(long)]
    pub approve_rebuilt_deletions: bool,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// The address that it is to have
    #[arg(value_name = "ADDR", add = ArgValueCompleter::new(complete::addresses))]
    pub addr: String,
    /// The ARN of a certificate or secret, the name of a secret, NAMESPACE/NAME of an object
    #[arg(value_name = "ID")]
    pub id: String,
    /// The run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Addresses, or sections such as certificates.KEY, charts.KEY and istio
    #[arg(value_name = "ADDR", required = true, add = ArgValueCompleter::new(complete::addresses))]
    pub addr: Vec<String>,
    /// The run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `state mv`.
#[derive(Debug, Args)]
pub struct MoveArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// The address that it had, or certificates.KEY
    #[arg(value_name = "FROM", add = ArgValueCompleter::new(complete::addresses))]
    pub from: String,
    /// The one that the stack has for it now
    #[arg(value_name = "TO", add = ArgValueCompleter::new(complete::addresses))]
    pub to: String,
}

/// Arguments of `rotate`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Show what would be carried, and carry nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Request this certificate anew first, by address or key; alone for all (repeatable)
    #[arg(long, value_name = "CERTIFICATE", num_args = 0..=1, default_missing_value = "*", add = ArgValueCompleter::new(complete::addresses))]
    pub reissue: Vec<String>,
    /// Write days to expiry and the last success as a Prometheus text file
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// How many requests run at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub parallelism: u16,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// End with 2 when something was delivered
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// End with 2 when there is drift
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// Arguments of commands that read stack and state.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Only this address
    #[arg(long, value_name = "ADDR", add = ArgValueCompleter::new(complete::addresses))]
    pub target: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write the pages into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The whole command line as one Markdown page
    #[arg(long, conflicts_with = "dir")]
    pub markdown: bool,
}

/// Arguments of `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Only what this address waits for
    #[arg(long, value_name = "ADDR", add = ArgValueCompleter::new(complete::addresses))]
    pub target: Option<String>,
    /// The form
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub format: GraphFormat,
    /// As JSON: the same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// The forms of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Lines to be read
    Text,
    /// For programs
    Json,
    /// For Graphviz
    Dot,
    /// For Mermaid, as many forges show it
    Mermaid,
    /// A page of its own, which needs nothing but a browser
    Html,
}

/// Arguments of `output`.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Only this output, without quotes
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `state`.
#[derive(Debug, Args)]
pub struct StateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StateCommand,
}

/// What to do with the state.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List the addresses that the state knows
    List(ReadArgs),
    /// Print what the state knows, whole
    Show(ReadArgs),
    /// Forget an address, and leave what is there alone
    Rm {
        /// The stack.
        #[command(flatten)]
        stack: StackArgs,
        /// The address
        #[arg(value_name = "ADDR", required = true, add = ArgValueCompleter::new(complete::addresses))]
        addr: Vec<String>,
    },
    /// Give what has one address another one, in the state and in its tags
    Mv(MoveArgs),
    /// Find everything again from tags and labels
    Rebuild {
        /// The stack.
        #[command(flatten)]
        stack: StackArgs,
    },
}

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SandboxCommand,
}

/// What to do with the sandbox.
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Show its clock, what is in it, and its faults
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Move its clock on, and let what is due happen
    Advance {
        /// How far: `90s`, `45m`, `12h`, `200d`
        duration: String,
    },
    /// Make its world anew
    Reset,
    /// Disturb requests: `acm:RequestCertificate throttle times=3`, `* lost-reply nth=7`, `secretsmanager:* latency=2s`
    Fault {
        /// The rule; none: list the rules
        rule: Vec<String>,
        /// Remove all rules
        #[arg(long)]
        clear: bool,
    },
}
