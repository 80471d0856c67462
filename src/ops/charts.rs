//! Charts rendered for a cluster: what it is gets asked once, what templates look up in rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures::{StreamExt as _, TryStreamExt as _};

use super::OpError;
use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics, Sources};
use crate::event::Origin;
use crate::helm::KubeVersion;
use crate::plan::HelmRecord;
use crate::provider::kube::{KindPath, Kube, Live};
use crate::provider::world::World;
use crate::render::charts::{ChartFiles, Facts, LookUp, RenderedRelease, release};
use crate::render::dice::Dice;
use crate::render::outputs;
use crate::resource::kinds::{built_in, split_api_version};
use crate::resource::manifest::RELEASE;
use crate::resource::{Attr, LABEL_STACK};
use crate::secret::SecretBytes;
use crate::stack::charts::{Release, outputs_in};
use crate::state::{Instance, State};

/// How often a chart may ask for more: what it looks up may depend on what it looked up before.
const ROUNDS: usize = 5;
/// The version of Kubernetes that charts are rendered for without a cluster; the newest that this program was tested with.
pub const KUBE_VERSION: &str = "1.36.3";

/// Renders the releases of a stack for its cluster. Problems of charts are told in `diags`.
pub async fn rendered(
    releases: &[Release],
    files: &ChartFiles,
    (world, state): (&World, &State),
    seed: [u8; 32],
    sources: &mut Sources,
    diags: &mut Diagnostics,
) -> Result<(Vec<RenderedRelease>, Vec<HelmRecord>), OpError> {
    let Some(kube) = &world.kube else {
        let facts = offline_facts(None, Vec::new());
        return Ok((without_a_cluster(releases, files, &facts, sources, diags), Vec::new()));
    };
    let (installed, records) = installed(releases, kube, state).await?;
    let (version, api_versions) = futures::try_join!(kube.version(), kube.api_versions())?;
    let kube_version = KubeVersion::parse(&version).or_else(|_| KubeVersion::parse(KUBE_VERSION)).map_err(OpError::Facts)?;
    let mut facts = Facts {
        kube_version,
        api_versions: Some(api_versions),
        more_api_versions: Vec::new(),
        looked_up: Some(BTreeMap::new()),
        installed,
    };
    let now = world.clock.now();
    let dice = Dice::new(seed, (now.as_second(), u32::try_from(now.subsec_nanosecond()).unwrap_or(0)));
    let mut all: Vec<RenderedRelease> = vec![RenderedRelease::default(); releases.len()];
    let mut open: BTreeSet<usize> = (0..releases.len()).collect();
    for round in 1.. {
        let mut needs = BTreeSet::new();
        for (index, rendered) in side_by_side(releases, &open, sources, diags, |release, sources, diags| {
            outputs::release(release, files, &facts, &dice, sources, diags)
        }) {
            if rendered.needs.is_empty() {
                open.remove(&index);
            }
            needs.extend(rendered.needs.iter().cloned());
            all[index] = rendered;
        }
        if open.is_empty() {
            break;
        }
        if round == ROUNDS {
            for index in &open {
                let detail = format!("`{}` still looks up more of the cluster after {ROUNDS} rounds", releases[*index].section);
                let diagnostic = Diagnostic::error("chart/rounds", "look-ups without an end", detail).at(&releases[*index].place);
                diags.push(diagnostic.help("a name that the chart makes up anew each time can't be looked up: give it by the values"));
            }
            break;
        }
        let answers = futures::stream::iter(needs).map(|asked| async {
            let found = kube.look_up(&asked.api_version, &asked.kind, &asked.namespace, &asked.name).await?;
            Ok::<(LookUp, Option<SecretBytes>), OpError>((asked, found))
        });
        let answers: Vec<_> = answers.buffered(8).try_collect().await?;
        facts.looked_up.get_or_insert_default().extend(answers);
    }
    let unknown = without_state(releases, &all, kube, state, &facts).await?;
    if !unknown.is_empty() {
        facts.installed.extend(unknown.iter().map(|index| releases[*index].section.clone()));
        let again = side_by_side(releases, &unknown, sources, diags, |release, sources, diags| {
            outputs::release(release, files, &facts, &dice, sources, diags)
        });
        for (index, rendered) in again {
            all[index] = rendered;
        }
    }
    Ok((all, records))
}

/// Renders the releases as `helm template` does.
pub fn without_a_cluster(
    releases: &[Release],
    files: &ChartFiles,
    facts: &Facts,
    sources: &mut Sources,
    diags: &mut Diagnostics,
) -> Vec<RenderedRelease> {
    let rendered = side_by_side(releases, &(0..releases.len()).collect(), sources, diags, |one, sources, diags| {
        if outputs_in(one).is_empty() {
            release(one, files, facts, &mut Dice::fixed(), sources, diags)
        } else {
            outputs::release(one, files, facts, &Dice::fixed(), sources, diags)
        }
    });
    rendered.into_values().collect()
}

/// The most releases that are rendered at once: each has a stack that may grow to half a gigabyte.
const MOST_AT_ONCE: usize = 4;
/// The stack of a thread that takes documents apart, which may nest a thousand levels.
const WORKER_STACK: usize = 16 << 20;

/// Renders some of the releases, as many at once as there are processors, but [`MOST_AT_ONCE`]. What is said of them is told in their order.
fn side_by_side(
    releases: &[Release],
    which: &BTreeSet<usize>,
    sources: &mut Sources,
    diags: &mut Diagnostics,
    render: impl Fn(&Release, &mut Sources, &mut Diagnostics) -> RenderedRelease + Sync,
) -> BTreeMap<usize, RenderedRelease> {
    let began = Instant::now();
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let open = Mutex::new(which.iter().copied());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = open.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(index) = next else { return done };
            let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
            let rendered = render(&releases[index], &mut sources, &mut diags);
            done.push((index, rendered, sources, diags));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let worker = |_| std::thread::Builder::new().stack_size(WORKER_STACK).spawn_scoped(scope, work);
        let others: Vec<_> = (1..processors.min(which.len()).min(MOST_AT_ONCE)).map(worker).collect();
        // This thread works as well, and alone where there can be no others.
        let mut done = work();
        for other in others.into_iter().flatten() {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_by_key(|(index, ..)| *index);
    tracing::info!(charts = done.len(), microseconds = began.elapsed().as_micros(), "charts were rendered");
    let told = done.into_iter().map(|(index, rendered, of_its, about_it)| {
        sources.append(of_its);
        diags.append(about_it);
        (index, rendered)
    });
    told.collect()
}

/// What is believed of a cluster that isn't asked.
pub fn offline_facts(kube_version: Option<KubeVersion>, api_versions: Vec<String>) -> Facts {
    let newest = || KubeVersion { version: format!("v{KUBE_VERSION}"), major: "1".into(), minor: "36".into() };
    Facts {
        kube_version: kube_version.unwrap_or_else(newest),
        api_versions: None,
        more_api_versions: api_versions,
        looked_up: None,
        installed: BTreeSet::new(),
    }
}

/// Renders the releases with nothing but what the state knows of them. What charts look up counts as absent; it is told in `needs`.
pub fn from_state(
    releases: &[Release],
    files: &ChartFiles,
    (known, state): (Facts, &State),
    dice: &Dice,
    sources: &mut Sources,
    diags: &mut Diagnostics,
) -> Vec<RenderedRelease> {
    let rendered = side_by_side(releases, &(0..releases.len()).collect(), sources, diags, |one, sources, diags| {
        let mut facts = Facts {
            kube_version: known.kube_version.clone(),
            api_versions: known.api_versions.clone(),
            more_api_versions: known.more_api_versions.clone(),
            looked_up: None,
            installed: state.releases().map(str::to_owned).collect(),
        };
        let (mut asked, mut told) = (BTreeSet::new(), Diagnostics::default());
        let mut rendered = outputs::release(one, files, &facts, dice, sources, &mut told);
        for _ in 1..ROUNDS {
            if rendered.needs.is_empty() {
                break;
            }
            facts.looked_up.get_or_insert_default().extend(rendered.needs.iter().cloned().map(|asked| (asked, None)));
            asked.append(&mut rendered.needs);
            told = Diagnostics::default();
            rendered = outputs::release(one, files, &facts, dice, sources, &mut told);
        }
        // What the last of them says holds.
        diags.append(told);
        RenderedRelease { needs: asked, ..rendered }
    });
    rendered.into_values().collect()
}

/// The releases of which something is there, by the state, or as Helm's releases; and Helm's records of them. Helm keeps a Secret for each
/// revision of a release (Helm documentation, "Storage backends").
async fn installed(releases: &[Release], kube: &Kube, state: &State) -> Result<(BTreeSet<String>, Vec<HelmRecord>), OpError> {
    let mut installed: BTreeSet<String> = state.releases().map(str::to_owned).collect();
    let is_adopted = |release: &Release| {
        let instances = state.resources.values().filter_map(|known| known.current.as_ref());
        let own = |one: &&Instance| one.attrs.get(RELEASE).and_then(Attr::as_text) == Some(&release.section);
        instances.filter(own).any(|one| one.origin == Origin::Adopted)
    };
    // One that was installed here is none of Helm's.
    let suspects: Vec<&Release> = releases.iter().filter(|release| !installed.contains(&release.section) || is_adopted(release)).collect();
    let mut records = Vec::new();
    if suspects.is_empty() {
        return Ok((installed, records));
    }
    let secrets = KindPath { api_version: "v1".into(), plural: "secrets".into() };
    let of_helm = match kube.list_metadata(&secrets, "owner=helm").await {
        Ok(secrets) => secrets,
        Err(error) if error.is_denied() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    for release in suspects {
        let is_its = |secret: &&Live| {
            secret.namespace() == Some(&release.namespace)
                && secret.label("name") == Some(&release.name)
                && secret.name().starts_with("sh.helm.release.v1.")
        };
        for secret in of_helm.iter().filter(is_its) {
            installed.insert(release.section.clone());
            let addr = Addr::Kube {
                kind: "secret".into(),
                group: String::new(),
                namespace: Some(release.namespace.clone()),
                name: secret.name().to_owned(),
            };
            // A release that is to go back to Helm keeps its records.
            if !release.adoptable {
                records.push(HelmRecord { section: release.section.clone(), addr, uid: secret.uid().to_owned() });
            }
        }
    }
    Ok((installed, records))
}

/// Of the releases that a lost state doesn't know: those of which an object with our label is there.
async fn without_state(
    releases: &[Release],
    rendered: &[RenderedRelease],
    kube: &Kube,
    state: &State,
    facts: &Facts,
) -> Result<BTreeSet<usize>, OpError> {
    if state.serial != 0 {
        let is_known = |index: &usize| {
            let is_new = !facts.installed.contains(&releases[*index].section);
            is_new && rendered[*index].manifests.iter().any(|one| state.resources.contains_key(&one.addr()))
        };
        return Ok((0..releases.len()).filter(is_known).collect());
    }
    let selector = format!("{LABEL_STACK}={}", state.stack);
    let mut lists: BTreeMap<KindPath, BTreeSet<(Option<String>, String)>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (index, (release, rendered)) in releases.iter().zip(rendered).enumerate() {
        if facts.installed.contains(&release.section) {
            continue;
        }
        // One kind tells: a release's objects come and go together.
        let telling = rendered.manifests.iter().find_map(|one| {
            let known = built_in(split_api_version(&one.api_version).0, &one.kind)?;
            Some(KindPath { api_version: one.api_version.clone(), plural: known.plural.to_owned() })
        });
        let Some(path) = telling else { continue };
        if !lists.contains_key(&path) {
            let live = match kube.list_metadata(&path, &selector).await {
                Ok(live) => live,
                Err(error) if error.is_denied() || error.is_not_found() => Vec::new(),
                Err(error) => return Err(error.into()),
            };
            let names = live.iter().map(|live| (live.namespace().map(str::to_owned), live.name().to_owned())).collect();
            lists.insert(path.clone(), names);
        }
        let names = &lists[&path];
        let is_there = rendered.manifests.iter().any(|one| {
            let of = built_in(split_api_version(&one.api_version).0, &one.kind);
            of.is_some_and(|of| of.plural == path.plural) && names.contains(&(one.namespace.clone(), one.name.clone()))
        });
        if is_there {
            found.insert(index);
        }
    }
    Ok(found)
}
