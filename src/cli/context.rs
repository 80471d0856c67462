//! What every command has at hand: the environment, read once, and the stack with all that hangs on it.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Colour, Global, PartArgs, StackArgs};
use super::exit::Exit;
use super::{charts, report};
use crate::addr::Addr;
use crate::clock::Clock;
use crate::compose::compose;
use crate::diag::{Diagnostics, Failed, Sources, Style};
use crate::graph::Graph;
use crate::helm::KubeVersion;
use crate::material::Imported;
use crate::observe::known_outputs;
use crate::ops::connect::{SandboxEnds, connect};
use crate::ops::{self, OpError};
use crate::plan::{HelmRecord, Policy};
use crate::provider::world::World;
use crate::render::charts::{LookUp, RenderedRelease};
use crate::render::dice::Dice;
use crate::render::outputs::OutputTable;
use crate::render::render;
use crate::resource::Spec;
use crate::resource::manifest::Hook;
use crate::sandbox::{CrashPoint, Sandbox};
use crate::source::{import_files, manifest_files, stack_files};
use crate::stack::charts::Release;
use crate::stack::{self, Stack, StackFile, StateLocation, Vars};
use crate::state::State;
use crate::store::local::LocalStore;
use crate::store::{Holder, Store as _};

/// What a command has at hand.
pub(super) struct Context {
    pub(super) sandbox: Option<Sandbox>,
    pub(super) clock: Clock,
    pub(super) colour: bool,
    /// Whether a person sits at the terminal: the live display and questions are for them.
    pub(super) is_interactive: bool,
}

/// A stack that was read and checked.
pub(super) struct Loaded {
    pub(super) stack: Stack,
    pub(super) graph: Graph,
    /// What certificates are imported from.
    pub(super) imported: Imported,
    pub(super) store: LocalStore,
    /// What is to be said with a plan.
    pub(super) note: Option<String>,
    /// Helm's records of releases that are taken over.
    pub(super) helm_records: Vec<HelmRecord>,
    /// What charts look up in the cluster.
    pub(super) look_ups: Vec<LookUp>,
    /// The hooks that run when releases go; for a destroy only.
    pub(super) delete_hooks: Graph,
    /// The world, where charts had to ask it before there was a graph.
    pub(super) world: Option<World>,
}

/// What becomes of the charts of a stack when it is read.
#[derive(Clone, Debug)]
pub(super) enum WithCharts {
    /// They are rendered for the stack's cluster.
    ForCluster,
    /// They are rendered as `helm template` does, for a cluster of this version that serves these API versions besides those that Helm knows.
    Offline(Option<KubeVersion>, Vec<String>),
    /// They are rendered without the cluster, and with what the state knows of their releases.
    FromState(Option<KubeVersion>, Vec<String>),
    /// They are left out: what is done needs none.
    LeftOut,
}

impl Context {
    pub(super) fn new(global: &Global) -> Result<Self, Exit> {
        let colour = match global.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                std::io::stderr().is_terminal() && std::io::stdout().is_terminal() && !forbidden && !dumb
            }
        };
        let is_interactive = std::io::stderr().is_terminal() && std::io::stdin().is_terminal() && std::env::var_os("CI").is_none();
        let sandbox = if global.sandbox { Some(open_sandbox(&global.sandbox_dir)?) } else { None };
        let clock = sandbox.as_ref().map_or_else(Clock::real, Sandbox::clock);
        Ok(Self { sandbox, clock, colour, is_interactive })
    }

    pub(super) fn style(&self) -> Style {
        if self.colour { Style::Coloured } else { Style::Plain }
    }

    /// Reads, merges and checks a stack; problems are printed.
    pub(super) async fn load(&self, args: &StackArgs, with: WithCharts) -> Result<Loaded, Exit> {
        let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
        let loaded = self.load_quietly(args, with, &mut sources, &mut diags).await;
        report::diagnostics(&diags, &sources, self.style());
        loaded
    }

    /// The same; problems of the stack are left in `diags`.
    pub(super) async fn load_quietly(
        &self,
        args: &StackArgs,
        with: WithCharts,
        sources: &mut Sources,
        diags: &mut Diagnostics,
    ) -> Result<Loaded, Exit> {
        let vars = vars(args)?;
        let stack = read(&args.stack, sources, diags).and_then(|file| stack::check(&file, &vars, sources, diags));
        match stack {
            Ok(stack) => self.build(stack, &args.stack, with, sources, diags).await,
            Err(Failed) => Err(Exit::Failed),
        }
    }

    /// The graph of a checked stack, and what goes with it. Problems of the stack are told in `diags`, others are printed.
    async fn build(
        &self,
        stack: Stack,
        path: &str,
        with: WithCharts,
        sources: &mut Sources,
        diags: &mut Diagnostics,
    ) -> Result<Loaded, Exit> {
        let releases = if matches!(with, WithCharts::LeftOut) { Vec::new() } else { stack.releases() };
        let failed = |Failed| Exit::Failed;
        if releases.is_empty() {
            let (graph, imported) = graph(&stack, Vec::new(), sources, diags).map_err(failed)?;
            return self.open(stack, graph, imported, None);
        }
        let (mut files, note) = charts::load(self, &releases, path, diags).await.map_err(failed)?;
        self.check_account(&stack)?;
        let state = match (self.store(&stack).read(), &with) {
            (Ok(state), _) => state,
            // What looks at a stack alone gets on without one.
            (Err(_), WithCharts::Offline(..)) => State::default(),
            (Err(error), _) => return Err(report::failed(&error.into())),
        };
        files.outputs = OutputTable::of(&stack, &known_outputs(&state));
        if let (Some(note), WithCharts::Offline(..)) = (&note, &with) {
            eprintln!("note: {note}");
        }
        let (rendered, helm_records, world) = match with {
            WithCharts::ForCluster => {
                let world = self.connect(&stack).await.map_err(|error| report::failed(&error))?;
                let seed = charts::seed();
                let rendered = ops::charts::rendered(&releases, &files, (&world, &state), seed, sources, diags).await;
                let (rendered, records) = rendered.map_err(|error| report::failed(&error))?;
                (rendered, records, Some(world))
            }
            WithCharts::Offline(version, api_versions) => {
                let facts = ops::charts::offline_facts(version, api_versions);
                (ops::charts::without_a_cluster(&releases, &files, &facts, sources, diags), Vec::new(), None)
            }
            WithCharts::FromState(version, api_versions) => {
                let facts = (ops::charts::offline_facts(version, api_versions), &state);
                let dice = Dice::new(charts::seed(), (self.clock.now().as_second(), 0));
                (ops::charts::from_state(&releases, &files, facts, &dice, sources, diags), Vec::new(), None)
            }
            WithCharts::LeftOut => (Vec::new(), Vec::new(), None),
        };
        diags.check().map_err(failed)?;
        let look_ups = rendered.iter().flat_map(|release| release.needs.iter().cloned()).collect();
        let (graph, imported) = graph(&stack, rendered, sources, diags).map_err(failed)?;
        Ok(Loaded { note, helm_records, look_ups, ..self.open(stack, graph, imported, world)? })
    }

    /// The same for a destroy, which goes on without what the stack wants: a variable without a value, or an error in a section that only
    /// says what should be there, doesn't keep it. `with_hooks`: the hooks of releases that go are wanted, which may take a look at their charts and
    /// the cluster.
    pub(super) async fn load_for_destroy(&self, args: &StackArgs, with_hooks: bool) -> Result<Loaded, Exit> {
        let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
        let vars = vars(args)?;
        let Ok(file) = read(&args.stack, &mut sources, &mut diags) else {
            report::diagnostics(&diags, &sources, self.style());
            return Err(Exit::Failed);
        };
        let whole = stack::check(&file, &vars, &mut sources, &mut diags)
            .and_then(|stack| graph(&stack, Vec::new(), &mut sources, &mut diags).map(|graph| (stack, graph)));
        if let Ok((stack, (graph, imported))) = whole {
            report::diagnostics(&diags, &sources, self.style());
            let (delete_hooks, note) = if with_hooks { self.delete_hooks(&stack, &args.stack).await } else { (Graph::default(), None) };
            return Ok(Loaded { note, delete_hooks, ..self.open(stack, graph, imported, None)? });
        }
        let mut head_diags = Diagnostics::default();
        let head = stack::check_head(&file, &vars, &mut sources, &mut head_diags);
        report::diagnostics(&head_diags, &sources, self.style());
        let stack = head.map_err(|_| Exit::Failed)?;
        let problems = diags.errors();
        let (noun, verb) = if problems == 1 { ("problem", "does") } else { ("problems", "do") };
        eprintln!("note: the stack has {problems} {noun} that {verb} not matter for its removal; see `meshform validate`");
        self.open(stack, Graph::default(), Imported::default(), None)
    }

    /// The hooks that run when the stack's releases go. Their charts are fetched only where the state says that there are some; where they can't be
    /// rendered the destroy goes on without them, and says so.
    async fn delete_hooks(&self, stack: &Stack, path: &str) -> (Graph, Option<String>) {
        let state = self.store(stack).read().unwrap_or_default();
        let known = state.releases_with_delete_hooks();
        let releases = stack.releases();
        let (here, gone): (Vec<&str>, Vec<&str>) = known.into_iter().partition(|known| releases.iter().any(|one| one.section == *known));
        let mut notes = Vec::new();
        if !gone.is_empty() {
            notes.push(format!(
                "the hooks that {} had for a deletion don't run: the stack doesn't name the chart any more",
                gone.join(", ")
            ));
        }
        let releases: Vec<Release> =
            releases.iter().filter(|one| one.with_hooks && here.contains(&one.section.as_str())).cloned().collect();
        let mut hooks = Graph::default();
        if !releases.is_empty() {
            match self.rendered_hooks(stack, &state, &releases, path).await {
                Ok(found) => hooks = found,
                Err(why) => notes.push(format!("the hooks of {} for a deletion don't run: {why}", here.join(", "))),
            }
        }
        (hooks, (!notes.is_empty()).then(|| notes.join("; ")))
    }

    async fn rendered_hooks(&self, stack: &Stack, state: &State, releases: &[Release], path: &str) -> Result<Graph, String> {
        let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
        let told = |diags: &Diagnostics| {
            let said = diags.items().iter().map(|one| one.detail.clone());
            said.collect::<Vec<_>>().join("; ")
        };
        let Ok((mut files, _)) = charts::load(self, releases, path, &mut diags).await else { return Err(told(&diags)) };
        files.outputs = OutputTable::of(stack, &known_outputs(state));
        let world = self.connect(stack).await.map_err(|error| error.to_string())?;
        let rendered = ops::charts::rendered(releases, &files, (&world, state), charts::seed(), &mut sources, &mut diags).await;
        let (rendered, _) = rendered.map_err(|error| error.to_string())?;
        let manifests = rendered.into_iter().flat_map(|release| release.manifests).collect();
        let mut resources = compose(stack, manifests, &mut diags);
        if diags.has_errors() {
            return Err(told(&diags));
        }
        resources.retain(|one| matches!(&one.spec, Spec::Manifest(spec) if spec.hook.as_ref().is_some_and(Hook::is_of_deletion)));
        for hook in &mut resources {
            // What it needs is there, or it fails.
            hook.needs.clear();
            hook.ready_needs.clear();
        }
        Graph::build(resources, &mut diags).map_err(|Failed| told(&diags))
    }

    fn open(&self, stack: Stack, graph: Graph, imported: Imported, world: Option<World>) -> Result<Loaded, Exit> {
        self.check_account(&stack)?;
        let store = self.store(&stack);
        let (helm_records, look_ups, delete_hooks) = (Vec::new(), Vec::new(), Graph::default());
        Ok(Loaded { stack, graph, imported, store, note: None, helm_records, look_ups, delete_hooks, world })
    }

    fn check_account(&self, stack: &Stack) -> Result<(), Exit> {
        if self.sandbox.is_some()
            && let Some(account) = stack.aws.as_ref().and_then(|aws| aws.account.as_deref())
            && account != SANDBOX_ACCOUNT
        {
            eprintln!("error: the stack is for AWS account {account}, and the sandbox is account {SANDBOX_ACCOUNT}");
            eprintln!("  = help: set `aws.account` to \"{SANDBOX_ACCOUNT}\" for a rehearsal, by a variable or an overlay");
            return Err(Exit::Failed);
        }
        Ok(())
    }

    fn store(&self, stack: &Stack) -> LocalStore {
        let StateLocation::Local { path } = &stack.state;
        let mut store = LocalStore::new(Path::new(path), &stack.name, self.clock.clone());
        if let Some(sandbox) = self.sandbox.clone() {
            store = store.before_write(Arc::new(move || sandbox.about_to_persist()));
        }
        store
    }

    /// Reads and merges a stack, for `config`.
    pub(super) fn read(&self, args: &StackArgs) -> Result<(StackFile, Vars, Sources, Diagnostics), Exit> {
        let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
        let vars = vars(args)?;
        if let Ok(file) = read(&args.stack, &mut sources, &mut diags) {
            Ok((file, vars, sources, diags))
        } else {
            report::diagnostics(&diags, &sources, self.style());
            Err(Exit::Failed)
        }
    }

    /// The world of a stack that was read: connected to once.
    pub(super) async fn world(&self, loaded: &Loaded) -> Result<World, OpError> {
        match &loaded.world {
            Some(world) => Ok(world.clone()),
            None => self.connect(&loaded.stack).await,
        }
    }

    /// Connects to the stack's world, or to the sandbox.
    pub(super) async fn connect(&self, stack: &Stack) -> Result<World, OpError> {
        let ends = self.sandbox.as_ref().map(|sandbox| SandboxEnds { http: sandbox.http_client(), kube: sandbox.kube_client() });
        connect(stack, self.clock.clone(), ends.as_ref()).await
    }

    /// Who runs this, for the journal.
    pub(super) fn by() -> String {
        let Holder { user, host, .. } = Self::holder("");
        format!("{user}@{host}")
    }

    /// Who takes a lease.
    pub(super) fn holder(command: &str) -> Holder {
        let text = |key: &str| std::env::var(key).ok().filter(|value| !value.is_empty());
        let host = std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned()).or_else(|| text("HOSTNAME"));
        Holder {
            command: command.to_owned(),
            user: text("USER").or_else(|| text("LOGNAME")).unwrap_or_else(|| "an unknown user".into()),
            host: host.unwrap_or_else(|| "an unknown host".into()),
            pid: std::process::id(),
            since: jiff::Timestamp::now(),
        }
    }
}

/// The resources of a checked stack, with those of the files that its manifests name and of its charts as rendered; and what its certificates
/// are imported from.
pub(super) fn graph(
    stack: &Stack,
    rendered: Vec<RenderedRelease>,
    sources: &mut Sources,
    diags: &mut Diagnostics,
) -> Result<(Graph, Imported), Failed> {
    let imported = import_files::load(stack, diags);
    let files = manifest_files::load(stack, sources, diags)?;
    let mut manifests = render(stack, &files, sources, diags)?;
    manifests.extend(rendered.into_iter().flat_map(|release| release.manifests));
    let mut resources = compose(stack, manifests, diags);
    diags.check()?;
    let imported = imported?;
    imported.describe(&mut resources);
    Ok((Graph::build(resources, diags)?, imported))
}

/// The account of the sandbox.
pub(super) const SANDBOX_ACCOUNT: &str = "000000000000";

fn open_sandbox(dir: &Path) -> Result<Sandbox, Exit> {
    let sandbox = Sandbox::open(dir).map_err(|error| {
        eprintln!("error: the sandbox in {} can't be opened: {error}", dir.display());
        eprintln!("  = help: it holds nothing of value: remove the folder, and it is made anew");
        Exit::Failed
    })?;
    // For the tests that stop the process at every request.
    if let Ok(text) = std::env::var("MESHFORM_SANDBOX_CRASH") {
        let (point, number) = text.split_once(':').unwrap_or((&text, ""));
        let point = match point {
            "before" => Some(CrashPoint::Before),
            "after" => Some(CrashPoint::After),
            "before-durable" => Some(CrashPoint::BeforeDurable),
            _ => None,
        };
        match (point, number.parse()) {
            (Some(point), Ok(number)) => sandbox.crash_at(number, point),
            _ => return Err(report::usage("MESHFORM_SANDBOX_CRASH is not `before|after|before-durable:<n>`", "")),
        }
    }
    if let Ok(operation) = std::env::var("MESHFORM_SANDBOX_PANIC") {
        sandbox.panic_at(&operation);
    }
    Ok(sandbox)
}

fn read(stack: &str, sources: &mut Sources, diags: &mut Diagnostics) -> Result<StackFile, Failed> {
    stack_files::load(stack, sources, diags).and_then(|files| stack::parse(&files, diags))
}

fn vars(args: &StackArgs) -> Result<Vars, Exit> {
    let mut vars = Vars::default();
    for pair in &args.vars {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(report::usage(
                &format!("`--var {}` has no `=`", pair.chars().take(40).collect::<String>()),
                "write --var name=value",
            ));
        };
        vars.cli.push((name.to_owned(), value.to_owned()));
    }
    for path in &args.var_files {
        vars.files.push((path.display().to_string(), var_file(path)?));
    }
    vars.env = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(key, _)| key.starts_with(stack::ENV_PREFIX))
        .collect();
    Ok(vars)
}

fn var_file(path: &PathBuf) -> Result<String, Exit> {
    let wrong = |error: &dyn std::fmt::Display| {
        eprintln!("error: the variable file {} can't be read: {error}", path.display());
        Exit::Failed
    };
    let size = std::fs::metadata(path).map_err(|error| wrong(&error))?.len();
    if size > 1024 * 1024 {
        return Err(wrong(&"it is larger than 1 MiB"));
    }
    std::fs::read_to_string(path).map_err(|error| wrong(&error))
}

/// The policy that the arguments ask for.
pub(super) fn policy(part: &PartArgs, loaded: &Loaded, destroy: bool) -> Result<Policy, Exit> {
    let known: BTreeSet<String> = loaded.graph.resources().map(|resource| resource.addr.to_string()).collect();
    let state = loaded.store.read().unwrap_or_default();
    // A destroy without a state finds its addresses only in the world.
    let may_be_unknown = destroy && state.serial == 0;
    let addrs = |texts: &[String]| {
        let mut addrs = BTreeSet::new();
        for text in texts {
            let addr = address(text, &known)?;
            if !may_be_unknown && !loaded.graph.contains(&addr) && !state.resources.contains_key(&addr) {
                let near = crate::diag::nearest(text, known.iter().map(String::as_str));
                let help = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
                return Err(report::usage(&format!("neither the stack nor its state knows `{text}`"), &help));
            }
            addrs.insert(addr);
        }
        Ok::<_, Exit>(addrs)
    };
    let of_charts = loaded.stack.released_charts.keys().flat_map(|section| state.of_releases(section));
    Ok(Policy {
        destroy,
        refresh_only: part.refresh_only,
        targets: addrs(&part.target)?,
        excludes: addrs(&part.exclude)?,
        adopt: addrs(&part.adopt)?,
        replace: addrs(&part.replace)?,
        delete_crds: part.delete_crds,
        moves: loaded.stack.moved.clone().into_iter().collect(),
        released: loaded.stack.released.keys().chain(of_charts).cloned().collect(),
        delete_hooks: if destroy { loaded.delete_hooks.clone() } else { Graph::default() },
        keeps_objects: state.serial == 0 && !loaded.stack.released_charts.is_empty(),
        helm_records: loaded.helm_records.clone(),
        batches: loaded.stack.istio.as_ref().map(|istio| istio.batches.clone()).unwrap_or_default(),
        prices: loaded.stack.aws.as_ref().map(|aws| aws.prices.clone()),
        ..Policy::default()
    })
}

/// An address of the command line.
pub(super) fn address(text: &str, known: &BTreeSet<String>) -> Result<Addr, Exit> {
    text.parse().map_err(|error: crate::addr::NotAnAddress| {
        let near = crate::diag::nearest(text, known.iter().map(String::as_str));
        report::usage(&error.to_string(), &near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default())
    })
}
